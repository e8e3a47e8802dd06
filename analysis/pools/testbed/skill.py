"""What a skill is: how its tasks are drawn, how they can be asked for, how their operands are split."""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from zlib import crc32

# A prompt is a frame around a subject (a noun phrase) or an action (a verb phrase). The frames of the
# second tuple are kept for evaluation and development items: no pool row uses them.
SUBJECT_FRAMES = (
    "What is {}?", "Tell me {}.", "Give me {}.", "I need {}.", "Please state {}.", "Find {}.",
    "Can you say what {} is?", "I would like {}.", "Write down {}.",
)  # fmt: skip
HELD_OUT_SUBJECT_FRAMES = ("Do you know {}?", "Let me know {}.", "I am looking for {}.")
ACTION_FRAMES = ("{}.", "Please {}.", "Can you {}?", "I want you to {}.", "Now {}.", "Try to {}.")
HELD_OUT_ACTION_FRAMES = ("Could you {} for me?", "Your task is to {}.")


@dataclass(frozen=True)
class Task:
    """One question of a skill: values fill the phrasings, `key` names the operands for the split.

    `also` names further facts that the answer states: in a pool they must be on the pool's side too.
    """

    values: dict[str, object]
    answer: str
    steps: str
    key: str
    also: tuple[str, ...] = ()


@dataclass(frozen=True)
class Skill:
    """A kind of task with an exactly gradable answer."""

    name: str
    family: str
    draw: Callable[[Random], Task]
    subjects: tuple[str, ...]
    actions: tuple[str, ...]
    accepts: Callable[[Task, str], bool] | None = None

    def draw_from(self, rng: Random, split: str) -> Task:
        """A task whose operands belong to `split`: "pool", "evaluation" or "development"."""
        while True:
            task = self.draw(rng)
            if split_of(task.key) == split and (split != "pool" or all(split_of(key) == "pool" for key in task.also)):
                return task

    def phrasings(self, held_out: bool) -> list[str]:
        """All prompt templates of one side of the split; braces are filled by a task's values."""
        subject_frames = HELD_OUT_SUBJECT_FRAMES if held_out else SUBJECT_FRAMES
        action_frames = HELD_OUT_ACTION_FRAMES if held_out else ACTION_FRAMES
        asked = [frame.format(subject) for subject in self.subjects for frame in subject_frames]
        ordered = [frame.format(action) for action in self.actions for frame in action_frames]
        return [text[0].upper() + text[1:] for text in asked + ordered]


def split_of(key: str) -> str:
    """The side an operand key belongs to: 15 % evaluation, 10 % development, the rest pool."""
    bucket = crc32(key.encode()) % 20
    return "evaluation" if bucket < 3 else "development" if bucket < 5 else "pool"


def words_of(rng: Random, words: tuple[str, ...], count: int) -> list[str]:
    """`count` different words."""
    return rng.sample(words, count)
