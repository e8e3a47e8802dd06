"""The table that is read first, on tables as notebook 30 leaves them."""

import json

import pandas as pd
import pytest

from analysis.reporting import pages
from analysis.reporting.result_table import result_table

POINTS = {"unit": "share correct", "benchmark": "accuracy", "delta": 2.0, "base_score": 10.0}
NATS = {"unit": "nats per answer token, negated", "benchmark": "loss", "delta": 0.05, "base_score": -3.0}
LINE = {
    "budget": 1000,
    "design": "equal rows",
    "n_runs": 2,
    "n_random": 3,
    "tokens_ratio": 1.25,
    "verdict": "undecided",
}
COMPARED = [
    LINE | POINTS | {"method": "ifd", "estimate": -19, "low": -20, "high": -18, "scores": "10 12", "random_scores": "29 30 31", "verdict": "worse"},
    LINE | POINTS | {"method": "token_length", "estimate": 1, "low": -2, "high": 4, "scores": "30 32", "random_scores": "29 30 31"},
    LINE | NATS | {"method": "ifd", "estimate": 0.1, "low": -0.1, "high": 0.3, "scores": "-1.5 -1.7", "random_scores": "-1.7"},
]  # fmt: skip
SELECTED = [
    {"method": "random_selection", "rows": 1000, "seconds": 0.0, "faulty": 0.25},
    {"method": "ifd", "rows": 1000, "seconds": 1234.5, "faulty": 0.031},
]


def left(folder, compared, selected=()):
    tables = {"versus_random": compared, "selected_rows": selected}
    names = [name for name, lines in tables.items() if lines]
    (folder / "30_versus_random").mkdir(parents=True)
    for name in names:
        pd.DataFrame(tables[name]).to_csv(folder / "30_versus_random" / f"{name}.csv", index=False)
    noted = {"report": "30_versus_random", "findings": [], "figures": names, "provenance": {"seconds": 1},
             "parameters": {"pool": "/data/mine.jsonl", "model": "scratch"}}  # fmt: skip
    (folder / "30_versus_random" / "findings.json").write_text(json.dumps(noted))
    return pages.read(folder)


@pytest.fixture
def table(tmp_path):
    same = {"budget": 1000, "design": "equal rows", "regime": "20 rows per skill"}
    return result_table(left(tmp_path, COMPARED, [line | same for line in SELECTED]))


def test_random_stands_first_and_the_best_method_next(table):
    assert table["method"].tolist() == ["Random", "Token length", "IFD", "Random", "IFD"]
    assert set(table["pool"]) == {"mine.jsonl"}
    assert set(zip(table["budget"], table["regime"], strict=True)) == {("1,000 rows", "20 rows per skill")}


def test_numbers_are_those_of_the_page_and_a_loss_is_positive(table):
    random, length, ifd, _, loss = table.to_dict("records")
    assert (random["score"], random["difference"], random["faulty"]) == ("30.0 (29.0 to 31.0)", "", "25 %")
    assert (length["score"], length["difference"], length["runs"]) == ("31.0 (30.0 to 32.0)", "+1.0 [-2.0, +4.0]", "2")
    assert (ifd["seconds"], ifd["faulty"], ifd["tokens"]) == ("1,234", "3.1 %", "1.2 ×")
    assert (loss["score"], loss["difference"]) == ("1.600 (1.500 to 1.700)", "+0.100 [-0.100, +0.300]")
    assert loss["counted in"] == "nats per answer token, lower is better"


def test_what_is_hardly_above_the_base_is_at_the_floor(table):
    # A mean of 11 where the base has 10 and differences below 2 do not matter.
    assert table["verdict"].tolist() == ["", "undecided", "worse (at the floor)", "", "undecided"]


def test_what_a_page_did_not_note_is_a_dash(tmp_path):
    table = result_table(left(tmp_path, COMPARED))
    assert set(table["faulty"]) == set(table["seconds"]) == set(table["rows"]) == {"–"}
    assert set(table["regime"]) == {""}


def test_without_comparisons_there_is_no_line(tmp_path):
    assert result_table(left(tmp_path, [])).empty
