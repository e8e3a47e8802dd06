"""Benchmarks of the evaluation harness as they are asked for: text such as "gsm8k(limit=200)"."""

from collections.abc import Sequence
from dataclasses import fields

from analysis.experiments.benchmarks.harness import Harness
from analysis.methods.calls import parse_call


def asked(calls: Sequence[str]) -> tuple[Harness, ...]:
    """The benchmark of each call, a task of lm-eval with options (`Harness`).

    Raises
    ------
    ValueError
        Not a call, an unknown option (lists the known ones) or value, a task asked twice, or no lm-eval here.
    """
    known = [field.name for field in fields(Harness) if field.name != "task"]
    found: dict[str, Harness] = {}
    for call in calls:
        if not isinstance(call, str):
            raise ValueError(f"benchmark {call!r}: expected a task's name or name(option=value, ...) as text")
        try:
            task, options = parse_call(call)
        except ValueError as error:
            raise ValueError(str(error).replace("method", "benchmark", 1).replace("a method's", "a task's")) from error
        if unknown := [option for option in options if option not in known]:
            raise ValueError(f"benchmark {call!r}: unknown option {unknown[0]!r}; the options are {', '.join(known)}")
        if task in found:
            raise ValueError(f"benchmark {call!r}: {task} is asked for already; expected each task once")
        found[task] = Harness(task, **options)
    return tuple(found.values())
