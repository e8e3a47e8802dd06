"""The grid: what runs it plans, what it stores, and that nothing finished is ever made twice."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from datasets import Dataset

from analysis.experiments import grid, selecting
from analysis.experiments.benchmarks import catalogue, testbed
from analysis.experiments.results import Run
from analysis.experiments.workbench import ROWS_PER_BUDGET, Workbench, prepare, stream
from analysis.features.features import Features
from analysis.methods import BASE, RANDOM, calls
from analysis.models import hub
from analysis.models.language_model import fingerprint_weights
from analysis.models.training import pool_base, resuming
from analysis.models.training.finetuning import FineTuning
from analysis.models.training.trainer import LossHistory
from analysis.pools import Pool
from analysis.store.store import Store
from tests.tiny import tiny_language_model

LOSS = "held-out answer loss"
LONGEST = "token_length"
N_ROWS = 40


def rows(numbers) -> Dataset:
    return Dataset.from_dict(
        {
            "id": [f"row-{number}" for number in numbers],
            "source": [("odd", "even")[number % 2 == 0] for number in numbers],
            "messages": [
                [
                    {"role": "user", "content": f"What is {number}?"},
                    {"role": "assistant", "content": f"It is {number * 3}." + " Yes!" * (number % 7)},
                ]
                for number in numbers
            ],
            "dup_group": list(numbers),
        }
    )


def make_workbench(folder: Path, n_parts: int = 2, seed: int = 0, **settings) -> Workbench:
    """Forty rows to each part."""
    base = tiny_language_model()
    store, training = (
        Store(folder),
        FineTuning(**{"epochs": 1, "least_steps": 1, "batch_rows": 4, "max_tokens": 64, **settings}),
    )
    made = []
    for part in range(n_parts):
        start = 1000 * part
        pool = Pool("forty rows", rows(range(start, start + N_ROWS)), rows(range(100, 110)), f"forty {part}", {}, {})
        features = Features(pool, base, store=store, max_tokens=64, finetuning=training, show_progress=False)
        made.append(Workbench(pool, base, features, store, training, seed, part))
    return replace(made[0], others=tuple(made[1:]))


def plan(workbench: Workbench) -> list[Run]:
    return grid.plan(workbench, [RANDOM, LONGEST], 8, n_draws=3)


@pytest.fixture
def count_trainings(monkeypatch) -> list:
    """Every call of `finetune` by the grid, as the seeds they had."""
    seeds, finetune = [], grid.finetune

    def counted(base, conversations, settings, *, seed, keep):
        seeds.append(seed)
        return finetune(base, conversations, settings, seed=seed, keep=keep)

    monkeypatch.setattr(grid, "finetune", counted)
    return seeds


def test_every_method_selects_once_from_each_part_and_random_draws_come_from_all_in_turn(tmp_path):
    workbench = make_workbench(tmp_path, n_parts=3)
    runs = grid.plan(workbench, [LONGEST], 8, n_draws=7)
    random, longest = ([run for run in runs if run.method == name] for name in (RANDOM, LONGEST))
    assert [run.part for run in longest] == [0, 1, 2] and [run.part for run in random] == [0, 1, 2, 0, 1, 2, 0]
    for run in longest:
        part = workbench.parts[run.part]
        np.testing.assert_array_equal(run.rows, part.select(LONGEST, 8).rows)
        assert part.features.lengths().answer[run.rows].min() >= np.median(part.features.lengths().answer)
    chosen = [(run.part, *sorted(run.rows)) for run in runs]
    assert len(set(chosen)) == len(runs) and len({run.training_seed for run in runs}) == len(runs)


def test_a_run_that_was_stopped_in_its_training_goes_on_there_and_leaves_nothing(tmp_path, monkeypatch):
    (run, *_) = plan(make_workbench(tmp_path / "whole", epochs=4))
    expected = grid.run(make_workbench(tmp_path / "whole", epochs=4), [run], show_progress=False)
    monkeypatch.setattr(resuming, "EVERY", 0.0)
    steps, on_log = [], LossHistory.on_log

    def stop(self, args, state, control, logs=None, **others):
        steps.append(state.global_step)
        if len(steps) == 5:
            raise KeyboardInterrupt
        on_log(self, args, state, control, logs, **others)

    monkeypatch.setattr(LossHistory, "on_log", stop)
    with pytest.raises(KeyboardInterrupt):
        grid.run(make_workbench(tmp_path / "stopped", epochs=4), [run], show_progress=False)
    assert list((tmp_path / "stopped").glob("trainings/*/*/*/checkpoint-4/model.safetensors"))
    found = grid.run(make_workbench(tmp_path / "stopped", epochs=4), [run], show_progress=False)
    assert steps[5] == 5 and found.table["score"].tolist() == expected.table["score"].tolist()
    assert not list((tmp_path / "stopped").glob("trainings/*/*"))


def test_random_subsets_can_be_trained_with_several_seeds(tmp_path):
    runs = grid.plan(make_workbench(tmp_path), [LONGEST], 8, n_draws=4, random_seeds=2)
    random = [run for run in runs if run.method == RANDOM]
    assert len({run.training_seed for run in random}) == len(random) == 4 * 2
    assert len({(run.part, tuple(run.rows)) for run in random}) == 4 == len({run.draw for run in random})
    assert sum(run.method == LONGEST for run in runs) == 2


def test_neighbouring_seeds_share_no_subset_and_no_training_seed(tmp_path):
    one, other = (
        grid.plan(make_workbench(tmp_path, n_parts=3, seed=seed), ["near_duplicate_filter"], 8, n_draws=9)
        for seed in (0, 1)
    )
    for what in (lambda run: run.training_seed, lambda run: (run.part, *sorted(run.rows))):
        assert not {what(run) for run in one} & {what(run) for run in other}


def test_seeds_of_a_stream_stay_apart():
    roles, places = (
        ("selection", "random draw", "training, method"),
        [(part, number) for part in range(8) for number in range(20)],
    )
    seeds = [stream(seed, role, *place) for seed in range(5) for role in roles for place in places]
    assert len(set(seeds)) == len(seeds) and all(0 <= seed < 2**31 for seed in seeds)


@pytest.mark.parametrize("method", ["near_duplicate_filter", "kmeans(clusters=3, embedding='tfidf', inside='random')"])
def test_a_method_by_chance_does_not_draw_as_random_does(tmp_path, method):
    runs = grid.plan(make_workbench(tmp_path), [method], 8, n_draws=4)
    drawn, random = ({(run.part, *sorted(run.rows)) for run in runs if run.method == name} for name in (method, RANDOM))
    assert len(drawn) == 2 and len(random) == 4 and not drawn & random


def test_a_selection_depends_on_files_and_settings_that_decide_it(tmp_path, monkeypatch):
    selected, select = [], calls.select
    monkeypatch.setattr(
        calls, "select", lambda call, *given, **options: selected.append(call) or select(call, *given, **options)
    )
    path = tmp_path / "targets.jsonl"
    inside = f"kmeans(clusters=2, embedding='tfidf', inside=\"rds_plus(targets='{path}', turns='none')\")"
    evolving = "diverse_evol(rounds=1, initial=0.5)"
    for text, epochs, again in (("Is 3?", 1, [inside, evolving]), ("Is 19?", 1, [inside]), ("", 2, [evolving])):
        if text:
            path.write_text(json.dumps({"prompt": text, "response": "It is."}))
        selected.clear()
        for method in (inside, evolving, LONGEST):
            make_workbench(tmp_path / "store", epochs=epochs).select(method, 8)
        assert [one for one in selected if one in (inside, evolving)] == again


def test_a_selection_by_a_model_depends_on_the_precision_of_its_scores(tmp_path, monkeypatch):
    keys = {}
    for precision in ("float32", "bfloat16"):
        monkeypatch.setenv("ANALYSIS_PRECISION", precision)
        workbench = make_workbench(tmp_path)
        keys[precision] = [selecting.selection_key(workbench, method, 8, 0, "rows") for method in ("ifd", LONGEST)]
    exact, low = keys.values()
    assert exact[0] != low[0] and exact[1] == low[1]


def test_a_selection_depends_on_the_commit_of_a_hub_model_that_it_names(tmp_path, monkeypatch):
    workbench, method = make_workbench(tmp_path), "kmeans(clusters=2, embedding='owner/encoder')"
    keys = set()
    for commit in ("one", "two", "one"):
        monkeypatch.setattr(hub, "hub_revision", lambda name, commit=commit: f"{name} {commit}")
        keys.add(selecting.selection_key(workbench, method, 8, 0, "rows"))
    assert len(keys) == 2
    assert hub.hub_models_named({"a": ["owner/encoder", "no model"], "b": str(tmp_path)}) == [
        ["owner/encoder", "owner/encoder one"]
    ]


def test_a_larger_design_contains_the_smaller_one(tmp_path):
    workbench = make_workbench(tmp_path)
    small, large, largest = (
        {
            (run.method, run.part, tuple(run.rows), run.training_seed)
            for run in grid.plan(workbench, [LONGEST], 8, **design)
        }
        for design in ({"n_draws": 2}, {"n_draws": 5}, {"n_draws": 5, "random_seeds": 2})
    )
    assert small < large < largest


def test_results_are_tidy_and_scores_are_the_means_of_their_items(tmp_path):
    workbench = make_workbench(tmp_path)
    results = grid.run(workbench, plan(workbench), with_base=True, show_progress=False)
    table = results.table
    assert len(table) == 1 + 3 + 2
    assert not table.duplicated(["method", "budget", "draw", "training_seed", "benchmark"]).any()
    items = results.items(RANDOM, LOSS, 8)
    assert items.shape == (3, 10) and items.dtype == np.float32
    np.testing.assert_allclose(items.mean(axis=1), table[table["method"] == RANDOM]["score"], rtol=1e-6)
    assert results.items(BASE, LOSS).shape == (1, 10)
    assert table.set_index("method")["tokens_trained"][BASE] == 0
    assert set(results.item_groups(LOSS)) == {"odd", "even"}
    assert results.benchmarks == [LOSS]
    chosen = next(run.rows for run in plan(workbench) if run.method == LONGEST)
    longest = table[table["method"] == LONGEST].iloc[0]
    assert table["part"].tolist() == [0, 0, 1, 0, 0, 1]
    assert longest["tokens_trained"] == workbench.features.lengths().total[chosen].sum()


def test_a_selection_of_each_part_gives_a_result_of_its_own_and_the_base_is_not_changed(tmp_path):
    workbench = make_workbench(tmp_path)
    results = grid.run(workbench, plan(workbench), show_progress=False)
    first, second = results.items(LONGEST, LOSS)
    assert not np.allclose(first, second)
    assert fingerprint_weights(workbench.base.model, workbench.base.tokenizer) == workbench.base.fingerprint


def test_an_unknown_run_is_an_error_that_names_those_there_are(tmp_path):
    workbench = make_workbench(tmp_path)
    results = grid.run(workbench, plan(workbench)[:1], show_progress=False)
    with pytest.raises(KeyError, match=r"no run of 'cross_entropy'.*random_selection"):
        results.items("cross_entropy", LOSS)


def test_what_is_stored_is_not_made_again(tmp_path, count_trainings):
    first = make_workbench(tmp_path)
    results = grid.run(first, plan(first), show_progress=False)
    assert len(count_trainings) == 5
    again = make_workbench(tmp_path)
    repeated = grid.run(again, plan(again), show_progress=False)
    assert len(count_trainings) == 5
    assert repeated.table.equals(results.table)
    other = make_workbench(tmp_path, learning_rate=5e-4)
    grid.run(other, plan(other), show_progress=False)
    assert len(count_trainings) == 10


def test_the_same_rows_and_seed_are_trained_once_even_under_two_names(tmp_path, count_trainings):
    workbench = make_workbench(tmp_path)
    longest, explicit = "token_length", "token_length(direction='longest')"
    runs = [run for run in grid.plan(workbench, [longest, explicit], 8, n_draws=1) if run.method != RANDOM]
    results = grid.run(workbench, runs, show_progress=False)
    assert len(count_trainings) == 2
    np.testing.assert_array_equal(results.items(longest, LOSS), results.items(explicit, LOSS))


def test_a_damaged_run_is_made_again_and_the_others_are_not(tmp_path, count_trainings):
    workbench = make_workbench(tmp_path)
    before = grid.run(workbench, plan(workbench), show_progress=False)
    damaged = sorted((tmp_path / "runs").glob("*/*.npz"))[2]
    damaged.write_bytes(damaged.read_bytes()[:100])
    with pytest.warns(UserWarning, match=damaged.name):
        after = grid.run(workbench, plan(workbench), show_progress=False)
    assert len(count_trainings) == 5 + 1
    np.testing.assert_array_equal(before.items(RANDOM, LOSS), after.items(RANDOM, LOSS))
    np.testing.assert_array_equal(before.items(LONGEST, LOSS), after.items(LONGEST, LOSS))


def test_selections_are_stored_with_scores_and_seconds(tmp_path, monkeypatch):
    workbench = make_workbench(tmp_path)
    selection = workbench.select(LONGEST, 8)
    monkeypatch.setattr(calls, "select", lambda *arguments, **options: pytest.fail("selected again"))
    stored = make_workbench(tmp_path).select(LONGEST, 8)
    np.testing.assert_array_equal(selection.rows, stored.rows)
    np.testing.assert_array_equal(selection.scores, stored.scores)
    assert stored.seconds == selection.seconds > 0 and stored.excluded == selection.excluded


@pytest.mark.parametrize("method", [RANDOM, LONGEST, "kmeans(clusters=3, embedding='tfidf')"])
def test_a_token_budget_is_used_up_to_the_next_row(tmp_path, method):
    workbench = make_workbench(tmp_path)
    tokens = np.minimum(workbench.features.lengths().total, 64)
    selection = workbench.select(method, 300, budget_unit="tokens")
    used = tokens[selection.rows].sum()
    assert used <= 300 < used + tokens.max()
    seed = stream(0, "random draw", 0, 0) if method == RANDOM else workbench.selection_seed
    ranked = calls.select(method, workbench.features, N_ROWS, seed=seed).rows
    np.testing.assert_array_equal(selection.rows, ranked[: len(selection.rows)])


def test_budgets_that_make_no_sense_are_errors(tmp_path):
    workbench = make_workbench(tmp_path)
    with pytest.raises(ValueError, match=r"budget_unit: expected one of rows, tokens, found 'words'"):
        workbench.select(LONGEST, 8, budget_unit="words")
    with pytest.raises(ValueError, match="token budget: 1000000 asked for, but 40 rows have only"):
        workbench.select(LONGEST, 1_000_000, budget_unit="tokens")
    with pytest.raises(ValueError, match="only 40"):
        workbench.select(LONGEST, 41)


def test_an_unknown_setting_of_fine_tuning_is_refused(tmp_path):
    with pytest.raises(ValueError, match="finetuning: unknown setting 'epoch'; known: epochs, "):
        prepare("curated", finetuning={"epoch": 3}, store=Store(tmp_path))


def test_runs_on_fewer_skills_have_keys_of_their_own_and_are_measured_on_these_skills(tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(testbed, "evaluation_items", lambda *split: asked.append(split) or ())
    monkeypatch.setattr(testbed, "generate", lambda *arguments, **options: [])
    run, keys = Run(BASE, 0, 0, 0, np.zeros(0, dtype=np.int64)), set()
    for skills in (0, 8, 12):
        work = prepare("curated", limit=40, skills=skills, store=Store(tmp_path))
        wanted = catalogue.benchmarks_for(work.pool)
        wanted[testbed.ACCURACY](work.base)
        keys.add(grid._key(work, run, wanted))
    assert len(keys) == 3 and asked == [("evaluation", None), ("evaluation", 8), ("evaluation", 12)]


def test_a_pool_that_is_too_small_for_the_budget_has_fewer_parts(tmp_path):
    path = tmp_path / "rows.jsonl"
    path.write_text(
        "".join(json.dumps({"prompt": f"What is {n}?", "response": f"It is {3 * n}."}) + "\n" for n in range(300))
    )
    prepared = {"parts": 5, "skills": 12, "store": Store(tmp_path / "store"), "show_progress": False}
    for budget, expected in ((10, 5), (20, 3), ([10, 30], 2), (200, 1)):
        work = prepare(str(path), budget=budget, **prepared)
        assert len(work.parts) == expected and [part.part for part in work.parts] == list(range(expected))
        largest = budget if isinstance(budget, int) else max(budget)
        assert expected == 1 or min(len(part.pool) for part in work.parts) >= ROWS_PER_BUDGET * largest
        assert {part.pool.provenance["parts"]["asked"] for part in work.parts} == {5}
    assert len(prepare("curated", limit=60, budget=10, **prepared).parts) == 5  # rows of the testbed are free


def test_a_long_run_without_spaces_is_cut_for_the_tokenizer_and_nothing_else():
    plain, long = "Some words, " * 500, "before " + "x" * 2500 + " after " + " " * 1500
    pieces = list(pool_base._pieces([plain, long, ""]))
    assert pieces[0] == plain and "".join(pieces) == plain + long and pieces[1].startswith("before x")
    assert max(len(run) for piece in pieces for run in re.findall(r"\S+|\s+", piece)) == 1000


def test_a_pool_too_small_for_a_base_from_scratch_is_named_with_what_to_do(tmp_path):
    pool = Pool("9 rows", rows(range(9)), rows(range(900, 910)), "9", {}, {})
    with pytest.raises(
        ValueError, match=r"model 'scratch': pool 9 rows has 9 rows .* at least 4,096: name another model"
    ):
        pool_base.scratch_base(pool, store=Store(tmp_path), show_progress=False)


def test_a_base_from_scratch_reads_no_held_out_row_and_is_trained_once(tmp_path, monkeypatch):
    read, pretrain = [], pool_base.pretrain

    def watched(documents, *arguments, **options):
        read.append(list(documents))
        return pretrain(read[-1], *arguments, **options)

    monkeypatch.setattr(pool_base, "pretrain", watched)
    pool, store = (
        Pool("300 rows", rows(range(300)), rows(range(900, 910)), "300", {}, {}),
        Store(tmp_path),
    )
    base = pool_base.scratch_base(pool, store=store, tokens=8192, show_progress=False)
    assert base.name == "scratch (300 rows)" and base.template.name == "chat template"
    assert set(read[0]) == {f"What is {number}?\nIt is {number * 3}." + " Yes!" * (number % 7) for number in range(300)}
    assert len(read[0]) == 4 * 300
    again = pool_base.scratch_base(pool, store=store, tokens=8192, show_progress=False)
    assert len(read) == 1 and again.fingerprint == base.fingerprint


def start(folder: Path) -> subprocess.Popen:
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2]), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, __file__, str(folder)]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)


def finished(folder: Path) -> dict[str, int]:
    """Complete runs by file, with the time at which each was written."""
    return {path.name: path.stat().st_mtime_ns for path in (folder / "runs").glob("*/*.json")}


@pytest.mark.slow
def test_killed_in_the_middle_it_goes_on_and_repeats_nothing_finished(tmp_path, count_trainings):
    process = start(tmp_path)
    give_up = time.monotonic() + 120
    while len(finished(tmp_path)) < 2:
        assert time.monotonic() < give_up, "no two runs were finished in time"
        assert process.poll() is None, "it ended before it could be killed"
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    before = finished(tmp_path)
    assert 2 <= len(before) < 5
    workbench = make_workbench(tmp_path)
    results = grid.run(workbench, plan(workbench), show_progress=False)
    assert len(count_trainings) == 5 - len(before)
    assert before.items() <= finished(tmp_path).items()
    fresh = make_workbench(tmp_path / "fresh")
    undisturbed = grid.run(fresh, plan(fresh), show_progress=False)
    for method in (RANDOM, LONGEST):
        # Another number of threads adds in another order, so they agree closely and not exactly.
        expected = undisturbed.items(method, LOSS)
        np.testing.assert_allclose(results.items(method, LOSS), expected, rtol=1e-3)


@pytest.mark.slow
def test_two_processes_at_once_share_the_runs(tmp_path):
    processes = [start(tmp_path), start(tmp_path)]
    reports = [json.loads(process.communicate(timeout=120)[0].splitlines()[-1]) for process in processes]
    assert [process.returncode for process in processes] == [0, 0]
    assert sum(report["trained"] for report in reports) == 5
    assert reports[0]["scores"] == reports[1]["scores"]
    assert not list(tmp_path.rglob("*.damaged"))


def main(folder: Path) -> None:
    """What the tests above start as a process of its own: the whole plan, slowed down."""
    finetune, trained = grid.finetune, []

    def slow(base, conversations, settings, *, seed, **others):
        trained.append(seed)
        time.sleep(0.3)
        return finetune(base, conversations, settings, seed=seed, **others)

    grid.finetune = slow
    workbench = make_workbench(folder)
    table = grid.run(workbench, plan(workbench), show_progress=False).table
    print(json.dumps({"trained": len(trained), "scores": table["score"].tolist()}))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
