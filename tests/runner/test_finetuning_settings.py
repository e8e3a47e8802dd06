"""The settings of fine-tuning that the runner checks without torch are those of fine-tuning itself."""

from contextlib import suppress
from dataclasses import asdict
from typing import get_args

import pytest
import torch
from torch.optim.lr_scheduler import LambdaLR
from transformers import SchedulerType, get_scheduler

from analysis.models.training.finetuning import FineTuning
from analysis.runner.finetuning import Scheduler, Settings, check_finetuning


def test_settings_of_finetuning_are_those_that_it_takes():
    """The runner has them a second time, as it starts without torch; schedulers that follow the steps alone are allowed."""
    assert Settings().model_dump() == asdict(FineTuning())
    optimiser = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1)
    made = {}
    for one in SchedulerType:
        with suppress(ValueError, TypeError):  # it needs a setting of its own
            made[one.value] = get_scheduler(one, optimiser, num_warmup_steps=1, num_training_steps=9)
    assert {name for name, one in made.items() if isinstance(one, LambdaLR)} == set(get_args(Scheduler))


@pytest.mark.parametrize(
    ("name", "refused", "taken"),
    [("epochs", 0, 0.1), ("least_steps", 0, 1), ("learning_rate", 0, 1e-9), ("batch_rows", 0, 1), ("device_rows", 0, 1),
     ("device_rows", 17, 16), ("max_tokens", 1, 2), ("weight_decay", -0.1, 0), ("warmup_share", 1, 0.9),
     ("warmup_share", -0.1, 0), ("lora_rank", -1, 0)],
)  # fmt: skip
def test_both_refuse_the_same_values_of_finetuning(name, refused, taken):
    for refuse in (lambda: FineTuning(**{name: refused}), lambda: check_finetuning({name: refused}, "it")):
        with pytest.raises(ValueError, match=f"{name}: expected"):
            refuse()
    FineTuning(**{name: taken})
    check_finetuning({name: taken}, "it")
