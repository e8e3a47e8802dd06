"""Bytes that are no UTF-8: one damaged row, or a whole file in another encoding."""

from collections.abc import Callable
from pathlib import Path


class OtherEncoding(ValueError):
    """A file that is not in UTF-8."""


def decoded(line: bytes, path: Path, number: int, complete: Callable[[str], bool]) -> str:
    """A line's text.

    Parameters
    ----------
    complete : whether a text of one byte a letter is a whole line: then all of the file is in another encoding.

    Raises
    ------
    UnicodeDecodeError
        A damaged line.
    OtherEncoding
        The file is in another encoding; names the row, the byte, and what to do.
    """
    try:
        return line.decode()
    except UnicodeDecodeError as error:
        if complete(line.decode("latin-1")):
            raise other_encoding(path, number, line[error.start]) from error
        raise


def other_encoding(path: Path, number: int, byte: int) -> OtherEncoding:
    """The error for a file that is not in UTF-8."""
    return OtherEncoding(
        f"{path}: row {number}: byte 0x{byte:02x} is no UTF-8; where the file is in Windows-1252, say encoding=cp1252 "
        f"(load_pool(…, fields='encoding=cp1252'), or --fields encoding=cp1252), else save it in UTF-8"
    )
