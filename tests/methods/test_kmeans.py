"""Quotas, clusters, and the selection that both give."""

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.features.arrays import Clusters, Lengths
from analysis.features.clusters import cluster, pool_clusters
from analysis.methods import parse, select
from analysis.methods.calls import code_of
from analysis.methods.tools.quotas import allocate
from analysis.store.code_version import modules_behind
from analysis.store.store import Store
from tests.references import kmeans as reference

GROUPS = st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12)), min_size=1, max_size=8)


@pytest.mark.parametrize(
    "weights, available, budget, expected",
    [
        ([5, 3, 2], [5, 3, 2], 4, [2, 1, 1]),  # 2, 1.2 and 0.8
        ([1, 1, 8], [1, 1, 8], 6, [1, 0, 5]),  # 0.6, 0.6 and 4.8: of equal remainders the first
        ([1, 1], [1, 9], 6, [1, 5]),  # equal shares of 3 each: the small one gives what it has
        ([5, 3, 2], [0, 3, 2], 5, [0, 3, 2]),
        ([4, 4, 4], [4, 1, 4], 7, [3, 1, 3]),
        ([1, 1, 1], [9, 9, 9], 2, [1, 1, 0]),
        ([0, 3], [9, 3], 3, [0, 3]),
    ],
)
def test_worked_quotas(weights, available, budget, expected):
    assert allocate(weights, budget, available).tolist() == expected


@given(groups=GROUPS, part=st.floats(0, 1))
def test_quotas_are_those_of_the_literal_rule(groups, part):
    weights, available = (list(values) for values in zip(*groups, strict=True))
    most = sum(count for weight, count in groups if weight)
    budget = round(part * most)
    found = allocate(weights, budget, available)
    assert found.sum() == budget and (found >= 0).all() and (found <= available).all()
    assert found.tolist() == reference.quotas(weights, budget, available)
    with pytest.raises(ValueError, match=f"budget: {most + 1} rows asked for, only {most} in groups that count"):
        allocate(weights, most + 1, available)


@given(sizes=st.lists(st.integers(1, 10**6), min_size=1, max_size=50), part=st.floats(0, 1))
def test_proportional_quotas_are_the_shares_rounded_up_or_down(sizes, part):
    budget = round(part * sum(sizes))
    exact = budget * np.array(sizes) / sum(sizes)
    found = allocate(sizes, budget, sizes)
    assert (abs(found - exact) < 1 + 1e-6).all()


def test_quotas_of_wrong_arrays_are_refused():
    with pytest.raises(ValueError, match="weights, available"):
        allocate([1, -1], 1, [1, 1])
    with pytest.raises(ValueError, match="weights, available"):
        allocate([1, 1], 1, [1, 1, 1])


def islands(n_rows: int = 300, n_islands: int = 4, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Points around far-apart centres, the first island the largest, and the island of each."""
    rng = np.random.default_rng(seed)
    of = rng.choice(n_islands, n_rows, p=np.arange(n_islands, 0, -1) / sum(range(1, n_islands + 1)))
    return (10 * np.eye(n_islands, 5)[of] + rng.normal(scale=0.5, size=(n_rows, 5))).astype(np.float32), of


def test_islands_are_found_numbered_by_size_and_centred():
    points, of = islands()
    found = cluster(points, 4, seed=0)
    assert np.array_equal(found.labels, of)  # the islands' sizes fall
    means = [points[of == island].mean(axis=0) for island in range(4)]
    np.testing.assert_allclose(found.centres, means, atol=1e-5)
    assert found.sizes.tolist() == np.bincount(of).tolist()
    expected = np.linalg.norm(points - np.stack(means)[of], axis=1)
    np.testing.assert_allclose(found.distances(points), expected, atol=1e-5)


@pytest.mark.parametrize("n_clusters", [2, 10, 40])
def test_clusters_are_as_tight_as_those_of_the_literal_algorithm(n_clusters):
    points = np.random.default_rng(3).normal(size=(1000, 8)).astype(np.float32)
    labels, centres = reference.lloyd(points, n_clusters, seed=0)
    literal = ((points - centres[labels]) ** 2).sum()
    ours = (cluster(points, n_clusters, seed=0).distances(points) ** 2).sum()
    assert ours < 1.05 * literal


def test_rows_without_a_point_belong_to_no_cluster_and_change_no_other():
    points, _ = islands()
    holes = np.insert(points, [3, 150, 300], np.nan, axis=0)
    with_holes, without = cluster(holes, 4, seed=0), cluster(points, 4, seed=0)
    gone = np.isnan(holes[:, 0])
    assert (with_holes.labels[gone] == -1).all() and np.isnan(with_holes.distances(holes)[gone]).all()
    assert np.array_equal(with_holes.labels[~gone], without.labels)
    assert np.array_equal(with_holes.centres, without.centres)


def test_coinciding_points_make_fewer_clusters_and_none_is_empty():
    points = np.repeat(np.eye(3, dtype=np.float32), [5, 3, 2], axis=0)
    found = cluster(points, 6, seed=0)
    assert found.sizes.tolist() == [5, 3, 2] and len(found.centres) == 3


def test_a_wrong_number_of_clusters_is_named():
    points = np.full((5, 2), np.nan)
    points[:3] = np.eye(3, 2)
    with pytest.raises(ValueError, match="clusters: 4 asked for, only 3 of 5 rows have a point"):
        cluster(points, 4, seed=0)
    for wrong in (0, 2.0, True, "3"):
        with pytest.raises(ValueError, match="clusters: expected a whole number"):
            cluster(points, wrong, seed=0)


class IslandFeatures:
    """Points on islands, distinct lengths, some rows without a point or an answer."""

    def __init__(self, n_rows=60, seed=0, without_point=(), without_answer=()):
        self.n_rows = n_rows
        self.points, self.of = islands(n_rows, seed=seed)
        self.points[list(without_point)] = np.nan
        self.answer = np.random.default_rng(seed).permutation(n_rows) + 1
        self.losses = np.where(np.isin(np.arange(n_rows), without_answer), np.nan, 1.0 / self.answer)

    def row_keys(self):
        return np.arange(self.n_rows).astype(np.uint64)

    def embeddings(self, kind):
        return self.points

    def clusters(self, kind, n_clusters, seed):
        return cluster(self.points, n_clusters, seed, keys=self.row_keys())

    def lengths(self):
        return Lengths(*[self.answer] * 5)

    def token_losses(self, context="conversation"):
        return SimpleNamespace(per_row=lambda turns, shifted=True: (self.losses, np.ones(self.n_rows)))


@settings(deadline=None, max_examples=25)
@given(
    seed=st.integers(0, 5),
    budget=st.integers(1, 55),
    equal=st.booleans(),
    holes=st.sets(st.integers(0, 59), max_size=5),
)
def test_the_rows_are_those_of_the_literal_rule(seed, budget, equal, holes):
    features = IslandFeatures(seed=seed, without_answer=tuple(holes))
    quota = "equal" if equal else "proportional"
    found = select(f"kmeans(inside='cross_entropy', clusters=4, quota='{quota}')", features, budget, seed=0)
    labels = features.clusters("all", 4, 0).labels
    assert set(found.rows) == reference.chosen(labels.tolist(), features.losses.tolist(), budget, equal)


def test_the_longest_of_every_cluster_are_taken():
    features = IslandFeatures()
    rows = select("kmeans(clusters=4)", features, 12, seed=0).rows
    for island in range(4):
        members = np.flatnonzero(features.of == island)
        taken = np.intersect1d(members, rows)
        assert abs(len(taken) - 12 * len(members) / 60) < 1
        assert set(taken) == set(members[np.argsort(-features.answer[members])][: len(taken)])


@pytest.mark.parametrize("quota", ["proportional", "equal"])
def test_every_beginning_of_the_rows_keeps_to_the_quotas(quota):
    features = IslandFeatures()
    rows = select(f"kmeans(clusters=4, quota='{quota}')", features, 60, seed=0).rows
    sizes = np.bincount(features.of)
    for count in range(1, 60):
        part = np.bincount(features.of[rows[:count]], minlength=4)
        if quota == "proportional":
            assert (abs(part - count * sizes / 60) < 1.5).all()
        elif count <= 4 * sizes.min():
            assert part.max() - part.min() <= 1


def test_the_nearest_to_the_centre_are_taken_as_the_released_script_does():
    features = IslandFeatures()
    found = select("kmeans(inside='nearest', quota='equal', clusters=4)", features, 4, seed=0)
    clusters = features.clusters("all", 4, 0)
    distances = clusters.distances(features.points)
    expected = [min(np.flatnonzero(clusters.labels == one), key=lambda row: distances[row]) for one in range(4)]
    assert found.rows.tolist() == expected and found.scores is None


def test_random_rows_of_a_cluster_change_with_the_seed_and_are_equally_likely():
    features = IslandFeatures(n_rows=40)
    features.clusters = lambda kind, n_clusters, seed: Clusters(np.arange(40) % 2, np.zeros((2, 5), dtype=np.float32))
    draws = [select("kmeans(inside='random', clusters=2)", features, 10, seed=seed).rows for seed in range(2000)]
    times = np.bincount(np.concatenate(draws), minlength=40)
    assert abs(times - 500).max() < 97  # 500 +- 5 standard deviations
    assert all((draw % 2).sum() == 5 for draw in draws)


def test_rows_that_cannot_be_selected_are_counted_once_each_and_their_quota_goes_to_others():
    features = IslandFeatures(without_point=(0, 1), without_answer=(1, 2, 3))
    found = select("kmeans(inside='cross_entropy', clusters=4)", features, 56, seed=0)
    assert set(range(60)) - set(found.rows) == {0, 1, 2, 3}
    assert found.excluded == {"no answer token could be scored": 3, "not embedded": 1}
    why = "57 rows asked for, only 56 of 60 can be selected: 3 no answer token could be scored, 1 not embedded"
    with pytest.raises(ValueError, match=why):
        select("kmeans(inside='cross_entropy', clusters=4)", features, 57, seed=0)


@pytest.mark.parametrize(
    "specification, message",
    [
        (
            "kmeans(inside='nope')",
            "inside: expected 'random', 'nearest' or a method's call as text; method 'nope' is unknown",
        ),
        ("kmeans(inside='ifd(scale=2)')", "unknown option 'scale'; its options are variant, turns"),
        ("kmeans(inside='ifd(')", "expected a method's name or name"),
        ("kmeans(inside='kmeans(inside=\"nope\")')", "method 'nope' is unknown"),
        ("kmeans(inside=3)", "inside: expected 'random', 'nearest' or a method's call as text, found 3"),
        ("kmeans(inside=ifd)", "inside: expected a plain value"),
        ("kmeans(inside='cross_entropy(direction=lowest)')", r"direction: expected a plain value \(text in quotes\)"),
        ("kmeans(k=3)", "unknown option 'k'; its options are inside, clusters, quota, embedding"),
    ],
)
def test_a_wrong_call_within_a_call_is_named_before_anything_is_computed(specification, message):
    with pytest.raises(ValueError, match=message):
        parse(specification)


def test_a_method_that_scores_no_row_cannot_decide_within_a_cluster():
    for inside in ("random_selection", "kmeans"):
        with pytest.raises(ValueError, match=f"inside: '{inside}' chooses a set and scores no row"):
            select(f"kmeans(inside='{inside}', clusters=4)", IslandFeatures(), 3, seed=0)


def test_wrong_option_values_are_named():
    with pytest.raises(ValueError, match="quota: expected one of 'proportional', 'equal', found 'same'"):
        select("kmeans(quota='same')", IslandFeatures(), 3, seed=0)
    with pytest.raises(ValueError, match="direction: expected one of"):
        select("kmeans(inside='cross_entropy(direction=\"up\")')", IslandFeatures(), 3, seed=0)


def test_stored_selections_depend_on_the_code_of_the_method_within():
    own, with_ifd = code_of("kmeans(inside='random')"), code_of("kmeans(inside='ifd')")
    assert {"analysis.methods.kmeans", "analysis.features.clusters", "analysis.methods.tools.quotas"} <= modules_behind(
        *own
    )
    assert "analysis.methods.ifd" in set(with_ifd) - set(own)
    assert "analysis.methods.token_length" in code_of("kmeans")  # the default
    assert len(set(with_ifd)) == len(with_ifd)


def test_clusters_of_a_pool_are_stored_and_do_not_depend_on_the_order_of_rows(tmp_path, monkeypatch):
    features = IslandFeatures()
    features.store = Store(tmp_path)
    first = pool_clusters(features, "all", 4, 0)
    monkeypatch.setattr(
        "analysis.features.clusters.cluster", lambda *arguments, **options: pytest.fail("computed again")
    )
    again = pool_clusters(features, "all", 4, 0)
    assert np.array_equal(first.labels, again.labels) and np.array_equal(first.centres, again.centres)
    order = np.random.default_rng(0).permutation(60)
    shuffled = cluster(features.points[order], 7, 0, keys=features.row_keys()[order])
    assert np.array_equal(shuffled.labels, cluster(features.points, 7, 0, keys=features.row_keys()).labels[order])
