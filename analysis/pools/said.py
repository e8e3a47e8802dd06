"""What a row says: the type of its messages, and hashes that tell which rows say the same."""

import hashlib

import pyarrow as pa

MESSAGES = pa.list_(pa.struct([("role", pa.string()), ("content", pa.string())]))


def content_hash(messages: list[dict]) -> int:
    """64 bits of what a conversation says; case and the amount of white space between words count for nothing else."""
    text = "\x1f".join(f"{message['role']}\x1e{' '.join(message['content'].split())}" for message in messages)
    return hash_of(text)


def verbatim_hash(source: str, messages: list[dict]) -> int:
    """64 bits of all that is known of a row but its place: rows that share it are interchangeable."""
    return hash_of("\x1f".join([source, *(f"{message['role']}\x1e{message['content']}" for message in messages)]))


def hash_of(text: str) -> int:
    """64 bits of a text."""
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little")
