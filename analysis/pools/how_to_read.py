"""Which fields of a row mean what, and which rows an owner wants: known names, and what was said about this file."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace

from analysis.paths import SPLITTER

ROLES = {
    "human": "user", "user": "user", "prompter": "user",
    "gpt": "assistant", "assistant": "assistant", "bot": "assistant", "model": "assistant", "chatgpt": "assistant",
    "chatbot": "assistant", "ai": "assistant",
    "system": "system", "developer": "system",
}  # fmt: skip
NOT_OF_READING = ("said", "decontaminate")  # what is told without them decides how records become rows


@dataclass(frozen=True)
class HowToRead:
    """Names of fields by meaning, most telling first, and options of reading; names are compared without case.

    Attributes
    ----------
    messages : lists of turns, each with a `role` and a `content`.
    prompt, answer : texts; `input` is a prompt where no other is. `context` follows the prompt. `system` comes first,
        and `history` (pairs of texts, or turns) next.
    said : the meanings that an owner named: nothing else is taken for them.
    encoding : of text files.
    language : keep only rows that say they are in this one; toxic, redacted : "keep" or "drop" rows so marked.
    decontaminate : files or folders of benchmark items, with semicolons: rows that hold one are left out.
    longest_row : megabytes of text; a longer row is set aside without being held (of the hub, but by `datasets`).
    """

    messages: tuple[str, ...] = ("messages", "conversations", "conversation")
    role: tuple[str, ...] = ("role", "from")
    content: tuple[str, ...] = ("content", "value")
    prompt: tuple[str, ...] = ("instruction", "prompt", "question", "query", "inputs", "input")
    context: tuple[str, ...] = ("input", "context")
    answer: tuple[str, ...] = ("output", "response", "completion", "answer", "targets", "target")
    system: tuple[str, ...] = ("system", "system_prompt", "system_message", "systeminstruction", "system_instruction")
    history: tuple[str, ...] = ("history",)
    id: tuple[str, ...] = ("id", "idx", "uuid", "_id", "conversation_id", "conversation_hash", "prompt_id")
    source: tuple[str, ...] = ("source", "dataset", "category")
    said: tuple[str, ...] = ()
    encoding: str = "utf-8"
    language: str = ""
    toxic: str = "keep"
    redacted: str = "keep"
    decontaminate: str = ""
    longest_row: int = 16

    def told(self) -> str:
        """What was said and the options that differ, as text that `how_to_read` makes this of; part of a pool's key."""
        default = HowToRead()
        options = [(one.name, getattr(self, one.name)) for one in fields(self) if one.name not in NOT_OF_READING]
        return ",".join(
            f"{name}={value[0] if isinstance(value, tuple) else value}"
            for name, value in options
            if name in self.said or (name in OPTIONS and value != getattr(default, name))
        )


OPTIONS = ("encoding", "language", "toxic", "redacted", "decontaminate", "longest_row")
MEANINGS = tuple(one.name for one in fields(HowToRead) if one.name not in (*OPTIONS, "said"))


def how_to_read(told: str | Mapping[str, str] = "") -> HowToRead:
    """From `prompt=question,answer=solution` (or a mapping) to `HowToRead`.

    Raises
    ------
    ValueError
        A meaning or option that does not exist, or a part that is no `meaning=field`.
    """
    if isinstance(told, str):
        pairs = [part.partition("=") for part in told.split(",") if part.strip()]
        if wrong := next(("".join(pair) for pair in pairs if not (pair[0].strip() and pair[2].strip())), None):
            raise ValueError(f"fields: expected meaning=field, as in prompt=question,answer=solution; found {wrong!r}")
        told = {meaning.strip(): field.strip() for meaning, _, field in pairs}
    if unknown := next((meaning for meaning in told if meaning not in (*MEANINGS, *OPTIONS)), None):
        raise ValueError(f"fields: {unknown!r} is no meaning of a field; known: {', '.join((*MEANINGS, *OPTIONS))}")
    for option in ("toxic", "redacted"):
        if told.get(option, "keep") not in ("keep", "drop"):
            raise ValueError(f"{option}: expected keep or drop, found {told[option]!r}")
    try:
        "".encode(told.get("encoding", "utf-8"))
    except LookupError as error:
        raise ValueError(f"encoding: expected one that Python knows, as cp1252, found {told['encoding']!r}") from error
    named = {meaning: (field.strip().casefold(),) for meaning, field in told.items() if meaning in MEANINGS}
    options = {option: told[option] for option in OPTIONS if option in told}
    if "longest_row" in options:
        if not re.fullmatch("0*[1-9][0-9]*", str(options["longest_row"])):
            raise ValueError(
                f"longest_row: expected megabytes, a whole number from 1 up, found {options['longest_row']!r}"
            )
        options["longest_row"] = int(options["longest_row"])
    taken = {field for names in named.values() for field in names}
    others = {
        meaning: tuple(name for name in getattr(HowToRead(), meaning) if name not in taken)
        for meaning in MEANINGS
        if meaning not in named and meaning not in ("role", "content")
    }
    # Who names the prompt or the answer of a row means this pair, whatever lists of turns stand beside it.
    if {"prompt", "answer"} & set(named) and "messages" not in named:
        others["messages"] = ()
    return replace(HowToRead(), **(others if named else {}), **named, **options, said=tuple(named))


def split_name(name: str) -> tuple[str, str]:
    """A pool's name, and how it is to be read: `rows.jsonl::prompt=question` has both."""
    name, _, told = name.partition(SPLITTER)
    return name, told
