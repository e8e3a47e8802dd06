"""The rules that answer claims, on planted tables of other pages, and what the page that sums up makes of them."""

import itertools

import pandas as pd
import pytest

from analysis.experiments.benchmarks.result import NATS
from analysis.reporting import answers, claim_rules, claims, follow_up_rules, guidance, style, summary_figures
from analysis.reporting.answers import DEPENDS, FAILS, HOLDS, OPEN, UNTESTED
from analysis.reporting.pages import Page, Pages
from analysis.reporting.topics import summary
from analysis.statistics import BETTER, NO_DIFFERENCE, NO_VERDICT, UNDECIDED, WORSE
from analysis.statistics.surface import DIVERSITY, QUALITY

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
    three = itertools.cycle(["cross_entropy", "ifd", "kmeans"])
    read = pages_with(*[(method, 20, ROWS, 0.0, verdict) for method, verdict in zip(three, verdicts, strict=False)])
    assert claim_rules.hardly_any(read)[0] == said
    assert claim_rules.hardly_any(pages_with(*[("ifd", 20, ROWS, 0.0, verdict) for verdict in verdicts]))[0] != HOLDS


@pytest.mark.parametrize(
    ("verdicts", "said"),
    [
        ([BETTER, BETTER], HOLDS),
        ([BETTER, UNDECIDED], OPEN),
        ([WORSE, WORSE], FAILS),
        ([BETTER, WORSE, UNDECIDED], DEPENDS),
        ([NO_DIFFERENCE], OPEN),
    ],
)
def test_length_works_where_it_is_better_in_every_regime(verdicts, said):
    read = pages_with(*[("token_length", 20, ROWS, 1.0, verdict) for verdict in verdicts],
                      ("token_length", 20, TOKENS, -30.0, WORSE))  # fmt: skip
    verdict, found = claim_rules.length_works(read)
    assert verdict == said
    assert "+1.0 [-1.0, +3.0] at 20 rows per skill and 3.5 times the tokens" in found
    assert "-30" not in found


def within(scores):
    table = pd.DataFrame({"benchmark": ["accuracy"] * len(scores), "method": ["ifd", "kmeans", "less"][: len(scores)], "design": ROWS, "scores": scores,
                          "random_scores": "10 20 30", "budget": 40})  # fmt: skip
    return Planted({("30_versus_random", "versus_random"): table})


def test_the_range_of_random_takes_two_thirds_of_the_single_runs():
    assert claim_rules.within_range(within(["12 14 40", "10 11 12", "11 11 11"]))[0] == HOLDS  # eight of nine
    assert claim_rules.within_range(within(["12 14", "31 35", "9 20"]))[0] == OPEN
    assert claim_rules.within_range(within(["12 14", "11 15"]))[0] == OPEN  # of two methods nothing is usual
    verdict, found = claim_rules.within_range(within(["9 9", "31 35", "9 31"]))
    assert verdict == FAILS
    assert found == "0 of 6 single runs lie within the range of random's (50 % would by chance)"  # (3 - 1) / (3 + 1)


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
    [
        ((8, 12), (-1, 3), HOLDS),
        ((2, 12), (-1, 3), OPEN),
        ((1, 2), (8, 9), FAILS),
        ((-0.1, 0.15), (-1.2, -0.8), OPEN),  # less harmful is not worth more
    ],
)
def test_diversity_is_compared_with_quality_on_one_scale(skills, correct, said):
    ends = {"twice as many skills": skills, "10 points more correct rows": correct}
    lines = [{"budget": 160, "effect": name, "estimate": sum(pair) / 2 or 1.0, "standardised": sum(pair) / 20, "low": pair[0], "high": pair[1]}
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
    table.loc[len(table)] = table.iloc[0].to_dict() | {"method": "kmeans", "verdict": "falls"}
    verdict, found = claim_rules.length_for_weak_bases(Planted({("34_base_model_strength", "slopes"): table}))
    assert verdict == said
    assert found.endswith(f"-3.0 [-5.0, -1.0] ({verdicts[-1]}, 4 bases)")


def by_size(*lines):
    names = ["method", "pool rows", "estimate", "low", "high"]
    table = pd.DataFrame(lines, columns=names).assign(benchmark="accuracy", unit=POINTS, **{"in": "points"})
    return Planted({("31_failure_modes_at_scale", "difference_by_pool_size"): table})


@pytest.mark.parametrize(
    ("small", "large", "said"),
    [
        ((0, -3, 3), (-9, -12, -6), OPEN),  # never above random
        ((5, 3, 7), (-9, -12, -6), HOLDS),
        ((5, 3, 7), (4, 1, 7), FAILS),
        ((5, 3, 7), (-3, -10, 4), OPEN),  # the intervals overlap
        ((20, 15, 25), (8, 4, 12), FAILS),  # less, and still above random
    ],
)
def test_failing_on_large_pools_takes_success_on_small_ones(small, large, said):
    read = by_size(
        ("ifd", 200, *small), ("ifd", 2000, *large), ("cross_entropy", 2000, 9, 8, 10)
    )  # one at one size only
    assert claim_rules.fails_at_scale(read)[0] == said


def test_a_large_pool_has_a_line_of_advice_by_what_its_largest_size_shows():
    fallen = [("ifd", 200, 5, 3, 7), ("ifd", 2000, -9, -12, -6), ("kmeans", 2000, 1, -2, 4)]
    (line,) = guidance.guide(by_size(*fallen)).to_dict("records")
    assert line["where"] == "few rows of a large pool: 40 of 2,000"
    assert line["what to do"] == "draw at random: no method followed is known to be worth more; not IFD here"
    assert line["because"].endswith("each by itself): IFD +5.0 [+3.0, +7.0] and -9.0 [-12.0, -6.0]")
    (line,) = guidance.guide(by_size(*fallen[:2], ("kmeans", 2000, 5, 2, 8))).to_dict("records")
    assert line["what to do"] == "decide on K-means (Token length) by notebook 30 at this size; not IFD here"
    assert guidance.guide(by_size(*fallen[1:])).empty  # one size alone tells nothing of growth


def by_band(**ends):
    lines = [{"report": "33_length_effects", "benchmark": "accuracy", "unit": "share correct", "in": "points", "budget": 100,
              "design": design, "what": what, "answer tokens": 17.0, "estimate": low + 1, "low": low, "high": low + 2}
             for what, own in ends.items() for design, low in zip(("equal rows", "equal tokens"), own, strict=True)]  # fmt: skip
    return Planted(
        {("33_length_effects", "bands"): pd.DataFrame(lines).replace({"what": {"one": "band 1", "two": "band 2"}})}
    )


def test_random_rows_of_a_length_are_advised_where_they_gain_by_rows_and_by_tokens():
    (line,) = guidance.guide(by_band(one=(3, -1), two=(3, 1), longest=(3, 1))).to_dict("records")
    assert line["what to do"] == "draw at random from band 2 of 2 by length, answers of about 17 tokens"
    assert guidance.guide(by_band(one=(3, -1))).empty


def test_rds_is_held_against_the_others():
    small = [("ifd", 200, 0, -3, 3), ("rds_plus", 200, 0, -3, 3)]
    spared = by_size(*small, ("ifd", 2000, -9, -12, -6), ("rds_plus", 2000, 3, 1, 5))
    assert follow_up_rules.below_random_but_rds(spared)[0] == HOLDS
    unknown = by_size(*small, ("ifd", 2000, -9, -12, -6), ("rds_plus", 2000, -9, -18.5, 0.5))
    assert follow_up_rules.below_random_but_rds(unknown)[0] == OPEN
    both = by_size(*small, ("ifd", 2000, -9, -12, -6), ("rds_plus", 2000, -5, -8, -2))
    assert follow_up_rules.below_random_but_rds(both)[0] == FAILS
    assert follow_up_rules.below_random_but_rds(by_size(("ifd", 2000, -9, -12, -6)))[0] == UNTESTED


def held_against(*lines):
    """Break-even of page 35: method, verdict, the method's compute over the draw's."""
    table = pd.DataFrame(lines, columns=["method", "verdict", "compute_ratio"]).assign(
        benchmark="accuracy", unit=POINTS, estimate=1.0, low=0.0, high=2.0, **{"in": "points"})  # fmt: skip
    return Planted({("35_cost_of_selection", "break_even"): table})


@pytest.mark.parametrize(
    ("lines", "said", "advice"),
    [
        ([("ifd", "does not pay", 4), ("kmeans", "does not pay", 4)], HOLDS, "more random rows"),
        ([("ifd", "does not pay", 4), ("kmeans", "undecided", 4)], OPEN, "no method is known"),
        ([("ifd", "pays", 1.0), ("kmeans", "undecided", 4)], FAILS, "spend it on IFD"),
        ([("ifd", "pays", 6.0)], OPEN, "no method is known"),  # against a sixth of its compute
        ([("ifd", "pays", 1.0), ("ifd", "does not pay", 1.0)], OPEN, "no method is known"),
    ],
)
def test_a_method_pays_that_beats_all_draws_one_of_its_compute_included(lines, said, advice):
    read = held_against(*lines)
    verdict, found = follow_up_rules.does_not_pay(read)
    assert verdict == said
    assert f"at {lines[0][2]:.2g} times the compute ({lines[0][1]})" in found
    assert advice in guidance.guide(read)["what to do"].iloc[0]


def test_differences_in_several_units_have_each_its_own():
    def in_two_units(read):
        ((key, table),) = read.tables.items()
        other = table.assign(unit=NATS.name, report=f"{key[0]}.wild", **{"in": NATS.short})
        return Planted({key: pd.concat([table.assign(report=f"{key[0]}.curated"), other], ignore_index=True)})

    read = held_against(("ifd", "undecided", 0.5))
    found = follow_up_rules.does_not_pay(read)[1]
    assert found.startswith(
        "against random draws that cost at most 1.1 times as much (or of as many rows, where none is"
    )
    assert "as cheap), in points: " in found
    found = follow_up_rules.does_not_pay(in_two_units(read))[1]
    assert "in points:" not in found and "+2.0] points at 0.5" in found and f"+2.000] {NATS.short} at 0.5" in found

    read = intervals("34_base_model_strength", "slopes", "method", ("token_length", -3, -5, -1), benchmark="accuracy",
                     n_places=4, verdict="falls")  # fmt: skip
    found = claim_rules.length_for_weak_bases(in_two_units(read))[1]
    assert found.startswith("change for a base") and "-1.0] points (" in found and f"-1.000] {NATS.short} (" in found

    read = intervals("32_diversity_vs_quality", "quotas", "against", ("ifd", 5, 1, 9))
    found = claim_rules.quotas(in_two_units(read))[1]
    assert "without: IFD" in found and "+9.0] points" in found and f"+9.000] {NATS.short}" in found


def test_coverage_must_be_shown_not_to_fall_behind():
    difficult = ("cross_entropy", 20, ROWS, -9.0, WORSE)
    alike = ("kmeans", 20, ROWS, 0.0, NO_DIFFERENCE)
    assert follow_up_rules.difficulty_behind(pages_with(difficult, alike))[0] == HOLDS
    assert follow_up_rules.difficulty_behind(pages_with(difficult, ("ifd", 20, ROWS, 0.0, UNDECIDED), alike))[0] == OPEN
    assert follow_up_rules.difficulty_behind(pages_with(difficult, ("kmeans", 20, ROWS, 0.0, UNDECIDED)))[0] == OPEN
    assert follow_up_rules.difficulty_behind(pages_with(difficult, ("ifd", 20, ROWS, 3.0, BETTER), alike))[0] == FAILS
    assert (
        follow_up_rules.difficulty_behind(pages_with(("less(targets='auto')", 20, ROWS, -9.0, WORSE), alike))[0]
        == UNTESTED
    )


def test_ties_at_equal_tokens_are_those_of_coverage_and_the_filter():
    tie, lost = ("near_duplicate_filter", 20, TOKENS, 0.0, NO_DIFFERENCE), ("kmeans", 20, TOKENS, -9.0, WORSE)
    assert follow_up_rules.tie_at_equal_tokens(pages_with(tie, ("token_length", 20, TOKENS, -30.0, WORSE)))[0] == HOLDS
    assert follow_up_rules.tie_at_equal_tokens(pages_with(tie, lost))[0] == FAILS
    assert follow_up_rules.tie_at_equal_tokens(pages_with(("kmeans", 20, ROWS, 0.0, NO_DIFFERENCE)))[0] == UNTESTED


def intervals(notebook, name, column, *lines, **more):
    table = pd.DataFrame(lines, columns=[column, "estimate", "low", "high"])
    return Planted({(notebook, name): table.assign(unit=POINTS, **{"in": "points"}, **more)})


def test_quotas_are_those_of_quality_methods_and_of_two_at_least():
    def read(*lines):
        return intervals("32_diversity_vs_quality", "quotas", "against", *lines)

    assert claim_rules.quotas(read(("token_length", 5, 1, 9), ("ifd", 5, 1, 9)))[0] == UNTESTED
    assert claim_rules.quotas(read(("cross_entropy", 5, 1, 9), ("ifd", 5, 1, 9)))[0] == HOLDS
    assert claim_rules.quotas(read(("cross_entropy", 5, 1, 9), ("ifd", 5, -1, 9)))[0] == OPEN


def test_only_gradients_takes_that_the_others_lie_above():
    def read(*lines):
        return intervals("40_published_grids", "slopes", "representation", *lines, what="farthest minus nearest")

    assert follow_up_rules.only_gradients(read(("LESS (RR)", -8, -10, -6), ("RDS+ (RR)", 0, -3, 3)))[0] == HOLDS
    assert follow_up_rules.only_gradients(read(("LESS (RR)", -5, -9, -0.1), ("RDS+ (RR)", -5, -10.2, 0.1)))[0] == OPEN
    assert follow_up_rules.only_gradients(read(("LESS (RR)", -8, -10, -6), ("RDS+ (RR)", -4, -5, -3)))[0] == FAILS


def test_gains_shrink_where_every_interval_lies_lower():
    def read(*lines):
        table = pd.DataFrame(lines, columns=["method", "budget", "estimate", "low", "high"])
        return Planted({("40_published_grids", "by_budget"): table})

    both = [("a", 500, 0.05, 0.04, 0.06), ("a", 10000, 0.01, 0.00, 0.02), ("b", 500, 0.09, 0.08, 0.10)]
    assert follow_up_rules.shrinks_with_budget(read(*both))[0] == HOLDS  # b has one end only
    assert follow_up_rules.shrinks_with_budget(read(*both, ("b", 10000, 0.09, 0.07, 0.11)))[0] == OPEN


def test_ifd_is_judged_by_the_interval_of_its_correlation_with_length():
    def read(*ends):
        table = pd.DataFrame([("ifd(pre_experience=True)", *ends), ("cross_entropy", -0.9, -1, -0.8)],
                             columns=["method", "correlation", "low", "high"])  # fmt: skip
        return Planted({("33_length_effects", "scores"): table})

    assert claim_rules.ifd_short(read(-0.4, -0.5, -0.3))[0] == HOLDS
    assert claim_rules.ifd_short(read(0.4, 0.3, 0.5))[0] == FAILS
    assert claim_rules.ifd_short(read(0.0, -0.1, 0.1))[0] == OPEN
    table = read(0.4, 0.3, 0.5).tables["33_length_effects", "scores"]
    released = table.assign(method="ifd(variant='released')", correlation=-0.4, low=-0.5, high=-0.3)
    both = claim_rules.ifd_short(Planted({("33_length_effects", "scores"): pd.concat([table, released])}))
    assert both[0] == FAILS and "-0.4" not in both[1]
    assert claim_rules.ifd_short(Planted({("33_length_effects", "scores"): released}))[0] == UNTESTED


def test_the_cost_of_selecting_is_that_of_methods_that_read():
    def read(*times):
        table = pd.DataFrame({"method": "ifd", "hours": [0.0, *[1.0] * len(times)], "times_training": [0.0, *times]})
        return Planted({("35_cost_of_selection", "hours"): table})

    assert [claim_rules.costly(read(*times))[0] for times in ((11, 2), (11, 0.5), (0.5,))] == [HOLDS, DEPENDS, FAILS]


def test_without_pages_nothing_is_claimed_and_nothing_advised():
    nothing = Pages(())
    judged = claims.judged(nothing)
    assert set(judged["verdict"]) == {UNTESTED}
    assert guidance.guide(nothing).empty
    assert summary.undecided(nothing).empty
    assert "nothing to sum up" in summary.headline(judged, nothing)[0]


def of_two_settings(first, second):
    """The same comparison in two pools."""
    tables = [
        compared(*lines).assign(report=f"30_versus_random.{name}")
        for name, lines in (("curated", first), ("wild", second))
    ]
    return Planted({("30_versus_random", "by_regime"): pd.concat(tables, ignore_index=True)})


def test_no_method_is_advised_that_is_worse_somewhere_or_nowhere_better():
    verdicts = (BETTER, WORSE, UNDECIDED, NO_DIFFERENCE)
    for here, there in itertools.product(verdicts, repeat=2):
        read = of_two_settings([("zip_compression", 20, ROWS, 1.0, here)], [("zip_compression", 20, ROWS, 1.0, there)])
        what, why = guidance.guide(read)[["what to do", "because"]].iloc[0]
        taken = BETTER in (here, there) and WORSE not in (here, there)
        assert what.startswith("take ZIP") == taken
        assert what.startswith("draw at random") == (not taken)
        assert ("not ZIP here" in what) == (WORSE in (here, there))
        assert ("better in 1 of 2" in what) == (taken and {here, there} != {BETTER})
        assert ("ZIP (wild) " in why) == (there in (BETTER, WORSE) and here != there)
        assert (f"ZIP {there} in 2, +1.0 to +1.0 points with 3.5 times random's tokens" in why) == (
            here == there and there in (BETTER, WORSE)
        )


def test_equal_tokens_have_a_line_of_their_own():
    read = pages_with(("zip_compression", 20, ROWS, 1.0, UNDECIDED), ("zip_compression", 20, TOKENS, -30.0, WORSE))
    advice = guidance.guide(read)
    assert advice["where"].str.contains("equal tokens").tolist() == [False, True]
    assert "not ZIP here" in advice["what to do"].iloc[1]


def test_many_rows_per_skill_are_written_out():
    table = answers.main_comparisons(pages_with(("ifd", 124.4, ROWS, 1.0, WORSE), ("ifd", 2.84, ROWS, 1.0, WORSE)))
    assert table["regime"].tolist() == ["124 rows per skill", "2.8 rows per skill"]


@pytest.mark.parametrize(
    ("verdicts", "said"),
    [([HOLDS, HOLDS], HOLDS), ([HOLDS, OPEN], OPEN), ([HOLDS, FAILS, OPEN], DEPENDS), ([FAILS], FAILS), ([OPEN], OPEN)],
)
def test_several_settings_have_one_verdict(verdicts, said):
    assert answers.together(verdicts) == said


def test_the_page_stands_without_notebook_30():
    pages = Pages(
        (
            Page(
                "00_pools", None, ("So.",), (), {"pool": "curated", "limit": 600, "model": "tiny-weak"}, {"commit": "a"}
            ),
        )
    )
    judged = claims.judged(pages)
    assert "here is curated with tiny-weak." in summary.headline(judged, pages)[0]
    assert summary.open_finding(pages, summary.undecided(pages)) == []


def test_sentences_are_quoted_with_the_page_that_has_them():
    told = [
        Page(f"14_selectit.{name}", None, said, (), {}, {})
        for name, said in (("a", ("The model cannot rate: x.",)), ("b", ("It can.",)))
    ]
    advice = guidance.guide(Pages(tuple(told)))
    assert advice[["because", "page"]].to_numpy().tolist() == [["“The model cannot rate: x.”", "14_selectit.a"]]


@pytest.mark.parametrize(("verdict", "what"), [(WORSE, "leave IFD out"), (UNDECIDED, "give it pre-experience")])
def test_pre_experience_is_advised_only_where_it_was_not_worse(monkeypatch, verdict, what):
    page = Page("13_ifd", None, ("IFD sets aside 60 % of the rows.",), (), {}, {})
    table = pd.DataFrame({"method": ["ifd(pre_experience=True, clusters=50)", "ifd"], "verdict": [verdict, WORSE]})
    monkeypatch.setattr(guidance, "main_comparisons", lambda pages: table)
    ((_, advice, _, _),) = guidance._quoted(Pages((page,)))
    assert advice.startswith(what)


@pytest.mark.parametrize(("ends", "what"), [([-3, -1], "do not take"), ([1, 3], "take"), ([-1, 1], None)])
def test_the_longest_answers_are_advised_by_tokens_only_where_all_pools_agree(ends, what):
    lines = [{"report": "33_length_effects", "benchmark": "accuracy", "pool": pool, "what": kind, "estimate": sum(ends) / 200, "low": ends[0] / 100,
              "high": ends[1] / 100, "unit": POINTS, "in": "points"}
             for pool in ("padded", "worked") for kind in (TOKENS, ROWS)]  # fmt: skip
    advised = list(guidance._by_tokens(Planted({("33_length_effects", "pieces"): pd.DataFrame(lines)})))
    assert [line[1] for line in advised] == ([f"{what} the longest answers"] if what else [])
    assert not advised or advised[0][2].count("[") == 2


def test_what_brings_more_is_advised_first():
    lines = [{"report": "32", "budget": 500, "effect": name, "estimate": size, "low": size / 2, "high": 2 * size, "verdict": "raises", "n_parts": 5}
             for name, size in ((QUALITY, 0.02), (DIVERSITY, 0.1))]  # fmt: skip
    advised = list(guidance._built(Planted({("32_diversity_vs_quality", "effects"): pd.DataFrame(lines)})))
    assert [what for _, what, _, _ in advised] == [
        f"cover more skills ({DIVERSITY}: +10.0 points)",
        f"correct more rows ({QUALITY}: +2.0 points)",
    ]


def test_figures_are_drawn_for_one_and_for_many_settings():
    lines = [("ifd", 20, ROWS, 1.0, BETTER), ("zip_compression", 5, TOKENS, -12.0, WORSE)]
    for table in (pages_with(*lines), of_two_settings(lines, lines[:1])):
        fig = summary_figures.comparisons(answers.main_comparisons(table))
        texts = {text.get_text() for ax in fig.axes for text in ax.texts}
        assert {"+1.0", "-12.0"} <= texts and "* at random's tokens" in fig.get_supxlabel()
    fig = summary_figures.comparisons(answers.main_comparisons(pages_with(lines[0])))
    assert (
        "*" not in fig.get_supxlabel()
        and "rows per skill; in the cells the difference in points" in fig.get_supxlabel()
    )
    assert not any(ax.get_xlabel() for ax in fig.axes)


def test_panels_that_count_something_else_say_it_each():
    table = answers.main_comparisons(of_two_settings([("ifd", 20, ROWS, 1.0, BETTER)], [("ifd", 20, ROWS, 1.0, WORSE)]))
    wild = table["report"].str.endswith("wild")
    table.loc[wild, ["kind", "unit", "in"]] = ["cluster", NATS.name, NATS.short]
    fig = summary_figures.comparisons(table)
    told = [" ".join(ax.get_xlabel().split()) for ax in fig.axes]
    assert told == ["rows per skill; in the cells the difference in points",
                    f"rows per cluster; in the cells the difference in {NATS.short}"]  # fmt: skip
    assert "skill" not in fig.get_supxlabel()


def test_every_claim_has_a_mark_and_verdicts_stand_clear_of_one_another():
    style.use()
    fig = summary_figures.claims(claims.judged(Pages(())))
    assert len(fig.axes[0].lines) == len(claims.CLAIMS)
    fig.canvas.draw()
    boxes = [name.get_window_extent() for name in fig.axes[0].get_xticklabels()]
    assert all(left.x1 + 3 < right.x0 for left, right in itertools.pairwise(boxes))


def test_what_is_undecided_stands_by_the_runs_that_would_decide_it():
    read = pages_with(("kmeans", 20, ROWS, 0.1, UNDECIDED), ("token_length", 20, ROWS, -10.0, UNDECIDED),
                      ("cross_entropy", 20, ROWS, -9.0, NO_VERDICT), ("ifd", 20, ROWS, -9.0, WORSE))  # fmt: skip
    left = summary.undecided(read)
    assert left["method"].tolist() == ["Token length", "Cross-entropy", "K-means (Token length)"]
    assert 3 <= int(left[summary.RUNS].iloc[0]) < 20
    assert left[summary.RUNS].iloc[-1] == "more than 1,000"


def test_text_of_other_pages_does_not_act_in_markdown():
    table = pd.DataFrame({"claim": ["a | b <script>"]})
    text = summary.as_markdown(table, pd.DataFrame(), pd.DataFrame(), Pages(()), ["*x*"])
    assert "| claim |\n| --- |\n| a \\| b &lt;script> |\n" in text
    assert "- \\*x\\*" in text


@pytest.mark.parametrize(
    ("said", "written"),
    [
        ("see [click](http://x) and [a][b]", r"see [click\](http://x) and [a\][b]"),
        ("[a]: http://x", r"\[a]: http://x"),
        ("`code` and _both_ __all__", r"\`code\` and \_both\_ \_\_all\_\_"),
        ("30_versus_random +1.5 [-0.5, +3.5] (3 runs)", "30_versus_random +1.5 [-0.5, +3.5] (3 runs)"),
        ("-3.0 points", "-3.0 points"),
        ("- a", r"\- a"),
        ("## a", r"\## a"),
        ("1. a", r"1\. a"),
        ("10) a", r"10\) a"),
        ("a\n# b", "a # b"),
        ("~~a~~ $x$ &lt;b>", r"\~\~a\~\~ \$x\$ &amp;lt;b>"),
    ],
)
def test_links_code_and_emphasis_of_data_are_plain(said, written):
    text = summary.as_markdown(pd.DataFrame(), pd.DataFrame(), pd.DataFrame(), Pages(()), [said])
    assert f"\n- {written}\n" in text
