"""Input files of the shapes that people have, each with what must come of it: `tests/cases/EXPECTED.tsv`."""

import csv
import gzip
import json
import re
import tracemalloc
from itertools import product

import pytest

from analysis.paths import ROOT
from analysis.pools import json_files, json_values, load_pool

CASES = ROOT / "tests" / "cases"
with (CASES / "EXPECTED.tsv").open(encoding="utf-8") as file:
    EXPECTED = {row["case"]: row for row in csv.DictReader(file, delimiter="\t")}
# What an error must say of its cause or of the repair, beside the name of the file.
SAYS = {
    "a03": "preference data", "a05": "preference data", "d04": "preference data", "a06": "plain text without an answer",
    "b01": r"not to be trained on.*row 0.*train", "b03": "plain text without an answer", "c01": r"2 of them: tool use.*row 0",
    "c02": r"not to be trained on.*weight", "e17": "join the threads", "e19": "messages=thread", "e20": "flatten",
    "e24": "answer=", "e26": "convert it to messages", "e31": "messages=items", "e33": "convert", "e35": "convert",
    "f08": r"line 5.*comma before \]: remove", "f09": "comma after the object", "f17": "row 0: byte 0xe9.*cp1252",
    "f18": "git lfs pull", "f22": r"Python text.*json\.dumps", "g03": r"2 of them: wrong type.*row 0, output",
    "g12": "does not alternate.*user user assistant", "h03": "row 0: byte 0xe9.*cp1252", "h08": "Python text.*row 0, messages",
    "j11": "bad.json.*comma", "j13": "unpack", "j19": "CSV", "k08": "unknown role.*row 0.*thinking", "k13": "holds no row",
    "k14": "cut short; download", "k16": "cut short.*download", "k19": "line 1 is a comment.*remove", "k27": "convert it to messages",
    "k41": "picture.*row 0, images", "n01": "row 0: byte 0xe9.*cp1252",
}  # fmt: skip
# What must be told of rows that load, or are set aside.
NOTED = {
    "a04": "marked not to be trained on", "b05": "field not read: reflection", "c05": r"field not read: messages\[\]\.name",
    "c06": "system message between turns", "d03": "field not read: tools", "e03": "id made unique", "e07": "field not read: original_question",
    "e10": "language English", "e11": "marked toxic", "e12": "language eng", "e29": "question after the last answer left away",
    "e43": "marker of an empty input", "g02": "number read as text", "g07": "id made unique", "g10": "special token",
    "g11": "text that says that it is missing", "h10": "quote never closed", "j06": "test split", "j10": "empty", "k05": "source that is no text",
    "k42": "field not read: choices", "k43": "template mark", "n04": "quote never closed",
}  # fmt: skip


def loaded(case, tmp_path, **options):
    path = CASES / case
    if case.startswith("g06"):  # an answer of 1,100,000 characters, which need not stand in the repository
        path = tmp_path / case
        path.write_text(
            "".join(json.dumps({"instruction": "Go on.", "output": "word " * size}) + "\n" for size in (220_000, 1))
        )
    return load_pool(str(path), held_out_share=0, cache=tmp_path / "cache", **options)


def told(pool):
    return " | ".join([*pool.summary(), *pool.notes()])


@pytest.mark.filterwarnings("ignore:.*rows were set aside")
@pytest.mark.parametrize("case", EXPECTED)
def test_a_file_as_people_have_it(tmp_path, case):
    expected, short = EXPECTED[case], case[:3]
    if expected["expect"] == "error":
        with pytest.raises((ValueError, FileNotFoundError)) as caught:
            loaded(case, tmp_path)
        assert re.search(SAYS.get(short, ""), str(caught.value), re.DOTALL), str(caught.value)
        assert case.split(".")[0] in str(caught.value)
        return
    pool = loaded(case, tmp_path)
    assert len(pool) == int(expected["rows"]), told(pool)
    assert sum(len(messages) for messages in pool.rows["messages"]) == int(expected["turns"])
    assert bool(pool.set_aside) == (expected["expect"] == "aside")
    assert re.search(NOTED.get(short, ""), told(pool)), told(pool)
    counts = pool.summary()
    assert sum(counts.values()) == 2 * counts["read"]
    assert counts["read"] == sum(read for read, _ in pool.provenance["read_by_file"].values())
    assert len(set(pool.rows["id"])) == len(pool)


def test_every_expectation_of_a_message_is_of_a_case():
    short = {case[:3] for case in EXPECTED}
    assert {*SAYS, *NOTED} <= short
    assert {case[:3] for case, row in EXPECTED.items() if row["expect"] == "error"} <= set(SAYS)


@pytest.mark.parametrize(
    ("case", "row", "turns"),
    [
        ("a01_llamafactory_alpaca_history.json", 0, ["Answer briefly.", "Hello, who are you?", "I am a rainbow bot."]),
        ("e02_dolly.jsonl", 0, ["Name a colour of the rainbow.\n\nA rainbow shows seven bands.", "Indigo."]),
        ("e43_alpaca_no_input_marker.jsonl", 0, ["Name a colour of the rainbow.", "Indigo."]),
        ("c06_two_systems_mid.jsonl", 0, ["Be brief.\n\nBe kind.", "Name a colour of the rainbow.", "Indigo."]),
        ("f21_nan.jsonl", 0, ["a", "b"]),
        ("g01_null_fields.jsonl", 1, ["How many legs has a spider?", "Eight."]),
        ("g02_numbers.jsonl", 0, ["How many legs has a spider?", "8"]),
        ("h01_quoted_newlines.csv", 0, ["Write two lines.", 'one\ntwo, "quoted"']),
        ("h04_bom_semicolon_cp.csv", 0, ["Café?", "Oui"]),
        ("h10_lone_quote.csv", 1, ['A 5" screen', "big"]),
        ("i07_ok.parquet", 0, ["Name a colour of the rainbow.", "Indigo."]),
        ("k30_pandas_default.json", 1, ["How many legs has a spider?\n\nx", "Eight."]),
    ],
)  # fmt: skip
def test_what_is_said_is_read_whole(tmp_path, case, row, turns):
    assert [turn["content"] for turn in loaded(case, tmp_path).messages([row])[0]][: len(turns)] == turns


def test_the_ids_of_the_owner_are_kept(tmp_path):
    assert loaded("g07_dup_ids.jsonl", tmp_path).rows["id"][:] == ["7", "7#2"]


@pytest.mark.parametrize(
    ("case", "fields", "rows"),
    [
        ("e24_openmath_problem_generated.jsonl", "prompt=problem,answer=generated_solution", 1),
        ("a05_alpaca_dpo_prompt_chosen.jsonl", "answer=chosen", 1), ("d04_trl_chosen_rejected_msgs.jsonl", "messages=chosen", 1),
        ("e19_oasst_thread.jsonl", "messages=thread,content=text", 1), ("e31_sharegpt_items.jsonl", "messages=items", 1),
        ("f17_cp1252.jsonl", "encoding=cp1252", 3), ("h03_cp1252.csv", "encoding=cp1252", 2),
        ("e11_wildchat.jsonl", "toxic=drop", 1), ("e11_wildchat.jsonl", "redacted=drop", 1),
        ("e11_wildchat.jsonl", "language=English", 1),
    ],
)  # fmt: skip
@pytest.mark.filterwarnings("ignore:.*rows were set aside")
def test_what_the_owner_says_of_the_fields_is_followed(tmp_path, case, fields, rows):
    pool = loaded(case, tmp_path, fields=fields)
    assert len(pool) == rows == len(load_pool(f"{CASES / case}::{fields}", held_out_share=0, cache=tmp_path / "other"))
    assert "Ã" not in str(pool.rows["messages"][:]) and sum(pool.summary().values()) == 2 * pool.summary()["read"]


@pytest.mark.parametrize(
    ("fields", "message"),
    [("promt=x", "'promt' is no meaning"), ("prompt", "expected meaning=field"), ("toxic=no", "expected keep or drop"),
     ("encoding=latin-99", "expected one that Python knows")],
)  # fmt: skip
def test_what_the_owner_says_is_checked(tmp_path, fields, message):
    with pytest.raises(ValueError, match=message):
        loaded("e22_question_answer.jsonl", tmp_path, fields=fields)


QUESTION = {"prompt": "1 + 1?", "response": "2"}
TURNS = [{"role": "user", "content": "1 + 1?"}, {"role": "assistant", "content": "2"}]


@pytest.mark.parametrize(
    ("name", "content", "rows"),
    [
        ("split.json", {"columns": ["prompt", "response"], "index": [0, 1], "data": [["1 + 1?", "2"], ["2 + 2?", "4"]]}, 2),
        ("table.json", {"schema": {"fields": []}, "data": [QUESTION]}, 1),
        ("excel.csv", "sep=;\nprompt;response\n1 + 1?;2\n", 1),
        ("lima.jsonl", {"conversations": ["1 + 1?", "2"], "source": "x"}, 1),
        ("lists.jsonl", f"{json.dumps(TURNS)}\n{json.dumps(TURNS)}\n", 2),
        ("greeting.json", [{"messages": [{"role": "assistant", "content": "Hello"}, *TURNS]}], 1),
        ("user weight.json", [{"messages": [TURNS[0] | {"loss_weight": 0}, TURNS[1]]}], 1),
        ("deep.jsonl", '{"a": ' * 100_000 + f"\n{json.dumps(QUESTION)}\n", 1),
        ("digits.jsonl", f'{{"id": {"1" * 5_000}}}\n{json.dumps(QUESTION)}\n', 1),
        ("columns.json", {"messages": [TURNS, TURNS, TURNS], "id": ["a", "b", "c"]}, 3),
        ("twice.csv", "prompt,response,response\n1 + 1?,2,3\n", 1),
        ("data[1].json", [QUESTION], 1),
        ("kto.json", [QUESTION | {"label": True}, QUESTION | {"kto_tag": False}, QUESTION | {"label": 0}], 2),
        ("utf16.csv", "prompt,response\n1 + 1?,2\n".encode("utf-16"), 1),
        ("two answers.json", [QUESTION | {"chosen": "2", "rejected": "3", "messages": TURNS}], 1),
    ],
)  # fmt: skip
@pytest.mark.filterwarnings("ignore:.*rows were set aside")
def test_further_files_of_the_same_kinds(tmp_path, name, content, rows):
    path = tmp_path / name
    path.write_bytes(
        content
        if isinstance(content, bytes)
        else (content if isinstance(content, str) else json.dumps(content)).encode()
    )
    pool = load_pool(str(path), held_out_share=0, cache=tmp_path / "cache")
    assert len(pool) == rows and pool.messages([0])[0][-2:] == TURNS


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("page.jsonl", b"\n<!DOCTYPE html><html>", "web page"), ("rows.tar.gz", b"x", "unpack it first"),
        ("rows.jsonl", '{"prompt": "é"}'.encode("utf-16-le"), "utf-16-le"), ("rows.csv", b"a,b\n1,2\n", r"fields: \['a', 'b'\]"),
        ("calls.json", json.dumps([{"messages": [TURNS[0], TURNS[1] | {"tool_calls": [{"id": 1}]}]}]).encode(), "tool use"),
        ("some.csv", b"prompt,response\nCaf\xe9?,2\n1 + 1?,2\n", "row 0: byte 0xe9.*cp1252"),
        ("segments.json", b'[{"segments": [{"label": true, "text": "x"}]}]', "no answer: segments"),
    ],
)  # fmt: skip
def test_further_files_that_cannot_be_read_say_why(tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ValueError, match=message):
        load_pool(str(tmp_path / name), held_out_share=0, cache=tmp_path / "cache")


def test_rows_under_a_key_are_found_by_the_names_that_their_owner_gives(tmp_path):
    path = tmp_path / "a.json"
    path.write_text(json.dumps({"version": 1, "data": [{"problem": "1 + 1?", "solution": "2"}] * 2}, indent=1))
    options = {"held_out_share": 0, "cache": tmp_path / "cache"}
    assert len(load_pool(f"{path}::prompt=problem,answer=solution", **options)) == 2
    path.write_text(json.dumps({"turns": [{"who": "user", "said": "1 + 1?"}, {"who": "bot", "said": "2"}]}))
    assert len(load_pool(f"{path}::messages=turns,role=who,content=said", **options)) == 1


def test_links_are_followed_once_and_copies_count_once(tmp_path):
    lines = (CASES / "f05_crlf.jsonl").read_bytes()
    blob = tmp_path / "hub" / "blobs" / "0a1b"
    snapshot = tmp_path / "hub" / "snapshots" / "x"
    for folder in (blob.parent, snapshot, tmp_path / "links" / "sub"):
        folder.mkdir(parents=True)
    blob.write_bytes(lines)
    (snapshot / "train.jsonl").symlink_to("../../blobs/0a1b")
    (tmp_path / "links" / "one.jsonl").symlink_to(blob)
    (tmp_path / "links" / "two.jsonl").symlink_to(blob)
    (tmp_path / "links" / "sub" / "up").symlink_to(tmp_path / "links")  # a circle
    for folder in ("hub", "links", "links/one.jsonl"):
        assert len(load_pool(str(tmp_path / folder), held_out_share=0, cache=tmp_path / "cache")) == 3
    copies = tmp_path / "copies"
    copies.mkdir()
    (copies / "a.jsonl").write_bytes(lines)
    (copies / "a.jsonl.gz").write_bytes(gzip.compress(lines.strip()))
    pool = load_pool(str(copies), held_out_share=0, cache=tmp_path / "cache")
    assert len(pool) == 3 and pool.summary()["left out: in a copy of another file"] == 3


def test_lists_and_objects_are_read_as_they_come(tmp_path, monkeypatch):
    """Whatever the layout and wherever a chunk ends, the same rows in the same order."""
    rows = [{"prompt": f"Wie viel ist {n}? é{'x' * (n % 37)}", "response": "ü" * (n % 53 + 1)} for n in range(60)]
    texts = {
        "list": json.dumps(rows, ensure_ascii=False), "pretty list": json.dumps(rows, indent=1),
        "lines": "".join(json.dumps(row) + "\n" for row in rows), "objects": "\n".join(json.dumps(row, indent=2) for row in rows),
        "one line": "".join(map(json.dumps, rows)), "under a key": json.dumps({"version": 1, "rows": rows}, indent=1),
        "between others": json.dumps({"info": {"tags": ["a"]}, "rows": rows, "sizes": [1.5, 2], "none": [], "end": 12}, indent=1),
        "by id": json.dumps({f"r{n}": row for n, row in enumerate(rows)}),
    }  # fmt: skip
    for (layout, text), chunk in product(texts.items(), (7, 64, 1 << 20)):
        path = tmp_path / "rows.json"
        path.write_text(text, encoding="utf-8")
        monkeypatch.setattr(json_values, "CHUNK", chunk)
        found = list(json_files.json_rows(path, lambda path=path: path.open("rb")))
        assert found == list(enumerate(rows)), (layout, chunk)


ROWS = [{"prompt": f"What is {n}?", "response": "A number. " * 20} for n in range(3_000)]


@pytest.mark.parametrize(
    "layout", [ROWS, {"data": ROWS}, {"version": 1, "about": {"by": "me"}, "rows": ROWS, "sizes": [3, 4]}]
)
def test_rows_of_a_list_are_never_in_memory_together(tmp_path, monkeypatch, layout):
    monkeypatch.setattr(json_values, "CHUNK", 1 << 12)
    monkeypatch.setattr(json_files, "CHUNK", 1 << 12)
    monkeypatch.setattr(json_files, "LONGEST_FIRST_LINE", 1 << 12)
    path = tmp_path / "rows.json"
    for indent in (None, 1):
        path.write_text(json.dumps(layout, indent=indent))
        tracemalloc.start()
        try:
            assert sum(1 for _ in json_files.json_rows(path, lambda: path.open("rb"))) == 3_000
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert peak < path.stat().st_size / 5


@pytest.mark.parametrize(
    "text, expected",
    [
        ('{"a": [{"prompt": "1", "answer": "2"}],\n "b": [{"other": "3"}]}', None),
        ('{"a": [{"other": "1"}],\n "b": 2}', None),
        ('{"prompt": "1", "answer": "2",\n "more": [{"prompt": "1", "answer": "2"}]}', None),
        ('{"columns": ["prompt", "answer"],\n "data": [["1", "2"]]}', [{"prompt": "1", "answer": "2"}]),
        ('{"prompt": ["1", "3"],\n "answer": ["2", "4"]}', [{"prompt": "1", "answer": "2"}, {"prompt": "3", "answer": "4"}]),
    ],
)  # fmt: skip
def test_an_object_is_the_rows_under_its_one_list_of_rows_or_a_row(tmp_path, text, expected):
    path = tmp_path / "rows.json"
    path.write_text(text)
    found = [row for _, row in json_files.json_rows(path, lambda: path.open("rb"))]
    assert found == ([json.loads(text)] if expected is None else expected)


def test_a_damaged_object_is_read_as_a_whole_which_says_what_is_wrong(tmp_path, monkeypatch):
    path = tmp_path / "rows.json"
    whole = json.dumps({"data": [{"prompt": "1", "answer": "2"}] * 3}, indent=1).encode()
    damaged = (whole[:-20], whole.replace(b"},", b"}", 1), whole + b"]", whole[:-2] + b",\n}", whole[:-2] + b",\n1: 2}",
               whole.replace(b'"2"', b'"\xe9"'), whole + b"\n" + whole)  # fmt: skip

    def outcome() -> str:
        try:
            return str([(number, str(row)) for number, row in json_files.json_rows(path, lambda: path.open("rb"))])
        except ValueError as error:
            return str(error)

    for text in damaged:
        path.write_bytes(text)
        found = outcome()
        with monkeypatch.context() as without:
            without.setattr(json_files, "_key_of_rows", lambda *args: None)
            assert found == outcome()
