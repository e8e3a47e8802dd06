"""Tables and sentences of a comparison that is read from a published file: what was compared, tokens, limits."""

import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from analysis.experiments.benchmarks.held_out import ANSWER_LOSS
from analysis.experiments.benchmarks.result import unit_of
from analysis.experiments.published_results import Comparison
from analysis.experiments.results import Results
from analysis.models.gguf import PACKAGED, SUFFIX
from analysis.pools.source_labels import OTHER
from analysis.reporting.palette import label
from analysis.reporting.trained_rows import Regime
from analysis.reporting.versus_random import FEWEST_IN_GROUP
from analysis.reporting.wording import agreeing, counted, gained_in, listed, number, quantity, with_interval
from analysis.statistics import NO_VERDICT

LONGEST = 60  # characters of a setting that is named


def facts(compared: Comparison) -> pd.DataFrame:
    """What was compared, a line per fact; how many runs were planned is not in a file and not said."""
    lines = [line for line, _ in compared.compared]
    limit = compared.asked.get("limit")
    told = {
        "model": compared.base,
        "pool": compared.pool + (f", limited to {number(limit)} rows" if limit else ""),
        "parts": f"runs in {len(compared.parts_used)} of {compared.n_parts}",
        "rows to train on": listed([number(budget) for budget in compared.budgets]),
        "settings that differ from the defaults": _settings(compared.changed) or "none",
        "matrix products": "bfloat16" if compared.settings["settings"].get("bf16") else "float32",
        "made on": "; ".join(f"{name} ({counted(count, 'run')})" for name, count in compared.made_on.items()),
        "made": " to ".join(dict.fromkeys(_day(end(line["made"] for line in lines)) for end in (min, max))),
        "scored on": "; ".join(_scored(compared.results, name) for name in compared.results.benchmarks),
        "asked by lm-eval": "; ".join(_asked(one) for one in compared.settings.get("harness", ())) or "nothing",
        "runs": number(len(lines)), "file": compared.file.name,
    }  # fmt: skip
    return pd.DataFrame({"what": told.keys(), "of this comparison": told.values()})


def _settings(settings: dict) -> str:
    return ", ".join(f"{name} {str(value)[:LONGEST]}" for name, value in settings.items())


def _scored(results: Results, benchmark: str) -> str:
    """Items of a benchmark, how many of them have a score in every run, and their groups."""
    groups, n_scored = results.groups[benchmark], len(results.item_groups(benchmark))
    without = f" ({n_scored} with a score)" if n_scored < len(groups) else ""
    return f"{benchmark}, {counted(len(groups), 'item')}{without} of {counted(len(set(groups)), 'group')}"


def _asked(harness: dict) -> str:
    """How a task was asked, but for its data."""
    told = [f"{name} {harness[name]}" for name in ("limit", "shots", "max_new_tokens") if harness.get(name) is not None]
    how = "in the format of training" if harness.get("chat") else "as plain text"
    return ", ".join([f"{harness['task']} of version {harness['harness']}", *told, how])


def _day(seconds: float) -> str:
    return time.strftime("%Y-%m-%d", time.gmtime(seconds))


def regime_of(results: Results) -> Regime:
    """Sources of the held-out rows, a share of the pool's by content: as many of equal size as would be as diverse.

    The pool itself is not here to be clustered. Sources too small to have a held-out row are not counted.
    """
    groups = results.groups.get(ANSWER_LOSS) or results.groups[results.benchmarks[0]]
    shares = pd.Series(groups).value_counts(normalize=True)
    return Regime(float(np.exp(-(shares * np.log(shares)).sum())), "source")


def decided(compared: Comparison, table: pd.DataFrame, against_base: pd.DataFrame) -> pd.DataFrame:
    """What is read first: a line per benchmark, budget and method, the best first, random's own among them."""
    means = compared.results.runs.groupby(["benchmark", "budget", "method"])[["score", "answer_words"]].mean()
    against_random, benchmarks = table.set_index(["benchmark", "budget", "method"]), compared.results.benchmarks
    lines = []
    for line in against_base.to_dict("records"):
        key, unit = (line["benchmark"], line["budget"], line["method"]), line["unit"]
        versus = against_random.loc[key] if key in against_random.index else None
        lines.append({
            "benchmark": key[0], "rows": number(key[1]), "method": label(key[2]), "runs": line["n_runs"],
            "different rows in all": number(compared.different_rows[key[2], key[1]]),
            "tokens of random's": "" if versus is None else f"{versus['tokens_ratio']:.2f} times",
            "score": quantity(means["score"][key], unit), "words of an answer": _words(means["answer_words"][key]),
            "difference from random": "" if versus is None else with_interval(versus, unit),
            "verdict": "" if versus is None else versus["verdict"],
            "gain over the base": with_interval(line, unit), "fine-tuning": line["verdict"], "order": (benchmarks.index(key[0]), -key[1], -means["score"][key]),
        })  # fmt: skip
    without = ["order", *([] if means["answer_words"].notna().any() else ["words of an answer"])]
    return pd.DataFrame(sorted(lines, key=lambda line: line["order"])).drop(columns=without)


def _words(mean: float) -> str:
    """What the model wrote to an item; nothing where it was asked for no answer."""
    return f"{mean:.0f}" if np.isfinite(mean) else ""


def verdict_sentences(table: pd.DataFrame, regime: Regime) -> list[str]:
    """One sentence per comparison with its verdict, the interval that goes with it, and n; what has none says why."""
    ranked = table.sort_values(["budget", "estimate"], ascending=False)
    return [_sentence(line, regime) for name in table["benchmark"].unique()
            for line in ranked[ranked["benchmark"] == name].to_dict("records")]  # fmt: skip


def _sentence(line: dict, regime: Regime) -> str:
    unit, why = line["unit"], f" ({line['note']})" if line["verdict"] == NO_VERDICT else ""
    return (
        f"{label(line['method'])}, {number(line['budget'])} rows ({regime.words(line['budget'])}), on {line['benchmark']}: "
        f"{line['verdict']}{why}; minus random {with_interval(line, unit)} {gained_in(unit)} ({counted(line['n_runs'], 'run')}, "
        f"{line['n_random']} random, {line['n_items']} items, {line['tokens_ratio']:.2f} times random's tokens)."
    )


def group_findings(by_group: pd.DataFrame, benchmark: str) -> list[str]:
    """In how many groups of enough items each method lies above random, and what the group that moves means most does.

    All are means without a verdict.
    """
    named_groups = by_group[by_group["group"] != OTHER]
    large, unit = named_groups[named_groups["items"] >= FEWEST_IN_GROUP], by_group["unit"].iloc[0]
    if large["group"].nunique() < 2:
        return []
    above = (large["difference"] > 0).groupby(large["name"], sort=False).sum().sort_values(ascending=False)
    named = listed([f"{name} {count}" for name, count in above.items()])
    groups = f"the {large['group'].nunique()} largest groups, of at least {FEWEST_IN_GROUP} items"
    moved = without_one(by_group)
    said = [
        f"Mean scores on {benchmark} lie above random's in so many of {groups}: {named}. No group has a verdict of its own."
    ]
    if not moved["all"].any():
        return said
    each = [f"{name} {_plain(line['all'], unit)} to {_plain(line['without'], unit)}" for name, line in moved.iterrows()]
    return [
        *said,
        f"The group that moves the means most is {moved['group'].iloc[0]} ({moved['items'].iloc[0]} of {moved['of'].iloc[0]} items); without it "
        f"they would go from {listed(each)} {gained_in(unit)}, a look after the fact that changes no verdict.",
    ]


def without_one(by_group: pd.DataFrame) -> pd.DataFrame:
    """By method, its difference on all items and without the group that moves the methods' differences most; also group,
    items, of (all items)."""
    weighted = by_group.assign(part=by_group["difference"] * by_group["items"])
    group = weighted[weighted["group"] != OTHER].groupby("group")["part"].agg(lambda part: part.abs().mean()).idxmax()
    wide = weighted.pivot(index="name", columns="group", values="part")
    sizes = by_group.drop_duplicates("group").set_index("group")["items"]
    n, own = int(sizes.sum()), int(sizes[group])
    total = wide.sum(axis=1)
    found = {"all": total / n, "without": (total - wide[group]) / (n - own), "group": group, "items": own, "of": n}
    return pd.DataFrame(found).sort_values("all", ascending=False)


def _plain(difference: float, unit: str) -> str:
    """A difference that is in the scale of its unit already."""
    return f"{difference:+.{unit_of(unit).digits}f}"


def file_findings(compared: Comparison, others: Sequence[Comparison]) -> list[str]:
    """What was left out of the file, and whether the runs were made on several devices or versions."""
    said = []
    if others:
        named = "; ".join(
            f"{one.base} on {one.pool}, {counted(len(one.lines), 'run')} ({_apart(one, compared)})" for one in others
        )
        said.append(
            f"{compared.file.name} also holds {counted(len(others), 'comparison')} with other settings or pools, not mixed with this one: {named}."
        )
    if compared.replaced:
        said.append(
            f"{counted(compared.replaced, 'run was', 'runs were')} made again later on another selection or code, and only the latest counts."
        )
    if left := sorted({line["budget"] for line in compared.lines} - {0, *compared.budgets}):
        said.append(
            f"Runs of {listed([number(one) for one in left])} rows are left out: there are too few random draws, or no method."
        )
    if len(compared.made_on) > 1:
        named = listed([f"{name} ({counted(count, 'run')})" for name, count in compared.made_on.items()])
        said.append(
            f"The runs were made on several devices or versions, {named}: the same run differs between them by rounding, which training "
            "makes larger, and a method made mostly on one of them is compared with that too."
        )
    return said


def _apart(one: Comparison, other: Comparison) -> str:
    theirs, ours = one.described, other.described
    return (
        _settings({name: value for name, value in theirs.items() if name not in ours or value != ours[name]})
        or "as here"
    )


def limits(compared: Comparison) -> list[str]:
    """What the comparison did not vary, and what its benchmark and its weights favour."""
    budgets, benchmarks = compared.budgets, compared.results.benchmarks
    said = [
        f"Nothing here goes beyond one model ({compared.base}), one pool ({compared.pool}), {listed([number(one) for one in budgets])} rows "
        f"and {agreeing(len(benchmarks), 'one benchmark', 'these benchmarks')} ({listed(benchmarks)})."
    ]
    if ANSWER_LOSS in benchmarks:
        said.append(
            "Held-out answer loss is that of rows of the same pool: it favours selections that look like the pool, as random draws do, "
            "and does not say whether an answer that the model writes is good."
        )
    known = PACKAGED.get(compared.base)
    weights = known.file if known else Path(compared.base).name
    if weights.lower().endswith(SUFFIX):
        said.append(f"The weights were dequantised from {weights}: what rounding them took away does not come back.")
    if "instruct" in weights.lower():
        said.append(
            f"{weights} was tuned to follow instructions before, so what is measured is a second fine-tuning, not a first."
        )
    return said
