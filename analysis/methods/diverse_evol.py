"""Selection by spreading over the space of a model that is trained on what was selected (Wu et al. 2023)."""

import numpy as np

from analysis.methods.selection import Selection, check_budget, choose, shuffled_places
from analysis.methods.tools.k_center import farthest_at_once, farthest_first

# Picking, whether every round starts from the base, rounds, share of the budget that is drawn at random.
VARIANTS = {"original": (farthest_first, True, 10, 1 / 11), "released": (farthest_at_once, False, 3, 1 / 10)}
SPACES = {"evolving": True, "base": False}


def select(
    features,
    budget: int,
    *,
    seed: int,
    variant: str = "original",
    rounds: int | None = None,
    initial: float | None = None,
    embedding: str = "all",
    space: str = "evolving",
) -> Selection:
    """Draw some rows at random; then in rounds fine-tune on what is selected, embed all rows, take the farthest.

    A round's rows are chosen one by one, each at the largest Euclidean distance to the nearest selected row
    (K-center sampling of Wu et al. 2023, arXiv 2311.08182).

    Parameters
    ----------
    variant : "original" fine-tunes the base itself in every round; "released", the study's script, goes on with
        the model of the round before and takes all rows of a round at once, those farthest from the rows of
        earlier rounds however near to each other.
    rounds : of equal size; default 10, and 3 for "released" (its 1,000 rows and three times 3,000).
    initial : share of the budget that is drawn at random; default 1/11 (100 of 1,100 rows), "released" 1/10.
    embedding : kind of `features.embeddings`; the paper's is the mean over "all" tokens.
    space : "evolving", or that of the "base" alone, in which nothing is trained.
    seed : of the draw, of the fine-tuning and of ties.

    Returns
    -------
    Selection
        In order of selection; a larger budget need not contain a smaller one, as its rounds are larger.
        `scores` is `None`: a row's worth depends on those selected before it.

    Notes
    -----
    Differs from the authors' evol_schedule_base.py in the template, the fine-tuning's settings and in holding
    rows x dim numbers, not rows x rows. "released" differs from diverse/kcenter_sampling.py in setting distances
    below zero, which rounding makes of near-duplicates and whose root the script sorts first, to zero.
    """
    take, fresh, default_rounds, default_initial = choose("variant", variant, VARIANTS)
    evolving = choose("space", space, SPACES)
    budget = check_budget(budget, features.n_rows)
    sizes = round_sizes(
        budget, default_rounds if rounds is None else rounds, default_initial if initial is None else initial
    )
    order = shuffled_places(features.n_rows, seed, features.row_keys()).argsort()  # ties follow it
    answers = features.lengths().answer[order]
    usable = answers > 0
    excluded = {"no answer token": int((~usable).sum())}
    _check_left(budget, usable, excluded)
    chosen = np.flatnonzero(usable)[: sizes[0]]
    model = features
    for size in sizes[1:]:
        if evolving:
            model = (features if fresh else model).after_finetuning(order[chosen], seed=seed)
        points = model.embeddings(embedding)
        embedded = usable & np.isfinite(points).all(axis=1)[order]
        excluded["not embedded"] = int((usable & ~embedded).sum() - (~embedded[chosen]).sum())
        _check_left(budget, embedded | np.isin(np.arange(len(order)), chosen), excluded)
        chosen = np.concatenate([chosen, _farthest(take, points, order, embedded, chosen, size)])
    return Selection(rows=order[chosen], excluded={reason: count for reason, count in excluded.items() if count})


def round_sizes(budget: int, rounds: int, initial: float) -> list[int]:
    """Rows of the random draw and of every round: at least one each, the rounds equal but for one row.

    Raises
    ------
    ValueError
        `rounds` is not a whole number from 1 up, or `initial` not between 0 and 1.
    """
    if isinstance(rounds, bool) or not isinstance(rounds, int) or rounds < 1:
        raise ValueError(f"rounds: expected a whole number from 1 up, found {rounds!r}")
    if not 0 < initial < 1:
        raise ValueError(f"initial: expected a share between 0 and 1, found {initial!r}")
    drawn = min(max(1, round(budget * initial)), budget)
    left = budget - drawn
    rounds = min(rounds, left)
    return [drawn, *(left // rounds + (place < left % rounds) for place in range(rounds))]


def _farthest(take, points: np.ndarray, order, embedded, chosen: np.ndarray, size: int) -> np.ndarray:
    """The rows of a round, as places in `order`; only those embedded take part."""
    taking_part = np.flatnonzero(embedded)
    labelled = np.flatnonzero(np.isin(taking_part, chosen))
    return taking_part[take(points[order[taking_part]], labelled, size)]


def _check_left(budget: int, selectable: np.ndarray, excluded: dict[str, int]) -> None:
    if budget > selectable.sum():
        why = ", ".join(f"{count} {reason}" for reason, count in excluded.items() if count)
        raise ValueError(
            f"budget: {budget} rows asked for, only {selectable.sum()} of {len(selectable)} can be selected: {why}"
        )
