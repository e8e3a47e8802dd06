"""Questions about short lists of words."""

from random import Random

from analysis.pools.testbed.skill import Skill, Task, words_of
from analysis.pools.testbed.world import NOUNS


def _items(rng: Random, low: int, high: int) -> tuple[list[str], str]:
    items = words_of(rng, NOUNS, rng.randint(low, high))
    return items, ", ".join(items)


def _first(rng: Random) -> Task:
    items, text = _items(rng, 3, 5)
    return Task({"items": text}, items[0], f"The list starts with {items[0]}.", f"first {text}")


def _last(rng: Random) -> Task:
    items, text = _items(rng, 3, 5)
    return Task({"items": text}, items[-1], f"The list ends with {items[-1]}.", f"last {text}")


def _second(rng: Random) -> Task:
    items, text = _items(rng, 3, 5)
    return Task({"items": text}, items[1], f"After {items[0]} comes {items[1]}.", f"second {text}")


def _count(rng: Random) -> Task:
    items, text = _items(rng, 2, 6)
    counted = ", ".join(f"{position} {item}" for position, item in enumerate(items, 1))
    return Task({"items": text}, str(len(items)), f"Counting: {counted}.", f"count {text}")


def _reverse(rng: Random) -> Task:
    items, text = _items(rng, 3, 3)
    return Task({"items": text}, ", ".join(reversed(items)), f"From the end: {items[2]} is first.", f"reverse {text}")


SKILLS = (
    Skill("first_item", "lists", _first,
          ("the first item of {items}", "the first word in the list {items}", "the item at the start of {items}"),
          ("name the first item of {items}", "pick the first word of {items}")),
    Skill("last_item", "lists", _last,
          ("the last item of {items}", "the last word in the list {items}", "the item at the end of {items}"),
          ("name the last item of {items}", "pick the last word of {items}")),
    Skill("second_item", "lists", _second,
          ("the second item of {items}", "the second word in the list {items}", "item number two of {items}"),
          ("name the second item of {items}", "pick the second word of {items}")),
    Skill("count_items", "lists", _count,
          ("the number of items in {items}", "the length of the list {items}", "the count of words in {items}"),
          ("count the items of {items}", "count the words in {items}")),
    Skill("reverse_list", "lists", _reverse,
          ("the reverse of the list {items}", "the list {items} in reverse order", "the list {items} backwards"),
          ("reverse the list {items}", "turn around the list {items}")),
)  # fmt: skip
