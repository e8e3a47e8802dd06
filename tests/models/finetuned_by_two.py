"""Fine-tunes with each of `SETTINGS` and writes weights and losses: `torchrun ... -m tests.models.finetuned_by_two FOLDER`."""

import json
import sys
from pathlib import Path

import torch
from safetensors.torch import save_file

from analysis.models.training import resuming
from analysis.models.training.finetuning import FineTuning, finetune
from analysis.models.training.trainer import LossHistory
from tests.tiny import tiny_language_model
from tests.two_processes import result

COMMON = {"epochs": 2, "least_steps": 1, "learning_rate": 5e-3, "batch_rows": 4, "max_tokens": 128}
RESUMED = "stopped and resumed"
SETTINGS = {
    "whole": FineTuning(**COMMON),
    "held one at a time": FineTuning(**COMMON, device_rows=1),
    "adapters": FineTuning(**COMMON, lora_rank=2),
    "activations again": FineTuning(**COMMON, activation_checkpointing=True),
    "bfloat16": FineTuning(**COMMON, bf16=True),
    RESUMED: FineTuning(**COMMON),  # the last, as its checkpoints come at every step
}


def conversations() -> list[list[dict]]:
    """Rows of different length, as many as fill all batches."""
    answers = [f"It is {row * 3}, of course. " * (1 + row % 3) for row in range(12)]
    return [
        [{"role": "user", "content": f"What is {row}?"}, {"role": "assistant", "content": answer}]
        for row, answer in enumerate(answers)
    ]


class Stopped(Exception):
    pass


def stopped_and_resumed(settings: FineTuning, keep: Path):
    """What `finetune` gives when it is stopped in the fourth step and called again; both processes keep their state."""
    resuming.EVERY, on_log, seen = 0.0, LossHistory.on_log, []

    def stop(self, args, state, control, logs=None, **others):
        seen.append(logs)
        if len(seen) == 4:
            raise Stopped
        on_log(self, args, state, control, logs, **others)

    LossHistory.on_log = stop
    try:
        finetune(tiny_language_model(), conversations(), settings, seed=3, keep=keep)
    except Stopped:
        return finetune(tiny_language_model(), conversations(), settings, seed=3, keep=keep)
    raise AssertionError("it was not stopped")


if __name__ == "__main__":
    for name, settings in SETTINGS.items():
        if name == RESUMED:
            tuned = stopped_and_resumed(settings, Path(sys.argv[1]) / "kept")
        else:
            tuned = finetune(tiny_language_model(), conversations(), settings, seed=3)
        assert torch.distributed.get_world_size() == 2
        weights = {key: value.contiguous().clone() for key, value in tuned.model.state_dict().items()}
        save_file(weights, result(sys.argv[1], f"{name}.safetensors"))
        result(sys.argv[1], f"{name}.json").write_text(json.dumps(tuned.training), encoding="utf-8")
