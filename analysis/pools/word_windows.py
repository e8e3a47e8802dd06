"""Texts as streams of normalised words, and hashes of windows of words: whole columns at once."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from analysis.pools.row_keys import STEP, mixed

# Kana and Han: scripts without spaces, each character of which counts as a word.
UNSPACED = ((0x3040, 0x30FF), (0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xF900, 0xFAFF), (0x20000, 0x323AF))
LETTERS = (ord("a"), ord("z"))
SEPARATOR, INSIDE, ALONE = 0, 1, 2  # what a character is to words: between them, part of one, one by itself


@dataclass(frozen=True)
class Words:
    """Words of several texts, one after another.

    Attributes
    ----------
    hashes : uint64 of shape (n_words,), equal where words are.
    text : int64 of shape (n_words,), ascending; number of the text that a word is from.
    """

    hashes: np.ndarray
    text: np.ndarray

    def windows(self, length: int) -> tuple[np.ndarray, np.ndarray]:
        """Hash of every run of so many words of one text, and the number of that text."""
        count = max(len(self.hashes) - length + 1, 0)
        found = np.zeros(count, dtype=np.uint64)
        for place in range(length):
            found = found * np.uint64(STEP) + self.hashes[place : place + count]
        within = self.text[:count] == self.text[length - 1 : length - 1 + count]
        return mixed(found[within], salt=length), self.text[:count][within]

    def wholes(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Hash of all words of each text that has any, the number of the text, and how many words it has."""
        text, starts, counts = np.unique(self.text, return_index=True, return_counts=True)
        return mixed(_combined(self.hashes, starts, counts), salt=0), text, counts


def words(texts: Sequence[str]) -> Words:
    """Normalised words of texts: case, punctuation and the shape of a character (NFKC) do not count.

    Single Latin letters are left out: they letter the choices of a question, "(A)" here and nothing there.
    """
    plain = [_plain(text) for text in texts]
    characters = np.frombuffer("\n".join([*plain, ""]).encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    kinds = _kinds()[characters]
    before = np.concatenate([[SEPARATOR], kinds[:-1]]) if len(kinds) else kinds
    begins = (kinds == ALONE) | ((kinds == INSIDE) & (before != INSIDE))
    used = np.flatnonzero(kinds)
    starts = np.flatnonzero(begins[used])
    counts = np.diff(np.append(starts, len(used)))
    first = characters[used[starts]]
    kept = (counts > 1) | (first < LETTERS[0]) | (first > LETTERS[1])
    hashes = _combined(mixed(characters[used].astype(np.uint64), salt=0), starts, counts)
    ends = np.cumsum([len(text) + 1 for text in plain])
    return Words(mixed(hashes[kept], salt=0), np.searchsorted(ends, used[starts[kept]], side="right"))


def _plain(text: str) -> str:
    return text.lower() if text.isascii() else unicodedata.normalize("NFKC", text).casefold()


@cache
def _kinds() -> np.ndarray:
    """What every Unicode character is to words; uint8."""
    kinds = np.fromiter((chr(code).isalnum() for code in range(0x110000)), dtype=np.uint8, count=0x110000)
    for low, high in UNSPACED:
        kinds[low : high + 1] *= ALONE
    return kinds


def _combined(values: np.ndarray, starts: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """One hash for every stretch of values, which depends on their order; uint64."""
    if not len(starts):
        return np.zeros(0, dtype=np.uint64)
    powers = np.cumprod(np.full(counts.max(), STEP, dtype=np.uint64))
    places = np.arange(len(values)) - np.repeat(starts, counts)
    return np.add.reduceat(values * powers[places], starts)
