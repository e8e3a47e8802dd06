"""Results of a grid with planted differences."""

import numpy as np
import pandas as pd

from analysis.experiments.results import EQUAL_ROWS, EQUAL_TOKENS, Results
from analysis.methods import BASE, RANDOM

N_ITEMS = 400
ACCURACY, LOSS = "testbed accuracy", "held-out answer loss"


def grid(
    shifts: dict[str, float], n_random: int = 8, n_runs: int = 4, budgets: tuple[int, ...] = (100,),
    at_equal_tokens: tuple[str, ...] = (), loss_shift: float = 0.0,
) -> Results:  # fmt: skip
    """Runs whose accuracy is .5 plus a shift, run by run nearly the same; the loss of methods is `loss_shift` off."""
    rng, lines = np.random.default_rng(0), []
    runs = [(BASE, 0, EQUAL_ROWS, 0, -0.5)]
    for budget in budgets:
        runs += [(RANDOM, budget, EQUAL_ROWS, draw, 0.0) for draw in range(n_random)]
        for design, names in ((EQUAL_ROWS, shifts), (EQUAL_TOKENS, at_equal_tokens)):
            runs += [(name, budget, design, part, shifts[name]) for name in names for part in range(n_runs)]
    hardness = rng.random(N_ITEMS)
    for method, size, design, draw, shift in runs:
        right = (hardness < 0.5 + shift + rng.normal(0, 0.004)).astype(np.float32)
        away = loss_shift if method not in (RANDOM, BASE) else 0.0
        loss = (-1 - hardness + away + rng.normal(0, 0.01, N_ITEMS)).astype(np.float32)
        for name, items, unit in ((ACCURACY, right, "share correct"), (LOSS, loss, "nats per answer token, negated")):
            lines.append({
                "method": method, "budget": size, "design": design, "part": draw, "draw": draw, "training_seed": draw, "benchmark": name, "unit": unit,
                "score": float(items.mean()), "n_items": N_ITEMS, "n_rows": size, "tokens_trained": (150.0 if method == "token_length" and design == EQUAL_ROWS else 50.0) * size + 1,
                "seconds_select": 0.1, "seconds_train": 1.0, "seconds_evaluate": 1.0, "items": items,
            })  # fmt: skip
    groups = [f"family {place % 4}" for place in range(N_ITEMS)]
    return Results(pd.DataFrame(lines), {ACCURACY: groups, LOSS: groups})
