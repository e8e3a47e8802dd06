"""A name that stands twice in one JSON object with two values: the row is set aside, whatever file it stands in."""

import json

import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.parquet as pq
import pytest

from analysis.pools.conversion import convert_records
from analysis.pools.findings import Notes, Rejected
from analysis.pools.formats import convert
from analysis.pools.how_to_read import how_to_read
from analysis.pools.json_text import TWICE
from analysis.pools.reading import read_records

GOOD = '{"prompt": "1 + 2?", "completion": "3"}'
BAD = '{"prompt": "1 + 2?", "completion": "3", "completion": "4"}'
INSIDE = '{"messages": [{"role": "user", "role": "system", "content": "x"}, {"role": "assistant", "content": "y"}]}'
SAME = '{"prompt": "1 + 2?", "completion": "3", "completion": "3"}'


def over_lines(row: str) -> str:
    return row.replace(", ", ",\n  ")


LAYOUTS = {
    "lines": "\n".join,
    "list": lambda rows: f"[{', '.join(rows)}]",
    "list over lines": lambda rows: "[\n" + ",\n".join(map(over_lines, rows)) + "\n]",
    "objects over lines": lambda rows: "\n".join(map(over_lines, rows)),
    "under a key": lambda rows: '{"version": 1,\n"data": [' + ",\n".join(rows) + "]}",
}


@pytest.mark.parametrize("bad", [BAD, INSIDE])
@pytest.mark.parametrize("place", [0, 1, 2])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_row_is_set_aside_and_its_neighbours_are_read(tmp_path, layout, place, bad):
    rows = [GOOD, SAME, GOOD]
    rows[place] = bad
    path = tmp_path / "rows.json"
    path.write_text(LAYOUTS[layout](rows))
    found = [record for _, record in read_records(path)]
    assert [isinstance(record, Rejected) for record in found] == [number == place for number in range(3)]
    assert found[place].reason == TWICE and found[place].field in ("completion", "role")
    assert all(record == json.loads(GOOD) for number, record in enumerate(found) if number != place)


def test_a_damaged_line_beside_it_costs_that_line_only(tmp_path):
    path = tmp_path / "rows.jsonl"
    path.write_text("\n".join([BAD, GOOD, '{"prompt": ', GOOD]))
    counts = convert_records((("rows", str(path), *one) for one in read_records(path)), tmp_path / "rows.arrow")
    assert {reason: aside.count for reason, aside in counts.set_aside.items()} == {TWICE: 1, "not JSON": 1}


@pytest.mark.parametrize(
    "whole", [f'{{"data": [{GOOD}], "data": [{SAME}, {GOOD}]}}', f'{{"a": {GOOD}, "a": {INSIDE}}}']
)
@pytest.mark.parametrize("layout", [str, lambda text: text.replace(", ", ",\n")])
def test_rows_under_one_name_are_not_lost(tmp_path, whole, layout):
    path = tmp_path / "rows.json"
    path.write_text(layout(whole))
    ((_, found),) = read_records(path)
    assert found.reason == TWICE and found.field in ("data", "a", "role")


@pytest.mark.parametrize("start", ["", "x" * 3_000_000])
def test_a_row_longer_than_what_is_held_at_once_is_read_past(tmp_path, start):
    path = tmp_path / "rows.json"
    path.write_text(f'[{{"prompt": "{start}", "prompt": "b", "completion": "{start}"}}, {GOOD}]')
    found = [record for _, record in read_records(path, how_to_read("longest_row=8"))]
    assert found[0].reason == TWICE and found[1] == json.loads(GOOD) and len(found) == 2


@pytest.mark.parametrize("ending", ["csv", "parquet", "arrow"])
def test_columns_of_one_name_are_all_read_and_the_later_ones_told(tmp_path, ending):
    path, names, texts = tmp_path / f"rows.{ending}", ["prompt", "answer", "answer", "answer"], ["a", "b", "c", "d"]
    table = pa.Table.from_arrays([pa.array([text]) for text in texts], names=names)
    if ending == "csv":
        path.write_text(f"{','.join(names)}\n{','.join(texts)}\n")
    else:
        write = pq.write_table if ending == "parquet" else feather.write_feather
        write(table, str(path))
    ((_, record),) = read_records(path)
    notes = Notes()
    assert list(record.values()) == texts and convert(record, notes=notes)[1]["content"] == "b"
    assert [found for _, _, found in notes] == ["c", "d"]


@pytest.mark.parametrize("cell", [f"[{INSIDE}]", [[("role", "user"), ("role", "assistant"), ("content", "x")]]])
def test_turns_in_a_cell_and_in_a_map_are_looked_at_too(cell):
    with pytest.raises(Rejected) as caught:
        convert({"messages": cell})
    assert caught.value.reason == TWICE and caught.value.field == "role"
