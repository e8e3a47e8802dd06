"""Sentences about a ladder of bases, by rules that the notebook states beforehand."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from analysis.methods import RANDOM
from analysis.reporting.palette import label
from analysis.reporting.trained_rows import Regime
from analysis.reporting.wording import as_read, gained_in, listed, quantity, with_interval
from analysis.statistics import BETTER, HELPS, HURTS, NO_VERDICT, UNDECIDED, WORSE
from analysis.statistics.slopes import FALLS, GROWS

SLOPES = {FALLS: "falls as the base gets stronger", GROWS: "grows as the base gets stronger", UNDECIDED: "is undecided",
          NO_VERDICT: "has no verdict from fewer than three parts"}  # fmt: skip


def headline(slopes: pd.DataFrame, values: pd.DataFrame, budget: int, regime: Regime) -> list[str]:
    """A sentence per benchmark: the slope of every method's value over competence, with its interval."""
    rungs = values.drop_duplicates("rung").sort_values("competence")
    ladder = f"{len(rungs)} bases ({' to '.join(rungs['rung'].iloc[[0, -1]])}, own loss on plain text {_loss(rungs, 0)} to {_loss(rungs, -1)} nats)"
    said = []
    for benchmark, lines in slopes.groupby("benchmark", sort=False):
        each = [
            f"{label(line['method'])} {SLOPES[line['verdict']]}: {_slope(line)}" for line in lines.to_dict("records")
        ]
        said.append(
            f"At {budget:,} rows ({regime.words(budget)}), over {ladder}, the value of a method on {benchmark}, in "
            f"{gained_in(lines['unit'].iloc[0])} per nat that the base's own loss on plain text is lower: {'; '.join(each)}."
        )
    return said


def _loss(rungs: pd.DataFrame, place: int) -> str:
    return f"{-rungs['competence'].iloc[place]:.2f}"


def _slope(line: dict) -> str:
    if not np.isfinite([line["estimate"], line["low"], line["high"]]).all():
        return f"no interval from {line['n_parts']} part{'' if line['n_parts'] == 1 else 's'}"
    return f"{with_interval(line, line['unit'])} ({line['n_parts']} parts, {line['n_places']} bases)"


def order(strength: Mapping[str, float], given: Sequence[str]) -> list[str]:
    """Where plain text does not rank the bases as they were given, weak to strong: a slope is then over text like this only."""
    if list(strength) == list(given):
        return []
    return [
        f"By their loss on this plain text the bases stand in another order, weak to strong, than they were given in: {listed(list(strength))}. "
        "A slope then says how well a base knows text like this, not how far its pre-training went."
    ]


def worth(values: pd.DataFrame) -> list[str]:
    """Per benchmark and method: the value at every rung, and where it is decided."""
    said = []
    for (benchmark, method), lines in values.groupby(["benchmark", "method"], sort=False):
        each = [f"{line['rung']} {_value(line)}" for line in lines.sort_values("competence").to_dict("records")]
        decided = {verdict: list(lines.loc[lines["verdict"] == verdict, "rung"]) for verdict in (BETTER, WORSE)}
        told = [f"{verdict} than random with {listed(rungs)}" for verdict, rungs in decided.items() if rungs]
        said.append(
            f"{label(method)} on {benchmark}, difference from random in {gained_in(lines['unit'].iloc[0])}: {listed(each)}; "
            f"{', '.join(told) or 'better or worse with none of them'}."
        )
    return said


def _value(line: dict) -> str:
    at_random = f"random at {quantity(as_read(line['random_score'], line['unit']), line['unit'])}"
    if not np.isfinite([line["low"], line["high"]]).all():
        return f"{quantity(line['estimate'], line['unit'], True)} ({at_random}, no interval)"
    return f"{with_interval(line, line['unit'])} ({line['n_runs']} / {line['n_random']} runs, {at_random})"


def floor(values: pd.DataFrame) -> list[str]:
    """The rungs at which random selection itself is not more than δ above the base, so that little can be lost or won."""
    said = []
    for benchmark, lines in values.groupby("benchmark", sort=False):
        at_floor = lines[lines["random_score"] - lines["base_score"] <= lines["delta"]]
        if len(at_floor):
            said.append(
                f"On {benchmark} random selection is not more than δ above the base with {listed(list(at_floor['rung'].unique()))}: "
                "a small difference there says that nothing was learned, not that methods are alike, and a slope begins at a floor."
            )
    return said


def fine_tuning(gains: pd.DataFrame) -> list[str]:
    """Per benchmark and what was trained on: with which bases fine-tuning helps, hurts, or is undecided."""
    said = []
    for (benchmark, method), lines in gains.groupby(["benchmark", "method"], sort=False):
        lines = lines.sort_values("competence")
        by_verdict = {
            verdict: list(lines.loc[lines["verdict"] == verdict, "rung"])
            for verdict in (HELPS, HURTS, UNDECIDED, NO_VERDICT)
        }
        told = "; ".join(f"{verdict}: {listed(rungs)}" for verdict, rungs in by_verdict.items() if rungs)
        each = (
            ""
            if method != RANDOM
            else f" Gain of {label(method)}: {listed([_gain(line) for line in lines.to_dict('records')])} {gained_in(lines['unit'].iloc[0])}."
        )
        said.append(
            f"Against the base as it is, on {benchmark}, fine-tuning on {label(method)}: {told}{_stops(lines)}.{each}"
        )
    return said


def _gain(line: dict) -> str:
    if not np.isfinite([line["low"], line["high"]]).all():
        return f"{quantity(line['estimate'], line['unit'], True)} with {line['rung']}"
    return f"{with_interval(line, line['unit'])} with {line['rung']} ({line['n_runs']} runs)"


def _stops(lines: pd.DataFrame) -> str:
    """Where, from the weakest base up, the verdicts stop being `helps`; nothing is said where they never were."""
    verdicts, rungs = list(lines["verdict"]), list(lines["rung"])
    if HELPS not in verdicts:
        return "; it is not found to help with any"
    last = len(verdicts) - 1 - verdicts[::-1].index(HELPS)
    if last == len(verdicts) - 1:
        return "; no base tried is too strong for it"
    return f"; beyond {rungs[last]} it is not found to help"
