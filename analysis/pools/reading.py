"""Records of files, one by one, in bounded memory; a row that cannot be read is a rejection, not an end."""

import gzip
import io
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from analysis.pools.csv_files import csv_rows
from analysis.pools.field_values import unique_names
from analysis.pools.files import kind
from analysis.pools.findings import MEGABYTE, Rejected, too_long
from analysis.pools.how_to_read import HowToRead
from analysis.pools.json_files import json_rows

ROWS_AT_ONCE = 2_000
NO_DATA = {
    b"version https://git-lfs": "is a pointer of Git LFS and holds no data: fetch it with `git lfs pull`",
    b"<!doctype html": "is a web page and no data: download the file itself",
    b"<html": "is a web page and no data: download the file itself",
    b"pk\x03\x04": "is an archive (zip, Excel): unpack it, or save the sheet as CSV",
}

Numbered = tuple[int, object]  # row number in the file from 0, and the record or why it could not be read


def read_records(path: Path, how: HowToRead | None = None) -> Iterator[Numbered]:
    """(row number, record) of a file; a record that cannot be read is a `Rejected` in its place.

    `how` has the encoding of texts and the length of the longest row, and names the fields by which rows are told from
    what holds them. Of Parquet a row group is held, of everything else no more than a few times the longest row.

    Raises
    ------
    ValueError
        The file as a whole cannot be read: empty, cut short, in another encoding, no data (names file, place, repair).
    """
    if path.stat().st_size == 0:
        raise ValueError(f"{path}: the file is empty")
    with path.open("rb") as file:
        start = file.read(64).lstrip().lower()
    if why := next((why for mark, why in NO_DATA.items() if start.startswith(mark)), None):
        raise ValueError(f"{path}: {why}")
    how = how or HowToRead()
    try:
        if kind(path) in ("parquet", "arrow"):
            yield from _batches(path, _parquet if kind(path) == "parquet" else _arrow, how.longest_row)
            return
        text = text_lines(path, how.encoding)
        yield from csv_rows(path, text, how) if kind(path) == "csv" else json_rows(path, text, how)
    except (pa.ArrowException, EOFError, zlib.error, OSError) as error:
        raise ValueError(
            f"{path}: cannot be read to its end, the file may be cut short (download it again): {error}"
        ) from error


def text_lines(path: Path, encoding: str) -> Callable[[], BinaryIO]:
    """A call that opens the file's text as bytes of UTF-8, whatever it is compressed with or encoded in."""

    def opened() -> BinaryIO:
        file = _unpacked(path)
        start = file.peek(4)[:4]
        if b"\0" in start and start[:2] not in (b"\xff\xfe", b"\xfe\xff") and encoding == "utf-8":
            raise ValueError(
                f"{path}: is not in UTF-8, and perhaps in UTF-16: say encoding=utf-16-le, or save it in UTF-8"
            )
        if start[:2] in (b"\xff\xfe", b"\xfe\xff"):
            return _as_utf8(file, "utf-16", path)
        if start[:3] == b"\xef\xbb\xbf":
            file.read(3)
        return file if encoding.lower().replace("_", "-") in ("utf-8", "utf8") else _as_utf8(file, encoding, path)

    return opened


def _unpacked(path: Path) -> io.BufferedReader:
    """The file, decompressed by what it holds and not by what it is called."""
    file = path.open("rb")
    start = file.read(4)
    file.seek(0)
    if start[:2] == b"\x1f\x8b":
        return io.BufferedReader(gzip.GzipFile(fileobj=file))
    if start == b"\x28\xb5\x2f\xfd":
        file.close()
        return io.BufferedReader(pa.CompressedInputStream(pa.OSFile(str(path)), "zstd"))
    return file


def _as_utf8(file: BinaryIO, encoding: str, path: Path) -> BinaryIO:
    """The same text in UTF-8, line by line."""
    return io.BufferedReader(_Recoded(io.TextIOWrapper(file, encoding=encoding, newline=""), path))


class _Recoded(io.RawIOBase):
    """Text of any encoding as bytes of UTF-8."""

    def __init__(self, text: io.TextIOWrapper, path: Path) -> None:
        self._text, self._rest, self._path = text, b"", path

    def readable(self) -> bool:
        return True

    def readinto(self, buffer) -> int:
        if not self._rest:
            try:
                self._rest = self._text.read(1 << 16).encode()
            except UnicodeError as error:
                raise ValueError(f"{self._path}: is not in the encoding {self._text.encoding}: {error}") from error
        part, self._rest = self._rest[: len(buffer)], self._rest[len(buffer) :]
        buffer[: len(part)] = part
        return len(part)


def _batches(path: Path, batches: Callable[[Path], Iterator[pa.RecordBatch]], longest: int) -> Iterator[Numbered]:
    number = 0
    for batch in batches(path):
        batch = batch.rename_columns(unique_names(batch.schema.names))
        batch = batch.drop_columns([name for name in batch.schema.names if name.startswith("__index_level_")])
        for record in records_of(batch, longest):
            yield number, record
            number += 1


def records_of(batch: pa.RecordBatch, longest: int) -> Iterator[object]:
    """Rows of a batch; never more than the longest row becomes objects at once."""
    if batch.num_rows > 1 and batch.nbytes > longest * MEGABYTE:
        half = batch.num_rows // 2
        yield from records_of(batch.slice(0, half), longest)
        yield from records_of(batch.slice(half), longest)
        return
    if batch.num_rows == 1 and sum(map(_own_size, batch.columns)) > longest * MEGABYTE:
        yield too_long(longest, "row")
        return
    try:
        yield from batch.to_pylist()
    except UnicodeDecodeError:  # one text of the batch is not UTF-8: find which
        yield from (_record(batch, place) for place in range(batch.num_rows))


def _own_size(column: pa.Array) -> int:
    """Bytes of what stands in a column; of a column of categories Arrow counts all, also those that are not there."""
    return (column.dictionary_decode() if pa.types.is_dictionary(column.type) else column).nbytes


def _parquet(path: Path) -> Iterator[pa.RecordBatch]:
    with pq.ParquetFile(path) as file:
        yield from file.iter_batches(batch_size=ROWS_AT_ONCE)


def _arrow(path: Path) -> Iterator[pa.RecordBatch]:
    """Of a file or a stream of Arrow, as `save_to_disk`, feather and a cache of `datasets` write them."""
    with pa.memory_map(str(path)) as source:
        try:
            with pa.ipc.open_file(source) as file:
                batches = [file.get_batch(place) for place in range(file.num_record_batches)]
        except pa.ArrowInvalid:
            source.seek(0)
            batches = pa.ipc.open_stream(source)
        for batch in batches:
            for start in range(0, batch.num_rows, ROWS_AT_ONCE):
                yield batch.slice(start, ROWS_AT_ONCE)


def _record(batch: pa.RecordBatch, place: int) -> object:
    try:
        return batch.slice(place, 1).to_pylist()[0]
    except UnicodeDecodeError as error:
        return Rejected("invalid UTF-8", "row", str(error))
