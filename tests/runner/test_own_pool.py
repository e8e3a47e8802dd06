"""A pool of one's own: the profile's values for it, and what its size allows, said before anything starts."""

import json
from pathlib import Path

import pytest

from analysis.pools import load_parts
from analysis.pools.held_out import set_apart
from analysis.runner.__main__ import run
from analysis.runner.plan import find_notebooks, make_plan
from analysis.runner.profile import Profile, load_profile
from analysis.runner.rows_of_parts import parts_told

VALUES = {"limit": 1500, "budget": 160, "parts": 3}
PROFILE = Profile("some", VALUES, {"10_random": [{"budget": 80}]}, own_pool={"limit": 600, "budget": 10})


def file_of(folder: Path, n_rows: int) -> str:
    path = folder / "mine.jsonl"
    path.write_text(
        "".join(json.dumps({"prompt": f"What is {n}?", "response": f"It is {n * 7}."}) + "\n" for n in range(n_rows))
    )
    return str(path)  # fmt: skip


def values(pool: str, name: str = "30", **overrides) -> dict:
    (job,) = make_plan(find_notebooks([name]), PROFILE, {"pool": pool, **overrides})
    return {name: job.parameters[name] for name in VALUES}


def test_values_for_ones_own_pool_stand_before_those_of_a_notebook_and_of_the_command_line(tmp_path):
    mine = file_of(tmp_path, 10)
    assert values("wild") == VALUES
    assert values(mine) == values("someone/rows") == {"limit": 600, "budget": 10, "parts": 3}
    assert values(mine, "10_random")["budget"] == 80 and values(mine, budget=50)["budget"] == 50


def test_quick_gives_a_file_of_2000_rows_three_parts(tmp_path):
    plan = make_plan(find_notebooks([]), load_profile("quick"), {"pool": file_of(tmp_path, 2000)})
    (told,) = parts_told(plan, dry=True)
    assert told.startswith("mine: 2,000 rows, ") and "; 3 parts of 6" in told and "for a budget of 150" in told
    assert parts_told(make_plan(find_notebooks([]), load_profile("quick"), {})) == []


@pytest.mark.parametrize("n_rows, parts", [(40, 1), (100, 2)])
def test_a_file_that_is_too_small_for_a_verdict_is_told_the_budget_that_fits(tmp_path, n_rows, parts):
    mine = file_of(tmp_path, n_rows)
    (told,) = parts_told(make_plan(find_notebooks(["30"]), PROFILE, {"pool": mine}), dry=True)
    assert f"; {parts} part" in told and "NO VERDICT will be given: it takes 3 parts of at least 4 times" in told
    budget = int(told.split("-p budget ")[1].split()[0])
    made = [load_parts(mine, parts=3, fewest=4 * one, cache=tmp_path / "pools") for one in (budget, budget + 1)]
    assert [len(cut) for cut in made] == [3, 2]


@pytest.mark.parametrize("n_rows, few", [(10, True), (300, True), (1200, False)])
def test_too_few_held_out_rows_for_a_verdict_are_told(tmp_path, n_rows, few):
    mine = file_of(tmp_path, n_rows)
    (told,) = parts_told(
        make_plan(find_notebooks(["30"]), PROFILE, {"pool": mine, "limit": 5000, "budget": 1}), dry=True
    )
    n_scored = int((~set_apart(load_parts(mine, parts=1, cache=tmp_path / "pools")[0].held_out)).sum())
    assert (n_scored < 30) == few
    line = f"NO VERDICT by the loss of held-out answers: it takes 30 held-out rows to score, and there are {n_scored}"
    assert (line in told) == few == ("NO VERDICT by" in told)


def test_parts_of_a_confirmation_are_told_too(tmp_path):
    overrides = {"pool": file_of(tmp_path, 900), "limit": 5000, "confirm": 4}
    (told,) = parts_told(make_plan(find_notebooks(["11", "30"]), PROFILE, overrides), dry=True)
    assert "; 7 parts of" in told


def test_rows_set_aside_fields_and_files_that_are_not_read_are_told(tmp_path):
    mine = Path(file_of(tmp_path, 90))
    rows = [*mine.read_text().splitlines(), '{"prompt": "no answer"}', '{"prompt": "a", "response": "b", "why": "c"}']
    mine.write_text("\n".join(rows))
    (tmp_path / "dev.jsonl").write_text(rows[0])
    (told,) = parts_told(make_plan(find_notebooks(["30"]), PROFILE, {"pool": str(tmp_path)}), dry=True)
    lines = [" ".join(line.split()) for line in told.splitlines()]
    assert "92 rows read" in lines and "1 row read: field not read: why" in lines
    assert sum(line.startswith("1 row set aside: ") for line in lines) == 1
    assert any(line.startswith("not read: ") and line.endswith("dev.jsonl: dev split") for line in lines), lines


def test_what_a_limit_leaves_out_is_told(tmp_path):
    plan = make_plan(find_notebooks(["30"]), PROFILE, {"pool": file_of(tmp_path, 900)})
    (told,) = parts_told(plan, dry=True)
    assert "900 rows, " in told and "(300 over the limit of 600, see -p limit)" in told


def test_a_dry_run_tells_it_first_and_keeps_nothing(tmp_path, capsys):
    run(["30"], "quick", {"pool": file_of(tmp_path, 100)}, reports=tmp_path / "reports", dry=True)
    first, second = capsys.readouterr().out.splitlines()[:2]
    assert first.startswith("mine: 100 rows, ") and "; 1 part of" in first and "NO VERDICT" in second
    assert [path.name for path in tmp_path.iterdir()] == ["mine.jsonl"]
