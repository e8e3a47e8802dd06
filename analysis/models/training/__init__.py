"""A model made from rows: fine-tuning, LESS's warm-up, pre-training of small bases."""
