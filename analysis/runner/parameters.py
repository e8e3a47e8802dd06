"""Parameters of a notebook: read from it without running it, and values checked against their annotations."""

import ast
import difflib
import logging
from dataclasses import dataclass
from pathlib import Path

import yaml

SIMPLE = {"int": int, "float": float, "str": str, "bool": bool, "list": list, "tuple": tuple, "dict": dict}


@dataclass(frozen=True)
class Parameter:
    """One line of the notebook's parameters cell; `annotation` and `default` are source text."""

    name: str
    annotation: str
    default: str
    help: str


def notebook_parameters(path: Path) -> dict[str, Parameter]:
    """Parameters of a notebook in their order, by `papermill.inspect_notebook` (no kernel is started).

    Raises
    ------
    FileNotFoundError; ValueError for a file that is no notebook.
    """
    import nbformat
    import papermill

    if not Path(path).is_file():
        raise FileNotFoundError(f"no such notebook: {path}")
    logging.getLogger("papermill").setLevel(logging.ERROR)  # it announces files; we announce notebooks
    try:
        found = papermill.inspect_notebook(str(path))
    except (ValueError, KeyError, AttributeError, nbformat.ValidationError) as error:
        raise ValueError(f"{path}: not a notebook that can be read ({error})") from error
    return {
        name: Parameter(name, one["inferred_type_name"], one["default"], one["help"].strip())
        for name, one in found.items()
    }


def unknown_parameter(name: str, known: list[str], where: str) -> str:
    """The message for a name that no parameter has, with the closest known one."""
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    suggestion = f" Did you mean {close[0]!r}?" if close else ""
    return f"unknown parameter {name!r} for {where}.{suggestion} Known: {', '.join(known)}"


def convert(value: object, parameter: Parameter, where: str) -> object:
    """The value as its annotation wants it, or a ValueError that says what was expected.

    Parameters
    ----------
    value : text from the command line is read as YAML (so JSON works too) unless the annotation is `str`
    where : named in the message, e.g. the notebook
    """
    annotation = parameter.annotation
    if annotation in ("None", "", None):
        raise ValueError(
            f"{where}: parameter {parameter.name!r} has no annotation; write e.g. {parameter.name}: int = 1"
        )
    try:
        tree = ast.parse(annotation, mode="eval").body
    except SyntaxError as error:
        raise ValueError(f"{where}: parameter {parameter.name!r} has the annotation {annotation!r}") from error
    candidates = [value]
    if isinstance(value, CommandLineText):
        candidates = _readings(str(value), annotation)
    for candidate in candidates:
        fits, converted = _fit(candidate, tree, f"{where}: parameter {parameter.name!r}")
        if fits:
            return converted
    found = candidates[0]
    hint = " Write lists as '[a, b]'." if annotation.startswith(("list", "List")) else ""
    raise ValueError(
        f"{where}: parameter {parameter.name!r} is {annotation}, not {type(found).__name__} {found!r}.{hint}"
    )


class CommandLineText(str):
    """A value typed on the command line, whose type is still to be found."""


def _readings(text: str, annotation: str) -> list[object]:
    """What a text may mean, likeliest first: the annotation decides whether `10` is a number or a text."""
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError:
        value = text
    if isinstance(value, str):
        try:
            value = float(value)  # YAML 1.1 takes 1e-5 for a text
        except ValueError:
            value = text
    if value == text:
        return [text]
    return [value, text] if "str" in annotation else [value]


def _fit(value: object, tree: ast.expr, where: str) -> tuple[bool, object]:
    """Whether a value is of the type that an annotation says, and the value (an int may become a float)."""
    if isinstance(tree, ast.BinOp) and isinstance(tree.op, ast.BitOr):
        options = [tree.left, tree.right]
    elif isinstance(tree, ast.Subscript) and _name(tree.value) in ("Optional", "Union"):
        inner = tree.slice.elts if isinstance(tree.slice, ast.Tuple) else [tree.slice]
        options = [*inner, ast.Constant(None)] if _name(tree.value) == "Optional" else inner
    else:
        return _fit_one(value, tree, where)
    for option in options:
        fits, converted = _fit(value, option, where)
        if fits:
            return True, converted
    return False, value


def _fit_one(value: object, tree: ast.expr, where: str) -> tuple[bool, object]:
    if isinstance(tree, ast.Constant) and tree.value is None:
        return value is None, value
    if isinstance(tree, ast.Constant) and isinstance(tree.value, str):
        return _fit(value, ast.parse(tree.value, mode="eval").body, where)
    elements = None
    if isinstance(tree, ast.Subscript):
        elements, tree = tree.slice, tree.value
    name = _name(tree).lower()
    if name not in SIMPLE:
        raise ValueError(f"{where} is annotated {ast.unparse(tree)!r}; use {', '.join(SIMPLE)} or Optional[...]")
    if name == "float" and isinstance(value, int) and not isinstance(value, bool):
        return True, float(value)
    if not isinstance(value, SIMPLE[name]) or (name == "int" and isinstance(value, bool)):
        return False, value
    if elements is None or name == "dict":
        return True, value
    if name == "tuple":
        elements = elements.elts[0] if isinstance(elements, ast.Tuple) else elements
    pairs = [_fit(one, elements, where) for one in value]
    return all(fits for fits, _ in pairs), type(value)(converted for _, converted in pairs)


def _name(tree: ast.expr) -> str:
    return tree.attr if isinstance(tree, ast.Attribute) else getattr(tree, "id", ast.unparse(tree))
