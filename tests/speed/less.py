"""LESS: a pass forward and back per row against one per batch, from token ids to influences on targets."""

import tempfile
import time

import numpy as np
import torch

from analysis.features.features import Features
from analysis.methods.less import warm_up_rows
from analysis.models.encoding import encode_batch
from analysis.models.language_model import load_model
from analysis.models.passes.gradients import GradientPass
from analysis.models.passes.random_projection import Sketch, block_sizes
from analysis.models.training.checkpoints import WarmUpSettings
from analysis.models.training.warm_up import warm_up
from analysis.pools import load_pool
from analysis.store.store import Store
from tests.references import less as reference
from tests.speed.limits import TRAINING, limit

MODEL, TARGETS, DIMENSION = "tiny-weak", 40, 8192
LITERAL_ROWS, AT_ONCE = 80, 16  # of which the literal reference is timed, and that it projects together
CPU = torch.device("cpu")


def seconds(work) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def prepared(rows: int, folder: str) -> tuple:
    """Encoded rows and targets, the last checkpoint of a warm-up of one epoch, its scale, and the model."""
    language_model = load_model(MODEL, device=CPU)
    features = Features(load_pool("curated", limit=rows), language_model, store=Store(folder), show_progress=False)
    warm = warm_up(features, warm_up_rows(features, 0.01, seed=0), WarmUpSettings(epochs=1), seed=0)
    asked = [features.messages(0, features.n_rows), [group[0] for group in features.targets().values()] * 5]
    asked[1] = asked[1][:TARGETS]
    encoded = [
        encode_batch(part, language_model.tokenizer, language_model.template, features.max_tokens) for part in asked
    ]
    return *encoded, warm.adapters(0, CPU), warm.scale, language_model.model


def literal(rows, targets, adapters, scale, model, project: bool) -> np.ndarray:
    """Whole gradients one row at a time, by peft's model, and every row against every target."""
    whole = reference.adapted(model, adapters, scale)
    by_row = reference.directions(whole, adapters, rows, adam=True)
    by_target = reference.directions(whole, adapters, targets, adam=False)
    if project:
        by_row, by_target = (reference.projected(part, DIMENSION) for part in (by_row, by_target))
    return np.array(reference.scores([by_row], [[by_target]], [1.0]))


def ours(rows, targets, adapters, scale, model, project: bool) -> np.ndarray:
    """Gradients of batches against the targets' mean."""
    sizes = block_sizes(adapters)
    sketch = Sketch(sizes, DIMENSION if project else sum(sizes.values()), 0, CPU)
    gradients = GradientPass(model, adapters, scale, sketch, CPU, 8192)
    return gradients(rows, "adam")[0] @ gradients(targets, "plain")[0].mean(axis=0)


def compare(rows: int = 2_000) -> list[dict]:
    """One checkpoint with whole and with projected gradients; the literal reference on rows drawn at random."""
    with tempfile.TemporaryDirectory() as folder:
        encoded, targets, *others = prepared(rows, folder)
    part = [encoded[row] for row in np.random.default_rng(0).permutation(len(encoded))[:LITERAL_ROWS]]
    ours(part, targets[:1], *others, True)  # so that the first time measured is not that of set-up
    size, tokens = others[-1].num_parameters(), sum(len(row.ids) for row in encoded)
    lines = []
    for project in (False, True):
        found: dict[str, np.ndarray] = {}
        taken = seconds(lambda: ours(encoded, targets, *others, project))  # noqa: B023
        both = seconds(lambda: found.update(literal=literal(part, targets, *others, project)))  # noqa: B023
        fixed = seconds(lambda: literal(part[:AT_ONCE], targets, *others, project))  # noqa: B023
        slow = fixed + (both - fixed) / (len(part) - AT_ONCE) * (len(encoded) - AT_ONCE)
        error = np.abs(found["literal"] - ours(part, targets, *others, project)).max()
        lines.append({
            "step": f"LESS, {'projected' if project else 'whole'} gradients of a checkpoint", "rows": len(encoded),
            "reference_seconds": slow, "ours_seconds": taken, "ratio": slow / taken, "limit": limit(size, tokens, TRAINING),
            "note": f"reference timed on {len(part)} rows and multiplied; scores differ by at most {error:.0e}",
        })  # fmt: skip
    return lines


def growth(sizes: list[int]) -> list[dict]:
    """Seconds for the gradients of a checkpoint of so many rows against the targets' mean."""
    lines = []
    for size in sizes:
        with tempfile.TemporaryDirectory() as folder:
            encoded, targets, *others = prepared(size, folder)
        lines.append({"rows": len(encoded), "seconds": seconds(lambda: ours(encoded, targets, *others, True))})  # noqa: B023
    return lines


if __name__ == "__main__":
    for line in [*compare(), *growth([500, 2_000])]:
        print(line)
