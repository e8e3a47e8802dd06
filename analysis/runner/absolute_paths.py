"""Paths in values of notebooks made absolute, as notebooks run elsewhere than where they are typed."""

import glob
import os
import re
from pathlib import Path

from analysis.paths import SPLITTER
from analysis.runner.named_files import changed_texts

POOL_NAMES = ("curated", "wild")
MODEL_NAMES = ("tiny-weak", "tiny-strong", "scratch")
FILE_ENDINGS = (".jsonl", ".json", ".ndjson", ".parquet", ".csv", ".tsv", ".gz", ".zst", ".arrow", ".feather")
ITEMS = re.compile(r"(?<=decontaminate=)[^,]+")  # paths of benchmark items, with semicolons
# Parameters and options that may be a bare name of a file or folder, and what they may be that never is one.
MAY_BE_FILES = (
    "data",
    "targets",
    "embedding",
    "scorer",
    "scorers",
    "models",
    "rungs",
    "other_base",
    "tokenizers",
    "beside",
)
WORDS = (
    "auto",
    "development",
    "held-out",
    "pool",
    "all",
    "answer",
    "prompt",
    "weighted",
    "tfidf",
    *POOL_NAMES,
    *MODEL_NAMES,
)


def absolute(value: str, name: str, base: Path) -> str:
    """A pool or model given as a path, absolute (notebooks run elsewhere); names and hub ids unchanged.

    Raises
    ------
    FileNotFoundError for what can only be a path and leads nowhere.
    """
    if value in (POOL_NAMES if name == "pool" else MODEL_NAMES):
        return value
    value, splitter, told = value.partition(SPLITTER)
    told = splitter + ITEMS.sub(lambda found: ";".join(_place(one, base) for one in found[0].split(";")), told)
    if os.path.exists(_place(value, base)):  # whatever commas it has
        return _place(value, base) + told
    parts = []
    for part in (one.strip() for one in value.split(",")):
        place = _place(part, base) if part else ""  # whoever reads the value refuses an empty one
        if os.path.exists(place) or (glob.has_magic(part) and glob.glob(place, recursive=True)):
            parts.append(place)
        elif part.startswith((".", "/", "~")) or part.endswith(FILE_ENDINGS) or glob.has_magic(part):
            hint = "; a file whose name holds a comma is named alone" if "," in value else ""
            raise FileNotFoundError(f"{name}: no such file or folder: {part} (looked for {place}){hint}")
        else:
            parts.append(part)
    return ",".join(parts) + told


def absolute_within(value: object, name: str, base: Path) -> object:
    """The value with the paths in its lists, mappings and calls absolute, such as `targets` of LESS, as far as they are there."""

    def changed(name: str, text: str) -> str:
        if text in WORDS or not text:
            return text
        if name in MAY_BE_FILES:
            try:
                return absolute(text, name, base)
            except FileNotFoundError:  # whoever reads it says so
                return text
        looks_so = "/" in text or text.endswith(FILE_ENDINGS)
        return _place(text, base) if looks_so and os.path.exists(_place(text, base)) else text

    return changed_texts(value, changed, name)


def _place(path: str, base: Path) -> str:
    """Not what a link leads to: its own name says what kind of file it is."""
    return str((base / os.path.expanduser(path)).absolute())  # `Path.expanduser` fails where there is no such user
