"""How many rows the parts of a pool have, and what was not used or not read, told before anything starts."""

import ast
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from analysis.experiments.workbench import ROWS_PER_BUDGET
from analysis.pools import Pool, load_parts
from analysis.pools.files import find_files
from analysis.pools.held_out import set_apart
from analysis.pools.how_to_read import split_name
from analysis.pools.testbed import RECIPES
from analysis.runner.parameters import notebook_parameters
from analysis.runner.plan import Job
from analysis.statistics import FEWEST_RUNS
from analysis.statistics.comparison import FEWEST_ITEMS

HELD_OUT = 0.05  # share of a pool that no method can select
MOST_TOLD = 20  # lines of files that were left out
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
        if size_of(pool) <= READ_FOR_THIS:
            with tempfile.TemporaryDirectory() as folder:
                options = {name: told[name] for name in ("limit", "seed", "duplicates", "parts")}
                cut = load_parts(pool, fewest=fewest, cache=Path(folder), **options)
                self.exact.add(pool)
                return [len(part) for part in cut]
        parts = min(parts, max(selectable // fewest, 1))
        return [selectable // parts] * parts


def size_of(pool: str) -> float:
    """Bytes of the files that a pool's name stands for; more than any where it cannot be told, as of the hub's."""
    try:
        return sum(file.stat().st_size for file in find_files(split_name(pool)[0]).files)
    except (ValueError, OSError):
        return float("inf")


def rows_told(parts: Sequence[Pool]) -> list[str]:
    """Lines for the rows of all these parts of a pool: what became of each, and what their owner should know."""
    counts = parts[0].summary()
    if len(parts) > 1:
        counts["to select from"] = sum(len(part) for part in parts)
        counts.pop("left out: in another part", None)
    notes = parts[0].notes()
    files = [what for what, count in notes.items() if not count]
    more = len(files) - MOST_TOLD
    return [
        *(
            f"{count:>12,}  {'row' if count == 1 else 'rows'} {what}"
            for what, count in (counts | notes).items()
            if what not in files
        ),
        *files[:MOST_TOLD],
        *([f"not read: {more:,} more files"] if more > 0 else []),
    ]


def fewer_parts(parts: Sequence[Pool], budget: int) -> str:
    """Why there are fewer parts than were asked for, and the budget that allows as many; nothing where there are as many."""
    about, rows = parts[0].provenance["parts"], sum(len(part) for part in parts)
    asked = about["asked"]
    if about["made"] == asked:
        return ""
    said = (
        f"{asked} parts asked for, {about['made']} made: a part has at least {ROWS_PER_BUDGET} times the rows of the budget, "
        f"{ROWS_PER_BUDGET * budget:,}, and there are {rows:,} to select from."
    )
    if parts[0].has_truth:
        return f"{said} A larger limit allows more."
    fits = rows // (asked * ROWS_PER_BUDGET)
    return f"{said} With a budget of up to {fits:,} there are {asked}." if fits else said


def parts_told(plan: Sequence[Job], *, dry: bool = False) -> list[str]:
    """For every pool of one's own the parts that the largest budget of the plan leaves of it, and what became of its rows.

    Where the parts are fewer than a verdict takes, it says with which budget there would be enough.

    Parameters
    ----------
    dry : keep nothing of what was read, and leave out files that take long.
    """
    budgets: dict[tuple, int] = {}
    for job in plan:
        told = _values(job)
        if told.get("pool", next(iter(RECIPES))) in RECIPES or "budget" not in told:
            continue
        parts = (told.get("parts") or 1) + told.get("confirm", 0)  # which 30 cuts together
        cut = (*(told.get(name) for name in ("pool", "limit", "seed")), parts)
        budgets[cut] = max([budgets.get(cut, 0), told["budget"], *told.get("budgets", [])])
    most: dict[str, tuple] = {}
    for cut, budget in budgets.items():
        most[cut[0]] = max(most.get(cut[0], (0, cut)), (budget, cut), key=lambda one: (one[0], one[1][-1]))
    with tempfile.TemporaryDirectory() as folder:
        cache = Path(folder) if dry else None
        told = [(cut, budget) for budget, cut in most.values() if not dry or size_of(cut[0]) <= READ_FOR_THIS]
        return [_told(*cut, budget, cache) for cut, budget in told]


def _values(job: Job) -> dict:
    """What a notebook runs with, its own values for what the plan leaves open, where they are written as values."""
    own = {}
    for name, one in notebook_parameters(job.notebook).items():
        with suppress(ValueError, SyntaxError):  # an expression, which the notebook will evaluate
            own[name] = ast.literal_eval(one.default)
    return own | job.parameters


def _told(pool: str, limit: int | None, seed: int | None, parts: int, budget: int, cache: Path | None) -> str:
    cut = load_parts(pool, parts=parts, limit=limit, seed=seed or 0, fewest=ROWS_PER_BUDGET * budget, cache=cache)
    rows, about = sum(len(part) for part in cut), cut[0].provenance
    over = about["left_out"].get("over the limit", 0)
    said = [
        f"{Path(cut[0].name.split(', part ')[0]).name}: {about['rows_read']:,} rows, {rows:,} to select from"
        + (f" ({over:,} over the limit of {limit:,}, see -p limit)" if over else "")
        + f"; {len(cut)} part{'s' * (len(cut) > 1)} of {len(cut[0]):,} rows for a budget of {budget:,}"
    ]
    if len(cut) < min(FEWEST_RUNS, parts):
        enough = rows // (FEWEST_RUNS * ROWS_PER_BUDGET)
        said.append(f"  NO VERDICT will be given: it takes {FEWEST_RUNS} parts of at least {ROWS_PER_BUDGET} times the budget. "
                    + (f"With -p budget {enough} there are {FEWEST_RUNS}." if enough else "The file has too few rows."))  # fmt: skip
    return "\n".join([*said, *_few_items(cut[0]), *rows_told(cut)])


def _few_items(pool: Pool) -> list[str]:
    """The line for a pool of which too few rows are held out to score a model by, the one benchmark that any file has."""
    n_held_out, n_scored = len(pool.held_out), int((~set_apart(pool.held_out)).sum())
    if n_scored >= FEWEST_ITEMS:
        return []
    apart = f" ({n_held_out - n_scored} more serve as targets)" * (n_scored < n_held_out)
    return [f"  NO VERDICT by the loss of held-out answers: it takes {FEWEST_ITEMS} held-out rows to score, and there are {n_scored}"
            f"{apart}. A file of more rows, or a larger -p limit, has more."]  # fmt: skip
