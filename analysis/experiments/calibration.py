"""Calibration of the testbed on competence alone: floor, ceiling, random, oracle and adversary; never on a method.

`python -m analysis.experiments.calibration` measures it for the shipped bases and writes `analysis/models/bases/calibration.csv`.
"""

import argparse
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pandas as pd

from analysis.experiments.benchmarks.testbed import testbed_accuracy
from analysis.models.language_model import load_model
from analysis.models.training.finetuning import FineTuning, finetune
from analysis.paths import BASES
from analysis.pools import Pool, load_pool
from analysis.pools.testbed import WORLD_VERSION
from analysis.store.code_version import code_version
from analysis.store.store import Store, digest, write_text

TABLE = BASES / "calibration.csv"
BASE_NAMES = ("tiny-weak", "tiny-strong")
POOL_ROWS = 20_000
BUDGET = 500
SEEDS = 5
SETTINGS = FineTuning()
WHOLE_POOL = replace(SETTINGS, epochs=1)  # one pass over 20,000 rows is 13 times the steps of three over 500
PROVENANCE = f"{POOL_ROWS:,} rows of each pool · budget {BUDGET} · world version {WORLD_VERSION}"
CONDITIONS = (
    ("curated", "base alone"), ("curated", "all rows"), ("curated", "random rows"),
    ("wild", "random rows"), ("wild", "oracle rows"), ("wild", "wrong rows"),
)  # fmt: skip


def choose(pool: Pool, condition: str, budget: int, seed: int) -> np.ndarray:
    """Row numbers of a condition; oracle rows are correct and balanced over skills, wrong rows have wrong answers.

    Raises
    ------
    ValueError
        Unknown condition, or too few rows of the kind in the pool.
    """
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(pool))
    if condition == "base alone":
        return order[:0]
    if condition == "all rows":
        return order
    if condition == "random rows":
        return order[:budget]
    fault = pool.truth("fault")[order]
    if condition == "wrong rows":
        chosen = order[fault == "wrong answer"]
    elif condition == "oracle rows":
        correct = order[fault == ""]
        rank = pd.Series(pool.truth("skill")[correct]).groupby(pool.truth("skill")[correct]).cumcount().to_numpy()
        chosen = correct[np.argsort(rank, kind="stable")]
    else:
        raise ValueError(f"condition is {condition!r}; expected one of {sorted({name for _, name in CONDITIONS})}")
    if len(chosen) < budget:
        raise ValueError(f"{pool.name}: {condition}: expected at least {budget} rows of the kind, found {len(chosen)}")
    return chosen[:budget]


def accuracy(base, pool: Pool, condition: str, seed: int, store: Store, budget: int = BUDGET) -> float:
    """Share of held-out items right after fine-tuning on the rows of a condition; read from the store if there."""
    rows = choose(pool, condition, budget, seed)
    settings = WHOLE_POOL if condition == "all rows" else SETTINGS
    key = digest(
        base=base.fingerprint, pool=pool.fingerprint, rows=digest(rows=rows.tolist()), seed=seed,
        settings=asdict(settings), world=WORLD_VERSION, code=code_version(finetune.__module__, testbed_accuracy.__module__),
    )  # fmt: skip
    with store.claim("calibration", key):
        record = store.record("calibration", key)
        if record is None:
            model = finetune(base, pool.messages(rows), settings, seed=seed) if len(rows) else base
            record = {"accuracy": float(testbed_accuracy(model).items.mean())}
            store.save_record("calibration", key, record)
    return record["accuracy"]


def measure(base_name: str, store: Store, *, seeds: int = SEEDS, conditions=CONDITIONS) -> pd.DataFrame:
    """One row per base, pool, condition and seed: base, pool, condition, seed, n_rows, accuracy."""
    base, measured = load_model(base_name, store=store), []
    for pool_name, condition in conditions:
        pool = load_pool(pool_name, limit=POOL_ROWS, seed=0)
        for seed in range(1 if condition in ("base alone", "all rows") else seeds):
            n_rows = len(choose(pool, condition, BUDGET, seed))
            score = accuracy(base, pool, condition, seed, store)
            measured.append((base_name, pool_name, condition, seed, n_rows, score))
            print(f"{base_name}  {pool_name:8} {condition:12} seed {seed}: {score:.3f}", flush=True)
    return pd.DataFrame(measured, columns=["base", "pool", "condition", "seed", "n_rows", "accuracy"])


def recorded() -> pd.DataFrame:
    """The calibration that ships with the bases."""
    return pd.read_csv(TABLE)


def rules(table: pd.DataFrame) -> pd.DataFrame:
    """The rules that were fixed beforehand, with what was found: base, rule, expected, found, holds."""
    checked = []
    for base, part in table.groupby("base", sort=False):
        scores = {key: group["accuracy"].to_numpy() for key, group in part.groupby(["pool", "condition"])}
        alone, everything = scores["curated", "base alone"][0], scores["curated", "all rows"][0]
        least = 0.70 if base == "tiny-strong" else 0.50
        share = scores["curated", "random rows"].mean() / everything
        checked += [
            (base, "base alone", "at most 10 %", f"{alone:.1%}", alone <= 0.10),
            (
                base,
                "all 20k curated rows",
                f"at least {least:.0%}",
                f"{everything:.1%}",
                everything >= least,
            ),
            (
                base,
                "500 random rows, as a share of that",
                "35 % to 85 %",
                f"{share:.0%}",
                0.35 <= share <= 0.85,
            ),
        ]
        random = scores["wild", "random rows"]
        for condition, sign in (("oracle rows", 1), ("wrong rows", -1)):
            other = scores["wild", condition]
            error = np.sqrt(random.var(ddof=1) / len(random) + other.var(ddof=1) / len(other))
            gap = (other.mean() - random.mean()) / error
            words = "above" if sign > 0 else "below"
            rule = f"wild: 500 {condition} {words} 500 random rows"
            checked.append((base, rule, "over 3 standard errors", f"{abs(gap):.1f}", bool(sign * gap > 3)))
    return pd.DataFrame(checked, columns=["base", "rule", "expected", "found", "holds"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("bases", nargs="*", default=list(BASE_NAMES), metavar="BASE", help=", ".join(BASE_NAMES))
    parser.add_argument("--table", type=Path, default=TABLE, help="where to write (default: %(default)s)")
    arguments = parser.parse_args()
    table = pd.concat([measure(name, Store()) for name in arguments.bases], ignore_index=True)
    text = table.round(5).to_csv(index=False, lineterminator="\n")
    write_text(arguments.table, text)
    print(rules(table).to_string(index=False))


if __name__ == "__main__":
    main()
