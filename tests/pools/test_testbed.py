"""The world: free of leaks, prefix-stable, with the shares and lengths its recipes promise."""

from collections import Counter
from random import Random

import numpy as np
import pytest

from analysis.pools.testbed import FAULTS, RECIPES, evaluation_items, grade, rows
from analysis.pools.testbed.answers import STYLES, final_answer, write_answer
from analysis.pools.testbed.families import FAMILIES, SKILLS
from analysis.pools.testbed.faults import faulty_answer
from analysis.pools.testbed.skill import split_of

N_ROWS = 20_000


@pytest.fixture(scope="module", params=sorted(RECIPES))
def drawn(request):
    return RECIPES[request.param], rows(request.param, 0, 0, N_ROWS)


def test_there_are_enough_skills_families_and_phrasings():
    assert len(SKILLS) >= 32 and len(FAMILIES) >= 6
    for skill in SKILLS.values():
        for_pools, held_out = skill.phrasings(held_out=False), skill.phrasings(held_out=True)
        assert len(set(for_pools)) >= 12 and len(set(held_out)) >= 3
        assert not set(for_pools) & set(held_out)


def test_no_evaluation_or_development_item_occurs_in_a_pool(drawn):
    _, columns = drawn
    asked = {m["content"].lower() for row in columns["messages"] for m in row if m["role"] == "user"}
    held_out = {item.prompt.lower() for split in ("evaluation", "development") for item in evaluation_items(split)}
    assert not asked & held_out
    text = "\n".join(asked)
    assert not [prompt for prompt in held_out if prompt.rstrip("?.") in text]


def test_splits_share_no_operands():
    keys = {
        split: {(item.skill, item.task.key) for item in evaluation_items(split)}
        for split in ("evaluation", "development")
    }
    assert not keys["evaluation"] & keys["development"]
    rng = Random(0)
    for skill in SKILLS.values():
        assert all(split_of(skill.draw_from(rng, "pool").key) == "pool" for _ in range(50))


def test_no_answer_text_of_a_pool_states_an_evaluation_fact(drawn):
    _, columns = drawn
    stated = {f"the {item.task.steps[4:]}".lower() for item in evaluation_items() if item.family == "knowledge"}
    for row, fault in zip(columns["messages"], columns["fault"], strict=True):
        if not fault:
            answer = " ".join(m["content"].lower() for m in row if m["role"] == "assistant")
            assert not [fact for fact in stated if fact in answer]


def test_there_are_enough_items_and_their_own_answers_are_right():
    assert len(evaluation_items("evaluation")) >= 600 and len(evaluation_items("development")) >= 300
    rng = Random(1)
    for item in evaluation_items():
        for style in STYLES:
            assert grade(item, write_answer(item.task, style, rng)), (item.prompt, style)
        assert not grade(item, faulty_answer("wrong answer", SKILLS[item.skill], item.task, "worked", rng))


@pytest.mark.parametrize(
    ("response", "answer"),
    [
        ("12", "12"),
        (" 12.\n", "12"),
        ("1 + 2 = 3.\nThe answer is 3", "3"),
        ("The answer is a, b.\nAlso x.", "a, b"),
    ],
)
def test_the_final_answer_is_what_is_stated_last(response, answer):
    assert final_answer(response) == answer


def test_a_constraint_is_graded_with_the_answer():
    item = next(item for item in evaluation_items() if item.skill == "three_words")
    value = item.task.values["value"]
    assert grade(item, f"The answer is it is {value}") and grade(item, f"surely just {value}")
    assert not grade(item, value) and not grade(item, f"it really is {value}") and not grade(item, "it is nothing")
    capital = next(item for item in evaluation_items() if item.skill == "in_capitals")
    assert not grade(capital, capital.answer.lower())


def test_a_row_depends_on_pool_seed_and_position_alone(drawn):
    recipe, columns = drawn
    part = rows(recipe.name, 0, 1500, 1600)
    assert all(part[name] == values[1500:1600] for name, values in columns.items())
    assert rows(recipe.name, 1, 0, 50)["messages"] != rows(recipe.name, 0, 0, 50)["messages"]


def test_shares_are_those_of_the_recipe(drawn):
    recipe, columns = drawn
    faults = Counter(columns["fault"])
    assert set(faults) <= {"", *FAULTS}
    assert 1 - faults[""] / N_ROWS == pytest.approx(recipe.fault_share, abs=0.015)
    twins = np.mean(np.array(columns["dup_group"]) != np.arange(N_ROWS))
    assert twins == pytest.approx(recipe.near_duplicate_share, abs=0.01)
    turns = [sum(m["role"] == "user" for m in row) for row in columns["messages"]]
    assert np.mean(np.array(turns) > 1) == pytest.approx(recipe.multi_turn_share, abs=0.03)
    assert len(set(columns["source"])) >= (20 if recipe.name == "curated" else 4)


def test_curated_skills_are_near_uniform_and_wild_skills_skewed():
    largest = {}
    for name in RECIPES:
        counts = sorted(Counter(rows(name, 0, 0, N_ROWS)["skill"]).values(), reverse=True)
        largest[name] = counts[0] / counts[len(counts) // 2]
    assert largest["curated"] < 1.5 and largest["wild"] > 8


def test_length_is_heavy_tailed_and_independent_of_skill_and_fault_kind(drawn):
    _, columns = drawn
    words = np.array([len(row[-1]["content"].split()) for row in columns["messages"]])
    assert np.percentile(words, 99) >= 8 * np.median(words)
    style = np.array(columns["style"])
    assert np.percentile(words[style == "verbose"], 10) > np.median(words[style == "terse"])
    for family in FAMILIES:
        share = np.mean(style[np.array(columns["family"]) == family] == "verbose")
        assert share == pytest.approx(0.30, abs=0.06)


def test_every_fault_changes_the_graded_answer():
    rng, kept = Random(2), Counter()
    for skill in SKILLS.values():
        for fault in FAULTS:
            item = next(item for item in evaluation_items() if item.skill == skill.name)
            for style in STYLES:
                kept[fault] += grade(item, faulty_answer(fault, skill, item.task, style, rng))
    total = len(SKILLS) * len(STYLES)
    assert kept["wrong answer"] == kept["refusal"] == 0
    assert all(count <= 0.15 * total for count in kept.values()), kept


def test_rows_that_repeat_another_differ_from_it(drawn):
    _, columns = drawn
    for position, original in enumerate(columns["dup_group"]):
        if original != position:
            assert original < position and columns["dup_group"][original] == original
            assert columns["messages"][position] != columns["messages"][original]
            assert columns["messages"][position][-1] == columns["messages"][original][-1]


def test_an_unknown_pool_name_is_refused():
    with pytest.raises(ValueError, match=r"'tame'.*curated"):
        rows("tame", 0, 0, 1)
