"""One pass of a small model in one process and in one per core: `python -m tests.speed.processes`, idle cores needed.

The time of a million rows is that of these rows times their number: it assumes that the rows to come are as long, and
that nothing else runs.
"""

import argparse
import os
import sys
import tempfile
from collections.abc import Sequence

import psutil
import torch

from analysis.features import per_row
from analysis.features.features import Features
from analysis.models.language_model import load_model
from analysis.pools import load_pool
from analysis.store.store import Store
from tests.speed.measuring import measured
from tests.speed.run import seconds, table

MILLION = 1_000_000
ROWS = 22_000  # of which enough are left to be read in several processes (`MANY_ROWS`), and shards for each


def compared(pool: str, rows: int, model: str, times: int) -> list[dict]:
    """Seconds of the token losses of all rows from an empty store, the fastest of `times` passes in turn."""
    base, loaded, cores = (
        load_model(model),
        load_pool(pool, limit=rows),
        psutil.cpu_count(logical=False) or os.cpu_count(),
    )
    if len(loaded) < per_row.MANY_ROWS:
        raise ValueError(
            f"rows: expected at least {per_row.MANY_ROWS:,} to select from, found {len(loaded):,}: one process reads fewer"
        )
    found = {1: [], cores: []}
    for _ in range(times):
        for processes in found:
            found[processes].append(_pass(loaded, base, processes))
    slowest = min(found[1])[0]
    return [_line(len(loaded), processes, *min(passes), slowest) for processes, passes in found.items()]


def _pass(pool, base, processes: int) -> tuple[float, float]:
    before = torch.get_num_threads()
    torch.set_num_threads(processes)
    try:
        with tempfile.TemporaryDirectory() as folder:
            features = Features(pool, base, store=Store(folder), show_progress=False)
            features.lengths()  # a step of its own
            return measured(features.token_losses)
    finally:
        torch.set_num_threads(before)


def _line(rows: int, processes: int, taken: float, peak: float, alone: float) -> dict:
    return {
        "processes": processes, "rows": f"{rows:,}", "seconds": seconds(taken), "rows/s": f"{rows / taken:,.0f}",
        "ratio": f"{alone / taken:.2f}", "peak GiB": f"{peak:.2f}",
        "note": f"a million rows at this rate: {MILLION / rows * taken / 60:.0f} min",
    }  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print, with what else keeps the cores busy."""
    parser = argparse.ArgumentParser(prog="python -m tests.speed.processes", description=__doc__.splitlines()[0])
    parser.add_argument("--pool", default="wild")
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--model", default="tiny-weak")
    parser.add_argument("--times", type=int, default=2)
    options = parser.parse_args(arguments)
    print(f"cores busy before: {psutil.cpu_percent(1):.0f}%", flush=True)
    print(table(compared(**vars(options))))
    return 0


if __name__ == "__main__":
    sys.exit(main())
