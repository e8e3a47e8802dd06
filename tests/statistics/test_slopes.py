"""Slopes within parts: by hand, with the verdict that their interval gives."""

import numpy as np
import pandas as pd
import pytest

from analysis.statistics import NO_VERDICT, UNDECIDED
from analysis.statistics.slopes import FALLS, GROWS, slopes


def values(by_part, at=(-3.0, -2.0, -1.0), method="one"):
    lines = [(method, part, *pair) for part, own in enumerate(by_part) for pair in zip(at, own, strict=True)]
    return pd.DataFrame(lines, columns=["method", "part", "at", "value"])


def test_a_slope_is_the_mean_of_the_parts_own_with_students_interval():
    # Within parts the slopes are -1, -2 and -3 whatever the parts' levels: mean -2, standard error 1 / sqrt(3).
    found = slopes(values([(9, 8, 7), (0, -2, -4), (5, 2, -1)])).iloc[0]
    assert found["estimate"] == pytest.approx(-2)
    half = 4.302653 / np.sqrt(3)  # Student's t at 2 degrees of freedom
    assert (found["low"], found["high"]) == (pytest.approx(-2 - half), pytest.approx(-2 + half))
    assert (found["n_parts"], found["n_places"], found["verdict"]) == (3, 3, UNDECIDED)


def test_it_is_that_of_least_squares_at_uneven_places():
    at = (-4.0, -1.5, -1.0, 0.0)
    own = (0.3, 0.1, -0.2, 0.05)
    expected = np.polyfit(at, own, 1)[0]
    assert slopes(values([own, own], at)).iloc[0]["estimate"] == pytest.approx(expected)


@pytest.mark.parametrize(("sign", "verdict"), [(1, GROWS), (-1, FALLS)])
def test_what_all_parts_agree_on_is_decided(sign, verdict):
    wanted = [tuple(sign * np.arange(3) * (1 + 0.01 * part)) for part in range(4)]
    assert slopes(values(wanted)).iloc[0]["verdict"] == verdict


def test_two_parts_give_no_verdict_and_one_no_interval():
    assert slopes(values([(0, 1, 2), (0, 1, 2.01)])).iloc[0]["verdict"] == NO_VERDICT
    alone = slopes(values([(0, 1, 2)])).iloc[0]
    assert alone["estimate"] == pytest.approx(1) and np.isinf(alone["low"])


def test_a_part_at_one_place_has_no_slope():
    lines = pd.concat(
        [
            values([(0, 1, 2), (0, 2, 4)]),
            pd.DataFrame([("one", 2, -1.0, 99.0)], columns=["method", "part", "at", "value"]),
        ]
    )
    found = slopes(lines).iloc[0]
    assert (found["estimate"], found["n_parts"]) == (pytest.approx(1.5), 2)


def test_more_methods_make_each_less_certain():
    own = values([(9, 8, 7), (0, -2, -4), (5, 2, -1)])
    both = slopes(pd.concat([own, own.assign(method="two")]))
    assert both["low"].iloc[0] < slopes(own)["low"].iloc[0]
