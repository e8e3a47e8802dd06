"""Runs, selections and their timings that come with the repository in `figures/runs/`, read where `results/` has nothing.

One line of a parquet file is one run, selection or table of timings: what it is in words and numbers, its stored record, and its arrays, packed
without loss. An array that several lines share, and a text such as the groups of items, is kept once. Measured on 182 runs and
212 selections of `quick`: a run costs 0.7 kB (600 answers graded, 161 losses; 4 bytes for each further loss, 2 for each row
chosen), a selection 1.3 kB, or about 4 bytes for each row of the pool where its scores are its own.
"""

import json
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path

import numpy as np

KINDS = ("runs", "selections", "timings")
NARROWER = {"f": ("<f2", "<f4"), "i": ("<i2", "<i4")}  # tried in turn, by the kind of numbers
BITS = "bits"
TEXTS = ("pool", "base", "method", "design", "settings", "prepared")  # with COUNTS what a run says of itself
COUNTS = ("part", "budget", "draw", "training_seed")


@dataclass
class Log:
    """What this process asked its stores for: by kind and key how it is described, and when what was published was made."""

    asked: dict[str, dict[str, dict]] = field(default_factory=lambda: {kind: {} for kind in KINDS})
    made: dict[str, dict[str, float]] = field(default_factory=lambda: {kind: {} for kind in KINDS})

    def ask(self, kind: str, key: str, **description) -> None:
        """Note that a key was asked for; of several descriptions the first stays."""
        if kind in KINDS:
            self.asked[kind][key] = self.asked[kind].get(key) or description

    def clear(self) -> None:
        """Forget what was asked."""
        for noted in (*self.asked.values(), *self.made.values()):
            noted.clear()


log = Log()


class Published:
    """The published runs and selections of a folder of parquet files.

    A damaged file is named in a warning and counts as absent; nothing is ever written.
    """

    def __init__(self, folder: Path | str) -> None:
        self.folder = Path(folder)

    def record(self, kind: str, key: str) -> dict | None:
        """A published record as it was stored, or None."""
        line = self._line(kind, key)
        if line is None:
            return None
        log.made[kind][key] = line["made"]
        return record_of(line)

    def arrays(self, kind: str, key: str) -> dict[str, np.ndarray] | None:
        """Published arrays by name, bit by bit as they were stored, or None."""
        line = self._line(kind, key)
        return None if line is None else {one["name"]: unpacked(one) for one in line["arrays"]}

    def _line(self, kind: str, key: str) -> dict | None:
        for _ in range(2):
            path, row = self._places.get((kind, key), (None, 0))
            if path is None or not read(path).column_names:  # unknown, or in a file that is damaged
                return None
            found = read(path).slice(row, 1).to_pylist()
            if [(line["kind"], line["key"]) for line in found] == [(kind, key)]:
                return found[0]
            read.cache_clear()  # published anew, by whichever process, since the places of its lines were read
            del self._places
        return None

    @cached_property
    def _places(self) -> dict[tuple[str, str], tuple[Path, int]]:
        places = {}
        for path in sorted(self.folder.glob("*.parquet")):
            for row, line in enumerate(read(path, ("kind", "key")).to_pylist()):
                places.setdefault((line["kind"], line["key"]), (path, row))
        return places


def record_of(line: Mapping) -> dict:
    """The record of a published line as it was stored."""
    record = json.loads(line["record"])
    for benchmark, groups in zip(record.get("benchmarks", []), line["groups"], strict=True):
        benchmark["groups"] = json.loads(groups)
    return record


of_folder = cache(Published)  # a process reads a file once


@cache
def read(path: Path, columns: tuple[str, ...] | None = None):
    """A published file as an arrow table, its checksums verified; empty, with a warning that names it, where damaged."""
    import pyarrow
    from pyarrow import parquet

    try:
        table = parquet.read_table(path, columns=columns and list(columns), page_checksum_verification=True)
        if not columns and not table.schema.equals(schema()):
            raise ValueError("its columns are others than this suite writes")
        return table if not columns else table.select(columns)
    except (pyarrow.ArrowException, OSError, KeyError, ValueError) as error:
        warnings.warn(f"{path}: damaged ({error}); its published runs count as absent", stacklevel=2)
        return pyarrow.table({})


@cache
def schema():
    """Columns of a published file."""
    import pyarrow

    text, count, number = pyarrow.string(), pyarrow.int64(), pyarrow.float64()
    texts, counts = pyarrow.list_(text), pyarrow.list_(count)
    array = {"name": text, "shape": counts, "dtype": text, "packing": text, "content": pyarrow.binary()}
    described = dict.fromkeys(TEXTS, text) | dict.fromkeys(COUNTS, count)
    return pyarrow.schema({
        "kind": text, "key": text, "reports": texts, "made": number, **described, "tokens": count, "seconds": number,
        "scores": text, "record": text, "groups": texts, "arrays": pyarrow.list_(pyarrow.struct(array)),
    })  # fmt: skip


def packed(array: np.ndarray) -> dict:
    """An array in as few bytes as give back every bit of it: one bit each for zeros and ones, narrower numbers, or as it is."""
    told = {"shape": list(array.shape), "dtype": array.dtype.str}
    with np.errstate(over="ignore", invalid="ignore"):
        for packing in (BITS, *NARROWER.get(array.dtype.kind, ()), array.dtype.str):
            content = np.packbits(array != 0) if packing == BITS else array.astype(packing)
            one = told | {"packing": packing, "content": content.tobytes()}
            if unpacked(one).tobytes() == array.tobytes():
                return one
    raise TypeError(f"packed: expected an array of plain numbers, found {array.dtype}")


def unpacked(one: Mapping) -> np.ndarray:
    """The array that `packed` packed."""
    shape, dtype = tuple(one["shape"]), np.dtype(one["dtype"])
    if one["packing"] == BITS:
        flat = np.unpackbits(np.frombuffer(one["content"], np.uint8), count=int(np.prod(shape)))
    else:
        flat = np.frombuffer(one["content"], one["packing"])
    return flat.astype(dtype).reshape(shape)
