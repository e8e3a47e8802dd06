"""Comparing and ordering numbers and words."""

from random import Random

from analysis.pools.testbed.skill import Skill, Task, words_of
from analysis.pools.testbed.world import NOUNS


def _larger(rng: Random) -> Task:
    a, b = rng.sample(range(1, 100), 2)
    return Task({"a": a, "b": b}, str(max(a, b)), f"{max(a, b)} is more than {min(a, b)}.", f"larger {a} {b}")


def _smallest(rng: Random) -> Task:
    numbers = rng.sample(range(1, 100), 3)
    text = ", ".join(map(str, numbers))
    return Task({"items": text}, str(min(numbers)), f"{min(numbers)} is less than the others.", f"smallest {text}")


def _sorted(rng: Random) -> Task:
    numbers = rng.sample(range(1, 100), 3)
    text, answer = ", ".join(map(str, numbers)), ", ".join(map(str, sorted(numbers)))
    return Task({"items": text}, answer, f"{min(numbers)} is least and {max(numbers)} is most.", f"sort {text}")


def _parity(rng: Random) -> Task:
    a = rng.randint(10, 999)
    answer = "odd" if a % 2 else "even"
    return Task({"a": a}, answer, f"{a} ends in {a % 10} and {a % 10} is {answer}.", f"parity {a}")


def _alphabet(rng: Random) -> Task:
    a, b = words_of(rng, NOUNS, 2)
    while a[0] == b[0]:
        a, b = words_of(rng, NOUNS, 2)
    first, other = sorted((a, b))
    steps = f"The letter {first[0]} comes before {other[0]}."
    return Task({"a": a, "b": b}, first, steps, f"alphabet {a} {b}")


SKILLS = (
    Skill("larger_number", "ordering", _larger,
          ("the larger of {a} and {b}", "the bigger number of {a} and {b}", "the greater one of {a} and {b}"),
          ("pick the larger of {a} and {b}", "name the greater number of {a} and {b}")),
    Skill("smallest_number", "ordering", _smallest,
          ("the smallest of {items}", "the least number among {items}", "the minimum of {items}"),
          ("pick the smallest of {items}", "name the minimum of {items}")),
    Skill("sort_numbers", "ordering", _sorted,
          ("the numbers {items} in order", "the sorted list of {items}", "the numbers {items} from least to most"),
          ("sort the numbers {items}", "put {items} in order")),
    Skill("even_or_odd", "ordering", _parity,
          ("the parity of {a}", "the kind of number {a} is, even or odd", "the word for {a}, odd or even"),
          ("say if {a} is even or odd", "decide if {a} is odd or even")),
    Skill("alphabet", "ordering", _alphabet,
          ("the first of {a} and {b} in the alphabet", "the word that comes first of {a} and {b}",
           "the alphabetically first of {a} and {b}"),
          ("pick the word that comes first of {a} and {b}", "name the alphabetically first of {a} and {b}")),
)  # fmt: skip
