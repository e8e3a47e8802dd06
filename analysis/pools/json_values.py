"""Values of JSON, one after another, from a file that is held in part only."""

import codecs
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

from analysis.pools.encodings import OtherEncoding, other_encoding
from analysis.pools.findings import MEGABYTE, Rejected, too_long
from analysis.pools.json_text import DECODER

CHUNK = 1 << 20  # bytes read at once
SPACE = re.compile(r"[\s]*")
STARTS, ENDS = re.compile(r'["\[\]{}]'), re.compile(r'"|\\(?s:.)?')  # of texts, lists and objects; of a text
SHOWN = 80  # characters of what is too long


class TooLong(Exception):
    """The next value is longer than may be held; `Values.skip_value` leads past it."""


class Values:
    """Values of JSON from a text that is held in part only.

    Parameters
    ----------
    longest : megabytes of one value; a longer one is not held.
    """

    def __init__(self, path: Path, opened: Callable[[], BinaryIO], longest: int) -> None:
        self._path, self._file, self.longest = path, opened(), longest
        self._text, self._place, self._lines, self._ended = "", 0, 1, False
        self._decoder, self._decode = codecs.getincrementaldecoder("utf-8")(), DECODER
        self._number = 0

    def __enter__(self) -> "Values":
        return self

    def __exit__(self, *_) -> None:
        self._file.close()

    def _more(self, size: int | None = None) -> bool:
        if self._ended:
            return False
        self._lines += self._text.count("\n", 0, self._place)
        part = self._file.read(size or CHUNK)
        self._ended = not part
        try:
            text = self._decoder.decode(part, final=self._ended)
        except UnicodeDecodeError as error:
            raise other_encoding(self._path, self._number, error.object[error.start]) from error
        self._text, self._place = self._text[self._place :] + text, 0
        return True

    def _at(self) -> str:
        """The next character that is no space; empty at the end."""
        while True:
            self._place = SPACE.match(self._text, self._place).end()
            if self._place < len(self._text) or not self._more():
                return self._text[self._place : self._place + 1]

    def skip(self, mark: str) -> bool:
        if found := self._at() == mark:
            self._place += 1
        return found

    def is_comma(self) -> bool:
        return self._at() == ","

    def at_end(self) -> bool:
        return not self._at()

    def next(self) -> object:
        """The next value, or why it cannot be used.

        Raises
        ------
        json.JSONDecodeError
            There is none, or it is damaged.
        TooLong
            It is longer than may be held, and still to be read.
        """
        self._at()
        size, most = CHUNK, self.longest * MEGABYTE
        while True:
            try:
                value, end = self._decode.raw_decode(self._text, self._place)
            except Rejected as why:
                self.skip_value()
                return why
            except json.JSONDecodeError as error:
                # What is wrong far from the end of the text stays wrong with more of it.
                unfinished = error.pos > len(self._text) - 16 or error.msg.startswith("Unterminated string")
                if unfinished and len(self._text) - self._place > most:
                    raise TooLong from error
                if not unfinished or not self._more(size):
                    raise
                size *= 2
                continue
            if end == len(self._text) and not isinstance(value, dict | list | str) and self._more(size):
                continue  # the digits of a number may go on
            if end - self._place > most:
                raise TooLong
            self._place, self._number = end, self._number + 1
            return value

    def skip_value(self) -> tuple[Rejected, int]:
        """Read past a text, list or object without holding it; why it is set aside, and characters of its longest text.

        Raises
        ------
        ValueError
            It does not end.
        """
        self._at()
        rejected = too_long(self.longest, f"line {self.line()}", self._text[self._place : self._place + SHOWN])
        depth, inside, longest, length = 0, False, 0, 0
        while True:
            found = (ENDS if inside else STARTS).search(self._text, self._place)
            escaped = found is not None and found[0] == "\\"  # the last character so far
            length += (found.start() if found else len(self._text)) - self._place
            self._place = found.start() if escaped else found.end() if found else len(self._text)
            if found is None or escaped:
                if not self._more():
                    raise self.error(self._number, None)
            elif found[0] == '"':
                longest, length = max(longest, length if inside else 0), 0
                inside = not inside
            elif not inside:
                depth += 1 if found[0] in "[{" else -1
            if found and not (inside or depth):
                self._number += 1
                return rejected, longest

    def entries(self) -> Iterator[object]:
        """Entries of a list whose bracket has been read, each read as it comes; one too long is `Rejected`.

        Raises
        ------
        ValueError
            The list cannot be read on; names file, line, row and repair.
        """
        number = 0
        if self.skip("]"):
            return
        while True:
            try:
                record = self.next()
            except TooLong:
                record, _ = self.skip_value()
            except OtherEncoding:
                raise
            except (ValueError, RecursionError) as error:
                raise self.error(number, error) from error
            yield record
            number += 1
            if self.skip("]"):
                return
            if not self.skip(","):
                raise self.error(number, None)

    def members(self) -> Iterator[tuple[str, object]]:
        """Name and value of every member of an object; a list comes as an iterator of its entries.

        Raises
        ------
        ValueError
            There is no object, or it is damaged.
        TooLong
            A value that is no list is longer than may be held.
        """
        opened = self.skip("{")
        while opened:
            name = self.next()
            if not (isinstance(name, str) and self.skip(":")):
                break
            entries = self.entries() if self.skip("[") else None
            yield name, self.next() if entries is None else entries
            for _ in entries or ():  # that nobody wanted
                pass
            if self.skip("}"):
                return
            opened = self.skip(",")
        raise ValueError(f"{self._path}: line {self.line()}: is not an object")

    def line(self) -> int:
        return self._lines + self._text.count("\n", 0, self._place)

    def error(self, number: int, error: Exception | None) -> ValueError:
        """The error for a text that cannot be read on from row `number`."""
        found, line = self._at(), self.line()
        if found == "]":
            return ValueError(f"{self._path}: line {line}: a comma before ]: remove it")
        if not found or (isinstance(error, json.JSONDecodeError) and self._ended and self._cut(error)):
            return ValueError(
                f"{self._path}: line {line}, row {number}: the list is cut short; download the file again"
            )
        what = error if isinstance(error, Exception) else f"expected a comma or ], found {found!r}"
        return ValueError(f"{self._path}: line {line}, row {number}: is not JSON: {what}")

    def _cut(self, error: json.JSONDecodeError) -> bool:
        return error.pos >= len(self._text.rstrip()) or error.msg.startswith("Unterminated string")
