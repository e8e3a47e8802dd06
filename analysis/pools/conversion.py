"""Records of any known shape to one Arrow file of one shape, streamed: what does not fit is counted with examples."""

import json
import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import pyarrow as pa

from analysis.pools.files import kind
from analysis.pools.findings import Notes, Rejected
from analysis.pools.formats import fields_of, id_of, messages_of, source_of
from analysis.pools.how_to_read import HowToRead
from analysis.pools.pool import SetAside
from analysis.pools.said import MESSAGES, content_hash, hash_of, verbatim_hash
from analysis.pools.shapes import NEEDED

HASHES = ("content", "verbatim")  # of what a row says; of that with every space, and the source that it states
ORIGIN = {"file": pa.int32(), "number": pa.int64()}  # number of the file in the order read, and of the row in it
SCHEMA = pa.schema([
    ("id", pa.string()), ("source", pa.string()), ("messages", MESSAGES), *ORIGIN.items(),
    *((name, pa.uint64()) for name in HASHES),
])  # fmt: skip
ROWS_PER_BATCH = 2_000
MOST_NOTES = 200  # kinds of notes: a file whose fields are named after its rows has no end of them
LONGEST_FOUND = 120  # characters of a value shown as an example


@dataclass
class Counts:
    """What a conversion found.

    Attributes
    ----------
    given : the files that were asked for, in their order.
    files : path -> rows read and rows set aside, in the order read.
    set_aside, noted : by reason, rows that are not used, and what an owner should know of rows that are.
    skipped : files of a folder that were not read, and why.
    copies : rows of files that hold the same rows in the same order as one before: number of the file.
    """

    given: list[str] = field(default_factory=list)
    files: dict[str, list[int]] = field(default_factory=dict)
    set_aside: dict[str, SetAside] = field(default_factory=dict)
    noted: dict[str, SetAside] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)
    copies: list[int] = field(default_factory=list)

    @property
    def rows_read(self) -> int:
        return sum(read for read, _ in self.files.values())

    def moved(self, files: Sequence[Path]) -> "Counts":
        """The same counts under the paths that the files have now."""
        now = dict(zip(self.given, map(str, files), strict=True))

        def here(counted: dict[str, SetAside]) -> dict[str, SetAside]:
            examples = {what: [one | {"file": now.get(one["file"], one["file"])} for one in found.examples]
                        for what, found in counted.items()}  # fmt: skip
            return {what: SetAside(found.count, examples[what]) for what, found in counted.items()}

        return replace(
            self, given=list(map(str, files)), set_aside=here(self.set_aside), noted=here(self.noted),
            files={now.get(path, path): read for path, read in self.files.items()},
            skipped={now.get(path, path): why for path, why in self.skipped.items()},
        )  # fmt: skip

    @property
    def n_aside(self) -> int:
        return sum(aside.count for aside in self.set_aside.values())


def convert_records(
    records: Iterable[tuple[str, str, int, object]], path: Path, how: HowToRead | None = None
) -> Counts:
    """Write the rows of records to an Arrow file.

    Parameters
    ----------
    records : (name for ids, file, row number, record or `Rejected`) of every record.
    path : the file to write.
    how : names of fields, and which rows are wanted.
    """
    rows = _Rows(how or HowToRead())
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_stream(sink, SCHEMA) as writer:
        for record in records:
            rows.add(*record)
            if len(rows.batch["id"]) == ROWS_PER_BATCH:
                writer.write_batch(rows.taken())
        if rows.batch["id"]:
            writer.write_batch(rows.taken())
    rows.counts.copies = rows.copies()
    return rows.counts


class _Rows:
    """Rows on their way to an Arrow file: those of a batch, ids given so far, and what is known of each file."""

    def __init__(self, how: HowToRead) -> None:
        self.how, self.counts = how, Counts()
        self.batch: dict[str, list] = {name: [] for name in SCHEMA.names}
        self._ids: set[int] = set()
        self._last: dict[int, int] = {}  # of each id given twice the last number: all below it are taken
        self._places: dict[str, int] = {}
        self._said: dict[str, tuple[int, int]] = {}  # of each file its rows, and a digest of what they say in order

    def taken(self) -> pa.RecordBatch:
        """The batch so far; the next row begins another."""
        batch, self.batch = self.batch, {name: [] for name in SCHEMA.names}
        return pa.record_batch(batch, schema=SCHEMA)

    def add(self, name: str, file: str, number: int, record: object) -> None:
        """Convert one record, or count why it cannot be."""
        read = self.counts.files.setdefault(file, [0, 0])
        place = self._places.setdefault(file, len(self._places))
        read[0] += 1
        notes = Notes()
        try:
            if isinstance(record, Rejected):
                raise record
            fields = fields_of(record, self.how)
            messages = messages_of(fields, self.how, notes)
            wanted(fields, self.how)
        except Rejected as why:
            read[1] += 1
            self._count(self.counts.set_aside, why.reason, file, number, why.field, why.found)
            return
        source = _printable(source_of(fields, "", self.how), 500)
        row = {
            "id": self._unique(_encodable(id_of(fields, self.how) or f"{name}:{number}"), notes), "source": source or name,
            "messages": messages, "file": place, "number": number,
            "content": content_hash(messages), "verbatim": verbatim_hash(source, messages),
        }  # fmt: skip
        for column, value in row.items():
            self.batch[column].append(value)
        n_rows, said = self._said.get(file, (0, 0))
        self._said[file] = n_rows + 1, hash((said, row["content"]))
        for what, where, found in notes:
            if what not in self.counts.noted and len(self.counts.noted) >= MOST_NOTES:
                what = "more fields not read"
            self._count(self.counts.noted, what, file, number, where, found)

    def copies(self) -> list[int]:
        """Numbers of the files that say row by row what one before of their kind says; a single row is no copy."""
        known: set = set()
        found = []
        for file, said in self._said.items():
            if (what := (kind(Path(file)), *said)) in known and said[0] > 1:
                found.append(self._places[file])
            known.add(what)
        return found

    def _unique(self, given: str, notes: Notes) -> str:
        """An id that no row before has: the second row of an id is given `#2`."""
        hashed = first = hash_of(given)
        unique, times = given, self._last.get(first, 1)
        while hashed in self._ids:
            times += 1
            unique = f"{given}#{times}"
            hashed = hash_of(unique)
        if unique != given:
            self._last[first] = times
            notes.add("id made unique", "id", given)
        self._ids.add(hashed)
        return unique

    @staticmethod
    def _count(counted: dict[str, SetAside], what: str, file: str, number: int, field: str, found: object) -> None:
        found = found if isinstance(found, str) else repr(found)
        example = {"file": file, "row": number, "field": field, "found": _printable(found)}
        counted.setdefault(what, SetAside()).add(example)


def wanted(fields: Mapping, how: HowToRead) -> None:
    """Rejected where an owner wants no such row: another language, marked toxic or redacted, as WildChat marks rows."""
    if how.language and str(fields.get("language", "")).strip().casefold() != how.language.casefold():
        raise Rejected("another language", "language", fields.get("language"))
    for mark in ("toxic", "redacted"):
        if getattr(how, mark) == "drop" and fields.get(mark) is True:
            raise Rejected(f"marked {mark}", mark, True)


def _encodable(text: str) -> str:
    """Without what UTF-8 cannot hold."""
    return text.encode("utf-8", "replace").decode()


def _printable(text: str, longest: int = LONGEST_FOUND) -> str:
    """Encodable, and shortened."""
    text = _encodable(text)
    return text if len(text) <= longest else f"{text[:longest]}…"


def save_counts(path: Path, counts: Counts) -> None:
    """The counts of a conversion, beside its Arrow file."""
    path.write_text(json.dumps(asdict(counts)), encoding="utf-8")


def load_counts(path: Path) -> Counts:
    """What `save_counts` wrote."""
    content = json.loads(path.read_text(encoding="utf-8"))
    for counted in ("set_aside", "noted"):
        content[counted] = {what: SetAside(**found) for what, found in content[counted].items()}
    return Counts(**content)


def nothing_fits(where: str, counts: Counts) -> ValueError:
    """The error for a source without one usable row: what was found instead."""
    if not counts.rows_read:
        return ValueError(f"{where}: holds no row")
    reason, aside = max(counts.set_aside.items(), key=lambda item: item[1].count)
    first = aside.examples[0]
    return ValueError(
        f"{where}: none of {counts.rows_read} rows can be used; {aside.count} of them: {reason}; first {first['file']} "
        f"row {first['row']}, {first['field']}: {first['found']}. A row needs the fields {NEEDED}; others are named with "
        "--fields prompt=…,answer=… or messages=… (load_pool: fields='prompt=…,answer=…')"
    )


def warn_if_many(where: str, counts: Counts) -> None:
    """A warning where more than half of a source had to be set aside."""
    if counts.n_aside * 2 > counts.rows_read:
        reasons = ", ".join(f"{reason} {aside.count}" for reason, aside in counts.set_aside.items())
        warnings.warn(f"{where}: {counts.n_aside} of {counts.rows_read} rows were set aside: {reasons}", stacklevel=3)
