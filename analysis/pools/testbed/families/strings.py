"""Questions about the letters of a word."""

from collections.abc import Callable
from random import Random

from analysis.pools.testbed.skill import Skill, Task
from analysis.pools.testbed.world import NOUNS


def _of_word(kind: str, answer: Callable[[str], str]) -> Callable[[Random], Task]:
    def draw(rng: Random) -> Task:
        word = rng.choice(NOUNS)
        return Task({"word": word}, answer(word), f"The letters of {word} are {'-'.join(word)}.", f"{kind} {word}")

    return draw


SKILLS = (
    Skill("spelling", "strings", _of_word("spell", "-".join),
          ("the spelling of {word}", "the letters of {word}", "the word {word} letter by letter"),
          ("spell {word}", "spell out the word {word}")),
    Skill("first_letter", "strings", _of_word("first letter", lambda word: word[0]),
          ("the first letter of {word}", "the letter that {word} starts with", "the initial of {word}"),
          ("name the first letter of {word}", "write the initial of {word}")),
    Skill("last_letter", "strings", _of_word("last letter", lambda word: word[-1]),
          ("the last letter of {word}", "the letter that {word} ends with", "the final letter of {word}"),
          ("name the last letter of {word}", "write the final letter of {word}")),
    Skill("word_length", "strings", _of_word("length", lambda word: str(len(word))),
          ("the number of letters in {word}", "the letter count of {word}", "the length of the word {word}"),
          ("count the letters of {word}", "count how many letters {word} has")),
    Skill("reverse_word", "strings", _of_word("backwards", lambda word: "-".join(reversed(word))),
          ("the letters of {word} in reverse", "the spelling of {word} from the end", "{word} spelled backwards"),
          ("spell {word} backwards", "reverse the letters of {word}")),
)  # fmt: skip
