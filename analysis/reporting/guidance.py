"""What to do by the numbers of a run's pages, line by line, each with its evidence."""

from collections.abc import Iterable

import pandas as pd

from analysis.experiments.benchmarks.result import unit_of
from analysis.experiments.results import EQUAL_ROWS, EQUAL_TOKENS
from analysis.methods import RANDOM, label
from analysis.reporting.answers import (
    comparisons,
    counts,
    first_benchmark,
    main_comparisons,
    one_unit,
    variant,
    written,
)
from analysis.reporting.break_even import DOES_NOT
from analysis.reporting.follow_up_rules import against_compute, paying
from analysis.reporting.pages import Pages
from analysis.reporting.wording import listed
from analysis.statistics import BETTER, HELPS, HURTS, NO_VERDICT, WORSE
from analysis.statistics.surface import DIVERSITY, QUALITY, RAISES

EFFORTS = {DIVERSITY: "cover more skills", QUALITY: "correct more rows"}
ADVICE = ["where", "what to do", "because", "page"]


def guide(pages: Pages) -> pd.DataFrame:
    """What to do, line by line, each with its evidence: where, what to do, because, page."""
    lines = [
        *_fine_tuning(pages),
        *by_regime(pages),
        *_by_pool_size(pages),
        *_by_tokens(pages),
        *_by_band(pages),
        *_built(pages),
        *_costs(pages),
        *_quoted(pages),
    ]
    return pd.DataFrame(lines, columns=ADVICE)


def by_regime(pages: Pages) -> Iterable[tuple]:
    """A line per regime and design, the fewest rows first: the methods that are better there and nowhere worse, or a draw."""
    table = main_comparisons(pages)
    if table.empty:
        return
    table["design"] = pd.Categorical(table["design"], [EQUAL_ROWS, EQUAL_TOKENS])
    for (_, design), part in table.groupby(["rows_per_kind", "design"], observed=True):
        settings, benchmark = part["report"].nunique(), listed(list(part["benchmark"].unique()))
        where = f"a budget of about {part['regime'].iloc[0]}, {design}, by {benchmark}"
        where += f" ({settings} pools and bases)" if settings > 1 else ""
        by_method = part.groupby("method", sort=False)["verdict"].agg(set)
        taken = [name for name, said in by_method.items() if BETTER in said and WORSE not in said]
        avoided = [name for name, said in by_method.items() if WORSE in said]
        what = (
            f"take {listed(_where_better(part, taken))}"
            if taken
            else "these runs say nothing: make more before choosing a method, or draw at random"
            if (part["verdict"] == NO_VERDICT).all()
            else "draw at random: no method is known to be worth more"
        )
        what += f"; not {listed([label(name) for name in avoided])} here" if avoided else ""
        told = [told for verdict in (BETTER, WORSE) for told in _told(part[part["verdict"] == verdict])]
        why = part.loc[part["verdict"] == NO_VERDICT, "note"].dropna().unique() if "note" in part else ()
        yield (
            where,
            what,
            "; ".join([f"of {comparisons(len(part))} {counts(part['verdict'])}", *why, *told]),
            _pages_of(part),
        )


def _range(values: pd.Series) -> str:
    ends = [f"{end:.1f}" for end in (values.min(), values.max())]
    return " to ".join(dict.fromkeys(ends))


def _told(part: pd.DataFrame) -> Iterable[str]:
    """A method after the other of those with one verdict: its difference, or the range of several, and its tokens."""
    for (name, unit), lines in part.groupby(["method", "in"], sort=False):
        verdict, ratios = lines["verdict"].iloc[0], lines["tokens_ratio"]
        if len(lines) == 1:
            line = lines.iloc[0]
            yield f"{label(name)}{variant(line['report'])} {verdict}, {written(line)} {unit} with {line['tokens_ratio']:.1f} times random's tokens"
        else:
            digits = unit_of(lines["unit"].iloc[0]).digits
            ends = " to ".join(f"{end:+.{digits}f}" for end in (lines["estimate"].min(), lines["estimate"].max()))
            yield (f"{label(name)} {verdict} in {len(lines)}, {ends} {unit} with {_range(ratios)} times "
                   "random's tokens")  # fmt: skip


def _where_better(part: pd.DataFrame, methods: list[str]) -> list[str]:
    """Names of methods, with in how many settings each is better where these are not all."""
    better = part[part["verdict"] == BETTER].groupby("method").size()
    tried = part.groupby("method").size()
    return [label(name) if better[name] == tried[name] else f"{label(name)} (better in {better[name]} of {tried[name]}, else undecided or alike)"
            for name in methods]  # fmt: skip


def _pages_of(part: pd.DataFrame) -> str:
    """The pages of these lines."""
    return ", ".join(dict.fromkeys(part["report"]))


def _by_pool_size(pages: Pages) -> Iterable[tuple]:
    """What holds for a few rows of a large pool, on every page of 31 that fine-tunes on selections from pools of several sizes."""
    table = first_benchmark(pages.table("31_failure_modes_at_scale", "difference_by_pool_size"))
    budgets = {page.report: page.parameters["budget"] for page in pages.of("31_failure_modes_at_scale")}
    for report, own in table.groupby("report", sort=False) if len(table) else ():
        least, most = own["pool rows"].min(), own["pool rows"].max()
        if least == most:
            continue
        few, many = (own[own["pool rows"] == size].set_index("method") for size in (least, most))
        above, below = ([label(name) for name in many.index[side]] for side in (many["low"] > 0, many["high"] < 0))
        what = (
            f"decide on {listed(above)} by notebook 30 at this size"
            if above
            else "draw at random: no method followed is known to be worth more"
        )
        told = [
            f"{label(name)} {written(few.loc[name])} and {written(many.loc[name])}"
            for name in many.index
            if name in few.index
        ]
        yield (
            f"few rows of a large pool: {budgets[report]:,} of {most:,}{variant(report)}",
            what + (f"; not {listed(below)} here" if below else ""),
            f"above random, in {own['in'].iloc[0]}, selected from {least:,} and from {most:,} rows (95 % intervals, each by itself): {'; '.join(told)}",
            report,
        )  # fmt: skip


def _fine_tuning(pages: Pages) -> Iterable[tuple]:
    """Whether random rows help against the base at all, at the largest budget of each pool and base, by every benchmark."""
    table = pages.table("30_versus_random", "against_base")
    if table.empty:
        return
    own = table[table["method"] == RANDOM]
    own = own[own["budget"] == own.groupby("report")["budget"].transform("max")]
    verdicts = set(own["verdict"])
    what = (
        "fine-tune"
        if verdicts == {HELPS}
        else "keep the base as it is"
        if verdicts == {HURTS}
        else "try whether fine-tuning helps at all"
    )
    told = [f"{line['benchmark']}{variant(line['report'])} {written(line)} {line['in']} (above zero is better) after {line['budget']:,} random "
            f"rows: {line['verdict']}" for line in own.to_dict("records")]  # fmt: skip
    yield "the base against fine-tuning", what, "; ".join(told), _pages_of(own)


def _by_tokens(pages: Pages) -> Iterable[tuple]:
    """Whether the longest answers are worth as many tokens of a random draw, where all pools of notebook 33 agree."""
    table = first_benchmark(pages.table("33_length_effects", "pieces"))
    own = table[table["what"] == EQUAL_TOKENS] if len(table) else table
    if own.empty:
        return
    better, worse = (own["low"] > 0).all(), (own["high"] < 0).all()
    if better or worse:
        unit = one_unit(own)
        told = [f"{line['pool']}{variant(line['report'])} {written(line, not unit)}" for line in own.to_dict("records")]
        yield ("a budget counted in tokens instead of rows", f"{'take' if better else 'do not take'} the longest answers",
               f"longest minus random at equal tokens{f', in {unit}' if unit else ''}: {'; '.join(told)}", _pages_of(own))  # fmt: skip


def _by_band(pages: Pages) -> Iterable[tuple]:
    """Which lengths to draw random rows from: bands that are better than random by rows and by tokens, on every page of 33."""
    table = first_benchmark(pages.table("33_length_effects", "bands"))
    for report, own in table.groupby("report", sort=False) if len(table) else ():
        bands = [name for name in own["what"].unique() if name.startswith("band")]
        for band in bands:
            lines = own[own["what"] == band]
            if set(lines["design"]) != {EQUAL_ROWS, EQUAL_TOKENS} or not (lines["low"] > 0).all():
                continue
            first = lines.iloc[0]
            told = [f"{written(line)} at {line['design']}" for line in lines.to_dict("records")]
            yield (f"which answer lengths to draw from, at {first['budget']:,} rows",
                   f"draw at random from {band} of {len(bands)} by length, answers of about {first['answer tokens']:.0f} tokens",
                   f"minus random, in {first['in']}{variant(report)}: {'; '.join(told)} (95 % intervals, each by itself)", report)  # fmt: skip


def _built(pages: Pages) -> Iterable[tuple]:
    """What subsets that were built say is worth an owner's effort, the most first."""
    table = pages.table("32_diversity_vs_quality", "effects")
    for line in table.sort_values("estimate", ascending=False).to_dict("records") if len(table) else ():
        if line["verdict"] == RAISES and line["effect"] in EFFORTS:
            gain = f"{100 * line['estimate']:+.1f}"
            ends = f"{gain} [{100 * line['low']:+.1f}, {100 * line['high']:+.1f}] points"
            yield (f"effort before selecting, at {line['budget']:,} rows", f"{EFFORTS[line['effect']]} ({line['effect']}: {gain} points)",
                   f"{line['effect']}: {ends}, {line['verdict']} ({line['n_parts']} parts)", line["report"])  # fmt: skip


def _costs(pages: Pages) -> Iterable[tuple]:
    """Whether what selecting costs is better spent on more random rows."""
    table = first_benchmark(pages.table("35_cost_of_selection", "break_even"))
    if table.empty:
        return
    worth = paying(table)
    what = (
        f"spend it on {listed([label(name) for name in worth])}"
        if worth
        else "spend it on more random rows"
        if (table["verdict"] == DOES_NOT).all()
        else "no method is known to pay"
    )
    yield "compute that selecting would cost", what, against_compute(table), _pages_of(table)


def _quoted(pages: Pages) -> Iterable[tuple]:
    """Checks of a method or a pool, in the words of the page that made them."""
    table = main_comparisons(pages)
    worse = [] if table.empty else list(table.loc[table["verdict"] == WORSE, "method"])
    harmed = any("pre_experience=True" in method for method in worse)
    ifd = "leave IFD out: with pre-experience it is worse here" if harmed else "give it pre-experience"
    for notebook, words, where, what in (
        ("33_length_effects", "later half points to its own prompt", "long answers of a pool", "look first whether they are padded or worked"),
        ("14_selectit", "The model cannot rate", "ratings by this base", "leave SelectIT out"),
        ("13_ifd", "IFD sets aside", "IFD with this base", ifd),
        ("31_failure_modes_at_scale", "None is beyond chance", "scores of single rows", "do not read them as worth"),
    ):  # fmt: skip
        for page in pages.of(notebook):
            for sentence in dict.fromkeys(said for said in page.findings if words in said):
                yield where, what, f"“{sentence}”", page.report
