"""Colour, marker and name of every method, the same in every figure."""

from collections.abc import Iterable

from analysis.methods import BASE, METHODS, RANDOM, label
from analysis.methods.calls import parse_call
from analysis.methods.labels import method_of
from analysis.subsets.rows import WHOLE_POOL

TARGET_ROWS = "target rows"
GREY, LIGHT_GREY, DARK_GREY = "#8c8c8c", "#d0d0d0", "#4d4d4d"

# Okabe-Ito without yellow, which vanishes on white; random is dark grey in every figure.
PALETTE = ("#E69F00", "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#8C6D46", "#5D3A9B")
MARKERS = ("s", "^", "D", "v", "P", "X", "h", "p", "d", "*")  # not < and >: these say that an interval goes on
FILLS = ("full", "none", "left", "right", "top", "bottom")  # of marks
COLOURS = {RANDOM: DARK_GREY, BASE: GREY, "oracle": "#000000"}


def _position(name: str) -> int:
    """Place of a method in METHODS, random selection left out: its colour and marker."""
    names = [known for known in METHODS if known not in COLOURS]
    if name not in names:
        raise ValueError(f"unknown method {name!r}; known: {', '.join([*COLOURS, *names])}")
    return names.index(name)


def colour(method: str) -> str:
    """Colour of a method, the same in every figure; options in parentheses do not change it."""
    name, _ = parse_call(method)
    return COLOURS.get(name) or PALETTE[_position(name) % len(PALETTE)]


def marker(method: str) -> str:
    """Marker of a method, so that figures can be read in grey; random selection is the circle."""
    name, _ = parse_call(method)
    return "o" if name in COLOURS else MARKERS[_position(name) % len(MARKERS)]


def fills(methods: Iterable[str]) -> dict[str, str]:
    """How the mark of each method is filled, so that the forms of one method, which share its mark and colour, differ."""
    seen: dict[str, int] = {}
    given = {}
    for method in methods:
        name, _ = parse_call(method)
        given[method] = FILLS[seen.get(name, 0) % len(FILLS)]
        seen[name] = seen.get(name, 0) + 1
    return given


def line(method: str) -> str:
    """Line style: solid for a method as its authors defined it, dashed when it is called with options."""
    return "--" if parse_call(method)[1] else "-"


def palette(methods: list[str]) -> dict[str, str]:
    """Label to colour, for seaborn's `palette=` when the hue column holds labels."""
    return {label(method): colour(method) for method in methods}


def colours_of(labels: Iterable[str]) -> dict[str, str]:
    """A colour for every label, none twice before all are in use; fixed ones need not be asked for.

    The first form of a method has the method's colour, further forms the first ones free, so that they are the same in
    all figures that show forms in one order.
    """
    fixed = {WHOLE_POOL: GREY, TARGET_ROWS: "#000000", label(RANDOM): DARK_GREY}
    names = [name for name in dict.fromkeys(labels) if name not in fixed]
    given: dict[str, str] = {}
    for name in names:
        if (method := method_of(name)) and colour(method) not in given.values():
            given[name] = colour(method)
    for name in names:
        free = [one for one in PALETTE if one not in given.values()] or list(PALETTE)
        given.setdefault(name, free[0])
    return fixed | given


def markers(methods: list[str]) -> dict[str, str]:
    """Label to marker, for seaborn's `markers=`."""
    return {label(method): marker(method) for method in methods}
