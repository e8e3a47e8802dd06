"""Benchmarks of the evaluation harness in a comparison: asked for as text, part of a run's key, judged like any other."""

import json
from importlib import util

import pytest

from analysis.experiments import grid
from analysis.experiments.benchmarks.asking import asked
from analysis.experiments.workbench import prepare
from analysis.reporting.versus_random import versus_random
from analysis.runner import run_keys
from analysis.store.store import Store

needs_harness = pytest.mark.skipif(
    util.find_spec("lm_eval") is None, reason="lm-eval is not installed: pip install -e '.[benchmarks]'"
)
BRIEF = {"epochs": 1, "least_steps": 1, "max_tokens": 64}


@pytest.fixture
def data(tmp_path):
    rows = [
        {"subject": "anatomy", "question": f"Item {number}?", "choices": list("wxyz"), "answer": "ABCD"[number % 4]}
        for number in range(12)
    ]
    (tmp_path / "data" / "mmlu").mkdir(parents=True)
    (tmp_path / "data" / "mmlu" / "test.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return str(tmp_path / "data")


def workbench(tmp_path, benchmarks):
    return prepare(
        "curated", limit=60, parts=2, budget=5, skills=8, finetuning=BRIEF, benchmarks=benchmarks,
        store=Store(tmp_path / "results"), show_progress=False,
    )  # fmt: skip


@needs_harness
def test_a_comparison_judges_the_items_of_the_harness(tmp_path, data):
    work = workbench(tmp_path, [f"mmlu(shots=1, data={data!r})"])
    planned = grid.plan(work, ["token_length"], 5, n_draws=2)
    results = grid.run(work, planned, with_base=True, show_progress=False)
    assert results.benchmarks == ["testbed accuracy", "mmlu", "held-out answer loss"]
    lines = results.table[results.table["benchmark"] == "mmlu"]
    assert len(lines) == len(planned) + 1 and set(lines["n_items"]) == {12} and set(lines["unit"]) == {"share correct"}
    assert results.groups["mmlu"] == ["anatomy"] * 12
    assert "mmlu" in set(versus_random(results)["benchmark"])
    again = grid.run(workbench(tmp_path, [f"mmlu(shots=1, data={data!r})"]), planned, show_progress=False)
    assert again.items("token_length", "mmlu").tolist() == results.items("token_length", "mmlu").tolist()


@needs_harness
def test_keys_hold_how_a_benchmark_is_asked_and_stay_where_none_is(tmp_path, data):
    def keys(*benchmarks):
        work = workbench(tmp_path, benchmarks)
        run = grid.plan(work, [], 5, n_draws=1)[0]
        depends = grid._depends(work, run, grid.benchmarks_of(work))
        return grid._key(work, run, grid.benchmarks_of(work)), depends, run_keys.run_key(work, run), work.prepared

    plain, depends, outline, prepared = keys()
    assert "harness" not in depends and "benchmarks" not in prepared and depends["code"] == grid.code_of_runs()
    calls = ["mmlu", "mmlu(shots=1)", "mmlu(limit=3)", f"mmlu(data={data!r})", "gsm8k"]
    found = [keys(call) for call in calls]
    assert len({plain, *(key for key, *_ in found)}) == 6 and len({outline, *(one for _, _, one, _ in found)}) == 6
    told = found[2][1]
    assert told["harness"][0]["limit"] == 3 and told["harness"][0]["shots"] == 5 and told["harness"][0]["harness"]
    assert told["code"] == grid.code_of_runs(with_harness=True) != depends["code"]


@needs_harness
def test_calls_are_read_with_their_options():
    one, other = asked(["gsm8k(limit=200, chat=True)", "humaneval(run_code=True)"])
    assert (one.task, one.limit, one.settings["chat"]) == ("gsm8k", 200, True) and other.settings["limit"] is None
    with pytest.raises(ValueError, match="gsm8k is asked for already"):
        asked(["gsm8k", "gsm8k(shots=5)"])


@pytest.mark.parametrize(
    "call, message",
    [
        (
            "gsm8k(limits=3)",
            "unknown option 'limits'; the options are shots, limit, chat, max_new_tokens, data, run_code",
        ),
        ("gsm8k(", "benchmark 'gsm8k\\(': expected a task's name"),
        (3, "benchmark 3: expected a task's name or"),
    ],
)
def test_what_cannot_be_asked_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        asked([call])
