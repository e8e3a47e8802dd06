"""The explorer's rows and comparisons by hand, and its widgets driven from Python."""

import json
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from analysis.experiments.workbench import Workbench, prepare
from analysis.methods import METHODS, Selection, calls
from analysis.reporting import explorer, maps
from analysis.reporting import explorer_comparison as sides
from analysis.reporting import explorer_rows as seen
from analysis.reporting.explorer_options import Options
from analysis.store.store import Store

HOSTILE = "<script>alert(1)</script>"


@pytest.fixture(scope="module")
def work(tmp_path_factory) -> Workbench:
    """Sixty rows whose answers are 1 to 60 times as long; every question is hostile."""
    folder = tmp_path_factory.mktemp("explorer")
    rows = [{"prompt": f"{HOSTILE} {n}", "answer": f"word{n} " * n} for n in range(1, 61)]
    (folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return prepare(str(folder / "rows.jsonl"), store=Store(folder / "store"), show_progress=False)


def choice(rows, scores=None, method="token_length") -> seen.Choice:
    return seen.Choice(method, Selection(np.array(rows)), None if scores is None else np.array(scores, float))


@pytest.fixture
def known() -> pd.DataFrame:
    """Six rows: A chooses 0, 1, 2 by score, B chooses 2, 3, 4."""
    rows = pd.DataFrame({
        "row": range(6), "id": list("abcdef"), "source": ["x", "x", "y", "y", "y", "y"], "group": ["x", "x", "y", "y", "y", "y"],
        "fault": ["wrong answer", "", "", "", "", ""], "skill": list("ppqqqr"), "family": "f", "style": "s",
        "answer tokens": [60, 50, 40, 10, 20, 30], "prompt": "Why?", "answer": ["no", "Yes", "no", "no", "no", "no"],
    })  # fmt: skip
    return seen.with_choices(rows, choice([0, 1, 2], [6, 5, 4, 1, 2, 3]), choice([2, 3, 4], method="random_selection"))


def test_says_who_chooses_each_row_and_scores_only_what_scores(known):
    assert known["chosen by"].tolist() == ["only A", "only A", "both", "only B", "only B", "neither"]
    assert "score A" in known and "score B" not in known


def test_the_cut_is_the_lowest_score_chosen_and_quotas_have_none():
    assert choice([0, 1, 2], [6, 5, 4, 1, 2, np.nan]).cut == 4
    assert choice([0, 3], [6, 5, 4, 1]).cut is None
    assert choice([0, 3]).cut is None


def test_compares_counts_lengths_sources_and_faults(known):
    found = sides.comparison(known).set_index("rows of")
    assert found["rows"].to_dict() == {"whole pool": 6, "only A": 2, "both": 1, "only B": 2}
    assert found["mean answer tokens"].to_dict() == {"whole pool": 35, "only A": 55, "both": 40, "only B": 15}
    assert found["faulty rows"].round(3).to_dict() == {"whole pool": 0.167, "only A": 0.5, "both": 0, "only B": 0}
    assert found.loc["only A", ["most frequent skill", "its share"]].tolist() == ["p", 1]
    shares = sides.composition(known).set_index(["value", "rows of"])["share"]
    assert shares["wrong answer", "only A"] == 0.5 and shares["correct", "only B"] == 1


@pytest.mark.parametrize("both, judged", [(0, "fewer than by chance (2 to 8)"), (5, "no more"), (20, "more than")])
def test_agreement_is_judged_against_two_independent_draws(both, judged):
    """Twenty of eighty rows each: 5 in common are expected, 2 to 8 in the middle 95 %."""
    rows = pd.DataFrame({"row": range(80), "source": "x", "group": "x", "answer tokens": 1, "prompt": "", "answer": ""})
    first, second = choice(range(20)), choice(range(20 - both, 40 - both), method="random_selection")
    said = sides.findings(seen.with_choices(rows, first, second), first, second)
    assert judged in said[0] and f"{both} " in said[0]
    assert len(said) == (1 if both == 20 else 3)


def test_the_histogram_counts_every_row_once_and_has_a_border_at_the_cut(known):
    counts = sides.histogram(choice([0, 1, 2], [6, 5, 4, 1, 2, 3]), known)
    assert (counts["rows"].sum(), counts["chosen"].sum()) == (6, 3)
    assert (counts.loc[counts["from"] >= 4 - 1e-9, "rows"].sum(), np.isclose(counts["from"], 4).any()) == (3, True)
    assert sides.histogram(choice([0, 1]), known)["to"].max() >= 60  # answer tokens, where there is no score


@pytest.mark.parametrize("text, rows", [
    ("", [0, 1, 2, 3, 4, 5]), ("yes", [1]), ("answer tokens > 40", [0, 1]), ("answer tokens<=20 and source = Y", [3, 4]),
    ("chosen by = both", [2]), ("fault = wrong answer", [0]), ("fault !=", [0]),
    ("source != y and answer tokens != 60", [1]), ("no and answer tokens >= 40", [0, 2]), ("<b>", []),
])  # fmt: skip
def test_filters_by_words_and_by_conditions(known, text, rows):
    assert np.flatnonzero(seen.matching(known, text)).tolist() == rows


@pytest.mark.parametrize("text, said", [("size > 3", "no column 'size'"), ("source > x", "takes only ="),
                                        ("answer tokens > x", "expected a number")])  # fmt: skip
def test_refuses_a_filter_that_means_nothing(known, text, said):
    with pytest.raises(ValueError, match=said):
        seen.matching(known, text)


def test_a_table_shows_mark_up_as_text(known):
    page = seen.table_html(seen.shown(known.assign(prompt=HOSTILE), np.array([0, 3])))
    assert "<script" not in page and "&lt;script&gt;alert(1)&lt;/script&gt;" in page


def test_rows_are_shown_by_score_and_counted(known):
    assert seen.shown(known, np.arange(6))["row"].tolist() == [0, 1, 2, 5, 4, 3]
    assert seen.counts_shown(5) == "5 rows" and seen.counts_shown(1425) == "the 200 of highest score of 1,425 rows"


def test_two_methods_are_taken_and_a_draw_fills_up():
    assert seen.pair(["kmeans"]) == ["kmeans", "random_selection"]
    assert seen.pair([]) == ["random_selection", "token_length"]
    assert seen.pair(["ifd", "ifd", "less", "zip_compression"]) == ["ifd", "less"]


def test_a_map_is_made_once_and_leaves_out_rows_without_a_point(tmp_path, monkeypatch):
    points, made = np.random.default_rng(0).normal(size=(30, 5)).astype(np.float32), []
    points[4] = np.nan

    def maker(*_):
        made.append(1)
        return SimpleNamespace(fit_transform=lambda some: some[:, :2], transform=lambda some: some[:, 2:4])

    monkeypatch.setattr(maps, "map_maker", maker)
    monkeypatch.setattr(maps, "FITTED", 20)
    store = Store(tmp_path)
    assert maps.stored_places(points, store, 0) is None
    first = maps.places(points, store, 0)
    assert np.isnan(first[4]).all() and np.isfinite(np.delete(first, 4, axis=0)).all()
    assert (first == points[:, :2]).all(axis=1).sum() == 20
    np.testing.assert_array_equal(maps.places(points, store, 0), first)
    assert len(made) == 1 and maps.stored_places(points + 1, store, 0) is None


def test_headless_it_says_how_to_get_it(work, capsys):
    assert explorer.explore(work, ["token_length", "random_selection"], 5) is None
    assert "--with explore" in capsys.readouterr().out


@pytest.fixture
def walk(work) -> explorer.Explorer:
    if explorer.missing():
        pytest.skip(f"the extra explore is not installed: {', '.join(explorer.missing())}")
    return explorer.Explorer(work, ["token_length", "random_selection"], 5)


def test_the_slider_chooses_again_and_moves_the_cut(walk):
    lengths, picture = np.sort(walk.known["answer tokens"])[::-1], walk.pictures[0].value
    walk.budget.value = 9
    assert (len(walk.first.rows), len(walk.second.rows), walk.first.cut) == (9, 9, lengths[8])
    assert (walk.known["chosen by"].isin(["only A", "both"])).sum() == 9
    assert walk.pictures[0].value != picture


def test_a_refused_method_is_said_and_changes_nothing(walk):
    before = walk.first
    walk.a.value = "tokn_length(<b>)"
    assert "color:#b00020" in walk.message.value and "&lt;b&gt;" in walk.message.value and walk.first is before
    walk.a.value = "token_length"
    assert walk.message.value == ""


def test_colours_by_columns_and_by_any_score(walk):
    numeric = {}
    for what in ("chosen by", "source", "answer tokens", "token_length"):
        walk.colour.value = what
        assert walk.message.value == ""
        numeric[what] = pd.api.types.is_numeric_dtype(walk.scatter._data["colour"])
    assert numeric == {"chosen by": False, "source": False, "answer tokens": True, "token_length": True}
    walk.colour.value = "near_duplicate_filter"
    assert "scores no row" in walk.message.value
    walk.a.value = "random_selection"  # has no score; the colour asked for before stays
    assert walk.message.value == ""


def test_the_lasso_lists_its_rows_and_the_filter_narrows_them(walk):
    walk.scatter.selection([0, 3, 8])
    rows = walk.on_map[[0, 3, 8]]
    assert walk.places.tolist() == rows.tolist() and "3 rows" in walk.counted.value
    assert sorted(walk.table.df["row"]) == rows.tolist()
    most = walk.known["answer tokens"].to_numpy()[rows].max()
    walk.filter.value = f"answer tokens >= {most}"
    assert len(walk.places) == 1
    walk.filter.value = "no column > 1"
    assert "no column" in walk.message.value
    walk.scatter.selection(None)
    walk.filter.value, walk.group.value = "", "only A"
    assert set(walk.places) == set(walk.first.rows) - set(walk.second.rows)


def test_table_and_hover_keep_what_rows_say_as_text(walk):
    assert walk.table.df["prompt"].str.contains(HOSTILE, regex=False).all()
    assert HOSTILE not in json.dumps(walk.table._dt_args)
    assert walk.scatter._data["hover"].str.contains(HOSTILE, regex=False).all()  # jscatter sets it as textContent


def test_exports_what_is_listed_and_overwrites_nothing(walk, tmp_path):
    walk.file.value, walk.group.value = str(tmp_path / "chosen.jsonl"), "only A"
    walk.button.click()
    lines = (tmp_path / "chosen.jsonl").read_text().splitlines()
    assert "Wrote" in walk.message.value and len(lines) == len(walk.places)
    manifest = json.loads((tmp_path / "chosen.manifest.json").read_text())
    assert manifest["explored"]["rows"] == "only A" and manifest["rows"] == len(lines)
    walk.button.click()
    assert "exists and is not overwritten" in walk.message.value
    assert (tmp_path / "chosen.jsonl").read_text().splitlines() == lines


def test_umaps_places_move_the_points(walk):
    places = np.arange(2 * len(walk.known), dtype=float).reshape(-1, 2)
    walk.lay_out(places)
    moved = walk.scatter._data[["x", "y"]].to_numpy()
    assert (moved.min(), moved.max()) == (-1, 1) and (np.diff(moved, axis=0) > 0).all()


def test_options_are_widgets_that_write_the_call_and_follow_it(work):
    pytest.importorskip("ipywidgets")
    made = explorer.Explorer(work, ["kmeans", "cross_entropy(band=(40, 60))"], 6)
    clusters = made.options[0].fields["clusters"]
    assert clusters.value == 10
    clusters.value = 3
    assert made.a.value == made.first.method == "kmeans(clusters=3)" and made.message.value == ""
    made.options[0].fields["inside"].value = "cross_entropy(direction='lowest')"
    assert made.first.method == "kmeans(clusters=3, inside=\"cross_entropy(direction='lowest')\")"
    assert made.options[1].fields["band"].value == (40, 60)
    made.options[1].fields["band"].value = (10, 55)
    assert made.second.method == "cross_entropy(band=(10, 55))"
    made.options[1].fields["variant"].value = "nonsense"
    assert "nonsense" in made.message.value and made.second.method == "cross_entropy(band=(10, 55))"
    made.a.value = "token_length(direction='shortest')"
    assert {name: field.value for name, field in made.options[0].fields.items()} == {
        "measure": "answer", "direction": "shortest",
    }  # fmt: skip


@pytest.mark.parametrize("method", METHODS)
def test_the_widgets_of_a_method_say_its_defaults_and_change_nothing_by_themselves(method):
    widgets = pytest.importorskip("ipywidgets")
    written = widgets.Combobox(value=method)
    made = Options(written)
    assert written.value == method
    for option, field in made.fields.items():
        default = calls.default_options(method)[option]
        if isinstance(field, (widgets.Text, widgets.Combobox)):
            assert field.value == ("" if default is None else str(default))
        else:
            assert field.value == ((0, 100) if default is None else default)


def test_a_value_beyond_a_slider_stays_in_the_call():
    widgets = pytest.importorskip("ipywidgets")
    written = widgets.Combobox(value="kmeans(clusters=5000)")
    made = Options(written)
    assert written.value == "kmeans(clusters=5000)" and made.fields["clusters"].value == 100
    made.fields["quota"].value = "equal"
    assert written.value == "kmeans(clusters=5000, quota='equal')"
