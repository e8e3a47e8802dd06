"""Records of any known shape to one Arrow file of one shape, streamed: what does not fit is counted with examples."""

import hashlib
import json
import warnings
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path

import pyarrow as pa

from analysis.pools.formats import SHAPES, Rejected, convert, source_of
from analysis.pools.pool import SetAside

MESSAGES = pa.list_(pa.struct([("role", pa.string()), ("content", pa.string())]))
HASHES = ("content", "verbatim")  # of what a row says; of that with every space, and the source that it states
ORIGIN = {"file": pa.int32(), "number": pa.int64()}  # number of the file in the order read, and of the row in it
SCHEMA = pa.schema([
    ("id", pa.string()), ("source", pa.string()), ("messages", MESSAGES), *ORIGIN.items(),
    *((name, pa.uint64()) for name in HASHES),
])  # fmt: skip
ROWS_PER_BATCH = 2_000
LONGEST_FOUND = 120  # characters of a value shown as an example


def content_hash(messages: list[dict]) -> int:
    """64 bits of what a conversation says; case and the amount of white space between words count for nothing else."""
    text = "\x1f".join(f"{message['role']}\x1e{' '.join(message['content'].split())}" for message in messages)
    return _hash(text)


def verbatim_hash(source: str, messages: list[dict]) -> int:
    """64 bits of all that is known of a row but its place: rows that share it are interchangeable."""
    return _hash("\x1f".join([source, *(f"{message['role']}\x1e{message['content']}" for message in messages)]))


def _hash(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little")


@dataclass
class Counts:
    """What a conversion found: the files in the order read, rows read, and what was set aside by reason."""

    files: list[str] = field(default_factory=list)
    rows_read: int = 0
    set_aside: dict[str, SetAside] = field(default_factory=dict)

    @property
    def n_aside(self) -> int:
        return sum(aside.count for aside in self.set_aside.values())


def convert_records(records: Iterable[tuple[str, str, int, object]], path: Path) -> Counts:
    """Write the rows of records to an Arrow file.

    Parameters
    ----------
    records : (name for ids, file, row number, record or `Rejected`) of every record.
    path : the file to write.
    """
    counts, files = Counts(), {}
    batch: dict[str, list] = {name: [] for name in SCHEMA.names}
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_stream(sink, SCHEMA) as writer:
        for name, file, number, record in records:
            counts.rows_read += 1
            place = files.setdefault(file, len(files))
            try:
                if isinstance(record, Rejected):
                    raise record
                messages = convert(record)
            except Rejected as why:
                found = why.found if isinstance(why.found, str) else repr(why.found)
                example = {"file": file, "row": number, "field": why.field, "found": _printable(found)}
                counts.set_aside.setdefault(why.reason, SetAside()).add(example)
                continue
            batch["id"].append(f"{name}:{number}")
            batch["source"].append(_printable(source_of(record, name), 500))
            batch["messages"].append(messages)
            batch["file"].append(place)
            batch["number"].append(number)
            batch["content"].append(content_hash(messages))
            batch["verbatim"].append(verbatim_hash(_printable(source_of(record, ""), 500), messages))
            if len(batch["id"]) == ROWS_PER_BATCH:
                writer.write_batch(pa.record_batch(batch, schema=SCHEMA))
                batch = {name: [] for name in SCHEMA.names}
        if batch["id"]:
            writer.write_batch(pa.record_batch(batch, schema=SCHEMA))
    counts.files = list(files)
    return counts


def _printable(text: str, longest: int = LONGEST_FOUND) -> str:
    """Shortened, and without what UTF-8 cannot hold."""
    text = text.encode("utf-8", "replace").decode()
    return text if len(text) <= longest else f"{text[:longest]}…"


def save_counts(path: Path, counts: Counts) -> None:
    """The counts of a conversion, beside its Arrow file."""
    path.write_text(json.dumps(asdict(counts)), encoding="utf-8")


def load_counts(path: Path) -> Counts:
    """What `save_counts` wrote."""
    content = json.loads(path.read_text(encoding="utf-8"))
    aside = {reason: SetAside(**found) for reason, found in content.pop("set_aside").items()}
    return Counts(**content, set_aside=aside)


def nothing_fits(where: str, counts: Counts) -> ValueError:
    """The error for a source without one usable row: what was found instead."""
    if not counts.rows_read:
        return ValueError(f"{where}: holds no row")
    reason, aside = max(counts.set_aside.items(), key=lambda item: item[1].count)
    first = aside.examples[0]
    shapes = "; ".join(" + ".join(fields) for fields in SHAPES.values())
    return ValueError(
        f"{where}: none of {counts.rows_read} rows can be used; {aside.count} of them: {reason}, first {first['file']} "
        f"row {first['row']}, {first['field']}: {first['found']}. A row needs the fields {shapes}"
    )


def warn_if_many(where: str, counts: Counts) -> None:
    """A warning where more than half of a source had to be set aside."""
    if counts.n_aside * 2 > counts.rows_read:
        reasons = ", ".join(f"{reason} {aside.count}" for reason, aside in counts.set_aside.items())
        warnings.warn(f"{where}: {counts.n_aside} of {counts.rows_read} rows were set aside: {reasons}", stacklevel=3)
