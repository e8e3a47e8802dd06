"""One pass over many rows, forward or forward and back: what a model says about each of them."""
