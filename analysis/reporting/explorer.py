"""A pool to walk through in JupyterLab: linked widgets over what `explorer_rows` and `explorer_comparison` compute.

Needs the extra `explore`; without it, or where nobody sits before the kernel, `explore` says so and shows nothing.
"""

import functools
import os
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd

from analysis.experiments.workbench import Workbench
from analysis.methods import METHODS, Selection
from analysis.reporting import explorer_comparison as sides
from analysis.reporting import explorer_rows as seen
from analysis.reporting import maps
from analysis.reporting.explorer_options import Options
from analysis.reporting.pool_text import escape
from analysis.reporting.wording import counted
from analysis.store.publishing import RUN

PACKAGES = ("jscatter", "ipywidgets", "itables")
EVERY = "all"
SIZES = (3, 6, 6, 8)  # of the points of `explorer_rows.GROUPS`
CALLS = ('kmeans(inside="ifd")', "cross_entropy(variant='released')")  # examples of calls with options
WHY = "The explorer is interactive where this notebook is opened in JupyterLab: ./run_all.sh --with explore, then .venv/bin/jupyter lab notebooks/05_explore.ipynb"


def missing() -> list[str]:
    """Packages of the extra `explore` that are not installed."""
    return [name for name in PACKAGES if find_spec(name) is None]


def explore(work: Workbench, methods: list[str], budget: int, *, colour: str = "", embedding: str = "tfidf"):
    """Show the explorer of this part of a pool and return it; headless or without its packages say how to get it, None.

    Parameters
    ----------
    methods : two calls, A and B.
    budget : rows that each chooses at first.
    colour : see `explorer_rows.colour_values`; default the score of A, or the answer's length.
    embedding : space of the map, see `Features.embeddings`.
    """
    from IPython import get_ipython
    from IPython.display import display

    if os.environ.get(RUN) or get_ipython() is None or missing():
        print(f"{WHY}. Below are the same pictures without a hand to move them.")
        return None
    made = Explorer(work, methods, budget, colour=colour, embedding=embedding)
    display(made.box)
    return made


def _in_view(places: np.ndarray) -> np.ndarray:
    """Places moved and scaled alike in both directions into the square from -1 to 1, so that the view need not follow."""
    low, high = places.min(axis=0), places.max(axis=0)
    return (places - (low + high) / 2) / (max(*(high - low), 1e-9) / 2)


def said_in_place(callback):
    """Show what a user did wrong beside the widgets; any other error is one of ours and stays one."""

    @functools.wraps(callback)
    def guarded(self, *arguments):
        try:
            self.message.value = ""
            callback(self)
        except (ValueError, FileExistsError, FileNotFoundError) as error:
            self.say(str(error), wrong=True)

    return guarded


class Explorer:
    """Linked widgets; every attribute that is a widget can be set from Python as by hand.

    Attributes
    ----------
    options : the options of A and of B, as widgets that write the calls.
    known : `with_choices` of the present choices; `first` and `second`, the choices of A and of B.
    places : rows that the table shows and `export` writes, those that it has no room for included.
    """

    def __init__(self, work: Workbench, methods: list[str], budget: int, *, colour: str = "", embedding: str = "tfidf"):
        import ipywidgets as widgets

        self.work, self.rows = work, seen.table(work)
        points = work.features.embeddings(embedding)
        places = maps.stored_places(points, work.store, work.seed)
        self.on_map = maps.on_map(points)
        offered = list(dict.fromkeys([*methods, *METHODS, *CALLS]))
        wide = {"layout": widgets.Layout(width="330px"), "continuous_update": False}
        self.a = widgets.Combobox(value=methods[0], options=offered, description="A", **wide)
        self.b = widgets.Combobox(value=methods[1], options=offered, description="B", **wide)
        self.budget = widgets.IntSlider(budget, 1, len(self.rows), description="budget", **wide)
        self.options = [Options(one, **wide) for one in (self.a, self.b)]
        self.message = widgets.HTML()
        self.first, self.second = (seen.choose(work, method, budget) for method in methods)
        self.known = seen.with_choices(self.rows, self.first, self.second)
        asked = list(dict.fromkeys([*seen.colours(self.known), *METHODS]))
        self.colour = widgets.Combobox(value=colour or asked[0], options=asked, description="colour", **wide)
        self.group = widgets.Dropdown(options=[EVERY, *seen.GROUPS[1:], seen.NEITHER], description="rows",
                                      layout=wide["layout"])  # fmt: skip
        self.filter = widgets.Text(
            placeholder="words, or: answer tokens > 100 and fault !=", description="filter", **wide
        )
        self.file = widgets.Text("rows.jsonl", description="file", layout=wide["layout"])
        self.button = widgets.Button(description="Export these rows", tooltip="as the select command writes them")
        self.pictures = [widgets.Image(format="png", width=390) for _ in range(2)]
        self.compared, self.counted = widgets.HTML(), widgets.HTML()
        self._coloured_by = self.colour.value
        self._make_map(maps.principal_places(points) if places is None else places)
        self._make_table()
        self._show()
        self._link()
        self.box = self._arranged(widgets)

    def _make_map(self, places: np.ndarray) -> None:
        import jscatter

        self.frame = pd.DataFrame(_in_view(places[self.on_map]), columns=["x", "y"]).assign(hover="")
        self.scatter = jscatter.Scatter(data=self.frame, x="x", y="y", height=470)
        self.scatter.options(transition_points=False)
        self.scatter.x(scale=(-1, 1)).y(scale=(-1, 1)).axes(False).legend(True).lasso(type="freeform")
        self.scatter.tooltip(True, properties=[], preview="hover", preview_type="text", size="medium")

    def _make_table(self) -> None:
        from itables.widget import ITable

        self.table = ITable(pd.DataFrame({"row": []}), maxBytes=0, allow_html=False, showIndex=False, pageLength=10,
                            scrollX=True, classes="display compact")  # fmt: skip

    def _link(self) -> None:
        for widget in (self.a, self.b, self.budget):
            widget.observe(self.reselect, "value")
        self.colour.observe(self.recolour, "value")
        for widget in (self.group, self.filter):
            widget.observe(self.list_rows, "value")
        self.scatter.tooltip(preview_text_lines=8)  # jscatter forgets it where there is no widget yet
        self.scatter.widget.observe(self.list_rows, "selection")
        self.button.on_click(self.export)

    def _arranged(self, widgets):
        sides_of = [widgets.VBox([one, of.box]) for one, of in zip((self.a, self.b), self.options, strict=True)]
        controls = widgets.HBox([*sides_of, self.budget]), widgets.HBox([self.colour, self.group, self.filter])
        beside = widgets.VBox([*self.pictures], layout=widgets.Layout(width="400px"))
        self.scatter.widget.layout.width = "100%"
        picture = widgets.HBox([widgets.VBox([self.scatter.show()], layout=widgets.Layout(flex="1 1 auto")), beside])
        export = widgets.HBox([self.counted, self.file, self.button])
        return widgets.VBox([*controls, self.message, picture, self.compared, export, self.table])

    def say(self, text: str, wrong: bool = False) -> None:
        """Put a sentence under the controls, red where something was refused."""
        self.message.value = f'<span style="color:{"#b00020" if wrong else "inherit"}">{escape(text)}</span>'

    @said_in_place
    def reselect(self) -> None:
        """Choose again by A and B at the budget of the slider; where that is refused nothing changes but the message."""
        first, second = (seen.choose(self.work, one.value, self.budget.value) for one in (self.a, self.b))
        self.first, self.second = first, second
        self.known = seen.with_choices(self.rows, first, second)
        self._show()

    @said_in_place
    def recolour(self) -> None:
        """Colour the map by what is asked for."""
        seen.colour_values(self.work, self.known, self.colour.value)
        self._coloured_by = self.colour.value
        self._draw_map()

    @said_in_place
    def list_rows(self) -> None:
        """List the rows of the group that lie under the lasso and fit the filter, and hide the others on the map."""
        self._list()

    @said_in_place
    def export(self) -> None:
        """Write the rows listed, all of them, as the select command writes a selection."""
        if not len(self.places):
            raise ValueError("no row is listed, so none is written")
        rows = seen.shown(self.known, self.places)["row"].to_numpy()
        whole = set(rows) == set(self.first.rows)
        selection = self.first.selection if whole else Selection(rows, self.first.scores)
        explored = {"A": self.first.method, "B": self.second.method, "budget": len(self.first.rows), "rows": self.group.value,
                    "filter": self.filter.value, "under the lasso": len(self._lassoed())}  # fmt: skip
        self.work.export(selection, self.file.value, method=self.first.method if whole else None, explored=explored)
        written = Path(os.path.expanduser(self.file.value)).absolute()
        self.say(f"Wrote {counted(len(rows), 'row')} to {written}, with manifest, ids and reasons beside it.")

    def lay_out(self, places: np.ndarray) -> None:
        """Move the rows to other places, shape (n_rows, 2): UMAP's, once they are made."""
        self.frame[["x", "y"]] = _in_view(places[self.on_map])
        self._draw_map()

    def _show(self) -> None:
        for image, choice in zip(self.pictures, (self.first, self.second), strict=True):
            image.value = sides.picture(choice, self.known)
        self.compared.value = seen.table_html(sides.written(sides.comparison(self.known)))
        self._draw_map()
        self._list()

    def _draw_map(self) -> None:
        """Send places, colours, sizes and hover texts of the rows to the map."""
        known = self.known.iloc[self.on_map].reset_index(drop=True)
        if self._coloured_by.startswith("score ") and self._coloured_by not in known:  # the new method scores no row
            self._coloured_by = seen.colours(known)[0]
        values = seen.colour_values(self.work, self.known, self._coloured_by).iloc[self.on_map].reset_index(drop=True)
        if pd.api.types.is_numeric_dtype(values):
            limits = sides.limits(values)
            values, how = values.fillna(limits[0]).clip(*limits), {"map": "viridis", "norm": limits}
        else:
            values = values.astype("category")
            named = sides.value_colours(values)
            how = {"map": [named[str(value)] for value in values.cat.categories]}
        frame = self.frame.assign(hover=seen.hover_texts(known), size=known[seen.CHOSEN_BY], colour=values)
        self.scatter.data(frame, skip_widget_update=True)
        self.scatter.color(by="colour", **how).size(by="size", map=list(SIZES))
        self.scatter.data(frame)  # once more, as now the points have their colours and sizes

    def _lassoed(self) -> np.ndarray:
        """Rows under the lasso; none where nothing is lassoed."""
        points = self.scatter.widget.selection
        return self.on_map[np.asarray([] if points is None else points, int)]

    def _list(self) -> None:
        fits = seen.matching(self.known, self.filter.value)
        if self.group.value != EVERY:
            fits &= (self.known[seen.CHOSEN_BY] == self.group.value).to_numpy()
        self.scatter.filter(None if fits.all() else np.flatnonzero(fits[self.on_map]))
        if len(lassoed := self._lassoed()):
            fits &= np.isin(np.arange(len(fits)), lassoed)
        self.places = np.flatnonzero(fits)
        self.table.update(seen.shown(self.known, self.places).head(seen.MOST_SHOWN))
        self.counted.value = f"Listed: {seen.counts_shown(len(self.places))}"
