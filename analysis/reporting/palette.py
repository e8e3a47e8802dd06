"""Colour, marker and name of every method, the same in every figure."""

import re

from analysis.methods import METHODS
from analysis.methods.selection import parse_call

RANDOM = "random_selection"
GREY, LIGHT_GREY, DARK_GREY = "#8c8c8c", "#d0d0d0", "#4d4d4d"

# Okabe-Ito without yellow, which vanishes on white; random is dark grey in every figure.
PALETTE = ("#E69F00", "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#8C6D46", "#5D3A9B")
MARKERS = ("s", "^", "D", "v", "P", "X", "h", "p", "<", ">")
COLOURS = {RANDOM: DARK_GREY, "base": GREY, "oracle": "#000000"}
LABELS = {"base": "base model alone", "oracle": "oracle"}


def _name_and_options(method: str) -> tuple[str, str]:
    match = re.fullmatch(r"\s*([A-Za-z_]\w*)\s*(?:\((.*)\))?\s*", method, flags=re.DOTALL)
    if match is None:
        raise ValueError(
            f"not a method: {method!r}; expected a name such as 'token_length' or 'ifd(variant=\"released\")'"
        )
    return match[1], (match[2] or "").strip()


def _position(name: str) -> int:
    """Place of a method in METHODS, random selection left out: its colour and marker."""
    names = [known for known in METHODS if known not in COLOURS]
    if name not in names:
        raise ValueError(f"unknown method {name!r}; known: {', '.join([*COLOURS, *names])}")
    return names.index(name)


def colour(method: str) -> str:
    """Colour of a method, the same in every figure; options in parentheses do not change it."""
    name, _ = _name_and_options(method)
    return COLOURS.get(name) or PALETTE[_position(name) % len(PALETTE)]


def marker(method: str) -> str:
    """Marker of a method, so that figures can be read in grey; random selection is the circle."""
    name, _ = _name_and_options(method)
    return "o" if name in COLOURS else MARKERS[_position(name) % len(MARKERS)]


def line(method: str) -> str:
    """Line style: solid for a method as its authors defined it, dashed when it is called with options."""
    return "--" if _name_and_options(method)[1] else "-"


def label(method: str) -> str:
    """What a method is called in figures, e.g. `cross-entropy (released)`."""
    name, options = _name_and_options(method)
    text = LABELS.get(name)
    if text is None:
        if name not in METHODS:
            raise ValueError(f"unknown method {name!r}; known: {', '.join([*LABELS, *METHODS])}")
        text = METHODS[name].label
    values = [_value(name, option, value) for option, value in parse_call(method)[1].items()] if options else []
    return f"{text} ({', '.join(values)})" if values else text


def _value(name: str, option: str, value) -> str:
    """An option as figures show it: words alone, numbers after its name, a method within a method by its label."""
    method = METHODS.get(name)
    if isinstance(value, bool):
        return option.replace("_", " ") if value else f"no {option.replace('_', ' ')}"
    if method and option == method.inner and value not in method.words:
        return label(value)
    text = ", ".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)
    return text if isinstance(value, str) else f"{option.replace('_', ' ')} {text}"


def palette(methods: list[str]) -> dict[str, str]:
    """Label to colour, for seaborn's `palette=` when the hue column holds labels."""
    return {label(method): colour(method) for method in methods}


def markers(methods: list[str]) -> dict[str, str]:
    """Label to marker, for seaborn's `markers=`."""
    return {label(method): marker(method) for method in methods}
