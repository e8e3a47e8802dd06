"""Long answers of the testbed: what they are changes, how long they are and all other rows do not."""

import re
from collections import Counter

import numpy as np
import pytest

from analysis.experiments.workbench import prepare
from analysis.pools import load_parts, load_pool
from analysis.pools.testbed import evaluation_items, rows
from analysis.pools.testbed.answers import final_answer
from analysis.pools.testbed.rows import row
from analysis.store.store import Store

N_ROWS = 4_000
WORKED_OUT = re.compile(r"(?m)^\d+\. ")


@pytest.fixture(scope="module")
def pools():
    return {kind: rows("curated", 0, 0, N_ROWS, 8, kind) for kind in ("padded", "worked", "mixed")}


def answers(columns):
    return np.array([row[-1]["content"] for row in columns["messages"]], dtype=object)


def long_and_correct(columns):
    return (np.array(columns["style"]) == "verbose") & (np.array(columns["fault"]) == "")


def test_padded_is_the_default_world(pools, tmp_path):
    assert pools["padded"] == rows("curated", 0, 0, N_ROWS, 8)
    one, two, other = (load_pool("curated", limit=60, cache=tmp_path, **kind)
                       for kind in ({}, {"long_answers": "padded"}, {"long_answers": "worked"}))  # fmt: skip
    assert one.fingerprint == two.fingerprint != other.fingerprint
    assert one.rows["id"][:] == two.rows["id"][:] and not set(one.rows["id"][:]) & set(other.rows["id"][:])
    assert one.provenance["source"] == "testbed, seed 0"
    assert other.provenance["source"] == "testbed, seed 0, worked long answers"


@pytest.mark.parametrize("kind", ["worked", "mixed"])
def test_only_verbose_rows_differ_and_truth_stays(pools, kind):
    short = np.array(pools["padded"]["style"]) != "verbose"
    for column in ("skill", "style", "fault", "dup_group"):
        assert pools[kind][column] == pools["padded"][column]
    assert (answers(pools[kind])[short] == answers(pools["padded"])[short]).all()


def test_lengths_are_distributed_as_padded_ones(pools):
    lengths = {kind: [len(text) for text in answers(columns)[long_and_correct(columns)]]
               for kind, columns in pools.items()}  # fmt: skip
    for level in (50, 75, 90, 97):  # the shortest have two questions at least
        padded = np.percentile(lengths["padded"], level)
        assert np.percentile(lengths["worked"], level) == pytest.approx(padded, rel=0.15)


def test_every_question_of_a_worked_row_is_answered_with_its_steps(pools):
    columns = pools["worked"]
    for place in np.flatnonzero(long_and_correct(columns))[:300]:
        *_, asked, answer = (message["content"] for message in columns["messages"][place])
        assert len(asked.splitlines()) == len(WORKED_OUT.findall(answer)) == answer.count("The answer is") > 1


def test_half_of_the_verbose_rows_of_a_mixed_pool_are_worked_out(pools):
    texts = answers(pools["mixed"])[long_and_correct(pools["mixed"])]
    share = np.mean([bool(WORKED_OUT.search(text)) for text in texts])
    assert share == pytest.approx(0.5, abs=0.05)


def test_no_item_of_the_evaluation_is_asked_in_a_worked_pool(pools):
    asked = "\n".join(m["content"].lower() for row in pools["worked"]["messages"] for m in row if m["role"] == "user")
    items = [item for split in ("evaluation", "development") for item in evaluation_items(split, 8)]
    assert not [item for item in items if item.prompt.lower().rstrip("?.") in asked]
    said = "\n".join(answers(pools["worked"])[np.array(pools["worked"]["fault"]) == ""]).lower()
    facts = [item.task.steps[4:].lower() for item in items if item.family == "knowledge"]
    assert facts and not [fact for fact in facts if f"the {fact}" in said]


def test_a_wrong_answer_is_wrong_in_every_part():
    wrong = next(one for place in range(20_000) if (one := row("wild", 0, place, None, "worked"))["fault"] == "wrong answer"
                 and one["style"] == "verbose" and one["skill"] == "addition")  # fmt: skip
    asked, answer = (wrong["messages"][-2]["content"], wrong["messages"][-1]["content"])
    sums = [sum(map(int, re.findall(r"\d+", line.split(". ", 1)[1]))) for line in asked.splitlines()]
    said = [int(final_answer(part)) for part in re.findall(r"The answer is \d+", answer)]
    assert len(sums) == len(said) and not Counter(map(int.__eq__, sums, said))[True]


def test_what_cannot_be_had_is_refused_or_left_aside(tmp_path):
    file = tmp_path / "a.jsonl"
    file.write_text("\n".join(f'{{"instruction": "Say {n}", "output": "It is {n}."}}' for n in range(40)))
    with pytest.raises(ValueError, match=r"long_answers: only of the testbed's pools \(curated, wild\), and .*a.jsonl"):
        load_pool(file, long_answers="worked", cache=tmp_path)
    with pytest.raises(ValueError, match="long_answers: expected one of padded, worked, mixed, found 'short'"):
        load_parts("curated", parts=2, limit=30, long_answers="short", cache=tmp_path)
    work = prepare("curated", limit=40, parts=2, long_answers="worked", store=Store(tmp_path), show_progress=False)
    assert all("worked long answers" in part.pool.provenance["source"] for part in work.parts)
