"""Text for a terminal, without what would act on it."""

import re
import signal
import sys
from collections.abc import Callable

_SEQUENCES = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]")  # colours and movements of the cursor
_ACTING = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]"
)  # all but tab and line feed; turned writing


def printable(text: str) -> str:
    """The text without escape sequences; other control characters are written out, as `\\x07`."""
    return _ACTING.sub(lambda found: found[0].encode("unicode_escape").decode(), _SEQUENCES.sub("", text))


def one_line(error: object) -> str:
    """What an error or a warning says, in one line."""
    return printable(" ".join(str(error).split()))


def ended(command: Callable[[], int]) -> int:
    """The exit status of a command that keeps what it finishes: its own, 2 where it is refused, 130 where interrupted."""

    def interrupt(*_) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, interrupt)
    try:
        return command()
    except (ValueError, OSError) as error:
        print(f"Refused: {one_line(error)}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\nInterrupted. What is finished is kept; the same command goes on from there.", file=sys.stderr)
        return 130
