"""Fewer skills than all: a smaller world in which the same budget buys more rows of each skill."""

from functools import cache
from itertools import chain, zip_longest

from analysis.pools.testbed.families import FAMILIES, SKILLS

# Too few of their operands are held out to give many different items, so they come last in their families.
_FEW_OPERANDS = ("capital", "opposite")


def pool_id(pool: str, skills: int | None, long_answers: str = "padded") -> str:
    """What rows and files of a testbed pool of so many skills and such long answers are named by."""
    of_skills = pool if skills is None else f"{pool}-{skills}-skills"
    return of_skills if long_answers == "padded" else f"{of_skills}-{long_answers}"


@cache
def skills_of(count: int | None) -> tuple[str, ...]:
    """Names of so many skills, spread evenly over the families; a smaller subset is part of every larger one.

    They stand in the order of `SKILLS`; `None` stands for all.

    Raises
    ------
    ValueError
        There is no such number of skills, or some family would have none.
    """
    if count is None:
        return tuple(SKILLS)
    if isinstance(count, bool) or not isinstance(count, int) or not len(FAMILIES) <= count <= len(SKILLS):
        raise ValueError(f"skills: expected a whole number from {len(FAMILIES)} to {len(SKILLS)}, found {count!r}")
    families = [
        sorted((name for name, skill in SKILLS.items() if skill.family == family), key=_FEW_OPERANDS.__contains__)
        for family in FAMILIES
    ]
    in_turn = [name for name in chain.from_iterable(zip_longest(*families)) if name is not None]
    chosen = in_turn[:count]
    return tuple(name for name in SKILLS if name in chosen)
