import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.methods import rds_plus
from analysis.methods.rds_plus import alternating, best_rows, normalised, score, take_turns
from analysis.methods.selection import shuffled_places
from tests.references import rds_plus as reference


def test_the_worked_example_of_an_embedding():
    # (1 (1, 0) + 2 (0, 1)) / 3, scaled to length 1.
    assert normalised([[1 / 3, 2 / 3]])[0].tolist() == pytest.approx([0.4472, 0.8944], abs=1e-4)
    assert reference.embedding([[1, 0], [0, 1]]).tolist() == pytest.approx([0.4472, 0.8944], abs=1e-4)


@pytest.mark.parametrize("taken", rds_plus.TAKEN)
@pytest.mark.parametrize("budget, rows", [(1, [0]), (2, [0, 1]), (3, [0, 1, 2])])
def test_the_worked_example_of_target_rows_in_turn(budget, rows, taken):
    likeness = np.array([[0.9, 0.8, 0.1], [0.7, 0.95, 0.2]])
    assert take_turns(np.argsort(-likeness, axis=1), budget, taken).tolist() == rows
    assert reference.in_turn(likeness.tolist(), budget, [0, 1, 2], taken) == rows


@pytest.mark.parametrize("taken, rows", [("lost", [0, 3, 1, 2]), ("next", [0, 1, 3, 2])])
def test_a_target_whose_row_is_taken_loses_its_turn_or_goes_on(taken, rows):
    # Both of the first targets want rows 0, 1 and 2 in this order; the third wants row 3.
    lists = np.array([[0, 1, 2, 3], [0, 1, 2, 3], [3, 2, 1, 0]])
    assert take_turns(lists, 4, taken).tolist() == rows
    assert reference.in_turn((-np.argsort(lists)).tolist(), 4, [0, 1, 2, 3], taken) == rows


def test_the_authors_way_is_the_default():
    points, groups = toy(4)
    groups = [np.repeat(groups[0], 3, axis=0), groups[1]]  # a target that stands there three times
    default, lost, following = (
        rds_plus.select(Toy(points, groups), 20, seed=0, **options).rows.tolist()
        for options in ({}, {"taken": "lost"}, {"taken": "next"})
    )
    assert default == lost != following
    with pytest.raises(ValueError, match="taken: expected one of 'lost', 'next', found 'skipped'"):
        rds_plus.select(Toy(points, groups), 20, seed=0, taken="skipped")


class Toy:
    """Points and groups of targets that are known."""

    def __init__(self, points, groups, order=None):
        order = np.arange(len(points)) if order is None else order
        self.points, self.groups, self.order, self.n_rows = points[order], groups, order, len(points)

    def row_keys(self):
        return self.order.astype(np.uint64) * 7

    def embeddings(self, kind):
        assert kind == "weighted"
        return self.points

    def embed(self, conversations, kind):
        assert kind == "weighted"
        return conversations

    def targets(self, name):
        assert name == "auto"
        return dict(enumerate(self.groups))


def toy(seed, n_rows=60):
    rng = np.random.default_rng(seed)
    points = rng.normal(size=(n_rows, 5)).astype(np.float32)
    return points, [rng.normal(size=(count, 5)).astype(np.float32) for count in (3, 1, 5)]


@pytest.mark.parametrize("taken", rds_plus.TAKEN)
@pytest.mark.parametrize("rows_at_once", [1, 16, 10_000])
@pytest.mark.parametrize("turns", ["rows", "groups"])
@pytest.mark.parametrize("budget", [1, 7, 40, 60])
def test_rows_equal_the_slow_reference(turns, budget, rows_at_once, taken, monkeypatch):
    monkeypatch.setattr(rds_plus, "ROWS_AT_ONCE", rows_at_once)
    points, groups = toy(budget)
    places = shuffled_places(60, 2, Toy(points, groups).row_keys())
    expected = reference.select(points, groups, budget, places.tolist(), by_groups=turns == "groups", when_taken=taken)
    assert rds_plus.select(Toy(points, groups), budget, seed=2, turns=turns, taken=taken).rows.tolist() == expected


def test_scores_are_the_largest_cosines_and_without_turns_decide():
    points, groups = toy(0)
    values = reference.similarities(points, np.concatenate(groups))
    np.testing.assert_allclose(score(points, np.concatenate(groups)), np.max(values, axis=0), atol=1e-6)
    found = rds_plus.select(Toy(points, groups), 10, seed=0, turns="none")
    assert found.rows.tolist() == np.argsort(-np.max(values, axis=0))[:10].tolist()
    np.testing.assert_allclose(found.scores, np.max(values, axis=0), atol=1e-6)


@settings(max_examples=30, deadline=None)
@given(data=st.data(), turns=st.sampled_from(["rows", "groups"]))
def test_copies_of_rows_are_taken_by_key_and_a_larger_budget_contains_a_smaller(data, turns):
    kinds = np.eye(3, dtype=np.float32)
    points = kinds[data.draw(st.lists(st.integers(0, 2), min_size=12, max_size=25))]
    order = np.array(data.draw(st.permutations(range(len(points)))))
    groups = [kinds[:2], kinds[1:]]
    rows = rds_plus.select(Toy(points, groups), 10, seed=1, turns=turns).rows
    assert order[rds_plus.select(Toy(points, groups, order), 10, seed=1, turns=turns).rows].tolist() == rows.tolist()
    assert rds_plus.select(Toy(points, groups), 6, seed=1, turns=turns).rows.tolist() == rows[:6].tolist()


def test_the_rows_of_groups_alternate():
    groups = [np.array([[1.0], [2.0]]), np.array([[3.0]]), np.zeros((0, 1))]
    assert [float(one[0, 0]) for one in alternating(groups)] == [1.0, 3.0, 2.0]


def test_the_best_rows_of_one_chooser_are_a_sort():
    points, groups = toy(3)
    found = best_rows(points, [normalised(groups[0])], 60)
    assert found[0].tolist() == np.argsort(-np.max(reference.similarities(points, groups[0]), axis=0)).tolist()


@pytest.mark.parametrize("turns", ["rows", "groups", "none"])
def test_a_row_without_a_point_changes_no_other_row(turns):
    points, groups = toy(1)
    expected = rds_plus.select(Toy(points, groups), 20, seed=0, turns=turns).rows.tolist()
    broken, groups = points.copy(), [*groups, np.full((2, 5), np.nan, dtype=np.float32)]
    broken[[row for row in range(60) if row not in expected][:3]] = np.nan
    found = rds_plus.select(Toy(broken, groups), 20, seed=0, turns=turns)
    assert found.rows.tolist() == expected and found.excluded == {"not embedded": 3}
    with pytest.raises(ValueError, match="58 rows asked for, only 57 of 60 can be selected: 3 not embedded"):
        rds_plus.select(Toy(broken, groups), 58, seed=0, turns=turns)


def test_targets_without_a_point_are_an_error():
    points, _ = toy(1)
    with pytest.raises(ValueError, match="none of the rows of 'auto' could be embedded"):
        rds_plus.select(Toy(points, [np.full((2, 5), np.nan)]), 5, seed=0)
