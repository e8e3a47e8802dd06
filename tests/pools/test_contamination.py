"""Planted overlaps are found, with their item and their share; what only resembles an item is not."""

import gzip
import json

import numpy as np
import pytest
from datasets import Dataset

from analysis.paths import ROOT
from analysis.pools import load_pool
from analysis.pools.contamination import (
    HELD_OUT,
    find_overlaps,
    held_out_items,
    index_items,
    is_contaminated,
    read_items,
)
from analysis.pools.word_windows import words

SHARED = ROOT.parent / "shared"
SIXTEEN = "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen"


def rows_of(*asked, answer="Yes."):
    return Dataset.from_list([
        {"id": str(place), "messages": [{"role": "user", "content": text}, {"role": "assistant", "content": answer}]}
        for place, text in enumerate(asked)
    ])  # fmt: skip


def items_of(*asked, benchmark="exam"):
    return index_items([(benchmark, str(place), text, text) for place, text in enumerate(asked)])


def found(rows, items):
    return find_overlaps(rows, items).set_index("row")


def test_words_are_what_is_left_without_case_signs_and_single_letters():
    one, other = words(["(A) Ｆｏｕｒ-legged “Straße”, b) it's 7!"]), words(["four legged strasse it 7"])
    assert (one.hashes == other.hashes).all() and len(one.hashes) == 5
    assert len(words(["今天 5 元"]).hashes) == 4 and len(words(["", "...", "a"]).hashes) == 0


def test_windows_and_wholes_stay_inside_a_text():
    several = words(["red green blue", "green blue", "blue green"])
    window, text = several.windows(2)
    assert text.tolist() == [0, 0, 1, 2] and window[1] == window[2] != window[3]
    whole, text, count = several.wholes()
    assert count.tolist() == [3, 2, 2] and len(set(whole.tolist())) == 3


def test_half_of_the_windows_are_needed():
    # 16 words have 4 windows; words 1 to 14 hold 2 of them, words 1 to 13 one, words 1 to 12 none.
    said = SIXTEEN.split()
    rows = rows_of(*(f"Well: {' '.join(said[:count]).upper()}; so?" for count in (16, 14, 13, 12)))
    table = found(rows, items_of(SIXTEEN))
    assert table["windows"].to_dict() == {0: 4, 1: 2, 2: 1}
    assert table["share"].to_dict() == {0: 1.0, 1: 0.5, 2: 0.25}
    assert is_contaminated(table).to_dict() == {0: True, 1: True, 2: False}


def test_a_short_question_must_be_a_whole_message_and_not_trivially_short():
    question, trivial = "which of these eight words is the longest", "what is the capital of France"
    rows = rows_of(question.title() + "?", f"Tell me: {question}", trivial, answer=f"{question}!")
    items = items_of(question, trivial)
    assert found(rows.select([0]), items)["whole"].tolist() == [True]
    rows = rows_of(f"Tell me: {question}", trivial)
    assert find_overlaps(rows, items).empty
    assert items.left_out.loc["exam", "too short or template"] == 1


def test_choices_are_part_of_a_short_question_however_they_are_lettered(tmp_path):
    choices = ["a red fox at night", "the blue sea", "some old stones", "none of these things"]
    record = {"question": "Which is the coldest?", "choices": choices, "answer": "B"}
    (tmp_path / "exam.jsonl").write_text(json.dumps(record) + "\n", encoding="utf-8")
    lettered = "".join(f"\n({letter}) {choice}" for letter, choice in zip("ABCD", choices, strict=True))
    table = found(rows_of(f"Question: which is the coldest?{lettered}"), index_items(read_items(str(tmp_path))))
    assert is_contaminated(table).tolist() == [True] and table["share"].tolist() == [1.0]


def test_a_template_is_no_item():
    template = "the following paragraphs each describe a set of three objects arranged in a fixed order today and"
    items = items_of(*(f"{template} {' '.join(f'{word}{number}' for word in 'xyzuvw')}" for number in range(11)))
    assert find_overlaps(rows_of(template), items).empty
    table = found(rows_of(items.table["text"][3]), items)
    assert table["item"].tolist() == [3] and table["share"].tolist() == [1.0]


def test_items_of_the_same_words_but_other_signs_are_left_out_and_repeats_count_once():
    closed = "complete the rest of the sequence making sure that all parentheses are closed properly here"
    items = items_of(f"{closed}: [ (", f"{closed}: < {{", SIXTEEN, SIXTEEN)
    assert items.left_out.loc["exam"].to_dict() == {"items": 4, "not told apart": 3, "too short or template": 0}
    assert find_overlaps(rows_of(closed), items).empty
    assert found(rows_of(SIXTEEN), items)["item"].tolist() == [2]


def test_text_without_spaces_is_compared_by_characters():
    asked = "小明有五个苹果他又买了三个苹果现在他一共有几个"
    table = found(rows_of(f"请问，{asked}？", asked[:12]), items_of(asked))
    assert is_contaminated(table).to_dict() == {0: True}


def test_items_are_read_from_files_of_all_shapes(tmp_path):
    (tmp_path / "bbh").mkdir()
    (tmp_path / "code").mkdir()
    nested = {"canary": "do not train", "examples": [{"input": "first", "target": "1"}, {"input": "second"}]}
    (tmp_path / "bbh" / "task.json").write_text(json.dumps(nested), encoding="utf-8")
    with gzip.open(tmp_path / "code" / "tests.jsonl.gz", "wt", encoding="utf-8") as file:
        file.write(json.dumps({"task_id": "1", "prompt": "def one():", "canonical_solution": "return 1"}) + "\n")
    turns = [{"role": "user", "content": "asked"}, {"role": "assistant", "content": "told"}]
    (tmp_path / "chat.jsonl").write_text(json.dumps({"messages": turns}) + "\n", encoding="utf-8")
    read = [(benchmark, item, asked) for benchmark, item, asked, _ in read_items(str(tmp_path))]
    assert sorted(read) == [
        ("bbh", "task.json:0", "first"), ("bbh", "task.json:1", "second"),
        ("code", "tests.jsonl.gz:0", "def one():"), (tmp_path.name, "chat.jsonl:0", "asked"),
    ]  # fmt: skip
    with pytest.raises(FileNotFoundError, match="nowhere"):
        list(read_items(str(tmp_path / "nowhere")))
    assert find_overlaps(rows_of(SIXTEEN), index_items(read_items(""))).empty


def test_held_out_rows_are_items_too():
    items = index_items(held_out_items(rows_of(SIXTEEN)))
    table = found(rows_of("something else", f"{SIXTEEN} and more"), items)
    assert table["benchmark"].to_dict() == {1: HELD_OUT}


def test_batches_do_not_cut_rows(monkeypatch):
    rows, items = rows_of(*["nothing of the kind"] * 7, SIXTEEN), items_of(SIXTEEN)
    monkeypatch.setattr("analysis.pools.contamination.ROWS_AT_ONCE", 3)
    monkeypatch.setattr("analysis.pools.contamination.CHARACTERS_AT_ONCE", 20)
    assert found(rows.select(np.arange(8)), items)["windows"].to_dict() == {7: 4}


@pytest.mark.skipif(not SHARED.is_dir(), reason="needs ../shared")
def test_a_training_set_is_clean_of_its_test_set_until_that_is_planted(tmp_path):
    """GSM8K's training questions among 12,000 real rows: 1 % of planted test items are found, and nothing else."""
    whole = Dataset.from_parquet(str(SHARED / "pools" / "curated_real.parquet"), cache_dir=str(tmp_path))
    train = np.flatnonzero([source.startswith("openai/grade-school-math") for source in whole["source"]])
    rows = whole.select(np.concatenate([train, np.arange(0, len(whole), 40)]))["messages"]
    with open(SHARED / "eval" / "gsm8k" / "test.jsonl", encoding="utf-8") as file:
        test = [json.loads(line) for line in file]
    clean, planted = len(rows), test[:: len(test) * 100 // len(rows) + 1]
    rows = list(rows) + [
        [{"role": "user", "content": f"Question: {one['question']}\nAnswer:"}, {"role": "assistant", "content": "7"}]
        for one in planted
    ]
    table = find_overlaps(Dataset.from_dict({"messages": rows}), index_items(read_items(str(SHARED / "eval"))))
    flagged = table.loc[is_contaminated(table), "row"]
    assert len(train) > 7_000
    assert (flagged >= clean).sum() >= 0.99 * len(planted) > 0
    assert (flagged < clean).sum() <= 0.001 * clean


@pytest.mark.parametrize("told", ["option", "name"])
def test_rows_that_hold_an_item_are_left_out_by_benchmark(tmp_path, told):
    asked = [
        f"Item {n}: how many of the {n + 3} red and {n + 5} green apples in the basket of Anna are left on day {n}?"
        for n in range(40)
    ]

    def write(name, rows):
        (tmp_path / name).write_text("".join(json.dumps(row) + "\n" for row in rows))
        return str(tmp_path / name)

    items = write("bench.jsonl", [{"question": one, "answer": "7"} for one in asked[:4]])
    pool = write("pool.jsonl", [{"prompt": one, "response": "7"} for one in asked])
    options = {"held_out_share": 0, "cache": tmp_path / "cache"}
    for _ in range(2):  # looked for, and found again
        clean = (
            load_pool(pool, decontaminate=[items], **options)
            if told == "option"
            else load_pool(f"{pool}::decontaminate={items}", **options)
        )
        assert len(clean) == 36 and not {messages[0]["content"] for messages in clean.rows["messages"]} & set(asked[:4])
        assert (
            sum(count for line, count in clean.summary().items() if line.startswith("left out: holds an item of")) == 4
        )
    assert clean.fingerprint != load_pool(pool, **options).fingerprint
    with pytest.raises(ValueError, match="is the testbed"):
        load_pool("curated", decontaminate=[items], cache=tmp_path / "cache")
