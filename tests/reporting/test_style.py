import numpy as np
import pandas as pd
import pytest

from analysis.methods import METHODS
from analysis.reporting import style
from analysis.reporting.axis_labels import difference_limits


@pytest.fixture
def folder(tmp_path):
    style.use()
    style.save_into(tmp_path)
    return tmp_path


def draw():
    fig, axes = style.figure("column", height_ratio=0.7)
    axes.plot([1, 2, 3], [1.0, 4.0, 9.0], color=style.colour("random_selection"))
    axes.set(xlabel="rows", ylabel="score")
    return fig


def test_same_figure_twice_is_the_same_file(folder):
    data = pd.DataFrame({"rows": [1, 2, 3], "score": [1.0, 4.0, 9.0]})
    style.save_figure(draw(), "squares", data, provenance="curated")
    first = (folder / "squares.png").read_bytes()
    style.save_figure(draw(), "squares", data, provenance="curated")
    second = (folder / "squares.png").read_bytes()
    assert first == second
    assert b"Software" not in first
    assert style.saved() == ["squares"]


def test_csv_holds_what_is_drawn(folder):
    data = pd.DataFrame({"method": ["random", 'comma, "quote"'], "score": [0.1, 1 / 3]})
    style.save_figure(draw(), "scores", data)
    assert (folder / "scores.csv").read_bytes().startswith(b"method,score\nrandom,0.1\n")
    pd.testing.assert_frame_equal(pd.read_csv(folder / "scores.csv"), data, rtol=1e-7)


def test_png_is_200_dots_per_inch_of_the_named_width(folder):
    from PIL import Image

    style.save_figure(draw(), "size", pd.DataFrame({"x": [1]}))
    with Image.open(folder / "size.png") as image:
        assert image.size[0] == round(3.25 * 200)


def test_provenance_line_has_a_strip_of_its_own(folder):
    fig = draw()
    style.save_figure(fig, "strip", pd.DataFrame({"x": [1]}), provenance="curated, 5,000 rows")
    line = fig.texts[-1]
    assert line.get_text() == "curated, 5,000 rows"
    assert line.get_fontsize() == 6
    assert line.get_window_extent().y1 <= fig.axes[0].get_tightbbox().y0 + 1


@pytest.mark.parametrize("name", ["Figure 1", "a/b", "", "../up", "ünits"])
def test_bad_figure_names_are_refused(folder, name):
    with pytest.raises(ValueError, match="figure name"):
        style.save_figure(draw(), name, pd.DataFrame({"x": [1]}))


def test_empty_table_is_refused(folder):
    with pytest.raises(ValueError, match="no rows"):
        style.save_figure(draw(), "empty", pd.DataFrame({"x": []}))


def test_saving_without_a_folder_says_what_to_call(monkeypatch):
    monkeypatch.setattr(style, "_folder", None)
    with pytest.raises(RuntimeError, match=r"report\.begin"):
        style.save_figure(draw(), "lost", pd.DataFrame({"x": [1]}))


def test_random_is_dark_grey_and_no_other_method_is():
    colours = {name: style.colour(name) for name in METHODS}
    assert colours.pop("random_selection") == style.DARK_GREY
    assert style.DARK_GREY not in colours.values()


def test_methods_differ_in_colour_or_marker():
    looks = [(style.colour(name), style.marker(name)) for name in METHODS]
    assert len(set(looks)) == len(looks)


def test_options_keep_the_colour_and_show_in_the_label():
    released = "cross_entropy(variant='released')"
    assert style.colour(released) == style.colour("cross_entropy")
    assert style.label(released) == f"{style.label('cross_entropy')} (released)"
    assert style.line(released) != style.line("cross_entropy")


@pytest.mark.parametrize(
    "method, expected",
    [
        ("kmeans(inside='ifd', clusters=100)", "K-means (IFD, clusters 100)"),
        ("kmeans(inside='random')", "K-means (random)"),
        ("kmeans(inside='random', embedding='tfidf')", "K-means (random, embedding tfidf)"),
        ("rds_plus(targets='auto', turns='none')", "RDS+ (targets auto, turns none)"),
        ("kmeans(inside='cross_entropy(direction=\"lowest\")')", "K-means (Cross-entropy (lowest))"),
        ("cross_entropy(band=(80, 95))", "Cross-entropy (band 80, 95)"),
    ],
)
def test_a_method_within_a_method_is_called_by_its_own_label(method, expected):
    assert style.label(method) == expected


def test_forms_of_a_method_are_told_apart_by_how_marks_are_filled():
    methods = ["less", "ifd", "less(variant='released')", "less(targets='held-out')"]
    fills = style.fills(methods)
    assert fills["ifd"] == fills["less"] == "full" and len({fills[name] for name in methods}) == 3


def test_forms_of_a_method_are_told_apart_and_look_the_same_in_every_figure_of_a_page():
    forms = [style.label(name) for name in ("less", "less(variant='released')", "less(targets='held-out')")]
    one = style.colours_of([style.label("random_selection"), *forms])
    another = style.colours_of(["whole pool", "target rows", *forms])
    assert [one[name] for name in forms] == [another[name] for name in forms]
    assert one["LESS"] == style.colour("less") and len({*one.values()}) == len(one)
    assert one["Random"] == style.colour("random_selection")


def test_two_methods_of_one_colour_are_told_apart_and_the_others_keep_theirs():
    all_labels = [style.label(name) for name in METHODS]
    own = {name: style.colours_of([name])[name] for name in all_labels}
    first, second = next((a, b) for a in all_labels[1:] for b in all_labels if a != b and own[a] == own[b])
    third = next(name for name in all_labels[1:] if own[name] not in (own[first], own["Random"]))
    found = style.colours_of([first, second, third])
    assert found[first] == own[first] and found[third] == own[third]
    assert len({found[first], found[second], found[third]}) == 3


def test_unknown_method_names_the_known_ones():
    with pytest.raises(ValueError, match=r"token_lenght.*token_length"):
        style.colour("token_lenght")


@pytest.mark.parametrize(
    ("value", "written"), [(125.0, "125"), (0.7741, "0.774"), (12.34, "12.3"), (1425.7, "1,426"), (-0.5, "-0.5")]
)
def test_tables_show_the_digits_that_mean_something(value, written):
    style.use()
    assert f"<td>{written}</td>" in pd.DataFrame({"x": [value]}).to_html()


@pytest.mark.parametrize("provenance", ["", "curated, 5,000 rows"])
def test_a_key_lies_below_the_axes_and_above_the_provenance(folder, provenance):
    fig = draw()
    fig.axes[0].set_xlabel("rows")
    style.key(fig, "dots: runs")
    style.save_figure(fig, "keyed", pd.DataFrame({"x": [1]}), provenance)
    key, line = (text.get_window_extent() for text in fig.texts)
    assert key.y1 <= fig.axes[0].get_tightbbox().y0 + 1 and key.y0 >= line.y1 - 2


def test_the_ends_of_differences_hold_zero_and_what_is_drawn_and_no_endless_interval():
    lines = pd.DataFrame({"estimate": [-2.0, -3.0], "low": [-np.inf, -4.0], "high": [np.inf, np.nan], "random_low": -0.5, "random_high": 0.5})  # fmt: skip
    low, high = difference_limits(lines, room=0.0)
    assert (low, high) == (-7.5, 7.5)  # of the endless one two and a half times the largest
    assert difference_limits(lines.iloc[1:], room=0.0) == (-4.0, 0.5)
    bottom, top = difference_limits(lines.iloc[1:], room=0.1)
    assert bottom == pytest.approx(-4.45) and top == pytest.approx(0.95)
