"""State of the files that options of a method name, so that a changed file is never taken for the one before."""

import glob
from pathlib import Path

from analysis.paths import BASES


def files_named(value) -> list[list]:
    """Path, size in bytes and time of change (ns) of every file that a value names; empty for any other value.

    Parameters
    ----------
    value : an option: a text may be a path, a folder, an embedded base, a pattern, or several with commas; of
        lists and mappings every value counts.
    """
    if isinstance(value, dict):
        return [state for one in value.values() for state in files_named(one)]
    if isinstance(value, list | tuple):
        return [state for one in value for state in files_named(one)]
    if not isinstance(value, str):
        return []
    places = [path for part in value.split(",") for path in _matches(part.strip())]
    files = [file for place in places for file in (sorted(place.rglob("*")) if place.is_dir() else [place])]
    states = [(file, file.stat()) for file in files if file.is_file()]
    return [[str(file.absolute()), state.st_size, state.st_mtime_ns] for file, state in states]


def _matches(text: str) -> list[Path]:
    place = Path(text).expanduser()
    if glob.has_magic(text):
        return [Path(match) for match in sorted(glob.glob(str(place), recursive=True))]
    return [path for path in (BASES / text, place) if text and path.exists()][:1]
