"""Shapes of instruction rows, recognised by their fields and turned into messages."""

import json
from collections.abc import Mapping

ROLES = {
    "human": "user", "user": "user",
    "gpt": "assistant", "assistant": "assistant", "bot": "assistant", "model": "assistant", "chatgpt": "assistant",
    "system": "system",
}  # fmt: skip
# Fields that make a shape, most telling first; a row has the first shape all of whose fields are there and not null.
SHAPES = {
    "conversations": ("conversations",),  # OpenHermes-2.5, ShareGPT: from/value
    "conversation": ("conversation",),  # WildChat-1M: role/content
    "messages": ("messages",),  # role/content
    "instruction/output": ("instruction", "output"),  # Alpaca, with an optional input
    "prompt/completion": ("prompt", "completion"),
    "prompt/response": ("prompt", "response"),
}
SOURCE_FIELDS = ("source", "dataset", "category")
FIELDS = tuple(
    dict.fromkeys([field for fields in SHAPES.values() for field in fields] + ["input", "system", *SOURCE_FIELDS])
)


class Rejected(Exception):
    """Why a row cannot be used: the reason that it is counted under, the field, and what was found there."""

    def __init__(self, reason: str, field: str, found: object) -> None:
        super().__init__(f"{reason}: {field}: {found!r}")
        self.reason, self.field, self.found = reason, field, found


def recognise(row: Mapping) -> str | None:
    """Name of the shape of a row, or None."""
    for shape, fields in SHAPES.items():
        if all(row.get(field) is not None for field in fields):
            return shape
    return None


def convert(row: object) -> list[dict]:
    """Messages of a row of any known shape: an optional system message, then user and assistant in turn.

    Raises
    ------
    Rejected
        The row does not fit; says why, in which field, and what was found.
    """
    if not isinstance(row, Mapping):
        raise Rejected("not an object", "row", row)
    shape = recognise(row)
    if shape is None:
        raise Rejected("other shape", "fields", sorted(map(str, row)))
    if shape in ("conversations", "conversation", "messages"):
        messages = _from_turns(row[shape], shape)
    elif shape == "instruction/output":
        extra = row.get("input")
        question = _text(row["instruction"], "instruction")
        extra = _text(extra, "input") if extra is not None else ""
        question = f"{question}\n\n{extra}" if extra.strip() else question
        messages = [_message("user", question), _message("assistant", _text(row["output"], "output"))]
    else:
        messages = _from_pair(row, *SHAPES[shape])
    if messages and messages[0]["role"] != "system" and isinstance(row.get("system"), str) and row["system"].strip():
        messages.insert(0, _message("system", row["system"]))
    return _checked(messages)


def source_of(row: Mapping, otherwise: str) -> str:
    """Where a row says that it comes from, else `otherwise`."""
    for field in SOURCE_FIELDS:
        value = row.get(field)
        if isinstance(value, str) and value.strip():
            return value
    return otherwise


def _from_pair(row: Mapping, asked: str, answered: str) -> list[dict]:
    """Two texts, or two lists of messages."""
    if isinstance(row[asked], list) and isinstance(row[answered], list):
        return _from_turns(row[asked], asked) + _from_turns(row[answered], answered)
    return [_message("user", _text(row[asked], asked)), _message("assistant", _text(row[answered], answered))]


def _from_turns(turns: object, field: str) -> list[dict]:
    if isinstance(turns, str) and turns.lstrip().startswith("["):  # a CSV cell
        try:
            turns = json.loads(turns)
        except (ValueError, RecursionError) as error:  # ValueError also for a number of too many digits
            raise Rejected("not JSON", field, str(error)) from error
    if not isinstance(turns, list):
        raise Rejected("wrong type", field, turns)
    messages = []
    for place, turn in enumerate(turns):
        where = f"{field}[{place}]"
        if not isinstance(turn, Mapping):
            raise Rejected("wrong type", where, turn)
        role = turn.get("role") if turn.get("role") is not None else turn.get("from")
        content = turn.get("content") if turn.get("content") is not None else turn.get("value")
        if not isinstance(role, str) or role.lower() not in ROLES:
            raise Rejected("unknown role", where, role)
        messages.append(_message(ROLES[role.lower()], _text(content, where)))
    return messages


def _message(role: str, content: str) -> dict:
    return {"role": role, "content": content}


def _text(value: object, field: str) -> str:
    if not isinstance(value, str):
        raise Rejected("wrong type", field, value)
    try:
        value.encode()
    except UnicodeEncodeError as error:  # half of a surrogate pair, escaped in JSON
        raise Rejected("invalid UTF-8", field, str(error)) from error
    return value


def _checked(messages: list[dict]) -> list[dict]:
    turns = messages[1:] if messages and messages[0]["role"] == "system" else messages
    roles = [turn["role"] for turn in turns]
    if not turns:
        raise Rejected("no messages", "messages", roles)
    if roles != [("user", "assistant")[place % 2] for place in range(len(roles))]:
        raise Rejected("does not alternate", "roles", " ".join(message["role"] for message in messages))
    if roles[-1] != "assistant":
        raise Rejected("does not end with assistant", "roles", " ".join(roles))
    for place, turn in enumerate(turns):
        if not turn["content"].strip():
            kind = "answer" if turn["role"] == "assistant" else "prompt"
            raise Rejected(f"empty {kind}", f"turn {place}", turn["content"])
    return messages
