"""How a conversation becomes slot strings: the text around the turns, and what ends an answer.

A slot string is tokenised alone, so that the border between prompt and answer is exact for every tokenizer.
"""

import re
import warnings
from dataclasses import dataclass, fields
from functools import cached_property

from jinja2 import TemplateError

# Private-use characters stand for the contents inside a slot string.
SYSTEM, USER, ANSWER = "\ue000", "\ue001", "\ue002"
FIXED_DATE = "26 Jul 2024"  # templates that print the date would otherwise change every day

Part = tuple[str, bool]  # text, and whether special tokens written in it are plain text


@dataclass(frozen=True)
class Template:
    """Slot strings of a chat format.

    A round is the slots before an answer, the answer, and the token `end`, which is learned too (`None`: the
    tokenizer has none). `first` holds the slots of the first round, `first_with_system` those of a
    conversation that opens with a system message, `later` those of every later round. `strips` names the
    roles whose content loses its outer white space. `special_tokens` are those of the tokenizer.
    """

    name: str
    first: tuple[str, ...]
    first_with_system: tuple[str, ...]
    later: tuple[str, ...]
    end: str | None
    strips: tuple[str, ...] = ()
    special_tokens: tuple[str, ...] = ()

    def settings(self) -> dict:
        """Everything that decides the token ids, for the key of a stored result."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def pieces(self, messages: list[dict]) -> list[tuple[str, bool]]:
        """The conversation as text: (slot string, is it an answer's content?), in order."""
        pieces: list[tuple[str, bool]] = []
        for slots, answer in self.rounds(messages):
            pieces += [("".join(text for text, _ in slot), False) for slot in slots]
            if answer is not None:
                pieces.append(("".join(text for text, _ in answer), True))
                pieces += [(self.end, False)] if self.end else []
        return pieces

    def rounds(self, messages: list[dict]) -> list[tuple[list[list[Part]], list[Part] | None]]:
        """Per round the slots before the answer and the answer (`None` where a prompt ends); each as parts.

        Raises
        ------
        ValueError
            Names the message that is out of order: an optional system message, then user and assistant in
            turn.
        """
        contents = {}
        if messages and messages[0]["role"] == "system":
            contents[SYSTEM] = self._content(messages[0])
        start = len(contents)
        if len(messages) == start:
            raise ValueError(f"a conversation needs a user message; found {len(messages)} messages")
        rounds = []
        for position in range(start, len(messages), 2):
            contents[USER] = self._content(messages[position], "user", position)
            if position > start:
                slots = self.later
            else:
                slots = self.first_with_system if start else self.first
            answer = None
            if position + 1 < len(messages):
                answer = self._parts([self._content(messages[position + 1], "assistant", position + 1)], True)
            rounds.append(([self._fill(slot, contents) for slot in slots], answer))
        return rounds

    def _content(self, message: dict, role: str = "system", position: int = 0) -> str:
        if message["role"] != role:
            raise ValueError(f"message {position}: expected role {role!r}, found {message['role']!r}")
        return message["content"].strip() if role in self.strips else message["content"]

    def _fill(self, slot: str, contents: dict[str, str]) -> list[Part]:
        texts = [contents.get(text, text) for text in self._slot_texts[slot]]
        if self._special is None or not any(
            text in contents and self._special.search(contents[text]) for text in self._slot_texts[slot]
        ):
            return [("".join(texts), False)]
        # Only the template's own special tokens count; those typed by a user are text.
        parts: list[Part] = []
        plain = ""
        for text, original in zip(texts, self._slot_texts[slot], strict=True):
            if original in contents:
                plain += text
                continue
            for fragment in self._special.split(text):
                if self._special.fullmatch(fragment):
                    parts += [(plain, True), (fragment, False)]
                    plain = ""
                else:
                    plain += fragment
        return [part for part in [*parts, (plain, True)] if part[0]]

    def _parts(self, texts: list[str], is_content: bool) -> list[Part]:
        special = self._special is not None and any(self._special.search(text) for text in texts)
        return [(text, is_content and special) for text in texts]

    @cached_property
    def _special(self) -> re.Pattern | None:
        longest_first = sorted(self.special_tokens, key=len, reverse=True)
        return re.compile("(" + "|".join(map(re.escape, longest_first)) + ")") if longest_first else None

    @cached_property
    def _slot_texts(self) -> dict[str, list[str]]:
        slots = {*self.first, *self.first_with_system, *self.later}
        return {slot: [text for text in re.split(f"([{SYSTEM}{USER}])", slot) if text] for slot in slots}


def choose_template(tokenizer) -> Template:
    """The tokenizer's chat template as slots; without a usable one the study's `default` template."""
    if not tokenizer.chat_template:
        return default_template(tokenizer)
    try:
        return from_chat_template(tokenizer)
    except ValueError as error:
        warnings.warn(f"chat template not used, the study's default template instead: {error}", stacklevel=2)
        return default_template(tokenizer)


def default_template(tokenizer) -> Template:
    """LLaMA-Factory 0.8's `default`, with which the study trained: no beginning token."""
    turn = f"Human: {USER}\nAssistant: "
    return Template(
        name="default",
        first=(turn,),
        first_with_system=(f"{SYSTEM}\n", turn),
        later=("\n", turn),
        end=tokenizer.eos_token,
        special_tokens=_special_tokens(tokenizer),
    )


def from_chat_template(tokenizer) -> Template:
    """Slots of a tokenizer's chat template, found by rendering marked conversations and cutting at the marks.

    A system message that the template refuses, or puts elsewhere than first, is put before the first user
    message, two newlines between.

    Raises
    ------
    ValueError
        The template renders turns differently by position, or ends an answer with no special token.
    """
    rounds = [("user", USER), ("assistant", ANSWER)] * 3
    texts = re.split(f"[{USER}{ANSWER}]", _render(tokenizer, rounds))
    if len(texts) != 7:
        raise ValueError(f"of 6 messages, {len(texts) - 1} are rendered")
    start, before_answer, between = texts[:3]
    if texts[3] != before_answer or texts[5] != before_answer or texts[4] != between:
        raise ValueError("turns are rendered differently by position")
    prompt = _render(tokenizer, rounds[:1], add_generation_prompt=True)
    if prompt != start + USER + before_answer:
        raise ValueError("the generation prompt differs from what stands before an answer")
    special_tokens = _special_tokens(tokenizer)
    ends = [token for token in special_tokens if between.startswith(token) and texts[6].startswith(token)]
    if not ends:
        raise ValueError(f"no special token ends an answer; found {between!r} after it")
    end = max(ends, key=len)
    return Template(
        name="chat template",
        first=(start + USER + before_answer,),
        first_with_system=(_system_slot(tokenizer, rounds, texts),),
        later=(between.removeprefix(end) + USER + before_answer,),
        end=end,
        strips=_stripped_roles(tokenizer),
        special_tokens=special_tokens,
    )


def _render(tokenizer, turns: list[tuple[str, str]], **options) -> str:
    messages = [{"role": role, "content": content} for role, content in turns]
    try:
        return tokenizer.apply_chat_template(messages, tokenize=False, date_string=FIXED_DATE, **options)
    except TemplateError as error:
        raise ValueError(f"rendering fails: {error}") from error


def _system_slot(tokenizer, rounds: list[tuple[str, str]], texts: list[str]) -> str:
    start, before_answer = texts[:2]
    inside_user = start + SYSTEM + "\n\n" + USER + before_answer
    try:
        rendered = _render(tokenizer, [("system", SYSTEM), *rounds])
    except ValueError:
        return inside_user
    before, system, after = rendered.partition(SYSTEM)
    after_texts = re.split(f"[{USER}{ANSWER}]", after)
    if not system or USER in before or after_texts[1:] != texts[1:]:
        return inside_user
    return before + SYSTEM + after_texts[0] + USER + before_answer


def _stripped_roles(tokenizer) -> tuple[str, ...]:
    marked = [("user", f" {USER} "), ("assistant", f" {ANSWER} ")]
    rendered = _render(tokenizer, marked * 2)
    stripped = [role for role, content in marked if content not in rendered]
    try:
        if f" {SYSTEM} " not in _render(tokenizer, [("system", f" {SYSTEM} "), *marked]):
            stripped.append("system")
    except ValueError:
        pass  # no system slot to strip: _system_slot has put the message before the first user message
    return tuple(stripped)


def _special_tokens(tokenizer) -> tuple[str, ...]:
    return tuple(sorted(token.content for token in tokenizer.added_tokens_decoder.values() if token.special))
