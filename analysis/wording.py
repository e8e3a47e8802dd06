"""How numbers are written in computed sentences."""


def number(value: float) -> str:
    """A count with thousands separators, e.g. 12,345."""
    return f"{round(value):,}"


def share(value: float) -> str:
    """A share of one as per cent, with a decimal below ten."""
    return f"{value:.1%}".replace("%", " %") if abs(value) < 0.1 else f"{value:.0%}".replace("%", " %")


def quantity(value: float, unit: str, signed: bool = False) -> str:
    """A score or difference in its unit: shares as points of a hundred, anything else with three decimals."""
    if unit == "share correct":
        return f"{100 * value:{'+' if signed else ''}.1f}"
    return f"{value:{'+' if signed else ''}.3f}"


def unit_name(unit: str) -> str:
    """The unit behind a `quantity`, e.g. points."""
    return "points" if unit == "share correct" else unit


def listed(texts: list[str]) -> str:
    """a, b and c"""
    return texts[0] if len(texts) == 1 else f"{', '.join(texts[:-1])} and {texts[-1]}"
