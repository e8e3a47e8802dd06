"""What a run depends on as far as it is known without rows: the same for the same run of two notebooks."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from functools import cache

from analysis.experiments.results import EQUAL_TOKENS, Run
from analysis.experiments.workbench import Workbench
from analysis.methods import BASE, parse
from analysis.methods.calls import default_options, inner_call
from analysis.models.training.finetuning import FineTuning
from analysis.pools.testbed import RECIPES

ON_DEVICE = ("bf16", "end_to_end")  # settings that follow from the machine


def run_key(work: Workbench, run: Run) -> str:
    """What a run depends on, as far as it is known without rows; the same for the same run of two notebooks."""
    told = [run.method, run.budget, run.design, run.part, run.training_seed]
    return described_key(work.prepared, asdict(work.settings), *told)


def described_key(
    prepared: Mapping, settings: Mapping, method: str, budget: int, design: str, part: int, training_seed: int
) -> str:  # fmt: skip
    """`run_key` of a run described by the arguments of `prepare` and the settings of its training."""
    if design == EQUAL_TOKENS:  # its own settings depend on its rows
        settings = asdict(FineTuning(**(prepared["finetuning"] or {})))
    if method == BASE:
        settings = {"max_tokens": settings["max_tokens"]}
    told = {name: value for name, value in settings.items() if name not in ON_DEVICE}
    asked = list(prepared.get("benchmarks") or [])
    return json.dumps([pool_key(prepared), prepared["model"], told, whole_call(method), budget, design, part, training_seed, asked],
                      sort_keys=True)  # fmt: skip


@cache
def whole_call(method: str) -> str:
    """A call with all of its options, also of the method within it, as two notebooks leave out other defaults; else the name."""
    try:
        name, options = parse(method)
    except ValueError:  # of rows that a design chose
        return method
    options, inner = default_options(name) | options, inner_call(name, options)
    if name == "less" and options["variant"] == "original":
        options["targets"] = options["targets"] or "auto"  # none given stands for these, but for "released" for none
    told = {option: whole_call(value) if inner and value == inner else value for option, value in options.items()}
    return json.dumps([name, told], sort_keys=True, default=str)


def pool_key(prepared: Mapping) -> list:
    """What says which rows a pool's parts have; in the testbed a part does not depend on how many follow."""
    names = ["pool", "limit", "seed", "duplicates", "skills", "long_answers", "n_rows"]
    return [prepared.get(name) for name in names + ([] if prepared["pool"] in RECIPES else ["parts"])]
