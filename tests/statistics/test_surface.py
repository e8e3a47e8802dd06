import numpy as np
import pandas as pd
import pytest

from analysis.statistics import surface

SHARES, SKILLS = (0.5, 0.75, 1.0), (4, 8, 16)


def runs(of, parts=5, noise=0.0, seed=0):
    """A run per part and setting: `of(quality step, doubling)` from the middle of the design, and the part's own level."""
    rng = np.random.default_rng(seed)
    return pd.DataFrame([
        {"part": part, "correct": share, "skills": count,
         "score": of((share - 0.75) / 0.1, np.log2(count) - 3) + 0.1 * part + noise * rng.normal()}
        for part in range(parts) for share in SHARES for count in SKILLS
    ])  # fmt: skip


def planted(quality, doubling):
    return 0.3 + 0.04 * quality + 0.06 * doubling + 0.01 * quality * doubling


def test_a_planted_surface_is_found_again():
    fitted = surface.fit(runs(planted, noise=0.002))
    found = surface.effects({100: fitted}).set_index("effect")
    assert found["estimate"].tolist() == pytest.approx([0.04, 0.06, 0.01], abs=0.002)
    assert (found["verdict"] == "raises").all() and (found["n_parts"] == 5).all()
    assert ((found["low"] < found["estimate"]) & (found["estimate"] < found["high"]) & (found["low"] > 0)).all()
    rate, low, high = surface.exchange_rate(fitted)  # .06 a doubling at .04 per 10 points: 15 points
    assert rate == pytest.approx(0.15, abs=0.005) and low < 0.15 < high < 0.17
    # The parts' levels are 0 to .4, .2 in the mean; predicted at the corner 1.0 and 16.
    assert fitted.predict(1.0, 16) == pytest.approx(0.5 + 0.04 * 2.5 + 0.06 + 0.025, abs=0.01)
    assert fitted.holds([0.6, 0.4, 0.6], [10, 10, 20]).tolist() == [True, False, False]


def test_an_effect_that_lowers_is_told():
    found = surface.effects({100: surface.fit(runs(lambda quality, doubling: -0.05 * doubling, noise=0.001))})
    assert found.set_index("effect")["verdict"]["twice as many skills"] == "lowers"


def test_noise_is_undecided_and_has_no_exchange_rate():
    called, undefined = 0, 0
    for seed in range(100):
        fitted = {rows: surface.fit(runs(lambda *_: 0.3, noise=0.05, seed=(seed, rows))) for rows in (50, 200)}
        called += (surface.effects(fitted)["verdict"] != "undecided").any()
        undefined += np.isnan(surface.exchange_rate(fitted[50])).all()
    assert called <= 9  # 5 expected of 100 families
    assert undefined >= 88  # 95 expected


def test_luck_that_a_part_shares_is_not_taken_for_an_effect():
    rng, called = np.random.default_rng(1), 0
    for seed in range(60):
        table = runs(lambda *_: 0.3, noise=0.005, seed=seed)
        own = {key: rng.normal(0, 0.05) for key in set(zip(table["part"], table["skills"], strict=True))}
        table["score"] += [own[key] for key in zip(table["part"], table["skills"], strict=True)]
        found = surface.effects({100: surface.fit(table)}).set_index("effect")
        called += found["verdict"]["twice as many skills"] != "undecided"
    assert called <= 8  # 3 expected; least squares over all runs would call about a quarter


def test_standardised_effects_by_hand():
    # Only quality matters: its steps have a standard deviation of 2.5 * sqrt(2/3), and so the score is it alone.
    fitted = surface.fit(runs(lambda quality, _: 0.04 * quality))
    found = surface.effects({100: fitted}).set_index("effect")["standardised"]
    assert found.tolist() == pytest.approx([1, 0, 0], abs=1e-9)


def test_fieller_by_hand():
    # Means 2 and 4, variances of the means 1/3 and 0: the interval is that of the numerator over 4.
    rate, low, high = surface.ratio_of_means([1, 2, 3], [4, 4, 4])
    half = 4.302652729911275 * np.sqrt(1 / 3) / 4
    assert (rate, low, high) == pytest.approx((0.5, 0.5 - half, 0.5 + half))
    assert np.isnan(surface.ratio_of_means([1, 2, 3], [-4, 5, 1])).all()


def test_few_parts_and_few_settings_are_no_verdict():
    found = surface.effects({100: surface.fit(runs(planted, parts=2, noise=0.001))})
    assert (found["verdict"] == "no verdict").all()
    one_level = runs(planted)
    assert surface.fit(one_level[one_level["correct"] == 0.5]) is None
