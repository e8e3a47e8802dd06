"""Unfinished files and folders: named after the process that fills them, so that those of dead ones can be told and removed."""

import hashlib
import os
import platform
import re
import secrets
import shutil
import time
from contextlib import suppress
from functools import cache
from pathlib import Path

SUFFIX = ".partial"
OF_THE_DEAD = 3600  # seconds without a change after which what a dead process of this machine left is removed
OF_OTHERS = 7 * 24 * 3600  # the same of another machine, where it cannot be told whether the process lives
_OWNER = re.compile(rf"\.(?P<machine>[0-9a-f]{{8}})-(?P<process>\d+)-[0-9a-f]{{8}}{re.escape(SUFFIX)}$")


def partial_beside(path: Path) -> Path:
    """A name, not taken yet, for what will take the place of `path`; its folder is made, and rid of what dead processes left."""
    path.parent.mkdir(parents=True, exist_ok=True)
    remove_left_over(path.parent)
    return path.with_name(f".{path.name}.{_machine()}-{os.getpid()}-{secrets.token_hex(4)}{SUFFIX}")


@cache
def remove_left_over(folder: Path) -> None:
    """Remove the unfinished files and folders of dead processes, once per process and folder."""
    with suppress(OSError):  # whoever may not look or remove need not
        for path in folder.glob(f".*{SUFFIX}"):
            if _is_left_over(path):
                shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)


def _is_left_over(path: Path) -> bool:
    owner = _OWNER.search(path.name)
    if owner is None:  # of another program: folders of results may lie among a user's own files
        return False
    dead = owner["machine"] == _machine() and os.name == "posix" and not _lives(int(owner["process"]))
    inside = path.rglob("*") if path.is_dir() and not path.is_symlink() else ()
    changed = max(one.lstat().st_mtime for one in (path, *inside))
    return time.time() - changed > (OF_THE_DEAD if dead else OF_OTHERS)


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True


def _machine() -> str:
    return hashlib.sha256(platform.node().encode()).hexdigest()[:8]
