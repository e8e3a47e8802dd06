"""Rows of the shapes that people have, recognised by their fields and turned into messages."""

import re
from collections.abc import Mapping
from urllib.parse import urlsplit

from analysis.pools.choices import CHOICES, check_shown
from analysis.pools.field_values import MARKS, ON, as_list, empty, folded, joined, marked_off, missing, text
from analysis.pools.files import SPLIT
from analysis.pools.findings import Notes, Rejected
from analysis.pools.how_to_read import HowToRead
from analysis.pools.shapes import first_of, shape_of
from analysis.pools.turns import OF_ROW, checked, from_turns, turns_in_cell

OF_PROMPT = (
    "passage", "passages", "document", "documents", "article", "paragraph", "paragraphs", "background", "knowledge",
    *CHOICES,
)  # fmt: skip
NO_INPUT = ("<noinput>", "<no input>", "<no_input>", "noinput")
SAYS_MISSING = ("nan", "none", "null", "n/a", "na")
LONGEST_MISSING = 10  # letters, with space around
MEDIA = {"image", "images", "video", "videos", "audio", "audios"}
SPECIAL = re.compile(
    r"<\|[^|<>\s]{1,40}\|>|</?s>|\[/?INST\]|<</?SYS>>|<(?:start|end)_of_turn>|<(?:bos|eos|pad|unk)>"
    r"|<(?:image|video|audio)>|^#{2,3} ?(?:Instruction|Response|Input|Human|Assistant|System|User) ?:", re.MULTILINE | re.IGNORECASE,
)  # fmt: skip


def convert(row: object, how: HowToRead | None = None, notes: Notes | None = None) -> list[dict]:
    """Messages of a row of any known shape: an optional system message, then user and assistant in turn.

    Parameters
    ----------
    how : names of the fields, see `HowToRead`.
    notes : what its owner should know about the row is added to these: fields not read, numbers taken as text, …

    Raises
    ------
    Rejected
        The row does not fit; says why, in which field, and what was found.
    """
    how = how or HowToRead()
    return messages_of(fields_of(row, how), how, Notes() if notes is None else notes)


def fields_of(row: object, how: HowToRead) -> dict[str, object]:
    """Fields of a row by `folded` name; a list of objects is a row of nothing but turns.

    Raises
    ------
    Rejected
        The row has no fields.
    """
    if isinstance(row, list) and row and all(isinstance(turn, Mapping) for turn in row):
        row = {how.messages[0] if how.messages else "messages": row}
    if not isinstance(row, Mapping):
        raise Rejected("not an object", "row", row)
    return folded(row.items())


def messages_of(row: Mapping, how: HowToRead, notes: Notes) -> list[dict]:
    """What `convert` gives, from fields of `fields_of`."""
    shape = shape_of(row, how)
    if mark := marked_off(row) or ("label" in row and marked_off({"label": _truth(row["label"])}, ("label",))):
        raise Rejected("answer marked not to be trained on", mark, row[mark])
    if not MEDIA.isdisjoint(row) and (
        media := next((name for name in sorted(row.keys() & MEDIA) if not empty(row[name])), None)
    ):
        raise Rejected("needs more than text (a picture, sound or film)", media, row[media])
    messages, read = _from_list(row, shape, how, notes) if len(shape) == 1 else _from_pair(row, *shape, how, notes)
    messages = _with_system(row, messages, read, how, notes)
    messages = checked(messages, notes)
    if not row.keys().isdisjoint(CHOICES):
        check_shown(row, messages[-2]["content"], messages[-1]["content"])
    _unread(row, messages, read, how, notes)
    for turn in messages:
        said = turn["content"]
        if ("<" in said or "#" in said or "[" in said) and (special := SPECIAL.search(said)):
            notes.add("special token or template mark in the text", turn["role"], special[0])
        if len(said) < LONGEST_MISSING and said.strip().casefold() in SAYS_MISSING:
            notes.add("text that says that it is missing", turn["role"], turn["content"])
    return messages


def source_of(row: Mapping, otherwise: str, how: HowToRead | None = None) -> str:
    """Where a row says that it comes from (of an address its host), else `otherwise`."""
    how = how or HowToRead()
    if (field := _source_field(row, how)) is None:
        return otherwise
    value = row[field]
    return (urlsplit(value).hostname or value) if value.startswith(("http://", "https://")) else value


def _source_field(row: Mapping, how: HowToRead) -> str | None:
    return next((name for name in how.source if isinstance(row.get(name), str) and row[name].strip()), None)


def id_of(row: Mapping, how: HowToRead | None = None) -> str | None:
    """The id that a row's owner gave it, a text or a whole number."""
    for field in (how or HowToRead()).id:
        if (found := _as_id(row.get(field))) is not None:
            return found
    return None


def _as_id(value: object) -> str | None:
    if isinstance(value, float) and value.is_integer():  # as pandas writes numbers where one is missing
        value = int(value)
    if isinstance(value, str | int) and not isinstance(value, bool) and str(value).strip():
        return str(value)
    return None


def _truth(value: object) -> object:
    """`label` is a mark where it is true or false, and a class where it is a number or a name."""
    return (
        value if isinstance(value, bool) or (isinstance(value, str) and value.strip().casefold() == "false") else None
    )


def _from_list(row: Mapping, shape: tuple[str], how: HowToRead, notes: Notes) -> tuple[list[dict], set[str]]:
    return from_turns(row[shape[0]], shape[0], how, notes), {shape[0]}


def _from_pair(row: Mapping, asked: str, answered: str, how: HowToRead, notes: Notes) -> tuple[list[dict], set[str]]:
    """Two texts, or lists of messages, with context in the question and earlier turns before it."""
    read = {asked, answered}
    said, reply = turns_in_cell(row[asked], asked), row[answered]
    if isinstance(said, list) and said and isinstance(said[0], Mapping):
        if said is not row[asked]:
            notes.add("text of a list of turns read as turns", asked, row[asked])
        messages, reply = from_turns(said, asked, how, notes), turns_in_cell(reply, answered)
    else:
        question = text(row[asked], asked, notes)
        for name in how.context:
            if name in read or missing(row.get(name)) or empty(row[name]):
                continue
            read.add(name)
            extra = text(joined(row[name], name, notes), name, notes)
            if extra.strip().casefold() in NO_INPUT:
                notes.add("marker of an empty input left away", name, extra)
            elif extra.strip():
                question = f"{question}\n\n{extra}" if question.strip() else extra
        messages = [*_history(row, read, how, notes), {"role": "user", "content": question}]
    if isinstance(reply, list) and reply and isinstance(reply[0], Mapping) and "type" not in reply[0]:
        return messages + from_turns(reply, answered, how, notes), read
    return [*messages, {"role": "assistant", "content": text(reply, answered, notes)}], read


def _history(row: Mapping, read: set[str], how: HowToRead, notes: Notes) -> list[dict]:
    """Earlier turns: pairs of question and answer, or turns."""
    field = first_of(row, how.history)
    if field is None or empty(row[field]):
        return []
    read.add(field)
    turns = as_list(row[field], field)
    if isinstance(turns[0], Mapping):
        return from_turns(turns, field, how, notes)
    messages = []
    for place, pair in enumerate(turns):
        if not (isinstance(pair, list | tuple) and len(pair) == 2):
            raise Rejected("wrong type", f"{field}[{place}]", pair)
        messages += [
            {"role": role, "content": text(said, f"{field}[{place}]", notes)}
            for role, said in zip(("user", "assistant"), pair, strict=True)
        ]
    return messages


def _with_system(row: Mapping, messages: list[dict], read: set[str], how: HowToRead, notes: Notes) -> list[dict]:
    if row.keys().isdisjoint(how.system):
        return messages
    field = next((name for name in how.system if name in row and not empty(row[name])), None)
    if field is None or (messages and messages[0]["role"] == "system" and messages[0]["content"].strip()):
        return messages
    read.add(field)
    said = row[field]
    if isinstance(said, Mapping):  # a whole turn, as Gemini has it
        said = next((said[name] for name in (*how.content, "parts") if name in said), said)
    return [{"role": "system", "content": text(said, field, notes)}, *messages]


def _unread(row: Mapping, messages: list[dict], read: set[str], how: HowToRead, notes: Notes) -> None:
    """Fields that are not empty and were not read; what repeats a turn, the id or the source says nothing more."""
    if len(row) == len(read):  # nothing but what was read
        return
    said = {turn["content"].strip() for turn in messages}
    for name, value in row.items():
        if name in read or empty(value):
            continue
        if name in how.source:
            if not isinstance(value, str):
                notes.add("source that is no text", name, value)
            elif value.strip() != row[_source_field(row, how)].strip():
                notes.add(f"field not read: {name}", name, value)
        elif name in how.id:
            if not isinstance(value, str | int | float):
                notes.add("id that is neither a text nor a number", name, value)
            elif (found := _as_id(value)) and found != id_of(row, how):
                notes.add(f"field not read: {name}", name, value)
        elif name in MARKS or name == "label":
            if str(value).strip().casefold() not in ON:
                notes.add(f"field not read: {name}", name, value)
        elif name == "split" and isinstance(value, str) and SPLIT.fullmatch(value.strip().casefold()):
            notes.add(f"marked as of the {value.strip().casefold()} split, and kept", name, value)
        elif name in OF_ROW:
            if value is not False:
                notes.add(f"language {value}" if name == "language" else f"marked {name}", name, value)
        elif str(value).strip() not in said:
            belongs = len(read) > 1 and (name in how.prompt or name in OF_PROMPT)
            more = f" (context={name} has it follow the prompt)" if belongs else ""
            notes.add(f"field not read: {name}{more}", name, value)
