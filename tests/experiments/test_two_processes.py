"""A grid made by two processes of a launch: they train every run together, and the first stores it for both."""

import json

import pytest

from analysis.methods import BASE, RANDOM
from tests.experiments.grid_by_two import LONGEST, made
from tests.two_processes import SECONDS, launched


@pytest.mark.slow
@pytest.mark.timeout(2 * SECONDS)
def test_two_processes_make_the_grid_that_one_makes(tmp_path):
    launched("tests.experiments.grid_by_two", str(tmp_path / "two"))
    first, second = (json.loads((tmp_path / "two" / f"results.{rank}").read_text(encoding="utf-8")) for rank in "01")
    alone = made(tmp_path / "one").table
    assert (first["stored"], second["stored"]) == (len(alone), 0)
    assert first["methods"] == second["methods"] == list(alone["method"])
    assert first["scores"] == second["scores"] == first["again"] == second["again"]
    # To select by training can end in other rows: an incomplete last batch is filled up with rows for all processes.
    same = [place for place, method in enumerate(alone["method"]) if method in (BASE, RANDOM, LONGEST)]
    scores = alone["score"].to_numpy()
    assert [first["scores"][place] for place in same] == pytest.approx(scores[same], rel=1e-4)
    assert len(same) == len(set(scores[same])) == 5
