"""The records of chosen rows as their owner wrote them: the files are read once again, and only these are kept."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from analysis.pools.files import find_files
from analysis.pools.findings import Rejected
from analysis.pools.formats import convert
from analysis.pools.how_to_read import HowToRead, how_to_read, split_name
from analysis.pools.pool import Pool
from analysis.pools.reading import read_records
from analysis.pools.said import content_hash

HUB = "hub "  # how the source of a pool from the hub begins; that of files is a path from the root


def has_originals(pool: Pool) -> bool:
    """Whether the rows were written by somebody; those of the testbed are generated."""
    return {"file", "number"} <= set(pool.rows.column_names)


def originals(pool: Pool, positions: Sequence[int], name: str | None = None) -> list[Mapping]:
    """Records of rows with all fields, in the order of the positions; as many are held in memory, and no more.

    Parameters
    ----------
    positions : in the pool, unique.
    name : the pool as it was asked for. A pool is known by the content of its files, and remembers where these were
        first; where they have been moved since, the name tells where they are.

    Raises
    ------
    ValueError
        The pool has no such records; or a file does not hold, where the row was, what the row says.
    FileNotFoundError
        A file is no longer there.
    """
    if not has_originals(pool):
        raise ValueError(f"pool {pool.name}: its rows are of no file, so there is no original; expected another format")
    positions = np.asarray(positions, dtype=np.int64)
    how = how_to_read(pool.provenance["told"])
    origin = pool.rows.select_columns(["file", "number"]).select(positions).to_pandas()
    found: list[Mapping | None] = [None] * len(positions)
    for file, group in origin.groupby("file"):
        places = dict(zip(group["number"], group.index, strict=True))
        where, records = _records(pool, int(file), name, how)
        for number, record in records:
            if number in places:
                place = places.pop(number)
                if not _says(record, how, pool.messages(positions[[place]])[0]):
                    raise _changed(where, number)
                found[place] = record
                if not places:
                    break
        if places:
            raise _changed(where, min(places))
    return found


def _records(pool: Pool, file: int, name: str | None, how: HowToRead) -> tuple[str, Iterator[tuple[int, object]]]:
    source = pool.provenance["source"]
    if source.startswith(HUB):
        from datasets import load_dataset

        hub, _, revision = source.removeprefix(HUB).rpartition(" at ")
        return source, enumerate(load_dataset(hub, split="train", streaming=True, revision=revision))
    path = _present(pool.provenance["files"], name)[file]
    if not path.exists():
        raise FileNotFoundError(f"{path}: the file with the chosen rows is no longer there")
    return str(path), read_records(path, how)


def _present(files: Sequence[str], name: str | None) -> list[Path]:
    """Where the files are that a pool was read from: of those that the name stands for the same, in the same order."""
    if name is None:
        return [Path(file) for file in files]
    there = iter(find_files(split_name(name)[0]).files)
    return [next((path for path in there if path.name == Path(file).name), Path(file)) for file in files]


def _says(record: object, how: HowToRead, messages: list[dict]) -> bool:
    try:
        return not isinstance(record, Rejected) and content_hash(convert(record, how)) == content_hash(messages)
    except Rejected:
        return False


def _changed(where: str, number: int) -> ValueError:
    return ValueError(f"{where}: row {number} is not what it was when the pool was read; the file has changed")
