"""What a stored folder holds: size and SHA-256 of every file, beside the folder, so that damage is noticed before it is read."""

import hashlib
import json
from pathlib import Path

SUFFIX = ".manifest"
_checked: set[tuple] = set()  # content is read once per process, and again where a file was changed since


def manifest_of(folder: Path) -> dict[str, list]:
    """Size in bytes and SHA-256 of every file of a folder, by its path inside."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {path.relative_to(folder).as_posix(): [path.stat().st_size, _sha256(path)] for path in files}


def check_folder(folder: Path) -> None:
    """ValueError that names the file where a folder holds less or other than its manifest says.

    Files that came later are not looked at, nor is a folder without a manifest, as they were stored before there was one.
    """
    try:
        manifest = json.loads(folder.with_name(f"{folder.name}{SUFFIX}").read_text(encoding="utf-8"))
        files = [(folder / name, size, sha256) for name, (size, sha256) in manifest.items()]
    except FileNotFoundError:
        return
    except (ValueError, TypeError, AttributeError) as error:
        raise ValueError("its manifest cannot be read") from error
    for path, size, sha256 in files:
        if not path.is_file():
            raise ValueError(f"{path.name} is missing")
        state = path.stat()
        if state.st_size != size:
            raise ValueError(f"{path.name} has {state.st_size:,} bytes, expected {size:,}")
        seen = (path, state.st_mtime_ns, sha256)
        if seen not in _checked and _sha256(path) != sha256:
            raise ValueError(f"the checksum of {path.name} does not fit")
        _checked.add(seen)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
