"""Rows of JSON in every layout that files have: a row a line, one list, objects one after another, rows under a key."""

import codecs
import json
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import BinaryIO

from analysis.pools.encodings import OtherEncoding, decoded, other_encoding
from analysis.pools.formats import recognise
from analysis.pools.how_to_read import HowToRead
from analysis.pools.turns import PYTHON_TEXT, Rejected

CHUNK = 1 << 20  # bytes read at once
LONGEST_FIRST_LINE = 1 << 24  # bytes of a first line that is read to see what the file is like
SPACE = re.compile(r"[\s]*")


def json_rows(path: Path, opened: Callable[[], BinaryIO], how: HowToRead | None = None) -> Iterator[tuple[int, object]]:
    """(number, record or `Rejected`) of a file; `how` names the fields by which rows are told from what holds them.

    Raises
    ------
    ValueError
        The file cannot be read as a whole: cut short, a comma too many, a comment, another encoding.
    """
    how = how or HowToRead()
    with opened() as file:
        first = next((line for line in iter(lambda: file.readline(LONGEST_FIRST_LINE), b"") if line.strip()), b"")
        more = bool(next((line for line in iter(lambda: file.readline(CHUNK), b"") if line.strip()), b""))
    start = first.lstrip()[:1]
    if start in (b"/", b"#"):
        raise ValueError(f"{path}: line 1 is a comment, which JSON does not have: remove it; found {first[:80]!r}")
    alone = _parsed(first, path, 0) if len(first) < LONGEST_FIRST_LINE else Rejected("not JSON", "line", "")
    complete = not isinstance(alone, Rejected)
    if start == b"[" and not (complete and more):
        yield from enumerate(_list(path, opened))
    elif start == b"{" and complete and not more:
        yield from enumerate(_rows_of(alone, how))
    elif start == b"{" and not complete:
        yield from _objects_or_lines(path, opened, how)
    else:
        yield from _lines(path, opened)


def _lines(path: Path, opened: Callable[[], BinaryIO]) -> Iterator[tuple[int, object]]:
    with opened() as file:
        number = 0
        for line in file:
            if line.strip():
                yield number, _parsed(line, path, number)
                number += 1


def _parsed(line: bytes, path: Path, number: int) -> object:
    try:
        return json.loads(decoded(line, path, number, _is_json))
    except UnicodeDecodeError as error:
        return Rejected("invalid UTF-8", "line", str(error))
    except json.JSONDecodeError as error:
        return Rejected(_why_not(line, error), "line", f"{error}: {line[:80].decode(errors='replace')}")
    except OtherEncoding:
        raise
    except (ValueError, RecursionError) as error:  # ValueError for a number of too many digits
        return Rejected("not JSON", "line", f"{error}: {line[:80].decode(errors='replace')}")


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _why_not(line: bytes, error: json.JSONDecodeError) -> str:
    rest = line.decode()[error.pos :].strip()
    if PYTHON_TEXT.match(line.decode()):
        return "Python text instead of JSON (write it with json.dumps)"
    if error.msg == "Extra data":
        return "comma after the object (remove it)" if rest == "," else "several objects on one line (one line each)"
    return "not JSON"


def _rows_of(whole: Mapping, how: HowToRead) -> list:
    """Rows of one object: itself, or rows under a key, under their ids, or as columns."""
    values = list(whole.values())
    names = {str(name).strip().casefold() for name in whole}
    known = names & {*how.messages, *how.prompt, *how.answer}
    if not values:
        return [whole]
    if {"columns", "data"} <= set(whole) and all(
        isinstance(row, list) for row in whole["data"]
    ):  # pandas, orient="split"
        return [dict(zip(whole["columns"], row, strict=False)) for row in whole["data"]]
    if known and all(isinstance(value, Mapping) for value in values):  # columns by index, as pandas writes them
        return [{name: column.get(place) for name, column in whole.items()} for place in values[0]]
    if known and all(isinstance(value, list) for value in values) and len({len(value) for value in values}) == 1:
        prompt = next(value for name, value in whole.items() if str(name).strip().casefold() in known)
        if not (prompt and isinstance(prompt[0], Mapping)):
            return [dict(zip(whole, row, strict=True)) for row in zip(*values, strict=True)]
    if not known:
        if all(isinstance(value, Mapping) and recognise(value, how) for value in values):
            return values  # under their ids
        lists = [value for value in values if isinstance(value, list) and value and isinstance(value[0], Mapping)]
        if len(lists) == 1 and any(recognise(row, how) for row in lists[0][:10] if isinstance(row, Mapping)):
            return lists[0]
    return [whole]


def _objects_or_lines(path: Path, opened: Callable[[], BinaryIO], how: HowToRead) -> Iterator[tuple[int, object]]:
    """Objects over several lines, one after another; lines where not even the first can be read so."""
    number = -1
    values = _Values(path, opened)
    with values:
        try:
            first = values.next()
        except OtherEncoding:
            raise
        except (ValueError, RecursionError):  # also a number of too many digits, and lists too deep: a row of its own
            first = None
        if first is not None:
            if values.at_end():
                yield from enumerate(_rows_of(first, how))
                return
            yield 0, first
            number = 0
            while not values.at_end():
                number += 1
                try:
                    yield number, values.next()
                except OtherEncoding:
                    raise
                except (ValueError, RecursionError) as error:
                    if values.is_comma():
                        raise ValueError(f"{path}: row {number - 1}: a comma after the object: remove it") from error
                    raise values.error(number, error) from error
            return
    yield from _lines(path, opened)


def _list(path: Path, opened: Callable[[], BinaryIO]) -> Iterator[object]:
    """Entries of a list, each read as it comes."""
    with _Values(path, opened) as values:
        values.skip("[")
        number = 0
        if values.skip("]"):
            return
        while True:
            try:
                record = values.next()
            except OtherEncoding:
                raise
            except (ValueError, RecursionError) as error:
                raise values.error(number, error) from error
            yield record
            number += 1
            if values.skip("]"):
                break
            if not values.skip(","):
                raise values.error(number, None)
        if not values.at_end():
            raise ValueError(f"{path}: line {values.line()}: more data after the end of the list")


class _Values:
    """Values of JSON from a text that is held in part only."""

    def __init__(self, path: Path, opened: Callable[[], BinaryIO]) -> None:
        self._path, self._file = path, opened()
        self._text, self._place, self._lines, self._ended = "", 0, 1, False
        self._decoder, self._decode = codecs.getincrementaldecoder("utf-8")(), json.JSONDecoder()
        self._number = 0

    def __enter__(self) -> "_Values":
        return self

    def __exit__(self, *_) -> None:
        self._file.close()

    def _more(self, size: int = CHUNK) -> bool:
        if self._ended:
            return False
        self._lines += self._text.count("\n", 0, self._place)
        part = self._file.read(size)
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
        """The next value.

        Raises
        ------
        json.JSONDecodeError
            There is none, or it is damaged.
        """
        self._at()
        size = CHUNK
        while True:
            try:
                value, end = self._decode.raw_decode(self._text, self._place)
            except json.JSONDecodeError as error:
                # What is wrong far from the end of the text stays wrong with more of it.
                unfinished = error.pos > len(self._text) - 16 or error.msg.startswith("Unterminated string")
                if not unfinished or not self._more(size):
                    raise
                size *= 2
                continue
            if end == len(self._text) and not isinstance(value, dict | list | str) and self._more(size):
                continue  # the digits of a number may go on
            self._place, self._number = end, self._number + 1
            return value

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
