"""Numbers in sentences."""

import math

import pytest

from analysis.experiments.benchmarks.result import POINTS
from analysis.reporting.trained_rows import few
from analysis.reporting.wording import figures, with_interval


@pytest.mark.parametrize(("write", "value", "written"), [
    (few, 2.84, "2.8"), (few, 99.4, "99"), (few, 99.6, "100"), (few, 2000, "2,000"),
    (figures, 0.7744, "0.774"), (figures, 999.4, "999"), (figures, 999.7, "1,000"), (figures, 1426.2, "1,426"),
])  # fmt: skip
def test_no_large_number_of_a_sentence_is_in_scientific_notation(write, value, written):
    assert write(value) == written


@pytest.mark.parametrize("end", [math.nan, math.inf])
def test_an_estimate_of_one_run_has_no_interval(end):
    line = {"estimate": 0.02, "low": -end, "high": end}
    assert with_interval(line, POINTS.name) == "+2.0 (without an interval)"
    assert with_interval(line | {"low": -0.01, "high": 0.05}, POINTS.name) == "+2.0 [-1.0, +5.0]"
