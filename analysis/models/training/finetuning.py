"""Supervised fine-tuning of a base on conversations, the loss on the assistant's tokens alone."""

import copy
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from accelerate.utils import broadcast_object_list
from peft import LoraConfig, PeftModel, get_peft_model
from transformers import PreTrainedModel, Trainer, TrainerCallback, TrainingArguments
from transformers.trainer_callback import PrinterCallback

from analysis.models.encoding import encode_batch
from analysis.models.language_model import LanguageModel, fingerprint_weights
from analysis.models.training.training_rows import EndToEnd, Padding, rows_stay_apart, training_examples
from analysis.pools.pool import Messages


@dataclass(frozen=True)
class FineTuning:
    """Settings of a fine-tuning; the defaults suit the embedded bases.

    Attributes
    ----------
    epochs : passes over the rows.
    learning_rate : highest; after the warm-up it falls as `scheduler` says.
    batch_rows : rows per optimiser step, over all devices.
    device_rows : rows that one device holds at once (the rest by accumulation); default all of its share.
    max_tokens : rows are cut to so many tokens, by the rule of `encode`.
    weight_decay : of AdamW.
    warmup_share : share of the steps, from 0 to below 1.
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
        at_least = {"batch_rows": 1, "max_tokens": 2, "lora_rank": 0, "weight_decay": 0}
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

    def resolved(self, device: torch.device) -> "FineTuning":
        """These settings with `bf16` and `end_to_end` as they will be on a device."""
        bf16 = _native_bf16(device) if self.bf16 is None else self.bf16
        end_to_end = device.type == "cpu" if self.end_to_end is None else self.end_to_end
        return replace(self, bf16=bf16, end_to_end=end_to_end)


def finetune(
    base: LanguageModel, conversations: Sequence[Messages], settings: FineTuning, *, seed: int
) -> LanguageModel:
    """A copy of `base` fine-tuned on conversations; the base itself stays as it is.

    The loss is the mean over the content and end tokens of all assistant turns of a batch.

    Parameters
    ----------
    base : model and tokenizer; a large model may be spread by accelerate, FSDP or DeepSpeed.
    conversations : messages of each row, in any order (rows are shuffled by `seed`).
    seed : of order, dropout and adapters; on a CPU the same seed gives the same weights, bit for bit.

    Returns
    -------
    LanguageModel, on the base's device in its precision; `training` holds `seconds`, `steps`, `tokens` (of
    one epoch, without padding), `answer_tokens` (those of them that are learned), `rows_kept`, `rows_dropped`
    (count by reason) and `losses` (nats per learned token, one per step).

    Raises
    ------
    ValueError
        No row has an answer token left (says why), or the loss stops being finite (names the step).
    """
    if base.model is None:
        raise ValueError(f"{base.name}: loaded without weights, so it cannot be fine-tuned")
    started = time.perf_counter()
    settings = settings.resolved(base.device)
    encoded = encode_batch(conversations, base.tokenizer, base.template, settings.max_tokens)
    examples, dropped = training_examples(encoded)
    if not examples:
        raise ValueError(f"{base.name}: none of {len(conversations)} rows can be trained on: {dict(dropped)}")
    with tempfile.TemporaryDirectory(prefix="finetuning-") as folder, torch.random.fork_rng():
        model, losses = _train(base, examples, settings, seed, folder)
    return replace(
        base,
        model=model,
        name=f"{base.name} fine-tuned",
        fingerprint=fingerprint_weights(model, base.tokenizer),
        training={
            "seconds": time.perf_counter() - started,
            "steps": len(losses),
            "tokens": sum(len(example["input_ids"]) for example in examples),
            "answer_tokens": sum(example["n_learned"] for example in examples),
            "rows_kept": len(examples),
            "rows_dropped": dict(dropped),
            "losses": losses,
        },
    )


def _train(
    base: LanguageModel, examples: list[dict], settings: FineTuning, seed: int, folder: str
) -> tuple[PreTrainedModel, list[float]]:
    end_to_end = settings.end_to_end and rows_stay_apart(base.model)
    arguments = _arguments(base.device, settings, seed, folder, "random" if end_to_end else "group_by_length")
    n_devices = arguments.world_size * max(1, arguments.n_gpu)
    if settings.batch_rows % n_devices:
        raise ValueError(f"batch_rows: expected a multiple of {n_devices} devices, found {settings.batch_rows}")
    share = settings.batch_rows // n_devices
    device_rows = min(settings.device_rows or share, share)
    if share % device_rows:
        raise ValueError(f"device_rows: expected a divisor of {share} rows per device, found {device_rows}")
    arguments.per_device_train_batch_size = device_rows
    arguments.gradient_accumulation_steps = share // device_rows
    torch.manual_seed(seed)  # the adapters' first values
    watch = _LossHistory()
    trainer = Trainer(
        model=_trainable(base.model, settings),
        args=arguments,
        train_dataset=examples,
        data_collator=(EndToEnd if end_to_end else Padding)(base.tokenizer.pad_token_id),
        callbacks=[watch],
    )
    trainer.remove_callback(PrinterCallback)
    trainer.train()
    return _finished(trainer, base, folder, settings).eval(), watch.losses


def _arguments(device: torch.device, settings: FineTuning, seed: int, folder: str, order: str) -> TrainingArguments:
    return TrainingArguments(
        output_dir=folder,
        use_cpu=device.type == "cpu",
        bf16=settings.bf16,
        num_train_epochs=settings.epochs,
        learning_rate=settings.learning_rate,
        lr_scheduler_type=settings.scheduler,
        warmup_steps=settings.warmup_share,  # below 1 it is a share of the steps
        weight_decay=settings.weight_decay,
        optim="adamw_torch_fused" if device.type in ("cpu", "cuda") else "adamw_torch",
        max_grad_norm=1.0,
        train_sampling_strategy=order,
        activation_checkpointing=settings.activation_checkpointing,
        seed=seed,
        data_seed=seed,
        logging_strategy="steps",
        logging_steps=1,
        logging_nan_inf_filter=False,
        save_strategy="no",
        report_to="none",
        disable_tqdm=True,
        remove_unused_columns=False,
        dataloader_pin_memory=device.type == "cuda",
    )


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


def _finished(trainer: Trainer, base: LanguageModel, folder: str, settings: FineTuning) -> PreTrainedModel:
    """The trained model in one piece on the base's device, adapters merged."""
    if trainer.is_fsdp_enabled or trainer.is_deepspeed_enabled:  # each process holds a part
        folder = broadcast_object_list([folder])[0]
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


def _native_bf16(device: torch.device) -> bool:
    return device.type == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False)


class _LossHistory(TrainerCallback):
    """Keeps the loss of every step and stops at one that is not finite."""

    def __init__(self) -> None:
        self.losses: list[float] = []

    def on_log(self, args, state, control, logs=None, **others) -> None:
        if "loss" not in (logs or {}):
            return
        self.losses.append(float(logs["loss"]))
        if not np.isfinite(self.losses[-1]):
            raise ValueError(
                f"the loss of step {len(self.losses)} is {self.losses[-1]}: "
                f"learning_rate {args.learning_rate} is too high for this model"
            )
