"""RDS+ by its formulas: every pool row against every target row, one by one. Slow on purpose."""

import numpy as np


def embedding(states: np.ndarray) -> np.ndarray:
    """Mean of a row's hidden states, the i-th of them with weight i, scaled to length 1."""
    total = sum((place + 1) * state for place, state in enumerate(np.asarray(states, dtype=np.float64)))
    return total / np.sqrt((total**2).sum())


def similarities(points: np.ndarray, targets: np.ndarray) -> list[list[float]]:
    """Cosine of each target row to each pool row."""
    return [
        [float(one @ row / np.sqrt((one @ one) * (row @ row))) for row in np.asarray(points, dtype=np.float64)]
        for one in np.asarray(targets, dtype=np.float64)
    ]


def in_turn(lists: list[list[float]], budget: int, places: list[int], when_taken: str) -> list[int]:
    """In turn each list takes its best row that no other has; the row of lowest place among equal ones.

    Where turns are "lost", a list strikes its best row off as the authors' script does, also when another has it.
    """
    if when_taken == "lost":
        left = [sorted(range(len(values)), key=lambda row, of=values: (-of[row], places[row])) for values in lists]
        saved: list[int] = []
        while len(saved) < budget:
            for rows in left:
                row = rows.pop(0)
                if row not in saved and len(saved) < budget:
                    saved.append(row)
        return saved
    taken: list[int] = []
    while len(taken) < budget:
        for values in lists:
            left = [row for row in range(len(values)) if row not in taken]
            if left and len(taken) < budget:
                taken.append(max(left, key=lambda row: (values[row], -places[row])))
    return taken


def select(
    points, groups: list[np.ndarray], budget: int, places: list[int], *, by_groups: bool, when_taken: str
) -> list[int]:
    """Rows in order of selection, the targets' rows (those of different groups alternating) or groups in turn."""
    by_group = [similarities(points, group) for group in groups]
    if by_groups:
        lists = [[max(values) for values in zip(*group, strict=True)] for group in by_group]
    else:
        longest = max(len(group) for group in by_group)
        lists = [group[place] for place in range(longest) for group in by_group if place < len(group)]
    return in_turn(lists, budget, places, when_taken)
