"""How a round that does not fit is cut: as in training, or so that its answer is scored after prompt and header."""

import re
from collections.abc import Callable, Sequence

from analysis.models.chat_template import SYSTEM, USER, Template

Ids = list[int]
# Prompt and answer of a round, the tokens left for it, and its place among the conversation's slots: both, cut.
Cut = Callable[[Ids, Ids, int, tuple[str, ...]], tuple[Ids, Ids]]


def by_share(prompt: Ids, answer: Ids, left: int, slots: tuple[str, ...] = ()) -> tuple[Ids, Ids]:
    """LLaMA-Factory's rule: both lose their ends.

    Of `left` tokens max(int(left answer / (prompt + answer)), 1) go to the answer and the others to the prompt.
    """
    for_answer = max(left * len(answer) // max(len(prompt) + len(answer), 1), 1) if left else 0
    return prompt[: left - min(for_answer, len(answer))], answer[:for_answer]


class KeepHeader:
    """The prompt loses what its contents begin with, and keeps the template's text around them.

    Without its instruction or its header an answer is scored by what it is, not by what it follows: prompt and answer
    may each take half of what is left, and what the other leaves. A round without room for its header and a token
    after it is left out.
    """

    def __init__(self, tokenizer, template: Template) -> None:
        """Tokens of what stands before and after the contents, by the slots of a round."""
        self.around = {
            slots: [tokenizer(text, add_special_tokens=False)["input_ids"] for text in _around("".join(slots))]
            for slots in {template.first, template.first_with_system, template.later}
        }

    def __call__(self, prompt: Ids, answer: Ids, left: int, slots: tuple[str, ...]) -> tuple[Ids, Ids]:
        # A tokenizer may fuse the template's text with a content; what it fuses counts as content.
        opening, closing = self.around[slots]
        n_opening = _same(opening, prompt)
        n_closing = _same(closing[::-1], prompt[n_opening:][::-1])
        if left <= n_closing or not answer:
            return [], []
        for_prompt = max(min(len(prompt), max(left - len(answer), left // 2)), n_closing)
        if for_prompt < n_opening + n_closing:
            n_opening = 0
        n_end = for_prompt - n_opening
        return prompt[:n_opening] + prompt[len(prompt) - n_end :], answer[: left - for_prompt]


def _around(slots: str) -> tuple[str, str]:
    pieces = re.split(f"[{SYSTEM}{USER}]", slots)
    return pieces[0], pieces[-1]


def _same(one: Sequence[int], other: Sequence[int]) -> int:
    """Tokens with which both begin."""
    count = 0
    while count < min(len(one), len(other)) and one[count] == other[count]:
        count += 1
    return count
