"""Tasks that need two steps, each of which is a skill of its own elsewhere."""

from random import Random

from analysis.pools.testbed import world
from analysis.pools.testbed.families.knowledge import fact
from analysis.pools.testbed.skill import Skill, Task, words_of


def _add_then_double(rng: Random) -> Task:
    a, b = rng.randint(1, 20), rng.randint(1, 20)
    total = a + b
    steps = f"{a} + {b} = {total}. {total} + {total} = {2 * total}."
    return Task({"a": a, "b": b}, str(2 * total), steps, f"add double {a} {b}")


def _home_land(rng: Random) -> Task:
    person, town, _, key = fact(rng, "home")
    land = world.LAND_OF_TOWN[town]
    return Task({"of": person}, land, f"The home town of {person} is {town}. The town {town} lies in {land}.",
                key, (f"land {town}",))  # fmt: skip


def _pet_colour(rng: Random) -> Task:
    person, creature, _, key = fact(rng, "pet")
    colour = world.COLOUR[creature]
    return Task({"of": person}, colour, f"The pet of {person} is a {creature}. The {creature} is {colour}.",
                key, (f"colour {creature}",))  # fmt: skip


def _count_plus(rng: Random) -> Task:
    items, extra = words_of(rng, world.NOUNS, rng.randint(2, 5)), rng.randint(1, 9)
    text, total = ", ".join(items), len(items) + extra
    steps = f"There are {len(items)} items. {len(items)} + {extra} = {total}."
    return Task({"items": text, "b": extra}, str(total), steps, f"count plus {extra} {text}")


def _larger_half(rng: Random) -> Task:
    a, b = (2 * number for number in rng.sample(range(2, 50), 2))
    larger = max(a, b)
    steps = f"{larger} is more than {min(a, b)}. Half of {larger} is {larger // 2}."
    return Task({"a": a, "b": b}, str(larger // 2), steps, f"larger half {a} {b}")


SKILLS = (
    Skill("add_then_double", "reasoning", _add_then_double,
          ("the double of the sum of {a} and {b}", "twice the total of {a} and {b}", "two times {a} plus {b} together"),
          ("add {a} and {b} and double it", "double what {a} and {b} make together")),
    Skill("home_land", "reasoning", _home_land,
          ("the land where {of} lives", "the land of the home town of {of}", "the home land of {of}"),
          ("name the land where {of} lives", "recall the home land of {of}")),
    Skill("pet_colour", "reasoning", _pet_colour,
          ("the colour of the pet of {of}", "the colour of the creature that {of} keeps", "the pet colour of {of}"),
          ("name the colour of the pet of {of}", "recall what colour the pet of {of} has")),
    Skill("count_plus", "reasoning", _count_plus,
          ("the number of items in {items} plus {b}", "{b} more than the count of {items}",
           "the length of {items} with {b} added"),
          ("count {items} and add {b}", "add {b} to the number of words in {items}")),
    Skill("larger_half", "reasoning", _larger_half,
          ("half of the larger of {a} and {b}", "one half of the bigger number of {a} and {b}",
           "half the greater one of {a} and {b}"),
          ("halve the larger of {a} and {b}", "halve the greater number of {a} and {b}")),
)  # fmt: skip
