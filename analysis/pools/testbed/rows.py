"""Rows of a testbed pool: row i depends on the pool and its options, the seed and i alone, so every prefix is stable."""

from random import Random

from analysis.pools.testbed.answers import write_answer
from analysis.pools.testbed.families import SKILLS
from analysis.pools.testbed.faults import faulty_answer
from analysis.pools.testbed.long_answers import (
    PADDED,
    answer_all,
    check_long_answers,
    is_worked_out,
    numbered,
    tasks_of,
)
from analysis.pools.testbed.recipe import RECIPES, STYLE_WEIGHTS, Recipe
from analysis.pools.testbed.skill import Skill
from analysis.pools.testbed.subset import pool_id

COLUMNS = ("id", "source", "messages", "skill", "family", "style", "fault", "dup_group")
_STYLES, _STYLE_WEIGHTS = tuple(STYLE_WEIGHTS), tuple(STYLE_WEIGHTS.values())
_PHRASINGS = {skill.name: tuple(skill.phrasings(held_out=False)) for skill in SKILLS.values()}
_SYSTEMS = (
    "You are a helpful assistant.", "You answer questions about the world.", "Be kind and exact.",
    "You are a patient tutor.",
)  # fmt: skip


def _original(recipe: Recipe, seed: int, position: int) -> int:
    """The row whose content row `position` repeats: itself, or an earlier row if it is a near-duplicate."""
    while position:
        rng = Random(f"{recipe.name} {seed} {position} twin")
        if rng.random() >= recipe.near_duplicate_share:
            return position
        position = int(position * rng.random() ** 2)  # early rows are repeated more often
    return position


def _prompt(skill: Skill, values: dict[str, object], careless: bool, rng: Random) -> str:
    prompt = rng.choice(_PHRASINGS[skill.name]).format_map(values)
    prompt = prompt[0].upper() + prompt[1:]
    if careless and not any(letter.isupper() for letter in prompt[1:]):  # names keep their capital
        prompt = prompt[0].lower() + prompt[1:].rstrip("?.")
    return prompt


def _content(recipe: Recipe, seed: int, position: int, skills: int | None, long_answers: str) -> dict:
    rng = Random(f"{recipe.name} {seed} {position}")
    skill = SKILLS[recipe.draw_skill(rng, skills)]
    style = rng.choices(_STYLES, _STYLE_WEIGHTS)[0]
    fault = recipe.draw_fault(rng)
    careless = rng.random() < recipe.careless_share
    messages = []
    if rng.random() < recipe.system_share:
        messages.append({"role": "system", "content": rng.choice(_SYSTEMS)})
    turns = rng.choice((2, 2, 3, 4)) if rng.random() < recipe.multi_turn_share else 1
    # Rows of a padded pool are frozen: for them nothing is drawn here.
    worked_out = style == "verbose" and is_worked_out(long_answers, rng)
    for _ in range(turns):
        task = skill.draw_from(rng, "pool")
        if worked_out:
            tasks = tasks_of(skill, task, rng)
            answer = answer_all(fault, skill, tasks, rng)
            prompt = "\n".join(numbered([_prompt(skill, one.values, careless, rng) for one in tasks]))
        else:
            answer = faulty_answer(fault, skill, task, style, rng) if fault else write_answer(task, style, rng)
            prompt = _prompt(skill, task.values, careless, rng)
        messages.append({"role": "user", "content": prompt})
        messages.append({"role": "assistant", "content": answer})
    source = rng.choice(recipe.sources[skill.family])
    return {"source": source, "messages": messages, "skill": skill.name, "family": skill.family, "style": style,
            "fault": fault}  # fmt: skip


def _retouch(messages: list[dict], rng: Random) -> None:
    """The small change that makes a copy a near-duplicate and not an exact one."""
    user = next(message for message in messages if message["role"] == "user")
    before, after = rng.choice(
        (("", " Thanks."), ("Hello. ", ""), ("", " Please."), ("Hi, ", ""), ("", "  "), ("", "!"))
    )
    user["content"] = before + user["content"] + after


def row(pool: str, seed: int, position: int, skills: int | None = None, long_answers: str = PADDED) -> dict:
    """One row with its truth columns; `fault` is "" for a correct row, `dup_group` the row it repeats."""
    recipe = RECIPES[pool]
    original = _original(recipe, seed, position)
    content = _content(recipe, seed, original, skills, long_answers)
    if original != position:
        _retouch(content["messages"], Random(f"{pool} {seed} {position} retouch"))
    return {"id": f"{pool_id(pool, skills, long_answers)}-{seed}-{position:07d}", **content, "dup_group": original}


def rows(
    pool: str, seed: int, start: int, stop: int, skills: int | None = None, long_answers: str = PADDED
) -> dict[str, list]:
    """Rows start … stop - 1 as columns; with `skills` rows of so many skills (see `skills_of`).

    `long_answers` says what verbose rows are: "padded", one answer and remarks; "worked", several questions in one prompt,
    each worked out; "mixed", half of them each. Rows of the other styles are the same in all three.

    Raises
    ------
    ValueError
        If `pool` is no testbed pool, there are no so many skills, or no such long answers.
    """
    if pool not in RECIPES:
        raise ValueError(f"testbed pool is {pool!r}; expected one of {', '.join(RECIPES)}")
    check_long_answers(long_answers)
    made = [row(pool, seed, position, skills, long_answers) for position in range(start, stop)]
    return {column: [one[column] for one in made] for column in COLUMNS}
