"""The files that values of a notebook name, also within lists and within calls such as "less(targets='t.jsonl')"."""

import ast
import os
from collections.abc import Callable, Iterator
from pathlib import Path

from analysis.paths import FIGURES, PUBLISHED, SPLITTER
from analysis.store.file_states import files_named, states

Change = Callable[[str, str], str]  # from the name of a parameter or option, and its text, to another text


def changed_texts(value: object, change: Change, name: str = "") -> object:
    """The value with every text changed: those of lists and mappings, and in place of a call those of its options.

    Parameters
    ----------
    name : of the parameter or option that has the value.
    """
    if isinstance(value, dict):
        return {changed_texts(key, change): changed_texts(one, change, str(key)) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(changed_texts(one, change, name) for one in value)
    if not isinstance(value, str):
        return value
    call = _call(value)
    if call is None:
        return change(name, value)
    same = True
    for option in call.keywords:
        for node in (one for one in ast.walk(option.value) if isinstance(one, ast.Constant)):
            new = changed_texts(node.value, change, option.arg or "")
            same, node.value = same and new == node.value, new
    return value if same else ast.unparse(call)


def texts_of(value: object, name: str = "") -> Iterator[tuple[str, str]]:
    """The name and the text of each that `changed_texts` would change."""
    found: list[tuple[str, str]] = []
    changed_texts(value, lambda *told: found.append(told) or told[1], name)
    return iter(found)


def _call(text: str) -> ast.Call | None:
    if "(" not in text:
        return None
    try:
        found = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    return found if isinstance(found, ast.Call) and isinstance(found.func, ast.Name) and not found.args else None


def states_named(text: str) -> dict[str, list[list]]:
    """By path the states of the files that a text of absolute paths names; empty for any other text."""
    named = text.partition(SPLITTER)[0]
    if os.path.isabs(named) and os.path.exists(named):  # whatever commas it has
        return {named: states(sorted(Path(named).rglob("*")) if os.path.isdir(named) else [Path(named)])}
    return {part: files_named(part) for part in map(str.strip, named.split(",")) if os.path.isabs(part)}


def states_published(runs: str) -> dict[str, list[list]]:
    """The same of a file of published runs, which `published_results` finds by its name too."""
    places = dict.fromkeys(folder / f"{runs}.parquet" for folder in (PUBLISHED, FIGURES / "runs"))
    return {str(place): states([place]) for place in places}
