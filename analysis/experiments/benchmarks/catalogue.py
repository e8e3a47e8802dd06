"""The benchmarks that a pool allows, by name."""

from collections.abc import Callable
from functools import partial

from analysis.experiments.benchmarks.held_out import ANSWER_LOSS, held_out_answer_loss
from analysis.experiments.benchmarks.result import BenchmarkResult
from analysis.experiments.benchmarks.testbed import ACCURACY, testbed_accuracy
from analysis.models.language_model import LanguageModel


def benchmarks_for(pool, max_tokens: int = 1024) -> dict[str, Callable[[LanguageModel], BenchmarkResult]]:
    """The benchmarks that a pool allows: exact accuracy on its skills where it is the testbed's, held-out loss always.

    Held-out rows are cut to `max_tokens`, as the rows of training are.
    """
    known: dict[str, Callable[[LanguageModel], BenchmarkResult]] = {}
    if pool.has_truth:
        known[ACCURACY] = partial(testbed_accuracy, skills=pool.skills)
    known[ANSWER_LOSS] = lambda language_model: held_out_answer_loss(language_model, pool, max_tokens=max_tokens)
    return known
