import re
import subprocess
import sys
from copy import copy
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import ks_2samp

from analysis.features import MADE_BY
from analysis.features.arrays import Lengths, TokenLosses
from analysis.features.clusters import cluster
from analysis.features.features import Features
from analysis.methods import METHODS, call, cross_entropy, parse, select, token_length
from analysis.methods.calls import get, methods_of
from analysis.methods.selection import Selection, rank_share, top_k

# Every method by its defaults, and every value of every option.
SPECIFICATIONS = [
    *METHODS,
    *(f"token_length(measure='{measure}')" for measure in ("last_answer", "total")),
    *(f"token_length(direction='{direction}')" for direction in ("shortest", "middle")),
    "cross_entropy(variant='released')",
    "cross_entropy(direction='lowest')",
    "ifd(variant='released')",
    "ifd(turns='last')",
    "ifd(pre_experience=True, clusters=3, per_cluster=2)",
    "superfiltering(turns='last')",
    "selectit(variant='released', level='token')",
    "selectit(normalised='once', alpha=0)",
    "selectit(level='model', models=['one', 'other'])",
    "perplexity(band='middle')",
    "perplexity(band='bottom')",
    "zip_compression(variant='text')",
    "zip_compression(candidates=20, shortlist=6, per_round=3)",
    "diverse_evol(variant='released')",
    "diverse_evol(space='base', rounds=1)",
    "less(variant='released')",
    "less(variant='released', targets='auto', epochs=2)",
    "rds_plus(turns='groups')",
    "rds_plus(taken='next')",
    "rds_plus(turns='none')",
    "kmeans(inside='random', clusters=3)",
    "kmeans(inside='nearest', quota='equal', embedding='answer')",
    "kmeans(inside='cross_entropy(direction=\"lowest\")', clusters=7)",
    "residual(inside='cross_entropy(variant=\"released\")', folds=3)",
]

# Methods whose smaller selections are no part of larger ones, as rounds grow with the budget and quotas are rounded.
NOT_NESTED = ("diverse_evol", "kmeans")


class ToyFeatures:
    """Two turns a row, with many equal values; `order` permutes the rows and everything known about them."""

    trained_on = 0

    def __init__(self, n_rows=40, order=None, unscorable=()):
        rng = np.random.default_rng(7)
        self.n_rows, self.order = n_rows, np.arange(n_rows) if order is None else order
        self.unscorable = unscorable
        self.counts = rng.integers(1, 6, (n_rows, 2))
        self.losses = rng.integers(1, 5, (n_rows, 2)) * self.counts.astype(float)
        self.unshifted = rng.integers(1, 5, (n_rows, 2)) * self.counts.astype(float)
        self.losses[list(unscorable)] = self.unshifted[list(unscorable)] = np.nan

    def row_keys(self):
        return np.random.default_rng(1).permutation(10 * self.n_rows)[: self.n_rows][self.order].astype(np.uint64)

    def records(self, start, stop):
        words = "sum list sort river owl capital".split()
        texts = [" ".join(words[(row * step) % 6] for step in range(1, 2 + row % 7)) for row in range(self.n_rows)]
        rows = [{"id": f"row-{row:02d}", "source": "toy", "messages": [{"role": "user", "content": text}]}
                for row, text in enumerate(texts)]  # fmt: skip
        return [rows[row] for row in self.order[start:stop]]

    def near_duplicates(self, threshold):
        return np.arange(self.n_rows)

    def lengths(self):
        counts = self.counts[self.order]
        answer = counts.sum(axis=1)
        prompt = np.full(self.n_rows, 7)
        return Lengths(answer, counts[:, 1], prompt, answer + prompt + 2, answer > 9)

    def embeddings(self, kind):
        return np.random.default_rng(2 + self.trained_on).normal(size=(self.n_rows, 6)).astype(np.float32)[self.order]

    def clusters(self, kind, n_clusters, seed):
        return cluster(self.embeddings(kind), n_clusters, seed, keys=self.row_keys())

    def embed(self, conversations, kind):
        return np.random.default_rng(len(conversations)).normal(size=(len(conversations), 6))

    n_parameters = 1

    def rating_logits(self, prompts, form="original"):
        logits = np.random.default_rng(3).integers(0, 3, (self.n_rows, len(prompts), 5))
        return logits[self.order].astype(np.float32)

    def targets(self, name):
        return {"sums": [[]] * 3, "lists": [[]] * 2}

    def influences(self, rows, targets, *, epochs, **others):
        rng = np.random.default_rng(len(rows))
        values = rng.choice([0.1, 0.2, 0.3], (self.n_rows, epochs, 2)).astype(np.float32)
        values[list(self.unscorable)] = np.nan
        values = values[self.order]
        sizes, rates = np.array([3, 2]), np.linspace(1, 0.2, epochs)
        return SimpleNamespace(values=values, on_pool=values[:, :, 0], sizes=sizes, learning_rates=rates)

    def after_finetuning(self, rows, settings=None, *, seed=0):
        tuned = copy(self)
        tuned.trained_on = len(rows)
        return tuned

    def with_model(self, name):
        return self

    def token_losses(self, context="conversation"):
        row = np.repeat(np.arange(self.n_rows), 2)
        losses = self.losses * (5 if context.endswith("none") else 1)  # every instruction helps
        arrays = [x[self.order].ravel() for x in (self.counts, losses, losses, self.unshifted)]
        return TokenLosses(self.n_rows, row, *arrays)


class RecordingFeatures(ToyFeatures):
    """Keeps what is asked, also of the same pool under another model."""

    def __init__(self):
        self.asked = set()
        super().__init__()

    def __getattribute__(self, name):
        if name in MADE_BY:
            self.asked.add(name)
        return super().__getattribute__(name)


@pytest.mark.parametrize("name", METHODS)
def test_a_method_declares_what_it_asks_and_nothing_else(name):
    asked = set()
    for specification in SPECIFICATIONS:
        if parse(specification)[0] == name:
            features = RecordingFeatures()
            select(specification, features, 12, seed=0)
            asked |= features.asked - {need for method in methods_of(specification)[1:] for need in method.needs}
    assert asked == set(METHODS[name].needs)


def test_all_that_features_compute_has_a_file_of_its_own_among_the_needs():
    # Of the pool alone, or settings.
    free = {
        "n_rows",
        "row_keys",
        "messages",
        "records",
        "under",
        "of",
        "signatures",
        "text_settings",
        "autocast",
        "precisions",
    }
    members = {name for name in vars(Features) if not name.startswith("_")}
    assert members - free == set(MADE_BY)


@pytest.mark.parametrize("specification", SPECIFICATIONS)
@pytest.mark.parametrize("budget", [1, 17, 40])
def test_a_selection_has_budget_unique_rows_in_range(specification, budget):
    rows = select(specification, ToyFeatures(), budget, seed=0).rows
    assert rows.dtype == np.int64 and rows.shape == (budget,)
    assert len(set(rows)) == budget and rows.min() >= 0 and rows.max() < 40
    assert budget < 40 or set(rows) == set(range(40))


@pytest.mark.parametrize("specification", SPECIFICATIONS)
def test_the_same_seed_gives_the_same_subset_and_a_larger_budget_contains_it(specification):
    first, again = (select(specification, ToyFeatures(), 12, seed=3) for _ in range(2))
    assert np.array_equal(first.rows, again.rows)
    if parse(specification)[0] in NOT_NESTED:
        return
    assert np.array_equal(select(specification, ToyFeatures(), 20, seed=3).rows[:12], first.rows)


@pytest.mark.parametrize("specification", SPECIFICATIONS)
@settings(max_examples=10, deadline=None)
@given(order=st.permutations(range(40)))
def test_permuting_the_pool_permutes_the_answer_ties_included(specification, order):
    order = np.array(order)
    rows = select(specification, ToyFeatures(), 15, seed=3).rows
    permuted = select(specification, ToyFeatures(order=order), 15, seed=3).rows
    assert np.array_equal(order[permuted], rows)


@pytest.mark.parametrize("specification", SPECIFICATIONS)
def test_a_higher_score_comes_first(specification):
    selection = select(specification, ToyFeatures(), 40, seed=0)
    if selection.scores is not None:
        assert (np.diff(selection.scores[selection.rows]) <= 0).all()
        best = selection.scores[select(specification, ToyFeatures(), 10, seed=0).rows].min()
        assert best >= np.sort(selection.scores)[-10]


@pytest.mark.parametrize("specification", SPECIFICATIONS)
@pytest.mark.parametrize("budget", [0, -1, 41, 2.0, True])
def test_an_impossible_budget_is_an_error(specification, budget):
    with pytest.raises(ValueError, match="budget"):
        select(specification, ToyFeatures(), budget, seed=0)


@pytest.mark.parametrize("specification", [name for name in SPECIFICATIONS if "cross_entropy" in name])
def test_unscorable_rows_are_never_selected_and_are_counted(specification):
    features = ToyFeatures(unscorable=(0, 5, 39))
    selection = select(specification, features, 37, seed=0)
    assert set(range(40)) - set(selection.rows) == {0, 5, 39}
    assert selection.excluded == {"no answer token could be scored": 3}
    assert selection.scores is None or np.isnan(selection.scores[[0, 5, 39]]).all()
    with pytest.raises(ValueError, match="38 rows asked for, only 37 of 40 can be selected: 3 no answer token"):
        select(specification, features, 38, seed=0)


def test_different_seeds_draw_different_subsets_and_every_row_equally_often():
    features = ToyFeatures()
    draws = np.array([select("random_selection", features, 10, seed=seed).rows for seed in range(2000)])
    times = np.bincount(draws.ravel(), minlength=40)
    # Each row is drawn with probability 1/4: 500 +- 5 standard deviations of 19.4.
    assert abs(times - 500).max() < 97
    assert len({tuple(sorted(draw)) for draw in draws}) > 1990


def test_random_scores_select_like_random_selection_and_informed_scores_do_not():
    features, trials = ToyFeatures(400), 500
    worth = np.random.default_rng(5).lognormal(size=400)  # what a subset would bring, unknown to both
    mean_worth = {"random": [], "random scores": [], "informed scores": []}
    for seed in range(trials):
        noise = np.random.default_rng(10_000 + seed).normal(size=400)
        keys = features.row_keys()
        mean_worth["random"].append(worth[select("random_selection", features, 40, seed=seed).rows].mean())
        mean_worth["random scores"].append(worth[top_k(noise, 40, seed, keys=keys).rows].mean())
        mean_worth["informed scores"].append(worth[top_k(noise + worth / 5, 40, seed, keys=keys).rows].mean())
    assert ks_2samp(mean_worth["random scores"], mean_worth["random"]).pvalue > 0.001
    assert ks_2samp(mean_worth["informed scores"], mean_worth["random"]).pvalue < 1e-6


def test_ties_are_broken_by_seed_and_not_by_file_order():
    firsts = {int(top_k(np.ones(50), 1, seed).rows[0]) for seed in range(40)}
    assert len(firsts) > 15


@given(scores=st.lists(st.sampled_from([np.nan, np.inf, -np.inf, 0.0, 1.0, 2.0]), min_size=1, max_size=30))
def test_top_k_selects_every_finite_score_and_nothing_else(scores):
    n_finite = int(np.isfinite(scores).sum())
    if n_finite:
        selection = top_k(scores, n_finite, seed=0)
        assert set(selection.rows) == set(np.flatnonzero(np.isfinite(scores)))
        assert sum(selection.excluded.values()) == len(scores) - n_finite
    if n_finite < len(scores):
        with pytest.raises(ValueError, match=f"only {n_finite} of {len(scores)} can be selected"):
            top_k(scores, n_finite + 1, seed=0)


def test_token_length_on_five_rows():
    # answers 3, 9, 1, 5, 7: longest 9 7 5 3 1 are rows 1 4 3 0 2; the median is 5, row 3.
    length = np.array([3, 9, 1, 5, 7])
    assert top_k(token_length.score(length), 3, 0).rows.tolist() == [1, 4, 3]
    assert top_k(token_length.score(length, "shortest"), 3, 0).rows.tolist() == [2, 0, 3]
    middle = top_k(token_length.score(length, "middle"), 3, 0).rows.tolist()
    assert middle[0] == 3 and set(middle[1:]) == {0, 4}


def test_each_length_measure_is_used():
    features = SimpleNamespace(
        n_rows=3,
        row_keys=lambda: np.arange(3),
        lengths=lambda: Lengths(*(np.array(x) for x in ([9, 1, 1], [1, 9, 1], [0, 0, 9], [1, 1, 9], [0, 0, 0]))),
    )
    chosen = [
        select(f"token_length(measure='{measure}')", features, 1, seed=0).rows[0]
        for measure in ("answer", "last_answer", "total")
    ]
    assert chosen == [0, 1, 2]


def test_equal_values_share_their_middle_rank():
    # sorted: 1 2 2 5; places 1/8, (3/8 + 5/8)/2 = 1/2 twice, 7/8
    assert rank_share(np.array([2, 5, 2, 1])).tolist() == [0.5, 0.875, 0.5, 0.125]


def test_cross_entropy_is_the_mean_over_all_turns_or_the_unshifted_one_of_the_last():
    losses = TokenLosses(
        n_rows=3,  # row 2 has no scorable token in its last turn
        row=np.array([0, 0, 1, 2, 2]),
        count=np.array([1, 3, 2, 2, 0]),
        loss_sum=np.array([1.0, 9.0, 4.0, 2.0, np.nan]),
        first_loss=np.array([1.0, 2.0, 3.0, 1.0, np.nan]),
        unshifted_loss_sum=np.array([5.0, 3.0, 8.0, 4.0, np.nan]),
    )
    assert cross_entropy.score(*losses.per_row()).tolist() == [2.5, 2.0, 1.0]
    released = cross_entropy.score(*losses.per_row("last", shifted=False))
    np.testing.assert_equal(released, [1.0, 4.0, np.nan])
    np.testing.assert_equal(losses.mean("last"), [3.0, 2.0, np.nan])
    with pytest.raises(ValueError, match="turns"):
        losses.per_row("first")


def test_a_percentile_band_leaves_out_both_ends():
    features = ToyFeatures(n_rows=101)
    features.counts[:] = 1
    features.losses = np.repeat(np.random.default_rng(0).permutation(101)[:, None], 2, axis=1).astype(float)
    selection = select("cross_entropy(band=(80, 95))", features, 16, seed=0)
    assert features.losses[selection.rows, 0].tolist() == list(range(95, 79, -1))
    assert selection.excluded == {"outside the percentile band": 85}
    with pytest.raises(ValueError, match="only 16 of 101 can be selected: 85 outside the percentile band"):
        select("cross_entropy(band=(80, 95))", features, 17, seed=0)
    with pytest.raises(ValueError, match="band: expected percentiles"):
        select("cross_entropy(band=(95, 80))", features, 1, seed=0)


@pytest.mark.parametrize(
    "specification, message",
    [
        ("length", "unknown; the methods are random_selection, token_length, cross_entropy"),
        (
            "cross_entropy(variants='released')",
            "unknown option 'variants'; its options are variant, direction",
        ),
        ("random_selection(seed=1)", "unknown option 'seed'; it has no options"),
        ("cross_entropy('released')", "expected a method's name or name"),
        ("cross_entropy(variant=released)", "variant: expected a plain value"),
        ("cross_entropy(variant=__import__('os'))", "variant: expected a plain value"),
        ("cross_entropy(", "expected a method's name or name"),
        ("a.b()", "expected a method's name or name"),
        ("", "expected a method's name or name"),
    ],
)
def test_a_wrong_specification_is_named(specification, message):
    with pytest.raises(ValueError, match=message):
        parse(specification)


@pytest.mark.parametrize(
    "specification, message",
    [
        ("cross_entropy(variant='xia')", "variant: expected one of 'original', 'released', found 'xia'"),
        (
            "cross_entropy(direction='longest')",
            "direction: expected one of 'highest', 'lowest', found 'longest'",
        ),
        ("token_length(measure='words')", "measure: expected one of 'answer', 'last_answer', 'total'"),
        ("token_length(direction='highest')", "direction: expected one of 'longest', 'shortest', 'middle'"),
    ],
)
def test_a_wrong_option_value_is_named(specification, message):
    with pytest.raises(ValueError, match=message):
        select(specification, ToyFeatures(), 3, seed=0)


def test_a_specification_is_read_into_name_and_options():
    assert parse(" cross_entropy ") == ("cross_entropy", {})
    name, options = parse("cross_entropy(variant='released', band=(80, 95))")
    assert (name, options) == ("cross_entropy", {"variant": "released", "band": (80, 95)})


def test_a_call_is_written_without_what_is_as_it_is_anyway():
    assert call("kmeans", keep=("inside",), inside="token_length", clusters=10) == "kmeans(inside='token_length')"
    assert call("kmeans", inside="ifd", clusters=100) == "kmeans(inside='ifd', clusters=100)"
    assert call("diverse_evol(rounds=2)", variant="released") == "diverse_evol(rounds=2, variant='released')"
    assert call("random_selection") == "random_selection"
    with pytest.raises(ValueError, match="unknown option 'bands'"):
        call("perplexity", bands="middle")


def test_every_method_is_described():
    families = {"baseline", "length", "quality", "diversity"}
    for name in METHODS:
        method = get(name)
        assert (
            method.family in families
            and method.label
            and re.search(r"(19|20)\d\d", method.paper)
            and callable(method.select)
        )


def test_a_selection_that_repeats_a_row_is_refused():
    with pytest.raises(ValueError, match="1 positions are selected twice"):
        Selection(rows=np.array([1, 2, 1]))


def test_methods_import_no_torch():
    program = "import sys, analysis.methods as m; [method.select for method in m.METHODS.values()]; "
    program += "print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
