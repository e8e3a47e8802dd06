"""LESS's warm-up: low-rank adapters trained on few rows, kept after every epoch with the state of Adam."""

import copy
import json
import time
import warnings
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from peft import LoraConfig, get_peft_model
from safetensors.torch import save_file
from transformers import DataCollatorWithFlattening

from analysis.models.language_model import LanguageModel
from analysis.models.training.checkpoints import PARTS, WarmUp, WarmUpSettings, file_of
from analysis.models.training.trainer import LossHistory, WarmFromTheFirstStep, examples_of, shared, trainer_of
from analysis.pools.pool import Messages
from analysis.store.code_version import code_version
from analysis.store.store import digest

ATTENTION = ("q_proj", "k_proj", "v_proj", "o_proj")
RECORD = "warm_up.json"


def warm_up(features, rows: np.ndarray, settings: WarmUpSettings, *, seed: int) -> WarmUp:
    """The warm-up of a base on rows of a pool; a stored one is read.

    Parameters
    ----------
    features : `Features` of pool and base.
    rows : positions in the pool.
    seed : of the adapters' first values, of order and of dropout.

    Raises
    ------
    ValueError
        The base has no linear layers to adapt or no weights, no row has an answer token, or the loss stops being
        finite.
    """
    base, store = features.language_model, features.store
    key = digest(
        pool=features.pool.fingerprint, base=base.fingerprint, weights=str(base.dtype), rows=np.asarray(rows).tolist(),
        seed=seed, settings=asdict(settings), template=base.template.settings(),
        code=code_version(__name__),
    )  # fmt: skip
    with store.claim("warm_ups", key):
        folder = store.folder("warm_ups", key)
        if folder is None:
            conversations = features.pool.messages(rows)
            folder = store.save_folder("warm_ups", key, lambda empty: train(base, conversations, settings, seed, empty))
    record = json.loads((folder / RECORD).read_text(encoding="utf-8"))
    return WarmUp(folder, key, settings.scale, **record)


def train(
    base: LanguageModel, conversations: Sequence[Messages], settings: WarmUpSettings, seed: int, folder: Path
) -> None:
    """Train adapters and write a file per epoch and the record of the training into a folder."""
    started = time.perf_counter()
    examples, _ = examples_of(base, conversations, settings.max_tokens)
    keeper = _Checkpoints(Path(folder))
    with trainer_of(
        base, lambda: _adapted(base, settings), examples, keeper, seed=seed,
        # Laid end to end, rows need no padding, which costs most on a CPU.
        end_to_end=DataCollatorWithFlattening() if base.device.type == "cpu" else None,
        share=lambda n_devices: shared(settings.batch_rows, settings.device_rows, n_devices),
        kind=WarmFromTheFirstStep,  # where an epoch is one step, a first step at rate 0 would be all of it
        num_train_epochs=settings.epochs, learning_rate=settings.learning_rate, lr_scheduler_type="linear",
        warmup_steps=0.03,  # below 1 it is a share of the steps
        weight_decay=0.0, optim="adamw_torch",
    ) as trainer:  # fmt: skip
        if trainer.is_fsdp_enabled or trainer.is_deepspeed_enabled:
            raise ValueError("the warm-up needs whole adapters on every device: expected no FSDP and no DeepSpeed")
        trainer.train()
    rates = [float(np.mean(epoch)) for epoch in np.array_split(keeper.rates, settings.epochs)]
    record = {"learning_rates": rates, "losses": keeper.losses, "seconds": time.perf_counter() - started}
    (Path(folder) / RECORD).write_text(json.dumps(record), encoding="utf-8")


def adapted_layers(model) -> list[str]:
    """Names of the linear layers that get adapters: the attention's, else all but the output layer.

    Raises
    ------
    ValueError
        The model has no linear layer of torch.
    """
    head = model.get_output_embeddings()
    linear = [
        name for name, module in model.named_modules() if isinstance(module, torch.nn.Linear) and module is not head
    ]
    chosen = [name for name in linear if name.rpartition(".")[2] in ATTENTION] or linear
    if not chosen:
        raise ValueError(f"{type(model).__name__}: expected torch.nn.Linear layers to adapt, found none")
    return chosen


def _adapted(base: LanguageModel, settings: WarmUpSettings) -> torch.nn.Module:
    adapters = LoraConfig(
        r=settings.rank,
        lora_alpha=settings.scale * settings.rank,
        lora_dropout=settings.dropout,
        target_modules=adapted_layers(base.model),
        task_type="CAUSAL_LM",
    )
    with warnings.catch_warnings():
        # peft asks the model in a way of which transformers says that it will change its name.
        warnings.filterwarnings("ignore", message=".*is_gradient_checkpointing", category=FutureWarning)
        return get_peft_model(copy.deepcopy(base.model), adapters)


class _Checkpoints(LossHistory):
    """Writes adapters and optimiser state after every epoch; keeps the rate and the loss of every step."""

    step = "warm-up step"

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder, self.epoch = folder, 0
        self.rates: list[float] = []

    def on_pre_optimizer_step(self, args, state, control, optimizer=None, **others) -> None:
        self.rates.append(float(optimizer.param_groups[0]["lr"]))

    def on_epoch_end(self, args, state, control, model=None, optimizer=None, **others) -> None:
        tensors = {}
        for name, parameter in model.named_parameters():
            if not parameter.requires_grad:
                continue
            layer, _, matrix = name.removeprefix("base_model.model.").partition(".lora_")
            known = optimizer.state[parameter]
            values = (parameter.detach(), known["exp_avg"], known["exp_avg_sq"])
            for part, value in zip(PARTS, values, strict=True):
                tensors[f"{layer}/{matrix[0]}/{part}"] = value.float().cpu().contiguous().clone()
        save_file(tensors, self.folder / file_of(self.epoch))
        self.epoch += 1
