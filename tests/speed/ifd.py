"""Cross-entropy and IFD: a row at a time with all states and logits kept, against ours."""

import tempfile
import time
from collections.abc import Sequence

import numpy as np
import torch

from analysis.experiments.workbench import Workbench, prepare
from analysis.features.contexts import header_ids
from analysis.methods import cross_entropy, ifd
from analysis.models.encoding import encode_batch
from analysis.store.store import Store
from tests.speed.limits import limit, of_rows

ONE_BY_ONE = 500  # rows that the reference scores; its time grows with the rows and is scaled


def compare(rows: int = 5_000) -> list[dict]:
    """Literal reference against ours on the same testbed rows and model."""
    with tempfile.TemporaryDirectory() as folder:
        work = _prepare(folder, rows)
        n_rows = len(work.pool)
        _first_use(work)
        started = time.perf_counter()
        losses = cross_entropy.score(*work.features.token_losses().per_row("last"))
        first = time.perf_counter() - started
        given, alone = work.features.token_losses(), work.features.token_losses("none")
        ratios = ifd.per_row(given, alone, "last", ifd.score)
        both = time.perf_counter() - started
        once, answers = of_rows(work.features), int(given.count.sum())
        few = min(ONE_BY_ONE, n_rows)
        conversations = work.features.messages(0, few)
        expected, slow_first = literal_cross_entropy(work, conversations)
        expected_ratios, slow_both = literal_ifd(work, conversations)
    for found, literal in ((losses, expected), (ratios, expected_ratios)):
        agree = np.abs(found[:few] - literal) < 0.02 * np.abs(literal)  # matrix products may be in bfloat16
        assert agree[np.isfinite(literal)].mean() > 0.9, "both must score the same"
    scale = n_rows / few
    note = (
        f"reference on {few} rows, scaled. On a CPU one row already fills the cores, so won are the logits and states "
    )
    note += "not made, the precision and the batches; products of matrices and attention remain"
    return [
        _line("cross-entropy", n_rows, slow_first * scale, first, note) | {"limit": once},
        _line("IFD", n_rows, slow_both * scale, both, note)
        | {"limit": once + limit(work.features.n_parameters, answers)},
    ]


def growth(sizes: Sequence[int] = (1_000, 3_000, 10_000)) -> list[dict]:
    """Seconds of IFD, both passes, by rows of the pool."""
    lines = []
    for size in sizes:
        with tempfile.TemporaryDirectory() as folder:
            work = _prepare(folder, size)
            _first_use(work)
            started = time.perf_counter()
            ifd.select(work.features, 100, seed=0)
            lines.append({"rows": len(work.pool), "seconds": time.perf_counter() - started})
    return lines


def literal_cross_entropy(work: Workbench, conversations: list) -> tuple[np.ndarray, float]:
    """Cross-entropy of the last answer in nats and the seconds for it, as a script scores one row after another."""
    started = time.perf_counter()
    scores = []
    for messages in conversations:
        ids, (start, end) = _last_turn(work, messages)
        scores.append(_mean_loss(work, ids[:end], start))
    return np.array(scores), time.perf_counter() - started


def literal_ifd(work: Workbench, conversations: list) -> tuple[np.ndarray, float]:
    """IFD of the last answer and the seconds for it, two whole passes over every row."""
    header = header_ids(work.base.tokenizer, work.base.template)
    started = time.perf_counter()
    scores = []
    for messages in conversations:
        ids, (start, end) = _last_turn(work, messages)
        given = _mean_loss(work, ids[:end], start)
        scores.append(given / _mean_loss(work, header + ids[start:end], len(header)))
    return np.array(scores), time.perf_counter() - started


def _last_turn(work: Workbench, messages: list[dict]) -> tuple[list[int], tuple[int, int]]:
    settings = work.base.tokenizer, work.base.template, work.features.max_tokens
    (row,) = encode_batch([messages], *settings, to_score=True)
    return row.ids, row.spans[-1]


@torch.inference_mode()
def _mean_loss(work: Workbench, ids: list[int], start: int) -> float:
    """As the scripts do: labels over the whole row, all layers' states and the logits of every position."""
    if start >= len(ids):
        return float("nan")
    batch = torch.tensor([ids], device=work.base.device)
    labels = batch.clone()
    labels[:, :start] = -100
    return work.base.model(input_ids=batch, labels=labels, output_hidden_states=True).loss.item()


def _prepare(folder: str, rows: int) -> Workbench:
    work = prepare("curated", limit=rows, store=Store(folder), show_progress=False)
    work.features.lengths()
    return work


def _first_use(work: Workbench) -> None:
    """So that neither side pays for what torch and datasets set up once."""
    work.features.embed(work.features.messages(0, 50))
    literal_cross_entropy(work, work.features.messages(0, 50))


def _line(step: str, rows: int, slow: float, ours: float, note: str) -> dict:
    ratio = slow / ours
    return {"step": step, "rows": rows, "reference_seconds": slow, "ours_seconds": ours, "ratio": ratio, "note": note}


if __name__ == "__main__":
    for line in [*compare(), *growth()]:
        print(line)
