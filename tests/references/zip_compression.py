"""ZIP by its formulas: every ratio compresses everything anew. Slow on purpose."""

import zlib

import numpy as np


def ratio(rows: list, printed: bool) -> float:
    """Raw bytes / bytes at zlib level 9, of the printed list of records or of the messages' text."""
    if printed:
        raw = str(rows).encode()
    else:
        raw = "".join(message["content"] + "\n" for row in rows for message in row["messages"]).encode()
    return len(raw) / len(zlib.compress(raw, 9))


def lowest(values: dict[int, float], places: np.ndarray, count: int) -> list[int]:
    """The rows of lowest value; equal values in the order of `places`."""
    return sorted(values, key=lambda row: (values[row], places[row]))[:count]


def select(records: list[dict], budget: int, places: np.ndarray, *, printed: bool, k1: int, k2: int, k3: int) -> list:
    """Rows in order of selection; losers of a third stage return when no row is left."""
    kept = np.float32 if printed else np.float64
    state = {row: kept(ratio([record], printed)) for row, record in enumerate(records)}
    selected, race, losers = [], set(state), set()
    while len(selected) < budget:
        if not race:
            race, losers = losers, set()
        first = lowest({row: state[row] for row in race}, places, k1)
        so_far = [records[row] for row in selected]
        for row in first:
            state[row] = kept(ratio([*so_far, records[row]], printed))
        second = lowest({row: state[row] for row in first}, places, k2)
        group = []
        while len(group) < min(k3, len(second)):
            of_round = [records[row] for row in group]
            left = {row: ratio([*of_round, records[row]], printed) for row in second if row not in group}
            best = min(left.values())
            group.append(next(row for row in second if left.get(row) == best))
        race -= set(second)
        losers |= set(second) - set(group)
        selected += group
    return selected[:budget]
