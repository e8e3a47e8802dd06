"""Content-addressed results: a key stands for everything a result depends on; files are complete or absent."""

import hashlib
import json
import os
import shutil
import warnings
import zipfile
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext, suppress
from pathlib import Path

import numpy as np
from filelock import FileLock

from analysis.paths import PUBLISHED, RESULTS
from analysis.store.launch import is_first, wait_for
from analysis.store.manifests import SUFFIX, check_folder, manifest_of
from analysis.store.partials import partial_beside
from analysis.store.published import Published, log, of_folder

KEY_LENGTH = 24
DAMAGE = (  # what reading a damaged archive can raise; the last two: unknown compression, marked as encrypted
    zipfile.BadZipFile, ValueError, EOFError, OSError, KeyError, AttributeError, NotImplementedError, RuntimeError,
)  # fmt: skip
END_RECORD = 22  # bytes at the end of a zip file, with the number of members at 10


def digest(**parts) -> str:
    """24 hex digits of named values; the same values give the same digest on every machine.

    Raises
    ------
    TypeError
        A value is not made of dict, list, tuple, str, int, float, bool, None or numpy scalars (names the part).
    """
    plain = {name: _plain(value, name) for name, value in parts.items()}
    text = json.dumps(plain, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:KEY_LENGTH]


def _plain(value: object, name: str) -> object:
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return {"float": value.hex()}  # 1.0 and 1 are different settings
    if isinstance(value, dict):
        if not all(isinstance(key, str) for key in value):
            raise TypeError(f"digest: {name}: the keys of a dict must be text; found {list(value)!r}")
        return {key: _plain(one, f"{name}.{key}") for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one, f"{name}[{place}]") for place, one in enumerate(value)]
    raise TypeError(f"digest: {name}: expected plain values, found {type(value).__name__}")


def write_atomic(path: Path, write: Callable[[Path], None]) -> None:
    """`write` fills a temporary sibling, which then takes the place of `path` in one step."""
    path = Path(path)
    partial = partial_beside(path)
    try:
        os.close(os.open(partial, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))  # less the umask
        write(partial)
        with partial.open("rb") as file:
            os.fsync(file.fileno())
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write a text in UTF-8, all of it or nothing."""
    write_atomic(path, lambda partial: partial.write_text(text, encoding="utf-8"))


class Store:
    """Results under `<root>/<kind>/<two digits>/<key>`; several processes may use it at once.

    A damaged file is moved aside (`.damaged`) with a warning that names it, and counts as absent. Records and arrays that
    are absent are read from `published`, where that has them.

    Parameters
    ----------
    root : folder of the results; by default the project's, and its published runs stand behind it.
    published : what else to read, never to write.
    """

    def __init__(self, root: Path | str | None = None, published: Published | None = None) -> None:
        self.root = Path(root or RESULTS)
        self.published = of_folder(PUBLISHED) if root is None else published

    def path(self, kind: str, key: str, suffix: str = "") -> Path:
        """Where a result is, whether or not it exists."""
        return self.root / kind / key[:2] / f"{key}{suffix}"

    def arrays(self, kind: str, key: str) -> dict[str, np.ndarray] | None:
        """Stored or published arrays by name, or None; the zip file's checksums are verified on reading."""
        found = self._read_arrays(self.path(kind, key, ".npz"))
        return found if found is not None or self.published is None else self.published.arrays(kind, key)

    def save_arrays(self, kind: str, key: str, **arrays: np.ndarray) -> None:
        """Store arrays by name."""

        def write(partial: Path) -> None:
            with partial.open("wb") as file:
                np.savez(file, **arrays)

        write_atomic(self.path(kind, key, ".npz"), write)

    def record(self, kind: str, key: str) -> dict | None:
        """A stored or published record, or None."""
        log.ask(kind, key)
        found = self._read_record(self.path(kind, key, ".json"))
        return found if found is not None or self.published is None else self.published.record(kind, key)

    def save_record(self, kind: str, key: str, record: dict) -> None:
        """Store a record of plain JSON values with its checksum.

        Raises
        ------
        TypeError, ValueError
            The record holds something that JSON cannot, nan included.
        """
        text = json.dumps(record, ensure_ascii=False, allow_nan=False)
        whole = json.dumps({"sha256": _checksum(text), "record": text}, ensure_ascii=False)
        path = self.path(kind, key, ".json")
        write_text(path, whole)

    def folder(self, kind: str, key: str) -> Path | None:
        """A stored folder, complete, or None; held against its manifest, the files' content once per process."""
        path = self.path(kind, key)
        if not path.is_dir():
            return None
        try:
            check_folder(path)
        except (ValueError, OSError) as error:
            path.with_name(f"{path.name}{SUFFIX}").unlink(missing_ok=True)
            return set_aside(path, error, "made again")
        return path

    def save_folder(self, kind: str, key: str, write: Callable[[Path], None]) -> Path:
        """`write` fills an empty folder, which then appears under its key in one step."""
        path = self.path(kind, key)
        partial = partial_beside(path)
        try:
            partial.mkdir()
            write(partial)
            if not is_first():  # transformers writes all files in the first process of a launch alone
                wait_for(path.with_name(f"{path.name}{SUFFIX}"))
                return path
            if path.exists():  # another process was faster; both hold the same content
                return path
            manifest = json.dumps(manifest_of(partial), indent=1)
            beside = path.with_name(f"{path.name}{SUFFIX}")
            beside.unlink(missing_ok=True)  # of a folder that was taken away by hand
            os.rename(partial, path)
            write_text(beside, manifest)
        finally:
            shutil.rmtree(partial, ignore_errors=True)
        return path

    def claim(self, kind: str, key: str) -> AbstractContextManager:
        """A lock between processes: whoever holds it computes, the others wait and then find the result.

        Of one launch only the first process takes it. The others compute what it computes: what is trained takes them
        all, so that to wait for it would be to wait for ever.
        """
        path = self.path(kind, key, ".lock")
        path.parent.mkdir(parents=True, exist_ok=True)
        return FileLock(path) if is_first() else nullcontext()

    def _read_arrays(self, path: Path) -> dict[str, np.ndarray] | None:
        if not path.exists():
            return None
        try:
            with np.load(path, allow_pickle=False) as file:
                _check_archive(path, file.zip)
                return {name: file[name] for name in file.files}
        except DAMAGE as error:
            return set_aside(path, error)

    def _read_record(self, path: Path) -> dict | None:
        if not path.exists():
            return None
        try:
            whole = json.loads(path.read_text(encoding="utf-8"))
            if _checksum(whole["record"]) != whole["sha256"]:
                raise ValueError("its checksum does not fit")
            return json.loads(whole["record"])
        except (ValueError, KeyError, TypeError) as error:
            return set_aside(path, error)


def set_aside(path: Path, error: object, then: str = "computed again") -> None:
    """Move a damaged file or folder aside (`.damaged`, in place of an earlier one) with a warning that names it."""
    damaged = path.with_name(f"{path.name}.damaged")
    shutil.rmtree(damaged, ignore_errors=True)  # a folder would not be replaced
    with suppress(FileNotFoundError):  # another process was faster
        os.replace(path, damaged)
    warnings.warn(f"{path}: damaged ({error}); moved to {damaged.name} and {then}", stacklevel=4)


def _check_archive(path: Path, archive: zipfile.ZipFile) -> None:
    """ValueError unless all members are listed and all of their bytes fit their checksums."""
    damaged = archive.testzip()  # an array with a damaged shape would not be read to its end, where zip checks
    if damaged is not None:
        raise ValueError(f"the checksum of {damaged} does not fit")
    with path.open("rb") as file:
        file.seek(-END_RECORD, os.SEEK_END)
        expected = int.from_bytes(file.read()[10:12], "little")
    found = len(set(archive.namelist()))
    if found != expected:
        raise ValueError(f"lists {found} arrays, expected {expected}")


def _checksum(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
