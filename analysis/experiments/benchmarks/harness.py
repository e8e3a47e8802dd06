"""Benchmarks of EleutherAI's evaluation harness (`lm-eval`), asked of a model that is loaded already."""

import time
from dataclasses import dataclass
from functools import cached_property
from importlib import metadata, util

import numpy as np

from analysis.experiments.benchmarks import harness_tasks
from analysis.experiments.benchmarks.harness_data import data_hash
from analysis.experiments.benchmarks.harness_model import evaluated
from analysis.experiments.benchmarks.result import POINTS, BenchmarkResult
from analysis.models.language_model import LanguageModel

SHOTS = {"gsm8k": 8, "bbh": 3, "mmlu": 5}  # of the study; any other task has its own
CHAT = ("ifeval",)  # asked as training asks; the others go on from plain text, as the harness asks them
FILTERS = {"gsm8k": "flexible-extract"}  # which reading of an answer counts; of the others the first
SHARES = ("acc", "acc_norm", "acc_bytes", "exact_match", "pass@1", "prompt_level_strict_acc")  # right or wrong


@dataclass(frozen=True)
class Harness:
    """A benchmark: a task of the harness and how it is asked.

    Attributes
    ----------
    task : a name of `lm_eval ls tasks`, such as "gsm8k", "bbh", "mmlu", "humaneval" or "ifeval".
    shots : worked examples before each item; none: as in `SHOTS`, and where the task says 0 always 0.
    limit : items of every subtask, its first ones; none: all.
    chat : ask in the format of training; none: as in `CHAT`.
    max_new_tokens : of an answer; none: the task's.
    data : folder with a folder of local files for each data set (see `harness_data`); none: the hub.
    run_code : consent to running code that the model writes, with limits of time and memory but in no sandbox.
    """

    task: str
    shots: int | None = None
    limit: int | None = None
    chat: bool | None = None
    max_new_tokens: int | None = None
    data: str | None = None
    run_code: bool = False

    def __post_init__(self):
        if util.find_spec("lm_eval") is None:
            raise ValueError(
                f"benchmark {self.task!r} is asked by lm-eval; pip install -e '.[benchmarks]' -c constraints.txt"
            )
        least = {"shots": 0, "limit": 1, "max_new_tokens": 1}
        for name, value in [(name, getattr(self, name)) for name in least]:
            if value is not None and (type(value) is not int or value < least[name]):
                raise ValueError(
                    f"benchmark {self.task!r}: {name}: expected a whole number from {least[name]} up, found {value!r}"
                )
        if self.task == "humaneval" and self.run_code is not True:
            raise ValueError(
                "benchmark 'humaneval' runs code that the model writes, with limits of time and memory but in no "
                "sandbox; consent with humaneval(run_code=True)"
            )

    @cached_property
    def settings(self) -> dict:
        """Everything that decides the scores of a model, for the key of its run."""
        return {
            "harness": metadata.version("lm-eval"), "task": self.task, "limit": self.limit,
            "shots": SHOTS.get(self.task) if self.shots is None else self.shots,
            "chat": self.task in CHAT if self.chat is None else self.chat, "max_new_tokens": self.max_new_tokens,
            "data": self.data and data_hash(self.task, self.data),
        } | harness_tasks.further_settings(self.task)  # fmt: skip

    def __call__(self, language_model: LanguageModel) -> BenchmarkResult:
        """A score per item, by subtask; nan where the harness could not tell.

        Raises
        ------
        ValueError, OSError
            No such task, no data, an answer that is longer than the model's context, or a task without scores of items.
        """
        started = time.perf_counter()
        tasks = harness_tasks.load(self.task, self.data)
        told = {name: self.settings[name] for name in ("shots", "limit", "chat", "max_new_tokens")}
        samples = evaluated(language_model, tasks, **told)
        ids, items, groups, responses = [], [], [], []
        metric = None
        for name, task in tasks.items():
            asked = _of_filter(samples[name], FILTERS.get(self.task))
            metric = metric or _metric(asked[0], self.task)
            sign = 1 if task.higher_is_better().get(metric, True) else -1
            ids += [f"{name} {sample['doc_id']}" for sample in asked]
            items += [sign * float(sample[metric]) for sample in asked]
            groups += [harness_tasks.group(self.task, name)] * len(asked)
            if task.OUTPUT_TYPE == "generate_until":
                responses += [sample["resps"][0][0] for sample in asked]
        return BenchmarkResult(
            self.task, POINTS.name if metric in SHARES else metric, ids, np.array(items, dtype=np.float32), groups,
            time.perf_counter() - started, responses or None,
        )  # fmt: skip


def _of_filter(samples: list[dict], wanted: str | None) -> list[dict]:
    """The samples of one reading of the answers, in the order of the items."""
    wanted = wanted or samples[0]["filter"]
    return sorted((one for one in samples if one["filter"] == wanted), key=lambda one: one["doc_id"])


def _metric(sample: dict, task: str) -> str:
    """The first metric of a task that is a number for every item."""
    for name in sample["metrics"]:
        if isinstance(sample[name], (bool, int, float, np.number)):
            return name
    raise ValueError(f"benchmark {task!r}: expected a score for every item, found only {', '.join(sample['metrics'])}")
