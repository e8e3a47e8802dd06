"""Held-out items of the testbed: operands and phrasings that occur in no pool, graded exactly."""

from dataclasses import dataclass
from functools import cache
from random import Random

from analysis.pools.testbed.answers import final_answer
from analysis.pools.testbed.families import SKILLS
from analysis.pools.testbed.skill import Task
from analysis.pools.testbed.subset import skills_of

ITEMS_PER_SKILL = {"evaluation": 16, "development": 8}
FEWEST_ITEMS = {"evaluation": 600, "development": 300}  # of all skills together, however few they are


@dataclass(frozen=True)
class Item:
    """One question with its exact answer."""

    id: str
    skill: str
    family: str
    prompt: str
    task: Task

    @property
    def messages(self) -> list[dict]:
        return [{"role": "user", "content": self.prompt}]

    @property
    def answer(self) -> str:
        return self.task.answer


@cache
def evaluation_items(split: str = "evaluation", skills: int | None = None) -> tuple[Item, ...]:
    """Items of "evaluation" (never seen by a method, a setting or a calibration choice) or "development".

    With `skills` they are of so many skills (see `skills_of`), more of each where there would be too few.

    Raises
    ------
    ValueError
        If `split` is neither, or there are no so many skills.
    """
    if split not in ITEMS_PER_SKILL:
        raise ValueError(f"split is {split!r}; expected one of {', '.join(ITEMS_PER_SKILL)}")
    names, items, seen = skills_of(skills), [], set()
    per_skill = max(ITEMS_PER_SKILL[split], -(-FEWEST_ITEMS[split] // len(names)))
    for skill in map(SKILLS.get, names):
        rng, phrasings = Random(f"{split} {skill.name}"), skill.phrasings(held_out=True)
        number = 0
        while number < per_skill:
            task = skill.draw_from(rng, split)
            prompt = phrasings[rng.randrange(len(phrasings))].format_map(task.values)
            if prompt in seen:
                continue
            seen.add(prompt)
            items.append(Item(f"{split}-{skill.name}-{number:02d}", skill.name, skill.family, prompt, task))
            number += 1
    return tuple(items)


def grade(item: Item, response: str) -> bool:
    """Whether the final answer of a response is right, letter by letter, constraint included."""
    given = final_answer(response)
    accepts = SKILLS[item.skill].accepts
    return accepts(item.task, given) if accepts else given == item.answer
