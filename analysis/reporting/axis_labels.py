"""What axes of scores and differences say: better is up, or to the right, in every figure, and a loss is shown positive."""

import pandas as pd
from matplotlib.ticker import FuncFormatter

from analysis.experiments.benchmarks.result import NATS


def difference_label(unit: str, other: str = "random") -> str:
    """Of an axis of differences of scores, counted in `unit` (`Unit.short`), on which better than `other` is positive."""
    return f"better than {other} by\n({unit})" if unit == NATS.short else f"above {other} ({unit})"


def difference_limits(lines: pd.DataFrame, room: float = 0.1) -> tuple[float, float]:
    """Ends of an axis of differences from random: zero, all estimates and random runs, and intervals as far as they hide none of these.

    Parameters
    ----------
    lines : estimate, low and high (of the interval; infinite or nan where there is none), random_low, random_high.
    room : left at both ends, as a share of what is between.
    """
    drawn = lines[["estimate", "random_low", "random_high", "low", "high"]]
    most = max(drawn.iloc[:, :3].abs().max().max(), 1e-9)
    drawn = drawn.clip(-2.5 * most, 2.5 * most)  # a longer interval runs out of the panel
    low, high = min(0.0, drawn.min().min()), max(0.0, drawn.max().max())
    return low - room * (high - low), high + room * (high - low)


def score_axis(ax, unit: str) -> None:
    """Name the y axis of scores counted in `unit`; losses, which are held negated, get the numbers that they have."""
    if unit == NATS.short:
        ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{abs(value):g}"))
        ax.set_ylabel(f"loss ({unit})\nlower, that is better, is up")
    else:
        ax.set_ylabel(f"score ({unit})")
