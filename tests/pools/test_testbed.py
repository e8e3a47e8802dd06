"""The world: free of leaks, prefix-stable, with the shares and lengths its recipes promise."""

import hashlib
import json
import subprocess
import sys
from collections import Counter
from random import Random

import numpy as np
import pytest

from analysis.pools.testbed import FAULTS, RECIPES, evaluation_items, grade, rows, skills_of
from analysis.pools.testbed.answers import STYLES, final_answer, write_answer
from analysis.pools.testbed.families import FAMILIES, SKILLS
from analysis.pools.testbed.faults import faulty_answer
from analysis.pools.testbed.skill import split_of

N_ROWS = 20_000
DIGESTS = {  # of rows and items as they were when the world was frozen
    "curated": "ec0053a15fbf447b",
    "wild": "d20d9cc6be99fc4e",
    "evaluation": "0bbc97174d7450dc",
    "development": "8b54c2e3283ef633",
}


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


def test_the_world_of_all_skills_is_frozen():
    made = {name: [rows(name, 0, 0, 500), rows(name, 3, 9000, 9300)] for name in RECIPES}
    for split in ("evaluation", "development"):
        made[split] = [(item.id, item.prompt, item.answer, item.task.key) for item in evaluation_items(split)]
    digests = {name: hashlib.sha256(json.dumps(part).encode()).hexdigest()[:16] for name, part in made.items()}
    assert digests == DIGESTS


def test_a_subset_of_skills_is_spread_over_the_families_and_part_of_every_larger_one():
    assert skills_of(None) == skills_of(len(SKILLS)) == tuple(SKILLS)
    for count in range(len(FAMILIES), len(SKILLS) + 1):
        chosen = skills_of(count)
        assert len(set(chosen)) == count and set(chosen) >= set(skills_of(max(count - 1, len(FAMILIES))))
        sizes = Counter(SKILLS[name].family for name in chosen)
        assert set(sizes) == set(FAMILIES)
        if count <= 5 * len(FAMILIES):  # every family has five
            assert max(sizes.values()) - min(sizes.values()) <= 1
    for wrong in (0, len(FAMILIES) - 1, len(SKILLS) + 1, 12.0, True):
        with pytest.raises(ValueError, match=f"skills: expected a whole number from 8 to 45, found {wrong!r}"):
            skills_of(wrong)


@pytest.mark.parametrize("skills", [*range(8, 18), 24, 39, 45])
def test_a_subset_has_enough_items_of_its_skills_alone_none_twice(skills):
    items = {split: evaluation_items(split, skills) for split in ("evaluation", "development")}
    for split, fewest in (("evaluation", 600), ("development", 300)):
        counts = Counter(item.skill for item in items[split])
        assert len(items[split]) >= fewest and tuple(counts) == skills_of(skills) and len(set(counts.values())) == 1
        assert (
            len({item.prompt for item in items[split]}) == len({item.id for item in items[split]}) == len(items[split])
        )
        assert {split_of(item.task.key) for item in items[split]} == {split}
    rng = Random(1)
    for item in items["evaluation"]:
        assert grade(item, write_answer(item.task, "worked", rng))
    if skills == 45:
        assert items == {split: evaluation_items(split) for split in items}


@pytest.mark.parametrize("skills", [8, 12])
@pytest.mark.parametrize("name", sorted(RECIPES))
def test_a_pool_of_fewer_skills_keeps_the_recipe_and_holds_no_item(name, skills):
    recipe, columns = RECIPES[name], rows(name, 0, 0, 8_000, skills)
    part = rows(name, 0, 1500, 1600, skills)
    assert all(part[column] == values[1500:1600] for column, values in columns.items())
    counts = Counter(columns["skill"])
    assert set(counts) == set(skills_of(skills))
    assert 1 - Counter(columns["fault"])[""] / 8_000 == pytest.approx(recipe.fault_share, abs=0.02)
    if name == "curated":
        assert max(counts.values()) < 1.7 * min(counts.values())
    asked = {m["content"].lower() for row in columns["messages"] for m in row if m["role"] == "user"}
    text = "\n".join(asked)
    for split in ("evaluation", "development"):
        assert not [item for item in evaluation_items(split, skills) if item.prompt.lower().rstrip("?.") in text]
    answers = "\n".join(
        " ".join(m["content"].lower() for m in row if m["role"] == "assistant")
        for row, fault in zip(columns["messages"], columns["fault"], strict=True)
        if not fault
    )
    known = [item for item in evaluation_items("evaluation", skills) if item.family == "knowledge"]
    assert known and not [item for item in known if f"the {item.task.steps[4:]}".lower() in answers]
    for position, original in enumerate(columns["dup_group"]):
        assert original <= position and columns["skill"][original] == columns["skill"][position]
    assert not set(columns["id"]) & set(rows(name, 0, 0, 50)["id"])


def test_how_files_are_read_is_no_part_of_a_testbed_pool():
    """Else every stored run of the testbed would be lost whenever a shape of files is added."""
    from analysis.pools import parts, testbed_split
    from analysis.store.code_version import code_version, modules_behind, own_code

    assert not {"analysis.pools.loading", "analysis.pools.formats"} & modules_behind("analysis.pools.row_keys")
    expected = [own_code(parts.__name__), code_version("analysis.pools.row_keys")]
    assert expected == parts.CODE and "analysis.pools.loading" not in modules_behind(testbed_split.__name__)


def test_how_files_are_read_is_no_part_of_a_run():
    """A run trains on messages and is scored on items: what a file looked like changes neither."""
    from analysis.store.code_version import modules_behind

    behind = modules_behind("analysis.models.training.finetuning", "analysis.experiments.benchmarks.catalogue")
    assert "analysis.pools.said" in behind
    reading = (
        "conversion",
        "formats",
        "turns",
        "files",
        "reading",
        "json_files",
        "json_values",
        "csv_files",
        "loading",
    )
    assert not {f"analysis.pools.{name}" for name in reading} & behind


SCRIPT = """
import sys
from pathlib import Path
print("begun", flush=True)
from analysis.pools import load_pool
pool = load_pool("curated", limit=30_001, cache=Path(sys.argv[1]))  # enough for several processes
print(len(pool) + len(pool.held_out), sys.modules["__main__"].__file__)
"""


def test_many_rows_are_generated_from_a_script_without_a_main_guard(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    done = subprocess.run(
        [sys.executable, str(script), str(tmp_path / "cache")], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["begun", f"30001 {script}"]
