"""All skills of the testbed, by family."""

from analysis.pools.testbed.families import (
    arithmetic,
    constraints,
    knowledge,
    lists,
    ordering,
    reasoning,
    rewriting,
    strings,
)
from analysis.pools.testbed.skill import Skill

_MODULES = (arithmetic, lists, strings, ordering, knowledge, rewriting, reasoning, constraints)
SKILLS: dict[str, Skill] = {skill.name: skill for module in _MODULES for skill in module.SKILLS}
FAMILIES: tuple[str, ...] = tuple(dict.fromkeys(skill.family for skill in SKILLS.values()))
