"""IFD as the authors' and the study's scripts compute it, step by step from the text on. Slow on purpose."""

import numpy as np


def pre_experience_rows(labels: list[int], perplexity: list[float], n: int, low: float, high: float) -> list[int]:
    """Rows of data_by_cluster.py: per cluster all if fewer than n, else those in the band at an even stride."""
    taken = []
    for cluster in range(max(labels) + 1):
        members = [row for row, label in enumerate(labels) if label == cluster]
        if len(members) < n:
            taken += members
            continue
        lowest, highest = np.percentile([perplexity[row] for row in members], [low, high])
        middle = [row for row in members if lowest <= perplexity[row] <= highest]
        taken += middle if len(middle) < n else middle[:: len(middle) // n][:n]
    return taken
