import json

import numpy as np
import pytest

from analysis.pools import load_pool, targets
from analysis.pools.held_out import set_apart
from analysis.pools.target_files import load_target_file
from analysis.pools.targets import load_targets
from analysis.pools.testbed import evaluation_items


@pytest.fixture(scope="module")
def testbed(tmp_path_factory):
    return load_pool("curated", limit=2000, cache=tmp_path_factory.mktemp("testbed"))


def row(number, source="a", answer="yes"):
    return {
        "source": source,
        "messages": [{"role": "user", "content": f"{number}?"}, {"role": "assistant", "content": answer}],
    }


@pytest.fixture
def own(tmp_path, monkeypatch):
    """A pool of a user's file, half of it held out."""
    monkeypatch.setattr("analysis.pools.loading.RESULTS", tmp_path)
    file = tmp_path / "rows.jsonl"
    file.write_text("".join(json.dumps(row(number, "ab"[number % 2])) + "\n" for number in range(400)))
    return load_pool(str(file), held_out_share=0.5)


def said(groups):
    return [messages for group in groups.values() for messages in group]


def test_development_items_are_prompt_and_answer_by_family_and_no_evaluation_item(testbed):
    groups = load_targets("development", testbed)
    assert groups == load_targets("auto", testbed)
    assert set(groups) == set(testbed.truth("family")) and len(said(groups)) == 360
    expected = {(item.prompt, item.answer) for item in evaluation_items("development")}
    assert {tuple(message["content"] for message in messages) for messages in said(groups)} == expected
    assert [message["role"] for message in said(groups)[0]] == ["user", "assistant"]
    evaluated = {item.prompt for item in evaluation_items("evaluation")}
    assert not evaluated & {messages[0]["content"] for messages in said(groups)}


def test_development_items_are_of_the_skills_of_the_pool(testbed, tmp_path):
    few = load_pool("curated", limit=500, skills=12, cache=tmp_path)
    expected = {item.prompt for item in evaluation_items("development", 12)}
    assert {messages[0]["content"] for messages in said(load_targets("auto", few))} == expected
    assert len(expected) == 300 and testbed.skills is None and few.skills == 12


def test_another_pool_has_no_development_items_and_takes_held_out_rows(own):
    with pytest.raises(ValueError, match="is not; expected"):
        load_targets("development", own)
    groups = load_targets("auto", own)
    assert groups == load_targets("held-out", own) and list(groups) == ["a", "b"]
    chosen = set_apart(own.held_out)
    assert 0.1 < chosen.mean() < 0.4
    assert sorted(map(str, said(groups))) == sorted(
        map(str, own.held_out.select(np.flatnonzero(chosen))["messages"][:])
    )
    offered = {messages[0]["content"] for messages in own.rows["messages"]}
    assert not offered & {messages[0]["content"] for messages in said(groups)}


def test_duplicates_are_set_apart_together_and_the_order_of_rows_does_not_matter(testbed):
    chosen = set_apart(testbed.held_out)
    group = np.array(testbed.held_out["dup_group"][:])
    assert all(len(set(chosen[group == one])) == 1 for one in set(group))
    backward = np.arange(len(chosen))[::-1]
    assert set_apart(testbed.held_out.select(backward)).tolist() == chosen[::-1].tolist()


def test_rows_of_the_pool_are_a_draw_by_seed(testbed, monkeypatch):
    monkeypatch.setattr(targets, "MOST_ROWS", 50)
    first, again, other = (load_targets("pool", testbed, seed=seed)["pool"] for seed in (0, 0, 1))
    assert first == again and first != other and len(first) == 50
    monkeypatch.undo()
    assert len(load_targets("pool", testbed)["pool"]) == round(len(testbed) / 10)
    assert all(messages in testbed.rows["messages"][:] for messages in first)


def test_a_file_of_the_user_is_read_by_source(own, tmp_path):
    file = tmp_path / "mine.jsonl"
    file.write_text("".join(json.dumps(row(number, "xxy"[number % 3])) + "\n" for number in range(9)))
    groups = load_target_file(str(file))
    assert {name: len(group) for name, group in groups.items()} == {"x": 6, "y": 3}


def test_what_is_no_target_is_an_error_that_lists_the_known(own, tmp_path):
    with pytest.raises(ValueError, match=r"expected one of 'auto', .* or a file of target rows, found 'devlopment'"):
        load_target_file("devlopment")
    with pytest.raises(ValueError, match=r"expected one of 'auto', .* found 'devlopment'"):
        load_targets("devlopment", own)
    nothing_held = load_pool(str(tmp_path / "rows.jsonl"), held_out_share=0)
    with pytest.raises(ValueError, match="none of the 0 held-out rows"):
        load_targets("held-out", nothing_held)
