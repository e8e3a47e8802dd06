"""The text that the study's released scripts score, with their own truncation, borders and counts."""

import unicodedata
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from analysis.models.chat_template import default_template
from analysis.models.encoding import Encoded
from analysis.pools.pool import Messages

# The scripts' text before an answer that stands alone, and the tokens that they take this for.
HEADER, HEADER_TOKENS = "Assistant: ", 4
NEVER_CUT = 1_000_000  # tokens


def together(
    conversations: Sequence[Messages], tokenizer, max_tokens: int, *, alone: bool
) -> tuple[list[int], list[Encoded]]:
    """The last turn as IFD/cherry_seletion finds it: encoded with its prompt, from where the prompt by itself ends.

    The prompt has lost its last space and "Assistant: " has not, so that the two contexts may lose a different
    number of the answer's first tokens. A row whose prompt and answer exceed `max_tokens` has no span where it
    stands `alone`, which drops it from the ratio as data_by_IFD.py does.
    """
    texts = [study_text(messages, tokenizer) for messages in conversations]
    prompts = [len(ids) for ids in _ids([prompt for prompt, _ in texts], tokenizer)]
    starts, longest = prompts, [max_tokens] * len(texts)
    if alone:
        starts = [len(_ids([HEADER], tokenizer)[0])] * len(texts)
        longest = [max(max_tokens - prompt + HEADER_TOKENS, 0) for prompt in prompts]
        texts = [(HEADER, answer) for _, answer in texts]
    whole = _ids([prompt + answer for prompt, answer in texts], tokenizer)
    encoded = []
    for messages, prompt, start, ids, most in zip(conversations, prompts, starts, whole, longest, strict=True):
        end = max(start, min(len(ids), most))
        if alone and (prompt >= max_tokens or prompt + end - start > max_tokens):
            end = start
        encoded.append(_last_turn(messages, ids[:most], start, end, truncated=most < len(ids)))
    return _turns(conversations), encoded


def borders(conversations: Sequence[Messages], tokenizer) -> tuple[np.ndarray, np.ndarray]:
    """Whether the last answer is scored from its first token on, after its prompt and alone, see `together`.

    Returns
    -------
    Two arrays of bool, shape (n_conversations,): False where what is scored, decoded, is less than the answer (as
    tokenizers read it, in composed characters), since its first token begins before the border.
    """
    answers = [unicodedata.normalize("NFC", study_text(messages, tokenizer)[1]) for messages in conversations]
    kept = []
    for alone in (False, True):
        _, rows = together(conversations, tokenizer, NEVER_CUT, alone=alone)
        scored = tokenizer.batch_decode([row.ids[slice(*row.spans[-1])] for row in rows], clean_up_tokenization_spaces=False)  # fmt: skip
        kept.append(np.array([unicodedata.normalize("NFC", text) for text in scored]) == np.array(answers))
    return kept[0], kept[1]


def apart(conversations: Sequence[Messages], tokenizer, max_tokens: int) -> tuple[list[int], list[Encoded]]:
    """The last turn as cross_entropy/entropy_response.py finds it: prompt and answer encoded apart, and joined.

    The prompt's length is taken for the number of its ids that are not 0: where it has such ids, "!" in Qwen2 and
    Llama-3, its last tokens count as the answer's. A prompt of `max_tokens` or more has no span.
    """
    texts = [study_text(messages, tokenizer) for messages in conversations]
    encoded = []
    for messages, prompt, answer in zip(
        conversations, *(_ids(part, tokenizer) for part in zip(*texts, strict=True)), strict=True
    ):
        kept = prompt[:max_tokens]
        start = int(np.count_nonzero(kept))
        ids = kept + answer[: max_tokens - start]
        truncated = len(ids) < len(prompt) + len(answer)
        end = len(ids) if start < max_tokens else start
        encoded.append(_last_turn(messages, ids, start, end, truncated=truncated))
    return _turns(conversations), encoded


def study_text(messages: Messages, tokenizer) -> tuple[str, str]:
    """Everything before the last answer in the study's format, stripped as its scripts do, and this answer."""
    texts = [text for text, _ in replace(default_template(tokenizer), end=None).pieces(messages)]
    return "".join(texts[:-1]).strip(), texts[-1]


def _ids(texts: Sequence[str], tokenizer) -> list[list[int]]:
    return tokenizer(list(texts), verbose=False)["input_ids"]


def _turns(conversations: Sequence[Messages]) -> list[int]:
    return [sum(message["role"] == "assistant" for message in messages) for messages in conversations]


def _last_turn(messages: Messages, ids: list[int], start: int, end: int, *, truncated: bool) -> Encoded:
    (n_turns,) = _turns([messages])
    spans = [(0, 0)] * (n_turns - 1) + [(start, end)]
    return Encoded(ids=ids, spans=spans, ends=[None] * n_turns, truncated=truncated)
