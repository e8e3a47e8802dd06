"""A known fact, asked for under a constraint on form that can be checked."""

from collections.abc import Callable
from random import Random

from analysis.pools.testbed.families.knowledge import fact
from analysis.pools.testbed.skill import Skill, Task

_RELATIONS = ("job", "colour", "food")


def _constrained(form: Callable[[str], str], step: str) -> Callable[[Random], Task]:
    def draw(rng: Random) -> Task:
        _, value, subject, key = fact(rng, rng.choice(_RELATIONS))
        answer = form(value)
        steps = f"{subject[0].upper()}{subject[1:]} is {value}. {step.format(answer)}"
        return Task({"fact": subject, "value": value}, answer, steps, key)

    return draw


def _three_words(task: Task, response: str) -> bool:
    words = response.split()
    return len(words) == 3 and task.values["value"] in [word.strip(".,!").lower() for word in words]


def _yes_no(rng: Random) -> Task:
    relation = rng.choice(_RELATIONS)
    _, value, subject, key = fact(rng, relation)
    claimed = value if rng.random() < 0.5 else fact(rng, relation)[1]
    answer = "yes" if claimed == value else "no"
    steps = f"{subject[0].upper()}{subject[1:]} is {value}. Asked was {claimed}."
    return Task({"fact": subject, "claimed": claimed}, answer, steps, key)


SKILLS = (
    Skill("in_capitals", "constraints", _constrained(str.upper, "In capitals: {}."),
          ("{fact} in capitals", "{fact}, all in capital letters", "{fact} written in upper case"),
          ("name {fact} in capitals", "write {fact} in upper case")),
    Skill("three_words", "constraints",
          _constrained(lambda value: f"it is {value}", "As three words: {}."),
          ("{fact} in exactly three words", "{fact}, said in three words", "{fact} as a text of three words"),
          ("name {fact} in exactly three words", "write {fact} as three words"), _three_words),
    Skill("in_brackets", "constraints", _constrained(lambda value: f"[{value}]", "In brackets: {}."),
          ("{fact} in brackets", "{fact} between square brackets", "{fact} with brackets around it"),
          ("name {fact} in brackets", "write {fact} between square brackets")),
    Skill("said_twice", "constraints", _constrained(lambda value: f"{value} {value}", "Said twice: {}."),
          ("{fact} said twice", "{fact} repeated two times", "{fact} two times in a row"),
          ("name {fact} twice", "write {fact} two times")),
    Skill("ends_with_done", "constraints", _constrained(lambda value: f"{value} done", "With the end: {}."),
          ("{fact} followed by the word done", "{fact} with done at the end", "{fact} and then the word done"),
          ("name {fact} and end with done", "write {fact} and then done")),
    Skill("yes_or_no", "constraints", _yes_no,
          ("the truth of this, yes or no: {fact} is {claimed}", "the reply, yes or no, to this: {fact} is {claimed}",
           "a yes or a no: {fact} is {claimed}"),
          ("say yes or no: {fact} is {claimed}", "answer yes or no if {fact} is {claimed}")),
)  # fmt: skip
