"""LESS by its formulas: the adapted model of peft, one row at a time, whole gradients. Slow on purpose."""

import copy

import numpy as np
import torch
from peft import LoraConfig, get_peft_model


def adapted(model, adapters: dict, scale: float):
    """A copy of a model with the adapters of a checkpoint, built by peft, only they trainable."""
    rank = next(iter(adapters.values()))[0].weight.shape[0]
    settings = LoraConfig(r=rank, lora_alpha=scale * rank, target_modules=list(adapters), task_type="CAUSAL_LM")
    whole = get_peft_model(copy.deepcopy(model), settings).eval()
    for layer, matrices in adapters.items():
        module = whole.base_model.model.get_submodule(layer)
        for parameters, matrix in zip((module.lora_A, module.lora_B), matrices, strict=True):
            parameters["default"].weight.data.copy_(matrix.weight)
    return whole


def gradient(whole, adapters: dict, row) -> list[np.ndarray]:
    """Of the mean loss over answer contents and end tokens of one row, by A and B of every layer; float64."""
    learned = [place for start, end in row.spans for place in range(start, end)]
    learned = sorted({*learned, *(end for end in row.ends if end is not None)} - {0})
    logits = whole(input_ids=torch.tensor([row.ids])).logits[0]
    losses = [-torch.log_softmax(logits[place - 1].float(), dim=0)[row.ids[place]] for place in learned]
    whole.zero_grad()
    (sum(losses) / len(losses)).backward()
    modules = [whole.base_model.model.get_submodule(layer) for layer in adapters]
    pairs = [(module.lora_A["default"], module.lora_B["default"]) for module in modules]
    return [matrix.weight.grad.double().numpy().copy() for pair in pairs for matrix in pair]


def adam_direction(gradient: float, mean: float, square: float) -> float:
    """Step direction of Adam after one more gradient, number by number."""
    new_mean = 0.9 * mean + 0.1 * gradient
    new_square = 0.999 * square + 0.001 * gradient**2
    return new_mean / (new_square + 1e-8) ** 0.5


def directions(whole, adapters: dict, rows, *, adam: bool) -> np.ndarray:
    """Every row's whole gradient (or Adam's step) laid out as one vector of length 1, shape (n_rows, all numbers)."""
    found = []
    for row in rows:
        blocks = gradient(whole, adapters, row)
        if adam:
            states = [matrix for pair in adapters.values() for matrix in pair]
            blocks = [
                adam_direction(block, state.mean.double().numpy(), state.square.double().numpy())
                for block, state in zip(blocks, states, strict=True)
            ]
        vector = np.concatenate([block.ravel() for block in blocks])
        found.append(vector / np.sqrt((vector**2).sum()))
    return np.array(found)


def projected(vectors: np.ndarray, dimension: int, seed: int = 0, at_once: int = 16, block: int = 128) -> np.ndarray:
    """Products with a dense matrix of random signs, scaled to length 1; so many rows and so many columns at a time.

    The matrix is drawn anew for every call, as whole it would be larger than the model.
    """
    parts = []
    for start in range(0, len(vectors), at_once):
        rng, few = np.random.default_rng(seed), np.asarray(vectors[start : start + at_once], dtype=np.float32)
        columns = []
        for _ in range(0, dimension, block):
            signs = rng.integers(0, 2, (few.shape[1], block), dtype=np.int8).astype(np.float32) * 2 - 1
            columns.append(few @ signs)
        parts.append(np.concatenate(columns, axis=1))
    whole = np.concatenate(parts)
    return whole / np.linalg.norm(whole, axis=1, keepdims=True)


def scores(rows: list[np.ndarray], groups: list[list[np.ndarray]], weights: list[float]) -> list[float]:
    """Per row the largest over groups of the mean over a group's rows of the weighted sum over epochs.

    rows[epoch] has shape (n_rows, dim), groups[group][epoch] shape (n_targets, dim).
    """
    result = []
    for row in range(len(rows[0])):
        by_group = []
        for group in groups:
            by_target = [
                sum(weight * float(rows[epoch][row] @ group[epoch][target]) for epoch, weight in enumerate(weights))
                for target in range(len(group[0]))
            ]
            by_group.append(sum(by_target) / len(by_target))
        result.append(max(by_group))
    return result
