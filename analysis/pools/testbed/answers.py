"""The three answer styles of every skill, and how a response is read for its final answer."""

import re
from random import Random

from analysis.pools.testbed.families.knowledge import RELATIONS
from analysis.pools.testbed.skill import Task, split_of

STYLES = ("terse", "worked", "verbose")
_OPENINGS = (
    "Here is what you asked for.", "Let me help with that.", "That is a good question.", "Happy to help.",
    "This one is easy to say.", "Here is a full reply.",
)  # fmt: skip
_LINKS = ("", "Note that ", "Also, ", "As you may know, ", "By the way, ", "It is known that ")
# Only facts of the pool's side of the split: filler must not hand out an evaluation answer.
_FILLER = tuple(
    f"{subject.format(of=entity)} is {value}."
    for relation, (table, subject) in RELATIONS.items()
    for entity, value in table.items()
    if split_of(f"{relation} {entity}") == "pool"
)
_MOST_FILLER = 60  # sentences; keeps every row below about 700 tokens of the bases' tokenizer

_STATED = re.compile(r"[Tt]he answer is:? (.*)")


def filler_sentence(rng: Random) -> str:
    """One true sentence about the world that has nothing to do with the question."""
    sentence = rng.choice(_LINKS) + rng.choice(_FILLER)
    return sentence[0].upper() + sentence[1:]


def write_answer(task: Task, style: str, rng: Random) -> str:
    """The answer of a task in a style; verbose answers have a heavy-tailed number of filler sentences."""
    if style == "terse":
        return task.answer
    if style == "worked":
        return f"{task.steps}\nThe answer is {task.answer}"
    count = min(_MOST_FILLER, int(rng.lognormvariate(1.1, 1.1)) + 1)
    filler = " ".join(filler_sentence(rng) for _ in range(count))
    return f"{rng.choice(_OPENINGS)}\nThe answer is {task.answer}\n{filler}"


def final_answer(response: str) -> str:
    """What a response states last as "The answer is …", else the whole response; outer space and dot removed."""
    stated = _STATED.findall(response)
    text = stated[-1] if stated else response
    return text.strip().removesuffix(".").strip()
