"""Cross-entropy as the study's entropy_response.py computes it, from the text on. Slow on purpose."""

import torch

from tests.references.released_ifd import prompt_and_answer


@torch.inference_mode()
def cross_entropy(model, tokenizer, messages: list[dict], max_length: int) -> float:
    """Mean of -log p(next token = this token), from the place where the prompt's ids that are not 0 would end."""
    prompt, answer = prompt_and_answer(messages)
    ids = tokenizer(prompt, truncation=True, max_length=max_length)["input_ids"]
    index = sum(token != 0 for token in ids)
    if index >= max_length:
        return 0.0
    ids = ids + tokenizer(answer, truncation=True, max_length=max_length - index)["input_ids"]
    labels = torch.tensor(ids)
    labels[:index] = -100
    logits = model(input_ids=torch.tensor([ids])).logits[0].double()
    return torch.nn.functional.cross_entropy(logits, labels, ignore_index=-100).item()
