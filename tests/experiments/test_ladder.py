"""The ladder below tiny-weak: rungs of one recipe, small, that load as any base does."""

import csv
import json
from types import SimpleNamespace

import pytest
import torch

from analysis.experiments.plain_text_loss import plain_text_loss
from analysis.models.language_model import fingerprint_tokenizer, load_model
from analysis.models.training import build_bases
from analysis.models.training.build_bases import LADDER, RECIPES
from analysis.paths import BASES

MOST_BYTES = 25_000_000


def log_of(name):
    with (BASES / name / "training_log.csv").open(encoding="utf-8") as file:
        return [{key: float(value) for key, value in line.items()} for line in csv.DictReader(file)]


def test_all_bases_together_stay_small():
    assert sum(file.stat().st_size for file in BASES.rglob("*") if file.is_file()) <= MOST_BYTES


def test_a_rung_reads_as_its_top_does_until_its_decay():
    top = RECIPES["tiny-weak"][1]
    for architecture, settings in LADDER.values():
        assert architecture == RECIPES["tiny-weak"][0]
        before = int((1 - settings.decay_share) * settings.steps)
        assert [settings.rate(step) for step in range(before)] == [top.rate(step) for step in range(before)]


@pytest.mark.parametrize("name", LADDER)
def test_a_rung_has_the_recipe_that_would_be_built(name):
    settings = LADDER[name][1]
    record = json.loads((BASES / name / "recipe.json").read_text(encoding="utf-8"))
    assert record["pretraining"]["tokens"] == settings.tokens and record["seed"] == build_bases.SEED
    assert log_of(name)[-1]["tokens"] == settings.steps * settings.sequence_length * settings.batch_sequences


@pytest.mark.parametrize("name", LADDER)
def test_a_rung_follows_the_run_of_its_top(name):
    settings, top = LADDER[name][1], {line["step"]: line["loss"] for line in log_of("tiny-weak")}
    same = [line for line in log_of(name) if line["step"] <= (1 - settings.decay_share) * settings.steps]
    assert same
    for line in same:  # another precision of the products is all that differs
        assert line["loss"] == pytest.approx(top[line["step"]], abs=0.03)


def test_a_rung_loads_by_its_name_with_the_tokenizer_of_its_top():
    one, top = load_model("tiny-weak-1M"), load_model("tiny-weak", weights=False)
    assert one.name == "tiny-weak-1M"
    assert fingerprint_tokenizer(one.tokenizer) == fingerprint_tokenizer(top.tokenizer)
    assert one.fingerprint != top.fingerprint


def test_the_ladder_is_stronger_from_rung_to_rung():
    losses = [log_of(name)[-1]["loss"] for name in [*LADDER, "tiny-weak"]]
    assert losses == sorted(losses, reverse=True)


def test_a_stronger_rung_reads_plain_text_better():
    pool = SimpleNamespace(has_truth=True)
    losses = [plain_text_loss(load_model(name), pool, n_texts=20) for name in [*LADDER, "tiny-weak"]]
    assert losses == sorted(losses, reverse=True)


def test_of_a_pool_without_truth_the_held_out_rows_are_read():
    told = [{"role": "user", "content": "two"}, {"role": "assistant", "content": "three four"}]
    pool = SimpleNamespace(has_truth=False, held_out={"messages": [told, told]})
    base = load_model("tiny-weak-1M")
    ids = torch.tensor([base.tokenizer("two\nthree four").input_ids])
    expected = base.model(input_ids=ids, labels=ids).loss.item()
    assert plain_text_loss(base, pool) == pytest.approx(expected, rel=1e-4)


def test_the_command_builds_the_ladder_when_it_is_asked_to(monkeypatch, tmp_path):
    built = []
    monkeypatch.setattr(build_bases, "build", lambda name, folder: built.append(name))
    for arguments, expected in (
        ([], list(RECIPES)),
        (["--ladder"], list(LADDER)),
        (["tiny-weak", "--ladder"], ["tiny-weak", *LADDER]),
    ):
        monkeypatch.setattr("sys.argv", ["build_bases", "--folder", str(tmp_path), *arguments])
        built.clear()
        build_bases.main()
        assert built == expected
