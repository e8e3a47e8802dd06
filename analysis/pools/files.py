"""Which files a name means, and which of a folder's are no training rows."""

import glob
import os
import re
from dataclasses import dataclass, field
from pathlib import Path

ENDINGS = {
    ".jsonl": "json", ".ndjson": "json", ".json": "json", ".csv": "csv", ".tsv": "csv",
    ".parquet": "parquet", ".arrow": "arrow", ".feather": "arrow",
}  # fmt: skip
COMPRESSED = (".gz", ".zst")
PACKED = {
    **dict.fromkeys((".zip", ".tar", ".tar.gz", ".tgz", ".7z", ".rar", ".bz2", ".xz"), "unpack it first"),
    ".xlsx": "save the sheet as CSV in UTF-8", ".xls": "save the sheet as CSV in UTF-8",
}  # fmt: skip
SPLIT = re.compile(r"(?:^|[^a-z])(test|testing|validation|valid|val|dev|eval|evaluation)(?:[^a-z]|$)")
ABOUT = ("dataset_info.json", "dataset_infos.json", "dataset_dict.json", "state.json", "config.json", "package.json")


@dataclass
class Found:
    """Files to read, and those of the folders that are not: path to reason."""

    files: list[Path] = field(default_factory=list)
    skipped: dict[str, str] = field(default_factory=dict)


def kind(path: Path) -> str | None:
    """ "json", "csv", "parquet" or "arrow"; None for anything else. Texts may be compressed."""
    name = path.name.lower()
    plain = next((name.removesuffix(ending) for ending in COMPRESSED if name.endswith(ending)), name)
    found = next((kind for ending, kind in ENDINGS.items() if plain.endswith(ending)), None)
    return None if plain != name and found in ("parquet", "arrow") else found


def is_there(name: str) -> bool:
    """Whether a name is a path; `Path` itself fails on texts that are too long for one, and on an unknown user's `~`."""
    return bool(name) and os.path.exists(os.path.expanduser(name))


def find_files(names: str) -> Found:
    """Files meant by a path, a folder, a pattern, or several of them with commas.

    Of a folder hidden files, test and validation splits and files that are no data are skipped by name; a link is
    followed once. Of a hub's cache only the newest snapshot is read.

    Raises
    ------
    FileNotFoundError
        A path that does not exist, or a folder or pattern without a readable file.
    ValueError
        A file of a kind that is not read.
    """
    found = Found()
    for name in [names] if is_there(names) else names.split(","):
        if not name.strip():
            raise ValueError(f"pool {names!r}: expected a path, found nothing before, after or between commas")
        path = Path(os.path.expanduser(name.strip()))
        if path.is_dir():
            some = _of_folder(path, found.skipped)
        elif path.is_file():
            if not kind(path):
                repair = _repair(path)
                raise ValueError(
                    f"{path}: files of this kind are not read" + (f": {repair}" if repair else f"; {_expected()}")
                )
            some = [path]
        else:
            some = sorted(
                Path(one) for one in glob.glob(str(path), recursive=True) if kind(Path(one)) and Path(one).is_file()
            )
        if not some and not path.exists() and not glob.has_magic(str(path)):
            raise FileNotFoundError(f"{path}: no such file or folder")
        if not some:
            why = "; ".join(f"{name}: {why}" for name, why in list(found.skipped.items())[:5])
            raise FileNotFoundError(
                f"{path}: no file with one of the endings {_expected()}" + (f". Left out: {why}" if why else "")
            )
        known = {one.resolve() for one in found.files}
        for one in some:
            if one.resolve() not in known:
                known.add(one.resolve())
                found.files.append(one.absolute())
    return found


def _repair(path: Path) -> str | None:
    return next((repair for ending, repair in PACKED.items() if path.name.lower().endswith(ending)), None)


def _expected() -> str:
    return f"{', '.join(ENDINGS)} (texts also with {' or '.join(COMPRESSED)})"


def _of_folder(folder: Path, skipped: dict[str, str]) -> list[Path]:
    """Readable files of a folder and of the folders in it and linked from it, in order of their names."""
    folder = _snapshot(folder)
    files, seen, waiting = [], set(), [folder]
    while waiting:
        here = waiting.pop()
        if here.resolve() in seen:
            continue
        seen.add(here.resolve())
        for path in here.iterdir():
            relative = path.relative_to(folder)
            if path.name.startswith((".", "__pycache__")):
                continue
            if path.is_dir():
                waiting.append(path)
            elif why := _no_rows(relative, path):
                skipped[str(path)] = why
            else:
                files.append(path)
    return sorted(files)


def _snapshot(folder: Path) -> Path:
    """The newest snapshot of a hub's cache folder, whose files are links to blobs without an ending; else the folder."""
    snapshots = folder / "snapshots"
    if not (snapshots.is_dir() and (folder / "blobs").is_dir()):
        return folder
    main = folder / "refs" / "main"
    named = snapshots / main.read_text().strip() if main.is_file() else None
    if named and named.is_dir():
        return named
    return max(
        (one for one in snapshots.iterdir() if one.is_dir()), key=lambda one: one.stat().st_mtime, default=folder
    )


def _no_rows(relative: Path, path: Path) -> str | None:
    """Why a file of a folder is not read, or None."""
    if not kind(path):
        return f"not a kind that is read ({_repair(path) or 'other data'})"
    if path.name.lower() in ABOUT:
        return "describes a data set"
    if not path.exists():
        return "a link to nothing"
    if path.stat().st_size == 0:
        return "empty"
    parts = [*relative.parts[:-1], relative.name.split(".")[0]]
    if found := next((match[1] for part in parts if (match := SPLIT.search(part.lower()))), None):
        return f"{found} split"
    return None
