"""Facts of the fictional world, one lookup each."""

from collections.abc import Callable
from random import Random

from analysis.pools.testbed import world
from analysis.pools.testbed.skill import Skill, Task

RELATIONS: dict[str, tuple[dict[str, str], str]] = {
    "capital": (world.CAPITAL, "the capital of {of}"),
    "land": (world.LAND_OF_TOWN, "the land of the town {of}"),
    "job": (world.JOB, "the job of {of}"),
    "home": (world.HOME, "the home town of {of}"),
    "pet": (world.PET, "the pet of {of}"),
    "colour": (world.COLOUR, "the colour of the {of}"),
    "food": (world.FOOD, "the food of the {of}"),
}
_ENTITIES = {relation: tuple(table) for relation, (table, _) in RELATIONS.items()}


def fact(rng: Random, relation: str) -> tuple[str, str, str, str]:
    """A fact as (entity, value, subject phrase, key); a fact has the same key in every skill that asks for it."""
    table, subject = RELATIONS[relation]
    entity = rng.choice(_ENTITIES[relation])
    return entity, table[entity], subject.format(of=entity), f"{relation} {entity}"


def _lookup(relation: str) -> Callable[[Random], Task]:
    def draw(rng: Random) -> Task:
        entity, value, subject, key = fact(rng, relation)
        return Task({"of": entity}, value, f"{subject[0].upper()}{subject[1:]} is {value}.", key)

    return draw


SKILLS = (
    Skill("capital", "knowledge", _lookup("capital"),
          ("the capital of {of}", "the capital town of {of}", "the main town of {of}"),
          ("name the capital of {of}", "recall the main town of {of}")),
    Skill("land", "knowledge", _lookup("land"),
          ("the land of the town {of}", "the land in which {of} lies", "the land that {of} belongs to"),
          ("name the land of the town {of}", "recall where {of} lies")),
    Skill("job", "knowledge", _lookup("job"),
          ("the job of {of}", "the work that {of} does", "the way {of} earns a living"),
          ("name the job of {of}", "recall the work of {of}")),
    Skill("home", "knowledge", _lookup("home"),
          ("the home town of {of}", "the town where {of} lives", "the place {of} calls home"),
          ("name the home town of {of}", "recall where {of} lives")),
    Skill("pet", "knowledge", _lookup("pet"),
          ("the pet of {of}", "the creature that {of} keeps", "the animal {of} keeps at home"),
          ("name the pet of {of}", "recall what creature {of} keeps")),
    Skill("colour", "knowledge", _lookup("colour"),
          ("the colour of the {of}", "the colour a {of} has", "the fur colour of the {of}"),
          ("name the colour of the {of}", "recall the colour of a {of}")),
    Skill("food", "knowledge", _lookup("food"),
          ("the food of the {of}", "the diet of the {of}", "the food that a {of} likes"),
          ("name the food of the {of}", "recall what a {of} eats")),
)  # fmt: skip
