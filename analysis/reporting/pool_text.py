"""Text of a pool as HTML: every character of it is text, never mark-up."""

import html
import re
from collections.abc import Iterable, Mapping

import numpy as np

from analysis.reporting.wording import figures

LONG_WORD = re.compile(r"(\S{12,})")


def escape(text: object) -> str:
    """Text for HTML: mark-up, dollar signs and control characters cannot act."""
    visible = re.sub(r"[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069]", "\ufffd", str(text))
    return html.escape(visible, quote=True).replace("$", "&#36;")


def _breakable(text: str) -> str:
    """Text for HTML in whose long words, such as names of pages and addresses, a line may end after `_`, `.` and `/`."""
    pieces = LONG_WORD.split(text)  # every second one is a long word
    pieces[1::2] = (re.sub(r"(?<=\w[_./])(?=\w)", "<wbr>", escape(word)) for word in pieces[1::2])
    pieces[::2] = map(escape, pieces[::2])
    return "".join(pieces)


def _cell(value: object, longest: int) -> str:
    """One value as escaped HTML; a list of messages as one paragraph per turn."""
    if isinstance(value, Iterable) and not isinstance(value, str | bytes | Mapping):
        turns = list(value)
        if turns and all(isinstance(turn, Mapping) and {"role", "content"} <= set(turn) for turn in turns):
            return "".join(
                f"<p><b>{escape(turn['role'])}</b> {_breakable(_cut(turn['content'], longest))}</p>" for turn in turns
            )
    return f"<p>{_breakable(_cut(value, longest))}</p>"


def _cut(value: object, longest: int) -> str:
    text = figures(value) if isinstance(value, float | np.floating) else str(value)
    return text if len(text) <= longest else f"{text[:longest].rstrip()} … [{len(text) - longest:,} more characters]"


def examples_html(rows, longest: int = 300, caption: str = "") -> str:
    """A table of rows, dicts or a pandas table, whose texts are cut after `longest` characters; messages turn by turn."""
    if hasattr(rows, "to_dict") and hasattr(rows, "columns"):  # a pandas table
        rows = rows.to_dict("records")
    records = [dict(row) for row in rows]
    names = list(dict.fromkeys(name for record in records for name in record))
    head = "".join(f"<th>{escape(name)}</th>" for name in names)
    body = "".join(
        "<tr>" + "".join(f"<td>{_cell(record.get(name, ''), longest)}</td>" for name in names) + "</tr>"
        for record in records
    )
    title = f"<caption>{escape(caption)}</caption>" if caption else ""
    return f'<table class="examples">{title}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'
