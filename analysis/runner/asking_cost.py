"""What it takes to ask a model the benchmarks of lm-eval, told before: tokens by the sizes of the public test sets."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from analysis.experiments.benchmarks.harness import SHOTS
from analysis.methods.calls import parse_call


@dataclass(frozen=True)
class TestSet:
    """Items, in how many subtasks, and the mean tokens of an item, of a worked example before it, and the most of an answer.

    A word counts as four thirds of a token. Where options are compared nothing is written, and a prompt is read once.
    """

    items: int
    subtasks: int
    item: int
    example: int
    answer: int


TEST_SETS = {
    "gsm8k": TestSet(1319, 1, 62, 132, 256),
    "bbh": TestSet(6511, 27, 87, 210, 256),
    "mmlu": TestSet(14042, 57, 88, 90, 0),
    "humaneval": TestSet(164, 1, 90, 0, 1024),
    "ifeval": TestSet(541, 1, 49, 0, 1280),
}


def tokens_asked(calls: Iterable[str]) -> float:
    """Tokens that a model reads and at most writes for these benchmarks; those of an unknown task are left out.

    Raises
    ------
    ValueError
        A count of a known task is none.
    """
    return float(sum(_tokens(*parse_call(call)) for call in calls))


def told_of_asking(calls: Sequence[str]) -> list[str]:
    """The line that says so; none where nothing is asked whose size is known."""
    known = [call for call in calls if call not in unknown_tasks(calls)]
    if not known:
        return []
    return [
        f"  In it {tokens_asked(known) / 1e6:,.1f} million tokens a run for {', '.join(known)}, answers as long as they may be."
    ]


def unknown_tasks(calls: Iterable[str]) -> list[str]:
    """The benchmarks among these whose sizes are not known here."""
    return [call for call in calls if parse_call(call)[0] not in TEST_SETS]


def _tokens(task: str, options: dict) -> int:
    known = TEST_SETS.get(task)
    if known is None:
        return 0
    for option in ("shots", "limit", "max_new_tokens"):
        if type(options.get(option)) not in (int, type(None)):
            raise ValueError(f"benchmark {task!r}: {option}: expected a whole number, found {options[option]!r}")
    shots = options.get("shots")
    shots = SHOTS.get(task, 0) if shots is None else shots
    items = min(known.items, known.subtasks * (options.get("limit") or known.items))
    answer = (options.get("max_new_tokens") or known.answer) if known.answer else 0
    return items * (shots * known.example + known.item + answer)
