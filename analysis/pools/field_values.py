"""What stands in a field of a row: nothing, a text, a list, a mark that it is not to be trained on."""

import json
import math
import re
from collections.abc import Collection, Iterable, Mapping
from decimal import Decimal
from functools import lru_cache

from analysis.pools.findings import Notes, Rejected
from analysis.pools.json_text import parsed

TEXT_PARTS = ("text", "input_text", "output_text")
THOUGHT_PARTS = ("thinking", "redacted_thinking", "reasoning")
MARKS = ("weight", "loss_weight", "train", "training", "kto_tag")  # 0 or false: the answer is not to be trained on
OFF = ("0", "0.0", "false")
ON = ("1", "1.0", "true")
PYTHON_TEXT = re.compile(r"\s*[\[{]\s*[\[{]?\s*'")


def missing(value: object) -> bool:
    """Null, or a NaN as pandas writes it."""
    return value is None or (isinstance(value, float) and math.isnan(value))


def empty(value: object) -> bool:
    """Nothing that could mean something: missing, a blank text, a list or object without entries."""
    return (
        missing(value)
        or (isinstance(value, str) and not value.strip())
        or (hasattr(value, "__len__") and not len(value))
    )


@lru_cache(maxsize=1 << 12)
def _folded_name(name: object) -> str:
    return str(name).strip().casefold()


def folded(row: Collection[tuple[object, object]]) -> dict[str, object]:
    """Fields by name without case and outer space; a second one of a name is kept under a name of its own."""
    named: dict[str, object] = {_folded_name(name): value for name, value in row}
    if len(named) == len(row):
        return named
    named = {}
    for name, value in row:
        name = folded_name = _folded_name(name)
        while name in named and not empty(named[name]):
            name += f" ({folded_name} again)"
        named[name] = value
    return named


def unique_names(names: Iterable[str]) -> list[str]:
    """Names of columns: a second one of a name is told from the first, that neither is lost."""
    given: list[str] = []
    for name in names:
        while name and name in given:
            name += " (again)"
        given.append(name)
    return given


def marked_off(fields: Mapping, names: tuple[str, ...] = MARKS) -> str | None:
    """The first of these fields that says: do not train on this."""
    if fields.keys().isdisjoint(names):
        return None
    said = (name for name in names if not missing(fields.get(name)))
    return next((name for name in said if str(fields[name]).strip().casefold() in OFF), None)


def text(value: object, field: str, notes: Notes) -> str:
    """A text, or a number as text, or the text parts of a list, joined by line ends.

    Raises
    ------
    Rejected
        Anything else, pictures among it.
    """
    if isinstance(value, str):
        if not value.isascii():
            try:
                value.encode()
            except UnicodeEncodeError as error:  # half of a surrogate pair, escaped in JSON
                raise Rejected("invalid UTF-8", field, str(error)) from error
        return value
    if isinstance(value, bytes):
        try:
            return value.decode()
        except UnicodeDecodeError as error:
            raise Rejected("invalid UTF-8", field, str(error)) from error
    if isinstance(value, int | float) and not missing(value):
        notes.add("number read as text", field, value)
        return json.dumps(value)
    if isinstance(value, Decimal):
        notes.add("number read as text", field, value)
        return str(value)
    if isinstance(value, list) and value and all(_is_part(part) for part in value):
        return "\n".join(_part(part, field) for part in value)
    raise Rejected("wrong type", field, value)


def joined(value: object, field: str, notes: Notes) -> object:
    """Texts of a list, such as documents, as one text with blank lines between; any other value as it is."""
    if isinstance(value, list) and value and all(isinstance(entry, str) for entry in value):
        if len(value) > 1:
            notes.add("list of texts joined by blank lines", field, value)
        return "\n\n".join(value)
    return value


def _is_part(part: object) -> bool:
    """Of a type; or, as Bedrock and Gemini have them, a text and nothing else."""
    return isinstance(part, Mapping) and (isinstance(part.get("type"), str) or part.keys() == {"text"})


def _part(part: Mapping, field: str) -> str:
    kind = part.get("type", "text")
    if kind.startswith(("tool", "function", "server_tool")):
        raise Rejected("tool use", field, kind)
    if kind in THOUGHT_PARTS:
        raise Rejected("thoughts in a part beside the answer (write both into one text)", field, kind)
    if kind not in TEXT_PARTS:
        raise Rejected("needs more than text (a picture, sound or film)", field, kind)
    return text(part.get("text"), field, Notes())


def as_list(value: object, field: str) -> list:
    """A list, also one written as JSON text in a cell.

    Raises
    ------
    Rejected
        No list, or Python's text of one.
    """
    if isinstance(value, str) and value.lstrip().startswith("["):
        try:
            value = parsed(value)
        except (ValueError, RecursionError) as error:  # ValueError also for a number of too many digits
            if PYTHON_TEXT.match(value):
                raise Rejected("Python text instead of JSON (write it with json.dumps)", field, value[:80]) from error
            raise Rejected("not JSON", field, str(error)) from error
    if not isinstance(value, list):
        raise Rejected("wrong type", field, value)
    return value
