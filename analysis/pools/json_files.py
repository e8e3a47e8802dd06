"""Rows of JSON in every layout that files have: a row a line, one list, objects one after another, rows under a key."""

import codecs
import json
from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from analysis.pools.encodings import OtherEncoding, decoded
from analysis.pools.field_values import PYTHON_TEXT
from analysis.pools.findings import MEGABYTE, Rejected, too_long
from analysis.pools.how_to_read import HowToRead
from analysis.pools.json_text import TWICE, parsed
from analysis.pools.json_values import CHUNK, SHOWN, TooLong, Values
from analysis.pools.shapes import recognise

LONGEST_FIRST_LINE = 1 << 24  # bytes of a first line that is read to see what the file is like
LONGEST_WHOLE = 32  # times the longest row: of one object that holds rows as columns or by id, and is read as a whole
TRIED = 10  # entries of a list by which it is told whether they are rows


def json_rows(path: Path, opened: Callable[[], BinaryIO], how: HowToRead | None = None) -> Iterator[tuple[int, object]]:
    """(number, record or `Rejected`) of a file; `how` names the fields by which rows are told from what holds them.

    A row longer than `how.longest_row` is rejected without being held.

    Raises
    ------
    ValueError
        The file cannot be read as a whole: cut short, a comma too many, a comment, another encoding, rows of too much
        text together in one object.
    """
    how = how or HowToRead()
    with opened() as file:
        first = next((line for line in iter(lambda: file.readline(LONGEST_FIRST_LINE), b"") if line.strip()), b"")
        more = bool(next((line for line in iter(lambda: file.readline(CHUNK), b"") if line.strip()), b""))
    start = first.lstrip()[:1]
    if start in (b"/", b"#"):
        raise ValueError(f"{path}: line 1 is a comment, which JSON does not have: remove it; found {first[:80]!r}")
    alone = _parsed(first, path, 0) if len(first) < LONGEST_FIRST_LINE else Rejected("not JSON", "line", "")
    complete = not isinstance(alone, Rejected) or alone.reason == TWICE
    if start == b"[" and not (complete and more):
        yield from enumerate(_list(path, opened, how))
    elif start == b"{" and complete and not more and len(first) <= how.longest_row * MEGABYTE:
        yield from enumerate(_rows_of(alone, how))
    elif start == b"{" and not (complete and more):
        yield from _objects_or_lines(path, opened, how)
    else:
        yield from _lines(path, opened, how)


def _lines(path: Path, opened: Callable[[], BinaryIO], how: HowToRead) -> Iterator[tuple[int, object]]:
    most = how.longest_row * MEGABYTE
    with opened() as file:
        number = 0
        for place, line in enumerate(iter(lambda: file.readline(most + 1), b""), 1):
            blank, part = not line.strip(), line
            while not part.endswith(b"\n") and (len(line) > most) and (part := file.readline(CHUNK)):
                blank = blank and not part.strip()
            if blank:
                continue
            if len(line) > most:
                start = line.lstrip()[:SHOWN].decode(errors="replace")
                yield number, too_long(how.longest_row, f"line {place}", start)
            else:
                yield number, _parsed(line, path, number)
            number += 1


def _parsed(line: bytes, path: Path, number: int) -> object:
    try:
        # Files put one behind the other have a byte order mark at the start of each.
        return parsed(decoded(line.removeprefix(codecs.BOM_UTF8), path, number, _is_json))
    except Rejected as why:
        return why
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


def _known(whole: Mapping, how: HowToRead) -> set[str]:
    return {str(name).strip().casefold() for name in whole} & {*how.messages, *how.prompt, *how.answer}


def _rows_of(whole: Mapping | Rejected, how: HowToRead) -> list:
    """Rows of one object: itself, or rows under a key, under their ids, or as columns."""
    if isinstance(whole, Rejected):
        return [whole]
    values = list(whole.values())
    known = _known(whole, how)
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
        if len(lists) == 1 and any(recognise(row, how) for row in lists[0][:TRIED] if isinstance(row, Mapping)):
            return lists[0]
    return [whole]


def _objects_or_lines(path: Path, opened: Callable[[], BinaryIO], how: HowToRead) -> Iterator[tuple[int, object]]:
    """Objects over several lines, one after another, or one with rows in it; else lines, where not even one can be read."""
    if (key := _key_of_rows(path, opened, how)) is not None:
        yield from enumerate(_under(key, path, opened, how))
        return
    with Values(path, opened, how.longest_row) as values:
        try:
            first = values.next()
        except TooLong:
            yield from _after_a_long_one(values, path, opened, how)
            return
        except OtherEncoding:
            raise
        except (ValueError, RecursionError):  # also a number of too many digits, and lists too deep: a row of its own
            first = None
        if first is not None:
            if values.at_end():
                yield from enumerate(_rows_of(first, how))
                return
            yield 0, first
            yield from _more_objects(values, path)
            return
    yield from _lines(path, opened, how)


def _more_objects(values: Values, path: Path) -> Iterator[tuple[int, object]]:
    number = 0
    while not values.at_end():
        number += 1
        try:
            yield number, values.next()
        except TooLong:
            yield number, values.skip_value()[0]
        except OtherEncoding:
            raise
        except (ValueError, RecursionError) as error:
            if values.is_comma():
                raise ValueError(f"{path}: row {number - 1}: a comma after the object: remove it") from error
            raise values.error(number, error) from error


def _after_a_long_one(
    values: Values, path: Path, opened: Callable[[], BinaryIO], how: HowToRead
) -> Iterator[tuple[int, object]]:
    """Rows of a file whose first object is longer than a row may be: lines, objects, or rows within this one."""
    begin = values.line()
    try:
        rejected, longest_text = values.skip_value()
        end, alone = values.line(), values.at_end()
    except OtherEncoding:
        raise
    except ValueError:  # a line that is damaged
        yield from _lines(path, opened, how)
        return
    if alone and longest_text <= how.longest_row * MEGABYTE:
        with Values(path, opened, how.longest_row * LONGEST_WHOLE) as whole:
            try:
                rows = _rows_of(one := whole.next(), how)
            except TooLong as error:
                raise ValueError(
                    f"{path}: is one object of more than {how.longest_row * LONGEST_WHOLE} MB: write a row a line"
                ) from error
        yield from enumerate(rows if rows != [one] else [rejected])
    elif begin == end and (alone or values.line() > end):
        yield from _lines(path, opened, how)
    else:
        yield 0, rejected
        yield from _more_objects(values, path)


def _list(path: Path, opened: Callable[[], BinaryIO], how: HowToRead) -> Iterator[object]:
    with Values(path, opened, how.longest_row) as values:
        values.skip("[")
        yield from values.entries()
        if not values.at_end():
            raise ValueError(f"{path}: line {values.line()}: more data after the end of the list")


def _key_of_rows(path: Path, opened: Callable[[], BinaryIO], how: HowToRead) -> str | None:
    """The key of the file's one object whose list is its rows, told by what `_rows_of` does with the start of each list.

    None for any other file, and where it cannot be read: it is then read as a whole, which says why.
    """
    start: dict = {}
    try:
        with Values(path, opened, how.longest_row) as values:
            for name, value in values.members():
                if name in start or (isinstance(value, Mapping) and recognise(value, how)):
                    return None
                if isinstance(value, Iterator):
                    value = [one for one in islice(value, TRIED) if not isinstance(one, Rejected)]
                start[name] = value
                if _known(start, how):  # a row, or rows as columns
                    return None
            if not values.at_end():
                return None
    except (ValueError, RecursionError, TooLong):
        return None
    rows = _rows_of(start, how)
    return next((name for name, value in start.items() if value is rows), None)


def _under(key: str, path: Path, opened: Callable[[], BinaryIO], how: HowToRead) -> Iterator[object]:
    with Values(path, opened, how.longest_row) as values:
        yield from next(value for name, value in values.members() if name == key)
