"""What every training on conversations shares: its rows, its settings of transformers' Trainer, its record of losses."""

import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch.optim.lr_scheduler import LambdaLR
from transformers import Trainer, TrainerCallback, TrainingArguments
from transformers.trainer_callback import PrinterCallback

from analysis.models.encoding import encode_batch
from analysis.models.language_model import LanguageModel
from analysis.models.training.resuming import SECONDS, Checkpoints
from analysis.models.training.training_rows import Padding, rows_stay_apart, training_examples
from analysis.pools.pool import Messages


def examples_of(base: LanguageModel, conversations: Sequence[Messages], max_tokens: int) -> tuple[list[dict], Counter]:
    """What `training_examples` gives for conversations; ValueError where a base can learn from none of them."""
    if base.model is None:
        raise ValueError(f"{base.name}: loaded without weights, so it cannot be trained")
    examples, dropped = training_examples(encode_batch(conversations, base.tokenizer, base.template, max_tokens))
    if not examples:
        raise ValueError(f"{base.name}: none of {len(conversations)} rows can be trained on: {dict(dropped)}")
    return examples, dropped


class LossHistory(TrainerCallback):
    """Keeps the loss of every step, those before a checkpoint that it goes on from included; stops at one that is not finite."""

    step = "step"

    def __init__(self) -> None:
        self.losses: list[float] = []
        self.seconds_before = 0.0  # that were trained before the checkpoint

    def on_train_begin(self, args, state, control, **others) -> None:
        self.losses = [entry["loss"] for entry in state.log_history if "loss" in entry]
        self.seconds_before = next((entry[SECONDS] for entry in reversed(state.log_history) if SECONDS in entry), 0.0)

    def on_log(self, args, state, control, logs=None, **others) -> None:
        if "loss" not in (logs or {}):
            return
        self.losses.append(float(logs["loss"]))
        if not np.isfinite(self.losses[-1]):
            raise ValueError(
                f"the loss of {self.step} {len(self.losses)} is {self.losses[-1]}: "
                f"learning_rate {args.learning_rate} is too high for this model"
            )


class WarmFromTheFirstStep(Trainer):
    """Leaves out the step at rate 0 with which the warm-ups of transformers begin, and which trains nothing."""

    def create_scheduler(self, num_training_steps: int, optimizer: torch.optim.Optimizer | None = None):
        is_new = self.lr_scheduler is None
        scheduler = super().create_scheduler(num_training_steps + 1, optimizer)
        if is_new and isinstance(scheduler, LambdaLR):
            later = [partial(_one_later, rate) for rate in scheduler.lr_lambdas]
            self.lr_scheduler = LambdaLR(scheduler.optimizer, later)
        return self.lr_scheduler


def _one_later(rate: Callable[[int], float], step: int) -> float:
    return rate(step + 1)


def shared(batch_rows: int, device_rows: int | None, n_devices: int) -> tuple[int, int]:
    """Rows that each device holds at once, and how often in a step, of so many rows to a step of all devices."""
    if batch_rows % n_devices:
        raise ValueError(f"batch_rows: expected a multiple of {n_devices} devices, found {batch_rows}")
    share = batch_rows // n_devices
    held = min(device_rows or share, share)
    if share % held:
        raise ValueError(f"device_rows: expected a divisor of {share} rows per device, found {held}")
    return held, share // held


@contextmanager
def trainer_of(
    base: LanguageModel, adapt: Callable[[], torch.nn.Module], examples: list[dict], history: LossHistory, *,
    seed: int, end_to_end: Callable | None, share: Callable[[int], tuple[int, int]], kind: type[Trainer] = Trainer,
    keep: Path | None = None, **settings,
) -> Iterator[Trainer]:  # fmt: skip
    """A trainer to start in the block, after which its folder is gone and torch draws as if nothing had happened.

    Parameters
    ----------
    adapt : makes what is trained of the base, from random numbers of `seed` where it needs any.
    end_to_end : lays the rows of a batch end to end; used where the base keeps such rows apart. Else, and for `None`,
        rows are padded and those of similar length form a batch.
    share : rows that a device holds at once, and how often in a step, by the number of devices.
    kind : of trainer.
    keep : folder in which checkpoints stay, each division of a batch among devices apart; by default there are none.
    settings : further ones of `TrainingArguments`.
    """
    apart = end_to_end is not None and rows_stay_apart(base.model)
    with tempfile.TemporaryDirectory(prefix="training-") as folder, torch.random.fork_rng():
        arguments = TrainingArguments(
            output_dir=folder, use_cpu=base.device.type == "cpu", dataloader_pin_memory=base.device.type == "cuda",
            train_sampling_strategy="random" if apart else "group_by_length", seed=seed, data_seed=seed,
            max_grad_norm=1.0, logging_strategy="steps", logging_steps=1, logging_nan_inf_filter=False,
            save_strategy="no", save_total_limit=2, report_to="none", disable_tqdm=True, remove_unused_columns=False, **settings,
        )  # fmt: skip
        held, times = share(arguments.world_size * max(1, arguments.n_gpu))
        arguments.per_device_train_batch_size, arguments.gradient_accumulation_steps = held, times
        if keep is not None:  # whoever divides a batch otherwise draws other rows together
            arguments.output_dir = str(keep / f"{arguments.world_size}-{held}-{times}")
        torch.manual_seed(seed)
        trainer = kind(
            model=adapt(), args=arguments, train_dataset=examples,
            callbacks=[history, *([] if keep is None else [Checkpoints()])],
            data_collator=end_to_end if apart else Padding(base.tokenizer.pad_token_id),
        )  # fmt: skip
        trainer.remove_callback(PrinterCallback)
        yield trainer
