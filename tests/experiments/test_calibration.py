"""The testbed is fit for use: the shipped bases meet the rules that were fixed before any method was compared."""

import json

import numpy as np
import pytest

from analysis.experiments import calibration
from analysis.experiments.benchmarks.testbed import testbed_accuracy as accuracy_of
from analysis.models.language_model import load_model
from analysis.models.training.finetuning import finetune
from analysis.paths import BASES
from analysis.pools import load_pool
from analysis.pools.testbed import WORLD_VERSION

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def wild(tmp_path_factory):
    return load_pool("wild", limit=10_000, cache=tmp_path_factory.mktemp("pools"))


def test_the_recorded_calibration_holds_all_rules():
    rules = calibration.rules(calibration.recorded())
    assert set(rules["base"]) == set(calibration.BASE_NAMES)
    assert rules["holds"].all(), rules[~rules["holds"]].to_string()


def test_the_bases_are_small_and_of_this_world():
    files = [file for name in calibration.BASE_NAMES for file in (BASES / name).iterdir()]
    assert sum(file.stat().st_size for file in files) <= 15e6
    for name in calibration.BASE_NAMES:
        recipe = json.loads((BASES / name / "recipe.json").read_text(encoding="utf-8"))
        assert recipe["world_version"] == WORLD_VERSION
        assert (BASES / name / "training_log.csv").is_file()


def test_oracle_rows_are_correct_and_balanced_and_wrong_rows_wrong(wild):
    oracle = calibration.choose(wild, "oracle rows", 400, seed=1)
    assert set(wild.truth("fault")[oracle]) == {""}
    counts = np.unique(wild.truth("skill")[oracle], return_counts=True)[1]
    assert len(counts) == 45 and counts.max() - counts.min() <= 1
    assert set(wild.truth("fault")[calibration.choose(wild, "wrong rows", 300, seed=1)]) == {"wrong answer"}
    with pytest.raises(ValueError, match="expected at least 9000 rows"):
        calibration.choose(wild, "wrong rows", 9000, seed=1)


def test_the_weak_base_learns_from_random_rows_and_knows_nothing_before(tmp_path):
    base = load_model("tiny-weak")
    pool = load_pool("curated", limit=5_000, cache=tmp_path)
    assert accuracy_of(base, "development").items.mean() <= 0.10
    rows = calibration.choose(pool, "random rows", 500, seed=0)
    model = finetune(base, pool.messages(rows), calibration.SETTINGS, seed=0)
    assert 0.25 <= accuracy_of(model, "development").items.mean() <= 0.70
