"""Rows of CSV and TSV: separator and header as they are found, one damaged line costs one row."""

import csv
import io
import re
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

from analysis.pools.encodings import other_encoding
from analysis.pools.field_values import unique_names
from analysis.pools.findings import MEGABYTE, Rejected, too_long
from analysis.pools.how_to_read import HowToRead

SEPARATORS = (",", ";", "\t", "|")
MOST_LINES = 10_000  # of one row; a quote that stays open for longer was never meant to be one
CHUNK, SHOWN = 1 << 20, 80  # characters of a line that is too long: read at once, kept
INDEX = re.compile(r"\s*(?:-?[0-9]+(?:\.0*)?)?\s*")
QUOTED = re.compile(r'"(?:[^"]|"")*"')
csv.field_size_limit(2**31 - 1)


def csv_rows(path: Path, opened: Callable[[], BinaryIO], how: HowToRead | None = None) -> Iterator[tuple[int, object]]:
    """(number, record or `Rejected`) of a file; a row longer than `how.longest_row` is rejected without being held.

    Raises
    ------
    ValueError
        Bytes that are no UTF-8; names the row. The header is longer than a row may be.
    """
    longest = (how or HowToRead()).longest_row
    with opened() as file:
        lines = _Lines(io.TextIOWrapper(file, encoding="utf-8", errors="surrogateescape", newline=""), path, longest)
        header = lines.peek()
        if isinstance(header, _Start):
            raise ValueError(f"{path}: its first line is longer than {longest} MB, and no header")
        if header.lower().startswith("sep="):  # a line that Excel writes and reads
            next(lines.rows("\0", None))
            header = lines.peek()
        separator = max(SEPARATORS, key=lambda one: _outside_quotes(header, one))
        names = _named(next(lines.rows(separator, None), []))
        for number, row in enumerate(lines.rows(separator, len(names))):
            lines.number = number + 1
            yield number, _record(row, names)


def _outside_quotes(line: str, separator: str) -> int:
    return sum(part.count(separator) for part in line.split('"')[::2])


def _named(header: list[str]) -> list[str]:
    """Names of the columns, trimmed; a second one of a name has a name of its own, one without a name is an index."""
    return unique_names(map(str.strip, header))


def _record(row: list[str] | Rejected, names: list[str]) -> object:
    if isinstance(row, Rejected):
        return row
    if any(cell.strip() for cell in row[len(names) :]):
        return Rejected("more cells than columns", "row", row[len(names) :])
    if [cell.strip() for cell in row] == names:
        return Rejected("the header again", "row", row)
    cells = [*row[: len(names)], *[None] * (len(names) - len(row))]
    record = {}
    for place, (name, cell) in enumerate(zip(names, cells, strict=True), 1):
        if name and not name.startswith("Unnamed: "):
            record[name] = cell
        elif cell and not INDEX.fullmatch(cell):  # no index, so that its owner is told of it
            record[f"column {place} without a name"] = cell
    return record


def _with_quotes(line: str, separator: str, columns: int | None) -> list[str]:
    """Cells of a line with text after a closing quote: its quotes are text, where the line then has all its cells."""
    cells = next(csv.reader([line], delimiter=separator, quoting=csv.QUOTE_NONE))
    if len(cells) != columns:
        return next(csv.reader([line], delimiter=separator))
    return [cell[1:-1].replace('""', '"') if QUOTED.fullmatch(cell) else cell for cell in cells]


class _Start(str):
    """The start of a line that is too long to be held, and whether a quote is open at its end."""

    open: bool


class _Lines:
    """Lines of a text, which can be taken back."""

    def __init__(self, text: io.TextIOWrapper, path: Path, longest: int) -> None:
        self._text, self._path, self._back, self.read, self.number = text, path, deque(), 0, 0
        self._longest, self._most = longest, longest * MEGABYTE

    def _read(self) -> str:
        """The next line; empty at the end."""
        line = self._text.readline(self._most + 1)
        if len(line) <= self._most:
            return line
        start, part, quotes = _Start(line[:SHOWN]), line, line.count('"')
        while not part.endswith(("\n", "\r")) and (part := self._text.readline(CHUNK)):
            quotes += part.count('"')
        start.open = quotes % 2 == 1
        return start

    def _next(self) -> str:
        line = self._back.popleft() if self._back else self._read()
        if not line:
            raise StopIteration
        try:
            line.encode()
        except UnicodeEncodeError as error:
            raise other_encoding(self._path, self.number, ord(line[error.start]) - 0xDC00) from error
        self.read += 1
        return line

    def peek(self) -> str:
        """The first line that is not blank, which stays to be read."""
        while line := self._read():
            if line.strip():
                self._back.append(line)
                return line
        return ""

    def rows(self, separator: str, columns: int | None) -> Iterator[list[str] | Rejected]:
        """Cells of one row after another.

        A row over several lines with another number of cells than there are columns, or without an end, has a quote
        that was never closed: its first line is set aside, and reading goes on with the second. So it does where the
        lines together are longer than a row may be.
        """
        while True:
            taken: list[str] = []
            try:
                cells, why = next(csv.reader(self._taken(taken), delimiter=separator, strict=True)), None
            except StopIteration:
                if not taken:
                    return
                cells, why = None, ""  # of a line that is too long
            except csv.Error as error:
                cells, why = None, str(error)
            if columns is not None and len(taken) > 1 and (cells is None or len(cells) != columns):
                self._back.extendleft(reversed(taken[1:]))
                self.read -= len(taken) - 1
                cells, why = None, "unexpected end of data"
            if isinstance(taken[0], _Start):
                rejected = too_long(self._longest, f"line {self.read}", taken[0])
                if taken[0].open:
                    self._to_closing_quote()
                yield rejected
            elif cells is None and why == "unexpected end of data":
                yield Rejected("quote never closed", f"line {self.read}", taken[0].strip())
            elif cells is None:  # text after a closing quote
                yield _with_quotes(taken[-1], separator, columns)
            elif cells and cells != [""]:  # not a blank line
                yield cells

    def _taken(self, taken: list[str]) -> Iterator[str]:
        """Lines of one row, as far as they may belong to one; of a line that is too long nothing is given on."""
        length = 0
        while len(taken) < MOST_LINES and length <= self._most:
            try:
                line = self._next()
            except StopIteration:
                return
            taken.append(line)
            length += len(line)
            if isinstance(line, _Start):
                return
            yield line

    def _to_closing_quote(self) -> None:
        """Past the lines that a row goes on for; none where its quote is never closed."""
        taken: list[str] = []
        for line in self._taken(taken):
            if line.count('"') % 2:
                return
        self._back.extendleft(reversed(taken))
        self.read -= len(taken)
