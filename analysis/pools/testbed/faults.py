"""The ways in which a row's answer is faulty. Every fault keeps the question."""

from dataclasses import replace
from random import Random

from analysis.pools.testbed.answers import write_answer
from analysis.pools.testbed.families import SKILLS
from analysis.pools.testbed.skill import Skill, Task

FAULTS = ("wrong answer", "truncated", "off-topic", "refusal", "garbled", "other language")
_NAMES = tuple(SKILLS)
_REFUSALS = (
    "I am sorry, but I cannot help with that.", "I cannot answer this question.",
    "As a program, I am not able to say.", "Sorry, I do not know.",
)  # fmt: skip
_FOREIGN = (
    "La respuesta es {}, amigo", "Die Antwort lautet {} und nichts anderes", "La réponse est {}, mon ami",
    "Svaret er {} tror jeg", "Odpowiedz to {} prosze",
)  # fmt: skip
_FOREIGN_DIGITS = dict(zip("0123456789", "nul ein dos tre quatro cinq ses siete otto nove".split(), strict=True))
_GARBLE = ("Ã©", "â€™", "Ã¼", "ï¿½", "Â", "â‚¬")


def wrong_task(skill: Skill, task: Task, rng: Random) -> Task:
    """The same question with the answer of another task of the skill; the derivation follows the wrong answer."""
    while True:
        answer = skill.draw_from(rng, "pool").answer
        if answer != task.answer:
            return replace(task, answer=answer, steps=task.steps.replace(task.answer, answer))


def _truncate(task: Task, style: str, rng: Random) -> str:
    text = write_answer(task, "worked" if style == "terse" else style, rng)
    before = text.index("The answer is")
    return text[: rng.randint(max(1, before // 3), before)].rstrip() or text[:1]


def _garble(text: str, rng: Random) -> str:
    """Some letters of every line replaced by what a wrong decoding leaves; rare enough not to lengthen the row much."""
    lines = []
    for line in text.split("\n"):
        letters = [rng.choice(_GARBLE) if rng.random() < 0.06 else letter for letter in line]
        letters[rng.randrange(len(letters))] = rng.choice(_GARBLE)
        lines.append("".join(letters))
    return "\n".join(lines)


def _translate(task: Task, rng: Random) -> str:
    words = [
        " ".join(_FOREIGN_DIGITS[digit] for digit in word) if word.isdigit() else f"{word}ez"
        for word in task.answer.split()
    ]
    return rng.choice(_FOREIGN).format(" ".join(words))


def faulty_answer(fault: str, skill: Skill, task: Task, style: str, rng: Random) -> str:
    """The text of a faulty answer to a task."""
    if fault == "wrong answer":
        return write_answer(wrong_task(skill, task, rng), style, rng)
    if fault == "truncated":
        return _truncate(task, style, rng)
    if fault == "off-topic":
        other = SKILLS[rng.choice(_NAMES)]
        while other.name == skill.name:
            other = SKILLS[rng.choice(_NAMES)]
        return write_answer(other.draw_from(rng, "pool"), style, rng)
    if fault == "refusal":
        return rng.choice(_REFUSALS)
    if fault == "garbled":
        return _garble(write_answer(task, style, rng), rng)
    if fault == "other language":
        return _translate(task, rng)
    raise ValueError(f"fault is {fault!r}; expected one of {', '.join(FAULTS)}")
