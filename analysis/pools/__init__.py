"""Pools: `load_pool` turns a name, a file, a folder or a hub id into rows that methods can select from."""

from analysis.pools.loading import load_pool
from analysis.pools.pool import Pool, SetAside

__all__ = ["Pool", "SetAside", "load_pool"]
