"""The grid: every method, budget and seed becomes one stored run; a run that exists is never repeated."""

import json
import platform
import shutil
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from filelock import Timeout
from tqdm import tqdm

from analysis.experiments.benchmarks import catalogue, harness
from analysis.experiments.results import EQUAL_TOKENS, Results, Run
from analysis.experiments.workbench import stream
from analysis.methods import BASE, RANDOM, parse
from analysis.models.training import finetuning
from analysis.models.training.finetuning import FineTuning, finetune
from analysis.pools.testbed import WORLD_VERSION
from analysis.store.code_version import code_version
from analysis.store.launch import from_first, is_first
from analysis.store.published import log
from analysis.store.publishing import note
from analysis.store.store import digest

ALIKE = 0.8  # of random's tokens, or its inverse: training is then about as much


def plan(
    work, methods: Sequence[str], budget: int | Sequence[int], *, n_draws: int, random_seeds: int = 1,
    equal_tokens: bool = False,
) -> list[Run]:  # fmt: skip
    """The runs of a comparison: every method selects once from each part and is trained once on each selection.

    Of `n_draws` independent random subsets draw d comes from part d modulo the number of parts, so that all parts
    give equally many where it divides them. Random subsets can be trained with several seeds each (`random_seeds`).
    Every run at a budget has a training seed of its own, and a design with more draws or seeds contains the one with
    fewer; without draws to compare with nothing is run. Several budgets are several such plans; with `equal_tokens` the
    runs of `at_equal_tokens` beside the first follow.
    """
    if n_draws == 0:
        return []
    planned = []
    sizes = [budget] if isinstance(budget, int) else list(dict.fromkeys(budget))
    for size in sizes:
        for method in dict.fromkeys([RANDOM, *methods]):
            planned += _runs_of(work, method, size, n_draws, random_seeds)
    beside = [run for run in planned if run.budget == sizes[0]] if equal_tokens else []
    return planned + (at_equal_tokens(work, beside) if equal_tokens else [])


def _runs_of(work, method: str, budget: int, n_draws: int, random_seeds: int) -> list[Run]:
    parts, by_chance, runs = work.parts, parse(method)[0] == RANDOM, []
    for draw in range(n_draws if by_chance else len(parts)):
        part, number = parts[draw % len(parts)], draw // len(parts)
        chosen = part.select(method, budget, number=number)
        for again in range(random_seeds if by_chance else 1):
            seed = stream(work.seed, f"training, {'random' if by_chance else 'method'}", part.part, number, again)
            runs.append(Run(method, budget, draw, seed, chosen.rows, chosen.seconds, part.part))
    return runs


def at_equal_tokens(work, planned: Sequence[Run], alike: float = ALIKE) -> list[Run]:
    """Further runs of planned methods whose rows have other tokens than random's: rows of as many tokens as random's.

    They are trained in as many passes as random's rows, in batches of as many tokens (`FineTuning.as_for`), so that the
    tokens of the whole training are equal too. A method's tokens (of one pass, rows cut as in training) count as other where
    they are less than `alike` of random's or more than its inverse. `planned` is of one budget, in rows, which the runs keep.
    """
    further, tokens = [], {}
    for run in planned:
        lengths = work.with_part(run.part).features.lengths().total.clip(max=work.settings.max_tokens)
        tokens.setdefault(run.method, []).append(int(lengths[run.rows].sum()))
    equal = int(np.mean(tokens.pop(RANDOM)))
    for method, counts in tokens.items():
        if alike <= np.mean(counts) / equal <= 1 / alike:
            continue
        for place, part in enumerate(work.parts):
            chosen = part.select(method, equal, budget_unit="tokens")
            seed = stream(work.seed, "training, method", part.part, 0, 0)
            told = (chosen.rows, chosen.seconds, part.part, EQUAL_TOKENS)
            further.append(Run(method, planned[0].budget, place, seed, *told))
    return further


def run(work, runs: Sequence[Run], *, with_base: bool = False, show_progress: bool = True) -> Results:
    """Train and score what the store does not have; two processes share the work and never repeat a run.

    Without runs the base is not scored either. The time left that is shown is that of the runs still to be made.
    """
    runs = _with_base(runs) if with_base else list(runs)
    return results_of(zip(runs, _measure_all(work, runs, show_progress), strict=True))


def results_of(measured: Iterable[tuple[Run, tuple[dict, dict[str, np.ndarray]]]]) -> Results:
    """The results of runs, each with its stored record and arrays."""
    lines, groups = [], {}
    for run, (record, arrays) in measured:
        for number, benchmark in enumerate(record["benchmarks"]):
            items = arrays[f"items_{number}"]
            groups[benchmark["name"]] = benchmark["groups"]
            lines.append({
                "method": run.method, "budget": run.budget, "design": run.design, "part": run.part, "draw": run.draw, "training_seed": run.training_seed,
                "benchmark": benchmark["name"], "unit": benchmark["unit"], "score": float(np.nanmean(items)),
                "n_items": int(np.isfinite(items).sum()), "n_rows": len(run.rows), "tokens_trained": record["tokens"],
                "seconds_select": run.seconds_select, "seconds_train": record["seconds"],
                "seconds_evaluate": benchmark["seconds"], "answer_words": benchmark.get("answer_words", np.nan), "items": items,
            })  # fmt: skip
    return Results(pd.DataFrame(lines), groups)


def ask(work, runs: Sequence[Run], *, with_base: bool = False) -> list[str]:
    """The keys of runs, noted as asked for: of an interrupted grid, what is finished can be published."""
    wanted = benchmarks_of(work)
    keys = []
    for run in _with_base(runs) if with_base else runs:
        depends = _depends(work, run, wanted)
        keys.append(digest(**depends, rows=run.rows.tolist()))
        log.ask("runs", keys[-1], **_described(work, run, depends))
    return keys


def benchmarks_of(work) -> dict:
    """What every model of a workbench is measured by, by name: what the pool allows, and what else is asked for."""
    return catalogue.benchmarks_for(work.pool, work.settings.max_tokens) | {one.task: one for one in work.benchmarks}


def code_of_runs(*, with_harness: bool = False) -> str:
    """The version of the code that trains and scores; the evaluation harness's where its benchmarks are asked."""
    return code_version(finetuning.__name__, catalogue.__name__, *([harness.__name__] if with_harness else []))


def _with_base(runs: Sequence[Run]) -> list[Run]:
    return [Run(BASE, 0, 0, 0, np.zeros(0, dtype=np.int64)), *runs] if runs else []


def _measure_all(work, runs: Sequence[Run], show_progress: bool) -> list[tuple[dict, dict[str, np.ndarray]]]:
    wanted = benchmarks_of(work)
    keys = ask(work, runs)
    note()  # before anything is made
    found = from_first(lambda: _all_stored(work, keys), cpu=work.base.device.type == "cpu")
    n_found = sum(key in found for key in keys)
    with tqdm(total=len(runs), initial=n_found, desc="runs", unit="run", disable=not show_progress) as bar:
        for wait in (False, True):  # first those that no other process is making
            for run, key in zip(runs, keys, strict=True):
                measured = None if key in found else _measured(work, run, key, wanted, wait=wait)
                if measured is not None:
                    found[key] = measured
                    bar.update(keys.count(key))
    return [found[key] for key in keys]


def _key(work, run: Run, wanted: dict) -> str:
    return digest(**_depends(work, run, wanted), rows=run.rows.tolist())


def _depends(work, run: Run, wanted: dict) -> dict:
    """What a run depends on besides its rows; runs of one comparison are so made on one kind of device."""
    kind = work.base.device.type
    asked = {"harness": [one.settings for one in work.benchmarks]} if work.benchmarks else {}
    return ({} if kind == "cpu" else {"device": kind}) | asked | {
        "pool": work.with_part(run.part).pool.fingerprint, "base": work.base.fingerprint, "seed": run.training_seed,
        "settings": asdict(_settings(work, run).resolved(work.base.device)), "benchmarks": list(wanted),
        "world": WORLD_VERSION, "template": work.base.template.settings(),
        "code": code_of_runs(with_harness=bool(work.benchmarks)),
    }  # fmt: skip


def _described(work, run: Run, depends: dict) -> dict:
    """What a published run says of itself; its rows are with its scores."""
    told = {name: getattr(run, name) for name in ("part", "method", "budget", "design", "draw", "training_seed")}
    told |= {"pool": work.with_part(run.part).pool.name, "base": work.base.name}
    told["settings"] = json.dumps(depends, sort_keys=True)
    return told | {"prepared": work.prepared and json.dumps(work.prepared, sort_keys=True)}


def _settings(work, run: Run) -> FineTuning:
    """Those of the comparison; at equal tokens those that make as many passes and steps as random's rows get."""
    return work.settings if run.design != EQUAL_TOKENS else work.settings.as_for(len(run.rows), run.budget)


def _all_stored(work, keys: Sequence[str]) -> dict[str, tuple[dict, dict[str, np.ndarray]]]:
    return {key: stored for key in keys if (stored := _stored(work, key)) is not None}


def _stored(work, key: str) -> tuple[dict, dict[str, np.ndarray]] | None:
    record, arrays = work.store.record("runs", key), work.store.arrays("runs", key)
    return None if record is None or arrays is None else (record, arrays)


def _measured(work, run: Run, key: str, wanted: dict, *, wait: bool) -> tuple[dict, dict[str, np.ndarray]] | None:
    """What a run measured, made now if need be; None if another process is at it and `wait` is False.

    Processes that were launched together make it together: the first holds the lock and stores it for all.
    """
    on_cpu = work.base.device.type == "cpu"
    lock = work.store.claim("runs", key) if is_first() else None
    if not from_first(lambda: _acquired(lock, wait), cpu=on_cpu):
        return None
    try:
        stored = from_first(lambda: _stored(work, key), cpu=on_cpu)
        if stored is None:
            made = _made(work, run, wanted, keep=work.store.path("trainings", key))
            stored = from_first(lambda: _saved(work, key, *made), cpu=on_cpu)
    finally:
        if lock is not None:
            lock.release()
    return stored


def _acquired(lock, wait: bool) -> bool:
    try:
        lock.acquire(blocking=wait)
    except Timeout:
        return False
    return True


def _saved(work, key: str, record: dict, arrays: dict[str, np.ndarray]) -> tuple[dict, dict[str, np.ndarray]]:
    work.store.save_arrays("runs", key, **arrays)
    work.store.save_record("runs", key, record)  # last: its presence says that the run is complete
    if (kept := work.store.path("trainings", key)).exists():
        shutil.rmtree(kept)
    return record, arrays


def _made(work, run: Run, wanted: dict, keep: Path | None = None) -> tuple[dict, dict[str, np.ndarray]]:
    model, training = work.base, {"tokens": 0, "seconds": 0.0, "rows_dropped": {}}
    if len(run.rows):
        conversations = work.with_part(run.part).pool.messages(run.rows)
        model = finetune(work.base, conversations, _settings(work, run), seed=run.training_seed, keep=keep)
        training = model.training
    scored = [benchmark(model) for benchmark in wanted.values()]
    record = {
        "tokens": training["tokens"], "seconds": training["seconds"],
        "rows_dropped": training["rows_dropped"], "n_rows": len(run.rows), "made": time.time(),
        "made_on": made_on(work.base.device), **_names(work, run),
        "benchmarks": [{"name": one.name, "unit": one.unit, "groups": one.groups, "seconds": one.seconds}
                       | _said(one.responses) for one in scored],
    }  # fmt: skip
    return record, {"rows": run.rows} | {f"items_{number}": one.items for number, one in enumerate(scored)}


def made_on(device: torch.device) -> str:
    """What a run was made on: the same run on another device differs by rounding, which training makes larger."""
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else f"{device.type} {platform.machine()}"
    return f"{name}, torch {torch.__version__}"


def _names(work, run: Run) -> dict[str, list[str]]:
    """The ids that an owner knows the rows by; those of the testbed are made from their places."""
    pool = work.with_part(run.part).pool
    return {} if pool.has_truth or not len(run.rows) else {"ids": list(pool.rows.select(run.rows)["id"])}


def _said(responses: Sequence[str] | None) -> dict[str, float]:
    """How long the answers to a benchmark's items are, where it asks for any."""
    return {"answer_words": float(np.mean([len(text.split()) for text in responses]))} if responses else {}
