"""Pools: `load_pool` turns a name, a file, a folder or a hub id into rows to select from, `load_parts` into parts."""

from analysis.pools.loading import load_pool
from analysis.pools.parts import joined, load_parts
from analysis.pools.pool import Pool, SetAside

__all__ = ["Pool", "SetAside", "joined", "load_parts", "load_pool"]
