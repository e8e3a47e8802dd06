"""Where text meets tokens: conversations to token ids with exact answer spans."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from analysis.models.chat_template import Part, Template
from analysis.models.truncation import Cut, KeepHeader, by_share
from analysis.pools.pool import Messages


@dataclass(frozen=True)
class Encoded:
    """Token ids of one conversation.

    Attributes
    ----------
    ids : token ids, at most `max_tokens`.
    spans : per assistant turn (start, end) of its content in `ids`; empty where truncation left nothing of
        it.
    ends : per assistant turn the position of its end token, which is learned too; `None` where there is none.
    truncated : whether tokens were cut to fit `max_tokens`.
    prompt_cut : per assistant turn whether the prompt right before it was; () where none can be.
    """

    ids: list[int]
    spans: list[tuple[int, int]]
    ends: list[int | None]
    truncated: bool
    prompt_cut: Sequence[bool] = ()


def encode(messages: Messages, tokenizer, template: Template, max_tokens: int) -> Encoded:
    """Token ids and answer spans of one conversation; see `encode_batch`."""
    return encode_batch([messages], tokenizer, template, max_tokens)[0]


def encode_batch(
    conversations: Sequence[Messages], tokenizer, template: Template, max_tokens: int, *, to_score: bool = False
) -> list[Encoded]:
    """Token ids and answer spans, all slot strings in one tokenizer call.

    The first round that does not fit is cut, by LLaMA-Factory's rule (`truncation.by_share`) or, where answers are
    to be scored, by one that keeps the answer's header (`truncation.KeepHeader`); rounds after it are dropped.

    Raises
    ------
    ValueError
        A conversation does not alternate (names its position in the batch and the message).
    """
    if max_tokens < 2:
        raise ValueError(f"max_tokens: expected at least 2, found {max_tokens}")
    end_id = _end_id(tokenizer, template)
    rounds_of = _rounds(conversations, template)
    ids_of = _tokenise(rounds_of, tokenizer, lengths_only=False)
    cut = KeepHeader(tokenizer, template) if to_score else by_share
    return [
        _assemble(
            [
                ([token for slot in slots for part in slot for token in ids_of[part]], _join(answer, ids_of))
                for slots, answer in rounds
            ],
            end_id,
            max_tokens,
            cut,
            (template.first_with_system if messages[0]["role"] == "system" else template.first, template.later),
        )
        for messages, rounds in zip(conversations, rounds_of, strict=True)
    ]


def encode_prompt(messages: Messages, tokenizer, template: Template) -> list[int]:
    """Token ids of a conversation that ends with a user message, up to where the answer begins."""
    rounds = template.rounds(messages)
    if rounds[-1][1] is not None:
        raise ValueError("a prompt must end with a user message; found an assistant message last")
    end = [] if template.end is None else [_end_id(tokenizer, template)]
    ids_of = _tokenise([rounds], tokenizer, lengths_only=False)
    ids: list[int] = []
    for slots, answer in rounds:
        ids += [token for slot in slots for part in slot for token in ids_of[part]]
        if answer is not None:
            ids += _join(answer, ids_of) + end
    return ids


def count_tokens(conversations: Sequence[Messages], tokenizer, template: Template) -> dict[str, np.ndarray]:
    """Tokens of whole conversations, before any truncation, without keeping an id.

    Returns
    -------
    dict of int64 arrays, one value per conversation: `answer` (content of all assistant turns),
    `last_answer`, `prompt` (everything before each answer), `total` (prompt, answers and end tokens).
    """
    end_tokens = 0 if _end_id(tokenizer, template) is None else 1
    rounds_of = _rounds(conversations, template)
    length_of = _tokenise(rounds_of, tokenizer, lengths_only=True)
    counts = np.zeros((4, len(conversations)), dtype=np.int64)
    for row, rounds in enumerate(rounds_of):
        answer_lengths = [sum(length_of[part] for part in answer) for _, answer in rounds]
        prompt = sum(length_of[part] for slots, _ in rounds for slot in slots for part in slot)
        answer = sum(answer_lengths)
        total = prompt + answer + end_tokens * len(rounds)
        counts[:, row] = answer, answer_lengths[-1], prompt, total
    return dict(zip(("answer", "last_answer", "prompt", "total"), counts, strict=True))


def _rounds(conversations: Sequence[Messages], template: Template) -> list:
    rounds_of = []
    for position, messages in enumerate(conversations):
        try:
            rounds = template.rounds(messages)
        except ValueError as error:
            raise ValueError(f"conversation {position}: {error}") from error
        if rounds[-1][1] is None:
            raise ValueError(f"conversation {position}: does not end with an assistant message")
        rounds_of.append(rounds)
    return rounds_of


def _tokenise(rounds_of: list, tokenizer, *, lengths_only: bool) -> dict[Part, list[int]] | dict[Part, int]:
    """Ids (or their number) of every different part; a repeated slot string is tokenised once."""
    parts = {part: None for rounds in rounds_of for slots, _ in rounds for slot in slots for part in slot}
    parts |= {part: None for rounds in rounds_of for _, answer in rounds if answer for part in answer}
    found: dict = {}
    for as_text in (False, True):
        texts = [part for part in parts if part[1] is as_text]
        if not texts:
            continue
        strings = [text for text, _ in texts]
        if tokenizer.is_fast:
            backend = tokenizer.backend_tokenizer
            backend.no_truncation()
            backend.no_padding()
            backend.encode_special_tokens = as_text
            encodings = backend.encode_batch_fast(strings, add_special_tokens=False)
            backend.encode_special_tokens = False
            values = [len(encoding) if lengths_only else encoding.ids for encoding in encodings]
        else:
            ids = tokenizer(strings, add_special_tokens=False, split_special_tokens=as_text, verbose=False)
            values = [len(row) if lengths_only else row for row in ids["input_ids"]]
        found.update(zip(texts, values, strict=True))
    return found


def _join(answer: list[Part], ids_of: dict[Part, list[int]]) -> list[int]:
    return [token for part in answer for token in ids_of[part]]


def _assemble(
    rounds: list[tuple[list[int], list[int]]], end_id: int | None, max_tokens: int, cut: Cut,
    slots: tuple[tuple[str, ...], tuple[str, ...]],
) -> Encoded:  # fmt: skip
    """Rounds one after another; `slots` are those of the first round and those of every later one."""
    ids: list[int] = []
    spans: list[tuple[int, int]] = []
    ends: list[int | None] = []
    prompt_cut: list[bool] = []
    left, truncated = max_tokens, False
    for number, (whole, answer) in enumerate(rounds):
        source, target = whole, answer if end_id is None else [*answer, end_id]
        if len(source) + len(target) > left:
            source, target = cut(source, target, left, slots[min(number, 1)])
            truncated = True
        ids += source
        start = len(ids)
        ids += target
        spans.append((start, start + min(len(answer), len(target))))
        ends.append(len(ids) - 1 if end_id is not None and len(target) > len(answer) else None)
        prompt_cut.append(len(source) < len(whole))
        left = 0 if truncated else left - len(source) - len(target)
    return Encoded(ids=ids, spans=spans, ends=ends, truncated=truncated, prompt_cut=prompt_cut)


def _end_id(tokenizer, template: Template) -> int | None:
    return None if template.end is None else tokenizer.convert_tokens_to_ids(template.end)
