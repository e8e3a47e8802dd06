"""ZIP: compressing everything for every candidate against going on from what is compressed."""

import time
from types import SimpleNamespace

import numpy as np

from analysis.features.features import Features
from analysis.methods import zip_compression
from analysis.methods.zip_compression import FORMS, Stream, read_texts
from analysis.paths import ROOT
from analysis.pools import load_pool
from tests.references import zip_compression as reference

REAL_ROWS = ROOT.parent / "shared" / "pools" / "curated_real.parquet"
BUDGET = 1_000
SAMPLE = 3  # candidates of which the literal reference is timed, at each point
EVERY = 20  # of the 100 steps of a last stage, one is timed
CANDIDATES, SHORTLIST, PER_ROUND = 10_000, 200, 100


def features_of(pool) -> SimpleNamespace:
    """What the method asks of features, without a model."""
    return SimpleNamespace(
        n_rows=len(pool),
        row_keys=lambda: np.arange(len(pool)),
        records=lambda start, stop: Features.records(SimpleNamespace(pool=pool), start, stop),
    )


def seconds(work) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def literal_seconds(features, rows: np.ndarray, printed: bool) -> float:
    """Time of the literal loop: a few ratios are timed at every round and step, and multiplied by their number."""
    records, total = features.records(0, features.n_rows), 0.0

    def mean_seconds(selected, candidates) -> float:
        before = [records[row] for row in selected]
        return seconds(
            lambda: [reference.ratio([*before, records[row]], printed) for row in candidates[-SAMPLE:]]
        ) / len(candidates[-SAMPLE:])

    for start in range(0, len(rows), PER_ROUND):
        group = rows[start : start + PER_ROUND]
        racing = features.n_rows - 2 * start
        total += min(CANDIDATES, racing) * mean_seconds(rows[:start], group)
        for step in range(0, len(group), EVERY):
            total += EVERY * (min(SHORTLIST, racing) - step) * mean_seconds(group[:step], group)
    single = seconds(lambda: [reference.ratio([record], printed) for record in records[:500]]) / min(500, len(records))
    return total + features.n_rows * single


def compare(rows: int = 20_000) -> list[dict]:
    """Both forms, on rows of the testbed and, where they are beside the checkout, on real rows."""
    compile_once()
    lines = []
    for name in ["curated", *([str(REAL_ROWS)] if REAL_ROWS.exists() else [])]:
        features = features_of(load_pool(name, limit=rows))
        budget = min(BUDGET, features.n_rows // 2)
        for variant in FORMS:
            found = []
            ours = seconds(
                lambda: found.append(zip_compression.select(features, budget, seed=0, variant=variant))  # noqa: B023
            )
            literal = literal_seconds(features, found[0].rows, printed=variant == "record")
            lines.append({
                "step": f"ZIP, {variant}, {'real' if name == str(REAL_ROWS) else 'testbed'}", "rows": features.n_rows,
                "reference_seconds": literal, "ours_seconds": ours, "ratio": literal / ours,
                "note": f"budget {budget}; reference extrapolated from {SAMPLE} candidates of each round and of every "
                f"{EVERY}th step of its last stage",
            })  # fmt: skip
    return lines


def growth(sizes: list[int]) -> list[dict]:
    """Seconds to select 200 rows; the candidates of a round are at most 10,000 whatever the pool's size."""
    compile_once()
    lines = []
    for size in sizes:
        features = features_of(load_pool("curated", limit=size))
        taken = seconds(lambda: zip_compression.select(features, 200, seed=0))  # noqa: B023
        lines.append({"rows": features.n_rows, "seconds": taken})
    return lines


def compile_once() -> None:
    """So that the first time measured is not the compiler's."""
    features = features_of(load_pool("curated", limit=20))
    Stream(read_texts(features), zip_compression.Deflate).ratios_with(np.arange(features.n_rows))
    zip_compression.select(features, 2, seed=0)


if __name__ == "__main__":
    for line in [*compare(), *growth([1_000, 10_000, 100_000])]:
        print(line)
