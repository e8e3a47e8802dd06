"""Timings of selections: at every size, alone and with sharing, made once and published with the runs."""

import json
from dataclasses import replace

import pytest

from analysis.experiments import grid, timings
from analysis.experiments.timings import ALONE, SHARED, timed
from analysis.runner import publish as command
from analysis.store import publishing
from analysis.store.published import Published, log, read
from analysis.store.store import Store
from tests.experiments.test_remaking import here  # noqa: F401  # a fixture
from tests.experiments.test_workbench import LONGEST, N_ROWS, make_workbench

BUDGET, SIZES = 8, [20, N_ROWS, 1000]
METHODS = ["token_length", "cross_entropy", "superfiltering"]  # to the last no row of these is of use


def workbench(folder, published=None):
    work = make_workbench(folder, n_parts=1, max_tokens=400)
    return replace(work, store=Store(folder, published), prepared={"pool": "forty rows"})


def refused(monkeypatch) -> None:
    monkeypatch.setattr(timings.calls, "select", lambda *_, **__: pytest.fail("timed again"))


def test_every_size_is_timed_alone_and_with_sharing(tmp_path):
    found = timed(workbench(tmp_path), METHODS, BUDGET, SIZES)
    assert sorted(found.table["rows"].unique()) == [20, N_ROWS] and set(found.table["cost"]) == {ALONE, SHARED}
    assert len(found.table) == 2 * 2 * 2 and (found.table["seconds"] > 0).all()
    assert (found.counted.rows, found.counted.budget) == (N_ROWS, BUDGET)
    assert list(found.stages) == ["token_length", "cross_entropy"]
    assert found.stages["token_length"] == {} and len(found.stages["cross_entropy"]) == 1
    assert found.made_on.startswith("cpu ")


def test_what_was_timed_is_read_and_other_questions_are_timed(tmp_path, monkeypatch):
    work = workbench(tmp_path)
    before = timed(work, METHODS, BUDGET, SIZES)
    with monkeypatch.context() as patched:
        refused(patched)
        after = timed(work, METHODS, BUDGET, SIZES)
        assert after.table.equals(before.table) and after.stages == before.stages and after.made == before.made
        for asked in ((METHODS[:2], BUDGET, SIZES), (METHODS, BUDGET, SIZES[:1]), (METHODS, BUDGET + 1, SIZES)):
            with pytest.raises(pytest.fail.Exception, match="timed again"):
                timed(work, *asked)
    assert timed(work, METHODS[:1], BUDGET, SIZES).table["method"].unique().tolist() == METHODS[:1]


def test_a_clone_reads_published_timings_also_with_other_code_whose_scores_are_equal(here, monkeypatch):  # noqa: F811
    work, path = workbench(here / "results"), here / "runs" / "tiny.parquet"
    made = timed(work, METHODS, BUDGET, SIZES)
    grid.run(work, grid.plan(work, [LONGEST], 8, n_draws=3), with_base=True, show_progress=False)
    assert command.main(["--profile", "tiny"]) == 0
    lines = read(path).to_pylist()
    for line in lines:
        line["settings"] = json.dumps(json.loads(line["settings"]) | {"code": "yesterday"})
        line["key"] = f"old {line['key']}"
    publishing.write(path, lines)
    monkeypatch.setattr("analysis.experiments.remaking._workbench", lambda prepared: work)
    assert command.main(["--profile", "tiny", "--rekey"]) == 0
    log.clear()
    refused(monkeypatch)
    found = timed(workbench(here / "clone", Published(here / "runs")), METHODS, BUDGET, SIZES)
    assert found.table.equals(made.table) and found.stages == made.stages and len(log.made["timings"]) == 1
