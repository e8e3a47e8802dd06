"""Reading a file whose every row has near-duplicates, and holding rows out: `python -m tests.speed.holding_out --rows 100000`.

Each step has a process of its own; the peak is what is resident in it, pages of mapped files included.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pyarrow.parquet as pq

from analysis.pools import load_pool
from tests.speed.measuring import LINE, measured

ROWS, COPIES = 100_000, 5
STEPS = {"read": 0.0, "hold 5 % out": 0.05}  # share held out; what was read is found read


def write(path: Path, texts: Path, rows: int) -> None:
    """Rows of which each is, but for a number before it, the same as four others.

    Parameters
    ----------
    texts : a file of Parquet with a column `messages`.
    """
    column = pq.read_table(texts, columns=["messages"])["messages"]
    with path.open("w", encoding="utf-8") as file:
        for row in range(rows):
            messages = column[row // COPIES % len(column)].as_py()
            messages[0]["content"] = f"{row}. {messages[0]['content']}"
            file.write(json.dumps({"messages": messages}) + "\n")


def step(path: Path, cache: Path, share: float) -> tuple[float, float]:
    """Seconds and peak GiB of loading the pool."""
    return measured(lambda: load_pool(path, held_out_share=share, cache=cache))


def main(arguments: Sequence[str] | None = None) -> int:
    """Print a line as each step ends."""
    parser = argparse.ArgumentParser(prog="python -m tests.speed.holding_out", description=__doc__.splitlines()[0])
    parser.add_argument("--texts", type=Path, required=True, help="Parquet with a column of messages")
    parser.add_argument("--rows", type=int, default=ROWS)
    options = parser.parse_args(arguments)
    print(LINE.format(f"{options.rows:,} rows", "seconds", "peak GiB"), flush=True)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "rows.jsonl")
        write(path, options.texts, options.rows)
        for name, share in STEPS.items():
            with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as alone:
                taken, peak = alone.submit(step, path, Path(folder, "pools"), share).result()
            print(LINE.format(name, f"{taken:,.1f}", f"{peak:.2f}"), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
