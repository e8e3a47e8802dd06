"""What the long answers of a testbed pool are: one answer with many remarks, or many questions worked out."""

from random import Random

from analysis.pools.testbed.answers import write_answer
from analysis.pools.testbed.faults import faulty_answer
from analysis.pools.testbed.skill import Skill, Task

PADDED, WORKED, MIXED = "padded", "worked", "mixed"
LONG_ANSWERS = (PADDED, WORKED, MIXED)
_OPENING = "Here is one after the other."
_SAY_NOTHING_LONG = ("truncated", "refusal", "other language")  # one short answer, however much is asked


def check_long_answers(kind: str) -> None:
    """ValueError unless there is such a kind of long answers."""
    if kind not in LONG_ANSWERS:
        raise ValueError(f"long_answers: expected one of {', '.join(LONG_ANSWERS)}, found {kind!r}")


def is_worked_out(kind: str, rng: Random) -> bool:
    """Whether a verbose row works out several questions; of a mixed pool every second does."""
    return kind == WORKED or (kind == MIXED and rng.random() < 0.5)


def tasks_of(skill: Skill, first: Task, rng: Random) -> list[Task]:
    """The first task and at least one further of its skill, whose worked answers are about as long together as the first padded.

    The length is that of a padded answer drawn for it, and so is its tail.
    """
    tasks, length = [first], len(write_answer(first, "verbose", rng))
    left = length - len(_OPENING) - _written(first)
    while True:
        task = skill.draw_from(rng, "pool")
        if len(tasks) > 1 and left < _written(task) / 2:
            return tasks
        tasks.append(task)
        left -= _written(task)


def answer_all(fault: str, skill: Skill, tasks: list[Task], rng: Random) -> str:
    """Every task worked out, by number; faulty in every one of them where the row has a fault."""
    if fault in _SAY_NOTHING_LONG:
        return faulty_answer(fault, skill, tasks[0], "worked", rng)
    answers = [
        faulty_answer(fault, skill, task, "worked", rng) if fault else write_answer(task, "worked", rng)
        for task in tasks
    ]
    return "\n".join([_OPENING, *numbered(answers)])


def numbered(texts: list[str]) -> list[str]:
    """The texts with numbers before them, from 1 up."""
    return [f"{number}. {text}" for number, text in enumerate(texts, 1)]


def _written(task: Task) -> int:
    return len(f"1. {task.steps}\nThe answer is {task.answer}\n")
