"""How numbers are written in computed sentences."""

import math
import textwrap

from analysis.experiments.benchmarks.result import NATS, unit_of


def number(value: float) -> str:
    """A count with thousands separators, e.g. 12,345."""
    return f"{round(value):,}"


def agreeing(count: float, one: str, many: str) -> str:
    """The word that agrees with a count as `number` writes it: is or are."""
    return one if round(count) == 1 else many


def counted(count: float, one: str, many: str = "") -> str:
    """A count with its noun: 1 row, 12,345 rows; `many` where it is not `one` and an s."""
    return f"{number(count)} {agreeing(count, one, many or f'{one}s')}"


def figures(value: float) -> str:
    """A number of a table with the digits that mean something: 125, 0.774, 12.3 or 1,426."""
    return f"{value:,.0f}" if float(value).is_integer() or abs(value) >= 999.5 else f"{value:.3g}"


def p_text(value: float) -> str:
    """A p with three digits behind the point; none is 0."""
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


def share(value: float) -> str:
    """A share of one as per cent, with a decimal below ten."""
    return f"{value:.1%}".replace("%", " %") if abs(value) < 0.1 else f"{value:.0%}".replace("%", " %")


def repaired(low: float, high: float) -> str:
    """What quotas do to a method, by the ends of the interval of the difference that they make."""
    return "repaired" if low > 0 else "harmed" if high < 0 else "neither repaired nor harmed for certain"


def as_read(scores, unit: str):
    """Scores, or one, as they are read: a loss, which is held negated, as the loss, of which less is better."""
    return -scores if unit == NATS.name else scores


def quantity(value: float, unit: str, signed: bool = False) -> str:
    """A score or a difference as its unit is written, without the unit itself."""
    written = unit_of(unit)
    return f"{written.scale * value:{'+' if signed else ''}.{written.digits}f}"


def with_interval(line, unit: str) -> str:
    """The estimate of a line of a table with its interval, e.g. +1.5 [-0.5, +3.5], or alone where one run has none."""
    estimate, low, high = (quantity(line[name], unit, True) for name in ("estimate", "low", "high"))
    known = math.isfinite(line["low"]) and math.isfinite(line["high"])
    return f"{estimate} [{low}, {high}]" if known else f"{estimate} (without an interval)"


def unit_name(unit: str) -> str:
    """What a `quantity` is counted in."""
    return unit_of(unit).short


def gained_in(unit: str) -> str:
    """What a difference is counted in; of losses, of which less is better, with the sign that is."""
    return f"{unit_name(unit)} (minus: a higher loss)" if unit == NATS.name else unit_name(unit)


def of_each(values, write=share) -> str:
    """Every value of a dict or a Series with its name: 50 % (Random) and 12 % (IFD)"""
    return listed([f"{write(value)} ({name})" for name, value in values.items()])


def in_lines(text: str, width: int) -> str:
    """The text in lines of at most `width` characters, broken between words alone: hyphens are parts of names."""
    return textwrap.fill(text, width, break_on_hyphens=False, break_long_words=False)


def listed(texts: list[str]) -> str:
    """a, b and c"""
    return texts[0] if len(texts) == 1 else f"{', '.join(texts[:-1])} and {texts[-1]}"
