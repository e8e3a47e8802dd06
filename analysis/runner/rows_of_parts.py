"""How many rows the parts of a pool have, told before the pool is loaded."""

import tempfile
from pathlib import Path

from analysis.pools import load_parts
from analysis.pools.testbed import RECIPES

HELD_OUT = 0.05  # share of a pool that no method can select
READ_FOR_THIS = 50 * 2**20  # bytes of a file up to which its rows are counted by reading it


class RowsOfParts:
    """Rows of every part of a pool: those of a small file counted by reading it, others reckoned from `limit`."""

    def __init__(self) -> None:
        self.known: dict[tuple, list[int]] = {}
        self.exact: set[str] = set()

    def __call__(self, told: dict, fewest: int) -> list[int]:
        pool, limit, parts = told["pool"], told["limit"] or 5000, told["parts"]
        key = (pool, limit, parts, fewest, told["seed"], told["duplicates"])
        if key not in self.known:
            self.known[key] = self._counted(told, fewest, pool, limit, parts)
        return self.known[key]

    def _counted(self, told: dict, fewest: int, pool: str, limit: int, parts: int) -> list[int]:
        selectable = round(limit * (1 - HELD_OUT))
        if pool in RECIPES:
            return [selectable] * (parts if selectable >= fewest else 1)
        if _size(pool) <= READ_FOR_THIS:
            with tempfile.TemporaryDirectory() as folder:
                options = {name: told[name] for name in ("limit", "seed", "duplicates", "parts")}
                cut = load_parts(pool, fewest=fewest, cache=Path(folder), **options)
                self.exact.add(pool)
                return [len(part) for part in cut]
        parts = min(parts, max(selectable // fewest, 1))
        return [selectable // parts] * parts


def _size(pool: str) -> float:
    """Bytes of a file or folder that a pool's name is; more than any where it cannot be told."""
    path = Path(pool.split("::")[0])
    if not path.exists():
        return float("inf")
    return sum(one.stat().st_size for one in (path.rglob("*") if path.is_dir() else [path]) if one.is_file())
