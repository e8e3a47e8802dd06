"""Texts to tokens, tokens through weights: everything that imports torch, and the embedded bases."""
