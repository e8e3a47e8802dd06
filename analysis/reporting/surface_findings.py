"""Sentences about a fitted surface of quality and diversity, what it foretells, and about proxies of both."""

import numpy as np
import pandas as pd

from analysis.pools import Pool
from analysis.reporting.palette import label
from analysis.reporting.trained_rows import Regime
from analysis.reporting.wording import (
    agreeing,
    figures,
    gained_in,
    listed,
    number,
    quantity,
    repaired,
    share,
    unit_name,
    with_interval,
)
from analysis.statistics import FEWEST_RUNS
from analysis.statistics.surface import Surface, exchange_rate


def nothing_built(pool: Pool) -> str:
    """Why there are no built subsets on this page."""
    if pool.has_truth:
        return "Nothing was fine-tuned for this page (n_draws is 0): no subsets were built and no surface was fitted."
    return (
        "The truth of these rows is not known: no subsets of set quality and diversity were built, and no surface was "
        "fitted; what follows are measures that need no truth."
    )


def headline(effects: pd.DataFrame, regime: Regime, benchmark: str, unit: str) -> list[str]:
    """A sentence per budget: both main effects and the interaction, with intervals, verdicts and n."""
    said = []
    for budget, lines in effects.groupby("budget", sort=False):
        told = [f"{line['effect']} {with_interval(line, unit)}: {line['verdict']}"
                for line in lines.to_dict("records")]  # fmt: skip
        first = lines.iloc[0]
        said.append(
            f"On {benchmark}, {budget:,} rows ({regime.words(budget)} where all are covered), in {unit_name(unit)}: "
            f"{'; '.join(told)} ({first['n_runs']} runs on built subsets of {first['n_parts']} parts)."
        )
    return said


def exchange_findings(surfaces: dict[int, Surface]) -> list[str]:
    """What one doubling of the skills covered is worth in points of correctness, per budget."""
    said = []
    for budget, surface in surfaces.items():
        rate, low, high = exchange_rate(surface)
        at = f"in the middle of the design ({surface.centre[0]:.0%} correct, {2 ** surface.centre[1]:.1f} skills)"
        n = len(surface.coefficients)
        said.append(
            f"With {budget:,} rows the exchange rate is not defined: the 95 % interval of what correctness is worth "
            f"{'holds zero' if n > 1 else 'takes two parts'} ({n} parts)."
            if np.isnan(rate)
            else f"With {budget:,} rows one doubling of the skills covered is worth {100 * rate:.0f} points of correctness "
            f"(95 % interval {100 * low:.0f} to {100 * high:.0f}, {n} parts), {at}."
        )
    return said


def design_findings(built: pd.DataFrame, missing: pd.DataFrame) -> list[str]:
    """How many settings could be built, what the first that could not lacked, and how alike their tokens are."""
    said = []
    if len(missing):
        first = missing.iloc[0]
        said.append(
            f"{len(missing)} of {len(missing) + built.groupby(['budget', 'method']).ngroups} settings cannot be built and are left out, e.g. {first['method']} at "
            f"{first['budget']:,} rows: {first['why']}; built_from asks for more rows."
        )
    if len(built):
        tokens = built.groupby(["budget", "method"])["tokens_trained"].mean()
        ratio = (tokens.groupby("budget").max() / tokens.groupby("budget").min()).max()
        said.append(
            f"All built subsets of one budget have as many rows; styles are equal, skills differ in length: mean tokens of settings differ by at most {ratio - 1:.0%}."
        )
    return said


def prediction_findings(table: pd.DataFrame, r_squared: float, unit: str) -> list[str]:
    """How well quality and diversity foretell what methods reach, and which methods do better or worse than that."""
    missed = table["estimate"].abs().mean()
    fit = "R² takes three methods" if np.isnan(r_squared) else f"R² = {r_squared:.2f}"
    said = [
        f"What share correct and skills foretell, against what {len(table)} kinds of selection (random draws one of them) "
        f"reach: {fit}; mean miss {quantity(missed, unit)} {unit_name(unit)}; {number((~table['inside']).sum())} of them {agreeing((~table['inside']).sum(), 'lies', 'lie')} "
        f"outside of the settings that were built."
    ]
    told = [line for line in table.to_dict("records") if line["p_holm"] < 0.05 and line["n_runs"] >= FEWEST_RUNS]
    apart = [f"{label(line['method'])} {with_interval(line, unit)}" for line in told]
    rest = "" if len(told) == len(table) else " The others are not told apart from what is foretold."
    said.append(
        f"Observed minus foretold ({unit_name(unit)}): {listed(apart)}.{rest}"
        if apart
        else "No kind of selection is told apart from what its share correct and its skills foretell: undecided."
    )
    return said


def quota_findings(table: pd.DataFrame, benchmark: str, budget: int) -> list[str]:
    """What quotas change, paired by part."""
    if table.empty:
        return ["No method of this page's list stands there both with and without k-means quotas."]
    said = []
    for line in table.to_dict("records"):
        few = line["n_parts"] < FEWEST_RUNS
        verdict = "no verdict" if few else repaired(line["low"], line["high"])
        said.append(
            f"{label(line['method'])} against {label(line['against'])} on {benchmark}, {budget:,} rows, paired by part: "
            f"{with_interval(line, line['unit'])} {gained_in(line['unit'])} ({line['n_parts']} parts), {verdict}."
        )
    return said


def proxy_findings(table: pd.DataFrame, names: tuple[str, ...], n_draws: int, fewest: int) -> list[str]:
    """Whether a measure ranks random draws as their held-out loss does."""
    if n_draws < fewest:
        return [f"Whether a measure foretells the held-out loss takes {fewest} random draws; there are {n_draws}: no verdict."]  # fmt: skip
    said = []
    for line in table.to_dict("records"):
        foretells = "undecided" if line["p_holm"] >= 0.05 else "foretells it" if line["low"] > 0 else "foretells the opposite"  # fmt: skip
        said.append(f"{line['measure']} {line['estimate']:+.2f} [{line['low']:+.2f}, {line['high']:+.2f}], {foretells}")
    same = [name for name in names if name not in set(table["measure"])]
    constant = f" The same for all draws: {listed(same)}." if same else ""
    if not said:
        return [f"No measure differs between the {n_draws} random draws."]
    return [
        f"Rank correlation of each measure with the held-out score (higher is a lower loss) over {n_draws} random draws, "
        f"within parts: {'; '.join(said)}.{constant}"
    ]


def level_finding(proxies: pd.DataFrame, names: tuple[str, ...]) -> list[str]:
    """Every measure of every kind of selection, mean over its runs."""
    means = proxies.groupby("method", sort=False)[list(names)].mean()
    return [
        f"{name}: {listed([f'{label(method)} {_short(name, value)}' for method, value in means[name].items()])}."
        for name in names
    ]


def _short(name: str, value: float) -> str:
    return share(value) if name.endswith("share") else figures(value)
