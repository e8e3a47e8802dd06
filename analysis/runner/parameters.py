"""Parameters of a notebook: read from it without running it, and values checked against their annotations."""

import difflib
import logging
import re
import typing
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import yaml
from pydantic import PydanticUserError, TypeAdapter, ValidationError

INTEGER, NUMBER, DATE = (f"tag:yaml.org,2002:{name}" for name in ("int", "float", "timestamp"))
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
    annotation, named = parameter.annotation, f"{where}: parameter {parameter.name!r}"
    if annotation in ("None", "", None):
        raise ValueError(f"{named} has no annotation; write e.g. {parameter.name}: int = 1")
    known = {**vars(typing), "typing": typing, "__builtins__": SIMPLE}
    try:
        wanted = TypeAdapter(eval(annotation, known))  # the notebook will evaluate it as well
    except (NameError, SyntaxError, TypeError, AttributeError, PydanticUserError) as error:
        raise ValueError(f"{named} is annotated {annotation!r}; use {', '.join(SIMPLE)} or Optional[...]") from error
    candidates = _readings(str(value), annotation) if isinstance(value, CommandLineText) else [value]
    for candidate in candidates:
        with suppress(ValidationError):
            return wanted.validate_python(candidate, strict=True)  # an int may become a float, and nothing else
    found = candidates[0]
    hint = " Write lists as '[a, b]'." if annotation.startswith(("list", "List")) else ""
    raise ValueError(f"{named} is {annotation}, not {type(found).__name__} {found!r}.{hint}")


class CommandLineText(str):
    """A value typed on the command line, whose type is still to be found."""


def _readings(text: str, annotation: str) -> list[object]:
    """What a text may mean, likeliest first: the annotation decides whether `10` is a number or a text."""
    try:
        value = read_yaml(text)
    except (yaml.YAMLError, ValueError, RecursionError):
        value = text
    if value == text:
        return [text]
    return [value, text] if "str" in annotation else [value]


class _Loader(yaml.SafeLoader):
    """YAML with numbers as JSON and Python write them: YAML 1.1 takes 2e-5 for a text, 010 and 1:30 for numbers."""

    yaml_implicit_resolvers: typing.ClassVar = {
        first: [(tag, written) for tag, written in resolvers if tag not in (INTEGER, NUMBER, DATE)]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }  # fmt: skip


_Loader.add_implicit_resolver(INTEGER, re.compile(r"[-+]?(?:0|[1-9][0-9_]*)$"), list("-+0123456789"))
_Loader.add_implicit_resolver(
    NUMBER,
    re.compile(r"[-+]?(?=\.?[0-9])[0-9_]*(?:\.[0-9]*(?:[eE][-+]?[0-9]+)?|[eE][-+]?[0-9]+)$"),
    list("-+.0123456789"),
)


def read_yaml(text: str) -> object:
    """The value that a YAML text stands for, JSON included; yaml.YAMLError, ValueError or RecursionError where it is neither."""
    return yaml.load(text, _Loader)
