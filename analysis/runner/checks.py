"""What no notebook can use is refused before the first one starts: in one line with name, value found and value expected."""

import os
import re
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path

from analysis.methods import parse
from analysis.paths import SPLITTER
from analysis.runner.finetuning import check_finetuning
from analysis.store.store import digest

FROM_ONE = ("limit", "budget", "parts", "clusters", "rounds", "epochs", "training_seeds", "map_rows", "n_neighbors")
FROM_ZERO = ("seed", "n_draws", "skills", "bands", "design_parts", "confirm")
LISTS_FROM_ONE = ("budgets", "sizes", "trained_sizes", "skill_counts")
METHODS = ("methods", "further")
NEVER_EMPTY = ("pool", "model")
LONGEST = 100  # characters of a folder's name, to which endings are added
ENOUGH = 1 << 20  # bytes that a folder must have room for


def check_value(name: str, value: object, where: str) -> None:
    """ValueError where a parameter of this name can have no such value; names that are not known here may have any.

    Parameters
    ----------
    value : of the type that the notebook's annotation wants
    where : named in the message, e.g. the notebook
    """
    found = f"{where}: parameter {name!r} is {value!r}"
    try:
        digest(value=value)
    except TypeError as error:
        raise ValueError(f"{found}; expected values as JSON has them ({error})") from error
    if name in NEVER_EMPTY and isinstance(value, str) and not value.split(SPLITTER)[0].strip():
        raise ValueError(f"{found}; expected a name or a path")
    if name in (*FROM_ONE, *FROM_ZERO, *LISTS_FROM_ONE):
        least = 0 if name in FROM_ZERO else 1
        each = f"expected {'whole numbers' if name in LISTS_FROM_ONE else 'a whole number'} from {least} up"
        counts = value if isinstance(value, list) else [value]
        if not all(isinstance(one, int) and not isinstance(one, bool) and one >= least for one in counts):
            raise ValueError(f"{found}; {each}")
    if name == "finetuning":
        check_finetuning(value, f"{where}: parameter {name!r}")
    if name in METHODS and isinstance(value, list):
        for one in value:
            if not isinstance(one, str):
                raise ValueError(f"{found}; expected names of methods as text, not {one!r}")
            try:
                parse(one)
            except ValueError as error:
                raise ValueError(f"{where}: parameter {name!r}: {error}") from error


def check_name(name: object, what: str) -> str:
    """The name of a run or of a variant, which becomes that of a folder; ValueError where it would lead out of the reports."""
    plain = isinstance(name, str) and re.fullmatch(r"[^/\\\x00-\x1f\x7f]+", name) and len(name) <= LONGEST
    if not plain or name.startswith(".") or name != name.strip():
        raise ValueError(
            f"{what} is {name!r}; expected the name of a folder: up to {LONGEST} characters, no slash, no dot at its beginning"
        )
    return name


def check_writable(folders: Iterable[Path]) -> None:
    """ValueError where something cannot be written below one of the folders, or none of them can be made."""
    for folder in folders:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=folder) as file:
                file.write(bytes(ENOUGH))
        except OSError as error:
            raise ValueError(
                f"{folder} cannot be written to ({error.strerror}); expected a folder with room for what is made"
            ) from error


def check_makeable(folder: Path) -> None:
    """As `check_writable`, for a folder that is not made yet: of the nearest one that is there."""
    folder = Path(os.path.expanduser(folder)).absolute()
    check_writable([next(one for one in (folder, *folder.parents) if one.exists())])


def check_mapping(value: object, what: str) -> dict:
    """The value as a dict, empty where nothing is given; ValueError where it is no mapping of names."""
    if value is None:
        return {}
    if not isinstance(value, Mapping) or not all(isinstance(name, str) for name in value):
        raise ValueError(f"{what} is {value!r}; expected names with values, as in {{limit: 100}}")
    return dict(value)
