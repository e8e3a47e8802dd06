"""Seconds that selections take, alone and after others, with the tokens behind them; measured once and stored, as they take minutes."""

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd

from analysis.experiments import selecting, token_costs
from analysis.experiments.grid import made_on
from analysis.experiments.token_costs import Stage, stages_of
from analysis.features.features import Features
from analysis.methods import calls
from analysis.store.code_version import own_code
from analysis.store.published import log
from analysis.store.store import Store, digest

KIND = "timings"
ALONE, SHARED = "alone", "shared"


@dataclass(frozen=True)
class Counted:
    """At how many rows of a pool, and how many selected, stages were counted."""

    rows: int
    budget: int


@dataclass(frozen=True)
class Timings:
    """What selections from one part cost.

    Attributes
    ----------
    table : a line per size, method and cost (`ALONE`: from an empty store; `SHARED`: in this order, with what methods
        before it had stored) with its seconds.
    stages : of each method at the largest size, by name.
    counted : at what size that was.
    made, made_on : when (seconds since 1970) and on what device.
    """

    table: pd.DataFrame
    stages: dict[str, dict[str, Stage]]
    counted: Counted
    made: float
    made_on: str


def timed(work, methods: Sequence[str], budget: int, sizes: Sequence[int] = ()) -> Timings:
    """Seconds that every method takes to select from the first part, and its stages at the largest size.

    The share selected is that of `budget` in the part at every size. A method of which fewer rows than that can be
    selected is left out. What was timed once is stored and timed again only with other code, rows, model or settings.

    Parameters
    ----------
    sizes : rows; default a quarter, half and all of the part.
    """
    n_rows, methods = len(work.pool), list(dict.fromkeys(methods))
    wanted = sorted({min(size, n_rows) for size in sizes or [n_rows // 4, n_rows // 2, n_rows]})
    at = [Counted(size, max(1, round(budget * size / n_rows))) for size in wanted]
    depends = _depends_on(work, methods, at)
    key = digest(**depends)
    log.ask(KIND, key, **_described(work, depends))
    with work.store.claim(KIND, key):
        record, arrays = work.store.record(KIND, key), work.store.arrays(KIND, key)
        if record is None or arrays is None:
            record, arrays = _made(work, methods, at)
            work.store.save_arrays(KIND, key, **arrays)
            work.store.save_record(KIND, key, record)
    lines = [line | {"seconds": took} for line, took in zip(record["lines"], arrays["seconds"].tolist(), strict=True)]
    return Timings(pd.DataFrame(lines), _stages(record["stages"]), at[-1], record["made"], record["made_on"])


def code_behind(methods: Sequence[str]) -> dict:
    """The versions of the code that timings depend on, under the names that they have in what these depend on."""
    counted = [own_code(__name__), own_code(token_costs.__name__)]
    return {"counted by": counted, "code": [selecting.code_behind(method, "rows") for method in methods]}


def _depends_on(work, methods: Sequence[str], at: Sequence[Counted]) -> dict:
    selections = [
        selecting.depends_on(work.some(0, 1), method, at[-1].budget, work.selection_seed, "rows") for method in methods
    ]
    return code_behind(methods) | {
        "selections": [
            {name: value for name, value in one.items() if name not in ("code", "features", "pool")}
            for one in selections
        ],
        "pool": work.pool.fingerprint, "device": work.base.device.type, "methods": list(methods), "at": [asdict(one) for one in at],
        "finetuning": asdict(work.settings.resolved(work.base.device)),
        "batches": [work.features.tokens_per_batch, work.features.shard_size],
    }  # fmt: skip


def _described(work, depends: dict) -> dict:
    told = {"method": ", ".join(depends["methods"]), "part": work.part, "budget": depends["at"][-1]["budget"]}
    told |= {"pool": work.pool.name, "base": work.base.name, "settings": json.dumps(depends, sort_keys=True)}
    return told | {"prepared": work.prepared and json.dumps(work.prepared, sort_keys=True)}


def _made(work, methods: Sequence[str], at: Sequence[Counted]) -> tuple[dict, dict[str, np.ndarray]]:
    lines, stages, out, begun = [], {}, set(), time.perf_counter()
    # What the first call of a process loads is no method's cost, nor is the import of a method's file.
    _seconds(work, Counted(at[0].rows, 1), "cross_entropy")
    for method in methods:
        calls.parse(method)
    for one in at:
        with TemporaryDirectory() as folder:
            for method in methods:
                try:
                    spent = {ALONE: _seconds(work, one, method), SHARED: _seconds(work, one, method, folder)}
                except ValueError as error:
                    if not str(error).startswith("budget:"):
                        raise
                    out.add(method)
                    continue
                lines += [
                    {"method": method, "rows": one.rows, "cost": cost, "seconds": took} for cost, took in spent.items()
                ]
                if one == at[-1]:
                    features = _features(work, one.rows, folder)
                    stages[method] = stages_of(features, method, one.budget, seed=work.selection_seed)
    lines = [line for line in lines if line["method"] not in out]
    record = {
        "stages": {
            name: [asdict(stage) for stage in own.values()] for name, own in stages.items() if name not in out
        },
        "seconds": time.perf_counter() - begun, "made": time.time(), "made_on": made_on(work.base.device),
    }  # fmt: skip
    seconds = np.array([line.pop("seconds") for line in lines])
    return record | {"lines": lines}, {"seconds": seconds}


def _stages(stored: Mapping[str, Sequence[Mapping]]) -> dict[str, dict[str, Stage]]:
    return {
        method: {stage["name"]: Stage(**(stage | {"rows": tuple(stage["rows"])})) for stage in own}
        for method, own in stored.items()
    }


def _seconds(work, at: Counted, method: str, folder: str = "") -> float:
    with TemporaryDirectory() as empty:
        features = _features(work, at.rows, folder or empty)
        started = time.perf_counter()
        calls.select(method, features, at.budget, seed=work.selection_seed)
        return time.perf_counter() - started


def _features(work, n_rows: int, folder: str) -> Features:
    """Features of the first part's rows that know nothing yet but what is stored in a folder."""
    known = work.features
    return Features(
        work.some(0, 1).smaller(n_rows).pool, work.base, store=Store(folder), max_tokens=known.max_tokens,
        tokens_per_batch=known.tokens_per_batch, shard_size=known.shard_size, precision=known.precision,
        finetuning=known.finetuning, show_progress=False,
    )  # fmt: skip
