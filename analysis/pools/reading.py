"""Records of files, one by one, in bounded memory; a line that cannot be read is a rejection, not an end."""

import csv
import glob
import gzip
import io
import json
import zlib
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from analysis.pools.formats import FIELDS, Rejected

ENDINGS = (".jsonl", ".json", ".parquet", ".csv")
PARQUET_ROWS = 2_000
csv.field_size_limit(2**31 - 1)

Numbered = tuple[int, object]  # row number in the file from 0, and the record or why it could not be read


def find_files(names: str) -> list[Path]:
    """Files meant by a path, a folder, a pattern, or several of them with commas.

    Raises
    ------
    FileNotFoundError
        A path that does not exist, or a folder or pattern without a readable file.
    ValueError
        A file of a kind that is not read.
    """
    files: list[Path] = []
    for name in [names] if names and Path(names).expanduser().exists() else names.split(","):
        if not name.strip():
            raise ValueError(f"pool {names!r}: expected a path, found nothing before, after or between commas")
        path = Path(name.strip()).expanduser()
        if path.is_dir():
            found = sorted(
                one for one in path.rglob("*") if one.is_file() and kind(one) and not one.name.startswith(".")
            )
        elif path.is_file():
            if not kind(path):
                raise ValueError(
                    f"{path}: files of this kind are not read; expected {', '.join(ENDINGS)} (or .gz of them)"
                )
            found = [path]
        else:
            found = sorted(Path(one) for one in glob.glob(str(path), recursive=True) if kind(Path(one)))
        if not found:
            raise FileNotFoundError(f"{path}: no file with one of the endings {', '.join(ENDINGS)} (or .gz of them)")
        files += [one.resolve() for one in found if one.resolve() not in files]
    return files


def kind(path: Path) -> str | None:
    """ ".jsonl", ".json", ".parquet" or ".csv", with or without .gz; None for anything else."""
    name = path.name.lower()
    plain = name.removesuffix(".gz")
    ending = next((ending for ending in ENDINGS if plain.endswith(ending)), None)
    return None if ending == ".parquet" and name != plain else ending


def read_records(path: Path) -> Iterator[Numbered]:
    """(row number, record) of a file; a record that cannot be read is a `Rejected` in its place.

    Raises
    ------
    ValueError
        The file as a whole cannot be read: empty, cut short, not in UTF-8 (names the file).
    """
    if path.stat().st_size == 0:
        raise ValueError(f"{path}: the file is empty")
    readers = {".parquet": _parquet, ".csv": _csv, ".jsonl": _lines, ".json": _json}
    try:
        yield from readers[kind(path)](path)
    except (pa.ArrowException, EOFError, zlib.error, OSError) as error:
        raise ValueError(f"{path}: cannot be read to its end, the file may be cut short: {error}") from error


def _open(path: Path) -> io.BufferedIOBase:
    file = gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb")  # noqa: SIM115
    if file.read(2) in (b"\xff\xfe", b"\xfe\xff"):
        file.close()
        raise ValueError(f"{path}: is encoded in UTF-16; expected UTF-8")
    file.seek(0)
    if file.read(3) != b"\xef\xbb\xbf":
        file.seek(0)
    return file


def _parquet(path: Path) -> Iterator[Numbered]:
    with pq.ParquetFile(path) as file:
        columns = [name for name in file.schema_arrow.names if name in FIELDS]
        if not columns:
            raise ValueError(f"{path}: has the columns {file.schema_arrow.names}; expected some of {', '.join(FIELDS)}")
        number = 0
        for batch in file.iter_batches(batch_size=PARQUET_ROWS, columns=columns):
            try:
                records: list = batch.to_pylist()
            except UnicodeDecodeError:  # one text of the batch is not UTF-8: find which
                records = [_parquet_record(batch, place) for place in range(batch.num_rows)]
            for record in records:
                yield number, record
                number += 1


def _parquet_record(batch: pa.RecordBatch, place: int) -> object:
    try:
        return batch.slice(place, 1).to_pylist()[0]
    except UnicodeDecodeError as error:
        return Rejected("invalid UTF-8", "row", str(error))


def _lines(path: Path) -> Iterator[Numbered]:
    with _open(path) as file:
        number = 0
        for line in file:
            if line.strip():
                yield number, _parsed(line)
                number += 1


def _parsed(line: bytes) -> object:
    try:
        return json.loads(line.decode())
    except UnicodeDecodeError as error:
        return Rejected("invalid UTF-8", "line", str(error))
    except (ValueError, RecursionError) as error:  # ValueError also for a number of too many digits
        return Rejected("not JSON", "line", f"{error}: {line[:80].decode(errors='replace')}")


def _json(path: Path) -> Iterator[Numbered]:
    """One list of records or one record over several lines, which are read whole, or one record per line."""
    with _open(path) as file:
        start = file.read(4096).lstrip()[:1]
        if start != b"[":
            file.seek(0)
            whole = _over_several_lines(file)
            yield from _lines(path) if whole is None else [(0, whole)]
            return
        file.seek(0)
        try:
            records = json.loads(file.read().decode("utf-8-sig"))
        except (ValueError, RecursionError) as error:
            raise ValueError(f"{path}: is not a JSON list in UTF-8: {error}") from error
    yield from enumerate(records)


def _over_several_lines(file: io.BufferedIOBase) -> dict | None:
    """The object that a file holds if it does not end on its first line; None for anything else."""
    first = next((line for line in file if line.strip()), b"").decode("utf-8-sig", errors="replace")
    if not isinstance(_parsed(first.encode()), Rejected):
        return None
    file.seek(0)
    try:
        return json.loads(file.read().decode("utf-8-sig"))
    except (ValueError, RecursionError):  # lines, the first of which is damaged
        return None


def _csv(path: Path) -> Iterator[Numbered]:
    with _open(path) as file:
        text = io.TextIOWrapper(file, encoding="utf-8", errors="surrogateescape", newline="")
        try:
            for number, row in enumerate(csv.DictReader(text, strict=True)):
                yield (
                    number,
                    row if None not in row else Rejected("more cells than columns", "row", row[None]),
                )
        except csv.Error as error:
            raise ValueError(f"{path}: is not well-formed CSV: {error}") from error
