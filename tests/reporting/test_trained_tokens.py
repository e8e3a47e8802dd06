"""Tokens of single runs, and what they may explain, by hand."""

import pandas as pd
import pytest

from analysis.experiments.published_results import chosen
from analysis.methods import BASE, RANDOM
from analysis.reporting import trained_tokens
from analysis.statistics import BETTER, UNDECIDED, WORSE
from tests.published_lines import compared_lines, written


def test_tokens_of_a_run_are_told_against_randoms_at_its_budget(tmp_path):
    compared = chosen(written(tmp_path, compared_lines()))[0]
    runs = trained_tokens.tokens_of_runs(compared.results).set_index(["method", "draw"])
    assert runs.loc[("ifd", 1), ["tokens", "difference"]].tolist() == pytest.approx([1.5, 0.5])
    assert runs.loc[(RANDOM, 0), ["tokens", "difference"]].tolist() == pytest.approx([1.0, -0.1])
    assert BASE not in runs.index.get_level_values("method")


@pytest.mark.parametrize(
    "verdict, ratio, expected",
    [
        (WORSE, 0.5, "number of tokens may explain"),
        (WORSE, 2.0, "points the other way"),
        (BETTER, 2.0, "number of tokens may explain"),
        (BETTER, 0.5, "points the other way"),
        (WORSE, 1.1, "tokens are about as many"),
        (UNDECIDED, 2.0, "no difference is called"),
    ],
)
def test_tokens_explain_a_loss_only_where_there_are_fewer(verdict, ratio, expected):
    table = pd.DataFrame({"benchmark": ["loss"], "method": ["ifd"], "verdict": [verdict], "tokens_ratio": [ratio]})
    (said,) = trained_tokens.token_findings(table)
    assert expected in said and f"{ratio:.2f} times (IFD)" in said
