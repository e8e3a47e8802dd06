"""Arithmetic on small whole numbers."""

from random import Random

from analysis.pools.testbed.skill import Skill, Task


def _addition(rng: Random) -> Task:
    a, b = rng.randint(1, 49), rng.randint(1, 49)
    return Task({"a": a, "b": b}, str(a + b), f"{a} + {b} = {a + b}.", f"add {a} {b}")


def _subtraction(rng: Random) -> Task:
    b, rest = rng.randint(1, 40), rng.randint(1, 49)
    a = b + rest
    return Task({"a": a, "b": b}, str(rest), f"{a} - {b} = {rest}.", f"subtract {a} {b}")


def _multiplication(rng: Random) -> Task:
    a, b = rng.randint(2, 12), rng.randint(2, 12)
    return Task({"a": a, "b": b}, str(a * b), f"{a} * {b} = {a * b}.", f"multiply {a} {b}")


def _doubling(rng: Random) -> Task:
    a = rng.randint(2, 199)
    return Task({"a": a}, str(2 * a), f"{a} + {a} = {2 * a}.", f"double {a}")


def _halving(rng: Random) -> Task:
    half = rng.randint(2, 149)
    return Task({"a": 2 * half}, str(half), f"{half} + {half} = {2 * half}.", f"halve {2 * half}")


def _successor(rng: Random) -> Task:
    a = rng.randint(1, 899)
    return Task({"a": a}, str(a + 1), f"{a} + 1 = {a + 1}.", f"after {a}")


SKILLS = (
    Skill("addition", "arithmetic", _addition,
          ("the sum of {a} and {b}", "{a} plus {b}", "the total of {a} and {b}"),
          ("add {a} and {b}", "work out {a} + {b}")),
    Skill("subtraction", "arithmetic", _subtraction,
          ("the difference between {a} and {b}", "{a} minus {b}", "the rest of {a} after taking away {b}"),
          ("subtract {b} from {a}", "work out {a} - {b}")),
    Skill("multiplication", "arithmetic", _multiplication,
          ("the product of {a} and {b}", "{a} times {b}", "the result of multiplying {a} and {b}"),
          ("multiply {a} by {b}", "work out {a} * {b}")),
    Skill("doubling", "arithmetic", _doubling,
          ("the double of {a}", "twice {a}", "two times as much as {a}"),
          ("double the number {a}", "double {a}")),
    Skill("halving", "arithmetic", _halving,
          ("half of {a}", "one half of {a}", "the number that is half as large as {a}"),
          ("halve the number {a}", "halve {a}")),
    Skill("successor", "arithmetic", _successor,
          ("the number after {a}", "the next number after {a}", "the number that follows {a}"),
          ("count one up from {a}", "go on counting from {a}")),
)  # fmt: skip
