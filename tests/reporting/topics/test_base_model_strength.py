"""Effects planted along a ladder of bases: values, slopes and sentences find them."""

from types import SimpleNamespace

import numpy as np
import pytest

from analysis.experiments.results import Results
from analysis.methods import BASE, RANDOM
from analysis.reporting import strength_figures, strength_findings, style
from analysis.reporting.topics import base_model_strength as topic
from analysis.reporting.trained_rows import Regime
from analysis.statistics import BETTER, HELPS, HURTS, holm
from analysis.statistics.slopes import FALLS
from tests.reporting.planted import ACCURACY, LOSS, grid

REGIME = Regime(20, "skill")


def planted(shift, strength, base_accuracy=0.0):
    """Longest-first `shift` off random in four parts, and a base whose own loss is `strength` lower and accuracy as given."""
    made = grid({"token_length": shift}).runs.copy()
    made.loc[made["method"] == RANDOM, "part"] %= 4
    for place in made.index[made["method"] == BASE]:
        items = (
            made.at[place, "items"] + strength if made.at[place, "benchmark"] == LOSS else np.full(400, base_accuracy)
        )
        made.at[place, "items"], made.at[place, "score"] = items, float(items.mean())
    return Results(made, grid({"token_length": shift}).groups)


LADDER = {"weak": planted(0.2, -1.0), "middle": planted(0.1, 0.0), "strong": planted(0.0, 1.0, base_accuracy=0.8)}


STRENGTH = {"weak": -3.0, "middle": -2.0, "strong": -1.0}


def of(table, benchmark=ACCURACY):
    return table[table["benchmark"] == benchmark]


def test_bases_are_put_in_order_by_their_own_loss(monkeypatch):
    losses = {"strong": 0.5, "weak": 2.0}
    monkeypatch.setattr(topic, "plain_text_loss", lambda base, pool: losses[base])
    works = {name: SimpleNamespace(base=name, pool=None) for name in losses}
    assert list(topic.competences(works).items()) == [("weak", -2.0), ("strong", -0.5)]


def test_value_is_taken_within_its_part():
    by_part = of(topic.values_by_part({"weak": LADDER["weak"]}, STRENGTH))
    runs = of(LADDER["weak"].table)
    for line in by_part.to_dict("records"):
        here = runs[runs["part"] == line["part"]].groupby("method")["score"].mean()
        assert line["value"] == pytest.approx(here["token_length"] - here[RANDOM])
    assert sorted(by_part["part"]) == [0, 1, 2, 3]


def test_a_planted_fall_is_found_with_its_size():
    line = of(topic.slope_table(topic.values_by_part(LADDER, STRENGTH))).iloc[0]
    assert line["estimate"] == pytest.approx(-0.1, abs=0.02) and line["verdict"] == FALLS
    said = strength_findings.headline(
        topic.slope_table(topic.values_by_part(LADDER, STRENGTH)), topic.values(LADDER, STRENGTH), 100, REGIME
    )
    assert "100 rows (5 rows per skill)" in said[0] and "Token length falls as the base gets stronger: -" in said[0]
    assert "(4 parts, 3 bases)" in said[0]


def test_values_are_one_family_over_methods_and_bases():
    table = of(topic.values(LADDER, STRENGTH)).set_index("rung")
    assert table.loc["weak", "estimate"] == pytest.approx(0.2, abs=0.03) and table.loc["weak", "verdict"] == BETTER
    np.testing.assert_allclose(table["p_holm"], holm(table["p"]))
    strong = table.loc["strong"]
    assert strong["base_score"] == pytest.approx(0.8) and strong["random_score"] == pytest.approx(0.5, abs=0.06)
    said = strength_findings.worth(of(topic.values(LADDER, STRENGTH)).reset_index())
    assert len(said) == 1 and "better than random with weak" in said[0]


def test_where_fine_tuning_stops_helping_is_said():
    gains = of(topic.gains(LADDER, STRENGTH))
    verdicts = gains[gains["method"] == RANDOM].set_index("rung")["verdict"]
    assert dict(verdicts) == {"weak": HELPS, "middle": HELPS, "strong": HURTS}
    said = strength_findings.fine_tuning(gains)
    assert "helps: weak and middle; hurts: strong; beyond middle it is not found to help" in said[0]
    assert "no base tried is too strong" in strength_findings.fine_tuning(gains[gains["rung"] != "strong"])[0]


def test_another_order_than_the_given_one_is_said():
    assert strength_findings.order(STRENGTH, list(STRENGTH)) == []
    assert "another order" in strength_findings.order(STRENGTH, ["strong", "middle", "weak"])[0]


def test_a_base_at_the_floor_is_named():
    said = strength_findings.floor(of(topic.values(LADDER, STRENGTH)))
    assert len(said) == 1 and "with strong:" in said[0]


@pytest.mark.parametrize("draw", ["value", "scores"])
def test_figures_have_a_panel_per_benchmark_and_every_base(draw):
    style.use()
    values = topic.values(LADDER, STRENGTH)
    fig = (
        strength_figures.value(values)
        if draw == "value"
        else strength_figures.scores(values, topic.gains(LADDER, STRENGTH))
    )
    assert [ax.get_title(loc="left") for ax in fig.axes] == [ACCURACY, LOSS]
    assert {"weak", "middle", "strong"} <= {text.get_text() for text in fig.axes[0].texts}
    left, right = fig.axes[0].get_xlim()
    assert left > right  # a lower loss, a stronger base, is to the right


def test_too_few_bases_draws_or_methods_are_refused():
    with pytest.raises(ValueError, match="expected at least one base besides model 'tiny-weak'"):
        topic.workbenches("curated", ["tiny-weak"], "tiny-weak")

    class Work:
        parts = (0, 1, 2)

    with pytest.raises(ValueError, match="expected at least 3"):
        topic.plan({"weak": Work()}, ["token_length"], 40, n_draws=2)
    with pytest.raises(ValueError, match="besides random_selection"):
        topic.plan({"weak": Work()}, [], 40, n_draws=3)
