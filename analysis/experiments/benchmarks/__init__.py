"""What a fine-tuned model is measured by, item by item."""
