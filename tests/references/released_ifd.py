"""IFD as the authors' and the study's scripts compute it, step by step from the text on. Slow on purpose."""

import numpy as np
import torch


def pre_experience_rows(labels: list[int], perplexity: list[float], n: int, low: float, high: float) -> list[int]:
    """Rows of data_by_cluster.py: per cluster all if fewer than n, else those in the band at an even stride."""
    taken = []
    for cluster in range(max(labels) + 1):
        members = [row for row, label in enumerate(labels) if label == cluster]
        if len(members) < n:
            taken += members
            continue
        lowest, highest = np.percentile([perplexity[row] for row in members], [low, high])
        middle = [row for row in members if lowest <= perplexity[row] <= highest]
        taken += middle if len(middle) < n else middle[:: len(middle) // n][:n]
    return taken


def prompt_and_answer(messages: list[dict]) -> tuple[str, str]:
    """Turns that are not a user's stand as they are; the prompt is stripped, the answer is not."""
    prompt = ""
    for message in messages[:-1]:
        content = message["content"]
        prompt += f"\nHuman: {content}\nAssistant: " if message["role"] == "user" else content
    return prompt.strip(), messages[-1]["content"]


@torch.inference_mode()
def ifd(model, tokenizer, messages: list[dict], max_length: int) -> float:
    """data_analysis.py and data_by_IFD.py of the study: the ratio, 0 where the row is dropped or the ratio above 1."""
    prompt, answer = prompt_and_answer(messages)
    prompt_length = len(tokenizer.encode(prompt, truncation=True, max_length=max_length))
    if prompt_length >= max_length:
        return 0.0
    alone = part_losses(model, tokenizer, "Assistant: " + answer, answer, max_length - prompt_length + 4)
    given = part_losses(model, tokenizer, prompt + answer, answer, max_length)
    if not alone or not given or prompt_length + len(alone) > max_length:
        return 0.0
    ratio = np.mean(given) / np.mean(alone)
    return 0.0 if ratio > 1 else float(ratio)


def part_losses(model, tokenizer, text: str, part: str, max_length: int) -> list[float]:
    """Losses of the tokens from where the text before the part, encoded by itself, ends."""
    ids = tokenizer.encode(text, truncation=True, max_length=max_length)
    start = len(tokenizer.encode(text[: text.rfind(part)]))
    log_p = torch.log_softmax(model(input_ids=torch.tensor([ids])).logits[0].double(), dim=-1)
    losses = [-log_p[place - 1, ids[place]].item() for place in range(1, len(ids))]
    return losses[start - 1 : len(ids) - 1]
