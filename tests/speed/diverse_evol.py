"""What exact k-center sampling costs: every distance written down and compared anew, against ours."""

import tempfile
import time
import tracemalloc
from collections.abc import Callable, Sequence

import numpy as np
import torch

from analysis.experiments.workbench import Workbench, prepare
from analysis.methods import diverse_evol
from analysis.methods.tools.k_center import PRODUCTS_AT_ONCE, _Space, farthest_first
from analysis.models.encoding import encode
from analysis.store.store import Store
from tests.speed.limits import of_rows

LABELLED, PICKED = 100, 400
PASSED, CENTRES, TIMES = (50_000, 128), 1_000, 4  # points and centres of one pass, which is timed so often
ONE_BY_ONE = 500  # rows that the reference embeds; its time grows with the rows and is scaled


def compare(rows: int = 2_000) -> list[dict]:
    """Literal reference against ours on the same testbed rows: embedding, picking, and memory of the picking."""
    with tempfile.TemporaryDirectory() as folder:
        work = _prepare(folder, rows)
        n_rows = work.features.n_rows
        work.features.lengths()
        points, ours = _timed(lambda: work.features.embeddings("all"))
        few, least = min(ONE_BY_ONE, n_rows), of_rows(work.features)
        expected, slow = _timed(lambda: literal_embeddings(work, few))
        slow *= n_rows / few
        np.testing.assert_allclose(points[:few], expected, atol=1e-3)
    lines = [_line("embedding", n_rows, slow, ours, f"reference on {few} rows, scaled") | {"limit": least}]
    labelled, count = np.arange(LABELLED), min(PICKED, n_rows - LABELLED)
    found, ours = _timed(lambda: farthest_first(points, labelled, count))
    expected, slow = _timed(lambda: literal_k_center(points, labelled, count))
    assert _as_good(points, labelled, found, expected), "both must choose points that are as far"
    peaks = [_peak(lambda take=take: take(points, labelled, count)) for take in (literal_k_center, farthest_first)]
    memory = "peak memory {:.0f} MB against {:.1f} MB; points alone {:.1f} MB".format(*peaks, points.nbytes / 1e6)
    return [*lines, _line("k-center", n_rows, slow, ours, f"{count} rows after {LABELLED}; {memory}"), _one_pass()]


def _one_pass() -> dict:
    """Nearest centres when distances are never written down, against numpy's passes over each block of them."""
    points = np.random.default_rng(0).normal(size=PASSED).astype(np.float32)
    taken, found = {}, {}
    for _ in range(TIMES):
        for name, shrink in {"slow": _written_down, "ours": _Space.shrink}.items():
            space, found[name] = _Space.of(points), np.full(len(points), np.inf, dtype=np.float32)
            seconds = _timed(lambda: shrink(space, found[name], space.part(slice(CENTRES))))[1]  # noqa: B023
            taken[name] = min(seconds, taken.get(name, np.inf))
    assert np.array_equal(*found.values()), "both must find the same distances to the last bit"
    return _line("distances in one pass", len(points), taken["slow"], taken["ours"], f"{CENTRES} centres")


def _written_down(space: _Space, nearest: np.ndarray, centres: _Space) -> None:
    step = max(1, PRODUCTS_AT_ONCE // len(centres.points))
    for start in range(0, len(nearest), step):
        rows = slice(start, start + step)
        np.minimum(nearest[rows], space.part(rows).squared_distances(centres).min(axis=1), out=nearest[rows])


def growth(sizes: Sequence[int] = (1_000, 3_000, 10_000)) -> list[dict]:
    """Seconds of embedding and picking 100 rows with the base, by rows of the pool; training depends on the budget."""
    lines = []
    for size in sizes:
        with tempfile.TemporaryDirectory() as folder:
            work = _prepare(folder, size)
            _, seconds = _timed(lambda work=work: diverse_evol.select(work.features, 100, seed=0, space="base"))
            lines.append({"rows": work.features.n_rows, "seconds": seconds})
    return lines


def literal_embeddings(work: Workbench, count: int) -> np.ndarray:
    """One row at a time, all layers' states kept, mean over the tokens of the last."""
    model, settings = work.base, (work.base.tokenizer, work.base.template, work.features.max_tokens)
    points = []
    with torch.inference_mode():
        for messages in work.features.messages(0, count):
            ids = torch.tensor([encode(messages, *settings).ids], device=model.device)
            points.append(model.model(input_ids=ids, output_hidden_states=True).hidden_states[-1][0].mean(0).cpu())
    return np.stack(points)


def literal_k_center(points: np.ndarray, labelled: np.ndarray, count: int) -> np.ndarray:
    """All pairs' distances in one matrix; every pick takes the minimum over all labelled rows again."""
    norms = (points**2).sum(axis=1)
    distances = np.sqrt(np.maximum(norms[:, None] + norms - 2 * points @ points.T, 0))
    is_labelled = np.isin(np.arange(len(points)), labelled)
    chosen = []
    for _ in range(count):
        rest = np.flatnonzero(~is_labelled)
        chosen.append(int(rest[distances[rest][:, is_labelled].min(axis=1).argmax()]))
        is_labelled[chosen[-1]] = True
    return np.array(chosen)


def _as_good(points: np.ndarray, labelled: np.ndarray, found: np.ndarray, expected: np.ndarray) -> bool:
    """Whether both chose the same rows, or rows as far up to rounding where two are equally far."""
    far = [_distances_when_chosen(points.astype(np.float64), labelled, rows) for rows in (found, expected)]
    return np.array_equal(found, expected) or np.allclose(*far, rtol=1e-3, atol=1e-2)


def _distances_when_chosen(points: np.ndarray, labelled: np.ndarray, rows: np.ndarray) -> np.ndarray:
    nearest = np.min([((points - points[row]) ** 2).sum(axis=1) for row in labelled], axis=0)
    far = []
    for row in rows:
        far.append(np.sqrt(nearest[row]))
        nearest = np.minimum(nearest, ((points - points[row]) ** 2).sum(axis=1))
    return np.array(far)


def _prepare(folder: str, rows: int) -> Workbench:
    work = prepare("curated", limit=rows, store=Store(folder), show_progress=False)
    work.features.precision = "float32"
    return work


def _timed(compute: Callable) -> tuple:
    started = time.perf_counter()
    found = compute()
    return found, time.perf_counter() - started


def _peak(compute: Callable) -> float:
    """MB that arrays take at most."""
    tracemalloc.start()
    compute()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak / 1e6


def _line(step: str, rows: int, reference: float, ours: float, note: str) -> dict:
    return {
        "step": step, "rows": rows, "reference_seconds": reference, "ours_seconds": ours,
        "ratio": reference / ours, "note": note,
    }  # fmt: skip
