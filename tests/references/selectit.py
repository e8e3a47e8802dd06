"""SelectIT by its formulas: one text at a time, the softmax over the whole vocabulary. Slow on purpose."""

import math

import torch

from analysis.features.rating_text import digit_ids, rating_ids


def shares(logits) -> list[float]:
    """Softmax of the digits' logits."""
    total = sum(math.exp(one - max(logits)) for one in logits)
    return [math.exp(one - max(logits)) / total for one in logits]


def token_score(five: list[float], normalised: str) -> float:
    """The rating of highest share times the mean of the differences of its share to the four others."""
    if normalised == "twice":
        total = sum(math.exp(share) for share in five)
        five = [math.exp(share) / total for share in five]
    best = max(range(5), key=lambda place: five[place])
    return (best + 1) * sum(five[best] - five[place] for place in range(5) if place != best) / 4


def sentence_score(shares_of_prompts: list[list[float]], normalised: str = "twice", alpha: float = 0.2) -> float:
    """Mean over the prompts / (1 + alpha times the population standard deviation)."""
    scores = [token_score(five, normalised) for five in shares_of_prompts]
    mean = sum(scores) / len(scores)
    deviation = math.sqrt(sum((one - mean) ** 2 for one in scores) / len(scores))
    return mean / (1 + alpha * deviation)


@torch.inference_mode()
def rate(model, tokenizer, messages: list[dict], prompts, max_tokens: int, form: str = "original") -> float:
    """Score of a conversation: a forward pass for each prompt, all positions' logits, the digits' of the last."""
    rated = []
    for prompt in prompts:
        (text,) = rating_ids([messages], prompt, tokenizer, max_tokens, form)
        logits = model(input_ids=torch.tensor([text], device=model.device)).logits[0, -1].float()
        probabilities = torch.softmax(logits, dim=0)
        five = [probabilities[token].item() for token in digit_ids(tokenizer)]
        rated.append([one / sum(five) for one in five])
    return sentence_score(rated)
