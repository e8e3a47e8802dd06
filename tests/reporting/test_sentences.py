from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd

from analysis.methods import Selection
from analysis.reporting import sentences
from analysis.subsets.composition import describe

ROWS = pd.DataFrame({
    "source": "toy", "skill": list("aabbcc"), "family": "sums", "style": "terse", "fault": ["typo", *[""] * 5],
    "dup_group": range(6), "answer tokens": [1, 2, 3, 4, 5, 6], "total tokens": 10, "truncated": False,
})  # fmt: skip
SELECTIONS = {
    "random_selection": Selection(np.array([0, 5]), seconds=0.04),
    "token_length": Selection(np.array([5, 4]), np.arange(6.0), seconds=1.25),
    "token_length(direction='shortest')": Selection(np.array([0, 1]), -np.arange(6.0)),
}


def test_two_variants_are_compared_by_rows_lengths_and_faults():
    said = sentences.agreement_findings(ROWS, SELECTIONS, "token_length", "token_length(direction='shortest')")
    assert "two different methods" in said[0] and "(33 % by chance)" in said[0] and said[0].endswith("is -1.00.")
    assert said[1] == (
        "Median answer tokens: 3.5 (whole pool), 3.5 (Random), 5.5 (Token length) and 1.5 (Token length (shortest))."
    )
    assert said[2].startswith("Share of faulty rows: 17 % (whole pool), 50 % (Random)")


def test_lengths_are_relative_to_the_pool():
    said = sentences.length_finding(describe(ROWS, SELECTIONS))
    assert "relative to the pool at 3.5 tokens: Random 1.0 times, Token length 1.6 times" in said


def test_a_change_matters_that_leaves_fewer_than_half_of_the_rows():
    words = "The length", "matters", "does not matter"
    said = sentences.change_finding(SELECTIONS, "token_length", "random_selection", 6, words)
    assert said.startswith("The length does not matter by this page's rule: Token length and Random have 50 % of")
    other = SELECTIONS | {"random_selection": replace(SELECTIONS["random_selection"], rows=np.array([0, 1]))}
    said = sentences.change_finding(other, "token_length", "random_selection", 6, words, note=", as said")
    assert said.startswith("The length matters") and said.endswith("(33 % by chance, as said).")


def test_seconds_are_said_of_every_method():
    made = {name: SELECTIONS[name] for name in ("random_selection", "token_length")}
    assert sentences.cost_finding(made).startswith("Selecting took 0.0 s (Random) and 1.2 s (Token length);")


def test_stability_is_the_share_of_rows_in_common_over_seeds_of_the_same_part(monkeypatch):
    asked, rows = [], iter([[0, 1, 2, 3], [0, 1, 2, 4], [0, 1, 5, 6]])

    def select(work, method, budget, *, seed):
        asked.append((method, budget, seed))
        return Selection(np.array(next(rows)))

    monkeypatch.setattr(sentences.selecting, "select", select)
    work = SimpleNamespace(pool=range(40), seed=0, part=0, selection_seed=7)
    said = sentences.stability_finding(work, "kmeans", 4, "the clusters", seeds=3)
    # 3, 2 and 2 of 4 rows in common.
    assert said == (
        "K-means (Token length) takes 58 % of its rows again from the same part of the pool with another seed, which decides the "
        "clusters (10 % by chance)."
    )
    assert {one[:2] for one in asked} == {("kmeans", 4)}
    assert asked[0][2] == 7 and len({seed for _, _, seed in asked}) == 3


def test_what_a_page_is_asked_is_said_first_with_its_regime_and_interval():
    truth = SimpleNamespace(has_truth=True, truth=lambda name: np.array(["a", "b"]))
    work, lines = (
        SimpleNamespace(pool=truth),
        {"method": "token_length", "n_runs": 3, "n_random": 6, "low": -9, "high": 9, "tokens_ratio": 2.5},
    )
    accuracy = {
        "estimate": 0.04,
        "alone_low": -0.01,
        "alone_high": 0.09,
        "unit": "share correct",
        "benchmark": "accuracy",
    }
    table = pd.DataFrame([lines | accuracy | {"design": design} for design in ("equal rows", "equal tokens")])
    said = sentences.worth_finding(work, table, SELECTIONS, ROWS, "token_length")
    assert said.startswith(
        "Token length minus random at 2 rows (1 rows per skill): +4.0 [-1.0, +9.0] points on accuracy (95 %"
    )
    untrained = sentences.worth_finding(work, table.iloc[:0], SELECTIONS, ROWS, "token_length")
    assert untrained.startswith(
        "Whether Token length beats random was not tried on this page; at 2 rows (1 rows per skill), "
    )
    assert untrained.endswith("0.0 % of its rows are faulty, 17 % of the pool's.")  # row 0 is faulty; taken are 5 and 4
    without = sentences.worth_finding(work, table.iloc[:0], SELECTIONS, ROWS.drop(columns="fault"), "token_length")
    assert without.endswith("its median answer has 5.5 tokens, the pool's 3.5.")
