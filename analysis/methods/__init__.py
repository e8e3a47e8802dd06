"""The selection methods: arrays in, row numbers out. A new one is a file here and an entry in `catalogue.METHODS`."""

import inspect

import numpy as np

from analysis.methods.catalogue import METHODS, Method
from analysis.methods.selection import Selection, parse_call, top_k

__all__ = [
    "METHODS",
    "Method",
    "Selection",
    "by_chance",
    "code_of",
    "get",
    "inner_call",
    "needs_of",
    "parse",
    "select",
    "top_k",
]

GIVEN = ("features", "budget", "seed")  # by whoever selects, so never options of a method


def get(name: str) -> Method:
    """The method called `name`; an unknown name is an error that lists the known ones."""
    if name not in METHODS:
        raise ValueError(f"method {name!r} is unknown; the methods are {', '.join(METHODS)}")
    return METHODS[name]


def parse(specification: str) -> tuple[str, dict]:
    """Method name and options of a text such as "cross_entropy(variant='released', direction='lowest')".

    Raises
    ------
    ValueError
        Unknown method or option (lists the known ones), or a text that is not of this form.
    """
    name, options = parse_call(specification)
    parameters = inspect.signature(get(name).select).parameters
    known = [parameter for parameter in parameters if parameter not in GIVEN]
    for option in options:
        if option not in known:
            listed = f"its options are {', '.join(known)}" if known else "it has no options"
            raise ValueError(f"method {specification!r}: unknown option {option!r}; {listed}")
    inner_call(name, options)
    return name, options


def inner_call(name: str, options: dict) -> str | None:
    """The call of another method among a method's options, checked; `None` where there is none.

    Raises
    ------
    ValueError
        The option is no text, or not a method's call and none of the words that it may also be.
    """
    method = get(name)
    if not method.inner:
        return None
    value = options.get(method.inner, inspect.signature(method.select).parameters[method.inner].default)
    if value in method.words:
        return None
    expected = f"{method.inner}: expected {', '.join(map(repr, method.words))} or a method's call as text"
    if not isinstance(value, str):
        raise ValueError(f"method {name}: {expected}, found {value!r}")
    try:
        parse(value)
    except ValueError as error:
        raise ValueError(f"method {name}: {expected}; {error}") from error
    return value


def by_chance(specification: str) -> bool:
    """Whether chance alone selects, so that another seed is another draw; "random" within clusters included."""
    name, options = parse(specification)
    return get(name).by_chance or options.get(get(name).inner) == "random"


def methods_of(specification: str) -> tuple[Method, ...]:
    """The method of a call, and those of the calls within it."""
    name, options = parse(specification)
    inner = inner_call(name, options)
    return (get(name), *(methods_of(inner) if inner else ()))


def code_of(specification: str) -> tuple[str, ...]:
    """Full names of the modules that decide what a call selects, those of a method within it included."""
    return tuple(dict.fromkeys(name for method in methods_of(specification) for name in method.code))


def needs_of(specification: str) -> tuple[str, ...]:
    """What a call asks of `Features`, a method within it included."""
    return tuple(dict.fromkeys(need for method in methods_of(specification) for need in method.needs))


def select(specification: str, features, budget: int, *, seed: int) -> Selection:
    """Choose `budget` rows by a method given as text; the result is checked against the method's contract.

    Parameters
    ----------
    specification : see `parse`.
    features : `Features` of the pool, or anything that answers as it does.
    seed : of random draws and of ties.
    """
    name, options = parse(specification)
    selection = get(name).select(features, budget, seed=seed, **options)
    if len(selection.rows) != budget:
        raise ValueError(f"method {name}: expected {budget} rows, found {len(selection.rows)}")
    if selection.rows.min() < 0 or selection.rows.max() >= features.n_rows:
        found = (int(selection.rows.min()), int(selection.rows.max()))
        raise ValueError(f"method {name}: expected rows from 0 to {features.n_rows - 1}, found {found}")
    if selection.scores is not None and np.shape(selection.scores) != (features.n_rows,):
        raise ValueError(f"method {name}: expected {features.n_rows} scores, found {np.shape(selection.scores)}")
    return selection
