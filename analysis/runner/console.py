"""Text for a terminal, without what would act on it: all that the commands print goes through here."""

import argparse
import re
import signal
import sys
import traceback
import warnings
from collections.abc import Callable
from typing import NoReturn, TextIO

_SEQUENCES = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]")  # colours and movements of the cursor
# All but tab and line feed; turned writing; what stands for bytes of a name that are not UTF-8, which cannot be printed.
_ACTING = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def printable(text: str) -> str:
    """The text without escape sequences; other control characters are written out, as `\\x07`."""
    return _ACTING.sub(lambda found: found[0].encode("unicode_escape").decode(), _SEQUENCES.sub("", text))


def one_line(error: object) -> str:
    """What an error or a warning says, in one line."""
    return printable(" ".join(str(error).split()))


def say(text: str, file: TextIO | None = None) -> None:
    """Print a text that may hold names, ids or values of an owner's data."""
    print(printable(text), file=file, flush=True)


def guard() -> None:
    """Let nothing that this process warns of or fails with act on the terminal: it may quote what is in a file."""
    warnings.formatwarning = lambda message, *_, **__: f"Warning: {one_line(message)}\n"
    sys.excepthook = lambda *raised: say("".join(traceback.format_exception(*raised)).rstrip("\n"), sys.stderr)


class Parser(argparse.ArgumentParser):
    """The parser of a command line, whose errors quote what was typed or what a pattern of the shell became."""

    def __init__(self, **options) -> None:
        super().__init__(formatter_class=argparse.RawDescriptionHelpFormatter, **options)

    def error(self, message: str) -> NoReturn:
        super().error(printable(message))


def ended(command: Callable[[], int]) -> int:
    """The exit status of a command that keeps what it finishes: its own, 2 where it is refused, 130 where interrupted."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        return command()
    except (ValueError, OSError) as error:
        say(f"Refused: {one_line(error)}", sys.stderr)
        return 2
    except KeyboardInterrupt:
        say("\nInterrupted. What is finished is kept; the same command goes on from there.", sys.stderr)
        return 130
