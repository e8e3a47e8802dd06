"""How numbers are written in computed sentences."""

POINTS = "share correct"


def number(value: float) -> str:
    """A count with thousands separators, e.g. 12,345."""
    return f"{round(value):,}"


def share(value: float) -> str:
    """A share of one as per cent, with a decimal below ten."""
    return f"{value:.1%}".replace("%", " %") if abs(value) < 0.1 else f"{value:.0%}".replace("%", " %")


def quantity(value: float, unit: str, signed: bool = False) -> str:
    """A score or a difference without its unit: shares of items as points of a hundred."""
    if unit == POINTS:
        return f"{100 * value:{'+' if signed else ''}.1f}"
    return f"{value:{'+' if signed else ''}.3f}"


def unit_name(unit: str) -> str:
    """What a `quantity` is counted in."""
    return "points" if unit == POINTS else "nats per answer token"


def of_each(values, write=share) -> str:
    """Every value of a dict or a Series with its name: 50 % (Random) and 12 % (IFD)"""
    return listed([f"{write(value)} ({name})" for name, value in values.items()])


def listed(texts: list[str]) -> str:
    """a, b and c"""
    return texts[0] if len(texts) == 1 else f"{', '.join(texts[:-1])} and {texts[-1]}"
