"""Tables about what an instruction does for its answer: both losses of every row, and their ratio by length and fault."""

import numpy as np
import pandas as pd

from analysis.methods import Selection, ifd, parse
from analysis.reporting import style
from analysis.reporting.wording import listed, number, of_each, share
from analysis.subsets.overlap import rank_correlation
from analysis.subsets.rows import equal_parts, properties

SELECTED, ASIDE, REST = "selected", "set aside", "neither"
ROLES = {REST: style.LIGHT_GREY, ASIDE: style.PALETTE[5], SELECTED: style.colour("ifd")}
LENGTH_GROUPS = 12
SMALL_GROUP = 5
MANY_ASIDE = 1 / 3


def passes(features, selection: Selection, variant: str = "original") -> pd.DataFrame:
    """Per row the mean loss of the answers after their instruction and alone (nats per token), ratio and role.

    The ratio is the method's own, which for rows of several turns is not that of the two means.
    """
    given, alone, turns, one_is_allowed = ifd.VARIANTS[variant]
    given, alone = features.token_losses(given), features.token_losses(alone)
    ratio = ifd.per_row(given, alone, turns or "mean", ifd.score)
    role = np.full(features.n_rows, REST, dtype=object)
    role[ratio > 1 if one_is_allowed else ratio >= 1] = ASIDE
    role[selection.rows] = SELECTED
    rows = pd.DataFrame({
        "row": np.arange(features.n_rows), "after the instruction": given.mean(turns or "all"),
        "alone": alone.mean(turns or "all"), "ratio": ratio, "role": role,
    }).dropna()  # fmt: skip
    return rows.sort_values("role", key=lambda values: values.map(list(ROLES).index), kind="stable")


def ratio_by_length(features, selections: dict[str, Selection]) -> pd.DataFrame:
    """Median ratio of rows of equal number by length of the answers, rows set aside included; one line per variant.

    Columns: method, answer tokens (median of the group), ratio, low and high (quartiles), rows.
    """
    answer, lines = features.lengths().answer, []
    for name, chosen in selections.items():
        rows = passes(features, chosen, _variant(name))
        rows["tokens"] = answer[rows["row"]]
        for _, part in rows.groupby(equal_parts(rows["tokens"], LENGTH_GROUPS)):
            low, middle, high = part["ratio"].quantile([0.25, 0.5, 0.75])
            lines.append({"method": style.label(name), "answer tokens": part["tokens"].median(), "ratio": middle,
                          "low": low, "high": high, "rows": len(part)})  # fmt: skip
    return pd.DataFrame(lines)


def set_aside(features, known: pd.DataFrame, selections: dict[str, Selection]) -> pd.DataFrame:
    """Share of rows set aside and share selected, by kind of fault in the testbed, else by group of sources.

    Columns: group, method, role, share of the group, rows (of the group that have a ratio).
    """
    groups = next(iter(properties(known, ("fault", "source")).values()))
    lines = []
    for name, chosen in selections.items():
        rows = passes(features, chosen, _variant(name))
        for group, part in rows.groupby(groups.to_numpy()[rows["row"]]):
            lines += [
                {"group": group, "method": style.label(name), "role": role,
                 "share of the group": (part["role"] == role).mean(), "rows": len(part)}
                for role in (ASIDE, SELECTED)
            ]  # fmt: skip
    return pd.DataFrame(lines)


def findings(features, known: pd.DataFrame, selections: dict[str, Selection]) -> list[str]:
    """How each variant's ratio goes with length, which pass decides its ranks, and what it sets aside."""
    said = []
    for name, chosen in selections.items():
        rows = passes(features, chosen, _variant(name))
        rank = {what: rank_correlation(rows["ratio"], values)
                for what, values in (("answer length", known["answer tokens"].iloc[rows["row"]]), ("loss alone", rows["alone"]),
                                     ("loss after the instruction", rows["after the instruction"]))}  # fmt: skip
        said.append(
            f"{style.label(name)}: rank correlation of the ratio with "
            + listed([f"{what} {value:+.2f}" for what, value in rank.items()])
            + f"; {share((rows['role'] == ASIDE).mean())} of the rows are set aside."
        )
        groups = set_aside(features, known, {name: chosen}).query("role == @ASIDE and rows >= @SMALL_GROUP")
        most = groups.sort_values("share of the group").iloc[-1]
        said.append(
            f"Set aside most often: {most['group']}, {share(most['share of the group'])} of {most['rows']} rows."
        )
    return said


def not_helped(selections: dict[str, Selection]) -> str:
    """Share of the pool whose instruction does not help, by every method that sets such rows aside."""
    shares = {style.label(name): chosen.excluded[ifd.NO_HELP] / len(chosen.scores)
              for name, chosen in selections.items() if ifd.NO_HELP in chosen.excluded}  # fmt: skip
    return f"Rows whose instruction does not help: {of_each(shares)}." if shares else "Every instruction helps."


def unfollowed(selections: dict[str, Selection]) -> list[str]:
    """A warning for every IFD without pre-experience that sets aside more than a third of the rows."""
    said = []
    for method, chosen in selections.items():
        name, options = parse(method)
        aside = chosen.excluded.get(ifd.NO_HELP, 0) / len(chosen.scores) if name == "ifd" else 0
        if aside > MANY_ASIDE and not options.get("pre_experience"):
            said.append(
                f"{style.label(method)} sets aside {share(aside)} of the rows, more than a third: the base hardly follows "
                "instructions, so that the ratio tells little about the rows. The authors first fine-tune such a base on a "
                "few rows (pre_experience=True)."
            )
    return said


def cut_prompts(features) -> str:
    """How many rows IFD scores after a prompt that was cut to fit."""
    cut = int(features.token_losses().rows_with_cut_prompts().sum())
    return (
        f"{number(cut)} of {number(features.n_rows)} rows are scored after a prompt whose beginning was cut to fit "
        f"{number(features.max_tokens)} tokens."
    )


def ties(selections: dict[str, Selection]) -> str:
    """Share of the rows that can be selected whose score another row has too, by method."""
    scores = {style.label(name): pd.Series(chosen.scores).dropna() for name, chosen in selections.items()}
    tied = {name: values.duplicated(keep=False).mean() for name, values in scores.items()}
    return f"Rows that share their score with another one: {of_each(tied)}."


def _variant(method: str) -> str:
    return parse(method)[1].get("variant", "original")
