"""One grid with planted differences, and its table, for the tests of pictures and of sentences."""

import pytest

from analysis.reporting import versus_random
from tests.reporting.planted import ACCURACY, LOSS, grid


@pytest.fixture(scope="module")
def results():
    return grid({"token_length": 0.15, "cross_entropy": -0.15, "cross_entropy(variant='released')": 0.0})


@pytest.fixture(scope="module")
def table(results):
    return versus_random.versus_random(results, deltas={ACCURACY: 0.03, LOSS: 0.03})
