from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from analysis.experiments.results import EQUAL_ROWS, Results, Run
from analysis.methods import RANDOM
from analysis.reporting import surface_figures, surface_findings
from analysis.reporting.topics import diversity_vs_quality as topic
from analysis.reporting.trained_rows import Regime
from analysis.statistics import surface

ACCURACY, LOSS, UNIT = "testbed accuracy", "held-out answer loss", "share correct"
SETTINGS = pd.DataFrame(
    [{"method": f"{share:.0%}, {count}", "correct": share, "skills": count} for share in (0.5, 1.0) for count in (2, 8)]
)


def results(lines, benchmark=ACCURACY):
    """Runs of (method, part, draw, score) at 100 rows."""
    return Results(pd.DataFrame([
        {"method": method, "budget": 100, "design": EQUAL_ROWS, "part": part, "draw": draw, "training_seed": 0,
         "benchmark": benchmark, "unit": UNIT, "score": score, "tokens_trained": 1000 + part, "items": [score]}
        for method, part, draw, score in lines
    ]), {})  # fmt: skip


def built(noise=0.002, effect=1.0, seed=0):
    """Three parts: 1 point for 10 points of correctness, 4 for a doubling."""
    rng = np.random.default_rng(seed)
    lines = [
        (line.method, part, part, 0.3 + effect * (0.1 * line.correct + 0.04 * np.log2(line.skills)) + rng.normal(0, noise))
        for line in SETTINGS.itertuples() for part in range(4)
    ]  # fmt: skip
    return topic.built(results(lines), SETTINGS, ACCURACY)


def test_the_headline_says_effects_regime_and_rate():
    fitted = topic.surfaces(built(noise=0.0005))
    said = surface_findings.headline(surface.effects(fitted), Regime(8, "skill"), ACCURACY, UNIT)
    assert len(said) == 1
    assert said[0].startswith("On testbed accuracy, 100 rows (12 rows per skill where all are covered), in points: ")
    assert "twice as many skills +4.0 [" in said[0] and "]: raises" in said[0]
    assert "both together" in said[0] and "undecided (16 runs on built subsets of 4 parts)" in said[0]
    rate = surface_findings.exchange_findings(fitted)[0]
    assert "one doubling of the skills covered is worth 4" in rate and "(75% correct, 4.0 skills)" in rate


def test_noise_has_no_exchange_rate_and_says_so():
    fitted = topic.surfaces(built(noise=0.05, effect=0, seed=1))
    assert (surface.effects(fitted)["verdict"] == "undecided").all()
    assert "the exchange rate is not defined" in surface_findings.exchange_findings(fitted)[0]
    assert surface_figures.rates(fitted)["defined"].tolist() == [0]


def test_what_was_not_built_and_tokens_are_said():
    missing = pd.DataFrame([{"budget": 100, "method": "50%, 9", "why": "the pool has 8 skills"}])
    said = surface_findings.design_findings(built(), missing)
    assert said[0].startswith("1 of 5 settings cannot be built") and "the pool has 8 skills" in said[0]
    assert said[1].endswith("differ by at most 0%.")


def test_where_selections_lie_and_what_is_foretold():
    truth = {"fault": np.array(["", "", "refusal", ""]), "skill": np.array(["a", "b", "a", "a"])}
    work = SimpleNamespace(with_part=lambda part: SimpleNamespace(pool=SimpleNamespace(truth=truth.get)))
    found = topic.on_plane(work, [Run("kmeans", 100, 0, 0, np.array([0, 1])), Run("ifd", 100, 0, 0, np.array([2, 3]))])
    assert found["correct"].tolist() == [1.0, 0.5] and found["skills"].tolist() == pytest.approx([2, 1])


def test_a_method_that_the_surface_does_not_explain_is_named():
    fitted = topic.surfaces(built())[100]
    at = {RANDOM: (1.0, 7.0), "kmeans": (0.9, 4.0), "token_length": (0.9, 3.0)}
    scored = pd.DataFrame([
        {"method": name, "correct": place[0], "skills": place[1], "part": part,
         "score": float(fitted.predict(*place)) + 0.1 * (name == "token_length") + 0.001 * part}
        for name, place in at.items() for part in range(3)
    ])  # fmt: skip
    table = topic.predicted(scored, fitted)
    assert table.set_index("method")["estimate"].round(3).to_dict() == {
        RANDOM: 0.001,
        "kmeans": 0.001,
        "token_length": 0.101,
    }
    assert table["inside"].all()
    said = surface_findings.prediction_findings(table, topic.explained(table), UNIT)
    assert "Token length +10.1 [" in said[1] and "K-means" not in said[1]
    assert topic.explained(table.head(2)) != topic.explained(table.head(2))  # nan of two
    exact = table.assign(estimate=0.0)
    assert topic.explained(exact) == 1


def test_quotas_are_paired_by_part():
    pairs = topic.quota_pairs(["token_length", "kmeans(inside='ifd')", "kmeans"])
    assert pairs == {"token_length": "kmeans"}  # whose own way to choose in a cluster is the length
    lines = [(name, part, part, part + 0.1 * (name != "token_length") + 0.001 * part * (name == "token_length"))
             for name in ("token_length", pairs["token_length"]) for part in range(3)]  # fmt: skip
    table = topic.quota_differences(results(lines), pairs, ACCURACY, 100)
    # Parts differ by whole units and the pairs by 0.1, 0.099 and 0.098.
    assert table["estimate"].tolist() == pytest.approx([0.099])
    said = surface_findings.quota_findings(table, ACCURACY, 100)
    assert "+9.9 [" in said[0] and said[0].endswith("(3 parts), repaired.")
    worse = table.assign(low=-table["high"], high=-table["low"], estimate=-table["estimate"])
    assert surface_findings.quota_findings(worse, ACCURACY, 100)[0].endswith("(3 parts), harmed.")
    open_ = table.assign(low=-table["high"])
    assert surface_findings.quota_findings(open_, ACCURACY, 100)[0].endswith("neither repaired nor harmed for certain.")
    assert "No method" in surface_findings.quota_findings(topic.quota_differences(results(lines), {}, ACCURACY, 100), ACCURACY, 100)[0]  # fmt: skip


def draws(n, follows):
    rng = np.random.default_rng(3)
    table = pd.DataFrame({"method": RANDOM, "part": np.arange(n) % 3, "NovelSum": rng.normal(size=n), "flat": 0.5})
    table["score"] = 10 * table["part"] + (table["NovelSum"] if follows else rng.normal(size=n))
    table["NovelSum"] -= 7 * table["part"]  # parts differ against the trend within them
    return table


def test_a_measure_is_tried_within_parts():
    found = topic.correlations(draws(21, follows=True), ["NovelSum", "flat"])
    assert found["measure"].tolist() == ["NovelSum"] and found["estimate"][0] > 0.9 and found["low"][0] > 0.8
    said = surface_findings.proxy_findings(found, ("NovelSum", "flat"), 21, topic.FEWEST_DRAWS)
    assert "foretells it" in said[0] and said[0].endswith("The same for all draws: flat.")
    noise = topic.correlations(draws(21, follows=False), ["NovelSum"])
    assert noise["low"][0] < 0 < noise["high"][0]
    assert "undecided" in surface_findings.proxy_findings(noise, ("NovelSum",), 21, topic.FEWEST_DRAWS)[0]
    assert "no verdict" in surface_findings.proxy_findings(noise, ("NovelSum",), 6, topic.FEWEST_DRAWS)[0]


def test_rows_without_a_point_are_left_out_of_the_measures_in_space():
    points = np.array([[1.0, 0], [np.nan, np.nan], [0, 1.0], [1.0, 1.0]], dtype=np.float32)
    features = SimpleNamespace(
        embeddings=lambda kind: points, row_keys=lambda: np.arange(4, dtype=np.uint64),
        signatures=np.random.default_rng(0).integers(0, 2**32, (4, 128), dtype=np.uint32),
        clusters=lambda *_: SimpleNamespace(labels=np.array([0, -1, 1, 0])),
    )  # fmt: skip
    part = SimpleNamespace(part=0, features=features, pool=range(4), selection_seed=0)
    found = topic.proxies(SimpleNamespace(parts=[part]), [Run("kmeans", 3, 0, 0, np.array([0, 1, 2]))]).iloc[0]
    assert found["Vendi score"] == pytest.approx(2) and found["cluster entropy"] == pytest.approx(np.log(2))
    assert found["near-duplicate share"] == 0 and np.isfinite(found["NovelSum"])
