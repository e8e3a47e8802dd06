"""Sentences on a pool without truth: sources keep their own names and counts."""

import json
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from analysis.pools import load_pool
from analysis.reporting.topics.pools import colours, composition, findings, text_map
from analysis.subsets.rows import table


@pytest.fixture(scope="module")
def pool(tmp_path_factory):
    folder = tmp_path_factory.mktemp("many_sources")
    rows = [
        {"source": f"hub/{chr(97 + number % 12)}" if number < 36 else "hub/large",
         "messages": [{"role": "user", "content": f"question {number}"}, {"role": "assistant", "content": "yes"}]}
        for number in range(60)
    ]  # fmt: skip
    (folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return load_pool(str(folder / "rows.jsonl"), held_out_share=0, cache=folder / "cache")


@pytest.fixture(scope="module")
def rows(pool):
    ones = np.ones(len(pool), dtype=np.int64)
    return table(pool, SimpleNamespace(answer=ones, prompt=ones, total=2 * ones, truncated=np.arange(len(pool)) < 2))


def test_the_most_frequent_source_is_a_source_and_not_the_rest(pool, rows):
    said = " ".join(findings(pool, rows))
    assert "The most frequent of 13 sources, large, has 40 % of the rows" in said
    assert "2 rows are longer than the model sees" in said
    said = " ".join(findings(pool, rows.assign(truncated=np.arange(len(rows)) < 1)))
    assert "1 row is longer than the model sees and is cut" in said and "have at most 1 token, one" in said


def test_what_does_not_fit_the_picture_is_counted(rows):
    shown, more = composition(rows, at_most=5)
    assert shown["what"].iloc[0] == "large" and len(shown) == 5
    assert more == f"not shown: 8 more sources with {60 - shown['rows'].sum()} rows"
    assert composition(rows, at_most=12)[1] == "not shown: 1 more source with 3 rows"
    assert composition(rows, at_most=13)[1] == ""


def test_groups_have_the_same_colour_in_every_figure():
    once = colours(pd.Series(["b", "a", "all other"]))
    assert once["a"] == colours(pd.Series(["all rows", "a", "b"]))["a"] != once["b"]


def test_the_map_leaves_out_rows_without_a_word(rows):
    points = np.random.default_rng(0).normal(size=(60, 5)).astype(np.float32)
    points[7] = np.nan
    found = text_map(points, rows, count=60, n_neighbors=5, seed=0)
    assert sorted(found["row"]) == [row for row in range(60) if row != 7]
    assert found[["x", "y"]].notna().all().all() and set(found["group"]) == set(rows["group"])
