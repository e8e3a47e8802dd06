"""Results that others published for models of 3 to 8 billion parameters, as tables; sources are in README.md."""

from pathlib import Path

import pandas as pd

FOLDER = Path(__file__).parent
RANDOM_DRAW, ZERO_SHOT = "Random", "zero-shot"
CELL = ["pool", "model", "benchmark"]  # what a comparison is made within


def budgets() -> pd.DataFrame:
    """Scores by pool, model, benchmark, method, budget and seed, as shares of one; of the base alone as `ZERO_SHOT`."""
    table = pd.read_csv(FOLDER / "targeted_selection_budgets.csv")
    return table.assign(score=table["score"] / 100)


def tenths() -> pd.DataFrame:
    """Scores after training on each tenth of the distance to the targets (quantile 0 = nearest), as shares of one."""
    table = pd.read_csv(FOLDER / "targeted_selection_quantiles.csv")
    return table.assign(score=table["score"] / 100)


def single_runs() -> pd.DataFrame:
    """Averages over benchmarks by base, pool, budget and method, one run each, as shares of one."""
    table = pd.read_csv(FOLDER / "mig_tulu3.csv")
    return table.assign(average=table["average"] / 100)
