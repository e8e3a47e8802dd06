from types import SimpleNamespace

import numpy as np
import pytest

from analysis.features.arrays import TokenLosses
from analysis.methods import ifd as method
from analysis.methods.selection import Selection
from analysis.reporting.topics import ifd

TUNED = "ifd(pre_experience=True, clusters=50)"


def chosen(aside, n_rows=90):
    return Selection(np.array([0]), np.zeros(n_rows), {method.NO_HELP: aside, method.NOT_SCORED: 5})


@pytest.mark.parametrize("aside, warned", [(30, False), (31, True), (49, True)])
@pytest.mark.parametrize("name", ["ifd", "ifd(variant='released')"])
def test_a_base_that_follows_no_instruction_is_told_without_pre_experience(name, aside, warned):
    selections = {name: chosen(aside), TUNED: chosen(80), "superfiltering": chosen(80)}
    selections["token_length"] = Selection(np.array([0]), np.zeros(90))
    selections["kmeans"] = Selection(np.array([0]))
    said = ifd.unfollowed(selections)
    assert len(said) == warned
    if warned:
        assert f"sets aside {aside / 90:.0%}".replace("%", " %") in said[0] and "pre_experience=True" in said[0]


def test_rows_of_which_a_scored_turn_stands_after_a_cut_prompt_are_counted():
    # Row 0: the second turn is cut; row 1: only a turn of which nothing is left; row 2: none; row 3: both.
    row, cut = np.array([0, 0, 1, 1, 2, 3, 3]), np.array([0, 1, 0, 1, 0, 1, 1], dtype=bool)
    count, losses = np.array([5, 2, 3, 0, 4, 1, 1]), np.ones(7)
    found = TokenLosses(4, row, count, losses, losses, losses, prompt_cut=cut)
    features = SimpleNamespace(token_losses=lambda: found, n_rows=4, max_tokens=1024)
    assert ifd.cut_prompts(features).startswith(
        "2 of 4 rows are scored after a prompt whose beginning was cut to fit 1,024"
    )
