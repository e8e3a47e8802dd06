"""Greedy answers of a causal model to many prompts at once."""

import torch

from analysis.models.language_model import LanguageModel


@torch.inference_mode()
def generate(
    language_model: LanguageModel, prompts: list[list[int]], *, max_new_tokens: int, batch_items: int
) -> list[str]:
    """Greedy continuations of token-id prompts, in their order; padding does not change them.

    An answer that has ended leaves the batch, so that one that runs on does not hold up the others: with
    short answers this takes half the time of `transformers.generate`, and gives the same text. A batch for which the
    memory does not suffice is asked again in halves.
    """
    tokenizer, template = language_model.tokenizer, language_model.template
    end = tokenizer.convert_tokens_to_ids(template.end or tokenizer.eos_token)
    answers: list[list[int]] = [[] for _ in prompts]
    order = sorted(range(len(prompts)), key=lambda place: len(prompts[place]))
    waiting = [order[first : first + batch_items] for first in range(0, len(order), batch_items)][::-1]
    while waiting:
        batch, fits = waiting.pop(), True
        try:
            _continue(language_model, prompts, answers, batch, end, max_new_tokens)
        except torch.OutOfMemoryError:
            if len(batch) == 1:
                raise
            fits = False
        if not fits:  # outside of `except`: the error holds what did not fit
            torch.cuda.empty_cache()
            for place in batch:
                answers[place].clear()
            waiting += [batch[len(batch) // 2 :], batch[: len(batch) // 2]]
    return [tokenizer.decode(answer, skip_special_tokens=True) for answer in answers]


def _continue(
    language_model: LanguageModel,
    prompts: list[list[int]],
    answers: list[list[int]],
    batch: list[int],
    end: int,
    max_new_tokens: int,
) -> None:
    """Add tokens to the answers of one batch until each has met the end token or is long enough."""
    model, device = language_model.model, language_model.device
    ids, mask = _left_padded([prompts[place] for place in batch], language_model.tokenizer.pad_token_id)
    ids, mask, places = ids.to(device), mask.to(device), torch.tensor(batch, device=device)
    position = mask.sum(dim=1)
    output = model(
        input_ids=ids,
        attention_mask=mask,
        position_ids=(mask.cumsum(dim=1) - 1).clamp(min=0),
        use_cache=True,
        logits_to_keep=1,
    )
    for n_made in range(1, max_new_tokens + 1):
        token = output.logits[:, -1].argmax(dim=-1)
        goes_on = token != end
        for place, made in zip(places[goes_on].tolist(), token[goes_on].tolist(), strict=True):
            answers[place].append(made)
        if n_made == max_new_tokens or not goes_on.any():
            return
        if not goes_on.all():
            kept = goes_on.nonzero()[:, 0]
            output.past_key_values.batch_select_indices(kept)
            token, mask, position, places = token[kept], mask[kept], position[kept], places[kept]
        mask = torch.cat([mask, mask.new_ones(len(mask), 1)], dim=1)
        output = model(
            input_ids=token[:, None],
            attention_mask=mask,
            position_ids=position[:, None],
            past_key_values=output.past_key_values,
            use_cache=True,
        )
        position = position + 1


def _left_padded(prompts: list[list[int]], pad_id: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Ids and mask of shape (n_prompts, longest), each prompt at the right end."""
    width = max(len(prompt) for prompt in prompts)
    ids = torch.full((len(prompts), width), pad_id)
    mask = torch.zeros_like(ids)
    for line, prompt in enumerate(prompts):
        ids[line, width - len(prompt) :] = torch.tensor(prompt)
        mask[line, width - len(prompt) :] = 1
    return ids, mask
