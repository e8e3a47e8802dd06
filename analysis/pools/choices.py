"""Questions with choices: an answer that only points at one of them teaches nothing where the prompt does not show them."""

import re
from collections.abc import Mapping

from analysis.pools.findings import Rejected

CHOICES = ("choices", "options")
PLACE = re.compile(r"\(?(?:([A-Za-z])|(\d{1,2}))[.)]?")


def check_shown(row: Mapping, prompt: str, answer: str) -> None:
    """Rejected where an answer is the number or the letter of a choice that the prompt does not show."""
    answer = answer.strip()
    for name in CHOICES:
        texts = _texts(row.get(name))
        if answer in texts or not _is_place(answer, len(texts)):
            continue
        if hidden := next((text for text in texts if text not in prompt), None):
            why = f"answer is the place of a choice that the prompt does not show (context={name} shows a list of them)"
            raise Rejected(why, name, f"{answer}: {hidden}")


def _texts(choices: object) -> list[str]:
    """Of a list, of the columns `text` and `label`, or by letter."""
    if isinstance(choices, Mapping):
        choices = choices["text"] if isinstance(choices.get("text"), list) else list(choices.values())
    entries = choices if isinstance(choices, list) else []
    return [str(entry).strip() for entry in entries if isinstance(entry, str | int | float)]


def _is_place(answer: str, count: int) -> bool:
    found = PLACE.fullmatch(answer)
    if not found:
        return False
    letter, number = found.groups()
    return ord(letter.upper()) - ord("A") < count if letter else int(number) <= count
