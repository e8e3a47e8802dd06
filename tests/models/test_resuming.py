"""A training that is stopped goes on from its last whole state, to the weights that it would have had."""

import warnings
from dataclasses import replace

import pytest
import torch

from analysis.models.training import resuming
from analysis.models.training.finetuning import FineTuning, finetune
from analysis.models.training.trainer import LossHistory
from tests.models.test_finetuning import CONVERSATIONS
from tests.tiny import tiny_language_model

SETTINGS = FineTuning(epochs=4, least_steps=1, learning_rate=5e-3, batch_rows=4, max_tokens=128)  # four steps an epoch


class Stopped(Exception):
    pass


@pytest.fixture(scope="module")
def base():
    return tiny_language_model()


@pytest.fixture
def every_step(monkeypatch):
    monkeypatch.setattr(resuming, "EVERY", 0.0)


def stop_after(monkeypatch, steps: int) -> list[float]:
    """Let the training stop once so many steps were made; gives the losses of the steps that are made at all."""
    made, keep = [], LossHistory.on_log

    def on_log(self, args, state, control, logs=None, **others):
        if "loss" in (logs or {}):
            made.append(logs["loss"])
            if len(made) == steps:
                raise Stopped
        keep(self, args, state, control, logs, **others)

    monkeypatch.setattr(LossHistory, "on_log", on_log)
    return made


def same(one, other) -> bool:
    return all(map(torch.equal, one.model.parameters(), other.model.parameters()))


@pytest.mark.parametrize("settings", [
    SETTINGS, replace(SETTINGS, lora_rank=4), replace(SETTINGS, end_to_end=False), replace(SETTINGS, device_rows=2),
], ids=["all weights", "adapters", "padded", "accumulated"])  # fmt: skip
@pytest.mark.parametrize("steps", [3, 9])
def test_it_goes_on_to_the_same_weights_and_makes_no_step_twice(
    base, tmp_path, monkeypatch, every_step, settings, steps
):
    whole = finetune(base, CONVERSATIONS, settings, seed=5)
    made, keep = stop_after(monkeypatch, steps), tmp_path / "kept"
    with pytest.raises(Stopped):
        finetune(base, CONVERSATIONS, settings, seed=5, keep=keep)
    resumed = finetune(base, CONVERSATIONS, settings, seed=5, keep=keep)
    assert same(resumed, whole) and resumed.fingerprint == whole.fingerprint
    assert resumed.training["losses"] == whole.training["losses"] and resumed.training["steps"] == 16
    # What was stopped was the step after the last checkpoint, which is made again.
    assert len(made) == 16 + 1


def test_what_is_damaged_or_was_not_written_to_its_end_is_not_gone_on_from(base, tmp_path, monkeypatch, every_step):
    whole = finetune(base, CONVERSATIONS, SETTINGS, seed=5)
    made, keep = stop_after(monkeypatch, 6), tmp_path / "kept"
    with pytest.raises(Stopped):
        finetune(base, CONVERSATIONS, SETTINGS, seed=5, keep=keep)
    (folder,) = keep.iterdir()
    assert sorted(path.name for path in folder.iterdir() if path.is_dir()) == ["checkpoint-4", "checkpoint-5"]
    weights = folder / "checkpoint-5" / "model.safetensors"
    content = bytearray(weights.read_bytes())
    content[-9] ^= 1
    weights.write_bytes(content)
    (folder / "checkpoint-6").mkdir()  # a kill while it was written
    with pytest.warns(UserWarning, match=r"checkpoint-5: .*safetensors.*; the training goes on from an earlier state"):
        resumed = finetune(base, CONVERSATIONS, SETTINGS, seed=5, keep=keep)
    assert same(resumed, whole) and len(made) == 6 + 12


def test_a_training_of_less_than_ten_minutes_writes_nothing(base, tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        kept = finetune(base, CONVERSATIONS, SETTINGS, seed=5, keep=tmp_path / "kept")
    assert not list(tmp_path.rglob("checkpoint-*")) and same(kept, finetune(base, CONVERSATIONS, SETTINGS, seed=5))


def test_seconds_are_those_of_both_sessions(base, tmp_path, monkeypatch, every_step):
    stop_after(monkeypatch, 8)
    with pytest.raises(Stopped):
        finetune(base, CONVERSATIONS, SETTINGS, seed=5, keep=tmp_path)
    seconds = []
    begin = LossHistory.on_train_begin

    def on_train_begin(self, *given, **others):
        begin(self, *given, **others)
        seconds.append(self.seconds_before)

    monkeypatch.setattr(LossHistory, "on_train_begin", on_train_begin)
    resumed = finetune(base, CONVERSATIONS, SETTINGS, seed=5, keep=tmp_path)
    assert 0 < seconds[0] < resumed.training["seconds"]
