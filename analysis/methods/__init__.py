"""The selection methods: arrays in, row numbers out. A new one is a file here and an entry in `catalogue.METHODS`."""

from analysis.methods.calls import call, inner_call, parse, select
from analysis.methods.catalogue import BASE, METHODS, RANDOM, Method
from analysis.methods.labels import label
from analysis.methods.selection import Selection, top_k

__all__ = [
    "BASE", "METHODS", "RANDOM", "Method", "Selection", "call", "inner_call", "label", "parse", "select", "top_k",
]  # fmt: skip
