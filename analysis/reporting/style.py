"""How every figure looks: one colour and marker per method, two widths, one way to save.

`save_figure` writes the picture and the numbers drawn in it, so that a figure can be checked without looking.
"""

import io
import re
from pathlib import Path

import matplotlib as mpl
import matplotlib.patheffects as patheffects
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from analysis.reporting.palette import DARK_GREY, GREY, PALETTE
from analysis.reporting.palette import LIGHT_GREY as LIGHT_GREY
from analysis.reporting.palette import colour as colour
from analysis.reporting.palette import colours_of as colours_of
from analysis.reporting.palette import fills as fills
from analysis.reporting.palette import label as label
from analysis.reporting.palette import line as line
from analysis.reporting.palette import marker as marker
from analysis.reporting.palette import markers as markers
from analysis.reporting.palette import palette as palette
from analysis.reporting.wording import figures
from analysis.store.store import write_atomic, write_text

WIDTHS = {"column": 3.25, "full": 6.75}  # inches
DOTS_PER_INCH = 200

_PAPER = {
    "font.family": "DejaVu Sans",
    "font.size": 8,
    "axes.titlesize": 9,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.labelsize": 8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.edgecolor": DARK_GREY,
    "axes.linewidth": 0.7,
    "grid.color": "#e6e6e6",
    "grid.linewidth": 0.6,
    "xtick.labelsize": 7.5,
    "ytick.labelsize": 7.5,
    "xtick.color": DARK_GREY,
    "ytick.color": DARK_GREY,
    "legend.fontsize": 7.5,
    "legend.frameon": False,
    "lines.linewidth": 1.5,
    "lines.markersize": 5,
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
    "figure.dpi": 100,
    "savefig.dpi": DOTS_PER_INCH,
    "svg.hashsalt": "analysis",
    "axes.prop_cycle": mpl.cycler(color=PALETTE),
}
_folder: Path | None = None
_default_provenance = ""
_saved: list[str] = []


def use() -> None:
    """Apply the style (8 pt type), and to tables the digits they show."""
    np.random.seed(0)  # noqa: NPY002  seaborn's jitter draws from it; nothing else here does
    pd.options.display.float_format = figures
    mpl.rcParams.update(_PAPER)


def save_into(folder: Path, provenance: str = "") -> None:
    """Name the folder of the next `save_figure` calls, and the provenance line they carry by default."""
    global _folder, _default_provenance
    _folder, _default_provenance = Path(folder), provenance
    _saved.clear()


def saved() -> list[str]:
    """Names of the figures saved since `save_into`, in order."""
    return list(_saved)


def figure(width: str = "full", height_ratio: float = 0.5, rows: int = 1, columns: int = 1, **options):
    """A figure and its axes.

    Parameters
    ----------
    width : 'column' (3.25 in) or 'full' (6.75 in)
    height_ratio : height divided by width
    options : passed to `matplotlib.pyplot.subplots`, e.g. `sharey=True`
    """
    if width not in WIDTHS:
        raise ValueError(f"width is one of {', '.join(WIDTHS)}, not {width!r}")
    inches = WIDTHS[width]
    return plt.subplots(rows, columns, figsize=(inches, inches * height_ratio), layout="constrained", **options)


def legend_above(fig, axes, columns: int = 4) -> None:
    """One legend for all panels, over them, of what is drawn in `axes`; none where nothing there has a name."""
    handles, labels = axes.get_legend_handles_labels()
    for one in fig.axes:
        if one.get_legend() is not None:
            one.get_legend().remove()
    if labels:
        fig.legend(handles, labels, loc="outside upper center", ncols=min(len(labels), columns))


def text_halo(width: float = 2.0) -> list:
    """White outline for text that lies on lines: `axes.text(..., path_effects=style.text_halo())`."""
    return [patheffects.withStroke(linewidth=width, foreground="white")]


def note(axes, text: str, corner: str = "lower right"):
    """Small grey text in a corner of the axes: what the interval is, how many seeds."""
    vertical, horizontal = corner.split()
    x, y = {"left": 0.01, "right": 0.99}[horizontal], {"lower": 0.02, "upper": 0.98}[vertical]
    return axes.text(
        x, y, text, transform=axes.transAxes, ha=horizontal, va={"lower": "bottom", "upper": "top"}[vertical],
        fontsize=6.5, color=GREY, path_effects=text_halo(),
    )  # fmt: skip


def random_band(axes, low: float, high: float, middle: float | None = None, orient: str = "h", text: str = ""):
    """Grey band of random selection from `low` to `high`, with a line at `middle`; `orient` 'h': y values."""
    span, rule = (axes.axhspan, axes.axhline) if orient == "h" else (axes.axvspan, axes.axvline)
    span(low, high, color=DARK_GREY, alpha=0.15, linewidth=0, zorder=0, label=text or None)
    if middle is not None:
        rule(middle, color=DARK_GREY, linewidth=1.0, zorder=1)


def key(fig, text: str) -> None:
    """A line below everything that says what the marks of all panels are; call it once, after drawing."""
    fig.text(0.005, 0.16 / fig.get_figheight(), text, ha="left", va="bottom", fontsize=6.5, color=DARK_GREY)


def margin(axes, delta: float) -> None:
    """Line at zero and dotted lines at ± `delta` on the x axis: differences between these are too small to matter."""
    axes.axvline(0, color=DARK_GREY, linewidth=1.0, zorder=1)
    for end in (-delta, delta):
        axes.axvline(end, color=GREY, linewidth=0.8, linestyle=":", zorder=1)


def save_figure(fig, name: str, data: pd.DataFrame, provenance: str | None = None) -> None:
    """Write `<name>.png` and `<name>.csv` (what is drawn, as numbers) and show the picture.

    Parameters
    ----------
    fig : the figure, or a seaborn grid; closed afterwards
    name : lower case letters, digits and underscores
    data : the plotted table, at least one row
    provenance : the line at the bottom right; by default the one of `report.begin`

    Raises
    ------
    RuntimeError where `report.begin` was not called; ValueError for a bad name or an empty table.
    """
    if _folder is None:
        raise RuntimeError("save_figure does not know where to write: call report.begin(...) first")
    if not re.fullmatch(r"[a-z0-9][a-z0-9_]*", name):
        raise ValueError(f"figure name {name!r}: use lower case letters, digits and underscores")
    table = pd.DataFrame(data)
    if table.empty:
        raise ValueError(f"figure {name}: the table of plotted values has no rows")
    fig = getattr(fig, "figure", fig)
    _add_provenance(fig, _default_provenance if provenance is None else provenance)
    picture = io.BytesIO()
    fig.savefig(picture, format="png", dpi=DOTS_PER_INCH, metadata={"Software": None})
    inches = fig.get_figwidth()
    plt.close(fig)
    path = _folder / f"{name}.png"
    write_atomic(path, lambda partial: Path(partial).write_bytes(picture.getvalue()))
    write_table(path.with_suffix(".csv"), table)
    if name not in _saved:
        _saved.append(name)
    _show(picture.getvalue(), inches)


def write_table(path: Path, table: pd.DataFrame) -> None:
    """A table as CSV, digits that mean something, all of it or nothing."""
    text = table.to_csv(index=False, lineterminator="\n", float_format="%.8g")
    write_text(path, text)


def _add_provenance(fig, text: str) -> None:
    """Small line in a strip of its own below everything else, and below a `key`."""
    strip = 0.14 * (2.2 if fig.texts else bool(text)) / fig.get_figheight()
    if not strip:
        return
    engine = fig.get_layout_engine()
    if isinstance(engine, mpl.layout_engine.ConstrainedLayoutEngine):
        engine.set(rect=(0, strip, 1, 1 - strip))
    fig.text(0.995, 0.02 / fig.get_figheight(), text, ha="right", va="bottom", fontsize=6, color=GREY)


def _show(picture: bytes, inches: float) -> None:
    """In a notebook, display exactly the file that was written, at about 1.2 times its printed size."""
    from IPython import get_ipython
    from IPython.display import Image, display

    if get_ipython() is not None:
        display(Image(data=picture, format="png", width=round(inches * 120)))
