"""A file that is made once and read often: its size and CRC-32 stand beside it, so that damage is noticed before it is read."""

import json
import zlib
from collections.abc import Callable
from pathlib import Path

from analysis.store.store import set_aside, write_atomic, write_text

SUFFIX = ".checksum"
CHUNK = 1 << 22  # bytes
_read: set[tuple] = set()  # content is read once per process, and again where a file was changed since


def write_noted(path: Path, write: Callable[[Path], None]) -> None:
    """`write_atomic`, with a note of what is written; a file never appears before its note."""

    def write_and_note(partial: Path) -> None:
        write(partial)
        note(path, partial)

    write_atomic(path, write_and_note)


def note(path: Path, written: Path | None = None) -> None:
    """Note what a file holds now, or the one that will take its place."""
    text = json.dumps(_content(written or path))
    write_text(_beside(path), text)


def is_noted(path: Path) -> bool:
    return _beside(path).exists()


def remove(path: Path) -> None:
    """Remove a file and its note."""
    for one in (path, _beside(path)):
        one.unlink(missing_ok=True)


def is_whole(path: Path) -> bool:
    """Whether a file is there and holds what was noted of it; a damaged one is moved aside with a warning that names it.

    CRC-32 finds every damage that is no forgery, but one in four billions, and 2 GB in a second.
    """
    try:
        state = path.stat()
        expected = json.loads(_beside(path).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return False
    except ValueError as error:
        return _damaged(path, f"its note cannot be read: {error}")
    seen = (path, state.st_ino, state.st_size, state.st_mtime_ns, str(expected))
    if seen not in _read and (found := _content(path)) != expected:
        return _damaged(path, f"size and checksum are {found}, expected {expected}")
    _read.add(seen)
    return True


def _damaged(path: Path, why: str) -> bool:
    _beside(path).unlink(missing_ok=True)
    set_aside(path, why, "made again")
    return False


def _beside(path: Path) -> Path:
    return path.with_name(f"{path.name}{SUFFIX}")


def _content(path: Path) -> list[int]:
    """Size in bytes and CRC-32."""
    size = checksum = 0
    with path.open("rb") as file:
        while part := file.read(CHUNK):
            size, checksum = size + len(part), zlib.crc32(part, checksum)
    return [size, checksum]
