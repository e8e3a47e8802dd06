"""Runs a computation over the rows of a pool in shards, each stored as soon as it is finished."""

import os
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context

import numpy as np
from tqdm import tqdm

from analysis.store.store import Store
from analysis.store.workers import end_with

BAR = "{desc}: {percentage:3.0f}%|{bar:20}|{postfix} [{elapsed} gone, {remaining} left]"


def map_shards(
    compute: Callable[[int, int], dict[str, np.ndarray]],
    n_rows: int,
    *,
    store: Store,
    kind: str,
    key: str,
    shard_size: int,
    label: str,
    weights: np.ndarray | None = None,
    show_progress: bool = True,
    processes: int = 1,
) -> dict[str, np.ndarray]:
    """Arrays for rows 0 to n_rows, in shards: what the store has is read, the rest computed and stored.

    Parameters
    ----------
    compute : `compute(start, stop)` gives the arrays of these rows; their first axis is in row order (one
        value per row, or per turn of each row), with the same names for every shard.
    kind, key : where the store keeps the shards; `key` stands for everything the result depends on but the
        rows.
    shard_size : rows per shard, the most that an interruption can lose.
    label : what the progress bar says.
    weights : work per row (for instance tokens), by which the time left is told; default the same for all
        rows.
    show_progress : whether to show rows done, rows/s of this run and the time left.
    processes : that compute shards beside one another. They are forked, so `compute` must be safe after a fork.

    Returns
    -------
    dict of arrays, the shards joined along the first axis. A damaged shard is computed again (the store
    warns).
    """
    if n_rows < 1:
        raise ValueError(f"{label}: expected at least one row, found {n_rows}")
    if shard_size < 1:
        raise ValueError(f"{label}: shard_size: expected at least 1, found {shard_size}")
    work = np.ones(n_rows) if weights is None else np.asarray(weights, dtype=np.float64)
    if work.shape != (n_rows,):
        raise ValueError(f"{label}: weights: expected shape ({n_rows},), found {work.shape}")
    bounds = [(start, min(start + shard_size, n_rows)) for start in range(0, n_rows, shard_size)]
    shards = {bound: store.arrays(kind, _shard_key(key, bound)) for bound in bounds}
    missing = [bound for bound in bounds if shards[bound] is None]
    if missing:
        progress = _Progress(label, n_rows, work, [bound for bound in bounds if shards[bound] is not None])
        with tqdm(**progress.settings(), disable=not show_progress) as bar:
            work_on = compute, store, kind, key
            for bound in _as_finished(work_on, missing, processes) if processes > 1 else missing:
                shards[bound] = _compute_shard(compute, bound, store, kind, key)
                progress.advance(bar, bound)
    names = shards[bounds[0]].keys()
    for bound in bounds:
        if shards[bound].keys() != names:
            raise ValueError(f"{label}: rows {bound}: expected {sorted(names)}, found {sorted(shards[bound])}")
    return {name: np.concatenate([shards[bound][name] for bound in bounds]) for name in names}


def _shard_key(key: str, bound: tuple[int, int]) -> str:
    return f"{key}-{bound[0]:09d}-{bound[1]:09d}"


def _compute_shard(compute: Callable, bound: tuple[int, int], store: Store, kind: str, key: str) -> dict:
    shard_key = _shard_key(key, bound)
    with store.claim(kind, shard_key):
        arrays = store.arrays(kind, shard_key)  # another process may have finished it meanwhile
        if arrays is None:
            arrays = compute(*bound)
            store.save_arrays(kind, shard_key, **arrays)
    return arrays


def _as_finished(work_on: tuple, bounds: Sequence[tuple[int, int]], processes: int) -> Iterator[tuple[int, int]]:
    """Shards in the order in which forked processes have stored them."""
    before = os.environ.get("TOKENIZERS_PARALLELISM")
    os.environ["TOKENIZERS_PARALLELISM"] = "false"  # threads of the tokenizer do not survive a fork
    begin = (os.getpid(), *work_on)
    with ProcessPoolExecutor(min(processes, len(bounds)), get_context("fork"), _begin, begin) as pool:
        try:
            yield from (future.result() for future in as_completed([pool.submit(_store_shard, one) for one in bounds]))
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
            if before is None:
                del os.environ["TOKENIZERS_PARALLELISM"]
            else:
                os.environ["TOKENIZERS_PARALLELISM"] = before


def _begin(parent: int, *work_on) -> None:
    global _work_on  # of a forked process: closures and models need not be sent to it
    _work_on = work_on
    end_with(parent)


def _store_shard(bound: tuple[int, int]) -> tuple[int, int]:
    compute, *place = _work_on
    _compute_shard(compute, bound, *place)
    return bound


class _Progress:
    """Rows done and rows/s of this run; the bar itself moves by work, so that its time left is right."""

    def __init__(self, label: str, n_rows: int, work: np.ndarray, stored: list[tuple[int, int]]) -> None:
        self.label, self.n_rows, self.work = label, n_rows, work
        self.stored_rows = self.rows = sum(stop - start for start, stop in stored)
        self.stored_work = sum(float(work[start:stop].sum()) for start, stop in stored)
        self.begin = time.perf_counter()

    def settings(self) -> dict:
        total = float(self.work.sum())
        return {"desc": self.label, "total": total, "initial": self.stored_work, "bar_format": BAR}

    def advance(self, bar: tqdm, bound: tuple[int, int]) -> None:
        self.rows += bound[1] - bound[0]
        rate = (self.rows - self.stored_rows) / max(time.perf_counter() - self.begin, 1e-9)
        bar.set_postfix_str(f"{self.rows:,} of {self.n_rows:,} rows, {rate:,.0f} rows/s", refresh=False)
        bar.update(min(float(self.work[slice(*bound)].sum()), bar.total - bar.n))
