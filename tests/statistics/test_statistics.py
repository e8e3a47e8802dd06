import time
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from analysis import statistics
from analysis.statistics import (
    NO_DIFFERENCE,
    NO_VERDICT,
    Noise,
    against_base,
    compare_all,
    comparison,
    ranks,
    runs_needed,
)
from analysis.statistics.intervals import Spread
from analysis.statistics.power import power_of


def compare(method, random, **settings):
    """A method by itself."""
    return compare_all({"method": method}, random, **settings).iloc[0]


def scores(m, r, n, *, effect=0.0, method_sd=0.0, random_sd=0.0, item_sd=0.0, cell_sd=0.1, seed=0):
    rng = np.random.default_rng(seed)
    shared = rng.normal(0.6, 0.3, n)
    own = effect + item_sd * rng.standard_normal(n)
    method = shared + own + method_sd * rng.standard_normal((m, 1)) + cell_sd * rng.standard_normal((m, n))
    random = shared + random_sd * rng.standard_normal((r, 1)) + cell_sd * rng.standard_normal((r, n))
    return method, random


def answers(m, r, n, *, method_sd, random_sd, item_sd, seed):
    """0/1 items whose mean difference is 0 without any clipping of the probabilities."""
    rng = np.random.default_rng(seed)
    uniform = lambda shape, sd: rng.uniform(-1, 1, shape) * sd * 3**0.5  # noqa: E731
    shared = rng.uniform(0.3, 0.7, n)
    method = shared + uniform(n, item_sd) + uniform((m, 1), method_sd)
    random = shared + uniform((r, 1), random_sd)
    return [(rng.random(chance.shape) < chance).astype(float) for chance in (method, random * np.ones((r, n)))]


# Hand-worked numbers


@pytest.mark.parametrize("m, r, p", [(1, 5, 1 / 6), (3, 5, 1 / 56), (2, 5, 1 / 21), (1, 20, 1 / 21)])
def test_smallest_p_is_reached_when_all_method_runs_win(m, r, p):
    method, random = np.arange(m) + 100.0, np.arange(r, dtype=float)
    assert ranks.smallest_p(m, r) == pytest.approx(p)
    assert ranks.mann_whitney_exact(method, random) == pytest.approx(p)
    assert ranks.mann_whitney_exact(method, random, "less") == pytest.approx(1)
    assert ranks.mann_whitney_exact(-method, -random, "less") == pytest.approx(p)


def test_mann_whitney_counts_arrangements_with_and_without_ties():
    # Ranks {2, 4} of 1..4: of 6 pairs, {2,4} and {3,4} have a rank sum of at least 6.
    assert ranks.mann_whitney_exact([2, 4], [1, 3]) == pytest.approx(2 / 6)
    # 3 and 2 against 2 and 1: midranks 4, 2.5 | 2.5, 1; sums of at least 6.5: {4, 2.5} twice.
    assert ranks.mann_whitney_exact([3, 2], [2, 1]) == pytest.approx(2 / 6)
    assert ranks.mann_whitney_exact([1, 1, 1], [1, 1]) == 1
    assert ranks.win_share([3, 2], [2, 1]) == pytest.approx(3.5 / 4)


@pytest.mark.parametrize("alternative", ["greater", "less"])
def test_mann_whitney_is_exact_with_ties(alternative):
    rng = np.random.default_rng(0)
    for _ in range(20):
        m, r = rng.integers(1, 5, 2)
        values = rng.integers(0, 4, m + r).astype(float)  # few values, so that many are equal
        placed = stats.rankdata(values)
        sums = [placed[list(chosen)].sum() for chosen in combinations(range(m + r), m)]
        observed = placed[:m].sum()
        extreme = [one >= observed if alternative == "greater" else one <= observed for one in sums]
        found = ranks.mann_whitney_exact(values[:m], values[m:], alternative)
        assert found == pytest.approx(np.mean(extreme))
        apart = values + rng.random(m + r) / 2
        expected = stats.mannwhitneyu(apart[:m], apart[m:], alternative=alternative, method="exact").pvalue
        assert ranks.mann_whitney_exact(apart[:m], apart[m:], alternative) == pytest.approx(expected)


def test_holm_by_hand_in_the_order_given():
    # .01, .02, .03, .04 times 4, 3, 2, 1 = .04, .06, .06, .04; made non-decreasing: .04, .06, .06, .06.
    np.testing.assert_allclose(statistics.holm([0.04, 0.01, 0.03, 0.02]), [0.06, 0.04, 0.06, 0.06])


def test_interval_of_mean_is_students_t():
    mean, low, high = statistics.interval_of_mean([1, 2, 3])
    assert mean == 2 and low == 4 - high
    assert high - 2 == pytest.approx(4.30265 / 3**0.5, abs=1e-4)
    assert statistics.interval_of_mean([1])[0] == 1 and np.isnan(statistics.interval_of_mean([1])[1:]).all()
    with pytest.raises(ValueError, match=r"finite numbers, at least one, found \[\]"):
        statistics.interval_of_mean([])


def test_the_less_certain_of_students_and_welchs_tests_counts():
    # Every item of a run is the same, so only run means vary.
    ones = np.ones(400)
    wide, narrow = np.array([1.0, 2, 6]), np.array([0.0, 1, 1, 2, 4])
    for method, equal in ((wide, False), (np.array([2.9, 3.0, 3.1]), True)):
        found = compare(method[:, None] * ones, narrow[:, None] * ones, delta=1)
        tests = [stats.ttest_ind(method, narrow, equal_var=one) for one in (True, False)]
        assert found["p"] == pytest.approx(max(one.pvalue for one in tests)) == pytest.approx(tests[not equal].pvalue)
        ends = [one.confidence_interval(0.95) for one in tests]
        assert found["alone_low"] == pytest.approx(min(one.low for one in ends))
        assert found["alone_high"] == pytest.approx(max(one.high for one in ends))
        assert (found["low"], found["p_holm"]) == (found["alone_low"], found["p"])  # a family of one


def test_difference_without_run_noise_is_the_paired_t_test():
    rng = np.random.default_rng(0)
    method, random = rng.normal(size=(2, 400))
    found = compare(np.tile(method, (3, 1)), np.tile(random, (5, 1)), delta=0.1)
    interval = stats.ttest_rel(method, random).confidence_interval(0.95)
    np.testing.assert_allclose([found["low"], found["high"]], [interval.low, interval.high])
    assert "identical" in found["note"] and found["verdict"] == NO_VERDICT


def test_deviations_are_those_that_power_is_computed_from():
    method, random = scores(3, 5, 300, method_sd=0.02, random_sd=0.03, item_sd=0.3, cell_sd=0.3)
    found = compare(method, random, delta=0.05)
    assert found["method_sd"] == pytest.approx(method.mean(axis=1).std(ddof=1))
    assert found["random_sd"] == pytest.approx(random.mean(axis=1).std(ddof=1))
    spread = Noise(*found[["method_sd", "random_sd", "item_sd"]]).spread(n_runs=3, n_random=5, n_items=300)
    half = stats.t.ppf(0.975, spread.freedom) * spread.error
    assert found["alone_high"] - found["estimate"] >= half * (1 - 1e-9)  # Welch's, or the wider one


# Coverage


REGIMES = {
    "no run variance": (scores, {"cell_sd": 0.4}),
    "items dominate": (scores, {"item_sd": 0.4, "cell_sd": 0.05}),
    "runs dominate": (scores, {"method_sd": 0.05, "random_sd": 0.05}),
    "method seeds dominate": (scores, {"method_sd": 0.05, "random_sd": 0.005}),
    "random draws dominate": (scores, {"method_sd": 0.005, "random_sd": 0.05}),
    "mixed": (scores, {"method_sd": 0.015, "random_sd": 0.02, "item_sd": 0.3, "cell_sd": 0.3}),
    "answers, no run variance": (answers, {"method_sd": 0.0, "random_sd": 0.0, "item_sd": 0.0}),
    "answers, mixed": (answers, {"method_sd": 0.02, "random_sd": 0.03, "item_sd": 0.1}),
}


@pytest.mark.parametrize("regime", REGIMES)
def test_interval_covers_at_least_what_it_says(regime):
    make, noise = REGIMES[regime]
    covered = [
        (found := compare(*make(3, 9, 300, seed=seed, **noise), delta=0.05))["low"] <= 0 <= found["high"]
        for seed in range(150)
    ]
    assert np.mean(covered) >= 0.91  # .95 less 2.5 standard errors; the less certain of two tests covers more


# Verdicts


def test_planted_effects_get_their_verdicts():
    noise = {"method_sd": 0.01, "random_sd": 0.01, "item_sd": 0.1}
    method, random = scores(5, 5, 600, effect=0.1, **noise)
    assert compare(method, random, delta=0.02)["verdict"] == "better"
    assert compare(random, method, delta=0.02)["verdict"] == "worse"
    assert compare(*scores(20, 20, 1000, **noise), delta=0.03)["verdict"] == "no difference larger than δ"


@pytest.mark.parametrize(
    "estimate, p, interval, expected",
    [
        (0.01, 0.001, (0.005, 0.015), NO_DIFFERENCE),  # real, but smaller than what matters
        (0.03, 0.001, (0.015, 0.045), "better"),
        (-0.03, 0.001, (-0.045, -0.015), "worse"),
        (0.03, 0.05, (0.001, 0.059), "undecided"),
        (0.0, 0.9, (-0.02, 0.019), "undecided"),  # touches the margin
    ],
)
def test_verdict_rule(estimate, p, interval, expected):
    assert comparison.verdict(estimate, p, interval, delta=0.02) == expected


def test_no_verdict_from_few_runs_or_items():
    few = compare(*scores(2, 9, 300, effect=0.5, method_sd=0.01), delta=0.02)
    assert few["verdict"] == NO_VERDICT and few["note"] == "a verdict takes at least 3 runs on each side, found 2"
    few = compare(*scores(5, 9, 29, effect=0.5), delta=0.02)
    assert few["verdict"] == NO_VERDICT and "at least 30 items, found 29" in few["note"]
    alone = compare(*scores(1, 9, 300, effect=0.5, random_sd=0.02), delta=0.02)
    assert alone["verdict"] == NO_VERDICT and alone["low"] < alone["estimate"] < alone["high"]


def test_intervals_leave_out_zero_exactly_where_holm_finds_a_difference():
    rng = np.random.default_rng(3)
    for _ in range(20):
        random = scores(2, 12, 200, random_sd=0.03, seed=rng.integers(1 << 30))[1]
        methods = {
            f"method {k}": random[0]
            + rng.normal(0, 0.05)
            + 0.03 * rng.standard_normal((4, 1))
            + 0.1 * rng.standard_normal((4, 200))
            for k in range(8)
        }
        table = compare_all(methods, random, delta=0.0)
        outside = (table["low"] > 0) | (table["high"] < 0)
        assert (outside == (table["p_holm"] < 0.05)).all()
        assert (table["low"] <= table["alone_low"] + 1e-12).all() and (
            table["high"] >= table["alone_high"] - 1e-12
        ).all()


def test_holm_levels_by_hand():
    # .001 against .05/3; .02 against .05/2; .04 against .05, all reached: .001 < .0167, .02 < .025, .04 < .05.
    np.testing.assert_allclose(comparison.holm_levels(np.array([0.04, 0.001, 0.02]), 0.05), [0.05, 0.05 / 3, 0.025])
    # .03 misses .05/2, so that .04, which would reach .05 alone, is held against less: .05 x .04 / .06.
    np.testing.assert_allclose(comparison.holm_levels(np.array([0.03, 0.04]), 0.05), [0.025, 0.05 * 0.04 / 0.06])
    np.testing.assert_allclose(comparison.holm_levels(np.zeros(2), 0.05), [0.025, 0.05])


def test_a_confirmation_weighs_the_fresh_runs_most_and_keeps_the_level():
    first = pd.DataFrame({"method": ["a", "b", "c"], "p": [0.004, 0.02, 0.5]})
    second = pd.DataFrame({"method": ["b"], "p": [0.008]})
    np.testing.assert_allclose(comparison.confirmed(first, second), [0.02, 0.01, 1.0])
    rng = np.random.default_rng(0)
    chance = pd.DataFrame({"method": range(20_000), "p": rng.random(20_000)})
    again = pd.DataFrame({"method": range(20_000), "p": rng.random(20_000)})
    assert 0.04 < (comparison.confirmed(chance, again) < 0.05).mean() < 0.052


def test_the_verdict_against_the_base():
    rng = np.random.default_rng(0)
    base = (rng.random(300) < 0.4).astype(float)
    trained = lambda gain: base + gain + 0.02 * rng.standard_normal((6, 1)) + 0.3 * rng.standard_normal((6, 300))  # noqa: E731
    table = against_base(
        {"good": trained(0.2), "bad": trained(-0.2), "same": trained(0), "one": trained(0.2)[:1]}, base
    )
    assert table["verdict"].tolist() == ["helps", "hurts", "undecided", "no verdict"]
    alone = against_base({"good": trained(0.1)[:, :1] * np.ones(300)}, base * 0).iloc[0]
    assert alone["low"] < alone["estimate"] < alone["high"]
    # Without item noise it is Student's t of one sample.
    runs = np.array([0.1, 0.3, 0.4])
    found = against_base({"m": runs[:, None] * np.ones(50)}, np.zeros(50)).iloc[0]
    assert found["p"] == pytest.approx(stats.ttest_1samp(runs, 0).pvalue)


# Invariances


def test_swapping_the_sides_flips_the_sign():
    method, random = scores(4, 6, 400, effect=0.03, method_sd=0.02, random_sd=0.03, item_sd=0.1)
    one, other = compare(method, random, delta=0.02), compare(random, method, delta=0.02)
    assert one["estimate"] == pytest.approx(-other["estimate"])
    assert one["p_mann_whitney_better"] == pytest.approx(other["p_mann_whitney_worse"])
    assert one["win_share"] == pytest.approx(1 - other["win_share"])
    np.testing.assert_allclose(
        [one["low"], one["high"]], [-other["high"], -other["low"]], atol=0.1 * (one["high"] - one["low"])
    )


def test_order_of_items_runs_units_and_shared_difficulty_do_not_matter():
    method, random = scores(4, 6, 400, effect=0.03, method_sd=0.02, random_sd=0.03, item_sd=0.1)
    plain = compare(method, random, delta=0.02)
    order = np.random.default_rng(1).permutation(400)
    easier = np.random.default_rng(2).normal(size=400)
    width = plain["high"] - plain["low"]
    for other in (
        compare(method[:, order], random[:, order], delta=0.02),
        compare(method[::-1], random[::-1], delta=0.02),
        compare(method + easier, random + easier, delta=0.02),
    ):
        assert other["estimate"] == pytest.approx(plain["estimate"])
        np.testing.assert_allclose([other["low"], other["high"]], [plain["low"], plain["high"]], atol=0.05 * width)
    scaled = compare(10 * method, 10 * random, delta=0.2)
    np.testing.assert_allclose([scaled["low"], scaled["high"]], [10 * plain["low"], 10 * plain["high"]])
    assert scaled["verdict"] == plain["verdict"]
    assert compare(method, random, delta=0.02).equals(plain)


def test_pairing_shared_items_narrows_the_interval():
    method, random = scores(3, 5, 300, cell_sd=0.05)
    paired = compare(method, random, delta=0.1)
    shuffled = compare(method[:, np.random.default_rng(0).permutation(300)], random, delta=0.1)
    assert shuffled["high"] - shuffled["low"] > 3 * (paired["high"] - paired["low"])


# Designs


def test_no_variance_at_all():
    same = np.ones((3, 50))
    assert compare(same, same, delta=0.1)["verdict"] == NO_DIFFERENCE
    found = compare(same, same, delta=0)
    assert (found["p"], found["verdict"]) == (1, "undecided") and found["runs_needed"] is pd.NA
    floor = np.zeros((3, 50))  # a method that answers nothing is trained, and worse
    assert compare(floor, same, delta=0.1)["verdict"] == "worse"


# Power and components


@pytest.mark.parametrize("n_methods", [1, 6])
def test_power_at_holms_first_level_by_simulation(n_methods):
    noise = {"method_sd": 0.03, "random_sd": 0.03, "item_sd": 0.2, "cell_sd": 0.0}
    spread = Noise(0.03, 0.03, 0.2).spread(n_runs=8, n_random=24, n_items=300)
    size = statistics.detectable_difference(spread, alpha=0.05 / n_methods)
    assert power_of(size, spread, alpha=0.05 / n_methods) == pytest.approx(0.8, abs=1e-6)
    found = []
    for seed in range(100):
        method, random = scores(8, 24, 300, effect=size, seed=seed, **noise)
        others = {f"{k}": scores(8, 24, 300, seed=1000 + 11 * seed + k, **noise)[0] for k in range(n_methods - 1)}
        shared = {name: one - one.mean() + random.mean() for name, one in others.items()}
        found.append(compare_all({"planted": method, **shared}, random, delta=0)["verdict"][0])
    assert found.count("better") / 100 == pytest.approx(0.8, abs=0.12)


def test_power_grows_with_the_difference_however_large_it_is():
    for spread in (Spread(1.0, freedom) for freedom in (3, 10, 40, 100, 3000)):
        powers = [power_of(size, spread) for size in np.arange(0, 80, 0.5)]
        assert powers == sorted(powers) and powers[-1] == 1.0
    assert runs_needed(0.05, Noise(0.0342, 0.0342, 0.0), n_items=1000, most=2000) is not None


def test_runs_needed_is_the_least_that_suffices():
    noise = Noise(0.02, 0.02, 0.1)
    needed = runs_needed(0.03, noise, n_items=1000)
    powers = [power_of(0.03, noise.spread(n_runs=k, n_random=3 * k, n_items=1000)) for k in (needed - 1, needed)]
    assert powers[0] < 0.8 <= powers[1]
    assert runs_needed(0.001, noise, n_items=1000) is None  # the items set the limit
    assert runs_needed(0.03, noise, n_items=1000, per_run=10) < needed


def test_variance_components_are_recovered_and_negative_ones_clipped():
    rng = np.random.default_rng(0)
    shape = (40, 6, 300)
    items = 0.5 * rng.normal(size=shape[2]) + 0.2 * rng.normal(size=(40, 1, 1))
    items = items + 0.1 * rng.normal(size=(40, 6, 1)) + 0.3 * rng.normal(size=shape)
    table = statistics.variance_components(items)
    np.testing.assert_allclose(
        table.loc[["draw", "training seed", "item", "rest"], "sd"], [0.2, 0.1, 0.5, 0.3], rtol=0.2
    )
    # Draws whose seeds are opposite: means are equal, so the draw's moment is below 0.
    opposite = np.array([[1.0, -1.0], [-1.0, 1.0]])[:, :, None] * np.ones(3)
    table = statistics.variance_components(opposite)
    assert table.loc["draw", "clipped"] and table.loc["draw", "variance"] == 0 > table.loc["draw", "moment"]
    # By hand: run means 1, -1 within each draw have variance 2; their seed means are 0, so S = -2, D x S = 4.
    assert table.loc["training seed", "variance"] == pytest.approx(2)


# Bad input


GOOD = np.zeros((3, 4))
NAN = np.array([[0.0, 1, 0, 1], [0, 1, np.nan, 1]])


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: compare(NAN, GOOD, delta=0.1), "method: expected finite scores, found nan at run 1, item 2"),
        (lambda: compare(GOOD, NAN, delta=0.1), "random: expected finite"),
        (lambda: compare(GOOD[:, :3], GOOD, delta=0.1), "expected the same 4 items as random, found 3"),
        (lambda: compare(GOOD, GOOD[:1], delta=0.1), "random: expected at least 2 runs, found 1"),
        (lambda: compare(GOOD[:0], GOOD, delta=0.1), "method: expected at least 1 runs, found 0"),
        (
            lambda: compare(GOOD[0], GOOD, delta=0.1),
            r"expected scores of shape \(runs, items\), found shape \(4,\)",
        ),
        (lambda: compare(GOOD, GOOD, delta=-1), "delta: expected a finite number of at least 0, found -1"),
        (lambda: compare(GOOD, GOOD, delta=1, confidence=95), "confidence: .* found 95"),
        (lambda: compare_all({}, GOOD, delta=1), "at least 1 method, found none"),
        (lambda: compare_all({"less": NAN}, GOOD, delta=1), "less: expected finite"),
        (
            lambda: ranks.mann_whitney_exact([1], [2], "both"),
            "expected one of greater, less, found 'both'",
        ),
        (lambda: ranks.mann_whitney_exact([np.nan], [2]), "method_scores: expected finite"),
        (lambda: statistics.holm([0.5, np.nan]), "p_values: expected numbers from 0 to 1"),
        (lambda: statistics.variance_components(np.zeros((4, 1, 9))), r"found \(4, 1, 9\); with one seed"),
        (lambda: Noise(0.1, -0.1, 0), "noise random: expected a number of at least 0, found -0.1"),
        (lambda: Noise(1, 1, 1).spread(n_runs=1, n_random=5, n_items=9), "found 1, 5, 9"),
    ],
)
def test_bad_input_says_what_was_found(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_ten_methods_take_less_than_a_second():
    methods = {f"method {k}": scores(5, 5, 1000, method_sd=0.02, seed=k)[0] for k in range(10)}
    random = scores(5, 5, 1000, random_sd=0.02)[1]
    started = time.process_time()
    table = compare_all(methods, random, delta=0.02)
    assert time.process_time() - started < 1
    assert len(table) == 10 and not table.drop(columns=["runs_needed"]).isna().any(axis=None)
