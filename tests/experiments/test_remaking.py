"""From a grid to a published file and back: nothing is trained again, and other code's runs are used only once remade."""

import json
from dataclasses import replace

import numpy as np
import pytest

from analysis.experiments import grid, remaking, selecting
from analysis.runner import publish as command
from analysis.store import publishing
from analysis.store.published import Published, log, packed, read, unpacked
from analysis.store.store import Store
from tests.experiments.test_workbench import LONGEST, make_workbench

RUN, REPORT = "tiny", "30_versus_random"


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder whose results/ and runs/ are the project's, inside a report of the runner."""
    read.cache_clear()
    log.clear()
    monkeypatch.setattr(publishing, "RESULTS", tmp_path / "results")
    monkeypatch.setattr(command, "RESULTS", tmp_path / "results")
    monkeypatch.setattr(command, "PUBLISHED", tmp_path / "runs")
    monkeypatch.setenv(publishing.RUN, RUN)
    monkeypatch.setenv(publishing.REPORT, REPORT)
    return tmp_path


def workbench(folder, published=None):
    work = make_workbench(folder)
    store = Store(folder, published)
    parts = [replace(part, store=store, prepared={"pool": "forty rows"}) for part in work.parts]
    return replace(parts[0], others=tuple(parts[1:]))


def grid_of(work):
    runs = grid.plan(work, [LONGEST], 8, n_draws=2)
    return grid.run(work, runs, with_base=True, show_progress=False)


def test_a_clone_reads_published_runs_and_trains_nothing(here, monkeypatch):
    made = grid_of(workbench(here / "results"))
    assert command.main(["--profile", RUN]) == 0
    log.clear()
    monkeypatch.setattr(grid, "finetune", lambda *arguments, **options: pytest.fail("trained again"))
    read_back = grid_of(workbench(here / "clone", Published(here / "runs")))
    assert read_back.table.equals(made.table) and read_back.groups == made.groups
    for before, after in zip(made.runs["items"], read_back.runs["items"], strict=True):
        assert before.tobytes() == after.tobytes() and before.dtype == after.dtype
    assert len(log.made["runs"]) == len(log.asked["runs"]) == 5
    assert not list((here / "clone").rglob("*.npz"))
    lines = [line for line in read(here / "runs" / f"{RUN}.parquet").to_pylist() if line["kind"] == "runs"]
    assert sorted(line["method"] for line in lines) == ["base", *["random_selection"] * 2, *[LONGEST] * 2]
    assert all(line["pool"] == "forty rows" and line["reports"] == [REPORT] for line in lines)


def of_other_code(path) -> list[dict]:
    """What is published as code of yesterday would have left it, which made the pool's fingerprint in another way."""
    lines = read(path).to_pylist()
    for line in (line for line in lines if line["settings"]):
        line["settings"] = json.dumps(json.loads(line["settings"]) | {"code": "yesterday", "pool": "old"})
        line["key"] = f"old {line['key']}"
    publishing.write(path, lines)
    return lines


def test_runs_of_other_code_get_new_keys_only_if_a_sample_has_equal_scores(here, monkeypatch, capsys):
    work = workbench(here / "results")
    made = grid_of(work)
    assert command.main(["--profile", RUN]) == 0
    path = here / "runs" / f"{RUN}.parquet"
    keys = sorted([*log.asked["runs"], *log.asked["selections"]])
    lines = of_other_code(path)
    assert Published(path.parent).record("runs", sorted(log.asked["runs"])[0]) is None
    monkeypatch.setattr(remaking, "_workbench", lambda prepared: work)
    wrong = [dict(line) for line in lines]
    for line in (line for line in wrong if line["method"] == LONGEST and line["kind"] == "runs"):
        line["arrays"] = [one if one["name"] == "rows" else {"name": one["name"]} | packed(unpacked(one) + np.float32(0.01))
                          for one in line["arrays"]]  # fmt: skip
    publishing.write(path, wrong)
    assert command.main(["--profile", RUN, "--rekey"]) == 1
    assert read(path).to_pylist() == wrong and "differs by at most 0.01" in capsys.readouterr().out
    publishing.write(path, lines)
    assert command.main(["--profile", RUN, "--rekey"]) == 0
    assert "9 runs and selections re-keyed" in capsys.readouterr().out
    assert sorted(line["key"] for line in read(path).to_pylist() if line["settings"]) == keys
    monkeypatch.setattr(selecting, "made", lambda *asked: pytest.fail("selected again"))
    assert grid_of(workbench(here / "clone", Published(path.parent))).table.equals(made.table)


@pytest.mark.parametrize("array", ["rows", "scores"])
def test_selections_of_other_code_get_new_keys_only_if_the_same_rows_are_selected(here, monkeypatch, capsys, array):
    work = workbench(here / "results")
    grid_of(work)
    command.main(["--profile", RUN])
    path = here / "runs" / f"{RUN}.parquet"
    monkeypatch.setattr(remaking, "_workbench", lambda prepared: work)
    lines = of_other_code(path)
    for line in (line for line in lines if line["method"] == LONGEST and line["kind"] == "selections"):
        line["arrays"] = [{"name": one["name"]} | packed(unpacked(one)[::-1].copy()) if one["name"] == array else one
                          for one in line["arrays"]]  # fmt: skip
    publishing.write(path, lines)
    assert command.main(["--profile", RUN, "--rekey"]) == 1
    assert read(path).to_pylist() == sorted(lines, key=lambda line: (line["kind"], line["key"]))
    assert "or other rows are selected" in capsys.readouterr().out


def test_a_selection_published_without_its_settings_gets_them_with_the_next_publishing(here):
    grid_of(workbench(here / "results"))
    command.main(["--profile", RUN])
    path = here / "runs" / f"{RUN}.parquet"
    described = read(path).to_pylist()
    told = ("method", "settings", "prepared", "part", "budget", "design", "pool", "base")
    bare = [line | (dict.fromkeys(told) if line["kind"] == "selections" else {}) for line in described]
    publishing.write(path, bare)
    assert command.main(["--profile", RUN]) == 0 and read(path).to_pylist() == described


def test_what_cannot_be_made_again_is_not_used(here, monkeypatch, capsys):
    grid_of(workbench(here / "results"))
    command.main(["--profile", RUN])
    of_other_code(here / "runs" / f"{RUN}.parquet")
    monkeypatch.setattr(remaking, "_workbench", lambda prepared: make_workbench(here, seed=0, max_tokens=32))
    assert command.main(["--profile", RUN, "--rekey"]) == 2
    assert (
        "of 9 runs and selections of other code 4 could be made again, none of the family 'base'"
        in capsys.readouterr().err
    )


def test_one_grade_in_200_may_differ_and_losses_by_little():
    grades = np.tile(np.array([0, 1], dtype=np.float32), 200)
    regraded = grades.copy()
    regraded[:2] = 1 - regraded[:2]
    assert remaking._largest(grades, regraded) == 0
    regraded[2] = 1 - regraded[2]
    assert remaking._largest(grades, regraded) == np.inf
    assert remaking._largest(grades, grades) == 0 and remaking._largest(grades, 1 - grades) == np.inf
    assert remaking._largest(np.array([-2.0, np.nan]), np.array([-2.5, np.nan])) == 0.5
    assert remaking._largest(np.array([-2.0, np.nan]), np.array([-2.0, 1.0])) == np.inf


def test_a_run_whose_pool_is_not_on_this_machine_is_told_apart_and_not_made_again(here):
    work = workbench(here / "results")
    moved = replace(work, prepared={"pool": str(here / "gone.jsonl"), "model": "tiny-weak"})
    grid.run(moved, grid.plan(moved, [], 8, n_draws=1), show_progress=False)
    assert command.main(["--profile", RUN]) == 0
    line = next(line for line in read(here / "runs" / f"{RUN}.parquet").to_pylist() if line["prepared"])
    assert remaking.difference(line) is None and not remaking.of_other_code(line)


def test_a_run_whose_benchmark_asks_for_a_package_that_is_not_here_is_not_made_again(monkeypatch):
    prepared = {"pool": "curated", "limit": 60, "budget": 8, "model": "tiny-weak", "benchmarks": ["ifeval(limit=2)"]}
    monkeypatch.setattr(remaking.util, "find_spec", lambda name: None)
    assert remaking._workbench.__wrapped__(json.dumps(prepared)) is None
