"""All benchmarks in one table: `python -m tests.speed.run`, from the root of the checkout.

Each file beside this one measures a method against its literal reference, in the same run and on the same rows
(`compare`), and how its time grows with the rows (`growth`). The limit is that of the model's products of matrices: 2
floating-point operations per parameter and token forward, 6 forward and back, at the rate measured in the same run.
"""

import argparse
import csv
import importlib
import os
import platform
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType

import numpy as np
import torch

from tests.speed.limits import matmul_rate

AIMS = {"cross-entropy": 8, "IFD": 8, "SelectIT": 8, "LESS": 8, "ZIP": 100, "k-center": 5}  # ratio, by start of step
LARGEST_SLOPE = 1.1
SIZES = (1_000, 3_000, 10_000)
GAP = "  "
NO_BENCHMARKS = (
    "run",
    "limits",
    "at_scale",
    "holding_out",
    "measuring",
    "precision",
    "processes",
    "compiled",
    "gpu",
    "test_run",
    "test_commands",
)  # commands of their own, and what all share


def names() -> list[str]:
    """Every module beside this one that compares or grows."""
    stems = sorted(file.stem for file in Path(__file__).parent.glob("*.py") if file.stem not in NO_BENCHMARKS)
    return [stem for stem in stems if {"compare", "growth"} & set(dir(module(stem)))]


def module(name: str) -> ModuleType:
    """The benchmark of this name."""
    return importlib.import_module(f"tests.speed.{name}")


def compared(name: str, rows: int | None) -> list[dict]:
    """Lines of a benchmark's comparison as texts, with the ratio that is aimed at."""
    lines = module(name).compare(*([] if rows is None else [rows]))
    return [
        {
            "benchmark": name, "step": line["step"], "rows": f"{line['rows']:,}",
            "reference s": seconds(line["reference_seconds"]), "ours s": seconds(line["ours_seconds"]),
            "limit s": seconds(line["limit"]) if "limit" in line else "", "ratio": f"{line['ratio']:.1f}", "aim": judged(line["ratio"], aim_of(line["step"])), "note": line["note"],
        }
        for line in lines
    ]  # fmt: skip


def grown(name: str, sizes: Sequence[int]) -> list[dict]:
    """A benchmark's seconds by rows as one line of texts, with the slope on log-log axes."""
    lines = module(name).growth(list(sizes))
    at = GAP.join(f"{line['rows']:,}: {seconds(line['seconds'])}" for line in lines)
    steep = slope([line["rows"] for line in lines], [line["seconds"] for line in lines])
    verdict = "" if np.isnan(steep) else judged(LARGEST_SLOPE, steep, f"at most {LARGEST_SLOPE}")
    return [{"benchmark": name, "slope": f"{steep:.2f}", "aim": verdict, "seconds by rows": at}]


def slope(rows: Sequence[int], seconds: Sequence[float]) -> float:
    """Power of the rows with which the time grows, by least squares of the logarithms; nan for a single size."""
    if len(set(rows)) < 2:
        return float("nan")
    return float(np.polyfit(np.log(rows), np.log(seconds), 1)[0])


def aim_of(step: str) -> float | None:
    """The ratio that a step shall reach, if there is one."""
    return next((aim for start, aim in AIMS.items() if step.startswith(start)), None)


def judged(found: float, wanted: float | None, words: str | None = None) -> str:
    """Whether what is found is at least what is wanted."""
    if wanted is None:
        return ""
    return f"{words or f'at least {wanted:g}'}: {'reached' if found >= wanted else 'MISSED'}"


def seconds(value: float) -> str:
    """A time with three digits."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def table(lines: Sequence[dict]) -> str:
    """Lines of the same keys in columns; numbers to the right, the last column as long as it is."""
    keys = list(lines[0])
    cells = [keys, *([str(line[key]) for key in keys] for line in lines)]
    widths = [max(len(row[place]) for row in cells) for place in range(len(keys))]
    is_number = [all(row[place][:1].isdigit() for row in cells[1:]) for place in range(len(keys) - 1)] + [False]

    def text(row: list[str]) -> str:
        parts = [
            cell.rjust(width) if right else cell.ljust(width)
            for cell, width, right in zip(row, widths, is_number, strict=True)
        ]
        return GAP.join(parts).rstrip()

    return "\n".join([text(keys), GAP.join("-" * width for width in widths[:-1]), *map(text, cells[1:])])


def measure(chosen: Sequence[str], what: str, measured: Callable[[str], list[dict]]) -> tuple[list[dict], list[str]]:
    """Lines of all benchmarks that have this function, and the names of those that failed."""
    lines, failed = [], []
    for name in chosen:
        if not hasattr(module(name), what):
            continue
        started = time.perf_counter()
        try:
            lines += measured(name)
        except Exception:  # one failure must not cost the measurements of the others
            traceback.print_exc()
            failed.append(f"{name} ({what})")
        print(f"{what} {name}: {time.perf_counter() - started:.0f} s", file=sys.stderr, flush=True)
    return lines, failed


def save(lines: Sequence[dict], path: Path) -> None:
    """Write lines of the same keys as CSV."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fieldnames=list(lines[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(lines)


def machine() -> str:
    """Where this was measured."""
    device = torch.cuda.get_device_name() if torch.cuda.is_available() else "no GPU"
    return (
        f"{platform.machine()}, {os.cpu_count()} CPUs, {torch.get_num_threads()} threads, {device}, "
        f"Python {platform.python_version()}, torch {torch.__version__}, {matmul_rate() / 1e9:,.0f} Gflop/s on the CPU"
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, and say by the exit status whether every benchmark ran."""
    parser = argparse.ArgumentParser(prog="python -m tests.speed.run", description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="+", metavar="NAME", choices=names(), default=names(), help=", ".join(names()))
    parser.add_argument("--rows", type=int, help="rows to compare on (default: each benchmark's own)")
    parser.add_argument(
        "--sizes", nargs="*", type=int, default=SIZES, help="rows at which growth is measured; none: not"
    )
    parser.add_argument("--output", type=Path, help="folder for compare.csv and growth.csv")
    options = parser.parse_args(arguments)
    print(machine(), flush=True)
    parts = {"compare": lambda name: compared(name, options.rows)}
    if options.sizes:
        parts["growth"] = lambda name: grown(name, options.sizes)
    failed = []
    for what, measured in parts.items():
        lines, failed_here = measure(options.only, what, measured)
        failed += failed_here
        if lines:
            print(f"\n{table(lines)}", flush=True)
        if lines and options.output:
            save(lines, options.output / f"{what}.csv")
    if failed:
        print(f"\nfailed: {', '.join(failed)}")
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main())
