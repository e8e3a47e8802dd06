"""State of files, so that a changed file is never taken for the one before."""

import glob
import hashlib
import os
from collections.abc import Iterable
from pathlib import Path

from analysis.paths import BASES
from analysis.store.store import Store, digest


def states(paths: Iterable[Path], relative_to: Path | None = None) -> list[list]:
    """Path, size in bytes and time of change (ns) of every path that is a file; absolute paths by default."""
    found = [(path.relative_to(relative_to) if relative_to else path.absolute(), path.stat())
             for path in paths if path.is_file()]  # fmt: skip
    return [[str(path), state.st_size, state.st_mtime_ns] for path, state in found]


def content_hash(file: Path, store: Store | None) -> str:
    """SHA-256 of a file's content; a store remembers it for as long as size and time of change stay."""
    key = digest(state=states([file.resolve()]))
    known = store.record("hashes", key) if store else None
    if known:
        return known["sha256"]
    with file.open("rb") as stream:
        found = hashlib.file_digest(stream, "sha256").hexdigest()
    if store:
        store.save_record("hashes", key, {"sha256": found})
    return found


def files_named(value) -> list[list]:
    """`states` of every file that a value names; of embedded bases names and content, the same on every machine.

    Parameters
    ----------
    value : an option: a text may be a path, a folder, an embedded base, a pattern, or several with commas; of
        lists and mappings every value counts.
    """
    if isinstance(value, dict | list | tuple):
        return [state for one in (value.values() if isinstance(value, dict) else value) for state in files_named(one)]
    if not isinstance(value, str):
        return []
    places = [place for part in value.split(",") if part.strip() for place in _matches(part.strip())]
    files = [path for place in places for path in (sorted(place.rglob("*")) if place.is_dir() else [place])]
    return [state for file in files for state in _embedded(file.resolve()) or states([file])]


def _embedded(file: Path) -> list[list]:
    bases = BASES.resolve()
    inside = file.is_relative_to(bases) and file.is_file()
    return [[file.relative_to(bases).as_posix(), content_hash(file, None)]] if inside else []


def _matches(text: str) -> list[Path]:
    place = Path(os.path.expanduser(text))  # `Path` itself fails on an unknown user's `~`, and on long texts
    base = [BASES / text] if Path(text).parts and ".." not in Path(text).parts else []
    named = [path for path in (*base, place) if os.path.exists(path)][:1]
    return named or [Path(match) for match in sorted(glob.glob(str(place), recursive=True))]
