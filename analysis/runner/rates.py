"""How fast this machine trains and scores, measured in a few seconds; where the base or the pool is not here, a stated model."""

import json
import os
import re
import tempfile
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

import numpy as np

from analysis.experiments.workbench import Workbench
from analysis.paths import BASES, SPLITTER
from analysis.pools.files import find_files, is_there
from analysis.pools.how_to_read import how_to_read, split_name
from analysis.pools.records import file_records
from analysis.pools.testbed import RECIPES
from analysis.runner.rows_of_parts import READ_FOR_THIS, size_of

ROWS, WARM, TRAINED = 400, 8, 40  # of the sample of the pool; trained on first, untimed; trained on and timed
MOST_SECONDS = 5  # that the timed training may take by the model's size; else it is not tried
STANDS_FOR_SCRATCH = "tiny-weak-1M"  # about as large
SIZE = re.compile(r"(\d+(?:\.\d+)?)\s?([MB])(?![A-Za-z])", re.IGNORECASE)
MATRIX = 1024
TERA, GPU_TERA = 1e12, 100  # the second in TFLOP/s, a unit and no claim about any GPU
FLOP_PER_TOKEN = 6  # per parameter, forward and back; 2 of them forward
BYTES_PER_PARAMETER = 16  # weights, gradients and two moments of AdamW in float32


@dataclass(frozen=True)
class Rate:
    """What a base costs here.

    Attributes
    ----------
    measured : whether by a training and a scoring with the base itself; else by its size and a product of matrices.
    parameters : of the base; 0 where they are not known.
    tokens : of a row of the pool, the mean of a sample, or `max_tokens`, the most, where there is none.
    train : seconds for each token that is trained on.
    score : seconds to score a run on all benchmarks.
    tokens_measured : whether `tokens` is of rows of the pool.
    """

    measured: bool
    parameters: int
    tokens: float
    train: float
    score: float
    tokens_measured: bool = True

    def times(self, parameters: int) -> "Rate":
        """That of another base, in proportion to its parameters."""
        factor = parameters / max(self.parameters, 1)
        return replace(
            self, measured=False, parameters=parameters, train=self.train * factor, score=self.score * factor
        )


def is_here(name: str, kind: str) -> bool:
    """Whether a pool or a model, by its `kind`, can be read without a download."""
    from huggingface_hub.constants import HF_HUB_CACHE

    if name in RECIPES or name == "scratch" or (BASES / name).is_dir() or "/" not in name:
        return True
    named = name.split(SPLITTER)[0]
    parts = [named] if is_there(named) else named.split(",")  # a file may have commas in its name
    return all(is_there(part) or any(sign in part for sign in "*?[") for part in parts) or any(
        Path(HF_HUB_CACHE).glob(f"{kind}s--{named.replace('/', '--')}/snapshots/*")
    )


def parameters_of(model: str) -> int:
    """Parameters of a base by its configuration, or by its name where it is not here; 0 where neither tells."""
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    name = STANDS_FOR_SCRATCH if model == "scratch" else model
    folder = BASES / name if (BASES / name).is_dir() else Path(os.path.expanduser(name))
    if (folder / "config.json").is_file():
        with torch.device("meta"):
            return AutoModelForCausalLM.from_config(AutoConfig.from_pretrained(folder)).num_parameters()
    found = SIZE.search(Path(name).name)
    return round(float(found[1]) * {"M": 1e6, "B": 1e9}[found[2].upper()]) if found else 0


def flop_per_second() -> float:
    """Of a product of matrices in float32 on the device that runs would use, the best of a few."""
    import torch

    device, times = "cuda" if torch.cuda.is_available() else "cpu", []
    left = torch.rand(MATRIX, MATRIX, device=device)
    for _ in range(5):
        started = time.perf_counter()
        (left @ left).sum().item()
        times.append(time.perf_counter() - started)
    return 2 * MATRIX**3 / min(times)


def rate(work, sample, speed: float) -> Rate:
    """What runs on a workbench cost here.

    Parameters
    ----------
    work : of which model, settings and pool are read.
    sample : some rows of the pool, as a pool; None where there are none here.
    speed : floating-point operations in a second, see `flop_per_second`.
    """
    model, settings, parameters = work.base.name, work.settings, parameters_of(work.base.name)
    held_out = min(1000, sum(len(part.pool) for part in work.parts) * 0.05)
    name = STANDS_FOR_SCRATCH if model == "scratch" else model
    likely = TRAINED * 200 * FLOP_PER_TOKEN * parameters / speed
    if sample is None or (not (BASES / name).is_dir() and not (Path(name).is_dir() and likely < MOST_SECONDS)):
        tokens = settings.max_tokens if sample is None else min(settings.max_tokens, _words(sample) * 4 / 3)
        train = FLOP_PER_TOKEN * parameters / speed
        return Rate(False, parameters, tokens, train, train / 3 * tokens * held_out, sample is not None)
    from transformers.utils import logging

    from analysis.experiments.benchmarks.catalogue import benchmarks_for
    from analysis.models.language_model import load_model
    from analysis.models.training.finetuning import finetune

    logging.disable_progress_bar()
    base, once = load_model(name), replace(settings, epochs=1, least_steps=1)
    finetune(base, sample.messages(np.arange(WARM)), once, seed=0)
    tuned = finetune(base, sample.messages(np.arange(min(TRAINED, len(sample)))), once, seed=0)
    scored = [benchmark(tuned) for benchmark in benchmarks_for(sample, settings.max_tokens).values()]
    more = held_out / max(1, len(scored[-1].items))  # the last is the held-out loss, which grows with the pool
    seconds = sum(one.seconds for one in scored[:-1]) + scored[-1].seconds * more
    told = tuned.training
    return Rate(True, parameters, told["tokens"] / told["rows_kept"], told["seconds"] / told["tokens"], seconds)


def _words(sample) -> float:
    """Words of a row, the mean; a word is taken to be four thirds of a token."""
    rows = sample.messages(np.arange(min(len(sample), ROWS)))
    return float(np.mean([sum(len(message["content"].split()) for message in row) for row in rows]))


def sample_of(prepared: dict):
    """Some rows of a pool, read or generated in a folder that is thrown away; None where none is at hand at once."""
    from analysis.pools import load_pool

    if not is_here(prepared["pool"], "dataset"):
        return None
    limit = min(ROWS, prepared["limit"] or ROWS)
    asked = {"skills": prepared["skills"] or None, "long_answers": prepared["long_answers"]}
    options = asked if prepared["pool"] in RECIPES else {}
    with tempfile.TemporaryDirectory() as folder:
        name = prepared["pool"]
        if name not in RECIPES and READ_FOR_THIS < size_of(name) < float("inf"):
            name = _first_rows(name, Path(folder))
        try:
            pool = load_pool(name, limit=limit, seed=prepared["seed"], cache=Path(folder), **options)
        except ValueError:
            if name == prepared["pool"]:
                raise
            return None  # none of the first rows can be used: what the others are like is not known
        return replace(pool, rows=_in_memory(pool.rows), held_out=_in_memory(pool.held_out))


def _first_rows(pool: str, folder: Path) -> str:
    """A pool of the first rows of one whose files take long to read."""
    name, told = split_name(pool)
    how, file = how_to_read(told), folder / "first.jsonl"
    every = (record for *_, record in file_records(find_files(name).files, how, {}) if isinstance(record, Mapping))
    with file.open("w", encoding=how.encoding) as lines:
        lines.writelines(f"{json.dumps(record, default=str)}\n" for record in islice(every, ROWS))
    return f"{file}{SPLITTER}{how.told()}"


def _in_memory(rows):
    from datasets import Dataset

    # As columns: Python's integers would be read as signed ones, which some keys of rows are too large for.
    return Dataset(rows.with_format("arrow")[:].take(np.arange(len(rows))), info=rows.info) if len(rows) else rows


class Rates:
    """By base what a run costs: measured for the one that most runs have, others in proportion or by the stated model."""

    def __init__(self, works: Sequence[Workbench]) -> None:
        self.speed, self.known, self.sample = flop_per_second(), {}, None
        counts = Counter(work.base.name for work in works)
        self.work = next((work for work in works if counts[work.base.name] == max(counts.values())), None)
        if self.work is not None:
            self.sample = sample_of(self.work.prepared)
            self.known[self.work.base.name] = rate(self.work, self.sample, self.speed)

    @property
    def first(self) -> Rate:
        return self.known[self.work.base.name]

    @property
    def reckoned(self) -> bool:
        """Whether times are by the stated model, so that they are told for GPUs."""
        return self.work is not None and not self.first.measured

    def gpu_hours(self, seconds: float) -> float:
        """Of GPUs that sustain 100 TFLOP/s together, for what would take `seconds` here."""
        return seconds * self.speed / TERA / GPU_TERA / 3600

    def of(self, work: Workbench) -> Rate:
        name = work.base.name
        if name not in self.known:
            other = (
                self.first.times(parameters_of(name)) if self.first.measured else rate(work, self.sample, self.speed)
            )
            self.known[name] = other
        return self.known[name]
