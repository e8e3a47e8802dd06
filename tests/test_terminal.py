"""What the commands without a notebook say of an owner's data does not act on the terminal."""

import json
import os
import re
import subprocess
import sys
import warnings

import pytest

from analysis import compare, select
from analysis.paths import ROOT

ACTING = "\x1b]0;t\x07\x08\u202e"
ACTS = re.compile(rf"[{ACTING}]")
COMPARE = ("compare", "--name", "small", "--parts", "2", "--draws", "2", "--jobs", "2", "--out", "runs")
BRIEF = ("--finetuning", '{"epochs": 1, "least_steps": 1, "max_tokens": 64}')
SELECT = ("select", "--method", "token_length", "--out")


def said(folder, command, *more, pool):
    """Status and text of a command, whose progress bars alone may move the cursor."""
    module, *options = command
    asked = ["--pool", pool, "--model", "tiny-weak", "--budget", "5", *options, *more]
    done = subprocess.run(
        [sys.executable, "-m", f"analysis.{module}", *asked], cwd=folder, capture_output=True, check=False,
        env=os.environ | {"PYTHONPATH": str(ROOT), "ANALYSIS_RESULTS": str(folder / "results"),
                          "ANALYSIS_PUBLISHED": str(folder / "none"), "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    text = (done.stdout + done.stderr).decode()
    assert not ACTS.search(text), text
    return done.returncode, text


@pytest.fixture
def pool(tmp_path):
    """A file whose name, ids, sources and one answer hold what a terminal would follow; of most rows nothing can be read."""
    name = f"rows{ACTING}.jsonl"
    rows = [
        {"id": f"{n}{ACTING}", "source": ACTING, "prompt": f"What is {n}?", "answer": f"{n}{ACTING}"} for n in range(40)
    ]
    rows += [{f"un{ACTING}known": ACTING}] * 60
    (tmp_path / name).write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return name


def test_selected_rows(tmp_path, pool):
    status, text = said(tmp_path, SELECT, f"subset{ACTING}.jsonl", pool=pool)
    assert status == 0, text
    assert r"subset\x1b]0;t\x07\x08\u202e.jsonl: 5 rows" in text
    assert "Warning: " in text and r"rows\x1b]0;t\x07\x08\u202e.jsonl: 60 of 100 rows were set aside" in text
    status, text = said(tmp_path, SELECT, f"subset{ACTING}.jsonl", pool=pool)
    assert status == 2 and text.startswith("Refused: ") and r"subset\x1b]0;t" in text, text


def test_compared_methods(tmp_path, pool):
    status, text = said(tmp_path, COMPARE, *BRIEF, pool=pool)
    assert status == 0 and "runs/small.parquet" in text and "60 of 100 rows were set aside" in text, text


@pytest.mark.parametrize("command", [(*SELECT, "subset.jsonl"), COMPARE], ids=["select", "compare"])
def test_what_is_refused(tmp_path, pool, command):
    (tmp_path / pool).write_text(json.dumps({f"un{ACTING}known": ACTING}) + "\n", encoding="utf-8")
    status, text = said(tmp_path, command, pool=pool)
    assert status == 2 and text.startswith("Refused: ") and text.count("\n") == 1, text
    assert r"rows\x1b]0;t\x07\x08\u202e.jsonl: none of 1 rows can be used" in text


@pytest.mark.parametrize("main", [compare.main, select.main], ids=["compare", "select"])
def test_what_was_typed(main, capsys):
    with pytest.raises(SystemExit):
        main(
            [
                "--pool",
                "p",
                "--model",
                "m",
                "--budget",
                "5",
                "--name",
                "n",
                "--method",
                "ifd",
                "--out",
                "o",
                f"--{ACTING}",
            ]
        )
    said = capsys.readouterr().err
    assert r"unrecognized arguments: " in said and r"--\x1b]0;t\x07\x08\u202e" in said and not ACTS.search(said)


def test_what_nothing_catches(monkeypatch, capsys):
    """An error of a kind that no command expects, in the process of the command as in those that it starts."""

    def fail(*_):
        raise KeyError(ACTING) from Exception(ACTING)

    monkeypatch.setattr(sys, "excepthook", sys.excepthook)  # both are put back after this test
    monkeypatch.setattr(warnings, "formatwarning", warnings.formatwarning)
    monkeypatch.setattr(compare, "_workbench", fail)
    with pytest.raises(SystemExit, match="1"):
        compare._make(None)
    said = capsys.readouterr().err
    assert "Traceback" in said and r"Exception: \x1b]0;t\x07\x08\u202e" in said and not ACTS.search(said)
