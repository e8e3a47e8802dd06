"""What a benchmark gives: a score per item, and the unit in which differences of such scores are told."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Unit:
    """What scores are counted in.

    Attributes
    ----------
    name : of the score, as tables hold it.
    short : what differences are counted in.
    scale : from a score to what is drawn and written.
    digits : written after the point.
    delta : smallest difference that matters unless something else is asked for, as a difference of scores.
    """

    name: str
    short: str
    scale: float
    digits: int
    delta: float


POINTS = Unit("share correct", "points", scale=100, digits=1, delta=0.02)
NATS = Unit("nats per answer token, negated", "nats per answer token", scale=1, digits=3, delta=0.05)
UNITS = {unit.name: unit for unit in (POINTS, NATS)}


def unit_of(name: str) -> Unit:
    """The unit of this name; one that is not in `UNITS`, such as a metric of another suite, is told as it is."""
    return UNITS.get(name) or Unit(name, name, scale=1, digits=3, delta=0.02)


@dataclass(frozen=True)
class BenchmarkResult:
    """Scores of one model on one benchmark.

    `unit` is the name of a `Unit`; `items` has shape (n_items,); higher is better, nan where an item has nothing to
    score.
    """

    name: str
    unit: str
    item_ids: list[str]
    items: np.ndarray
    groups: list[str]
    seconds: float
    responses: list[str] | None = None
