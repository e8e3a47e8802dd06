"""Which known shape a row has, told by its fields; of one that has none, what kind of data it is and what to do."""

import re
from collections.abc import Mapping

from analysis.pools.field_values import empty, folded, missing
from analysis.pools.findings import Notes, Rejected
from analysis.pools.how_to_read import HowToRead
from analysis.pools.turns import from_turns

PREFERENCE = ("chosen", "rejected")
TWO_ANSWERS = (
    ("preferred_output", "non_preferred_output"), ("conversation_a", "conversation_b"), ("response_a", "response_b"),
    ("response_j", "response_k"),
)  # fmt: skip
MARKED_TEXT = re.compile(r"#{2,3} ?(?:Human|Assistant)|<\|im_start\|>|\[INST\]|\b(?:Human|USER): ")
NEEDED = "; ".join(
    f"{' or '.join(names)}{' + ' + ' or '.join(more) if more else ''}"
    for names, more in ((HowToRead.messages, ()), (HowToRead.prompt, HowToRead.answer))
)


def recognise(row: Mapping, how: HowToRead | None = None) -> bool:
    """Whether a row has the fields of a known shape."""
    try:
        shape_of(folded(row.items()), how or HowToRead())
    except Rejected:
        return False
    return True


def first_of(row: Mapping, names: tuple[str, ...]) -> str | None:
    for name in names:
        if name in row and not missing(row[name]):
            return name
    return None


def shape_of(row: Mapping, how: HowToRead) -> tuple[str, ...]:
    """The field of the turns, or those of prompt and answer."""
    turns = first_of(row, how.messages)
    preference = next((name for name in PREFERENCE if name in row and not empty(row[name])), None)
    whole = turns and not (preference and not _ends_with_answer(row[turns], how))
    if turns and (whole or not preference) and not ("prompt" in how.said or "answer" in how.said):
        return (turns,)
    prompt, answer = first_of(row, how.prompt), first_of(row, how.answer)
    if prompt and answer and prompt != answer and not (preference and "answer" not in how.said):
        return prompt, answer
    raise _no_shape(row, preference, how)


def _ends_with_answer(turns: object, how: HowToRead) -> bool:
    try:
        return bool(messages := from_turns(turns, "messages", how, Notes())) and messages[-1]["role"] == "assistant"
    except Rejected:
        return False


def _no_shape(row: Mapping, preference: str | None, how: HowToRead) -> Rejected:
    """Names the kind of data that it is, where that can be told, and what to do."""
    names = sorted(row)
    two = next((pair for pair in TWO_ANSWERS if set(pair) <= row.keys()), None)
    lists = [name for name, value in row.items() if isinstance(value, list) and value and isinstance(value[0], Mapping)]
    asked, answered = first_of(row, how.prompt), first_of(row, how.answer)
    not_an_answer = (*how.context, *how.system, *how.id, *how.source)
    nested = next(iter(lists), None)
    if preference:
        why = "preference data (chosen, rejected): two answers to compare, none to train on; name one: answer=chosen"
    elif two:
        why = f"preference data ({', '.join(two)}): two answers to compare, none to train on"
    elif {"role", "content"} <= set(row):
        why = "single messages, one a row: join those of a conversation into messages first"
    elif {"parent_id", "text", "role"} <= set(row):
        why = "single messages with parent_id: join the threads into messages first"
    elif "segments" in row or {"custom_id", "body"} <= set(row):
        why = "no answer: " + ("segments of a text" if "segments" in row else "requests of a batch")
    elif isinstance(row.get("text"), str):
        marked = MARKED_TEXT.search(row["text"])
        why = (
            f"one text with the marks of turns ({marked[0].strip()}): convert it to messages" if marked
            else "plain text without an answer"
        )  # fmt: skip
    elif "instances" in row:
        why = "nested instances: flatten them to instruction, input, output"
    elif nested and recognise(row[nested][0], how):
        return Rejected("rows under a key: write those to train on to a file of their own", "fields", lists)
    elif nested:
        why = f"a list of turns in {nested!r}? Name it: messages={nested} (and role=…, content=… of its turns)"
        return Rejected(why, f"fields {', '.join(names)}; of {nested}[0]", list(row[nested][0]))
    elif asked and (lacking := next((name for name in how.answer if name in row and name != asked), None)):
        return Rejected("empty answer", lacking, row[lacking])
    elif answered and (lacking := next((name for name in how.prompt if name in row and name != answered), None)):
        return Rejected("empty prompt", lacking, row[lacking])
    elif asked and any(isinstance(row[name], str) for name in row.keys() - {asked, *not_an_answer}):
        why = "a prompt, and no field that is known for an answer: name it, answer=…"
    elif any(isinstance(value, Mapping) for value in row.values()):
        why = "nested objects: convert them to messages"
    elif how.said:
        why = "other shape, without a field that was named"
    else:
        why = "other shape"
    return Rejected(why, "fields", names)
