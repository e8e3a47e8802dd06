"""Every step that needs no model, on many rows: `python -m tests.speed.at_scale --rows 20000`."""

import argparse
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from analysis.features.features import Features
from analysis.methods import zip_compression
from analysis.methods.tools.k_center import farthest_first
from analysis.models.language_model import load_model
from analysis.pools import load_pool
from analysis.store.store import Store
from tests.speed.measuring import LINE, measured

ROWS, CLUSTERS, CHOSEN, STARTS = 1_000_000, 1_000, 10_000, 100


def steps(rows: int, folder: Path) -> dict[str, Callable[[], object]]:
    """Each step as a call, in an order in which every one finds what it needs; smaller pools give smaller budgets."""
    made: dict[str, object] = {}
    clusters, chosen = min(CLUSTERS, rows // 20), min(CHOSEN, rows // 10)

    def load() -> None:
        base = load_model("tiny-weak", weights=False)
        pool = load_pool("wild", limit=rows, cache=folder / "pools")
        made["features"] = Features(pool, base, store=Store(folder / "store"), show_progress=False)

    def points() -> np.ndarray:
        found = made["features"].embeddings("tfidf")
        return found[np.isfinite(found).all(axis=1)]

    return {
        "make and load the pool": load,
        "lengths": lambda: made["features"].lengths(),
        "near-duplicates": lambda: made["features"].near_duplicates(0.8),
        "TF-IDF and SVD": points,
        f"k-means, {clusters:,}": lambda: made["features"].clusters("tfidf", clusters, 0),
        f"k-center, {chosen:,}": lambda: farthest_first(points(), np.arange(STARTS), chosen),
        f"ZIP, {chosen:,}": lambda: zip_compression.select(made["features"], chosen, seed=0),
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Print a line as each step ends."""
    parser = argparse.ArgumentParser(prog="python -m tests.speed.at_scale", description=__doc__)
    parser.add_argument("--rows", type=int, default=ROWS, help="of the testbed (default 1,000,000)")
    rows = parser.parse_args(arguments).rows
    print(LINE.format(f"{rows:,} rows", "seconds", "peak GiB"), flush=True)
    with tempfile.TemporaryDirectory() as folder:
        for name, step in steps(rows, Path(folder)).items():
            taken, peak = measured(step)
            print(LINE.format(name, f"{taken:,.1f}", f"{peak:.2f}"), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
