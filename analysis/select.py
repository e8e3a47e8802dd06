"""The rows that a method chooses, as a file to train on.

python -m analysis.select --pool FILE --model MODEL --method CALL --budget N --out subset.jsonl
"""

import argparse
import re
import sys
from collections.abc import Sequence
from pathlib import Path

from analysis.experiments.estimating import estimate
from analysis.experiments.exporting import ORIGINAL, check, export, paths
from analysis.experiments.selecting import UNITS
from analysis.experiments.workbench import prepare
from analysis.methods import RANDOM, parse
from analysis.models.language_model import LanguageModel
from analysis.models.training.pool_base import timed_base
from analysis.paths import SPLITTER
from analysis.pools import load_pool
from analysis.pools.training_formats import FORMATS
from analysis.runner.checks import check_makeable
from analysis.runner.console import Parser, ended, guard, say
from analysis.runner.index import duration
from analysis.runner.rows_of_parts import fewer_parts, rows_told
from analysis.store.store import Store

EPILOG = """examples:
  python -m analysis.select --pool data.jsonl --model Qwen/Qwen2.5-0.5B --method 'kmeans(inside="ifd")' \\
      --budget 10000 --out subset.jsonl
  python -m analysis.select --pool data.jsonl --model scratch --method random_selection --method token_length \\
      --budget 2000000 --unit tokens --format messages --out subset.jsonl    (a file for each method)

Features are stored as they are computed: interrupted work goes on where it stopped with the same command."""


def select(asked: argparse.Namespace, store: Store | None = None) -> None:
    """Make every selection asked for and write its files, or tell with `dry_run` what it would take.

    Raises
    ------
    ValueError, OSError
        Something asked for cannot be done; says what was found and what is expected.
    """
    methods = list(dict.fromkeys(asked.method))
    for method in methods:
        parse(method)
    targets = _targets(asked.out, methods)
    for target in targets:
        paths(target)
    if asked.budget < 1:
        raise ValueError(f"--budget: expected a whole number of {asked.unit} from 1 up, found {asked.budget}")
    if not asked.dry_run:
        check_makeable(targets[0].parent)
    # As many rows to a part as a grid asks for; how many rows a budget of tokens buys is not known here.
    budget = asked.budget if asked.unit == "rows" else 1
    finetuning = {"max_tokens": asked.max_tokens} if asked.max_tokens is not None else None
    rows = {"limit": asked.limit, "seed": asked.seed, "duplicates": asked.duplicates}
    base = _untrained(asked.pool, rows, store) if asked.dry_run and asked.model == "scratch" else None
    work = prepare(
        asked.pool, model=asked.model, parts=asked.parts, budget=budget, finetuning=finetuning, base=base, store=store, **rows,
    )  # fmt: skip
    made, why = len(work.parts), fewer_parts([part.pool for part in work.parts], budget)
    if not 0 <= asked.part < made:
        raise ValueError(f"--part: expected from 0 to {made - 1} of {made} parts, found {asked.part}. {why}")
    work = work.with_part(asked.part)
    for method in methods:
        check(work, method, asked.budget, asked.unit)
    say("\n".join([*rows_told([work.pool]), *([why] if why else [])]))
    for method, target in zip(methods, targets, strict=True):
        if asked.dry_run:
            _tell(work, method, asked, target)
            continue
        selection = work.select(method, asked.budget, budget_unit=asked.unit)
        how = {"budget": asked.budget, "budget_unit": asked.unit}
        made = export(work, selection, target, shape=asked.format, method=method, **how)
        say(f"{target}: {made['rows']:,} rows, {made['tokens']:,} tokens, best first, by {method}")
    if asked.dry_run:
        say("Dry run: nothing was written.")


def _untrained(pool: str, rows: dict, store: Store | None) -> LanguageModel:
    """The base of a pool's own text, or what stands for it where it is still to be trained; says what that takes."""
    base, seconds = timed_base(load_pool(pool, **rows), store=store or Store(), seed=rows["seed"])
    if seconds:
        say(f"scratch: a base is trained from the pool's text first, once, in about {duration(seconds)}")
    return base


def _targets(out: str, methods: Sequence[str]) -> list[Path]:
    """The file of each method: the one named, or with the method's call in its name where there are several."""
    out = Path(out)
    if len(methods) == 1:
        return [out]
    names = [re.sub(r"\W+", "_", method).strip("_") for method in methods]
    if len(set(names)) < len(names):
        raise ValueError("--method: two calls would be written to the same file; give each a command of its own")
    return [out.with_name(f"{out.stem}.{name}{out.suffix}") for name in names]


def _tell(work, method: str, asked: argparse.Namespace, target: Path) -> None:
    seed = work.selection_seed  # of random draws too: another draw costs as much
    found = estimate(work, method, asked.budget, seed=seed, budget_unit=asked.unit)
    say(f"{method}, {asked.budget:,} {asked.unit} to {target}")
    say(f"  may ask for: {', '.join(found.needs) or 'nothing but the rows'}")
    for kind, rows in found.features.items():
        say(f"  {kind}: {rows:,} of {len(work.pool):,} rows in the store")
    if found.stored and parse(method)[0] != RANDOM:
        say("  this selection is in the store: nothing is computed")
    elif found.trouble:
        say(f"  time: {found.trouble}")
    else:
        say(f"  time: about {duration(found.seconds)} if nothing were in the store, in proportion to the rows")
    say(f"  memory: about {found.gib:.1f} GiB")


def _arguments() -> Parser:
    parser = Parser(
        prog="python -m analysis.select", epilog=EPILOG,
        description="Write the rows that a method chooses from a pool as a file to train on.",
    )  # fmt: skip
    add = parser.add_argument
    add("--pool", required=True, help="a file, folder, pattern, comma-separated files, a hub id, curated or wild")
    add("--fields", default="", metavar="MEANING=FIELD,…", help="what the fields of its rows mean, as for ./run_all.sh")
    add("--model", required=True, help="as --model of ./run_all.sh: a name, a folder, a GGUF file, or a hub id")
    add("--method", required=True, action="append", metavar="CALL",
        help="a name or name(option=value, ...); may be repeated, then every method has a file")  # fmt: skip
    add("--budget", required=True, type=int, metavar="N", help="rows to select, or tokens of one epoch (--unit)")
    add("--out", required=True, metavar="FILE", help=".jsonl or .json; nothing is overwritten")
    add("--unit", choices=UNITS, default="rows", help="of the budget (default rows)")
    add("--format", choices=[ORIGINAL, *FORMATS], help="default original, as the owner wrote the rows")
    add("--limit", type=int, metavar="N", help="use so many rows of the pool, drawn by content and seed")
    add("--seed", type=int, default=0, metavar="N", help="of the draw of rows, of parts and of methods (default 0)")
    add("--duplicates", choices=("keep", "drop"), default="keep", help="rows that say the same (default keep)")
    add("--parts", type=int, default=1, metavar="N", help="cut the pool into disjoint parts, for replicates")
    add("--part", type=int, default=0, metavar="N", help="the part to select from, from 0 (default 0)")
    add("--max-tokens", type=int, metavar="N", help="rows are cut to so many tokens in training (default 1,024)")
    add("--dry-run", action="store_true", help="tell what it would take, and write nothing")
    return parser


def main(arguments: Sequence[str] | None = None, store: Store | None = None) -> int:
    """Command line; 0 all well, 2 refused, 130 interrupted."""
    asked = _arguments().parse_args(arguments)
    if asked.fields:
        asked.pool += f"{SPLITTER}{asked.fields}"
    return ended(lambda: select(asked, store) or 0)


if __name__ == "__main__":
    guard()
    sys.exit(main())
