"""Tokenizers with the real vocabularies of Qwen and Llama-3, made from their byte-pair ranks."""

import base64
from pathlib import Path

from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

from analysis.paths import ROOT

FOLDER = ROOT.parent / "shared" / "tokenizers"
DIGITS = {"qwen": r"\p{N}", "llama3": r"\p{N}{1,3}"}
PATTERN = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{{L}}\p{{N}}]?\p{{L}}+|{}| ?[^\s\p{{L}}\p{{N}}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
)


def real_tokenizer(name: str) -> PreTrainedTokenizerFast:
    """The tokenizer of "qwen" or "llama3", without special tokens but one that ends a text."""
    ranks = _ranks(FOLDER / f"{name}.tiktoken")
    letters = _letters()
    merges = []
    for token, rank in ranks.items():
        splits = [(token[:place], token[place:]) for place in range(1, len(token))]
        pairs = [(left, right) for left, right in splits if left in ranks and right in ranks]
        merges += [(rank, ranks[left], ranks[right], left, right) for left, right in pairs]
    merges = [(_text(left, letters), _text(right, letters)) for *_, left, right in sorted(merges)]
    vocabulary = {_text(token, letters): rank for token, rank in ranks.items()}
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=merges, ignore_merges=name == "llama3"))
    split = pre_tokenizers.Split(Regex(PATTERN.format(DIGITS[name])), behavior="isolated")
    byte_level = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([split, byte_level])
    tokenizer.decoder = decoders.ByteLevel()
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="<|endoftext|>")


def _ranks(path: Path) -> dict[bytes, int]:
    lines = (line.split() for line in path.read_text().splitlines() if line)
    return {base64.b64decode(token): int(rank) for token, rank in lines}


def _letters() -> list[str]:
    """The letter by which byte-level BPE writes each byte: printable ones as they are, others from 256 on."""
    printable = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    others = [byte for byte in range(256) if byte not in printable]
    return [chr(byte) if byte in printable else chr(256 + others.index(byte)) for byte in range(256)]


def _text(token: bytes, letters: list[str]) -> str:
    return "".join(letters[byte] for byte in token)
