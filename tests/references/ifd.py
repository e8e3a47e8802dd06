"""IFD by its formula: one row, one turn, one token at a time. Slow on purpose."""

import math

import torch

from analysis.models.chat_template import USER
from analysis.models.encoding import encode_batch


def mean_loss(model, before: list[int], answer: list[int]) -> float:
    """Mean over the answer's tokens of -log p(token | all before it), in nats."""
    total = 0.0
    logits = model(input_ids=torch.tensor([before + answer])).logits[0].double()
    for place, token in enumerate(answer, len(before)):
        total -= torch.log_softmax(logits[place - 1], dim=-1)[token].item()
    return total / len(answer)


@torch.inference_mode()
def ifd(model, tokenizer, template, messages: list[dict], max_tokens: int) -> list[float]:
    """Per assistant turn the mean loss after all before it / that after the answer's header alone; nan if empty."""
    header_text = template.first[-1].split(USER)[-1].removeprefix(template.end or "").lstrip()
    header = tokenizer(header_text, add_special_tokens=False)["input_ids"]
    (row,) = encode_batch([messages], tokenizer, template, max_tokens, to_score=True)
    ratios = []
    for start, end in row.spans:
        answer = row.ids[start:end]
        if not answer:
            ratios.append(math.nan)
            continue
        ratios.append(mean_loss(model, row.ids[:start], answer) / mean_loss(model, header, answer))
    return ratios


def select(ratios: list[list[float]], budget: int) -> list[int]:
    """Rows of highest mean ratio below 1, best first; rows without a ratio are left out."""
    means = {}
    for row, values in enumerate(ratios):
        known = [value for value in values if not math.isnan(value)]
        if known and sum(known) / len(known) < 1:
            means[row] = sum(known) / len(known)
    return sorted(means, key=means.get, reverse=True)[:budget]
