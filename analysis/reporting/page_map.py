"""A map of rows that works in a page without a kernel and without a request: points, a choice of colours, a row on hover."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.colors import to_hex

from analysis.experiments.workbench import Workbench
from analysis.methods import Selection, label
from analysis.reporting import explorer_rows, maps
from analysis.reporting.explorer_comparison import limits, value_colours
from analysis.reporting.palette import LIGHT_GREY, colour
from analysis.reporting.pool_text import escape
from analysis.reporting.wording import agreeing, counted, figures, number
from analysis.subsets.rows import drawn

MOST_POINTS = 5_000
MOST_BYTES = 1_500_000  # of the rows and numbers of a map
SIDE = 9_999  # places are whole numbers from 0 to this
STEPS = 33  # of the scale of colours
CHOSEN, NOT_CHOSEN = "chosen", "not chosen"
TEMPLATES = Path(__file__).parent / "templates"
HOW = "Point at a row, or tap it, to read it; Ctrl and the wheel, or two fingers, zoom."
STATIC = (
    "A map with a row under every point stands here where scripts may run (in JupyterLab: File, Trust Notebook). "
    "All figures of this page are pictures and do without."
)


def of_selection(work: Workbench, selections: Mapping[str, Selection], method: str) -> None:
    """Display the rows of this part of a pool by what a method makes of them: its score, what it chooses, what is known.

    UMAP of TF-IDF, stored: the pages of one pool share it.
    """
    choice = explorer_rows.choice_of(work, method, selections[method])
    places = maps.places(work.features.embeddings("tfidf"), work.store, work.seed)
    shown = rows_shown(np.isfinite(places).all(axis=1), choice.rows, work.seed)
    known = explorer_rows.table(work, shown).iloc[shown]
    chosen = np.isin(shown, choice.rows)
    who = pd.Series(np.where(chosen, CHOSEN, NOT_CHOSEN), index=known.index)
    scores = {} if choice.scores is None else {"score": pd.Series(choice.scores[shown], index=known.index)}
    show(
        known, places[shown], scores | {CHOSEN: who} | what_is_known(known), chosen=chosen,
        named={CHOSEN: colour(method), NOT_CHOSEN: LIGHT_GREY},
        caption=f"{label(method)}: {_counts(shown, len(places), choice.rows)}. Large, with a rim: chosen. "
                f"{'' if scores else 'It scores no row. '}UMAP of the rows' words (TF-IDF); nearness is suggestive only.",
    )  # fmt: skip


def of_pool(work: Workbench, positions: pd.DataFrame) -> None:
    """Display the rows of `pools.text_map` (row, x and y) by what is known of them."""
    kept = drawn(len(positions), MOST_POINTS, work.seed)
    positions = positions.sort_values("row").iloc[kept]
    shown = positions["row"].to_numpy()
    known = explorer_rows.table(work, shown).iloc[shown]
    show(known, positions[["x", "y"]].to_numpy(), what_is_known(known),
         caption=f"The same rows as in the picture: {_counts(shown, len(work.pool))}.")  # fmt: skip


def rows_shown(has_place: np.ndarray, chosen: Sequence[int], seed: int) -> np.ndarray:
    """Rows of a map, ascending, `MOST_POINTS` at most: all chosen rows, and others drawn at random from those with a place.

    Where the chosen rows alone are more, the draw is from all.
    """
    wanted = np.isin(np.arange(len(has_place)), chosen) & has_place
    if wanted.sum() > MOST_POINTS:
        wanted[:] = False
    others = np.flatnonzero(has_place & ~wanted)
    wanted[others[drawn(len(others), MOST_POINTS - wanted.sum(), seed)]] = True
    return np.flatnonzero(wanted)


def _counts(shown: np.ndarray, n_rows: int, chosen: Sequence[int] = ()) -> str:
    """How many rows a map shows of how many, in words."""
    if len(shown) == n_rows:
        return f"all {counted(n_rows, 'row')}"
    of = f"{number(len(shown))} of {counted(n_rows, 'row')}"
    if not len(chosen):
        return f"{of}, drawn at random"
    kept = int(np.isin(chosen, shown).sum())
    those = f"{number(kept)} of the {number(len(chosen))}" if kept < len(chosen) else f"the {number(kept)}"
    rest = len(shown) - kept
    return f"{of}, {those} chosen and {number(rest)} {agreeing(rest, 'other', 'others')} drawn at random"


def what_is_known(known: pd.DataFrame) -> dict[str, pd.Series]:
    """What rows of `rows.table` can be coloured by: family and fault where the truth is known, else source; answer tokens."""
    if "fault" not in known:
        return {"source": known["group"], "answer tokens": known["answer tokens"]}
    faults = known["fault"].replace("", "correct")
    return {"family": known["group"], "style": known["style"], "fault": faults, "answer tokens": known["answer tokens"]}


def show(
    known: pd.DataFrame, places: np.ndarray, colours: Mapping[str, pd.Series], *, caption: str,
    chosen: np.ndarray | None = None, named: Mapping[str, str] | None = None,
) -> None:  # fmt: skip
    """Display a map as one piece of HTML; see `map_html`."""
    from IPython.display import display

    markup = map_html(known, places, colours, caption=caption, chosen=chosen, named=named)
    display({"text/html": markup, "text/plain": f"{caption} (shown as an interactive map)"}, raw=True)


def map_html(
    known: pd.DataFrame, places: np.ndarray, colours: Mapping[str, pd.Series], *, caption: str,
    chosen: np.ndarray | None = None, named: Mapping[str, str] | None = None,
) -> str:  # fmt: skip
    """A map as HTML in which every character of the rows is text, its script and style included.

    Parameters
    ----------
    known : rows of `explorer_rows.table`, one line per point.
    places : finite, of shape (n_points, 2).
    colours : name to the value of every point, numbers or text; the first is shown first.
    chosen : bool of shape (n_points,); drawn larger, with a rim.
    named : colours of values of text, where they are not those of the other figures.
    """
    chosen = np.zeros(len(known), bool) if chosen is None else chosen
    x, y = _whole(places).T.tolist()
    data = {
        "side": SIDE, "x": x, "y": y, "chosen": np.flatnonzero(chosen).tolist(), "missing": LIGHT_GREY,
        "colours": [_colour(name, values, named or {}) for name, values in colours.items()],
    }  # fmt: skip
    style, script = (
        read.read_text(encoding="utf-8") for read in (TEMPLATES / "page_map.css", TEMPLATES / "page_map.js")
    )
    said = escape(caption)
    zooms = "".join(
        f'<button type="button" value="{factor}" aria-label="{name}">{sign}</button>'
        for factor, name, sign in ((1.6, "closer", "+"), (0.625, "farther", "−"), (0, "the whole map", "whole"))
    )
    return (
        f'<div class="page-map"><style>{style}</style><p class="page-map-static">{STATIC}</p>'
        f'<div class="page-map-controls"><label>colour <select autocomplete="off"></select></label><span>{zooms}</span></div>'
        f'<div class="page-map-picture"><canvas role="img" aria-label="Map. {said}"></canvas>'
        '<div class="page-map-row" aria-live="polite" hidden></div></div><div class="page-map-legend"></div>'
        f'<p class="page-map-caption">{said} {HOW}</p>'
        f'<script type="application/json">{_with_texts(data, known, colours.get("score"), chosen)}</script>'
        f"<script>{script}</script></div>"
    )


def _whole(places: np.ndarray) -> np.ndarray:
    """Places moved and scaled alike in both directions into the square from 0 to `SIDE`, as whole numbers."""
    low, high = places.min(axis=0), places.max(axis=0)
    scale = max(*(high - low).tolist(), 1e-9)
    return np.rint(((places - (low + high) / 2) / scale + 0.5) * SIDE).astype(int)


def _colour(name: str, values: pd.Series, named: Mapping[str, str]) -> dict:
    """A choice of colour: numbers with four digits on a scale that ends as in the explorer, or places among the names."""
    if pd.api.types.is_numeric_dtype(values):
        ends = limits(values) if values.notna().any() else (0.0, 1.0)
        scale = [to_hex(one) for one in mpl.colormaps["viridis"](np.linspace(0, 1, STEPS))]
        told = [f"{figures(ends[0])} or less", f"{figures(ends[1])} or more"]
        numbers = [float(f"{value:.4g}") if np.isfinite(value) else None for value in values.tolist()]
        return {"name": name, "values": numbers, "limits": ends, "ends": told, "colours": scale}
    texts = values.astype(str)
    names = sorted(texts.unique())
    found = value_colours(texts.rename(name)) | dict(named)
    codes = pd.Categorical(texts, categories=names).codes.tolist()
    return {"name": name, "values": codes, "names": names, "colours": [found[one] for one in names]}


def _with_texts(data: dict, known: pd.DataFrame, scores: pd.Series | None, chosen: np.ndarray) -> str:
    """The data with what is said of every row, its texts as long as `MOST_BYTES` allow, for a script element."""
    facts = _facts(known, scores, chosen)
    for longest in (explorer_rows.CHARACTERS, 120, 80, 50, 20, 0):
        told = [[fact, _cut(prompt, longest), _cut(answer, longest)]
                for fact, prompt, answer in zip(facts, known["prompt"], known["answer"], strict=True)]  # fmt: skip
        text = _json(data | {"rows": told})
        if len(text.encode()) <= MOST_BYTES:
            break
    return text


def _facts(known: pd.DataFrame, scores: pd.Series | None, chosen: np.ndarray) -> list[str]:
    """One line on every row: its place, source, fault where it has one, tokens, score, whether it is chosen."""
    faults = known["fault"] if "fault" in known else [""] * len(known)
    written = (
        [""] * len(known)
        if scores is None
        else [f"score {figures(one)}" if one == one else "no score" for one in scores]
    )
    lines = zip(known["row"], known["source"], faults, known["answer tokens"], written, chosen, strict=True)
    return [
        " · ".join(part for part in (f"row {row}", str(source), fault, counted(tokens, "answer token"), score, CHOSEN if taken else "") if part)
        for row, source, fault, tokens, score, taken in lines
    ]  # fmt: skip


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[: max(longest - 2, 0)]} …"


def _json(data: dict) -> str:
    """JSON that can stand in a page: no tag, no formula and no address in it is one to a browser or to who reads pages."""
    text = json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    for sign in "<>&$":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return text.replace("/", "\\/")
