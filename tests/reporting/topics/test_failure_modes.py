"""Failure modes: thresholds, intervals over parts, slopes over tenfold rows."""

import numpy as np
import pandas as pd
import pytest

from analysis.methods import RANDOM
from analysis.reporting.topics import failure_modes, growing_pool
from analysis.reporting.topics.failure_modes import ABSENT, MODES, OPEN, SHOWN
from tests.experiments.test_workbench import LONGEST, make_workbench

SIZES = (100, 1000, 10_000)


def statistics(values, statistic="faulty rows", random=0.10):
    """Lines for three parts: `values` by pool rows and part, random draws alike in all parts."""
    lines = [(np.nan, part, RANDOM, part, statistic, random) for part in range(3)]
    lines += [(size, part, LONGEST, 0, statistic, value)
              for size, of_size in values.items() for part, value in enumerate(of_size)]  # fmt: skip
    return pd.DataFrame(lines, columns=["pool rows", "part", "method", "draw", "statistic", "value"])


def found_of(values, statistic="faulty rows", random=0.10):
    relative = failure_modes.relative(statistics({1000: values}, statistic, random))
    return failure_modes.shown(relative).set_index("mode")


@pytest.mark.parametrize(
    "values, found", [([0.30, 0.31, 0.32], SHOWN), ([0.10, 0.11, 0.12], ABSENT), ([0.05, 0.30, 0.15], OPEN)]
)
def test_a_mode_is_shown_where_the_interval_is_wholly_beyond_the_threshold(values, found):
    line = found_of(values).loc["takes faulty rows"]
    assert line["found"] == found and line["value"] == pytest.approx(np.mean(values) - 0.10) and line["parts"] == 3
    assert line["low"] < line["value"] < line["high"]


def test_ratios_go_both_ways_and_long_and_short_answers_are_two_modes():
    few = found_of([2.0, 2.1, 2.2], "effective skills", random=8.0)
    assert few.loc["leaves skills out", "found"] == SHOWN and few.loc["leaves skills out", "value"] == pytest.approx(
        2.1 / 8
    )
    short = found_of([3.0, 3.1, 3.2], "median answer tokens", random=30.0)
    assert short.loc["takes short answers", "found"] == SHOWN and short.loc["takes long answers", "found"] == ABSENT


def test_one_part_gives_a_value_and_no_claim():
    one = statistics({1000: [0.9]})
    line = failure_modes.shown(failure_modes.relative(one[one["part"] == 0])).iloc[0]
    assert line["value"] == pytest.approx(0.8) and np.isnan(line["low"]) and line["found"] == OPEN


@pytest.mark.parametrize("by_tenfold, grows", [(0.1, "worse"), (-0.02, "better"), (0.0, "not shown")])
def test_the_slope_is_the_change_for_ten_times_the_rows(by_tenfold, grows):
    values = {size: [0.2 + by_tenfold * np.log10(size / 100) + noise for noise in (-0.001, 0.0, 0.001)]
              for size in SIZES}  # fmt: skip
    values[100][0] += 0.002  # parts that are exactly alike in slope would leave no interval
    line = failure_modes.slopes(failure_modes.relative(statistics(values))).iloc[0]
    assert line["slope"] == pytest.approx(by_tenfold, abs=1e-3) and line["grows"] == grows and line["parts"] == 3


def test_methods_are_measured_on_all_rows_of_their_part_at_every_size(tmp_path):
    work = make_workbench(tmp_path, n_parts=2)
    sizes = growing_pool.usable_sizes(work, [8, 20, 30, 500], 8)
    assert sizes == [20, 30, 40]
    draws = growing_pool.planned(work, [LONGEST], 8)
    found = growing_pool.measured(work, sizes, [LONGEST], 8, draws)
    of_method = found[(found["method"] == LONGEST) & (found["statistic"] == "median answer tokens")]
    assert set(of_method["pool rows"]) == set(sizes) and of_method["part"].value_counts().tolist() == [3, 3]
    for part in work.parts:  # the longest of more rows are no shorter
        by_size = of_method[of_method["part"] == part.part].set_index("pool rows")["value"]
        assert by_size.loc[20] <= by_size.loc[30] <= by_size.loc[40]
        same = found[(found["method"] == RANDOM) & (found["part"] == part.part)].set_index("statistic")["value"]
        assert same["median answer tokens"] == by_size.loc[40]  # the planned runs are these very rows


def test_sentences_name_the_difference_the_modes_and_what_grows():
    values = {size: [0.3 + 0.1 * place + 0.001 * part for part in range(3)] for place, size in enumerate(SIZES)}
    relative = failure_modes.relative(statistics(values))
    found, grown = failure_modes.shown(relative), failure_modes.slopes(relative)
    differences = pd.DataFrame([
        {"benchmark": "accuracy", "method": LONGEST, "pool rows": 10_000, "unit": "share correct", "estimate": -0.12,
         "low": -0.2, "high": -0.04, "n_runs": 3, "n_random": 9},
    ])  # fmt: skip
    (said,) = failure_modes.why(found, grown, differences)
    assert (
        "is below random on accuracy, -12.0 points (95 % interval -20.0 to -4.0; 3 runs, 9 random ones); it takes faulty"
        in said
    )
    assert said.endswith("worse as the pool grows: it takes faulty rows.")
    (untrained,) = failure_modes.why(found, grown, differences.iloc[:0])
    assert "was not trained here; it takes faulty rows" in untrained
    small = differences.assign(**{"pool rows": 100, "estimate": 0.02, "low": -0.02, "high": 0.06})
    said = failure_modes.growth_finding(grown, pd.concat([differences, small]), SIZES, "10 rows (2 rows per skill)")
    assert said == (
        "With 10 rows (2 rows per skill) from 100 to 10,000 rows to select from, below random on accuracy: 0 of 1 methods from 100 "
        "and 1 from 10,000; worse as the pool grows: takes faulty rows (1 of 1 methods)."
    )
    untold = failure_modes.growth_finding(grown.assign(grows="not shown"), differences, SIZES, "10 rows")
    assert (
        untold
        == "With 10 rows from 100 to 10,000 rows to select from; worse as the pool grows: nothing; for no method: takes faulty rows."
    )
    assert "●" in failure_modes.matrix(found).loc["takes faulty rows", "Token length"]


def test_what_never_changes_neither_grows_nor_shrinks():
    """A method without chance keeps all rows with another seed at every size: its slope is the rounding of a fit."""
    values = {100: [1.0] * 3, 1000: [1.0] * 3, 28_491: [1.0] * 3}
    (line,) = failure_modes.slopes(failure_modes.relative(statistics(values, "rows kept with another seed"))).to_dict(
        "records"
    )
    assert line["slope"] == line["low"] == line["high"] == 0 and line["grows"] == "not shown"


def test_every_mode_has_a_rule_in_words():
    assert len({mode.name for mode in MODES}) == len(MODES)
    assert MODES[1].rule == "effective skills over random's below 0.67"


def test_half_and_twice_are_equally_far_when_ratios_change():
    values = {100: [30.0, 30.0, 30.3], 10_000: [60.0, 60.0, 60.3]}
    grown = failure_modes.slopes(failure_modes.relative(statistics(values, "median answer tokens", random=30.0)))
    by_mode = grown.set_index("mode")
    assert by_mode.loc["takes long answers", "slope"] == pytest.approx(np.log10(2) / 2, abs=1e-2)
    assert failure_modes.growth_table(grown)["Token length"].str[-1].tolist() == ["▲", "▽"]
    assert by_mode["grows"].to_dict() == {"takes long answers": "worse", "takes short answers": "better"}
