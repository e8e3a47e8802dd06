"""Rewriting a short text, or changing its format."""

from random import Random

from analysis.pools.testbed.skill import Skill, Task, words_of
from analysis.pools.testbed.world import ADJECTIVES, NOUNS, OPPOSITES, number_word

_OPPOSITE = dict(OPPOSITES) | {right: left for left, right in OPPOSITES}
_WITH_OPPOSITE = tuple(_OPPOSITE)


def _plural(rng: Random) -> Task:
    word = rng.choice(NOUNS)
    answer = word + "s"
    return Task({"word": word}, answer, f"One {word}, two {answer}.", f"plural {word}")


def _opposite(rng: Random) -> Task:
    word = rng.choice(_WITH_OPPOSITE)
    return Task({"word": word}, _OPPOSITE[word], f"If it is not {word}, it is {_OPPOSITE[word]}.", f"opposite {word}")


def _digits(rng: Random) -> Task:
    number = rng.randint(1, 99)
    word = number_word(number)
    return Task({"word": word}, str(number), f"The number {word} is written {number}.", f"digits {number}")


def _capitals(rng: Random) -> Task:
    word = rng.choice(NOUNS)
    return Task({"word": word}, word.upper(), f"{word[0].upper()} comes first, then the rest.", f"capitals {word}")


def _swap(rng: Random) -> Task:
    a, b = rng.choice(ADJECTIVES), rng.choice(NOUNS)
    return Task({"a": a, "b": b}, f"{b} {a}", f"Now {b} stands before {a}.", f"swap {a} {b}")


def _bullets(rng: Random) -> Task:
    items = words_of(rng, NOUNS, rng.randint(2, 4))
    text = ", ".join(items)
    return Task({"items": text}, " ".join(f"* {item}" for item in items), f"One star for {items[0]} and so on.",
                f"bullets {text}")  # fmt: skip


SKILLS = (
    Skill("plural", "rewriting", _plural,
          ("the plural of {word}", "the word for more than one {word}", "the plural form of {word}"),
          ("write the plural of {word}", "turn {word} into its plural")),
    Skill("opposite", "rewriting", _opposite,
          ("the opposite of {word}", "the word that means the opposite of {word}", "the contrary of {word}"),
          ("name the opposite of {word}", "turn {word} into its opposite")),
    Skill("digits", "rewriting", _digits,
          ("the number {word} in digits", "{word} written as a number", "the digits of {word}"),
          ("write {word} in digits", "turn {word} into a number")),
    Skill("capitals", "rewriting", _capitals,
          ("the word {word} in capitals", "{word} in capital letters", "the upper case form of {word}"),
          ("write {word} in capitals", "turn {word} into upper case")),
    Skill("swap_words", "rewriting", _swap,
          ("the words {a} {b} swapped", "the phrase {a} {b} in the other order", "{a} {b} with the words exchanged"),
          ("swap the words {a} {b}", "exchange the two words of {a} {b}")),
    Skill("bullets", "rewriting", _bullets,
          ("the list {items} with stars", "{items} as a list of stars", "a starred list of {items}"),
          ("put a star before each of {items}", "turn {items} into a starred list")),
)  # fmt: skip
