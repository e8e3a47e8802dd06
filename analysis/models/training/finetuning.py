"""Supervised fine-tuning of a base on conversations, the loss on the assistant's tokens alone."""

import copy
import math
import time
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from accelerate.utils import broadcast_object_list
from peft import LoraConfig, PeftModel, get_peft_model
from transformers import PreTrainedModel, Trainer

from analysis.models.language_model import LanguageModel, fingerprint_weights
from analysis.models.training.resuming import newest
from analysis.models.training.trainer import LossHistory, WarmFromTheFirstStep, examples_of, shared, trainer_of
from analysis.models.training.training_rows import EndToEnd
from analysis.pools.pool import Messages


@dataclass(frozen=True)
class FineTuning:
    """Settings of a fine-tuning; the defaults suit the embedded bases.

    Attributes
    ----------
    epochs : passes over the rows; more are made where they come to fewer than `least_steps`.
    least_steps : optimiser steps that every run makes at least, in whole passes over its rows. Few rows would else be
        trained for so few steps that nothing is learned from any of them. How many passes that takes depends on the
        number of rows alone, never on how they were selected.
    learning_rate : highest; after the warm-up it falls as `scheduler` says.
    batch_rows : rows per optimiser step, over all devices.
    device_rows : rows that one device holds at once (the rest by accumulation); default all of its share.
    max_tokens : rows are cut to so many tokens, by the rule of `encode`.
    weight_decay : of AdamW.
    warmup_share : share of the steps, from 0 to below 1; already the first step has a rate above 0.
    scheduler : a learning-rate schedule of transformers, such as "cosine", "linear" or "constant".
    lora_rank : 0 trains every weight; else the rank of adapters on all linear layers, merged at the end.
    bf16 : whether matrix products are in bfloat16; default only on CUDA devices that have it (small models
        on a CPU gain nothing from it, and in float32 they depend less on the processor).
    activation_checkpointing : recompute activations to save memory.
    end_to_end : whether the rows of a batch are laid end to end, each seeing itself alone, instead of being
        padded; default only on a CPU, where padding costs most, and for models that keep such rows apart
        (tried, not assumed). Without it rows of similar length form a batch.
    """

    epochs: float = 3
    least_steps: int = 60
    learning_rate: float = 2e-3
    batch_rows: int = 16
    device_rows: int | None = None
    max_tokens: int = 1024
    weight_decay: float = 0.1
    warmup_share: float = 0.03
    scheduler: str = "cosine"
    lora_rank: int = 0
    bf16: bool | None = None
    activation_checkpointing: bool = False
    end_to_end: bool | None = None

    def __post_init__(self) -> None:
        at_least = {"least_steps": 1, "batch_rows": 1, "max_tokens": 2, "lora_rank": 0, "weight_decay": 0}
        for name, least in at_least.items():
            if getattr(self, name) < least:
                raise ValueError(f"{name}: expected at least {least}, found {getattr(self, name)!r}")
        for name in ("epochs", "learning_rate"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name}: expected more than 0, found {getattr(self, name)!r}")
        if not 0 <= self.warmup_share < 1:
            raise ValueError(f"warmup_share: expected from 0 to below 1, found {self.warmup_share!r}")
        if self.device_rows is not None and not 1 <= self.device_rows <= self.batch_rows:
            raise ValueError(f"device_rows: expected from 1 to {self.batch_rows}, found {self.device_rows!r}")

    def epochs_for(self, n_rows: int) -> float:
        """Passes over so many rows: `epochs`, or as many whole ones as `least_steps` takes."""
        steps_per_epoch = -(-n_rows // self.batch_rows)
        if math.ceil(self.epochs * steps_per_epoch) >= self.least_steps:
            return self.epochs
        return -(-self.least_steps // steps_per_epoch)

    def as_for(self, n_rows: int, of: int) -> "FineTuning":
        """Settings under which `n_rows` rows with the tokens of `of` rows are trained as those would be.

        They make as many passes, so that all tokens of the training are equal, in batches of as many tokens and so about as
        many steps. Batches are rounded to what divides among as many devices as before, 16 at most.
        """
        wanted = self.batch_rows * n_rows / of
        together = math.gcd(self.batch_rows, 16)
        while together > max(1, wanted):
            together //= 2
        batch = max(1, round(wanted / together)) * together
        device_rows = None if self.device_rows is None else math.gcd(batch, self.device_rows)
        return replace(self, epochs=self.epochs_for(of), least_steps=1, batch_rows=batch, device_rows=device_rows)

    def resolved(self, device: torch.device) -> "FineTuning":
        """These settings with `bf16` and `end_to_end` as they will be on a device."""
        bf16 = _native_bf16(device) if self.bf16 is None else self.bf16
        end_to_end = device.type == "cpu" if self.end_to_end is None else self.end_to_end
        return replace(self, bf16=bf16, end_to_end=end_to_end)

    def share(self, n_devices: int) -> tuple[int, int]:
        """Rows that each device holds at once, and how often in a step."""
        return shared(self.batch_rows, self.device_rows, n_devices)


def finetune(
    base: LanguageModel, conversations: Sequence[Messages], settings: FineTuning, *, seed: int, keep: Path | None = None
) -> LanguageModel:
    """A copy of `base` fine-tuned on conversations; the base itself stays as it is.

    The loss is the mean over the content and end tokens of all assistant turns of a batch. Where the memory of one device
    does not suffice, it starts again with half as many rows held at once, and a warning; the steps stay what they are.

    Parameters
    ----------
    base : model and tokenizer; a large model may be spread by accelerate, FSDP or DeepSpeed.
    conversations : messages of each row, in any order (rows are shuffled by `seed`).
    seed : of order, dropout and adapters; on a CPU the same seed gives the same weights, bit for bit.
    keep : folder in which a training of more than ten minutes keeps its state as it goes. Called again with the same
        arguments it goes on from there, on a CPU to the same weights. Whoever stores the result removes the folder.

    Returns
    -------
    LanguageModel, on the base's device in its precision; `training` holds `seconds`, `steps`, `epochs` (that were
    made), `tokens` (of one epoch, without padding), `answer_tokens` (those of them that are learned), `rows_kept`,
    `rows_dropped` (count by reason) and `losses` (nats per learned token, one per step).

    Raises
    ------
    ValueError
        No row has an answer token left (says why), the loss stops being finite (names the step), or no weight is
        another than before.
    """
    started = time.perf_counter()
    settings = settings.resolved(base.device)
    examples, dropped = examples_of(base, conversations, settings.max_tokens)
    epochs = settings.epochs_for(len(examples))
    model, history = _trained(base, examples, settings, epochs, seed, keep)
    if _same_weights(model, base.model):
        raise ValueError(
            f"{base.name}: {len(history.losses)} steps at a learning rate of at most {settings.learning_rate} changed no "
            f"weight in {str(base.dtype).removeprefix('torch.')}; expected a higher learning_rate or more steps"
        )
    return replace(
        base,
        model=model,
        name=f"{base.name} fine-tuned",
        fingerprint=fingerprint_weights(model, base.tokenizer),
        training={
            "seconds": time.perf_counter() - started + history.seconds_before,
            "steps": len(history.losses),
            "epochs": epochs,
            "tokens": sum(len(example["input_ids"]) for example in examples),
            "answer_tokens": sum(example["n_learned"] for example in examples),
            "rows_kept": len(examples),
            "rows_dropped": dict(dropped),
            "losses": history.losses,
        },
    )


def _trained(
    base: LanguageModel, examples: list[dict], settings: FineTuning, epochs: float, seed: int, keep: Path | None
) -> tuple[PreTrainedModel, LossHistory]:
    """The model after training, with its losses."""
    try:
        return _attempt(base, examples, settings, epochs, seed, keep)
    except torch.OutOfMemoryError as error:
        held = settings.device_rows or settings.batch_rows
        if held % 2 or torch.distributed.is_initialized():
            raise
        warnings.warn(f"{base.name}: {held} rows do not fit ({error}); trying {held // 2} at once", stacklevel=3)
    torch.cuda.empty_cache()  # outside of `except`: the error holds what did not fit
    return _trained(base, examples, replace(settings, device_rows=held // 2), epochs, seed, keep)


def _attempt(
    base: LanguageModel, examples: list[dict], settings: FineTuning, epochs: float, seed: int, keep: Path | None
) -> tuple[PreTrainedModel, LossHistory]:
    history = LossHistory()
    with trainer_of(
        base, lambda: _trainable(base.model, settings), examples, history, seed=seed, share=settings.share,
        end_to_end=EndToEnd(base.tokenizer.pad_token_id) if settings.end_to_end else None,
        kind=WarmFromTheFirstStep, bf16=settings.bf16, num_train_epochs=epochs, learning_rate=settings.learning_rate,
        lr_scheduler_type=settings.scheduler, weight_decay=settings.weight_decay,
        warmup_steps=settings.warmup_share,  # below 1 it is a share of the steps
        optim="adamw_torch_fused" if base.device.type in ("cpu", "cuda") else "adamw_torch",
        activation_checkpointing=settings.activation_checkpointing, keep=keep,
    ) as trainer:  # fmt: skip
        before = None if keep is None else newest(Path(trainer.args.output_dir))
        trainer.train(resume_from_checkpoint=before and str(before))
        return _finished(trainer, base, settings).eval(), history


def _trainable(model: PreTrainedModel, settings: FineTuning) -> torch.nn.Module:
    """A copy whose trained weights are float32: small steps vanish in bfloat16 weights."""
    trained = copy.deepcopy(model)
    if settings.lora_rank == 0:
        return trained.float().requires_grad_(True)
    adapters = LoraConfig(
        r=settings.lora_rank,
        lora_alpha=2 * settings.lora_rank,
        target_modules="all-linear",
        task_type="CAUSAL_LM",
    )
    return get_peft_model(trained, adapters)


def _finished(trainer: Trainer, base: LanguageModel, settings: FineTuning) -> PreTrainedModel:
    """The trained model in one piece on the base's device, adapters merged."""
    if trainer.is_fsdp_enabled or trainer.is_deepspeed_enabled:  # each process holds a part
        folder = broadcast_object_list([trainer.args.output_dir])[0]
        trainer.save_model(folder)
        trainer.accelerator.wait_for_everyone()
        if settings.lora_rank:
            model = PeftModel.from_pretrained(copy.deepcopy(base.model), folder)
        else:
            model = type(base.model).from_pretrained(folder, use_safetensors=True)
        trainer.accelerator.wait_for_everyone()
    else:
        model = trainer.accelerator.unwrap_model(trainer.model)
    if settings.lora_rank:
        model = model.merge_and_unload()
    return model.to(device=base.device, dtype=base.dtype).requires_grad_(False)


def _same_weights(one: PreTrainedModel, other: PreTrainedModel) -> bool:
    return all(
        torch.equal(weight, before.to(weight.device))
        for weight, before in zip(one.parameters(), other.parameters(), strict=True)
    )


def _native_bf16(device: torch.device) -> bool:
    return device.type == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False)
