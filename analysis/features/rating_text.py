"""A conversation as the text of which a model is asked for a rating from 1 to 5, and the tokens of these digits."""

from collections.abc import Sequence
from dataclasses import replace

from analysis.models.chat_template import SYSTEM, USER, Template, default_template
from analysis.models.encoding import encode_batch
from analysis.pools.pool import Messages

RATINGS = "12345"
# What asks for the digit. The released script's ends on a space, ours on a line end, which no digit is joined to.
CUE, RELEASED_CUE = "\nRating:\n", "\nThe answer is: "
FORMS = {"original": CUE, "released": RELEASED_CUE}
LEAST_ROOM = 16  # tokens of the conversation that must be left beside the prompt


def digit_ids(tokenizer, cue: str = CUE) -> list[int]:
    """Token ids of the digits 1 to 5 where they follow the cue.

    Raises
    ------
    ValueError
        A digit there is not one token of its own (names it), so that no logit stands for it.
    """
    before = _ids(tokenizer, cue)
    found = []
    for digit in RATINGS:
        ids = _ids(tokenizer, cue + digit)
        text = tokenizer.decode(ids[-1:]).strip()
        if len(ids) != len(before) + 1 or ids[:-1] != before or text != digit:
            raise ValueError(
                f"{type(tokenizer).__name__}: expected {digit!r} after {cue!r} to be one token, found "
                f"{tokenizer.convert_ids_to_tokens(ids)} where the text before it is "
                f"{tokenizer.convert_ids_to_tokens(before)}"
            )
        found.append(ids[-1])
    return found


def rating_ids(
    conversations: Sequence[Messages], prompt: str, tokenizer, max_tokens: int, form: str = "original"
) -> list[list[int]]:
    """Token ids of each text, from the prompt up to where the model says the digit.

    Parameters
    ----------
    prompt : asks for a rating; stands before the conversation.
    max_tokens : longest text; a longer conversation is cut, the prompt and the cue are not.
    form : "original" writes all turns after "Instruction:" and "Response:", a system message before the first
        instruction. "released" pairs the messages by their position and has no text (an empty list) for a row
        whose number of messages is odd, on which the script ends.

    Raises
    ------
    ValueError
        `form` is unknown, or the prompt leaves too few of `max_tokens`.
    """
    if form not in FORMS:
        raise ValueError(f"form: expected one of {', '.join(map(repr, FORMS))}, found {form!r}")
    cue = _ids(tokenizer, FORMS[form])
    head = [*_beginning(tokenizer), *_ids(tokenizer, f"{prompt}\n\n")]
    room = max_tokens - len(head) - len(cue)
    if room < LEAST_ROOM:
        raise ValueError(
            f"max_tokens: a rating prompt of {len(head)} tokens and its cue leave {room} of {max_tokens} for the "
            f"conversation, expected at least {LEAST_ROOM}"
        )
    if form == "released":
        return _released(conversations, prompt, tokenizer, max_tokens)
    encoded = encode_batch(conversations, tokenizer, _template(tokenizer), room)
    return [[*head, *row.ids, *cue] for row in encoded]


def _template(tokenizer) -> Template:
    turn = f"Instruction:{USER}\nResponse:"
    return replace(
        default_template(tokenizer),
        name="rating",
        first=(turn,),
        first_with_system=(f"Instruction:{SYSTEM}\n\n{USER}\nResponse:",),
        later=(f"\n{turn}",),
        end=None,
    )


def _released(conversations: Sequence[Messages], prompt: str, tokenizer, max_tokens: int) -> list[list[int]]:
    """The script's text: cut, decoded without special tokens and encoded again with the cue."""
    odd = [len(messages) % 2 == 1 for messages in conversations]
    texts = [_study_text(messages, prompt) for messages, is_odd in zip(conversations, odd, strict=True) if not is_odd]
    if not texts:
        return [[] for _ in conversations]
    cue = _ids(tokenizer, RELEASED_CUE)
    cut = [ids[: max_tokens - len(cue)] for ids in tokenizer(texts, verbose=False)["input_ids"]]
    texts = [text + RELEASED_CUE for text in tokenizer.batch_decode(cut, skip_special_tokens=True)]
    # Text that was cut inside a character can have more tokens when it is encoded again.
    whole = iter(
        ids if len(ids) <= max_tokens else [*ids[: max_tokens - len(cue)], *cue]
        for ids in tokenizer(texts, verbose=False)["input_ids"]
    )
    return [[] if is_odd else next(whole) for is_odd in odd]


def _study_text(messages: Messages, prompt: str) -> str:
    contents = [message["content"] for message in messages]
    pairs = zip(contents[::2], contents[1::2], strict=True)
    return f"{prompt}\n\n" + "\n".join(f"Instruction: {first}\nResponse: {second}" for first, second in pairs)


def _beginning(tokenizer) -> list[int]:
    """The beginning token, where this tokenizer puts one before a text."""
    ids = tokenizer("a")["input_ids"]
    return ids[:1] if ids and ids[0] == tokenizer.bos_token_id else []


def _ids(tokenizer, text: str) -> list[int]:
    return tokenizer(text, add_special_tokens=False)["input_ids"]
