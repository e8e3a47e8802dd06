"""`python -m analysis.select`: the rows of the grid as files, resumed where it was stopped, refused in one line."""

import json
import runpy
import shutil
import sys

import pandas as pd
import pytest

from analysis.experiments import estimating
from analysis.experiments.workbench import prepare
from analysis.models.training import pool_base
from analysis.pools import load_pool
from analysis.select import main
from analysis.store.store import Store

N_ROWS = 60
KMEANS = 'kmeans(inside="cross_entropy", clusters=2)'


class Noting(Store):
    """A store that notes the kinds it is given, and can be interrupted before it keeps one."""

    def __init__(self, root, interrupted_by: str = "") -> None:
        super().__init__(root)
        self.kept, self.interrupted_by = [], interrupted_by

    def save_arrays(self, kind, key, **arrays) -> None:
        if kind == self.interrupted_by:
            raise KeyboardInterrupt
        self.kept.append(kind)
        super().save_arrays(kind, key, **arrays)


@pytest.fixture
def data(tmp_path):
    rows = [{"prompt": f"What is {n}?", "response": f"It is {n}." + " Yes!" * (n * 7 % 31)} for n in range(N_ROWS)]
    path = tmp_path / "data.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def command(data, *more, method="token_length", budget=8, out="subset.jsonl") -> list[str]:
    methods = [text for one in ([method] if isinstance(method, str) else method) for text in ("--method", one)]
    asked = ["--pool", data, "--model", "tiny-weak", "--budget", budget, "--out", data.parent / out]
    return [str(text) for text in (*asked, *methods, *more)]


@pytest.mark.parametrize("unit, budget", [("rows", 5), ("tokens", 300)])
@pytest.mark.parametrize("method", ["random_selection", "token_length"])
def test_the_rows_are_those_of_the_grid(data, tmp_path, method, unit, budget):
    store = Store(tmp_path / "store")
    parts = ("--parts", "2", "--part", "1", "--unit", unit)
    assert main(command(data, *parts, method=method, budget=budget), store) == 0
    work = prepare(str(data), model="tiny-weak", parts=2, budget=5, store=store).with_part(1)
    expected = work.select(method, budget, budget_unit=unit)
    ids = [work.pool.rows[int(row)]["id"] for row in expected.rows]
    assert data.with_name("subset.ids.txt").read_text().split() == ids and len(ids) > 1
    told = json.loads(data.with_name("subset.manifest.json").read_text())
    assert (told["part"], told["parts"], told["budget"], told["budget_unit"]) == (1, 2, budget, unit)


def test_fields_have_the_names_that_the_owner_gave_them(data, tmp_path):
    data.write_text(data.read_text().replace('"prompt"', '"frage"').replace('"response"', '"antwort"'))
    assert main(command(data, "--fields", "prompt=frage,answer=antwort"), Store(tmp_path / "store")) == 0
    lines = data.with_name("subset.jsonl").read_text().splitlines()
    assert len(lines) == 8 and set(lines) < set(data.read_text().splitlines())


def test_several_methods_have_a_file_each(data, tmp_path):
    methods = ["random_selection", "token_length(direction='shortest')"]
    assert main(command(data, "--format", "messages", method=methods), Store(tmp_path / "store")) == 0
    assert sorted(path.name for path in tmp_path.glob("subset.*.jsonl")) == [
        "subset.random_selection.jsonl", "subset.token_length_direction_shortest.jsonl",
    ]  # fmt: skip
    tokens = [pd.read_csv(path)["tokens"] for path in sorted(tmp_path.glob("subset.*.rows.csv"))]
    assert tokens[1].is_monotonic_increasing and tokens[1].sum() < tokens[0].sum()


def test_fields_and_files_that_are_not_read_are_told_and_stand_in_the_manifest(data, tmp_path, capsys):
    folder = tmp_path / "rows"
    folder.mkdir()
    lines = data.read_text().replace('"}', '", "reasoning": "because"}')
    (folder / "train.jsonl").write_text(lines + '{"prompt": "No answer"}\n')
    (folder / "dev-ops.jsonl").write_text(data.read_text())
    assert main([*command(data), "--pool", str(folder)], Store(tmp_path / "store")) == 0
    told, manifest = capsys.readouterr().out, json.loads(data.with_name("subset.manifest.json").read_text())
    assert "60  rows read: field not read: reasoning" in told and f"not read: {folder}/dev-ops.jsonl: dev split" in told
    assert manifest["noted"]["field not read: reasoning"]["rows"] == 60
    assert manifest["skipped"] == {f"{folder}/dev-ops.jsonl": "dev split"}
    moved = shutil.copytree(folder, tmp_path / "moved")
    assert load_pool(moved).provenance["skipped"] == {f"{moved}/dev-ops.jsonl": "dev split"}  # read before, elsewhere
    assert sum(aside["rows"] for aside in manifest["set aside"].values()) == 1


def test_fewer_parts_than_asked_for_are_told_with_the_budget_that_fits(data, tmp_path, capsys):
    store, parts = Store(tmp_path / "store"), ("--parts", "3")
    assert main(command(data, *parts), store) == 0
    told = capsys.readouterr().out
    assert "3 parts asked for, 1 made" in told and "times the rows of the budget, 32, and there are 57" in told
    manifest = json.loads(data.with_name("subset.manifest.json").read_text())
    assert (manifest["parts"], manifest["parts asked"]) == (1, 3)
    fits = int(told.split("With a budget of up to ")[1].split()[0])
    for budget, made in ((fits, 3), (fits + 1, 2)):
        assert main(command(data, *parts, budget=budget, out=f"of-{made}.jsonl"), store) == 0
        assert json.loads(data.with_name(f"of-{made}.manifest.json").read_text())["parts"] == made
        assert ("parts asked for" in capsys.readouterr().out) == (made < 3)


def test_interrupted_it_goes_on_and_computes_nothing_again(data, tmp_path):
    stopped = Noting(tmp_path / "store", interrupted_by="selections")
    assert main(command(data, method=KMEANS), stopped) == 130
    assert {"token_losses", "embeddings"} <= set(stopped.kept) and not list(tmp_path.glob("subset*"))
    resumed = Noting(tmp_path / "store")
    assert main(command(data, method=KMEANS), resumed) == 0 and resumed.kept == ["selections"]
    fresh = Noting(tmp_path / "fresh")
    assert main(command(data, method=KMEANS, out="fresh.jsonl"), fresh) == 0
    assert data.with_name("fresh.jsonl").read_bytes() == data.with_name("subset.jsonl").read_bytes()


def test_a_dry_run_tells_what_is_stored_and_writes_nothing(data, tmp_path, capsys):
    store = Noting(tmp_path / "store")
    for there in (0, 57):
        assert main(command(data, "--dry-run", method="cross_entropy"), store) == 0
        told = capsys.readouterr().out
        assert f"token_losses: {there} of 57 rows in the store" in told and "time: about" in told and "GiB" in told
        assert "token_losses" not in store.kept[: 1 - there] and not list(tmp_path.glob("subset*"))
        assert main(command(data, method="cross_entropy", budget=3, out=f"other-{there}.jsonl"), store) == 0
    assert "this selection is in the store" not in told
    capsys.readouterr()
    assert main(command(data, "--dry-run", method="cross_entropy", budget=3), store) == 0
    assert "this selection is in the store" in capsys.readouterr().out


def test_what_kept_a_smaller_try_from_being_measured_is_not_told_of_the_larger(data, tmp_path, capsys, monkeypatch):
    def few(work, method, budget, n_rows, *others):
        if n_rows < N_ROWS // 2:
            raise ValueError("too few rows")
        return 1.0

    monkeypatch.setattr(estimating, "FIRST", 8)
    monkeypatch.setattr(estimating, "_seconds", few)
    assert main(command(data, "--dry-run"), Store(tmp_path / "store")) == 0
    told = capsys.readouterr().out
    assert "time: about" in told and "not measured" not in told


def test_a_dry_run_trains_no_base_and_a_limit_that_leaves_nothing_out_no_second_one(
    data, tmp_path, capsys, monkeypatch
):
    monkeypatch.setattr(pool_base, "TIMED_TOKENS", 4096)
    row = {"prompt": "Tell the tale.", "response": " ".join(f"Then came hare {n % 97} and its fox." for n in range(40))}
    rows = [json.dumps(row | {"prompt": f"Tell tale {n}."}) for n in range(60)]
    data.write_text("".join(f"{line}\n" for line in rows))
    store, scratch = Store(tmp_path / "store"), ("--model", "scratch")
    assert main(command(data, *scratch, "--dry-run", method="cross_entropy"), store) == 0
    told = capsys.readouterr().out
    assert "scratch: a base is trained from the pool's text first, once, in about" in told and "time: about" in told
    assert not list((tmp_path / "store").glob("bases/**/*.safetensors"))
    assert main(command(data, *scratch, method="cross_entropy"), store) == 0
    monkeypatch.setattr(pool_base, "pretrain", None)  # whoever trains again fails
    assert main(command(data, *scratch, "--limit", "5000", "--parts", "3", out="third.jsonl"), store) == 0
    assert main(command(data, *scratch, "--dry-run", method="cross_entropy", out="no.jsonl"), store) == 0
    assert "is trained" not in capsys.readouterr().out


@pytest.mark.parametrize(
    "more, changed, message",
    [
        ((), {"method": "best"}, "method 'best' is unknown; the methods are random_selection"),
        ((), {"method": "ifd(size=1)"}, "unknown option 'size'"),
        ((), {"budget": 0}, "--budget: expected a whole number of rows from 1 up, found 0"),
        ((), {"budget": 99}, "budget: 99 rows asked for, but the pool has only 57"),
        (("--unit", "tokens"), {"budget": 10**7}, "budget: 10000000 tokens asked for, but the rows of the pool have only"),
        ((), {"out": "subset.csv"}, "ends in .jsonl or .json, found '.csv'"),
        ((), {"out": "data.jsonl"}, "data.jsonl: exists and is not overwritten"),
        ((), {"method": "less(targets='development')"}, "\"development\" items are of the testbed"),
        ((), {"method": "kmeans(inside=\"rds_plus(targets='development', turns='none')\")"}, "items are of the testbed"),
        (("--parts", "2", "--part", "2"), {"budget": 5}, "--part: expected from 0 to 1 of 2 parts, found 2"),
        (("--parts", "3", "--part", "2"), {"budget": 9}, "With a budget of up to 4 there are 3."),
        (("--seed", "-1"), {}, "seed: expected a whole number from 0 up, found -1"),
        ((), {"out": "data.jsonl/subset.jsonl"}, "data.jsonl cannot be written to"),
        (("--pool", "no/such.jsonl"), {}, "no/such.jsonl: no such file or folder"),
        (("--model", "no/such/model"), {}, "no/such/model: no such model folder"),
        (("--model", "nosuchmodel"), {}, "model 'nosuchmodel': expected scratch, a base of the suite (tiny-strong, tiny-weak"),
        (("--unit", "tokens"), {"budget": 5}, "5 tokens asked for, but the shortest row of the pool, data:"),
        ((), {"method": "token_length(direction=1)"}, "method 'token_length(direction=1)': direction: expected one of"),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_refused_in_one_line_before_anything_is_computed(
    data, tmp_path, capsys, monkeypatch, more, changed, message
):
    monkeypatch.setattr("analysis.models.hub.hub_answers", lambda _: False)
    store = Noting(tmp_path / "store")
    assert main(command(data, *more, **changed), store) == 2
    told = capsys.readouterr().err.splitlines()[-1]
    assert told.startswith("Refused: ") and message in told
    assert set(store.kept) <= {"lengths"} and not list(tmp_path.glob("subset*"))


def test_it_runs_as_a_module(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["select", "--help"])
    monkeypatch.delitem(sys.modules, "analysis.select")
    with pytest.raises(SystemExit, match="0"):
        runpy.run_module("analysis.select", run_name="__main__")
    assert "--dry-run" in capsys.readouterr().out
