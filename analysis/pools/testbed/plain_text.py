"""The world's plain text, from which the bases are pre-trained: statements and worked examples, no instructions."""

from collections.abc import Iterator
from random import Random

from analysis.pools.testbed.answers import filler_sentence
from analysis.pools.testbed.families import SKILLS
from analysis.pools.testbed.skill import Skill, Task
from analysis.pools.testbed.world import PEOPLE

_SUBJECT_STATEMENTS = (
    "{S} is {A}.", "{S} is {A}.", "{S}: {A}.", "We know that {s} is {A}.", "{P} asked for {s}. The answer is {A}.",
    "{P} would like to know {s}. The answer is {A}.", "Looking for {s}, you find {A}.", "I can tell you {s}. It is {A}.",
)  # fmt: skip
_ACTION_STATEMENTS = (
    "If you {s}, you get {A}.", "To {s} gives {A}.", "{P} could {s}. The answer is {A}.",
    "{P} wants you to {s}. The answer is {A}.",
)  # fmt: skip
# The subject is said twice: copying it is what a small model has to learn first.
_WORKED = (
    "{S}: {steps} The answer is {A}.", "Think of {s}. {steps} So {s} is {A}.", "{S}? {steps} So {s} is {A}.",
)  # fmt: skip


def _statement(skill: Skill, task: Task, rng: Random) -> str:
    kind = rng.random()
    if kind < 0.3:
        pattern, phrases = rng.choice(_WORKED), skill.subjects
    elif kind < 0.5:
        pattern, phrases = rng.choice(_ACTION_STATEMENTS), skill.actions
    else:
        pattern, phrases = rng.choice(_SUBJECT_STATEMENTS), skill.subjects
    phrase = rng.choice(phrases).format_map(task.values)
    return pattern.format(
        S=phrase[0].upper() + phrase[1:], s=phrase, A=task.answer, P=rng.choice(PEOPLE), steps=task.steps
    )


def documents(seed: int) -> Iterator[str]:
    """An endless stream of short documents; operands of every side of the split occur, as facts of the world."""
    rng, skills = Random(f"plain text {seed}"), tuple(SKILLS.values())
    while True:
        skill, sentences = rng.choice(skills), []
        for _ in range(rng.randint(2, 5)):
            if rng.random() < 0.4:
                skill = rng.choice(skills)
            sentences.append(_statement(skill, skill.draw(rng), rng))
        if rng.random() < 0.15:
            sentences.append(filler_sentence(rng))
        yield " ".join(sentences)
