"""What notebooks show: figures, tables and sentences that are computed from results."""
