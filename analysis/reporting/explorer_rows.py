"""The rows of a pool to walk through: what is known of each, its scores, which of two methods choose it."""

import operator
import re
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.experiments.workbench import Workbench
from analysis.methods import RANDOM, Selection, calls
from analysis.reporting.maps import MOST_PLACED
from analysis.reporting.pool_text import examples_html
from analysis.reporting.wording import counted, figures, number
from analysis.subsets import rows
from analysis.subsets.diversity import deciding_scores

CHARACTERS = 160  # of a prompt and of an answer
MOST_SHOWN = 200  # rows of a table
CHOSEN_BY = "chosen by"
NEITHER, ONLY_A, ONLY_B, BOTH = GROUPS = ("neither", "only A", "only B", "both")
SIGNS = {"<=": operator.le, ">=": operator.ge, "!=": operator.ne, "<": operator.lt, ">": operator.gt, "=": operator.eq}
CONDITION = re.compile(r"\s*([^<>=!]+?)\s*(<=|>=|!=|<|>|=)\s*(.*?)\s*")
LOOK = "<style>.examples :is(th, td) {padding: 1px 12px 1px 0; text-align: left} .examples p {margin: 0}</style>"
TEXTS = ("prompt", "answer")


@dataclass(frozen=True)
class Choice:
    """What one method chooses: its call, the selection, and its scores of shape (n_rows,), none where it scores no row."""

    method: str
    selection: Selection
    scores: np.ndarray | None

    @property
    def rows(self) -> np.ndarray:
        return self.selection.rows

    @property
    def cut(self) -> float | None:
        """The lowest score chosen, where every row above it is chosen; None for quotas, sets and chance."""
        if self.scores is None:
            return None
        left = np.delete(self.scores, self.rows)
        lowest = float(np.min(self.scores[self.rows]))
        return lowest if not (left > lowest).any() else None


def choose(work: Workbench, method: str, budget: int) -> Choice:
    """A method's choice from this part of the pool: the rows that the notebooks train on, of stored features.

    Raises
    ------
    ValueError
        An unknown method or option, or a budget that cannot be met.
    """
    calls.parse(method)
    return choice_of(work, method, work.select(method, budget))


def choice_of(work: Workbench, method: str, selection: Selection) -> Choice:
    """A selection that a method made from this part, with its scores or those of the method inside its clusters."""
    scores = selection.scores
    if scores is None:
        scores = deciding_scores(work.features, method, selection, work.selection_seed)
    return Choice(method, selection, scores)


def pair(methods: list[str]) -> list[str]:
    """The first two different methods of a list, filled up with chance and the longest answers."""
    return list(dict.fromkeys([*methods, RANDOM, "token_length"]))[:2]


def table(work: Workbench, some: np.ndarray | None = None) -> pd.DataFrame:
    """One line per row of the pool: row (its place), id, what `rows.table` knows, and the beginnings of its texts.

    Only `some` rows have texts; by default `MOST_PLACED` at most, drawn at random. The others' are empty.
    """
    found = rows.table(work.pool, work.features.lengths())
    found.insert(0, "row", np.arange(len(found)))
    found.insert(1, "id", work.pool.rows.select_columns(["id"]).to_pandas()["id"].astype(str).to_numpy())
    some = rows.drawn(len(found), MOST_PLACED) if some is None else some
    texts = pd.DataFrame(beginnings(work.pool.messages(some)), columns=list(TEXTS), index=some)
    return found.join(texts).fillna(dict.fromkeys(TEXTS, ""))


def beginnings(conversations: list[list[dict]]) -> list[tuple[str, str]]:
    """The beginnings of the first question and of the first answer of every conversation."""
    return [
        tuple(_cut(next((turn["content"] for turn in turns if turn["role"] == role), ""))
              for role in ("user", "assistant"))
        for turns in conversations
    ]  # fmt: skip


def _cut(text: str) -> str:
    short = " ".join(text[: 2 * CHARACTERS].split())
    return short if len(text) <= CHARACTERS and len(short) <= CHARACTERS else f"{short[: CHARACTERS - 2]} …"


def with_choices(known: pd.DataFrame, first: Choice, second: Choice) -> pd.DataFrame:
    """The table with `score A`, `score B` (higher = chosen first; of methods that score rows) and who chooses each row."""
    places = known["row"].to_numpy()
    in_first, in_second = np.isin(places, first.rows), np.isin(places, second.rows)
    scores = {f"score {name}": one.scores for name, one in (("A", first), ("B", second)) if one.scores is not None}
    chosen = pd.Categorical.from_codes(in_first + 2 * in_second, GROUPS, ordered=True)
    return known.assign(**scores, **{CHOSEN_BY: chosen})


def colour_values(work: Workbench, known: pd.DataFrame, what: str) -> pd.Series:
    """What the map is coloured by: a column of `with_choices`, or the score of any method's call.

    Raises
    ------
    ValueError
        Neither a column nor a method that scores rows.
    """
    if what in colours(known):
        return (
            known["group"].rename(what)
            if what == "source"
            else known[what].replace("", "correct")
            if what == "fault"
            else known[what]
        )
    if what.partition("(")[0].strip() not in calls.METHODS:
        raise ValueError(f"colour: expected one of {', '.join(colours(known))}, or a method's call, found {what!r}")
    return pd.Series(calls.scored(what, work.features, seed=work.selection_seed).scores, name=what)


def colours(known: pd.DataFrame) -> list[str]:
    """The columns of `with_choices` that a map can be coloured by."""
    names = ("score A", "score B", CHOSEN_BY, "source", "answer tokens", "family", "style", "fault")
    return [name for name in names if name in known]


def matching(known: pd.DataFrame, text: str) -> np.ndarray:
    """Which rows fit a filter, bool of shape (n_rows,): words that their texts hold, or conditions joined by `and`.

    A condition is `answer tokens > 100`, `source = alpaca`, or `fault !=` for the rows that have one; anything without a sign is
    looked for, whatever its case, in prompt, answer, source and id.

    Raises
    ------
    ValueError
        A condition on a column that is not there (lists those that are), or one that compares text by size.
    """
    fits = np.ones(len(known), bool)
    for part in (one for one in re.split(r"\s+and\s+", text.strip()) if one):
        found = CONDITION.fullmatch(part)
        fits &= _holds(known, *found.groups()) if found else _mentions(known, part)
    return fits


def _holds(known: pd.DataFrame, column: str, sign: str, value: str) -> np.ndarray:
    if column not in known:
        raise ValueError(f"filter: no column {column!r}; the columns are {', '.join(known.columns)}")
    if not pd.api.types.is_numeric_dtype(known[column]):
        if sign not in ("=", "!="):
            raise ValueError(f"filter: {column} is text and takes only = and !=, found {sign}")
        return SIGNS[sign](known[column].astype(str).str.casefold(), value.casefold()).to_numpy()
    try:
        return SIGNS[sign](known[column].to_numpy(), float(value))
    except ValueError as error:
        raise ValueError(f"filter: {column}: expected a number, found {value!r}") from error


def _mentions(known: pd.DataFrame, words: str) -> np.ndarray:
    columns = [known[name].astype(str).str.casefold() for name in (*TEXTS, "source", "id")]
    return np.any([one.str.contains(words.casefold(), regex=False).to_numpy() for one in columns], axis=0)


def shown(known: pd.DataFrame, places: np.ndarray) -> pd.DataFrame:
    """The columns that a table shows of the rows at these places, highest score first, all of them."""
    names = ("row", "id", "source", "skill", "fault", "answer tokens", "score A", "score B", CHOSEN_BY, *TEXTS)
    part = known.iloc[places][[name for name in names if name in known]]
    order = next(name for name in ("score A", "score B", "answer tokens") if name in part)
    part = part.sort_values(order, ascending=False, kind="stable")
    return part.assign(**{CHOSEN_BY: part[CHOSEN_BY].astype(str)})


def counts_shown(n_rows: int) -> str:
    """How many of the rows a table shows, in words."""
    most = f"the {MOST_SHOWN} of highest score of {number(n_rows)} rows"
    return most if n_rows > MOST_SHOWN else counted(n_rows, "row")


def table_html(part: pd.DataFrame, caption: str = "") -> str:
    """A table of rows as HTML in which every character of theirs is text, numbers with the digits that mean something."""
    written = part.map(lambda value: "–" if value != value else figures(value) if isinstance(value, float) else value)
    return LOOK + examples_html(written, longest=2 * CHARACTERS, caption=caption)


def hover_texts(known: pd.DataFrame) -> list[str]:
    """What a point says of its row: place, source, truth where it is known, tokens, scores, beginnings."""
    columns = {name: known[name].tolist() for name in ("row", "source", "answer tokens", *TEXTS)}
    scores = {name: known[name].tolist() for name in ("score A", "score B") if name in known}
    faults = known["fault"].tolist() if "fault" in known else [""] * len(known)
    lines = []
    for place, values in enumerate(zip(*columns.values(), strict=True)):
        row, source, tokens, prompt, answer = values
        told = [f"row {row}", str(source), *([faults[place]] if faults[place] else []), f"{tokens} answer tokens"]
        told += [f"{name} {figures(one[place]) if one[place] == one[place] else '–'}" for name, one in scores.items()]
        lines.append(f"{' · '.join(told)} — {prompt} → {answer}")
    return lines
