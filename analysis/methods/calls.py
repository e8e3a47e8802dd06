"""A method with its options as text, such as "ifd(variant='released')": read, written and carried out."""

import ast
import inspect

import numpy as np

from analysis.methods.catalogue import METHODS, Method
from analysis.methods.selection import Selection

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
    known = default_options(name)
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
    value = (default_options(name) | options)[method.inner]
    if value in method.words:
        return None
    words = f"{', '.join(map(repr, method.words))} or " if method.words else ""
    expected = f"{method.inner}: expected {words}a method's call as text"
    if not isinstance(value, str):
        raise ValueError(f"method {name}: {expected}, found {value!r}")
    try:
        parse(value)
    except ValueError as error:
        raise ValueError(f"method {name}: {expected}; {error}") from error
    return value


def call(method: str, *, keep: tuple[str, ...] = (), **options) -> str:
    """The text of a call with these options beside those it has; defaults are left out unless named in `keep`."""
    name, given = parse_call(method)
    defaults = default_options(name)
    options = {option: value for option, value in (given | options).items()
               if option in (*keep, *given) or value != defaults.get(option, inspect.Parameter.empty)}  # fmt: skip
    listed = ", ".join(f"{option}={value!r}" for option, value in options.items())
    text = f"{name}({listed})" if listed else name
    parse(text)
    return text


def default_options(name: str) -> dict:
    """Every option of a method with its default."""
    parameters = inspect.signature(get(name).select).parameters
    return {option: parameter.default for option, parameter in parameters.items() if option not in GIVEN}


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


def scored(specification: str, features, *, seed: int) -> Selection:
    """What a method says of every row, for a method that holds its call as the option `inside`.

    Raises
    ------
    ValueError
        The method chooses a set and scores no row.
    """
    one = select(specification, features, 1, seed=seed)
    if one.scores is None:
        raise ValueError(
            f"inside: {specification!r} chooses a set and scores no row; expected a method that scores rows"
        )
    return one


def parse_call(specification: str) -> tuple[str, dict]:
    """Read `name` or `name(option=value, ...)` with literal values; nothing is evaluated.

    Raises
    ------
    ValueError
        Anything else than a name and named options, or an option given twice.
    """
    expected = "expected a method's name or name(option=value, ...)"
    try:
        expression = ast.parse(specification.strip(), mode="eval").body
    except (SyntaxError, ValueError) as error:
        raise ValueError(f"method {specification!r}: {expected} ({error})") from error
    if isinstance(expression, ast.Name):
        return expression.id, {}
    if not isinstance(expression, ast.Call) or not isinstance(expression.func, ast.Name) or expression.args:
        raise ValueError(f"method {specification!r}: {expected}")
    options: dict = {}
    for keyword in expression.keywords:
        if keyword.arg is None:
            raise ValueError(f"method {specification!r}: {expected}")
        try:
            options[keyword.arg] = ast.literal_eval(keyword.value)
        except ValueError as error:
            value = ast.unparse(keyword.value)
            raise ValueError(
                f"method {specification!r}: {keyword.arg}: expected a plain value (text in quotes), found {value}"
            ) from error
    return expression.func.id, options
