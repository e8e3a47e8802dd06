"""The map of a page: which rows it shows, what its script is told of them, and that rows stay text."""

import json
import re

import numpy as np
import pandas as pd
import pytest

from analysis.experiments.workbench import prepare
from analysis.methods import Selection
from analysis.reporting import maps, page_map
from analysis.reporting.palette import LIGHT_GREY, colour
from analysis.runner.html import external_requests
from analysis.store.store import Store

HOSTILE = "</script><script>alert(1)</script><!-- $$x$$ url(https://a.example/b) import \"https://a.example/c\" <img src='//d'>"


def table(count: int, **columns) -> pd.DataFrame:
    return pd.DataFrame({"row": range(count), "source": "x", "group": "x", "answer tokens": range(1, count + 1), "prompt": "Why?",
                         "answer": "So."} | columns)  # fmt: skip


def told(page: str) -> dict:
    return json.loads(re.search(r'<script type="application/json">(.*?)</script>', page, re.DOTALL)[1])


def places(count: int) -> np.ndarray:
    return np.random.default_rng(0).normal(size=(count, 2))


def test_rows_cannot_leave_the_script_nor_ask_for_anything():
    known = table(3, prompt=HOSTILE, answer=HOSTILE, source=HOSTILE)
    page = page_map.map_html(known, places(3), {HOSTILE: known["source"]}, caption=HOSTILE.partition(" url")[0])
    assert page.lower().count("<script") == page.lower().count("</script") == 2
    assert not any(sign in page for sign in ("<!--", "$$", "<img"))
    assert external_requests(page) == []
    data = told(page)
    assert data["rows"][0][1:] == [HOSTILE, HOSTILE] and HOSTILE in data["rows"][0][0]
    assert data["colours"][0]["name"] == HOSTILE == data["colours"][0]["names"][0]


def test_shows_at_most_so_many_rows_and_all_that_are_chosen():
    has_place = np.ones(23_456, bool)
    has_place[:9] = False
    chosen = np.arange(5, 605)
    shown = page_map.rows_shown(has_place, chosen, 0)
    assert len(shown) == len(set(shown)) == page_map.MOST_POINTS
    assert set(chosen[4:]) <= set(shown) and has_place[shown].all() and (np.diff(shown) > 0).all()
    assert (shown == page_map.rows_shown(has_place, chosen, 0)).all()
    assert (shown != page_map.rows_shown(has_place, chosen, 1)).any()
    assert len(page_map.rows_shown(has_place, np.arange(9, 20_000), 0)) == page_map.MOST_POINTS
    assert page_map.rows_shown(has_place[:20], [12], 0).tolist() == list(range(9, 20))


@pytest.mark.parametrize("shown, n_rows, chosen, said", [
    (range(7), 7, [1], "all 7 rows"), (range(6), 7, [1, 2], "6 of 7 rows, the 2 chosen and 4 others drawn at random"),
    (range(6), 7, [], "6 of 7 rows, drawn at random"), (range(5), 7, [4, 6], "5 of 7 rows, 1 of the 2 chosen and 4 others drawn at random"),
])  # fmt: skip
def test_says_how_many_rows_of_how_many(shown, n_rows, chosen, said):
    assert page_map._counts(np.array(shown), n_rows, chosen) == said


def test_numbers_and_places_survive():
    scores = pd.Series([0.123456, -1234.56, np.nan, 7e-9])
    points = np.array([[0, 0], [10, 5], [5, 2.5], [2.5, 5]])
    data = told(
        page_map.map_html(table(4), points, {"score": scores}, caption="", chosen=np.array([True, False, False, True]))
    )
    assert data["colours"][0]["values"] == [0.1235, -1235.0, None, 7e-9]
    assert data["x"] == [0, 9999, 5000, 2500] and data["y"] == [2500, 7499, 5000, 7499]  # as wide as high
    assert data["chosen"] == [0, 3]
    assert [row[0] for row in data["rows"]] == [
        "row 0 · x · 1 answer token · score 0.123 · chosen", "row 1 · x · 2 answer tokens · score -1,235",
        "row 2 · x · 3 answer tokens · no score", "row 3 · x · 4 answer tokens · score 7e-09 · chosen",
    ]  # fmt: skip


def test_colours_are_those_of_the_figures():
    who = pd.Series(["not chosen", "chosen", "not chosen"])
    fault = pd.Series(["correct", "wrong answer", "correct"])
    named = {"chosen": colour("ifd"), "not chosen": LIGHT_GREY}
    data = told(page_map.map_html(table(3), places(3), {"chosen": who, "fault": fault}, caption="", named=named))
    first, second = data["colours"]
    assert [first["colours"][code] for code in first["values"]] == [LIGHT_GREY, colour("ifd"), LIGHT_GREY]
    assert second["colours"][second["names"].index("correct")] == LIGHT_GREY != second["colours"][second["values"][1]]


def test_long_texts_are_cut_until_they_fit():
    known = table(page_map.MOST_POINTS, prompt="字" * 160, answer="字" * 160)
    page = page_map.map_html(known, places(len(known)), {"tokens": known["answer tokens"]}, caption="")
    assert len(page.encode()) < page_map.MOST_BYTES + 25_000
    assert 20 <= len(told(page)["rows"][0][1]) < 160


def test_a_pool_without_truth_has_a_map_by_source_and_length(tmp_path, monkeypatch):
    rows = [{"prompt": f"{HOSTILE} {n}", "answer": f"word{n} " * n} for n in range(1, 41)]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    work = prepare(str(tmp_path / "rows.jsonl"), store=Store(tmp_path / "store"), show_progress=False)
    shown = []
    monkeypatch.setattr(page_map.maps, "places", lambda points, store, seed: maps.principal_places(points))
    monkeypatch.setattr("IPython.display.display", lambda data, raw: shown.append(data["text/html"]))
    longest, quotas = work.select("token_length", 5), work.select("random_selection", 5)
    page_map.of_selection(work, {"token_length": longest, "random_selection": Selection(quotas.rows)}, "token_length")
    page_map.of_selection(work, {"random_selection": quotas}, "random_selection")
    page_map.of_pool(work, pd.DataFrame({"row": [3, 1], "x": [0.0, 1.0], "y": [2.0, 0.0]}))
    scored, chance, pool = (told(page) for page in shown)
    assert [one["name"] for one in scored["colours"]] == ["score", "chosen", "source", "answer tokens"]
    assert scored["chosen"] == sorted(longest.rows.tolist())
    assert [one["name"] for one in chance["colours"]] == ["chosen", "source", "answer tokens"]
    assert [row[0].split(" · ")[0] for row in pool["rows"]] == ["row 1", "row 3"] and pool["x"] == [7499, 2500]
