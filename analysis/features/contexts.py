"""What stands before an answer when its tokens are scored: the conversation, nothing, or a script's own text."""

from collections.abc import Sequence
from dataclasses import replace

from analysis.features import released_texts
from analysis.models.chat_template import SYSTEM, USER, Template
from analysis.models.encoding import Encoded, encode_batch
from analysis.pools.pool import Messages

# Every kind of context: whose text, and whether the conversation is part of it.
NAMES = (
    "conversation",
    "none",
    "plain conversation",
    "plain none",
    "released conversation",
    "released none",
    "released apart",
    "prompt",
)


def in_context(
    name: str, conversations: Sequence[Messages], tokenizer, template: Template, max_tokens: int
) -> tuple[list[int], list[Encoded]]:
    """Assistant turns per conversation, and token ids whose spans are these turns in order.

    Parameters
    ----------
    name : "conversation", all that comes before a turn, in the model's template. "none", only the template's
        answer header: the same token ids are scored as in "conversation", truncation included. "plain
        conversation" and "plain none", the same without any template. "released conversation",
        "released none" and "released apart", the last turn as the study's scripts find it, see `released_texts`.
        "prompt" scores no answer but all that comes before the last one, in the last one's place.

    Raises
    ------
    ValueError
        `name` is none of these.
    """
    check(name)
    if name == "released apart":
        return released_texts.apart(conversations, tokenizer, max_tokens)
    if name.startswith("released"):
        return released_texts.together(conversations, tokenizer, max_tokens, alone=name.endswith("none"))
    if name.startswith("plain"):
        template = plain_template(template)
    whole = encode_batch(conversations, tokenizer, template, max_tokens, to_score=True)
    turns = [len(row.spans) for row in whole]
    if name.endswith("conversation"):
        return turns, whole
    if name == "prompt":
        return turns, [_prompt(row) for row in whole]
    header = [] if name == "plain none" else header_ids(tokenizer, template)
    return turns, [_alone(header, row, *turn) for row in whole for turn in zip(row.spans, row.prompt_cut, strict=True)]


def check(name: str) -> None:
    """ValueError unless a context has this name."""
    if name not in NAMES:
        raise ValueError(f"context: expected one of {', '.join(map(repr, NAMES))}, found {name!r}")


def header_ids(tokenizer, template: Template) -> list[int]:
    """Token ids of what opens an answer in a template, without what ends the turn before it.

    A beginning token with which the template opens conversations opens this too.
    """
    header = template.first[-1].rpartition(USER)[2]
    if template.end is not None:
        header = header.removeprefix(template.end)
    begin = tokenizer.bos_token or ""
    if not template.first[0].startswith(begin):
        begin = ""
    return tokenizer(begin + header.lstrip(), add_special_tokens=False)["input_ids"]


def plain_template(template: Template) -> Template:
    """Contents and line ends alone, as Superfiltering's scorer reads them; nothing ends an answer."""
    return replace(
        template,
        name="plain",
        first=(f"{USER}\n",),
        first_with_system=(f"{SYSTEM}\n{USER}\n",),
        later=(f"\n{USER}\n",),
        end=None,
        strips=(),
    )


def _alone(header: list[int], row: Encoded, span: tuple[int, int], prompt_cut: bool) -> Encoded:
    start, end = span
    spans = [(len(header), len(header) + max(end - start, 0))]
    return Encoded(
        ids=[*header, *row.ids[start:end]], spans=spans, ends=[None], truncated=row.truncated, prompt_cut=[prompt_cut]
    )


def _prompt(row: Encoded) -> Encoded:
    start = row.spans[-1][0]
    spans = [(0, 0)] * (len(row.spans) - 1) + [(0, start)]
    return replace(row, ids=row.ids[:start], spans=spans, ends=[None] * len(spans))
