"""Released against original: the rule on planted overlaps, paired results, and sentences."""

import numpy as np
import pandas as pd
import pytest

from analysis.experiments.results import EQUAL_ROWS, Results
from analysis.methods import RANDOM
from analysis.methods.deviations import Pair, pairs
from analysis.reporting import deviation_findings
from analysis.reporting.topics import released_vs_original
from analysis.reporting.topics.released_vs_original import CHANGES, KEEPS, OPEN
from analysis.reporting.trained_rows import Regime
from tests.experiments.test_workbench import LONGEST, make_workbench


def parts_of(overlaps):
    """Lines for the parts of every deviation, all else alike."""
    rest = {"expected": 0.1, "spearman": np.nan, "again": 1.0}
    rest |= {f"{what}, {form}": 0.5 for what in ("answer tokens", "faulty", "set aside") for form in ("original", "released")}  # fmt: skip
    return pd.DataFrame([
        {"deviation": name, "part": part, "overlap": value, **rest}
        for name, values in overlaps.items() for part, value in enumerate(values)
    ])  # fmt: skip


PLANTED = {"same": [1.0] * 3, "reversed": [0.0, 0.02, 0.01], "in between": [0.2, 0.9, 0.5]}


def test_the_rule_is_about_one_half_of_the_rows():
    table = released_vs_original.decided(parts_of(PLANTED)).set_index("deviation")
    assert table["found"].to_dict() == {"same": KEEPS, "reversed": CHANGES, "in between": OPEN}
    assert table.loc["same", ["overlap", "low", "high"]].tolist() == [1, 1, 1]
    assert table.loc["reversed", "overlap"] == pytest.approx(0.01) and table.loc["reversed", "low"] == 0
    assert (table["parts"] == 3).all()


def test_one_part_decides_nothing():
    line = released_vs_original.decided(parts_of({"reversed": [0.0]})).iloc[0]
    assert line["found"] == OPEN and (line["low"], line["high"]) == (0, 1)


def test_the_headline_counts_by_what_was_found():
    said = deviation_findings.headline(released_vs_original.decided(parts_of(PLANTED)), Regime(8, "skill"), 40)
    assert "Of 3, at 40 rows from each of 3 parts (5 rows per skill), 1 changes (reversed), 1 does not (same) and 1 is undecided (in between)." in said  # fmt: skip


def test_it_is_said_of_which_methods_the_plain_name_is_the_released_form():
    forms = pairs(["cross_entropy", "zip_compression", "rds_plus"])
    (said,) = deviation_findings.plain_names(forms)
    assert said.endswith("is meant by ZIP and RDS+.") and deviation_findings.plain_names(forms[:1]) == []


def test_both_forms_are_described_by_part(tmp_path):
    work = make_workbench(tmp_path)
    same = released_vs_original.by_part(work, [Pair("same", LONGEST, LONGEST)], 5)
    assert (same["overlap"] == 1).all() and (same["spearman"] > 0.999).all()
    assert (same["again"] >= 0.8).all()  # answers of equal length are ordered by the seed
    assert (same["answer tokens, original"] == same["answer tokens, released"]).all()
    answer, rows = work.features.lengths().answer, work.select(LONGEST, 5).rows
    assert same["answer tokens, original"][0] == pytest.approx(np.median(answer[rows]) / np.median(answer))
    other = released_vs_original.by_part(work, [Pair("other", LONGEST, RANDOM)], 5, again=False)
    expected = len(np.intersect1d(rows, work.select(RANDOM, 5).rows)) / 5
    assert other["overlap"][0] == expected and other[["spearman", "again"]].isna().all(axis=None)


def grid_of(original, released):
    rows = [("a", part, score) for part, score in enumerate(original)]
    rows += [("b", part, score) for part, score in enumerate(released)] + [(RANDOM, part, score) for part, score in enumerate([0.3, 0.5])]  # fmt: skip
    return Results(pd.DataFrame([
        {"method": method, "budget": 40, "design": EQUAL_ROWS, "part": part, "benchmark": "accuracy", "unit": "share correct", "score": score,
         "n_items": 100, "items": np.zeros(100)} for method, part, score in rows
    ]), {})  # fmt: skip


def test_results_are_paired_by_part():
    # Parts differ by far more than the forms: 0.10, 0.11 and 0.12 of difference are 0.11 ± 4.303 x 0.01 / sqrt(3).
    results = grid_of([0.1, 0.5, 0.9], [0.2, 0.61, 1.02])
    line = released_vs_original.by_result(results, [Pair("a against b", "a", "b")], 40).iloc[0]
    assert line[["estimate", "low", "high"]].tolist() == pytest.approx([0.11, 0.0852, 0.1348], abs=1e-4)
    assert line[["original", "released"]].tolist() == pytest.approx([0.1, 0.21])
    assert (line["random_low"], line["random_high"]) == pytest.approx((-0.1, 0.1))
    said = deviation_findings.results(released_vs_original.by_result(results, [Pair("a against b", "a", "b")], 40))
    assert "leaves out zero for 1 of 1 deviations (a against b)" in said[0]
    assert "released less original +11.0 [+8.5, +13.5] points (3 parts, 100 items); against random +10.0 and, released, +21.0." in said[1]  # fmt: skip


def test_nothing_trained_is_said():
    empty = released_vs_original.by_result(Results(pd.DataFrame(), {}), [], 40)
    assert deviation_findings.results(empty) == [deviation_findings.NOT_TRAINED]


def test_without_truth_no_faults_are_told():
    table = released_vs_original.decided(parts_of({"same": [1.0] * 3}))
    random = pd.DataFrame({"answer tokens": [0.9, 1.1], "faulty": [np.nan, np.nan]})
    said = deviation_findings.rows_taken(table, random)
    assert said[-1] == deviation_findings.NO_TRUTH and "0.50 → 0.50 (same); random draws 0.90 to 1.10." in said[0]
