import numpy as np
import pytest

from analysis.paths import ROOT
from analysis.pools import load_pool
from analysis.statistics import interval_of_mean
from analysis.subsets.long_answers import MIXED, PADDED, WORKED, dependence_of_longest, kind_of, prompt_dependence

SHARED = ROOT.parent / "shared"


def of_pool(pool):
    """Interval of the mean dependence; words stand for tokens."""
    words = [sum(len(m["content"].split()) for m in row if m["role"] == "assistant") for row in pool.rows["messages"]]
    return interval_of_mean(dependence_of_longest(pool, np.array(words)))


def test_a_later_half_points_to_its_prompt_or_to_any():
    prompts = ["name the red fox", "count my green apples", "spell blue"]
    # The later half of the first repeats "fox", of the second a word of the third prompt, of the third no prompt's word.
    answers = ["yes here comes the fox", "well well blue blue", "any words at all"]
    np.testing.assert_allclose(prompt_dependence(prompts, answers), [1, 0.25, 0.5])  # lost to one, even with the other
    assert np.isnan(prompt_dependence(["alone"], ["alone here"])).all() and not len(prompt_dependence([], []))


def test_only_the_later_half_counts():
    prompts = ["about foxes", "about apples"]
    np.testing.assert_allclose(prompt_dependence(prompts, ["foxes foxes run away", "apples apples lie here"]), 0.5)
    np.testing.assert_allclose(prompt_dependence(prompts, ["run away foxes foxes", "lie here apples apples"]), 1)


@pytest.mark.parametrize(
    ("kind", "found"), [("padded", PADDED), ("worked", WORKED), ("mixed", MIXED)], ids=lambda text: text.split()[-1]
)
@pytest.mark.parametrize("name", ["curated", "wild"])
def test_it_tells_the_kinds_of_the_testbed_apart(name, kind, found, tmp_path):
    _, low, high = of_pool(load_pool(name, limit=1_500, skills=8, long_answers=kind, cache=tmp_path))
    assert kind_of(low, high) == found


def test_an_interval_on_a_limit_is_between():
    assert [kind_of(0.5, 0.64), kind_of(0.6, 0.7), kind_of(0.8, 0.9), kind_of(0.86, 0.9)] == [
        PADDED,
        MIXED,
        MIXED,
        WORKED,
    ]


@pytest.mark.shared
@pytest.mark.skipif(not SHARED.is_dir(), reason="needs ../shared")
@pytest.mark.parametrize("name", ["curated_real", "wild_real"])
def test_long_answers_of_real_pools_keep_to_their_prompts(name, tmp_path):
    mean, low, high = of_pool(load_pool(SHARED / "pools" / f"{name}.parquet", limit=3_000, cache=tmp_path))
    assert 0.75 < mean < 0.95 and kind_of(low, high) != PADDED
