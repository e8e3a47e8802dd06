"""The tables and sentences of one notebook each."""
