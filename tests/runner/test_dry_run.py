"""What a run is told to make before it starts, held against what runs then make."""

import json

import pytest

from analysis.models.training.finetuning import FineTuning
from analysis.paths import NOTEBOOKS
from analysis.runner import asking_cost, dry_run, made, rates
from analysis.runner.__main__ import main, run
from analysis.runner.outline import outline
from analysis.runner.parameters import notebook_parameters
from analysis.runner.plan import find_notebooks, make_plan
from analysis.runner.profile import load_profile
from analysis.runner.rates import Rate
from analysis.runner.rows_of_parts import RowsOfParts
from analysis.runner.run_keys import whole_call

TINY = {"pool": "curated", "limit": 300, "budget": 20, "parts": 2, "n_draws": 2, "finetuning": {"least_steps": 1}}
SPEED = 1e12  # floating-point operations in a second


def planned(name, **values):
    (path,) = find_notebooks([name])
    asked = {name: value for name, value in TINY.items() if name in notebook_parameters(path)} | values
    (job,) = make_plan([path], load_profile("quick"), asked)
    return outline(job.notebook, job.parameters, lambda told, fewest: [285] * told["parts"])


@pytest.fixture
def unmeasured(monkeypatch):
    """Rates that take no time: half a second for a token, and 7 to score a run."""
    monkeypatch.setattr(rates, "flop_per_second", lambda: SPEED)
    monkeypatch.setattr(rates, "sample_of", lambda prepared: None)
    monkeypatch.setattr(rates, "rate", lambda work, sample, speed: Rate(True, 10, 3.0, 0.5, 7.0))


def counts(found):
    runs = [run for _, run in found.runs.values()]
    return {method: sum(run.method == method for run in runs) for method in {run.method for run in runs}}


def test_the_runs_of_a_comparison_are_those_of_its_lines():
    found = planned("12", variants=False, n_draws=4)
    assert counts(found) == {"base": 1, "random_selection": 4, "cross_entropy": 2}
    assert not found.unknown and not found.at_most
    # 3 + 4 draws with two seeds at the budget, at half and twice of it 3
    assert counts(planned("10", n_draws=4, training_seeds=2)) == {"base": 1, "random_selection": 4 * 2 + 3 + 3}


def test_designs_that_need_rows_are_counted_without_them():
    built = planned("32", correct_shares=[0.5, 1.0], skill_counts=[2, 8], methods=[], n_draws=2)
    assert (
        len([run for _, run in built.runs.values() if "correct" in run.method]) == 2 * 2 * 2
    )  # from each of two parts
    ladder = planned("34", methods=["token_length"], rungs=["tiny-weak-1M"])
    assert len(ladder.runs) == 2 * (1 + 2 + 2)  # with each base: itself, two draws, two parts
    lengths = planned("33", budgets=[], bands=2, kinds=["padded"], design_parts=0)
    assert lengths.at_most and not lengths.unknown


def test_every_notebook_of_the_suite_can_be_counted():
    for path in sorted(NOTEBOOKS.glob("*.ipynb")):
        assert planned(path.stem, parts=3, n_draws=3).unknown == "", path.stem


def test_what_depends_on_results_is_not_counted_and_says_so():
    assert "table" in planned("30", parts=3, confirm=3, n_draws=6).unknown


def test_one_run_of_two_notebooks_is_told_once(unmeasured, capsys, tmp_path, monkeypatch):
    monkeypatch.setattr(dry_run, "made", set)
    values = TINY | {"variants": False}
    run(["12", "17"], "quick", values | {"methods": []}, reports=tmp_path / "reports", jobs=2, dry=True)
    said = capsys.readouterr().out
    lines = {line.split()[0]: line.split() for line in said.splitlines() if line[:2] in ("12", "17")}
    assert lines["12_cross_entropy"][6:10] == ["5", "0", "0", "5"]  # the base, two draws, a selection from each part
    assert lines["17_zip"][6:10] == ["5", "0", "3", "2"]
    assert "Dry run: nothing was started or written." in said
    assert not list(tmp_path.iterdir())


def test_a_run_is_one_whatever_defaults_are_written_out():
    same = {whole_call(call) for call in ("less", "less(targets='auto')", "less(targets='auto', epochs=4)")}
    others = {
        whole_call(f"less({options})")
        for options in ("targets='pool'", "variant='released'", "targets='auto', variant='released'")
    }
    assert len(same) == 1 and len(others) == 3 and not same & others
    inside = {whole_call(f"kmeans(inside={inner!r})") for inner in ("ifd", "ifd(variant='original')")}
    assert len(inside) == 1 and whole_call("kmeans(inside='ifd(variant=\"released\")')") not in inside
    assert whole_call("band 2 of 3") == "band 2 of 3"  # a design's name


def test_to_redraw_is_to_leave_out_what_would_train(unmeasured, capsys, tmp_path, monkeypatch):
    there = planned("17", variants=False).runs.keys()
    asked = {"reports": tmp_path / "reports", "dry": True, "redraw": True}
    monkeypatch.setattr(made, "made", lambda: there)
    run(["12", "17", "40"], "quick", TINY | {"variants": False, "methods": []}, **asked)
    first, *said = capsys.readouterr().out.splitlines()
    assert first == "Left out, as not all of their runs are there: 12_cross_entropy"
    assert [line.split()[0] for line in said if line[:2].isdigit()] == ["17_zip", "40_published_grids"]
    monkeypatch.setattr(made, "made", set)
    with pytest.raises(ValueError, match="--redraw: every notebook named would fine-tune something"):
        run(["12", "17"], "quick", TINY | {"variants": False, "methods": []}, **asked)


@pytest.mark.slow
def test_a_real_run_makes_the_runs_that_were_told_and_they_are_there_afterwards(tmp_path, monkeypatch):
    monkeypatch.setenv("ANALYSIS_RESULTS", str(tmp_path / "results"))
    values = TINY | {"variants": False}
    expected = planned("17", variants=False)
    (outcome,) = run(["17"], "quick", values, "told", reports=tmp_path / "reports", live=False)
    assert outcome.status == "done", outcome.error
    asked = json.loads((tmp_path / "results" / "asked" / "told" / "17_zip.json").read_text())["runs"]
    assert len(expected.runs) == len(asked) == 5
    assert made.made(tmp_path / "results", tmp_path) == expected.runs.keys()


def test_unknown_names_are_refused_as_ever(capsys):
    assert main(["12", "--dry-run", "-p", "bugdet", "5"]) == 2
    assert "unknown parameter 'bugdet'" in capsys.readouterr().err
    assert main(["no_such", "--dry-run"]) == 2


def test_a_profile_of_the_hub_says_first_what_is_not_here(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    monkeypatch.setattr(rates, "flop_per_second", lambda: SPEED)
    monkeypatch.setattr(dry_run, "RESULTS", tmp_path)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    assert main(["12", "--profile", "paper", "--dry-run"]) == 0
    first, second, third, *_ = said = capsys.readouterr().out.splitlines()
    assert first == "Needs a download: pool teknium/OpenHermes-2.5 (its size is not known before)."
    assert second == "Needs a download: model Qwen/Qwen2-7B (about 13.0 GiB in bfloat16)."  # 14e9 bytes
    assert third.startswith("Needs a GPU: training 7,000 million parameters holds about 104.3 GiB")
    assert "so an upper bound" in "".join(said)
    assert not list(tmp_path.iterdir())


def test_the_time_of_a_run_is_its_tokens_and_its_scoring(unmeasured):
    found = planned("12", variants=False, n_draws=1)
    known = rates.Rates([work for work, _ in found.runs.values()])
    seconds = {run.method: dry_run._of_run(work, run, known) for work, run in found.runs.values()}
    # 20 rows of 3 tokens, three times, half a second each, and 7 to score
    assert seconds == {"base": 7.0, "random_selection": 97.0, "cross_entropy": 97.0}


@pytest.mark.parametrize(
    ("calls", "tokens"),
    [
        (["gsm8k"], 1319 * (8 * 132 + 62 + 256)),
        (["gsm8k(limit=10, shots=0, max_new_tokens=20)", "ifeval(limit=1)"], 10 * (62 + 20) + 49 + 1280),
        (["mmlu(limit=2)"], 57 * 2 * (5 * 90 + 88)),  # the options of an item are compared after one reading
        (["mmlu(limit=5000)"], 14042 * (5 * 90 + 88)),
        (["arc_easy"], 0),
    ],
)
def test_benchmarks_are_reckoned_by_the_tokens_they_read_and_write(calls, tokens):
    assert asking_cost.tokens_asked(calls) == tokens
    told = " ".join(asking_cost.told_of_asking(calls))
    assert ("million tokens a run for" in told) == (tokens > 0) and (
        "arc_easy" in asking_cost.unknown_tasks(calls)
    ) == (tokens == 0)


@pytest.mark.parametrize("call", ["gsm8k(limit='5')", "gsm8k(shots=True)", "gsm8k(max_new_tokens=1.5)"])
def test_a_count_that_is_none_is_refused(call):
    with pytest.raises(ValueError, match=r"benchmark 'gsm8k': .*: expected a whole number, found"):
        asking_cost.tokens_asked([call])


def test_a_dry_run_says_which_benchmarks_would_be_refused(unmeasured, capsys, tmp_path, monkeypatch):
    monkeypatch.setattr(dry_run, "made", set)
    run(["30"], "quick", TINY | {"benchmarks": ["gsm8k(limits=3)"], "budgets": []}, reports=tmp_path, dry=True)
    assert "Would be refused: benchmark 'gsm8k(limits=3)': unknown option 'limits'" in capsys.readouterr().out


def test_of_a_large_file_the_first_rows_are_the_sample(tmp_path, monkeypatch):
    lines = [json.dumps({"frage": f"Wie viel ist {n}?", "antwort": f"{n} größer"}) for n in range(900)]
    path = tmp_path / "a,b.jsonl"
    path.write_text("\n".join(lines), encoding="cp1252")
    asked = {"limit": 0, "seed": 0, "skills": 0, "long_answers": "padded"}
    asked["pool"] = f"{path}::prompt=frage,answer=antwort,encoding=cp1252"
    assert rates.is_here(asked["pool"], "dataset")
    monkeypatch.setattr(rates, "READ_FOR_THIS", 100)
    sample = rates.sample_of(asked)
    assert sorted(row["number"] for part in (sample.rows, sample.held_out) for row in part) == list(range(rates.ROWS))
    assert sample.rows["messages"][0][1]["content"].endswith(" größer")
    path.write_text("\n".join([json.dumps({"frage": "Wie?", "antwort": ""})] * rates.ROWS + lines), encoding="cp1252")
    assert rates.sample_of(asked) is None  # what the usable rows are like is not known


def test_the_time_of_a_run_has_what_asking_takes(unmeasured, capsys, tmp_path, monkeypatch):
    monkeypatch.setattr(dry_run, "made", set)
    seconds = []
    for benchmarks in ([], ["ifeval(limit=1)", "arc_easy"]):
        values = {name: value for name, value in TINY.items() if name != "finetuning"} | {
            "methods": [],
            "n_draws": 1,
            "parts": 1,
        }
        run(["30"], "quick", values | {"benchmarks": benchmarks, "budgets": []}, reports=tmp_path, dry=True)
        (job,) = make_plan(
            find_notebooks(["30"]), load_profile("quick"), values | {"benchmarks": benchmarks, "budgets": []}
        )
        planned = outline(job.notebook, job.parameters, lambda told, fewest: [285])
        work, one = next(iter(planned.runs.values()))
        seconds.append(dry_run._of_run(work, one, dry_run.Rates([work])))
    assert seconds[1] - seconds[0] == pytest.approx((49 + 1280) * 0.5 / 3)
    said = capsys.readouterr().out
    assert said.count("million tokens a run for ifeval(limit=1), answers") == 1
    assert said.count("Not in it: drawing, scoring by arc_easy, training") == 1


@pytest.mark.parametrize(("name", "parameters"), [("Qwen/Qwen2.5-0.5B", 500_000_000), ("a/SmolLM2-135M", 135_000_000),
                                                  ("a/nameless", 0)])  # fmt: skip
def test_parameters_stand_in_the_name_of_a_base_that_is_not_here(name, parameters):
    assert rates.parameters_of(name) == parameters


def test_a_small_file_is_read_for_its_rows_and_nothing_is_left(tmp_path):
    lines = [
        json.dumps({"prompt": f"What is {number} plus {number}?", "completion": str(2 * number)})
        for number in range(60)
    ]
    (tmp_path / "mine.jsonl").write_text("\n".join(lines))
    told = {"pool": str(tmp_path / "mine.jsonl"), "limit": 50, "parts": 3, "seed": 0, "duplicates": "keep"}
    rows = RowsOfParts()
    assert 40 <= sum(rows(told, 1)) <= 50 and len(rows(told, 1)) == 3
    assert len(rows(told, 20)) < 3  # a part needs 20
    assert [path.name for path in tmp_path.iterdir()] == ["mine.jsonl"]


def test_rows_of_a_file_are_read_whole_and_outlive_their_folder(tmp_path):
    """Keys of rows are as large as 64 bits hold; of 40 rows one at least is too large for a signed number."""
    lines = [json.dumps({"prompt": f"What is {n}?", "completion": f"It is {n}."}) for n in range(40)]
    (tmp_path / "rows.jsonl").write_text("\n".join(lines))
    prepared = {"pool": str(tmp_path / "rows.jsonl"), "limit": 0, "seed": 0, "skills": 0, "long_answers": "padded"}
    sample = rates.sample_of(prepared)
    assert max(sample.rows["key"][:]) >= 2**63
    assert sorted(row["number"] for part in (sample.rows, sample.held_out) for row in part) == list(range(40))


def test_memory_that_is_not_measured_tells_the_rows_that_activations_are_of():
    reckoned = Rate(False, 135_000_000, 200.0, 1.0, 1.0)
    told = dry_run._memory(reckoned, 1, FineTuning(batch_rows=32))
    assert "about 2.0 GiB for weights" in told and "of 32 rows of up to 1,024 tokens" in told and "device_rows" in told
    told = dry_run._memory(reckoned, 1, FineTuning(device_rows=2, max_tokens=512))
    assert "of 2 rows of up to 512 tokens" in told and "device_rows" not in told
