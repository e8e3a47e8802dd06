"""The rules that answer claims, on planted tables of other pages, and what the page that sums up makes of them."""

import itertools

import pandas as pd
import pytest

from analysis.reporting import claim_rules, claims
from analysis.reporting.claim_rules import DEPENDS, FAILS, HOLDS, OPEN, UNTESTED
from analysis.reporting.pages import Page, Pages
from analysis.reporting.topics import summary
from analysis.statistics import BETTER, NO_DIFFERENCE, UNDECIDED, WORSE

POINTS, SD = "share correct", {"method_sd": 3.0, "random_sd": 3.0, "item_sd": 20.0}


class Planted(Pages):
    """Pages with these tables, by notebook and name; one report of each notebook unless a table says another."""

    def __init__(self, tables):
        names = dict.fromkeys(notebook for notebook, _ in tables)
        made = tuple(
            Page(
                name,
                None,
                (),
                (),
                {"pool": "curated", "model": "tiny-weak", "budget": 40, "parts": 3, "limit": 600},
                {"commit": "a"},
            )
            for name in names
        )
        super().__init__(made)
        object.__setattr__(self, "tables", tables)

    def table(self, notebook, name):
        table = self.tables.get((notebook, name), pd.DataFrame())
        return table if "report" in table or table.empty else table.assign(report=notebook)


def compared(*lines):
    """Comparisons of notebook 30: method, rows per skill, design, estimate, verdict."""
    names = ["method", "rows_per_kind", "design", "estimate", "verdict"]
    table = pd.DataFrame(lines, columns=names).assign(
        kind="skill", budget=40, unit=POINTS, benchmark="accuracy", tokens_ratio=3.5, n_runs=3, n_items=600, confidence=0.95, **SD,
        **{"in": "points"})  # fmt: skip
    return table.assign(low=table["estimate"] - 2, high=table["estimate"] + 2)


def pages_with(*lines):
    return Planted({("30_versus_random", "by_regime"): compared(*lines)})


ROWS, TOKENS = "equal rows", "equal tokens"


@pytest.mark.parametrize(
    ("verdicts", "said"),
    [
        ([WORSE] * 10, HOLDS),
        ([BETTER, *[WORSE] * 9], HOLDS),  # one in ten is hardly any
        ([BETTER, BETTER, *[WORSE] * 8], FAILS),
        ([UNDECIDED, *[NO_DIFFERENCE] * 9], HOLDS),  # were it better, it would be one in ten
        ([UNDECIDED, BETTER, *[WORSE] * 8], OPEN),
        ([UNDECIDED] * 10, OPEN),
    ],
)
def test_hardly_any_is_better_takes_what_is_undecided_for_better(verdicts, said):
    read = pages_with(*[("cross_entropy", 20, ROWS, 0.0, verdict) for verdict in verdicts])
    assert claim_rules.hardly_any(read)[0] == said


@pytest.mark.parametrize(
    ("verdicts", "said"),
    [([BETTER, UNDECIDED], HOLDS), ([WORSE, UNDECIDED], FAILS), ([BETTER, WORSE], DEPENDS), ([NO_DIFFERENCE], OPEN)],
)
def test_length_works_where_it_is_better_somewhere_and_worse_nowhere(verdicts, said):
    read = pages_with(*[("token_length", 20, ROWS, 1.0, verdict) for verdict in verdicts],
                      ("token_length", 20, TOKENS, -30.0, WORSE))  # fmt: skip
    verdict, found = claim_rules.length_works(read)
    assert verdict == said
    assert "+1.0 [-1.0, +3.0] at 20 rows per skill and 3.5 times the tokens" in found
    assert "-30" not in found


def within(scores):
    table = pd.DataFrame({"benchmark": ["accuracy"] * len(scores), "design": ROWS, "scores": scores,
                          "random_scores": "10 20 30", "budget": 40})  # fmt: skip
    return Planted({("30_versus_random", "versus_random"): table})


def test_the_range_of_random_takes_two_thirds():
    assert claim_rules.within_range(within(["12 14", "40 10", "31 35"]))[0] == HOLDS  # 13, 25; 33 is outside
    assert claim_rules.within_range(within(["12 14", "31 35"]))[0] == OPEN
    assert claim_rules.within_range(within(["9 9", "31 35"])) == (
        FAILS,
        "0 of 2 means lie within the range of at least 3 random runs",
    )


def test_a_rank_test_that_does_not_reject_shows_nothing():
    table = pd.DataFrame({"benchmark": "accuracy", "design": ROWS, "budget": 40, "verdict": UNDECIDED,
                          "p_mann_whitney_better": [0.02, 0.9, 0.8], "smallest_p": 0.012})  # fmt: skip
    read = Planted({("30_versus_random", "versus_random"): table})
    assert claim_rules.none_significant(read)[0] == OPEN  # 0.02 x 3 is 0.06
    read = Planted({("30_versus_random", "versus_random"): table.assign(p_mann_whitney_better=[0.012, 0.9, 0.8])})
    assert claim_rules.none_significant(read)[0] == FAILS
    read = Planted({("30_versus_random", "versus_random"): table.assign(verdict=NO_DIFFERENCE)})
    assert claim_rules.none_significant(read)[0] == HOLDS


@pytest.mark.parametrize(
    ("skills", "correct", "said"),
    [((8, 12), (-1, 3), HOLDS), ((2, 12), (-1, 3), OPEN), ((1, 2), (8, 9), FAILS)],
)
def test_diversity_is_compared_with_quality_on_one_scale(skills, correct, said):
    ends = {"twice as many skills": skills, "10 points more correct rows": correct}
    lines = [{"budget": 160, "effect": name, "estimate": sum(pair) / 2, "standardised": sum(pair) / 20, "low": pair[0], "high": pair[1]}
             for name, pair in ends.items()]  # fmt: skip
    read = Planted({("32_diversity_vs_quality", "effects"): pd.DataFrame(lines)})
    assert claim_rules.diversity_first(read)[0] == said


def test_one_scale_is_that_of_the_standardised_effects():
    lines = [
        {"budget": 160, "effect": "twice as many skills", "estimate": 0.1, "standardised": 0.5, "low": 0.08, "high": 0.12},
        {"budget": 160, "effect": "10 points more correct rows", "estimate": 0.02, "standardised": 0.5, "low": 0.01, "high": 0.03},
    ]  # fmt: skip
    verdict, found = claim_rules.diversity_first(Planted({("32_diversity_vs_quality", "effects"): pd.DataFrame(lines)}))
    assert verdict == OPEN  # 0.5 [0.4, 0.6] and 0.5 [0.25, 0.75]
    assert "+0.50 [+0.40, +0.60] and 10 points more correct rows +0.50 [+0.25, +0.75]" in found


@pytest.mark.parametrize(
    ("verdicts", "said"), [(["falls"], HOLDS), (["grows"], FAILS), (["falls", "grows"], DEPENDS), (["undecided"], OPEN)]
)
def test_length_helps_weaker_bases_where_its_value_falls(verdicts, said):
    table = pd.DataFrame({"method": "token_length", "benchmark": "accuracy", "unit": POINTS, "in": "points", "estimate": -3.0,
                          "low": -5.0, "high": -1.0, "n_places": 4, "verdict": verdicts})  # fmt: skip
    table.loc[len(table)] = table.iloc[0].to_dict() | {"method": "kmeans", "verdict": "grows"}
    verdict, found = claim_rules.length_for_weak_bases(Planted({("34_base_model_strength", "slopes"): table}))
    assert verdict == said
    assert found.endswith(f"-3.0 [-5.0, -1.0] ({verdicts[-1]}, 4 bases)")


def by_size(*lines):
    names = ["method", "pool rows", "estimate", "low", "high"]
    table = pd.DataFrame(lines, columns=names).assign(benchmark="accuracy", unit=POINTS)
    return Planted({("31_failure_modes_at_scale", "difference_by_pool_size"): table})


def test_failing_on_large_pools_takes_success_on_small_ones():
    never = by_size(("ifd", 200, 0, -3, 3), ("ifd", 2000, -9, -12, -6))
    assert claim_rules.fails_at_scale(never)[0] == OPEN
    lost = by_size(("ifd", 200, 5, 3, 7), ("ifd", 2000, -9, -12, -6))
    assert claim_rules.fails_at_scale(lost)[0] == HOLDS
    kept = by_size(("ifd", 200, 5, 3, 7), ("ifd", 2000, 4, 1, 7))
    assert claim_rules.fails_at_scale(kept)[0] == FAILS


def test_rds_is_held_against_the_others():
    below = by_size(("ifd", 2000, -9, -12, -6), ("rds_plus", 2000, 1, -2, 4))
    assert claim_rules.below_random_but_rds(below)[0] == HOLDS
    both = by_size(("ifd", 2000, -9, -12, -6), ("rds_plus", 2000, -5, -8, -2))
    assert claim_rules.below_random_but_rds(both)[0] == FAILS
    assert claim_rules.below_random_but_rds(by_size(("ifd", 2000, -9, -12, -6)))[0] == UNTESTED


@pytest.mark.parametrize(
    ("verdicts", "said"),
    [
        (["does not pay", "does not pay"], HOLDS),
        (["does not pay", "undecided"], OPEN),
        (["pays", "undecided"], FAILS),
        (["pays", "does not pay"], DEPENDS),
    ],
)
def test_selection_costs_more_than_it_saves_where_nothing_pays(verdicts, said):
    table = pd.DataFrame({"benchmark": "accuracy", "method": "ifd", "unit": POINTS, "estimate": 1.0, "low": 0.0, "high": 2.0,
                          "verdict": verdicts})  # fmt: skip
    assert claim_rules.does_not_pay(Planted({("35_cost_of_selection", "break_even"): table}))[0] == said


def test_coverage_must_be_shown_not_to_fall_behind():
    quality = ("cross_entropy", 20, ROWS, -9.0, WORSE)
    assert claim_rules.difficulty_behind(pages_with(quality, ("kmeans", 20, ROWS, 0.0, NO_DIFFERENCE)))[0] == HOLDS
    assert claim_rules.difficulty_behind(pages_with(quality, ("kmeans", 20, ROWS, 0.0, UNDECIDED)))[0] == OPEN
    assert claim_rules.difficulty_behind(pages_with(quality))[0] == UNTESTED


def test_without_pages_nothing_is_claimed_and_nothing_advised():
    nothing = Pages(())
    judged = claims.judged(nothing)
    assert set(judged["verdict"]) == {UNTESTED}
    assert summary.guide(nothing).empty
    assert summary.undecided(nothing).empty
    assert "nothing to sum up" in summary.headline(judged, nothing)[0]


def test_no_method_is_advised_that_is_not_better():
    for verdicts in itertools.product([BETTER, WORSE, UNDECIDED, NO_DIFFERENCE], repeat=2):
        read = pages_with(
            *[
                (name, 20, ROWS, 1.0, own)
                for name, own in zip(("cross_entropy", "zip_compression"), verdicts, strict=True)
            ]
        )
        what = summary.guide(read)["what to do"].iloc[0]
        taken = what.partition(";")[0]
        for name, own in zip(("Cross-entropy", "ZIP"), verdicts, strict=True):
            assert (name in taken) == (own == BETTER)
            assert ("never" in what and name in what.partition("never")[2]) == (own == WORSE)
        assert taken.startswith("draw at random") == (BETTER not in verdicts)


def test_runs_that_would_decide_stand_beside_what_is_undecided():
    read = pages_with(
        ("token_length", 20, ROWS, -10.0, UNDECIDED),
        ("kmeans", 20, ROWS, 0.1, UNDECIDED),
        ("ifd", 20, ROWS, -9.0, WORSE),
    )
    left = summary.undecided(read)
    assert left["method"].tolist() == ["Token length", "K-means (Token length)"]
    assert 3 <= int(left["runs that would decide it"].iloc[0]) < 20
    assert left["runs that would decide it"].iloc[1] == "more than 1,000"


def test_text_of_other_pages_does_not_act_in_markdown():
    table = pd.DataFrame({"claim": ["a | b <script>"]})
    text = summary.as_markdown(table, pd.DataFrame(), pd.DataFrame(), Pages(()), ["*x*"])
    assert "| a \\| b &lt;script> |" in text
    assert "- \\*x\\*" in text
