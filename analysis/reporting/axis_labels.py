"""What axes of scores and differences say: better is up, or to the right, in every figure, and a loss is shown positive."""

from matplotlib.ticker import FuncFormatter

from analysis.experiments.benchmarks.result import NATS


def difference_label(unit: str, other: str = "random") -> str:
    """Of an axis of differences of scores, counted in `unit` (`Unit.short`), on which better than `other` is positive."""
    return f"better than {other} by\n({unit})" if unit == NATS.short else f"above {other} ({unit})"


def score_axis(ax, unit: str) -> None:
    """Name the y axis of scores counted in `unit`; losses, which are held negated, get the numbers that they have."""
    if unit == NATS.short:
        ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{abs(value):g}"))
        ax.set_ylabel(f"loss ({unit})\nlower, that is better, is up")
    else:
        ax.set_ylabel(f"score ({unit})")
