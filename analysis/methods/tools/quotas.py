"""How many rows each group may give: shares of a budget in whole rows."""

import numpy as np


def allocate(weights: np.ndarray, budget: int, available: np.ndarray) -> np.ndarray:
    """Shares of the budget in proportion to weights, by largest remainder; int64 of shape (groups,).

    A group whose share is more than it has gives all it has, and what is left is shared anew among the others
    in the same proportion. Of equal remainders that of the first group counts.

    Parameters
    ----------
    weights : whole numbers from 0 up, shape (groups,): the groups' sizes for proportional quotas, ones for equal.
    available : rows that each group can give, shape (groups,).

    Raises
    ------
    ValueError
        The groups with a weight have fewer rows than the budget.
    """
    weights, available = (np.asarray(values).astype(np.int64) for values in (weights, available))
    if weights.shape != available.shape or (weights < 0).any() or (available < 0).any():
        raise ValueError(f"weights, available: expected numbers from 0 up of one shape, found {weights}, {available}")
    if budget > (most := int(available[weights > 0].sum())):
        raise ValueError(f"budget: {budget} rows asked for, only {most} in groups that count")
    quotas, sharing, left = np.zeros_like(weights), weights > 0, int(budget)
    while True:
        total = int(weights[sharing].sum())
        full = sharing & (left * weights > available * total)  # whole numbers, so that no tie is lost to rounding
        if not full.any():
            break
        quotas[full] = available[full]
        sharing &= ~full
        left = int(budget - quotas.sum())
    if left:
        quotas[sharing] = left * weights[sharing] // total
        remainders = np.where(sharing, left * weights % total, -1)
        quotas[np.argsort(-remainders, kind="stable")[: budget - quotas.sum()]] += 1
    return quotas
