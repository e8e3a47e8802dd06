"""What methods are called in figures. Apart from how they are called, which stored selections depend on: a name changes no row."""

from analysis.methods.calls import default_options, get, parse_call
from analysis.methods.catalogue import BASE, METHODS

LABELS = {BASE: "base model alone", "oracle": "oracle"}  # what figures show beside methods
SAID_ALONE = ("variant", "direction", "band", "measure", "inside")  # options whose words say what they are


def label(method: str) -> str:
    """What a method is called in figures, e.g. `cross-entropy (released)`, always with the method that selects within."""
    name, options = parse_call(method)
    if (inner := METHODS[name].inner if name in METHODS else "") and inner not in options:
        options = {inner: default_options(name)[inner]} | options
    text = LABELS.get(name) or get(name).label
    values = [_value(name, option, value) for option, value in options.items()]
    return f"{text} ({', '.join(values)})" if values else text


def method_of(label: str) -> str:
    """Name of the method that a label such as "IFD (released)" is of; "" where it is of none."""
    named = {method.label: name for name, method in METHODS.items()}
    return named.get(label) or named.get(label.partition(" (")[0], "")


def _value(name: str, option: str, value) -> str:
    """An option as figures show it: after its name, but alone where the value says what it is, a method by its label."""
    method = METHODS.get(name)
    if isinstance(value, bool):
        return option.replace("_", " ") if value else f"no {option.replace('_', ' ')}"
    if method and option == method.inner and value not in method.words:
        return label(value)
    text = ", ".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)
    return text if isinstance(value, str) and option in SAID_ALONE else f"{option.replace('_', ' ')} {text}"
