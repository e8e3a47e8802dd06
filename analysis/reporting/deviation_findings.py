"""Sentences about released scripts: which deviations change the rows, how, what they earn, and what the border does."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from analysis.methods import label
from analysis.methods.calls import parse_call
from analysis.methods.deviations import Pair
from analysis.reporting.topics.answer_borders import ALONE, AS_MEANT, BOTH, EVEN, RELEASED, short
from analysis.reporting.topics.released_vs_original import ASIDE, CHANGES, FAULTY, FORMS, KEEPS, OPEN, TOKENS
from analysis.reporting.trained_rows import Regime
from analysis.reporting.wording import gained_in, listed, number, quantity, share

ALIKE = 0.02  # of the pool, by which shares set aside differ before that is said
NO_TRUTH = "Which rows are faulty is not known of this pool: the shares of faulty rows are left out."
NOT_TRAINED = "Nothing was fine-tuned for this page (n_draws is 0): what the changed rows earn is not compared."


def headline(table: pd.DataFrame, regime: Regime, budget: int) -> str:
    """How many deviations change the rows, and which, by the rule."""
    said = []
    words_of = {CHANGES: ("changes", "change"), KEEPS: ("does not", "do not"), OPEN: ("is undecided", "are undecided")}
    for found, words in words_of.items():
        names = list(table.loc[table["found"] == found, "deviation"])
        if names:
            said.append(f"{len(names)} {words[len(names) > 1]} ({'; '.join(names)})")
    return (
        f"Which deviations of released scripts change the rows that are chosen? Of {len(table)}, at {budget:,} rows from each of {table['parts'].min()} parts "
        f"({regime.words(budget)}), {listed(said)}."
    )


def plain_names(forms: Sequence[Pair]) -> list[str]:
    """Which methods' names without options stand for the released form."""
    released = dict.fromkeys(label(form.released) for form in forms if not parse_call(form.released)[1])
    return (
        [f"Without options, as on other pages, the released form is meant by {listed(list(released))}."]
        if released
        else []
    )


def overlaps(table: pd.DataFrame) -> list[str]:
    """A sentence per deviation: rows in common with interval, chance, another seed, correlation of the scores."""
    said = []
    for line in table.to_dict("records"):
        text = (
            f"{line['deviation']}: the released script shares {share(line['overlap'])} of its rows with the original "
            f"[{share(line['low'])}, {share(line['high'])}] ({line['parts']} parts; {share(line['expected'])} by chance"
        )
        if np.isfinite(line["again"]) and line["again"] < 1:
            text += f", {share(line['again'])} where only the original's seed is another"
        text += ")"
        if np.isfinite(line["spearman"]):
            text += f"; Spearman's correlation of the scores is {line['spearman']:+.2f}"
        said.append(f"{text}.")
    return said


def rows_taken(table: pd.DataFrame, random: pd.DataFrame) -> list[str]:
    """Length, faults and rows set aside of both forms; random draws beside them."""
    lines = table.to_dict("records")
    lengths = [_both(line, TOKENS, "{:.2f}".format) for line in lines]
    said = [
        f"Median answer tokens of what is taken, times the pool's (original → released): {listed(lengths)}; random draws "
        f"{random[TOKENS].min():.2f} to {random[TOKENS].max():.2f}."
    ]
    if random[FAULTY].notna().all():
        faults = [_both(line, FAULTY, share) for line in lines]
        said.append(
            f"Share of faulty rows (original → released): {listed(faults)}; random draws {share(random[FAULTY].min())} to "
            f"{share(random[FAULTY].max())}."
        )
    else:
        said.append(NO_TRUTH)
    moved = [line for line in lines if abs(np.subtract(*(line[f"{ASIDE}, {form}"] for form in FORMS))) >= ALIKE]
    if moved:
        aside = listed([_both(line, ASIDE, share) for line in moved])
        said.append(f"Rows that cannot be selected (original → released): {aside}; elsewhere they differ by less than {share(ALIKE)}.")  # fmt: skip
    return said


def _both(line: dict, what: str, write) -> str:
    original, released = (write(line[f"{what}, {form}"]) for form in FORMS)
    return f"{original} → {released} ({line['deviation']})"


def results(table: pd.DataFrame) -> list[str]:
    """What either form earns, a sentence per deviation and benchmark; how many intervals leave out zero."""
    if table.empty:
        return [NOT_TRAINED]
    said = []
    for benchmark, part in table.groupby("benchmark", sort=False):
        apart = part[(part["low"] > 0) | (part["high"] < 0)]
        names = f" ({'; '.join(apart['deviation'])})" if len(apart) else ""
        said.append(
            f"On {benchmark} the interval of released less original leaves out zero for {len(apart)} of {len(part)} "
            f"deviations{names}, corrected by Holm."
        )
        for line in part.to_dict("records"):
            low, high, middle, original, released = (
                quantity(line[name], line["unit"], True) if np.isfinite(line[name]) else "unknown"
                for name in ("low", "high", "estimate", "original", "released")
            )
            said.append(
                f"{line['deviation']}, {benchmark}: released less original {middle} [{low}, {high}] {gained_in(line['unit'])} "
                f"({line['parts']} parts, {line['n_items']} items); against random {original} and, released, {released}."
            )
    return said


def border_rates(rates: pd.DataFrame) -> list[str]:
    """By tokenizer, how often the released IFD loses an answer's first token; more often of short or of long answers."""
    said = []
    for name, own in rates.groupby("tokenizer", sort=False):
        by_kind = own.groupby("border").apply(lambda one: np.average(one["share"], weights=one["rows"]), include_groups=False)  # fmt: skip
        sides = own[own["border"] == ALONE].sort_values("answer tokens")
        n_rows = own.loc[own["border"] == ALONE, "rows"].sum()
        said.append(
            f"With the tokenizer of {short(name)}, of {number(n_rows)} answers the released IFD loses the first token of the answer "
            f"alone only in {share(by_kind[ALONE])} ({share(sides['share'].iloc[0])} of the shortest eighth, "
            f"{share(sides['share'].iloc[-1])} of the longest), in both passes in {share(by_kind[BOTH])}, and scores it in "
            f"both in {share(by_kind[AS_MEANT])}."
        )
    return said


def border_effect(preference: pd.DataFrame) -> list[str]:
    """Whether the border turns the preference for length, by the rule."""
    if preference["correlation"].isna().any():
        return ["How the border moves the ratio cannot be told: too few rows have one, or all are alike."]
    lines = preference.set_index("ratio")
    released, even = lines.loc[RELEASED], lines.loc[EVEN]
    if released["high"] < 0 < even["low"]:
        what = "turns the preference for long answers into one for short ones"
    elif _sign(released) == _sign(even) != 0:
        what = "does not turn the preference for length"
    else:
        what = "is undecided as to whether it turns the preference for length"
    written = [f"{line['correlation']:+.2f} [{line['low']:+.2f}, {line['high']:+.2f}]" for line in (released, even)]
    return [
        f"By this page's rule the border {what}: over {number(released['rows'])} rows Spearman's correlation of the script's ratio "
        f"with answer length is {written[0]} as released and {written[1]} on the same tokens in both passes."
    ]


def _sign(line: pd.Series) -> int:
    return int(line["low"] > 0) - int(line["high"] < 0)
