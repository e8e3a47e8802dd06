"""Lists of turns, as chat files have them, to messages: who speaks, what is said, what must not be trained on."""

import re
from collections.abc import Mapping

from analysis.pools.field_values import MARKS, ON, PYTHON_TEXT, as_list, empty, folded, marked_off, missing, text
from analysis.pools.findings import Notes, Rejected
from analysis.pools.how_to_read import ROLES, HowToRead
from analysis.pools.json_text import from_members, parsed

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
OF_ROW = ("language", "toxic", "redacted")  # WildChat says these of every turn, and of the row
CELL_OF_TURNS = re.compile(r"""\s*\[\s*\{\s*["'](?:role|from|content|value)["']\s*:.*\]\s*$""", re.DOTALL)


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
        turns = parsed(value)
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
        turn = from_members(turn)  # a map column of Parquet
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
