"""How much of a selection bfloat16 changes: `python -m tests.speed.precision`, seconds of both beside it."""

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence

import numpy as np

from analysis.experiments.workbench import prepare
from analysis.features.features import Features
from analysis.methods import calls
from analysis.store.store import Store
from tests.speed.run import table

METHODS = ("cross_entropy", "ifd", "selectit", "rds_plus", "kmeans")
SHARE = 10  # one row in so many is selected


def compared(pool: str, rows: int, model: str) -> list[dict]:
    """Per method the share of float32's selection that bfloat16 keeps, and the seconds of both, features included."""
    with tempfile.TemporaryDirectory() as folder:
        work = prepare(pool, limit=rows, model=model, store=Store(folder), show_progress=False)
        budget, lines = len(work.pool) // SHARE, []
        for method in METHODS:
            chosen, taken = {}, {}
            for precision in ("float32", "bfloat16"):
                store = Store(f"{folder}/{method}/{precision}")
                features = Features(
                    work.pool, work.base, store=store, precision=precision, max_tokens=work.settings.max_tokens,
                    show_progress=False,
                )  # fmt: skip
                started = time.perf_counter()
                chosen[precision] = calls.select(method, features, budget, seed=0).rows
                taken[precision] = time.perf_counter() - started
            kept = len(np.intersect1d(*chosen.values())) / budget
            lines.append({"method": method, "rows": f"{budget:,} of {len(work.pool):,}", "kept": f"{kept:.1%}"})
            lines[-1] |= {f"{name} s": f"{seconds:.1f}" for name, seconds in taken.items()}
    return lines


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.speed.precision", description=__doc__)
    parser.add_argument("--pool", default="curated")
    parser.add_argument("--rows", type=int, default=1_000)
    parser.add_argument("--model", default="tiny-weak")
    print(table(compared(**vars(parser.parse_args(arguments)))))
    return 0


if __name__ == "__main__":
    sys.exit(main())
