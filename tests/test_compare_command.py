"""python -m analysis.compare: the runs of a comparison, stored as they are made, and published."""

import json
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from types import SimpleNamespace

import pytest

from analysis import compare
from analysis.paths import ROOT
from analysis.store.published import read
from analysis.store.store import Store

SMALL = ["--pool", "curated", "--limit", "60", "--model", "tiny-weak", "--budget", "5", "--parts", "2", "--draws", "2"]
BRIEF = ["--finetuning", '{"epochs": 1, "least_steps": 1, "max_tokens": 64}']


def test_a_comparison_is_published_once_and_goes_on_where_it_stopped(tmp_path):
    def command(*more):
        return subprocess.run(
            [sys.executable, "-m", "analysis.compare", "--name", "small", "--out", str(tmp_path / "runs"), *SMALL, *BRIEF, *more],
            env=os.environ | {"ANALYSIS_RESULTS": str(tmp_path / "results"), "ANALYSIS_PUBLISHED": str(tmp_path / "none")},
            cwd=ROOT, capture_output=True, text=True, check=False,
        )  # fmt: skip

    stopped = command("--within", "0")
    assert stopped.returncode == 0 and "not made yet" in stopped.stdout, stopped.stderr
    whole = command("--method", "token_length", "--jobs", "2")
    assert whole.returncode == 0 and "not made yet" not in whole.stdout, whole.stderr
    lines = [line for line in read(tmp_path / "runs" / "small.parquet").to_pylist() if line["kind"] == "runs"]
    assert sorted((line["method"], line["part"]) for line in lines) == [
        ("base", 0), ("random_selection", 0), ("random_selection", 1), ("token_length", 0), ("token_length", 1),
    ]  # fmt: skip
    assert [line for line in whole.stdout.splitlines() if "to select from" in line] == [
        "         110  rows to select from"
    ]
    assert "0 of 3 runs are made, selections made after" in stopped.stdout
    assert "5 of 5 runs are made after" in whole.stdout and "the others take about" not in whole.stdout.splitlines()[-2]
    assert all("torch" in json.loads(line["record"])["made_on"] for line in lines)


@pytest.mark.parametrize(
    "more, message",
    [
        (["--method", "token_lenght"], "token_lenght"),
        (["--name", "../../x"], "--name"),
        (["--seed", "-1"], "seed: expected a whole number from 0 up, found -1"),
        (["--out", f"{__file__}/runs"], "test_compare_command.py cannot be written to"),
        (["--jobs", "0"], "--jobs: expected a whole number from 1 up, found 0"),
        (["--budget", "-1"], "--budget: expected a whole number from 1 up, found -1"),
        (["--finetuning", '{"epoch": 1}'], "--finetuning: unknown setting 'epoch'"),
        (["--finetuning", '{"epochs": "1"}'], "--finetuning: epochs: expected a valid number, found '1'"),
        (["--benchmark", "gsm8k(limits=3)"], "benchmark 'gsm8k(limits=3)': unknown option 'limits'"),
        (["--finetuning", "[1]"], "--finetuning: expected settings with values, found [1]"),
    ],
)
def test_what_cannot_be_done_is_refused_in_one_line(more, message, capsys, monkeypatch, tmp_path):
    monkeypatch.setattr(compare.os, "environ", {})
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert compare.main(["--name", "small", "--out", str(tmp_path), *SMALL, *more]) == 2
    assert message in capsys.readouterr().err


def test_a_damaged_file_of_the_name_is_refused_before_anything_is_made(capsys, monkeypatch, tmp_path):
    monkeypatch.setattr(compare.os, "environ", {})
    (tmp_path / "small.parquet").write_bytes(b"half")
    with pytest.warns(UserWarning, match="damaged"):
        assert compare.main(["--name", "small", "--out", str(tmp_path), *SMALL]) == 2
    assert "small.parquet: it cannot be read, and publishing would replace it" in capsys.readouterr().err


def test_settings_that_are_no_json_are_told_what_is_expected(capsys):
    with pytest.raises(SystemExit):
        compare.main(["--name", "small", *SMALL, "--finetuning", "{lr: 1}"])
    said = capsys.readouterr().err
    assert """--finetuning: expected settings as JSON, such as '{"learning_rate": 1e-4}', found '{lr: 1}'""" in said


def test_processes_of_one_launch_are_refused(capsys, monkeypatch, tmp_path):
    monkeypatch.setattr(compare.os, "environ", {"WORLD_SIZE": "2", "RANK": "1"})
    assert compare.main(["--name", "small", "--out", str(tmp_path), *SMALL]) == 2
    assert "expected to be started once, found several processes of one launch; --jobs" in capsys.readouterr().err


def test_a_process_that_was_killed_is_told_at_once_and_the_others_go_on(capsys):
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=time.sleep, args=(600,)) for _ in range(2)]
    for worker in workers:
        worker.start()
    workers[0].kill()
    assert compare._wait(workers, time.monotonic() + 2, lambda: None) == 1
    said = capsys.readouterr().err
    assert "ended by signal 9, mostly for want of memory; 1 of 2 go on. What is finished is kept; fewer --jobs" in said
    assert not workers[1].is_alive() and workers[1].exitcode == -signal.SIGTERM


def test_what_is_made_is_told_when_there_is_more_and_how_long_the_others_take(tmp_path, capsys, monkeypatch):
    store, clock = Store(tmp_path), iter([0.0, 60.0, 120.0, 180.0])
    monkeypatch.setattr(compare, "time", SimpleNamespace(monotonic=lambda: next(clock)))
    store.save_record("runs", "abcd", {"made": 1})
    progress = compare._Progress(store, {"base": 0, "abcd": 10, "bcde": 10, "cdef": 10, "defg": 40})
    assert progress.told == "1 of 5 runs are made"
    progress()
    for keys in (["base"], ["bcde"], ["cdef", "defg"]):
        for key in keys:
            store.save_record("runs", key, {"made": 1})
        progress()
        progress()
    assert capsys.readouterr().out.splitlines() == [
        "2 of 5 runs are made after 1 min 0 s", "3 of 5 runs are made after 2 min 0 s; the others take about 10 min 0 s",
        "5 of 5 runs are made after 3 min 0 s",
    ]  # fmt: skip


def test_a_process_that_failed_before_the_end_is_counted_though_the_time_was_over():
    worker = multiprocessing.get_context("spawn").Process(target=sys.exit, args=(1,))
    worker.start()
    worker.join()
    assert compare._wait([worker], time.monotonic() - 1, lambda: None) == 1
