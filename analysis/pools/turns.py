"""Lists of turns, as chat files have them, to messages: who speaks, what is said, what must not be trained on."""

import json
import math
import re
from collections.abc import Collection, Mapping
from decimal import Decimal
from functools import lru_cache

from analysis.pools.how_to_read import ROLES, HowToRead

TOOLS = (
    "tool",
    "function",
    "function_call",
    "function_response",
    "observation",
    "ipython",
    "tool_call",
    "tool_response",
)
CALLS = {"tool_calls", "function_call"}
TEXT_PARTS = ("text", "input_text", "output_text")
THOUGHT_PARTS = ("thinking", "redacted_thinking", "reasoning")
MARKS = ("weight", "loss_weight", "train", "training", "kto_tag")  # 0 or false: the answer is not to be trained on
OF_ROW = ("language", "toxic", "redacted")  # WildChat says these of every turn, and of the row
OFF = ("0", "0.0", "false")
ON = ("1", "1.0", "true")
CELL_OF_TURNS = re.compile(r"""\s*\[\s*\{\s*["'](?:role|from|content|value)["']\s*:.*\]\s*$""", re.DOTALL)
PYTHON_TEXT = re.compile(r"\s*[\[{]\s*[\[{]?\s*'")


class Rejected(Exception):
    """Why a row cannot be used: the reason that it is counted under, the field, and what was found there."""

    def __init__(self, reason: str, field: str, found: object) -> None:
        super().__init__(f"{reason}: {field}: {found!r}")
        self.reason, self.field, self.found = reason, field, found


MEGABYTE = 1_000_000  # bytes


def too_long(megabytes: int, field: str, start: object = "") -> Rejected:
    """The row is longer than any that is held; its start says which it is."""
    return Rejected(f"longer than {megabytes} MB (allow more with longest_row=…)", field, start)


class Notes(list):
    """(what, field, found) of things about a row that its owner should know, though the row is used."""

    def add(self, what: str, field: str, found: object = "") -> None:
        self.append((what, field, found))


def missing(value: object) -> bool:
    """Null, or a NaN as pandas writes it."""
    return value is None or (isinstance(value, float) and math.isnan(value))


def empty(value: object) -> bool:
    """Nothing that could mean something: missing, a blank text, a list or object without entries."""
    return (
        missing(value)
        or (isinstance(value, str) and not value.strip())
        or (hasattr(value, "__len__") and not len(value))
    )


@lru_cache(maxsize=1 << 12)
def _folded_name(name: object) -> str:
    return str(name).strip().casefold()


def folded(row: Collection[tuple[object, object]]) -> dict[str, object]:
    """Fields by name without case and outer space; a second one of a name is kept under a name of its own."""
    named: dict[str, object] = {_folded_name(name): value for name, value in row}
    if len(named) == len(row):
        return named
    named = {}
    for name, value in row:
        name = folded_name = _folded_name(name)
        while name in named and not empty(named[name]):
            name += f" ({folded_name} again)"
        named[name] = value
    return named


def marked_off(fields: Mapping, names: tuple[str, ...] = MARKS) -> str | None:
    """The first of these fields that says: do not train on this."""
    if fields.keys().isdisjoint(names):
        return None
    said = (name for name in names if not missing(fields.get(name)))
    return next((name for name in said if str(fields[name]).strip().casefold() in OFF), None)


def text(value: object, field: str, notes: Notes) -> str:
    """A text, or a number as text, or the text parts of a list, joined by line ends.

    Raises
    ------
    Rejected
        Anything else, pictures among it.
    """
    if isinstance(value, bytes):
        try:
            return value.decode()
        except UnicodeDecodeError as error:
            raise Rejected("invalid UTF-8", field, str(error)) from error
    if isinstance(value, int | float) and not missing(value):
        notes.add("number read as text", field, value)
        return json.dumps(value)
    if isinstance(value, Decimal):
        notes.add("number read as text", field, value)
        return str(value)
    if isinstance(value, list) and value and all(_is_part(part) for part in value):
        return "\n".join(_part(part, field) for part in value)
    if not isinstance(value, str):
        raise Rejected("wrong type", field, value)
    try:
        value.encode()
    except UnicodeEncodeError as error:  # half of a surrogate pair, escaped in JSON
        raise Rejected("invalid UTF-8", field, str(error)) from error
    return value


def _is_part(part: object) -> bool:
    """Of a type; or, as Bedrock and Gemini have them, a text and nothing else."""
    return isinstance(part, Mapping) and (isinstance(part.get("type"), str) or part.keys() == {"text"})


def _part(part: Mapping, field: str) -> str:
    kind = part.get("type", "text")
    if kind.startswith(("tool", "function", "server_tool")):
        raise Rejected("tool use", field, kind)
    if kind in THOUGHT_PARTS:
        raise Rejected("thoughts in a part beside the answer (write both into one text)", field, kind)
    if kind not in TEXT_PARTS:
        raise Rejected("needs more than text (a picture, sound or film)", field, kind)
    return text(part.get("text"), field, Notes())


def as_list(value: object, field: str) -> list:
    """A list, also one written as JSON text in a cell.

    Raises
    ------
    Rejected
        No list, or Python's text of one.
    """
    if isinstance(value, str) and value.lstrip().startswith("["):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError) as error:  # ValueError also for a number of too many digits
            if PYTHON_TEXT.match(value):
                raise Rejected("Python text instead of JSON (write it with json.dumps)", field, value[:80]) from error
            raise Rejected("not JSON", field, str(error)) from error
    if not isinstance(value, list):
        raise Rejected("wrong type", field, value)
    return value


def turns_in_cell(value: object, field: str) -> object:
    """The list where a text is one of turns, as a table has it in a cell; else the value as it is.

    Raises
    ------
    Rejected
        Python's text of such a list.
    """
    if not (isinstance(value, str) and CELL_OF_TURNS.match(value)):
        return value
    try:
        turns = json.loads(value)
    except (ValueError, RecursionError):
        return as_list(value, field) if PYTHON_TEXT.match(value) else value
    keys = [{"role", "content"}, {"from", "value"}]
    whole = all(isinstance(turn, Mapping) and any(names <= turn.keys() for names in keys) for turn in turns)
    return turns if whole else value


def from_turns(turns: object, field: str, how: HowToRead, notes: Notes) -> list[dict]:
    """Messages of a list of turns.

    Raises
    ------
    Rejected
        Names the turn: an unknown role, the use of a tool, an answer marked not to be trained on, something unreadable.
    """
    columns = list(turns.values()) if isinstance(turns, Mapping) else []
    if all(isinstance(column, list) for column in columns) and len(set(map(len, columns))) == 1:
        turns = [dict(zip(turns, turn, strict=True)) for turn in zip(*columns, strict=True)]  # as `datasets` has them
    turns = as_list(turns, field)
    if len(turns) > 1 and all(isinstance(turn, str) for turn in turns):  # as LIMA has them
        notes.add("list of texts read as question and answer in turn", field, len(turns))
        return [{"role": ("user", "assistant")[place % 2], "content": turn} for place, turn in enumerate(turns)]
    return [_message(turn, f"{field}[{place}]", how, notes) for place, turn in enumerate(turns)]


def _message(turn: object, where: str, how: HowToRead, notes: Notes) -> dict:
    if isinstance(turn, dict) and len(turn) == 2:  # as nearly all are: who and what, and nothing else to look at
        for spoke, said in zip(how.role, how.content, strict=False):
            if (
                spoke in turn
                and isinstance(turn.get(said), str)
                and turn[spoke] in ("user", "assistant", "human", "gpt")
            ):
                return {"role": ROLES[turn[spoke]], "content": text(turn[said], where, notes)}
    if isinstance(turn, list) and turn and all(isinstance(entry, tuple) for entry in turn):
        turn = dict(turn)  # a map column of Parquet
    if isinstance(turn, list) and len(turn) == 2 and all(isinstance(entry, str) for entry in turn):
        raise Rejected("turn as a list [role, text] (convert it to messages with role and content)", where, turn)
    if not isinstance(turn, Mapping):
        raise Rejected("wrong type", where, turn)
    turn = folded(turn.items())
    spoke = next((name for name in how.role if not missing(turn.get(name))), None)
    said = next((name for name in how.content if not missing(turn.get(name))), None)
    if spoke is None:
        raise Rejected(
            f"turn without a role (convert it, or name the field: role=…), has {', '.join(turn)}", where, None
        )
    role = turn[spoke].strip().casefold() if isinstance(turn[spoke], str) else turn[spoke]
    if role in TOOLS or not all(empty(turn.get(call)) for call in turn.keys() & CALLS):
        raise Rejected("tool use", where, turn[spoke])
    if not turn.keys() & set(how.content):
        raise Rejected("turn without a text (name its field: content=…)", where, list(turn))
    if not isinstance(role, str) or role not in ROLES:
        raise Rejected("unknown role", where, turn[spoke])
    if ROLES[role] == "assistant":
        if mark := marked_off(turn):
            raise Rejected("answer marked not to be trained on", f"{where}.{mark}", turn[mark])
        details = turn.get("train_detail")
        if isinstance(details, list) and any(isinstance(one, Mapping) and marked_off(one) for one in details):
            raise Rejected("answer marked not to be trained on", f"{where}.train_detail", details)
        for name in MARKS:
            if not empty(value := turn.get(name)) and str(value).strip().casefold() not in ON:
                notes.add(f"field not read: {where.split('[')[0]}[].{name}", where, value)
    for name in sorted(turn.keys() - {spoke, said, *MARKS, *OF_ROW}):
        if not empty(value := turn[name]) and value is not False:
            notes.add(f"field not read: {where.split('[')[0]}[].{name}", where, value)
    return {"role": ROLES[role], "content": text(turn.get(said), where, notes)}


def checked(messages: list[dict], notes: Notes) -> list[dict]:
    """An optional system message, then user and assistant in turn, from a user's to an assistant's.

    An answer before the first question and a question after the last answer are left away, and noted.

    Raises
    ------
    Rejected
        Another order, or an empty turn.
    """
    if [turn["role"] for turn in messages] == ["user", "assistant"] and all(
        turn["content"].strip() for turn in messages
    ):  # most rows: nothing to leave away or to join
        return messages
    leading = next((place for place, turn in enumerate(messages) if turn["role"] != "system"), len(messages))
    instructions = [turn["content"] for turn in messages[:leading] if turn["content"].strip()]
    turns = messages[leading:]

    def spoken() -> str:
        return " ".join(message["role"] for message in messages)

    if "system" in [turn["role"] for turn in turns]:
        raise Rejected("system message between turns", "roles", spoken())
    if len(turns) > 1 and turns[0]["role"] == "assistant":
        notes.add("answer before the first question left away", "turn 0", turns.pop(0)["content"])
    if len(turns) > 1 and turns[-1]["role"] == "user":
        notes.add("question after the last answer left away", f"turn {len(turns) - 1}", turns.pop()["content"])
    roles = [turn["role"] for turn in turns]
    if not turns:
        raise Rejected("no messages", "messages", roles)
    if "assistant" not in roles:
        raise Rejected("no answer", "roles", spoken())
    if roles != (["user", "assistant"] * len(roles))[: len(roles)] or roles[-1] != "assistant":
        raise Rejected("does not alternate", "roles", spoken())
    for place, turn in enumerate(turns):
        if not turn["content"].strip():
            raise Rejected(
                f"empty {'answer' if turn['role'] == 'assistant' else 'prompt'}", f"turn {place}", turn["content"]
            )
    if len(instructions) > 1:
        notes.add("system messages joined into one", "messages", len(instructions))
    first = [{"role": "system", "content": "\n\n".join(instructions)}] if instructions else []
    return first + turns
