"""A row longer than any that is held is set aside by reason, in bounded memory, and the rows around it are read."""

import gzip
import json
import subprocess
import sys

import datasets
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from analysis.pools import load_pool
from analysis.pools.findings import Rejected
from analysis.pools.how_to_read import HowToRead, how_to_read
from analysis.pools.reading import read_records
from analysis.pools.records import hub_records

ONE_MEGABYTE = HowToRead(longest_row=1)
# Letters, and what must not be taken for the end of a text, an object or a list.
TEXT = 'A long answer with "quotes", \\ and brackets ]}[{ in it, é. '
LONG = TEXT * 18_000  # 1.1 MB


def row(number: int, answer: str = "A number.") -> dict:
    return {"prompt": f"What is {number}?", "response": answer}


def rows(*long: int) -> list[dict]:
    return [row(number, LONG if number in long else "A number.") for number in range(6)]


def csv_text(records: list[dict], text=lambda said: said.replace('"', '""')) -> str:
    return "prompt,response\n" + "".join(f'"{one["prompt"]}","{text(one["response"])}"\n' for one in records)


def lines(records: list[dict]) -> str:
    return "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in records)


LAYOUTS = {
    "lines.jsonl": lines,
    "list.json": lambda records: json.dumps(records),
    "pretty.json": lambda records: json.dumps(records, indent=1),
    "data.json": lambda records: json.dumps({"version": 1, "data": records}, indent=1),
    "data_on_one_line.json": lambda records: json.dumps({"data": records}),
    "objects.json": lambda records: "\n".join(json.dumps(one, indent=1) for one in records),
    "rows.csv": csv_text,
}


def found(path, how=ONE_MEGABYTE) -> list:
    """Rows by number; of what is set aside the reason."""
    records = list(read_records(path, how))
    assert [number for number, _ in records] == list(range(len(records)))
    return [one.reason.partition(" (")[0] if isinstance(one, Rejected) else one for _, one in records]


@pytest.mark.parametrize("long, ending", [((3,), ""), ((0, 1, 5), ".gz")], ids=str)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_row_that_is_too_long_is_set_aside_and_the_others_are_read(tmp_path, layout, long, ending):
    path = tmp_path / f"{layout}{ending}"
    text = LAYOUTS[layout](rows(*long)).encode()
    path.write_bytes(gzip.compress(text, 1) if ending else text)
    assert found(path) == ["longer than 1 MB" if one in long else row(one) for one in range(6)]
    assert found(path, HowToRead(longest_row=2)) == rows(*long)


@pytest.mark.parametrize("kind", ["parquet", "arrow"])
def test_values_of_parquet_and_arrow_count_the_same(tmp_path, kind):
    table, path = pa.Table.from_pylist(rows(0, 4)), tmp_path / f"a.{kind}"
    many = pa.array([str(n) * 1000 for n in range(1000)] + ["chat"]).dictionary_encode()  # 3 MB of categories
    table = table.append_column("source", many[-6:])
    if kind == "parquet":
        pq.write_table(table, path)
    else:
        with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_stream(sink, table.schema) as writer:
            writer.write_table(table)
    reasons = [one if isinstance(one, str) else one["prompt"] for one in found(path)]
    assert reasons == ["longer than 1 MB", *(f"What is {n}?" for n in (1, 2, 3)), "longer than 1 MB", "What is 5?"]


@pytest.mark.parametrize("kind", ["jsonl", "parquet", "csv"])
def test_rows_of_the_hub_count_the_same(tmp_path, monkeypatch, kind):
    """A folder stands for the hub; what is no text in a file of JSON, where others are texts, stays what it is."""
    mixed = {"about": {"n": 1}} if kind == "jsonl" else {}
    asked = [one | ({"about": "chat"} if mixed else {}) for one in rows(0, 4)[:5]] + [row(5) | mixed]
    write = {
        "jsonl": lambda path: path.write_text(lines(asked)), "csv": lambda path: path.write_text(csv_text(asked)),
        "parquet": lambda path: pq.write_table(pa.Table.from_pylist(asked), path),
    }  # fmt: skip
    (tmp_path / "data").mkdir()
    write[kind](tmp_path / "data" / f"train.{kind}")
    read, cache = datasets.load_dataset, tmp_path / "cache"
    monkeypatch.setattr("analysis.pools.converted.hub_revision", lambda name: "abc123")
    monkeypatch.setattr(
        datasets, "load_dataset", lambda name, revision, **options: read(str(tmp_path / "data"), **options)
    )
    assert [record for *_, record in hub_records("some/data", "abc123", HowToRead())] == asked
    few = [record for *_, record in hub_records("some/data", "abc123", ONE_MEGABYTE)]
    assert [number for number, one in enumerate(few) if isinstance(one, Rejected)] == [0, 4]
    assert [few[number] for number in (1, 2, 3, 5)] == [asked[number] for number in (1, 2, 3, 5)]
    pool = load_pool("some/data", held_out_share=0, fields="longest_row=1", cache=cache)
    ((reason, aside),) = pool.set_aside.items()
    assert reason == "longer than 1 MB (allow more with longest_row=…)" and aside.count == 2 and len(pool) == 4


def test_the_example_names_file_line_and_start_and_the_limit_is_an_option(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text("\n" + lines([*rows(2), *rows()]))
    pool = load_pool(path, held_out_share=0, fields="longest_row=1", cache=tmp_path / "cache")
    (reason, aside), *others = pool.set_aside.items()
    assert reason == "longer than 1 MB (allow more with longest_row=…)" and not others and aside.count == 1
    example = aside.examples[0]
    assert (example["file"], example["row"], example["field"]) == (str(path), 2, "line 4")
    assert example["found"].startswith('{"prompt": "What is 2?", "response": "A long answer')
    assert len(load_pool(path, held_out_share=0, cache=tmp_path / "cache")) == 12  # by default 16 MB are allowed
    assert how_to_read("longest_row=16").told() == "" != how_to_read("longest_row=17").told()


@pytest.mark.parametrize("wrong", ["0", "-1", "1.5", "many"])
def test_a_longest_row_is_a_whole_number_of_megabytes(wrong):
    with pytest.raises(ValueError, match="longest_row: expected megabytes, a whole number from 1 up, found"):
        how_to_read(f"longest_row={wrong}")


def test_a_blank_line_is_no_row_however_long_it_is(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text(lines(rows()[:3]) + " " * 3_000_000 + "\n" + lines(rows()[3:]))
    assert found(path) == rows()


def test_a_damaged_long_line_costs_its_own_row(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text('{"prompt": "1", "response": "' + "x" * 3_000_000 + "\n" + lines(rows()))
    assert found(path) == ["longer than 1 MB", *rows()]


def test_an_object_of_columns_is_no_row_and_may_be_longer(tmp_path):
    records = [row(n, "A number. " * 200) for n in range(2000)]
    columns = {name: [one[name] for one in records] for name in ("prompt", "response")}
    path = tmp_path / "a.json"
    for indent, whole in ((None, columns), (1, columns), (None, {f"id {n}": one for n, one in enumerate(records)})):
        path.write_text(json.dumps(whole, indent=indent))
        assert found(path) == records
    path.write_text(json.dumps({"prompt": "one row", "response": LONG}))
    assert found(path) == ["longer than 1 MB"]


def test_a_long_cell_of_csv_with_line_breaks_is_one_row_and_a_long_open_quote_costs_one(tmp_path):
    path = tmp_path / "a.csv"
    first = "x" * 1_200_000 + "\nsecond line\nthird, and last"
    path.write_text(csv_text([row(1), row(2, first), row(3)]))
    assert found(path) == [row(1), "longer than 1 MB", row(3)]
    path.write_text('prompt,response\n"1","' + "x" * 1_200_000 + "\n" + "".join(f"a{n},b\n" for n in range(5)))
    assert found(path) == ["longer than 1 MB", *({"prompt": f"a{n}", "response": "b"} for n in range(5))]
    path.write_text("p" * 1_200_000 + ",response\n1,2\n")
    with pytest.raises(ValueError, match=r"a\.csv: its first line is longer than 1 MB, and no header"):
        found(path)


PEAK = """
import resource, sys
from pathlib import Path
from analysis.pools.how_to_read import HowToRead
from analysis.pools.reading import read_records
from analysis.pools.records import hub_records
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for path in sys.argv[1:]:
    read = [type(record).__name__ for _, record in read_records(Path(path), HowToRead(longest_row=4))]
    print(*read, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="counts kilobytes as Linux does")
def test_a_line_is_not_held_whole_however_long_it_is(tmp_path):
    """A row of 60 MB takes less than half of that to read past, where 4 MB a row are allowed."""
    begin, end, next_row = '{"prompt": "1", "response": "', '"}', json.dumps(row(1))
    files = {
        "a.jsonl": (begin, f"{end}\n{next_row}\n"), "a.jsonl.gz": (begin, f"{end}\n{next_row}\n"),
        "a.json": (f"[{begin}", f"{end}, {next_row}]"), "b.json": (f'{{"data": [{begin}', f"{end}, {next_row}]}}"),
        "a.csv": ("prompt,response\n1,", "\n3,4\n"),
    }  # fmt: skip
    for name, (first, last) in files.items():
        with gzip.open(tmp_path / name, "wb", 1) if name.endswith(".gz") else (tmp_path / name).open("wb") as file:
            file.write(first.encode())
            file.writelines([b"x" * 1_000_000] * 60)
            file.write(last.encode())
    run = [sys.executable, "-c", PEAK, *(str(tmp_path / name) for name in files)]
    output = subprocess.run(run, capture_output=True, text=True, check=True).stdout.splitlines()
    for name, told in zip(files, output, strict=True):
        *read, kilobytes = told.split()
        assert read == ["Rejected", "dict"] and int(kilobytes) < 30_000, (name, told)
