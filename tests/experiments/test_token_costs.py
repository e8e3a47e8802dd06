"""Tokens counted from what a method asks, against those that a model is really fed."""

import pytest
import torch
from transformers import LlamaModel

from analysis.experiments import token_costs
from analysis.experiments.token_costs import ADAPTERS, FIXED, FORWARD, TRAINING, WITH_BUDGET, WITH_POOL
from analysis.features.features import Features
from analysis.methods import calls
from analysis.store.store import Store
from tests.experiments.test_workbench import make_workbench

BUDGET = 8
CALLS = (
    "cross_entropy",
    "ifd",
    "ifd(variant='released')",
    "ifd(pre_experience=True, clusters=3, per_cluster=4)",
    "selectit",
    "less(targets='pool', epochs=2)",
    "less(variant='released')",
    "rds_plus(targets='pool')",
    "diverse_evol(rounds=3)",
    "kmeans(inside='nearest', clusters=3)",
    "kmeans(inside='cross_entropy', clusters=3)",
)
FREE = ("random_selection", "token_length", "zip_compression", "near_duplicate_filter", "kmeans(embedding='tfidf')")


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    return make_workbench(tmp_path_factory.mktemp("store"), n_parts=1, max_tokens=400)


def unpadded(work, folder):
    """Features that read row by row, so that nothing is padded."""
    settings = {"max_tokens": 400, "finetuning": work.settings, "tokens_per_batch": 1, "show_progress": False}
    return Features(work.pool, work.base, store=Store(folder), **settings)


@pytest.fixture
def fed(monkeypatch):
    """Tokens that models were fed, by whether gradients followed."""
    fed, forward = {True: 0, False: 0}, LlamaModel.forward

    def counted(self, input_ids=None, **rest):
        fed[torch.is_grad_enabled()] += input_ids.numel()
        return forward(self, input_ids=input_ids, **rest)

    monkeypatch.setattr(LlamaModel, "forward", counted)
    return fed


@pytest.mark.parametrize("method", CALLS)
def test_counted_tokens_are_those_that_a_model_reads(method, work, tmp_path, fed):
    calls.select(method, unpadded(work, tmp_path), BUDGET, seed=1)
    read = dict(fed)
    stages = token_costs.stages_of(unpadded(work, tmp_path), method, BUDGET, seed=1).values()
    for back in (True, False):
        expected = sum(one.tokens * one.passes for one in stages if (one.kind != FORWARD) == back)
        assert expected == pytest.approx(read[back], rel=0.04, abs=100), back


def test_a_model_of_the_methods_own_is_told_apart(work, tmp_path, fed):
    noted = token_costs.Asked(unpadded(work, tmp_path), {})
    for context in ("plain conversation", "plain none"):
        noted.with_model("tiny-weak").token_losses(context)
    assert sum(one.tokens for one in noted.stages.values()) == pytest.approx(fed[False], rel=0.04)
    assert {one.scorer for one in noted.stages.values()} == {"tiny-weak"}
    assert all(1e6 < one.parameters < 1.2e6 for one in noted.stages.values())  # not the base's


@pytest.mark.parametrize("method", FREE)
def test_what_asks_nothing_of_a_model_costs_no_tokens(method, work, tmp_path):
    method = method.replace("embedding=", "inside='random', clusters=3, embedding=")
    assert token_costs.stages_of(unpadded(work, tmp_path), method, BUDGET, seed=1) == {}


def test_flop_are_two_four_or_six_per_parameter_and_token():
    stage = token_costs.Stage("losses", FORWARD, tokens=100, parameters=1000)
    assert stage.flop == 200_000
    assert token_costs.Stage("warm-up", ADAPTERS, 100, 1000, passes=4).flop == 1_600_000
    assert token_costs.Stage("tuned", TRAINING, 100, 1000, passes=0.5).flop == 300_000


def test_what_tokens_grow_with(work, tmp_path):
    stages = token_costs.stages_of(unpadded(work, tmp_path), "diverse_evol(rounds=2)", BUDGET, seed=1).values()
    assert [one.grows for one in stages if one.kind == TRAINING] == [WITH_BUDGET] * 2
    assert {one.grows for one in stages if one.kind == FORWARD} == {WITH_POOL}
    learned = token_costs.stages_of(
        unpadded(work, tmp_path), "ifd(pre_experience=True, clusters=3, per_cluster=4)", BUDGET, seed=1
    )
    assert [one.grows for one in learned.values() if one.kind == TRAINING] == [FIXED]


def test_methods_that_ask_the_same_share_it(work, tmp_path):
    losses, both = (
        token_costs.stages_of(unpadded(work, tmp_path), method, BUDGET, seed=1) for method in ("cross_entropy", "ifd")
    )
    assert set(losses) < set(both) and len(both) == 2
