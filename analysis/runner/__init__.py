"""Notebooks to pages, headless: `python -m analysis.runner`."""
