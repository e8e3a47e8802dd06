"""Published runs and selections made again: does the code of today measure what other code measured?"""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cache
from importlib import util

import numpy as np

from analysis.experiments import grid, selecting, timings
from analysis.experiments.results import Run
from analysis.experiments.workbench import Workbench, prepare
from analysis.methods import BASE
from analysis.methods.catalogue import METHODS
from analysis.store.published import unpacked
from analysis.store.store import digest

SAMPLE = 5  # lines at least: one run at least of every family of methods, one selection of every method
# Nats per answer token of an item, and share of a selection's largest score; rows are the same or not. Another kind of processor
# rounds otherwise, which 60 steps of training make up to 2e-4 of one item and 1e-5 of the mean; other code differs by hundredths.
TOLERANCE = 1e-3
REGRADED = 0.005  # share of items whose grade may differ: a greedy answer near a tie goes another way


def of_other_code(line: dict) -> bool:
    """Whether a published line, with its rows, is one that the code of today would not find."""
    if not line["settings"] or (line["kind"] != timings.KIND and "rows" not in arrays_of(line)):
        return False
    return rekeyed(line)["key"] != line["key"]


def rekeyed(line: dict) -> dict:
    """A published line under the key that it has with the code of today, also for its pool.

    That the pool has the same rows in the same places is what a line made again shows: else its scores would differ.
    """
    settings = json.loads(line["settings"])
    if line["kind"] == "runs":
        settings |= {"code": grid.code_of_runs(with_harness="harness" in settings)} | _pool_today(line)
        key = digest(**settings, rows=arrays_of(line)["rows"].tolist())
    elif line["kind"] == timings.KIND:  # what times and counts is the code of today or another: that no score shows
        settings |= {"code": timings.code_behind(settings["methods"])["code"]} | _pool_today(line)
        key = digest(**settings)
    else:
        settings |= selecting.code_behind(line["method"], settings["unit"]) | _pool_today(line)
        key = digest(**settings)
    return line | {"key": key, "settings": json.dumps(settings, sort_keys=True)}


def sample(lines: Sequence[dict], seed: int = 0) -> list[tuple[dict, float]]:
    """Lines made again, drawn by chance, each with its `difference`: `SAMPLE` of them, one of every family and pool at least.

    Timings are not among them: another time proves nothing, and what they count stands with the selections.

    Raises
    ------
    ValueError
        Fewer can be made again, or none of a family or pool (names it).
    """
    lines = [line for line in lines if line["kind"] != timings.KIND]
    order = np.random.default_rng(seed).permutation(len(lines))
    drawn = [line for _, line in sorted(_turns([lines[place] for place in order]), key=lambda one: one[0])]
    found = []
    for line in drawn:
        if len(found) < SAMPLE or not kinds(line) <= _kinds(one for one, _ in found):
            known = difference(line)
            found += [] if known is None else [(line, known)]
    lacking = _kinds(lines) - _kinds(line for line, _ in found)
    if lacking or len(found) < min(SAMPLE, len(lines)):
        raise ValueError(
            f"of {len(lines)} runs and selections of other code {len(found)} could be made again"
            + "".join(f", none of {one}" for one in sorted(lacking))
        )
    return found


def _turns(lines: Sequence[dict]) -> list[tuple[int, dict]]:
    """Each line with how many of its family stand up to it."""
    seen: Counter[str] = Counter()
    turns = []
    for line in lines:
        seen[family(line)] += 1
        turns.append((seen[family(line)], line))
    return turns


def kinds(line: dict) -> set[str]:
    """What a line stands for: the family of its method, and its pool."""
    return {f"the family {family(line)!r}", f"the pool {line['pool'].partition(', part')[0]!r}"}


def _kinds(lines: Iterable[dict]) -> set[str]:
    return set().union(*map(kinds, lines))


def family(line: dict) -> str:
    """The family of a run's method; the base alone, rows that no method chose, and each method's selections are further ones."""
    name = line["method"].partition("(")[0]
    if line["kind"] == "selections":
        return f"selections by {name}"
    return METHODS[name].family if name in METHODS else BASE if name == BASE else "designed"


def difference(line: dict) -> float | None:
    """Make a published line again; the largest difference of a score, infinite where the rows or more grades than `REGRADED` differ.

    None where it cannot be made again: the code of today makes its pool or base in another way, they are not here, it
    was made on another kind of device, or it stood on a workbench that more than `prepare` made.
    """
    if line["prepared"] is None or _workbench(line["prepared"]) is None:
        return None
    again = _run_again if line["kind"] == "runs" else _selection_again
    return again(line, _workbench(line["prepared"]))


def _run_again(line: dict, work: Workbench) -> float | None:
    stored = arrays_of(line)
    told = {name: line[name] for name in ("method", "budget", "draw", "training_seed", "part", "design")}
    run = Run(rows=stored.pop("rows"), **told)
    wanted = grid.benchmarks_of(work)
    if grid._key(work, run, wanted) != rekeyed(line)["key"]:
        return None
    _, made = grid._made(work, run, wanted)
    return max(_largest(stored[name], made[name]) for name in stored)


def _selection_again(line: dict, work: Workbench) -> float | None:
    """The scores of another selection of the same rows differ by a share of the largest."""
    settings = json.loads(line["settings"])
    asked = (work.with_part(line["part"]), line["method"], line["budget"], settings["seed"], settings["unit"])
    if selecting.selection_key(*asked) != rekeyed(line)["key"]:
        return None
    stored, made = arrays_of(line), selecting.made(*asked)
    if not np.array_equal(stored["rows"], made.rows) or ("scores" in stored) != (made.scores is not None):
        return np.inf
    if made.scores is None:
        return 0.0
    largest = float(np.nanmax(np.abs(stored["scores"]), initial=0.0)) or 1.0
    return _largest(stored["scores"] / largest, made.scores / largest)


def arrays_of(line: dict) -> dict[str, np.ndarray]:
    """The arrays of a published line by name."""
    return {one["name"]: unpacked(one) for one in line["arrays"]}


def _pool_today(line: dict) -> dict:
    """The fingerprint that the run's pool has today; nothing where it cannot be made again."""
    if line["prepared"] is None or _workbench(line["prepared"]) is None:
        return {}
    parts = {part.part: part.pool.fingerprint for part in _workbench(line["prepared"]).parts}
    return {"pool": parts[line["part"]]} if line["part"] in parts else {}


@cache
def _workbench(prepared: str) -> Workbench | None:
    """The workbench of a published run; none where its pool, its base or what asks its benchmarks is not on this machine."""
    arguments = json.loads(prepared)
    if arguments.get("benchmarks") and util.find_spec("lm_eval") is None:
        return None
    n_rows = arguments.pop("n_rows", 0)
    try:
        work = prepare(**arguments, show_progress=False)
    except OSError:
        return None
    return work.smaller(n_rows) if n_rows else work


def _largest(stored: np.ndarray, made: np.ndarray) -> float:
    if stored.shape != made.shape or np.any(np.isnan(stored) != np.isnan(made)):
        return np.inf
    if np.isin(stored, (0, 1)).all():  # right or wrong
        return 0.0 if np.mean(stored != made) <= REGRADED else np.inf
    return float(np.nanmax(np.abs(stored - made), initial=0.0))
