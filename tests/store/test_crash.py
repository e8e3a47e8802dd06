"""A few kills and damaged files of `tests.crash`, which makes many by hand."""

import multiprocessing

import numpy as np
import pytest

from tests import crash

CAN_FORK = "forkserver" in multiprocessing.get_all_start_methods()
pytestmark = [pytest.mark.slow, pytest.mark.skipif(not CAN_FORK, reason="no fork here")]


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The folder of a finished comparison, and what came of it."""
    folder = crash.new_folder(tmp_path_factory.mktemp("whole"))
    return folder, crash.in_child(folder)


@pytest.mark.parametrize("share", [0.25, 0.6, 0.95])
def test_what_a_killed_run_left_is_gone_on_with(whole, tmp_path, share):
    _, expected = whole
    assert expected["moments"] > 80 and expected["trained"] == 4
    assert crash.killed(tmp_path, round(share * expected["moments"]), expected) == ""


def test_damaged_files_are_made_again(whole):
    folder, expected = whole
    random = np.random.default_rng(1)
    assert [told for _ in range(5) if (told := crash.damaged(folder, random, expected))[1]] == []


def test_other_numbers_and_runs_made_twice_are_told(whole, tmp_path):
    _, expected = whole
    other = expected | {"made": expected["made"] | {"table": "another"}}
    assert "other numbers in table" in crash.killed(tmp_path, 60, other)
    assert "trained again" in crash.killed(tmp_path, expected["moments"] - 2, expected | {"trained": 2})
