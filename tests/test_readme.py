"""What README.md shows as Python runs as it stands there."""

import re
import textwrap

import numpy as np
import pandas as pd
import pytest

from analysis.experiments.benchmarks import testbed
from analysis.experiments.workbench import prepare
from analysis.methods.catalogue import Method
from analysis.paths import ROOT
from analysis.pools.testbed import evaluation_items
from analysis.store.store import Store

BLOCKS = re.findall(r"^ *```python\n(.*?)^ *```", (ROOT / "README.md").read_text(encoding="utf-8"), re.S | re.M)
CELL, METHOD, OF_TEXTS, ENTRIES = [textwrap.dedent(block) for block in BLOCKS]
KMEANS_OF_LENGTHS = 'kmeans(inside="token_length", embedding="tfidf")'


@pytest.mark.slow
def test_the_cell_selects_compares_and_exports(tmp_path, monkeypatch):
    """With fewer rows and items, which change no call."""
    smaller = {"limit=1500": "limit=60", "budget=160": "budget=6", ", 160": ", 6", "n_draws=6": "n_draws=3"}
    code = CELL
    for one, other in smaller.items():
        assert one in code
        code = code.replace(one, other)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("analysis.experiments.workbench.Store", lambda: Store(tmp_path / "store"))
    monkeypatch.setattr("analysis.models.training.finetuning.FineTuning.epochs_for", lambda *_: 1)
    monkeypatch.setattr(testbed, "evaluation_items", lambda *_: evaluation_items()[:20])
    known = {}
    exec(code, known)
    assert len(known["chosen"].rows) == 6 and known["losses"] is not None
    assert set(known["results"].table["method"]) == {"base", "random_selection", "token_length", "kmeans"}
    assert len((tmp_path / "subset.jsonl").read_text().splitlines()) == 6


def test_the_method_selects_by_what_its_entry_names(tmp_path):
    known = {}
    exec(METHOD, known)
    entries = eval("{" + ENTRIES + "}", {"Method": Method})
    assert {name: entry.needs for name, entry in entries.items()} == {"short_question": ("lengths",), "new_words": ()}
    work = prepare("curated", limit=60, store=Store(tmp_path))
    chosen = known["select"](work.features, 5, seed=0)
    lengths = work.features.lengths()
    ratio = lengths.answer / (lengths.total - lengths.answer)
    assert sorted(ratio[chosen.rows]) == sorted(sorted(ratio)[-5:])


def test_the_method_of_texts_reads_every_row_whatever_it_takes_at_once(tmp_path):
    known = {}
    exec(OF_TEXTS, known)
    features = prepare("curated", limit=60, store=Store(tmp_path)).features
    chosen, piecewise = (known["select"](features, 5, seed=0, at_once=size) for size in (2000, 7))
    assert chosen.rows.tolist() == piecewise.rows.tolist() and np.array_equal(chosen.scores, piecewise.scores)
    words = [turns[-1]["content"].lower().split() for turns in features.messages(0, features.n_rows)]
    assert chosen.scores.tolist() == [len(set(one)) / len(one) for one in words]


def verdicts(page: str, benchmark: str) -> dict[str, int]:
    table = pd.read_csv(ROOT / "figures" / page / "versus_random.csv")
    return table[table["benchmark"] == benchmark]["verdict"].value_counts().to_dict()


def test_the_numbers_of_its_first_page_are_those_of_the_committed_tables():
    text = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
    accuracy = verdicts("30_versus_random.curated.weak", "testbed accuracy")
    loss = verdicts("30_versus_random.curated.weak", "held-out answer loss")
    assert f"Of these {sum(accuracy.values())} comparisons {accuracy['better']} are *better*" in text
    assert f"{accuracy['worse']} *worse* and {accuracy['undecided']} *undecided*" in text
    assert f"{loss['worse']} of the {sum(loss.values())} are *worse* and none *better*" in text and "better" not in loss
    better = pd.read_csv(ROOT / "figures/30_versus_random.curated.weak/versus_random.csv").query("verdict == 'better'")
    ratios = sorted(better["tokens_ratio"])
    assert f"three of them with {ratios[1]:.1f} to {ratios[3]:.1f} times random's tokens" in text
    assert f"The fourth is DiverseEvol, with {ratios[0]:.1f} times random's tokens" in text
    cells = pd.read_csv(ROOT / "figures/30_versus_random.curated.weak/versus_random.csv").query(
        "benchmark == 'testbed accuracy'"
    )
    assert (
        f"a true difference of {cells['detectable'].median():.0f} points would be called in about four of five" in text
    )
    (fewest,) = better.loc[better["tokens_ratio"] < 1, "method"]
    wild = pd.read_csv(ROOT / "figures/30_versus_random.wild.weak/versus_random.csv").query(
        "benchmark == 'testbed accuracy'"
    )
    counts = wild["verdict"].value_counts()
    assert (
        f"({len(wild)} comparisons: {counts['better']} *better*, {counts['worse']} *worse*, {counts['undecided']} *undecided*)"
        in text
    )
    spread = wild[(wild["method"] == fewest) & (wild["verdict"] == "better")]
    assert (
        fewest == "diverse_evol" and spread["budget"].nunique() == 2 and spread["tokens_ratio"].round(1).eq(0.5).all()
    )
    strong = {
        pool: pd.read_csv(ROOT / f"figures/30_versus_random.{pool}.strong/versus_random.csv").query(
            "benchmark == 'testbed accuracy' and verdict == 'better'"
        )
        for pool in ("curated", "wild")
    }
    assert list(strong["curated"]["method"]) == ["token_length"]
    tokens = strong["wild"].set_index("method")["tokens_ratio"]
    assert set(tokens.index) == {"token_length", "kmeans"}
    assert f"with {tokens['token_length']:.1f} and {tokens['kmeans']:.1f} times the tokens" in text
    pooled = pd.read_csv(ROOT / "figures/40_published_grids/by_budget.csv")
    assert (
        "none of the 35 differences is decided" in text
        and len(pooled) == 35
        and ((pooled.low < 0) & (pooled.high > 0)).all()
    )
    low, high = 100 * pooled["estimate"].min(), 100 * pooled["estimate"].max()
    assert f"all of them lie above zero, by {low:.1f} to {high:.1f} points" in text and low > 0
    assert verdicts("41_real_model.loss", "held-out answer loss") == {"worse": 3, "no verdict": 2}
    assert "Three methods are *worse* than random and two have *no verdict*" in text


def test_what_it_says_of_length_stands_in_its_tables():
    text = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
    read = {name: pd.read_csv(ROOT / f"figures/33_length_effects/{name}.csv").query("benchmark == 'testbed accuracy'")
            for name in ("bands", "pieces")}  # fmt: skip
    bands = read["bands"].set_index(["what", "design"])
    pieces = read["pieces"].set_index(["pool", "what"])
    rows, tokens = bands.loc[("longest", "equal rows")], bands.loc[("longest", "equal tokens")]
    assert f"end {rows.estimate:.0f} points above random with {rows.tokens_ratio:.1f} times its tokens" in text
    assert (
        f"{-tokens.estimate:.0f} below it with as many tokens ({tokens.rows:.0f} rows instead of {rows.rows:.0f})"
        in text
    )
    worked = pieces.loc[("worked long answers", "equal rows")]
    assert f"[{-worked.estimate:.0f} below at equal rows]" in text and worked.high < 0 < rows.low
    middle = bands.loc[("band 2", "equal rows")]
    assert (
        f"Random rows of the middle third of lengths end {middle.estimate:.0f} above with {middle.tokens_ratio:.1f} times the tokens"
        in text
    )


def by_pool_size(folder):
    found = pd.read_csv(folder / "difference_by_pool_size.csv").query("benchmark == 'testbed accuracy'")
    return found.assign(name=found["method"].str.partition("(")[0]).set_index(["name", "pool rows"])


def test_what_a_larger_pool_does_is_what_its_page_found():
    folder = ROOT / "figures/31_failure_modes_at_scale.curated"
    found = by_pool_size(folder)
    rows = pd.read_csv(folder / "growth.csv").groupby(["method", "statistic", "pool rows"])["value"].mean()
    text = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
    small, large = 1000, 28491
    longest, few = found.loc[("token_length", small)], found.loc[("token_length", large)]
    assert f"end {longest.estimate:.0f} points above random ({longest.low:.0f} to {longest.high:+.0f})" in text
    assert f"the longest of {large:,} end {-few.estimate:.0f} below" in text and few.high < 0
    tokens, clusters = rows["token_length"]["median answer tokens"], rows["token_length"]["effective clusters"]
    assert f"grows from {tokens[small]:.0f} to {tokens[large]:.0f} tokens" in text
    by_chance = rows["random_selection"]
    assert (
        f"{clusters[large]:.0f} clusters of alike texts instead of {clusters[small]:.0f} (random rows from {by_chance['effective clusters'][large]:.0f})"
        in text
    )
    wild = by_pool_size(ROOT / "figures/31_failure_modes_at_scale.wild")
    longest, kmeans, loss = (
        [wild.loc[name].loc[size] for size in (1000, 28485)] for name in ("token_length", "kmeans", "cross_entropy")
    )
    both = [f"{one.estimate:+.0f} and {other.estimate:+.0f}" for one, other in zip(longest, kmeans, strict=True)]
    assert f"On wild the longest and K-means go from {' to '.join(both)} points, each interval across zero" in text
    assert all(one.low < 0 < one.high for one in (*longest, *kmeans))
    assert [f"{-one.estimate:.0f}" for one in loss] == ["28", "28"] and "Cross-entropy stays 28 below" in text
    falls = {name: [found.loc[(name, size)].estimate for size in (small, large)] for name in ("ifd", "kmeans")}
    first = found.loc[("ifd", small)]
    ends = f"{first.estimate:.0f} ({first.low:.0f} to {first.high:+.0f})"
    assert f"falls from {ends} to {falls['ifd'][1]:.0f} points" in text
    assert "lengths from {:.0f} to {:.0f};".format(*falls["kmeans"]) in text
    (ifd,) = [name for name in rows.index.levels[0] if name.startswith("ifd")]
    faulty = [
        100 * rows[name]["faulty rows"][size]
        for name, size in ((ifd, small), (ifd, large), ("random_selection", large))
    ]
    assert "rises from {:.0f} to {:.0f} % (random rows {:.0f} %)".format(*faulty) in text
    assert found.loc[["cross_entropy", "rds_plus"], "estimate"].max() < -21


def test_what_selecting_costs_is_what_its_pages_found():
    text = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
    folders = [ROOT / "figures" / f"35_cost_of_selection.{pool}.weak" for pool in ("curated", "wild")]
    tables = [pd.read_csv(folder / "break_even.csv").query("benchmark == 'testbed accuracy'") for folder in folders]
    for table in tables:
        own = table.groupby("method")["verdict"]
        no, all_pay = own.apply(lambda one: (one == "does not pay").any()), own.apply(lambda one: (one == "pays").all())
        assert (len(no), no.sum(), all_pay.sum()) == (12, 8, 0)
        draws = set(zip(table["against"], table["rows"] / table["budget"], strict=True))
        assert draws == {("random_selection", 2), ("random draw, more passes", 1), ("random_selection", 1)}
    assert (
        "Each of 12 methods is held against" in text
        and "None pays in" in text
        and "in each pool 8 do not and 4 are undecided" in text
    )
    passes, rows = (
        tables[1].query("method == 'diverse_evol' and against == @draw").iloc[0]
        for draw in ("random draw, more passes", "random_selection")
    )
    assert f"at {rows.compute_ratio:.0f} times the compute, ends {passes.estimate:.0f} points above more passes" in text
    assert passes.low > 0 and f"({rows.estimate:+.0f}, {rows.low:.0f} to {rows.high:+.0f})" in text


def test_what_released_scripts_change_is_what_their_page_found():
    folder = ROOT / "figures/36_released_vs_original.curated.weak"
    overlap = pd.read_csv(folder / "overlaps.csv").set_index("deviation")
    found = pd.read_csv(folder / "results.csv").query("benchmark == 'testbed accuracy'").set_index("deviation")
    decided = found[(found["low"] > 0) | (found["high"] < 0)]["estimate"]
    by_method = {name.partition(":")[0]: value for name, value in decided.items()}
    text = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
    assert (len(overlap), (overlap["found"] == "changes the rows").sum(), len(decided)) == (8, 5, 4)
    assert (
        "Of eight places in which released scripts leave their papers five change which rows are chosen, and four"
        in text
    )
    (shared,) = overlap[overlap.index.str.startswith("Cross-entropy")]["overlap"]
    assert f"shares {shared:.0%}".replace("%", " %") + " of its rows" in text
    assert f"ends {by_method['Cross-entropy']:.0f} points above it; LESS ends {by_method['LESS']:.0f}" in text
    assert f"ZIP {by_method['ZIP']:.0f} above, SelectIT {-by_method['SelectIT']:.0f} below" in text
    wild = ROOT / "figures/36_released_vs_original.wild.weak"
    again = pd.read_csv(wild / "overlaps.csv").set_index("deviation")
    found = pd.read_csv(wild / "results.csv").query("benchmark == 'testbed accuracy'").set_index("deviation")
    above = found[(found["low"] > 0) | (found["high"] < 0)]["estimate"].sort_values(ascending=False)
    assert (overlap["found"] == again["found"]).all()
    assert "the same five change the rows, and three of them the accuracy" in text
    names = [name.partition(":")[0] for name in above.index]
    assert names == ["Cross-entropy", "ZIP", "IFD"]
    assert "released ends {:.0f}, ZIP {:.0f} and IFD {:.0f} points above".format(*above) in text


def test_accuracy_and_loss_order_methods_as_unlike_as_it_says():
    table = pd.read_csv(ROOT / "figures/30_versus_random.curated.weak/versus_random.csv")
    both = table.pivot(index=["budget", "method"], columns="benchmark", values="estimate")
    found = [own.corr("spearman").iloc[0, 1] for _, own in both.groupby("budget")]
    text = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
    assert "(rank correlations of {:.2f}, {:.2f} and {:.2f} at the three budgets)".format(*found) in text


def test_one_source_makes_up_what_it_says_of_the_real_model():
    groups = pd.read_csv(ROOT / "figures/41_real_model.loss/by_group.csv").set_index(["group", "method"])
    table = pd.read_csv(ROOT / "figures/41_real_model.loss/versus_random.csv").query("verdict == 'worse'")
    of_boolq = groups.loc["dataset/boolq/train"].loc[table["method"]]
    share = of_boolq["difference"] * of_boolq["items"] / table["n_items"].iloc[0]
    assert set(of_boolq["items"]) == {28} and set((-share).round(1)) == {0.1} and len(share) == 3


def test_what_it_says_of_answers_of_the_real_model_stands_in_its_tables():
    folder = ROOT / "figures/41_real_model.answers"
    table = pd.read_csv(folder / "versus_random.csv").set_index(["benchmark", "method"])
    base = pd.read_csv(folder / "against_base.csv").set_index("benchmark")
    text = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
    length, quotas = (table.loc["ifeval", method] for method in ("token_length", KMEANS_OF_LENGTHS))
    random = length["base_score"] + base[base["method"] == "random_selection"].loc["ifeval", "estimate"]
    assert f"The base alone follows {length['base_score']:.1f} %, random draws {random:.1f} %" in text
    said = "{estimate:+.1f}{points} [{low:+.1f}, {high:+.1f}]"
    assert f"token length ({said.format(**length, points=' points')})" in text
    assert f"K-means over lengths ({said.format(**quotas, points='')})" in text
    assert f"with {length['tokens_ratio']:.1f} and {quotas['tokens_ratio']:.1f} times random's tokens" in text
    assert f"the {length['n_items']:.0f} of IFEval's first 80 items" in text
    assert (table[["n_runs", "n_random"]] == 3).all(axis=None)
    assert set(table.loc["ifeval"]["verdict"]) == set(base.loc["ifeval"]["verdict"]) == {"undecided"}
    assert set(table.loc["held-out answer loss"]["verdict"]) == {"worse"}
    assert set(base.loc["held-out answer loss"]["verdict"]) == {"helps"}
    least, most = (table.loc["ifeval"]["detectable"].agg(end) for end in ("min", "max"))
    assert f"Only differences of {least:.0f} to {most:.0f} points would show in four of five such comparisons" in text


@pytest.mark.parametrize(("page", "method", "said"), [
    ("15_less", "less(targets='auto', epochs=4)", "end {drop} and"), ("19_rds_plus", "rds_plus(targets='auto')", "and {drop} points below random"),
    ("15_less", "less(targets='held-out')", "(+{estimate:.0f} [+{low:.0f}, +{high:.0f}], with {tokens_ratio:.1f} times random's tokens)"),
    ("19_rds_plus", "rds_plus(targets='held-out')", "({estimate:.0f} [{low:.0f}, {high:.0f}]) and undecided in loss"),
])  # fmt: skip
def test_what_it_says_of_targets_stands_in_their_tables(page, method, said):
    table = pd.read_csv(ROOT / "figures" / page / "difference_from_random.csv")
    (line,) = table[(table["method"] == method) & (table["benchmark"] == "testbed accuracy")].to_dict("records")
    text = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
    assert said.format(drop=round(-line["estimate"]), **line) in text


def test_its_tables_of_claims_and_of_what_to_do_are_those_of_the_summary():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    claims, guide = (pd.read_csv(ROOT / "figures/90_summary" / f"{name}.csv") for name in ("claims", "guide"))
    told = [f"| {line.claim} | {line.source} | {line.verdict} |" for line in claims.itertuples()]
    assert "\n".join(["| claim | source | here |", "| --- | --- | --- |", *told]) in text
    done = dict.fromkeys(
        f"| {where} | {what} |" for where, what in zip(guide["where"], guide["what to do"], strict=True)
    )
    assert "\n".join(["| where | what to do |", "| --- | --- |", *done]) in text
