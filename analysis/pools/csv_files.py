"""Rows of CSV and TSV: separator and header as they are found, one damaged line costs one row."""

import csv
import io
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

from analysis.pools.encodings import other_encoding
from analysis.pools.turns import Rejected

SEPARATORS = (",", ";", "\t", "|")
MOST_LINES = 10_000  # of one row; a quote that stays open for longer was never meant to be one
csv.field_size_limit(2**31 - 1)


def csv_rows(path: Path, opened: Callable[[], BinaryIO]) -> Iterator[tuple[int, object]]:
    """(number, record or `Rejected`) of a file.

    Raises
    ------
    ValueError
        Bytes that are no UTF-8; names the row.
    """
    with opened() as file:
        lines = _Lines(io.TextIOWrapper(file, encoding="utf-8", errors="surrogateescape", newline=""), path)
        header = lines.peek()
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
    names: list[str] = []
    for name in map(str.strip, header):
        names.append(f"{name} (again)" if name and name in names else name)
    return names


def _record(row: list[str] | Rejected, names: list[str]) -> object:
    if isinstance(row, Rejected):
        return row
    if len(row) > len(names):
        return Rejected("more cells than columns", "row", row[len(names) :])
    if [cell.strip() for cell in row] == names:
        return Rejected("the header again", "row", row)
    cells = [*row, *[None] * (len(names) - len(row))]
    return {name: cell for name, cell in zip(names, cells, strict=True) if name and not name.startswith("Unnamed: ")}


class _Lines:
    """Lines of a text, which can be taken back."""

    def __init__(self, text: io.TextIOWrapper, path: Path) -> None:
        self._text, self._path, self._back, self.read, self.number = text, path, deque(), 0, 0

    def _next(self) -> str:
        line = self._back.popleft() if self._back else next(self._text)
        try:
            line.encode()
        except UnicodeEncodeError as error:
            raise other_encoding(self._path, self.number, ord(line[error.start]) - 0xDC00) from error
        self.read += 1
        return line

    def peek(self) -> str:
        """The first line that is not blank, which stays to be read."""
        for line in self._text:
            if line.strip():
                self._back.append(line)
                return line
        return ""

    def rows(self, separator: str, columns: int | None) -> Iterator[list[str] | Rejected]:
        """Cells of one row after another.

        A row over several lines with another number of cells than there are columns, or without an end, has a quote
        that was never closed: its first line is set aside, and reading goes on with the second.
        """
        while True:
            taken: list[str] = []
            try:
                cells, why = next(csv.reader(self._taken(taken), delimiter=separator, strict=True)), None
            except StopIteration:
                return
            except csv.Error as error:
                cells, why = None, str(error)
            if columns is not None and len(taken) > 1 and (cells is None or len(cells) != columns):
                self._back.extendleft(reversed(taken[1:]))
                self.read -= len(taken) - 1
                cells, why = None, "unexpected end of data"
            if cells is None and why == "unexpected end of data":
                yield Rejected("quote never closed", f"line {self.read}", taken[0].strip())
            elif cells is None:  # text after a closing quote
                yield next(csv.reader(taken[-1:], delimiter=separator))
            elif cells and cells != [""]:  # not a blank line
                yield cells

    def _taken(self, taken: list[str]) -> Iterator[str]:
        while len(taken) < MOST_LINES:
            try:
                line = self._next()
            except StopIteration:
                return
            taken.append(line)
            yield line
