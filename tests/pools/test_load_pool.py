"""Pools from files, folders and the testbed: nothing lost, nothing silent, held-out rows fixed by content."""

import csv
import gzip
import json
import os
import subprocess
import sys
from decimal import Decimal

import httpx2
import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analysis.paths import ROOT
from analysis.pools import conversion, converted, load_pool, records
from analysis.pools.how_to_read import how_to_read
from analysis.pools.originals import originals
from analysis.pools.testbed import skills_of

SHARED = ROOT.parent / "shared"


def rows(count: int, start: int = 0) -> list[dict]:
    return [{"prompt": f"What is {n} + 1?", "response": f"It is {n + 1}."} for n in range(start, start + count)]


def write_lines(path, records):
    path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    return path


def load(path, tmp_path, **options):
    return load_pool(str(path), cache=tmp_path / "cache", **options)


def texts(pool):
    return [messages[0]["content"] for part in (pool.rows, pool.held_out) for messages in part["messages"]]


@pytest.mark.parametrize(
    "kind", ["jsonl", "json list", "json lines", "csv", "parquet", "gz", "folder", "pattern", "several"]
)
def test_every_kind_of_file_gives_the_same_rows(tmp_path, kind):
    records = rows(60)
    folder = tmp_path / "data"
    folder.mkdir()
    if kind in ("jsonl", "json lines"):
        source = write_lines(folder / ("a.jsonl" if kind == "jsonl" else "a.json"), records)
    elif kind == "json list":
        source = folder / "a.json"
        source.write_text(json.dumps(records))
    elif kind == "csv":
        source = folder / "a.csv"
        pd.DataFrame(records).to_csv(source, index=False, quoting=csv.QUOTE_ALL)
    elif kind == "parquet":
        source = folder / "a.parquet"
        pd.DataFrame(records).to_parquet(source)
    elif kind == "gz":
        source = folder / "a.jsonl.gz"
        with gzip.open(source, "wt") as file:
            file.write("".join(json.dumps(record) + "\n" for record in records))
    else:
        parts = [
            write_lines(folder / name, part) for name, part in (("a.jsonl", records[:25]), ("b.jsonl", records[25:]))
        ]
        (folder / "notes.txt").write_text("not data")
        source = {"folder": folder, "pattern": folder / "*.jsonl", "several": ",".join(map(str, parts))}[kind]
    pool = load(source, tmp_path)
    assert sorted(texts(pool)) == sorted(record["prompt"] for record in records)
    assert pool.summary()["read"] == 60 and not pool.has_truth
    assert len({*pool.rows["id"], *pool.held_out["id"]}) == 60


def test_rows_that_do_not_fit_are_counted_with_three_examples(tmp_path):
    path = tmp_path / "mixed.jsonl"
    good = [
        {"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]},
        {"instruction": "c", "input": "", "output": "d"},
        {"conversations": [{"from": "human", "value": "e"}, {"from": "gpt", "value": "f"}]},
        *rows(30),
    ]
    bad = [{"prompt": "x", "response": ""}] * 5 + [{"messages": []}, {"other": 1}]
    write_lines(path, good + bad)
    with path.open("ab") as file:
        file.write(b'{"prompt": "\xff", "resp\n{"prompt": \n')
    pool = load(path, tmp_path)
    counts = {reason: aside.count for reason, aside in pool.set_aside.items()}
    assert counts == {"empty answer": 5, "no messages": 1, "other shape": 1, "invalid UTF-8": 1, "not JSON": 1}
    assert len(pool) + len(pool.held_out) == 33 and pool.summary()["read"] == 42
    examples = pool.set_aside["empty answer"].examples
    assert len(examples) == 3 and examples[0] == {"file": str(path), "row": 33, "field": "turn 1", "found": ""}


def test_cells_that_hold_lists_are_messages(tmp_path):
    cells = [
        [{"role": "user", "content": row["prompt"]}, {"role": "assistant", "content": row["response"]}]
        for row in rows(20)
    ]
    pd.DataFrame({"messages": cells, "other": 1}).to_parquet(tmp_path / "a.parquet")
    pd.DataFrame({"messages": [json.dumps(cell) for cell in cells]}).to_csv(tmp_path / "b.csv", index=False)
    pools = [load(tmp_path / name, tmp_path) for name in ("a.parquet", "b.csv")]
    assert texts(pools[0]) == texts(pools[1]) and len(texts(pools[0])) == 20
    assert pools[0].messages([2, 0]) == [pools[0].rows[2]["messages"], pools[0].rows[0]["messages"]]


def test_an_object_over_several_lines_is_one_row(tmp_path):
    path = tmp_path / "a.json"
    path.write_text(json.dumps(rows(1)[0], indent=2))
    assert load(path, tmp_path, held_out_share=0).messages([0])[0][1]["content"] == "It is 1."
    path.write_text(json.dumps({"data": rows(3), "version": 1}, indent=2))
    assert len(load(path, tmp_path, held_out_share=0)) == 3
    path.write_text('{"prompt": \n' + "".join(json.dumps(row) + "\n" for row in rows(5)))  # lines, the first damaged
    assert load(path, tmp_path, held_out_share=0).summary()["set aside: not JSON"] == 1


def test_every_row_of_files_put_one_behind_the_other_is_read(tmp_path):
    part = "".join(json.dumps(row) + "\n" for row in rows(2)).encode("utf-8-sig")  # a mark at the start, as on Windows
    (tmp_path / "a.jsonl").write_bytes(part * 2)
    assert len(load(tmp_path / "a.jsonl", tmp_path, held_out_share=0)) == 4


def test_a_decimal_number_is_read_as_a_number(tmp_path):
    prices = pd.DataFrame({"question": ["Price?", "And now?"], "answer": [Decimal("1.50"), Decimal("2.00")]})
    prices.to_parquet(tmp_path / "a.parquet")
    pool = load(tmp_path / "a.parquet", tmp_path, held_out_share=0)
    assert [turns[1]["content"] for turns in pool.rows["messages"]] == ["1.50", "2.00"]
    assert pool.notes() == {"read: number read as text": 2}


def test_a_number_of_too_many_digits_sets_its_row_aside(tmp_path):
    path = write_lines(tmp_path / "a.jsonl", rows(5))
    with path.open("a") as file:
        file.write('{"prompt": "x", "response": "y", "id": ' + "1" * 5000 + "}\n")
    assert load(path, tmp_path, held_out_share=0).summary()["set aside: not JSON"] == 1


def test_damaged_lines_of_csv_cost_their_own_rows(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text('prompt,response,source\nx,y,\nz\n"z,z,s\nz,z,s,t\nprompt,response,source\nz,"z"z,s\nv,v,s\n')
    pool = load(path, tmp_path, held_out_share=0)
    assert {reason: aside.examples[0]["row"] for reason, aside in pool.set_aside.items()} == {
        "empty answer": 1, "quote never closed": 2, "more cells than columns": 3, "the header again": 4,
    }  # fmt: skip
    assert pool.rows["source"][:] == ["a", "s", "s"] and pool.rows["number"][:] == [0, 5, 6]
    path.write_bytes(b"prompt,response\nx,y\n\xff,y\n")
    with pytest.raises(ValueError, match=r"a\.csv: row 1: byte 0xff is no UTF-8.*encoding=cp1252"):
        load(path, tmp_path)


def test_cells_that_no_header_names_are_read_or_told_of(tmp_path):
    def read(name, text):
        (tmp_path / name).write_text(text, encoding="utf-8")
        return load(tmp_path / name, tmp_path, held_out_share=0)

    ends = read("ends.csv", "prompt;completion\na;b;\nc;d;;\n")  # a separator at the end of every row
    assert texts(ends) == ["a", "c"]
    unnamed = read("unnamed.csv", ",instruction,,output\n0,Sum up,a long text,short\n1,Sum up,,empty\n")
    assert unnamed.notes() == {"read: field not read: column 3 without a name": 1}


def test_quotes_that_are_text_stay_in_a_cell(tmp_path):
    (tmp_path / "a.tsv").write_text('question\tanswer\n"Hello" he said?\t"say ""so"""\n"Yes" or "no"?\tyes\n')
    (tmp_path / "a.csv").write_text('question,answer\n"a, b" c,d\n')  # the comma of the quoted part parts no cells
    pool = load(tmp_path / "a.tsv", tmp_path, held_out_share=0)
    assert [turn["content"] for turn in pool.messages([0])[0]] == ['"Hello" he said?', 'say "so"']
    assert texts(pool)[1] == '"Yes" or "no"?'
    assert texts(load(tmp_path / "a.csv", tmp_path, held_out_share=0)) == ["a, b c"]


def test_ids_that_many_rows_share_are_numbered_in_one_pass(tmp_path, monkeypatch):
    hashed = []
    monkeypatch.setattr(conversion, "hash_of", lambda text: hashed.append(text) or text)
    ids = ["a", "a", "a#3", "a", "a#3", *["a"] * 200]
    lines = [row | {"id": one} for row, one in zip(rows(len(ids)), ids, strict=True)]
    pool = load(write_lines(tmp_path / "d.jsonl", lines), tmp_path, held_out_share=0)
    assert pool.rows["id"][:8] == ["a", "a#2", "a#3", "a#4", "a#3#2", "a#5", "a#6", "a#7"]
    assert len(hashed) < 3 * len(ids)


@pytest.mark.parametrize(
    "fields", ["answer=query", "answer=query,toxic=drop", "prompt=query,answer=question", "toxic=drop"]
)
def test_what_was_said_of_fields_is_told_so_that_the_rows_read_alike(tmp_path, fields):
    lines = [{"question": f"What is {n} + 1?", "query": f"It is {n + 1}."} for n in range(20)]
    lines = [one | {"response": "So."} for one in lines] if fields == "toxic=drop" else lines
    path = write_lines(tmp_path / "d.jsonl", lines)
    pool = load(path, tmp_path, fields=fields, held_out_share=0)
    assert pool.provenance["told"].split(",") == fields.split(",")
    assert how_to_read(pool.provenance["told"]) == how_to_read(fields)
    assert originals(pool, [3, 0], str(path)) == [lines[3], lines[0]]


def test_ids_are_unique_whatever_the_files_are_called(tmp_path):
    folder = tmp_path / "data"
    (folder / "deep").mkdir(parents=True)
    for place, name in enumerate(("a.jsonl", "a-1.jsonl", "a.json", "deep/a.jsonl", "deep/a-3.jsonl")):
        write_lines(folder / name, rows(4, start=10 * place))
    ids = load(folder, tmp_path, held_out_share=0).rows["id"][:]
    assert len(set(ids)) == len(ids) == 20


def damaged(tmp_path, kind):
    path = tmp_path / {"parquet": "cut.parquet", "gz": "cut.jsonl.gz"}.get(kind, "bad.jsonl")
    if kind == "empty":
        path.write_bytes(b"")
    elif kind == "unknown shape":
        write_lines(path, [{"question": 1, "reply": 2}] * 3)
    elif kind == "no row":
        path.write_text("\n \n")
    elif kind == "flip":
        path = tmp_path / "flip.jsonl.gz"
        content = bytearray(gzip.compress(b'{"prompt": "x", "response": "y"}\n' * 3))
        content[10] |= 6  # the first block is of a kind that does not exist
        path.write_bytes(content)
    elif kind == "list":
        path = tmp_path / "list.json"
        path.write_text('[{"prompt": "x", "response": "y"}, {"pro')
    elif kind == "columns":
        path = tmp_path / "columns.parquet"
        pd.DataFrame({"question": ["x"], "reply": ["y"]}).to_parquet(path)
    elif kind == "kind":
        path = tmp_path / "data.xlsx"
        path.write_text("x")
    else:
        if kind == "parquet":
            pd.DataFrame(rows(500)).to_parquet(path)
        else:
            path.write_bytes(gzip.compress("".join(json.dumps(row) + "\n" for row in rows(500)).encode()))
        path.write_bytes(path.read_bytes()[:-200])
    return path


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("empty", "the file is empty"), ("unknown shape", r"other shape; first .* fields: .*question"),
        ("parquet", "cut short"), ("gz", "cut short"), ("kind", "not read: save the sheet as CSV"),
        ("no row", "holds no row"), ("flip", "cannot be read to its end"), ("list", "line 1, row 1: the list is cut short"),
        ("columns", r"no field that is known for an answer.*; .* fields: \['question', 'reply'\]\. A row needs the fields messages or"),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_used_is_an_error_that_names_it(tmp_path, kind, message):
    path = damaged(tmp_path, kind)
    for _ in range(2):  # nothing half-made is kept for the second call
        with pytest.raises(ValueError, match=message) as caught:
            load(path, tmp_path)
        assert path.name in str(caught.value)


@pytest.mark.parametrize(
    ("options", "message"),
    [({"limit": 0}, "limit: expected"), ({"limit": True}, "limit: expected"), ({"duplicates": "some"}, "duplicates: expected"),
     ({"held_out_share": 1.0}, "held_out_share: expected"), ({"skills": 7}, "skills: expected a whole number from 8 to 45")],
)  # fmt: skip
def test_wrong_options_are_named(tmp_path, options, message):
    with pytest.raises(ValueError, match=message):
        load("curated", tmp_path, **options)


@pytest.mark.parametrize(
    ("name", "message"),
    [("nowhere", "nowhere: no such file or folder"), ("no.jsonl", "no.jsonl: no such file or folder"),
     ("no*.jsonl", r"no\*.jsonl: no file with one of the endings")],
)  # fmt: skip
def test_what_is_not_there_is_an_error(tmp_path, name, message):
    with pytest.raises(FileNotFoundError, match=message):
        load(tmp_path / name, tmp_path)


@pytest.mark.parametrize("seed", [-1, True, 1.5])
def test_a_seed_is_a_whole_number_from_0_up(tmp_path, seed):
    with pytest.raises(ValueError, match=f"seed: expected a whole number from 0 up, found {seed}"):
        load("curated", tmp_path, seed=seed)


def test_an_id_is_kept_however_long_it_is(tmp_path):
    ids = ["x" * 250 + end for end in ("a", "b")]
    write_lines(tmp_path / "a.jsonl", [row | {"id": one} for row, one in zip(rows(2), ids, strict=True)])
    assert load(tmp_path / "a.jsonl", tmp_path, held_out_share=0).rows["id"] == ids


@pytest.mark.parametrize("name", ["", " , ", "a.jsonl,"])
def test_an_empty_name_is_not_the_working_folder(tmp_path, monkeypatch, name):
    write_lines(tmp_path / "a.jsonl", rows(5))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match="expected a path, found nothing"):
        load(name, tmp_path)


def test_duplicates_share_a_group_and_a_side(tmp_path):
    records = (
        rows(200) + rows(200) + [{"prompt": f"  What is {n}  + 1?", "response": f"It is {n + 1}."} for n in range(50)]
    )
    path = write_lines(tmp_path / "twice.jsonl", records)
    kept, dropped = load(path, tmp_path), load(path, tmp_path, duplicates="drop")
    assert len(kept) + len(kept.held_out) == 450 and len(dropped) + len(dropped.held_out) == 200
    assert dropped.summary()["left out: exact duplicate of another row"] == 250
    assert not set(kept.rows["dup_group"]) & set(kept.held_out["dup_group"])
    assert len({*kept.rows["dup_group"], *kept.held_out["dup_group"]}) == 200


def test_held_out_rows_and_limits_depend_on_content_and_not_on_order(tmp_path):
    records = rows(400)
    forward = load(write_lines(tmp_path / "a.jsonl", records), tmp_path)
    backward = load(write_lines(tmp_path / "b.jsonl", records[::-1]), tmp_path)
    first = {m[0]["content"] for m in forward.held_out["messages"]}
    assert first == {m[0]["content"] for m in backward.held_out["messages"]} and 5 <= len(first) <= 45
    small, large = (load(tmp_path / "a.jsonl", tmp_path, limit=limit) for limit in (100, 300))
    assert len(texts(small)) == 100 and set(texts(small)) < set(texts(large))
    assert set(texts(small)) == set(texts(load(tmp_path / "b.jsonl", tmp_path, limit=100)))
    assert set(texts(small)) != set(texts(load(tmp_path / "a.jsonl", tmp_path, limit=100, seed=1)))
    assert {m[0]["content"] for m in small.held_out["messages"]} <= first


def test_a_second_call_reads_nothing_and_a_changed_file_is_read_again(tmp_path, monkeypatch):
    path = write_lines(tmp_path / "a.jsonl", rows(50))
    before = load(path, tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(records, "read_records", lambda *_: pytest.fail("read again"))
        assert load(path, tmp_path).fingerprint == before.fingerprint
    write_lines(path, rows(51))
    after = load(path, tmp_path)
    assert after.fingerprint != before.fingerprint and after.summary()["read"] == 51


def test_a_file_that_changes_while_it_is_read_is_an_error_and_leaves_nothing_behind(tmp_path, monkeypatch):
    path, read = write_lines(tmp_path / "a.jsonl", rows(50)), records.read_records

    def read_and_write(file, how):
        for place, record in enumerate(read(file, how)):
            if place == 10:
                write_lines(path, rows(52))
            yield record

    with monkeypatch.context() as patch:
        patch.setattr(records, "read_records", read_and_write)
        with pytest.raises(ValueError, match=r"a\.jsonl: its content changed while it was read; run this again"):
            load(path, tmp_path)
    assert not [*tmp_path.rglob("*.arrow")]
    assert load(path, tmp_path).summary()["read"] == 52


def test_other_content_of_the_same_size_and_time_is_found_by_the_next_process(tmp_path):
    path = write_lines(tmp_path / "a.jsonl", rows(50))
    before, state = load(path, tmp_path), path.stat()
    path.write_text(path.read_text().replace("a", "b"))
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))
    converted._hash_of.cache_clear()
    assert load(path, tmp_path).fingerprint != before.fingerprint


def test_a_file_that_was_moved_is_named_where_it_is_now(tmp_path, monkeypatch):
    path = write_lines(tmp_path / "a.jsonl", [*rows(50), {"prompt": "x", "response": ""}])
    before = load(path, tmp_path)
    (tmp_path / "new").mkdir()
    path = path.rename(tmp_path / "new" / "a.jsonl")
    monkeypatch.setattr(records, "read_records", lambda *_: pytest.fail("read again"))
    after = load(path, tmp_path)
    assert after.fingerprint == before.fingerprint and after.provenance["files"] == [str(path)]
    assert after.set_aside["empty answer"].examples[0]["file"] == str(path)


def test_two_processes_at_once_give_the_same_pool(tmp_path):
    path = write_lines(tmp_path / "a.jsonl", rows(3000))
    code = (
        "import sys; from analysis.pools import load_pool; print(load_pool(sys.argv[1], cache=sys.argv[2]).fingerprint)"
    )
    run = [sys.executable, "-c", code, str(path), str(tmp_path / "cache")]
    both = [subprocess.Popen(run, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    found = {process.communicate()[0].strip() for process in both}
    assert found == {load(path, tmp_path).fingerprint}


@pytest.mark.parametrize("name", ["curated", "wild"])
def test_testbed_pools_are_prefixes_and_keep_near_duplicates_on_one_side(tmp_path, name):
    small, large = load(name, tmp_path, limit=2000), load(name, tmp_path, limit=6000)
    assert small.rows["id"][:] == large.rows["id"][: len(small)] and small.has_truth
    assert not set(large.rows["dup_group"]) & set(large.held_out["dup_group"])
    assert 0.02 < len(large.held_out) / 6000 < 0.09
    assert set(small.truth("skill")) <= set(large.truth("skill")) and len(small.truth("fault")) == len(small)
    dropped = load(name, tmp_path, limit=2000, duplicates="drop")
    assert len(dropped) < len(small) and len(np.unique(dropped.truth("dup_group"))) == len(dropped)
    with pytest.raises(ValueError, match="no truth column 'quality'"):
        small.truth("quality")


def test_a_testbed_pool_of_fewer_skills_is_another_pool_and_still_a_prefix(tmp_path):
    small, large = (load("curated", tmp_path, limit=limit, skills=12) for limit in (500, 1500))
    assert small.rows["id"][:] == large.rows["id"][: len(small)] and len(small) + len(small.held_out) == 500
    assert set(large.truth("skill")) == set(skills_of(12)) and large.skills == 12
    others = [load("curated", tmp_path, limit=500, skills=skills) for skills in (None, 8)]
    assert len({small.fingerprint, *(pool.fingerprint for pool in others)}) == 3


def test_only_the_testbed_has_skills_to_choose(tmp_path):
    with pytest.raises(ValueError, match=r"skills: only of the testbed's pools \(curated, wild\), and .*a.jsonl"):
        load(write_lines(tmp_path / "a.jsonl", rows(60)), tmp_path, skills=12)


def test_a_hub_pool_is_streamed_at_a_recorded_revision(tmp_path, monkeypatch):
    import datasets

    monkeypatch.setattr("analysis.pools.converted.hub_revision", lambda name: "abc123")
    asked = {}

    def load_dataset(name, **options):
        asked.update(options, name=name)
        return datasets.Dataset.from_list(rows(80)).to_iterable_dataset()

    monkeypatch.setattr(datasets, "load_dataset", load_dataset)
    pool = load("someone/some-data", tmp_path)
    assert asked == {"name": "someone/some-data", "split": "train", "streaming": True, "revision": "abc123"}
    assert pool.name == "someone/some-data" and "abc123" in pool.provenance["source"] and pool.summary()["read"] == 80


@pytest.mark.parametrize("error", [OSError("no network"), httpx2.ConnectError("no network")], ids=["system", "client"])
def test_an_unreachable_hub_is_an_error_that_lists_what_is_known(tmp_path, monkeypatch, error):
    import huggingface_hub

    def refuse(self, name):
        raise error

    monkeypatch.setattr(huggingface_hub.HfApi, "dataset_info", refuse)
    with pytest.raises(
        ValueError, match=r"'someone/some-data': not a file or folder here, not a testbed pool \(curated, wild\)"
    ):
        load("someone/some-data", tmp_path)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["role", "content", "from", "value", "x"]), inner, max_size=3)
    ),
    max_leaves=8,
)
fields = st.sampled_from(
    ["messages", "conversations", "conversation", "instruction", "output", "prompt", "response", "source"]
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.dictionaries(fields, json_values, max_size=4) | json_values, max_size=12))
def test_malformed_rows_never_crash_and_counts_add_up(tmp_path_factory, records):
    folder = tmp_path_factory.mktemp("fuzz")
    pool = load(write_lines(folder / "a.jsonl", rows(40, start=900) + records), folder)
    kept, aside = len(pool) + len(pool.held_out), sum(one.count for one in pool.set_aside.values())
    assert kept + aside == 40 + len(records) and kept >= 40
    assert all(len(one.examples) == min(3, one.count) for one in pool.set_aside.values())


@pytest.mark.shared
@pytest.mark.skipif(not SHARED.is_dir(), reason="needs ../shared")
@pytest.mark.parametrize("name", ["openhermes_shape_sample.jsonl", "wildchat_shape_sample.jsonl"])
def test_samples_in_the_shapes_of_the_hub_pools_are_read_whole(tmp_path, name):
    pool = load(SHARED / "schemas" / name, tmp_path)
    assert pool.summary()["read"] == 40 and not pool.set_aside


@pytest.mark.shared
@pytest.mark.skipif(not SHARED.is_dir(), reason="needs ../shared")
def test_a_real_pool_is_read_whole(tmp_path):
    pool = load(SHARED / "pools" / "wild_real.parquet", tmp_path, limit=1000)
    assert len(pool) + len(pool.held_out) == 1000 and pool.summary()["read"] == 38_944
