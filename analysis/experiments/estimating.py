"""What a selection would cost, told before it is made: measured on some rows of the pool with the model itself."""

import re
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path

from analysis.experiments import selecting
from analysis.experiments.peak_memory import resident_gib
from analysis.features.features import Features
from analysis.methods.calls import needs_of
from analysis.pools.parts import smaller
from analysis.store.store import Store

SAMPLE, FIRST = 256, 64  # rows measured; rows of a first try, whose time goes into loading and compiling
SHARD = re.compile(r"(?P<key>.+)-(?P<start>\d{9})-(?P<stop>\d{9})")


@dataclass(frozen=True)
class Estimate:
    """What a selection needs and takes.

    Attributes
    ----------
    stored : whether the selection itself is in the store, so that nothing is computed.
    needs : what the method may ask, see `Method.needs`.
    features : kind of feature -> rows of it in the store, 0 for none. What depends on rows drawn from the whole pool
        (clusters, a fine-tuned model and what it scores) is asked for under keys that are not known before.
    seconds : of selecting with nothing in the store, in proportion to the rows, by one process; nan if not measured.
    gib : of memory: this process so far, and the features of all rows; nan if not known.
    trouble : why nothing could be measured, or "".
    """

    stored: bool
    needs: tuple[str, ...]
    features: dict[str, int]
    seconds: float
    gib: float
    trouble: str = ""


def estimate(work, method: str, budget: int, *, seed: int, budget_unit: str = "rows", sample: int = SAMPLE) -> Estimate:
    """Select from `sample` rows in a store that is thrown away, and extend time and memory to all rows."""
    key = selecting.selection_key(work, method, budget, seed, budget_unit)
    stored = work.store.record("selections", key) is not None and work.store.arrays("selections", key) is not None
    sample, kinds, size, seconds, trouble = min(sample, len(work.pool)), {}, 0, float("nan"), ""
    share = len(work.pool) / sample
    tried = ((min(FIRST, sample), 1), (sample, max(1, min(sample // 2, round(budget / share)))))
    for n_rows, n_chosen in tried:
        with tempfile.TemporaryDirectory() as folder:
            try:
                seconds, trouble = _seconds(work, method, n_chosen, n_rows, Store(folder), seed) * share, ""
            except ValueError as error:
                seconds, trouble = float("nan"), f"not measured, for {n_chosen} of {n_rows} rows: {error}"
            kinds, size = _asked(Path(folder), work.store)
    return Estimate(stored, needs_of(method), kinds, seconds, resident_gib() + size * share / 2**30, trouble)


def _seconds(work, method: str, budget: int, n_rows: int, store: Store, seed: int) -> float:
    # With the fingerprint of the whole pool features have the keys that they will have, so the store can be asked.
    pool = replace(smaller(work.pool, n_rows, work.seed), fingerprint=work.pool.fingerprint)
    old = work.features
    features = Features(
        pool, work.base, store=store, max_tokens=old.max_tokens, tokens_per_batch=old.tokens_per_batch,
        precision=old.precision, finetuning=old.finetuning, show_progress=False,
    )  # fmt: skip
    part = replace(work, pool=pool, features=features, store=store, others=())
    started = time.perf_counter()
    selecting.select(part, method, budget, seed=seed)
    return time.perf_counter() - started


def _asked(folder: Path, store: Store) -> tuple[dict[str, int], int]:
    """Rows in the store of every feature kept in shards in a folder, and bytes of these features."""
    kinds, size = {}, 0
    for file in folder.glob("*/*/*.npz"):
        kind, shard = file.relative_to(folder).parts[0], SHARD.fullmatch(file.stem)
        if shard:
            size += file.stat().st_size
            there = store.path(kind, shard["key"]).parent.glob(f"{shard['key']}-*.npz")
            bounds = [found for path in there if (found := SHARD.fullmatch(path.stem))]
            rows = sum(int(found["stop"]) - int(found["start"]) for found in bounds)
            kinds[kind] = min(rows, kinds.get(kind, rows))
    return kinds, size
