"""Supervised fine-tuning of a base on conversations: loss on assistant turns only, through transformers' Trainer."""

import copy
import tempfile
import time
from dataclasses import asdict, dataclass

import numpy as np
import torch
from transformers import Trainer, TrainingArguments
from transformers.utils import logging as transformers_logging

from analysis.encoding import Encoded, encode_batch
from analysis.language_model import LanguageModel, fingerprint_weights

IGNORED = -100


@dataclass(frozen=True)
class FineTuning:
    """Settings of a fine-tuning run; the defaults suit the testbed's bases.

    `batch_rows` is the rows of an optimizer step, `warmup_share` a share of all steps, `lora_rank` 0 means all
    weights are trained, `bf16` None means bfloat16 on CUDA and the weights' own precision elsewhere.
    """

    epochs: float = 3
    learning_rate: float = 1e-3
    batch_rows: int = 16
    max_tokens: int = 1024
    weight_decay: float = 0.1
    warmup_share: float = 0.03
    scheduler: str = "cosine"
    lora_rank: int = 0
    bf16: bool | None = None
    accumulation_steps: int = 1

    def settings(self) -> dict:
        return asdict(self)


def training_example(encoded: Encoded) -> dict[str, list[int]]:
    """Token ids and labels: the content of every assistant turn and the end token after it, nothing else."""
    labels = [IGNORED] * len(encoded.ids)
    for (start, end), last in zip(encoded.spans, encoded.ends, strict=True):
        labels[start:end] = encoded.ids[start:end]
        if last is not None:
            labels[last] = encoded.ids[last]
    return {"input_ids": encoded.ids, "labels": labels}


def training_tokens(lengths, max_tokens: int) -> np.ndarray:
    """Tokens that a training epoch reads per row, prompts included; int64 of shape (n_rows,)."""
    return np.minimum(lengths.total, max_tokens)


def cut_by_tokens(rows: np.ndarray, tokens_per_row: np.ndarray, token_budget: int) -> np.ndarray:
    """The longest beginning of `rows` (best first) whose training tokens fit the budget.

    Parameters
    ----------
    rows : positions in the pool, best first.
    tokens_per_row : training tokens of every pool row, shape (n_rows,).
    token_budget : tokens of one epoch.

    Raises
    ------
    ValueError
        Not even the first row fits.
    """
    fits = int(np.searchsorted(np.cumsum(tokens_per_row[rows]), token_budget, side="right"))
    if not fits:
        raise ValueError(f"budget: {token_budget} tokens hold no row; the first row alone has {tokens_per_row[rows[0]]}")
    return rows[:fits]


def finetune(base: LanguageModel, conversations: list, settings: FineTuning, *, seed: int) -> LanguageModel:
    """A copy of the base, fine-tuned on conversations; the base itself is not changed.

    Returns
    -------
    LanguageModel
        `training` holds seconds, steps, tokens (per epoch), rows_kept, rows_dropped by reason, and losses: a list
        of [step, mean training loss in nats a token].

    Raises
    ------
    ValueError
        No conversation has an answer token left to learn.
    """
    examples, dropped = _examples(base, conversations, settings)
    started = time.perf_counter()
    with torch.random.fork_rng(), tempfile.TemporaryDirectory() as folder:
        torch.manual_seed(seed)  # before LoRA draws its first weights
        model = _trainable(base, settings)
        arguments = _arguments(settings, seed, folder, base.device, len(examples))
        trainer = Trainer(model=model, args=arguments, train_dataset=examples, data_collator=_Padding(base.tokenizer))
        trainer.callback_handler.callbacks = [
            callback for callback in trainer.callback_handler.callbacks if type(callback).__name__ != "PrinterCallback"
        ]
        trainer.train()
        losses = [[entry["step"], entry["loss"]] for entry in trainer.state.log_history if "loss" in entry]
        steps = trainer.state.global_step
    if settings.lora_rank:
        model = model.merge_and_unload()
    model = model.eval().requires_grad_(False)
    training = {
        "seconds": time.perf_counter() - started, "steps": steps, "losses": losses,
        "tokens": sum(len(example["input_ids"]) for example in examples),
        "rows_kept": len(examples), "rows_dropped": dropped,
    }  # fmt: skip
    return LanguageModel(
        model=model, tokenizer=base.tokenizer, name=f"{base.name} fine-tuned",
        fingerprint=fingerprint_weights(model, base.tokenizer), device=base.device, dtype=base.dtype,
        template=base.template, training=training,
    )  # fmt: skip


def _examples(base: LanguageModel, conversations: list, settings: FineTuning) -> tuple[list[dict], dict[str, int]]:
    encoded = encode_batch(conversations, base.tokenizer, base.template, settings.max_tokens)
    examples = [training_example(one) for one in encoded]
    kept = [one for one in examples if any(label != IGNORED for label in one["labels"])]
    lost = len(examples) - len(kept)
    dropped = {f"no answer token within {settings.max_tokens} tokens": lost} if lost else {}
    if not kept:
        raise ValueError(f"fine-tuning: none of {len(examples)} rows has an answer token to learn: {dropped}")
    return kept, dropped


def _trainable(base: LanguageModel, settings: FineTuning):
    model = copy.deepcopy(base.model).requires_grad_(True)
    if settings.lora_rank:
        from peft import LoraConfig, get_peft_model

        lora = LoraConfig(
            r=settings.lora_rank, lora_alpha=2 * settings.lora_rank, target_modules="all-linear", task_type="CAUSAL_LM"
        )
        model = get_peft_model(model, lora)
    return model.train()


def _arguments(settings: FineTuning, seed: int, folder: str, device: torch.device, n_rows: int) -> TrainingArguments:
    transformers_logging.disable_progress_bar()
    steps = max(1, round(settings.epochs * n_rows / settings.batch_rows))
    on_cuda = device.type == "cuda"
    return TrainingArguments(
        output_dir=folder, seed=seed, data_seed=seed, num_train_epochs=settings.epochs,
        per_device_train_batch_size=max(1, settings.batch_rows // settings.accumulation_steps),
        gradient_accumulation_steps=settings.accumulation_steps, learning_rate=settings.learning_rate,
        weight_decay=settings.weight_decay, warmup_steps=settings.warmup_share, lr_scheduler_type=settings.scheduler,
        bf16=on_cuda if settings.bf16 is None else settings.bf16, use_cpu=device.type == "cpu",
        train_sampling_strategy="group_by_length", remove_unused_columns=False, dataloader_pin_memory=on_cuda,
        logging_steps=max(1, steps // 10), save_strategy="no", report_to="none", disable_tqdm=True,
    )  # fmt: skip


class _Padding:
    """Pads a batch on the right; padding is neither seen nor learned."""

    def __init__(self, tokenizer) -> None:
        self.pad = tokenizer.pad_token_id

    def __call__(self, examples: list[dict]) -> dict[str, torch.Tensor]:
        width = max(len(one["input_ids"]) for one in examples)
        ids = torch.full((len(examples), width), self.pad)
        labels, mask = torch.full_like(ids, IGNORED), torch.zeros_like(ids)
        for line, one in enumerate(examples):
            length = len(one["input_ids"])
            ids[line, :length] = torch.tensor(one["input_ids"])
            labels[line, :length] = torch.tensor(one["labels"])
            mask[line, :length] = 1
        return {"input_ids": ids, "labels": labels, "attention_mask": mask}
