from itertools import combinations
from types import SimpleNamespace

import datasets
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.features.arrays import Lengths
from analysis.features.features import Features
from analysis.methods import diverse_evol
from analysis.methods.selection import shuffled_places
from analysis.methods.tools import k_center
from analysis.methods.tools.k_center import (
    distances_to_nearest,
    distances_to_neighbour,
    farthest_at_once,
    farthest_first,
)
from analysis.store.store import Store
from tests.references import diverse_evol as reference
from tests.tiny import tiny_language_model

WORKED = np.array([(0, 0), (1, 0), (0, 1), (10, 0), (10.2, 0), (10.4, 0), (-7, 0), (0, -6), (0, 8)], dtype=float)


def covering_radius(points, centres):
    return float(distances_to_nearest(points, points[centres]).max())


def test_the_worked_example_of_both_variants():
    greedy, at_once = (take(WORKED, np.array([0]), 4) for take in (farthest_first, farthest_at_once))
    assert greedy.tolist() == [5, 8, 6, 7]
    assert at_once.tolist() == [5, 4, 3, 8]
    assert covering_radius(WORKED, [0, *greedy]) == pytest.approx(1.0)
    assert covering_radius(WORKED, [0, *at_once]) == pytest.approx(7.0)


@pytest.mark.parametrize("candidates", [1, 7, 64, 1024])
@pytest.mark.parametrize("seed", range(3))
def test_positions_equal_the_slow_reference(candidates, seed, monkeypatch):
    monkeypatch.setattr(k_center, "CANDIDATES", candidates)
    points = np.random.default_rng(seed).normal(size=(150, 6)).astype(np.float32)
    labelled = np.array([3, 77])
    assert farthest_first(points, labelled, 60).tolist() == reference.farthest_first(points, [3, 77], 60)
    assert farthest_at_once(points, labelled, 60).tolist() == reference.farthest_at_once(points, [3, 77], 60)
    assert covering_radius(points, labelled) == pytest.approx(reference.radius(points, [3, 77]), rel=1e-5)


def test_distances_in_one_pass_equal_those_written_down_to_the_last_bit(monkeypatch):
    monkeypatch.setattr(k_center, "PRODUCTS_AT_ONCE", 1_000)
    points = np.random.default_rng(0).normal(size=(300, 24)).astype(np.float32) + 5
    points[:20] = points[40:60]  # copies, which rounding must not part
    space, nearest = k_center._Space.of(points), np.random.default_rng(1).uniform(0, 40, 300).astype(np.float32)
    centres = space.part(np.arange(40, 75))
    expected = np.minimum(nearest, space.squared_distances(centres).min(axis=1))
    space.shrink(nearest, centres)
    assert nearest.tobytes() == expected.tobytes() and (nearest[:20] == 0).all()


def test_500_points_by_brute_force_and_any_size_of_blocks(monkeypatch):
    points = np.random.default_rng(5).normal(size=(500, 16)).astype(np.float32)
    nearest, expected = ((points - points[0]) ** 2).sum(axis=1), []
    for _ in range(200):
        expected.append(int(nearest.argmax()))
        nearest = np.minimum(nearest, ((points - points[expected[-1]]) ** 2).sum(axis=1))
    assert farthest_first(points, np.array([0]), 200).tolist() == expected
    monkeypatch.setattr(k_center, "PRODUCTS_AT_ONCE", 100)
    monkeypatch.setattr(k_center, "CANDIDATES", 30)
    assert farthest_first(points, np.array([0]), 200).tolist() == expected


GRIDS = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=2, max_size=16)


@settings(max_examples=60, deadline=None)
@given(grid=GRIDS, candidates=st.integers(1, 12), data=st.data())
def test_ties_go_to_the_lowest_position_and_copies_wait_for_all_others(grid, candidates, data):
    grid = [*grid, *((-x, -y) for x, y in grid)]  # around zero, so that no distance is rounded
    points, count = np.array(grid, dtype=np.float32), data.draw(st.integers(1, len(grid) - 1))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(k_center, "CANDIDATES", candidates)
        found = farthest_first(points, np.array([0]), count).tolist()
    assert found == reference.farthest_first(points, [0], count)
    distinct = set(grid)
    assert len({grid[0], *(grid[place] for place in found)}) == min(len(distinct), count + 1)


@settings(max_examples=40, deadline=None)
@given(grid=GRIDS, data=st.data())
def test_the_radius_is_at_most_twice_the_best_possible(grid, data):
    grid = grid[:9]
    points, count = np.array(grid, dtype=np.float32), data.draw(st.integers(1, min(3, len(grid) - 1)))
    found = covering_radius(points, [0, *farthest_first(points, np.array([0]), count)])
    best = min(reference.radius(points, list(centres)) for centres in combinations(range(len(grid)), count + 1))
    assert found <= 2 * best + 1e-5


def test_a_constant_added_to_all_points_changes_nothing():
    points = np.random.default_rng(0).normal(size=(300, 8)).astype(np.float32)
    expected = farthest_first(points, np.array([0]), 100)
    assert farthest_first(points + np.float32(64), np.array([0]), 100).tolist() == expected.tolist()


def test_near_copies_of_a_labelled_point_come_last():
    rng = np.random.default_rng(0)
    points = rng.normal(size=(60, 512)).astype(np.float32)
    copies = points[0] * (1 + 1e-5 * rng.normal(size=(20, 512)).astype(np.float32))
    found = farthest_first(np.concatenate([points, copies]), np.array([0]), 79)
    assert set(found[:59]) == set(range(1, 60))
    at_once = farthest_at_once(np.concatenate([points, copies]), np.array([0]), 79)
    assert set(at_once[:59]) == set(range(1, 60))


def test_distances_to_the_nearest_other_point_leave_out_the_point_itself(monkeypatch):
    monkeypatch.setattr(k_center, "PRODUCTS_AT_ONCE", 20)
    between = reference.distances(WORKED)
    np.fill_diagonal(between, np.inf)
    np.testing.assert_allclose(distances_to_neighbour(WORKED, np.arange(9)), between.min(axis=1), atol=1e-3)
    assert distances_to_neighbour(np.ones((3, 2)), np.array([2, 0])).tolist() == [0, 0]


def test_more_than_there_is_and_points_that_are_not_finite_are_errors():
    with pytest.raises(ValueError, match="9 points asked for, only 8 are not labelled"):
        farthest_first(WORKED, np.array([0]), 9)
    with pytest.raises(ValueError, match="points: expected finite values"):
        farthest_first(np.full((3, 2), np.nan), np.array([0]), 1)


class Evolving:
    """Points that move with what a model was trained on; remembers every fine-tuning."""

    def __init__(self, n_rows=40, history=(), calls=None, no_answer=(), broken=()):
        self.n_rows, self.history, self.no_answer, self.broken = n_rows, history, no_answer, broken
        self.calls = [] if calls is None else calls

    def row_keys(self):
        return np.arange(self.n_rows, dtype=np.uint64) * 3

    def lengths(self):
        counts = np.full(self.n_rows, 5)
        counts[list(self.no_answer)] = 0
        return Lengths(counts, counts, counts, 2 * counts, counts > 9)

    def embeddings(self, kind):
        assert kind == "all"
        points = np.random.default_rng([1, *map(len, self.history)]).normal(size=(self.n_rows, 5))
        points[list(self.broken)] = np.nan
        return points.astype(np.float32)

    def after_finetuning(self, rows, settings=None, *, seed=0):
        self.calls.append((len(self.history), rows.tolist(), seed))
        return Evolving(self.n_rows, (*self.history, tuple(rows)), self.calls, self.no_answer, self.broken)


@pytest.mark.parametrize("variant, fresh", [("original", True), ("released", False)])
def test_rounds_equal_the_slow_reference(variant, fresh):
    order = shuffled_places(40, 4, Evolving().row_keys()).argsort()
    sizes = diverse_evol.round_sizes(30, 3, 0.2)
    expected = reference.select(Evolving(), 30, order, sizes=sizes, greedy=fresh, fresh=fresh, seed=4)
    found = diverse_evol.select(Evolving(), 30, seed=4, variant=variant, rounds=3, initial=0.2)
    assert found.rows.tolist() == expected
    assert found.scores is None and found.excluded == {}


@pytest.mark.parametrize("variant, fresh", [("original", True), ("released", False)])
def test_with_a_real_model_rounds_equal_the_slow_reference(variant, fresh, tmp_path):
    asked = [[f"What is {row}?", f"It is {row * row % 37}" + " more" * (row % 4)] for row in range(24)]
    roles = ("user", "assistant")
    rows = [
        {
            "id": f"toy-{place}",
            "messages": [{"role": role, "content": text} for role, text in zip(roles, texts, strict=True)],
        }
        for place, texts in enumerate(asked)
    ]
    pool = SimpleNamespace(rows=datasets.Dataset.from_list(rows), fingerprint="toy")
    features = Features(
        pool, tiny_language_model(), store=Store(tmp_path), max_tokens=64, precision="float32", show_progress=False
    )
    order = shuffled_places(24, 4, features.row_keys()).argsort()
    found = diverse_evol.select(features, 12, seed=4, variant=variant, rounds=2, initial=0.3).rows.tolist()
    assert found == reference.select(features, 12, order, sizes=[4, 4, 4], greedy=fresh, fresh=fresh, seed=4)
    points = [model.embeddings() for model in (features, features.after_finetuning(np.array(found[:4]), seed=4))]
    assert not np.allclose(*points, atol=1e-3), "training moves the points"


def test_every_round_starts_from_the_base_but_in_the_released_script_from_the_last():
    for variant, depths in (("original", [0, 0, 0]), ("released", [0, 1, 2])):
        features = Evolving()
        rows = diverse_evol.select(features, 20, seed=1, variant=variant, rounds=3, initial=0.1).rows.tolist()
        assert features.calls == [(depth, rows[:size], 1) for depth, size in zip(depths, (2, 8, 14), strict=True)]


def test_the_papers_schedules_are_the_defaults():
    features = Evolving(n_rows=1200)
    diverse_evol.select(features, 1100, seed=0)
    assert [len(rows) for _, rows, _ in features.calls] == list(range(100, 1100, 100))
    features = Evolving(n_rows=1200)
    diverse_evol.select(features, 1000, seed=0, variant="released")
    assert [len(rows) for _, rows, _ in features.calls] == [100, 400, 700]


@given(budget=st.integers(1, 500), rounds=st.integers(1, 20), initial=st.floats(0.01, 0.99))
def test_rounds_add_up_to_the_budget_and_are_equal_but_for_one(budget, rounds, initial):
    drawn, *sizes = diverse_evol.round_sizes(budget, rounds, initial)
    assert drawn + sum(sizes) == budget and drawn >= 1
    assert not sizes or (min(sizes) >= 1 and max(sizes) - min(sizes) <= 1 and len(sizes) <= rounds)


def test_without_evolution_nothing_is_trained():
    features = Evolving()
    rows = diverse_evol.select(features, 20, seed=0, space="base").rows
    assert features.calls == []
    assert rows.tolist() == diverse_evol.select(Evolving(), 20, seed=0, space="base", rounds=1).rows.tolist()


def test_a_row_without_answer_or_point_changes_no_other_row():
    expected = diverse_evol.select(Evolving(), 20, seed=0, space="base").rows.tolist()
    unused = [row for row in range(40) if row not in expected][:3]
    features = Evolving(no_answer=unused[:1], broken=unused[1:])
    found = diverse_evol.select(features, 20, seed=0, space="base")
    assert found.rows.tolist() == expected
    assert found.excluded == {"no answer token": 1, "not embedded": 2}


def test_a_budget_beyond_what_can_be_selected_says_how_many_could():
    with pytest.raises(ValueError, match="39 rows asked for, only 37 of 40 can be selected: 1 no answer token, 2 not"):
        diverse_evol.select(Evolving(no_answer=[30], broken=[31, 32]), 39, seed=2, rounds=1, initial=0.01)


@pytest.mark.parametrize(
    "options, told",
    [({"rounds": 0}, "rounds: expected"), ({"initial": 1.0}, "initial: expected"), ({"variant": "x"}, "variant: ex")],
)
def test_wrong_options_are_named(options, told):
    with pytest.raises(ValueError, match=told):
        diverse_evol.select(Evolving(), 10, seed=0, **options)
