"""Plans beyond equal rows at one budget: equal tokens, several budgets, a first look and its confirmation."""

import numpy as np
import pytest

from analysis.experiments import grid, screening
from analysis.experiments.results import EQUAL_ROWS, EQUAL_TOKENS
from analysis.methods import RANDOM
from analysis.reporting import verdicts, versus_random
from tests.experiments.test_workbench import LONGEST, make_workbench

SHORTEST = "token_length(direction='shortest')"


def tokens_of(workbench, run) -> int:
    lengths = workbench.with_part(run.part).features.lengths().total.clip(max=workbench.settings.max_tokens)
    return int(lengths[run.rows].sum())


@pytest.mark.parametrize("method, fewer", [(LONGEST, True), (SHORTEST, False)])
def test_at_equal_tokens_a_method_has_as_many_as_random_and_random_is_not_run_again(tmp_path, method, fewer):
    workbench = make_workbench(tmp_path)
    planned = grid.plan(workbench, [method, "near_duplicate_filter"], 8, n_draws=4, equal_tokens=True)
    rows, tokens = ([run for run in planned if run.design == design] for design in (EQUAL_ROWS, EQUAL_TOKENS))
    assert planned == [*rows, *tokens] and [run.method for run in rows] == [
        *[RANDOM] * 4, *[method] * 2, *["near_duplicate_filter"] * 2,
    ]  # fmt: skip
    # Draws without near-duplicates have random's lengths: comparing them again would ask the same question twice.
    assert [(run.method, run.part, run.budget) for run in tokens] == [(method, 0, 8), (method, 1, 8)]
    equal = np.mean([tokens_of(workbench, run) for run in rows if run.method == RANDOM])
    longest_row = max(part.features.lengths().total.max() for part in workbench.parts)
    for run in tokens:
        assert equal - longest_row < tokens_of(workbench, run) <= equal
        assert (len(run.rows) < 8) == fewer


def test_several_budgets_are_several_plans(tmp_path):
    workbench = make_workbench(tmp_path)
    both = grid.plan(workbench, [LONGEST], [8, 4], n_draws=2)
    alone = [run for budget in (8, 4) for run in grid.plan(workbench, [LONGEST], budget, n_draws=2)]
    assert [(run.method, run.budget, run.part, run.training_seed, *run.rows) for run in both] == [
        (run.method, run.budget, run.part, run.training_seed, *run.rows) for run in alone
    ]


def test_results_keep_designs_and_budgets_apart(tmp_path):
    workbench = make_workbench(tmp_path)
    planned = grid.plan(workbench, [LONGEST], [8, 4], n_draws=2, equal_tokens=True)
    results = grid.run(workbench, planned, show_progress=False)
    assert results.table.groupby(["method", "budget", "design"])["score"].size().eq(2).all()
    benchmark = results.benchmarks[0]
    three = [results.items(LONGEST, benchmark, *of) for of in ((8, EQUAL_ROWS), (8, EQUAL_TOKENS), (4, EQUAL_ROWS))]
    assert all(one.shape == three[0].shape for one in three)
    assert not np.array_equal(three[0], three[1]) and not np.array_equal(three[0], three[2])


def test_the_whole_training_has_equal_tokens_and_not_one_pass_alone(tmp_path, monkeypatch):
    workbench, made = make_workbench(tmp_path, least_steps=6), []
    finetune = grid.finetune

    def kept(*arguments, **options):
        made.append(finetune(*arguments, **options))
        return made[-1]

    monkeypatch.setattr(grid, "finetune", kept)
    planned = grid.plan(workbench, [LONGEST], 8, n_draws=2, equal_tokens=True)
    grid.run(workbench, planned, show_progress=False)
    seen = {EQUAL_ROWS: [], EQUAL_TOKENS: []}
    for run, model in zip(planned, made, strict=True):
        if run.method == RANDOM or run.design == EQUAL_TOKENS:
            seen[run.design].append((model.training["epochs"] * model.training["tokens"], model.training["steps"]))
    (random, steps), (fewer, fewer_steps) = np.mean(seen[EQUAL_ROWS], axis=0), np.mean(seen[EQUAL_TOKENS], axis=0)
    assert fewer == pytest.approx(random, rel=0.25) and fewer_steps == pytest.approx(steps, rel=0.5)


def test_a_confirmation_uses_no_part_and_no_seed_of_the_first_look(tmp_path):
    workbench = make_workbench(tmp_path, n_parts=6)
    first, others = screening.looks(workbench, 3, 3)
    assert [part.part for part in first.parts] == [0, 1, 2] and [part.part for part in others.parts] == [3, 4, 5]
    early = grid.plan(first, [LONGEST, SHORTEST], 8, n_draws=6)
    late = screening.confirmation(others, {(SHORTEST, 8, EQUAL_ROWS)}, n_draws=4)
    assert [run.method for run in late] == [*[RANDOM] * 4, *[SHORTEST] * 3]
    assert {run.part for run in late} == {3, 4, 5} and not {run.training_seed for run in early} & {
        run.training_seed for run in late
    }
    results = grid.run(workbench, late, show_progress=False)  # runs find the parts that they are of
    assert results.table["part"].tolist() == [3, 4, 5, 3, 3, 4, 5]
    assert screening.looks(make_workbench(tmp_path, n_parts=2), 3, 3)[1] is None
    with pytest.raises(ValueError, match="confirm: expected 0 or at least 3 parts, found 2"):
        screening.looks(workbench, 3, 2)


def test_what_was_open_at_equal_tokens_is_confirmed_there_whatever_tokens_it_has(tmp_path):
    workbench = make_workbench(tmp_path, n_parts=3)
    late = screening.confirmation(workbench, {("near_duplicate_filter", 8, EQUAL_TOKENS)}, n_draws=3)
    assert [(run.method, run.design) for run in late] == [
        *[(RANDOM, EQUAL_ROWS)] * 3, *[("near_duplicate_filter", EQUAL_TOKENS)] * 3,
    ]  # fmt: skip


def test_without_draws_nothing_is_run_and_the_page_says_so(tmp_path):
    workbench = make_workbench(tmp_path)
    planned = grid.plan(workbench, [LONGEST], [8, 4], n_draws=0, equal_tokens=True)
    results = grid.run(workbench, planned, with_base=True)
    table = versus_random.versus_random(results)
    assert planned == [] and results.benchmarks == [] and table.empty
    assert "n_draws is 0" in verdicts.estimate_sentences(table)[0]
