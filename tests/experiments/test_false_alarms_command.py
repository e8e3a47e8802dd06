"""The command that fine-tunes on what twelve methods draw by chance: with a tiny model, and with simulated scores."""

import json
from functools import partial

import pytest

from analysis.experiments import grid, workbench
from analysis.methods import RANDOM
from tests import false_alarms
from tests.false_alarms import LABELS, ByChance, main
from tests.simulated_runs import measured
from tests.tiny import tiny_language_model

N_ROWS = 700  # of which one in twenty is held out: a verdict takes 30
SHORT = {"epochs": 1, "least_steps": 1, "batch_rows": 8, "max_tokens": 64}


@pytest.fixture
def arguments(tmp_path, monkeypatch) -> list[str]:
    """A small file, its options, and a tiny model that is trained for one step."""
    monkeypatch.setattr(workbench, "load_model", lambda name, store: tiny_language_model())
    short = partial(workbench.prepare, finetuning=SHORT, show_progress=False)
    monkeypatch.setattr(false_alarms, "prepare", short)
    path = tmp_path / "rows.jsonl"
    rows = ({"prompt": f"What is {n}?", "response": f"It is {3 * n}." + " Yes!" * (n % 5)} for n in range(N_ROWS))
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    given = {"pool": path, "limit": N_ROWS, "budget": 8, "parts": 3, "draws": 3, "store": tmp_path / "store"}
    return [word for name, value in given.items() for word in (f"--{name}", str(value))]


def test_chance_is_fine_tuned_and_not_called_and_a_second_call_trains_nothing(arguments, monkeypatch, capsys):
    monkeypatch.setattr(false_alarms, "LABELS", LABELS[:4])  # fewer than twelve, for time alone
    trained, finetune = [], grid.finetune
    monkeypatch.setattr(grid, "finetune", lambda *given, **more: trained.append(more) or finetune(*given, **more))
    assert main(arguments) == 0
    printed = capsys.readouterr().out
    assert len(trained) == 4 * 3 + 3
    assert all(printed.count(label) == 1 for label in LABELS[:4])
    assert {"estimate", "low", "high", "p_holm", "verdict"} <= set(printed.splitlines()[0].split())
    assert "0 of 4 comparisons with chance called" in printed and "no verdict" not in printed
    assert main(arguments) == 0 and len(trained) == 4 * 3 + 3
    assert capsys.readouterr().out == printed


@pytest.mark.parametrize("shift, status", [(0.0, 0), (-0.6, 1)])
def test_the_exit_status_says_whether_anything_was_called(arguments, monkeypatch, capsys, shift, status):
    def shifted(work, runs, show_progress):
        return measured(work, runs, show_progress, shifts={LABELS[4]: shift})

    monkeypatch.setattr(grid, "_measure_all", shifted)
    assert main([*arguments, "--parts", "5", "--draws", "10"]) == status
    lines = [line for line in capsys.readouterr().out.splitlines() if line.rstrip().endswith("worse")]
    assert len(lines) == status and all(LABELS[4] in line for line in lines)


def test_methods_by_chance_draw_apart_in_every_part_and_random_draws_stay_what_they_are(arguments, tmp_path):
    prepared = false_alarms.prepare(arguments[1], parts=3, budget=8, store=workbench.Store(tmp_path / "store"))
    work = ByChance.of(prepared)
    runs = grid.plan(work, LABELS, 8, n_draws=6)
    assert len({(run.part, *sorted(run.rows)) for run in runs}) == len(runs) == 12 * 3 + 6
    real = grid.plan(prepared, [], 8, n_draws=6)
    assert [run.rows.tolist() for run in runs if run.method == RANDOM] == [run.rows.tolist() for run in real]
