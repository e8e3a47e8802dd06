"""Held-out rows of files: whole groups of near-duplicates, about the asked share, whatever the order of the rows."""

import json

import numpy as np
import pytest

from analysis.pools import held_out, load_pool
from analysis.pools.held_out import SIMILARITY, hold_out, set_apart
from analysis.pools.near_duplicates import have_near_duplicate, signatures
from analysis.pools.row_keys import occurrences, unique_keys

WORDS = [f"word{number}" for number in range(500)]


def texts(count, seed=0):
    """Half of them with one or two words changed in an earlier one, a few exact copies."""
    rng, made = np.random.default_rng(seed), []
    for row in range(count):
        if row % 2:
            words = np.array(made[rng.integers(row)].split())
            words[rng.integers(0, 40, rng.integers(0, 3))] = rng.choice(WORDS)
        else:
            words = rng.choice(WORDS, 40)
        made.append(" ".join(words))
    return made


def write(path, prompts):
    path.write_text("".join(json.dumps({"prompt": text, "response": "Yes."}) + "\n" for text in prompts))
    return path


def said(rows):
    return [messages[0]["content"] for messages in rows["messages"][:]]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("held_out")
    write(made / "a.jsonl", texts(600))
    write(made / "b.jsonl", np.random.default_rng(1).permutation(texts(600)).tolist())
    return made


def load(folder, name="a.jsonl", **options):
    return load_pool(folder / name, cache=folder / "cache", **options)


@pytest.mark.parametrize("share", [0.05, 0.1, 0.3])
def test_no_held_out_row_has_a_near_duplicate_to_select(folder, share):
    pool = load(folder, held_out_share=share)
    assert len(pool.held_out) == round(600 * share)
    signed = signatures([f"{text}\nYes." for text in said(pool.held_out) + said(pool.rows)])
    asked, among = np.arange(len(pool.held_out)), np.arange(len(pool.held_out), 600)
    assert not have_near_duplicate(signed, asked, among, SIMILARITY).any()
    assert not set(pool.held_out["near_group"]) & set(pool.rows["near_group"])
    assert pool.provenance["held_out"] == {"checked": len(pool.held_out), "with a near-duplicate to select": 0}
    assert len(set(pool.held_out["near_group"])) < len(pool.held_out)


def test_the_order_of_rows_and_a_limit_change_no_held_out_row(folder):
    first, second, part = load(folder), load(folder, "b.jsonl"), load(folder, limit=300)
    assert sorted(said(first.held_out)) == sorted(said(second.held_out))
    assert set(said(part.held_out)) <= set(said(first.held_out)) and len(part.held_out)


def test_near_duplicates_are_set_apart_together(folder):
    rows = load(folder, held_out_share=0.5).held_out
    chosen, group = set_apart(rows), np.array(rows["near_group"][:])
    assert 0 < chosen.sum() < len(chosen)
    assert not set(group[chosen]) & set(group[~chosen])


def test_a_crowd_larger_than_the_share_is_never_held_out(tmp_path):
    prompts = [f"{WORDS[row]} " + " ".join(WORDS[:40]) for row in range(60, 160)] + texts(100, seed=2)
    pool = load(tmp_path, write(tmp_path / "crowd.jsonl", prompts).name, held_out_share=0.2)
    assert len(pool.held_out) == 40 and not set(said(pool.held_out)) & set(prompts[:100])


def test_a_leak_is_counted(monkeypatch):
    import datasets

    prompts = texts(300)
    rows = datasets.Dataset.from_list([{"messages": [{"role": "user", "content": text}]} for text in prompts])
    content = np.arange(1, 301, dtype=np.uint64)
    keys = unique_keys(content, occurrences(content, content))
    monkeypatch.setattr(held_out, "groups", lambda signed, similarity, keys, linked: linked)
    found = hold_out(rows, content, keys, 0.2)
    signed, held = signatures(prompts), np.flatnonzero(found["held"])
    leaks = have_near_duplicate(signed, held, np.flatnonzero(~found["held"]), SIMILARITY).sum()
    assert len(held) == found["checked"] == 60 and found["near_duplicates"] == leaks > 0


def test_groups_are_made_once_and_only_where_rows_are_held_out(folder, monkeypatch):
    before = load(folder)
    monkeypatch.setattr(held_out, "hold_out", lambda *args: pytest.fail("made again"))
    assert load(folder, limit=100).fingerprint != before.fingerprint == load(folder).fingerprint
    everything = load(folder, held_out_share=0)
    assert len(everything) == 600 and "near_group" not in everything.rows.column_names
