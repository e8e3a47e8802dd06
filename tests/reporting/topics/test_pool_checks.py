"""The numbers that a pool's owner reads, on a file whose oddities are planted and counted."""

import json
import re
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from analysis.features.features import Features
from analysis.pools import load_pool
from analysis.reporting.topics import pool_checks, pools
from analysis.store.store import Store
from analysis.subsets.rows import table

ITEM = "A farmer has seven brown hens and each of them lays two white eggs on every single day of the week"


def rows():
    """100 rows of their own words from `a`, of which 4 say nothing, 3 refuse, 2 hold the item; 3 alike from b, c, c."""
    random = np.random.default_rng(0)
    for number in range(100):
        made = [" ".join("".join(chr(97 + letter) for letter in word) for word in random.integers(0, 26, (9, 6)))
                for _ in range(2)]  # fmt: skip
        asked = f"{made[0]} {ITEM.upper()}?" if number in (50, 51) else made[0]
        answer = "<|endoftext|>" if number < 4 else f"I cannot help with {made[1]}" if number < 7 else made[1]
        yield "a", asked, answer
    for number, source in enumerate("bcc"):
        said = "The same long words again about the sea and its ships and many harbours and one old captain"
        yield source, said, f"{said} {number}"


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("planted")
    lines = [json.dumps({"source": source, "prompt": asked, "response": told}) for source, asked, told in rows()]
    (folder / "rows.jsonl").write_text("\n".join(lines), encoding="utf-8")
    (folder / "exam.jsonl").write_text(json.dumps({"question": ITEM}), encoding="utf-8")
    pool = load_pool(str(folder / "rows.jsonl"), held_out_share=0, cache=folder / "cache")
    work = SimpleNamespace(pool=pool, features=Features(pool, None, store=Store(folder), show_progress=False))
    ones = np.ones(len(pool), dtype=np.int64)
    known = table(pool, SimpleNamespace(answer=ones, prompt=ones, total=ones, truncated=ones > 1))
    return work, pool_checks.check(work, known, str(folder / "exam.jsonl"), seed=0)


def test_planted_oddities_are_counted(made):
    overview = pool_checks.overview(made[1]).set_index("what")
    counts = overview["rows"].to_dict()
    assert (overview["of"].drop("held-out row with a near-duplicate to select") == 103).all()
    assert counts["has a near-duplicate (similarity 0.8 or more)"] == 3
    assert counts["… in its own source"] == 2 and counts["… in another source"] == 3
    assert counts["answer of nothing but markers or signs"] == 4 and counts["an answer worded as a refusal"] == 3
    held = [what for what in counts if what.startswith("holds an item of")]
    assert len(held) == 1 and counts[held[0]] == 2
    assert overview.loc["held-out row with a near-duplicate to select", "share"] == "not known"


def test_sources_and_examples_name_the_rows(made):
    work, checked = made
    by_source = pool_checks.by_source(checked)
    assert by_source["rows"].to_dict() == {"a": 100, "c": 2, "b": 1}
    assert by_source.loc["c", "near-duplicate in it"] == 1.0 and by_source.loc["b", "near-duplicate elsewhere"] == 1.0
    shown = pool_checks.examples(work.pool, checked)
    assert [one["what"] for one in shown][:3] == ["answer of nothing but markers or signs"] * 2 + [
        "an answer worded as a refusal"
    ]
    contaminated = pool_checks.contaminated_examples(work.pool, checked)
    assert len(contaminated) == 2 and all(
        ITEM in one["item"] and one["shared"].startswith("100 %") for one in contaminated
    )


def test_sentences_say_the_same_and_what_is_not_known(made):
    said = " ".join(pool_checks.findings(made[1]))
    assert "2.9 % of the 103 rows have a near-duplicate" in said and "from a." in said
    assert "4 answers (3.9 %) say nothing" in said and "Languages of all 103 rows" in said
    assert "held-out rows looked at" not in said and "No benchmark was given" not in said


def test_what_is_counted_once_is_singular(made):
    checked = made[1]
    first = np.arange(len(checked.rows)) == 0
    rows = checked.rows.assign(**{"nothing said": first, "refusal": first, "prompt tokens": 1})
    once = replace(checked, rows=rows, held_out=(20, 1), overlaps=checked.overlaps[:1])
    said = " ".join(pool_checks.findings(once))
    assert "1 of 20 held-out rows looked at has a near-duplicate" in said
    assert "1 answer (1.0 %) says nothing but" in said and "1 row (1.0 %) holds an answer worded as a refusal" in said
    assert "1 of 103 rows holds one of the 1 item of" in said and "have at most 1 token, one" in said
    assert not re.search(r"\b1 (rows|answers|tokens|items|prompts)\b", said)


def test_an_owner_sees_what_was_not_read_and_what_every_file_lost(tmp_path):
    folder = tmp_path / "data"
    folder.mkdir()
    good = [{"prompt": f"{n} + 1?", "response": str(n + 1), "stars": 5} for n in range(4)]
    (folder / "a.jsonl").write_text("".join(json.dumps(row) + "\n" for row in good))
    (folder / "b.jsonl").write_text(
        "".join(json.dumps(row) + "\n" for row in [*good[:1], {"prompt": "x"}, {"prompt": "y"}])
    )
    (folder / "test.jsonl").write_text("{}\n")
    (folder / "z.jsonl").write_bytes((folder / "a.jsonl").read_bytes())
    pool = load_pool(str(folder), held_out_share=0, cache=tmp_path / "cache")
    assert [(line["what"], line["rows"]) for line in pools.noted_examples(pool)] == [("field not read: stars", "9")]
    lines = pools.files(pool).assign(file=lambda table: table["file"].str.rsplit("/").str[-1]).values.tolist()
    assert lines == [
        ["b.jsonl", 3, 2, ""],
        ["z.jsonl", 4, 0, "a copy of another file"],
        ["a.jsonl", 4, 0, ""],
        ["test.jsonl", 0, 0, "test split"],
    ]
    assert pools.files(pool, at_most=1)["file"].tolist()[-1] == "3 more files"
