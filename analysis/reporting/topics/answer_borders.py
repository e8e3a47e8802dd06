"""Tables about the border between prompt and answer in the released IFD: how often it moves, and what that does."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from analysis.experiments.workbench import Workbench
from analysis.features.arrays import TokenLosses
from analysis.features.released_texts import borders
from analysis.methods import ifd
from analysis.models.language_model import load_tokenizer
from analysis.statistics.ranks import rank_correlation_interval
from analysis.subsets.rows import drawn, equal_parts

AS_MEANT, ALONE, AFTER, BOTH = "scored in both", "lost alone only", "lost after the prompt only", "lost in both"
LENGTH_GROUPS = 8
RELEASED, EVEN = "as released", "same tokens in both"


def tokenizers_of(work: Workbench, names: Sequence[str]) -> dict[str, object]:
    """The base's tokenizer and those of folders or hub ids, by name."""
    return {work.base.name: work.base.tokenizer} | {name: load_tokenizer(name) for name in names}


def short(tokenizer: str) -> str:
    """The name of a tokenizer without its folder."""
    return tokenizer.rstrip("/").rpartition("/")[2]


def rates(work: Workbench, tokenizers: Mapping[str, object]) -> pd.DataFrame:
    """Share of answers whose first token is scored in both passes or lost in one or both, by tokenizer and length.

    Columns: tokenizer, answer tokens (the base's; median of a group of rows of equal number), border, share, rows.
    """
    conversations, tokens = [], []
    for part in work.parts:
        places = drawn(len(part.pool), seed=work.seed)
        conversations += part.pool.messages(places)
        tokens.append(part.features.lengths().last_answer[places])
    tokens = np.concatenate(tokens)
    some = np.flatnonzero(tokens > 0)
    conversations, tokens = [conversations[place] for place in some], pd.Series(tokens[some])
    lines = []
    for name, tokenizer in tokenizers.items():
        border = pd.Series(kinds(*borders(conversations, tokenizer)))
        for _, own in border.groupby(equal_parts(tokens, LENGTH_GROUPS)):
            lines += [
                {"tokenizer": name, "answer tokens": tokens[own.index].median(), "border": kind,
                 "share": (own == kind).mean(), "rows": len(own)}
                for kind in (AS_MEANT, ALONE, AFTER, BOTH)
            ]  # fmt: skip
    return pd.DataFrame(lines)


def kinds(kept_after: np.ndarray, kept_alone: np.ndarray) -> np.ndarray:
    """In words what happens to each answer's first token, by whether either pass scores it."""
    return np.select([kept_after & kept_alone, kept_after, kept_alone], [AS_MEANT, ALONE, AFTER], BOTH)


def ratios(given: TokenLosses, alone: TokenLosses) -> tuple[np.ndarray, np.ndarray]:
    """The released IFD of every last turn, and the same without the token that one pass scores and the other does not.

    Both of shape (n_rows,). The second is nan where the passes differ by more than one token, or nothing is left.
    """
    given, alone = (_last(one) for one in (given, alone))
    more = given["count"] - alone["count"]
    even = [
        [np.where(more == sign, one[what] - (one["first"] if what == "sum" else 1), one[what]) for what in ("sum", "count")]
        for one, sign in ((given, 1), (alone, -1))
    ]  # fmt: skip
    released = ifd.score(given["sum"], given["count"], alone["sum"], alone["count"])
    return released, np.where(np.abs(more) <= 1, ifd.score(*even[0], *even[1]), np.nan)


def _last(losses: TokenLosses) -> dict[str, np.ndarray]:
    last = np.diff(losses.row, append=losses.n_rows) > 0
    found = {"sum": losses.loss_sum, "first": losses.first_loss, "count": losses.count}
    rows = {name: np.full(losses.n_rows, np.nan) for name in found}
    for name, values in found.items():
        rows[name][losses.row[last]] = values[last]
    return rows


def rows_of(work: Workbench) -> pd.DataFrame:
    """Answer tokens (of the last turn), and the ratio as released and on the same tokens, of every row that has both.

    Rows longer than the model reads are left out, as both passes cut them at places of their own.
    """
    tables = []
    for part in work.parts:
        contexts, lengths = ifd.VARIANTS["released"][:2], part.features.lengths()
        released, even = ratios(*(part.features.token_losses(context) for context in contexts))
        table = pd.DataFrame({"answer tokens": lengths.last_answer, RELEASED: released, EVEN: even})
        tables.append(table[~lengths.truncated].dropna())
    return pd.concat(tables, ignore_index=True)


def by_length(rows: pd.DataFrame) -> pd.DataFrame:
    """Median and quartiles of both ratios by length: answer tokens (median of the group), ratio, low, middle, high, rows.

    Empty where no row has both ratios.
    """
    lines = []
    if rows.empty:
        return pd.DataFrame(lines)
    for _, own in rows.groupby(equal_parts(rows["answer tokens"], LENGTH_GROUPS)):
        for name in (RELEASED, EVEN):
            low, middle, high = own[name].quantile([0.25, 0.5, 0.75])
            lines.append({"answer tokens": own["answer tokens"].median(), "ratio": name, "low": low, "middle": middle,
                          "high": high, "rows": len(own)})  # fmt: skip
    return pd.DataFrame(lines)


def preference(rows: pd.DataFrame) -> pd.DataFrame:
    """Spearman's correlation of each ratio with answer length, nan of few rows: ratio, correlation, low, high, rows."""
    lines = []
    for name in (RELEASED, EVEN):
        found = rank_correlation_interval(rows[name], rows["answer tokens"]) if len(rows) else (np.nan,) * 3
        lines.append(
            {"ratio": name} | dict(zip(("correlation", "low", "high"), found, strict=True)) | {"rows": len(rows)}
        )
    return pd.DataFrame(lines)
