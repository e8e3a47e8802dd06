"""Files, or a data set of the hub, converted once to an Arrow file beside their counts, under a key of their content."""

import functools
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from filelock import FileLock

from analysis.pools import conversion, csv_files, formats, how_to_read, json_files, reading, turns
from analysis.pools.conversion import Counts, convert_records, load_counts, nothing_fits, save_counts, warn_if_many
from analysis.pools.files import Found, find_files, is_there, kind
from analysis.pools.how_to_read import HowToRead
from analysis.pools.records import file_records, hub_records, hub_revision
from analysis.store.code_version import code_version
from analysis.store.file_states import content_hash
from analysis.store.noted_files import is_whole, remove, write_noted
from analysis.store.store import digest

HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[\w.-]+")


def read_once(name: str, how: HowToRead, cache: Path) -> tuple[str, str, Path, Counts]:
    """Where the rows come from, the key of what was read, the Arrow file of it, and its counts."""
    # A path that exists is a path; what looks like `owner/name` and is no file is asked of the hub.
    on_hub = not is_there(name) and HUB_ID.fullmatch(name) and not kind(Path(name))
    code = code_version(
        *(one.__name__ for one in (conversion, csv_files, formats, how_to_read, json_files, reading, turns))
    )
    if on_hub:
        revision, found, hashes = hub_revision(name), Found(), []
        source, key = f"hub {name} at {revision}", digest(hub=name, revision=revision, code=code, told=how.told())
        records = hub_records(name, revision, how)
    else:
        found = find_files(name)
        files = found.files
        source = ", ".join(str(file) for file in files[:5]) + (f" and {len(files) - 5} more" if len(files) > 5 else "")
        hashes = [_hash(file) for file in files]
        key = digest(
            files=[[file.name, of] for file, of in zip(files, hashes, strict=True)], code=code, told=how.told()
        )
        records = file_records(files, how, found.skipped)
    arrow, beside = cache / f"{key}.arrow", cache / f"{key}.json"
    cache.mkdir(parents=True, exist_ok=True)
    with FileLock(cache / f"{key}.lock"):
        if not all([is_whole(arrow), is_whole(beside)]):
            _convert(source, records, how, found, hashes, arrow, beside)
    counts = load_counts(beside).moved(found.files)
    # The same files may have stood in another folder when they were read, beside others that were left out there.
    here = {path: why for path, why in counts.skipped.items() if path in counts.given}
    return source, key, arrow, replace(counts, skipped=here | found.skipped)


def _convert(
    source: str, records: Iterator, how: HowToRead, files: Found, hashes: list[str], arrow: Path, beside: Path
) -> None:
    found: list = []

    def write(partial: Path) -> None:
        try:
            found.append(convert_records(records, partial, how))
        finally:  # what went wrong may be the change
            _check_unchanged(files.files, hashes)

    write_noted(arrow, write)
    counts = replace(found[0], given=list(map(str, files.files)), skipped=files.skipped)
    if counts.rows_read == counts.n_aside:
        remove(arrow)
        raise nothing_fits(source, counts)
    warn_if_many(source, counts)
    write_noted(beside, lambda partial: save_counts(partial, counts))


def _hash(file: Path) -> str:
    """Of its content, read once in this process: size and time alone can stay where the content does not."""
    state = file.stat()
    return _hash_of(file, state.st_size, state.st_mtime_ns)


@functools.cache
def _hash_of(file: Path, *state: int) -> str:
    return content_hash(file, None)


def _check_unchanged(files: Sequence[Path], hashes: Sequence[str]) -> None:
    for file, before in zip(files, hashes, strict=True):
        if content_hash(file, None) != before:
            raise ValueError(f"{file}: its content changed while it was read; run this again once nothing writes to it")


def short_name(name: str) -> str:
    first = name.split(",")[0].rstrip("/")
    return first if HUB_ID.fullmatch(first) and not is_there(first) else Path(first).name.split(".")[0]
