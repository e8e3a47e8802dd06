"""Sizes of growing texts by the zlib that Python has here: the slower way, and the check of the faster one."""

import zlib

import numpy as np

LEVEL = 9


class CopiedZlib:
    """The same answers as `Deflate`, by a copy of zlib's own compressor for every ending: five times as slow."""

    def __init__(self) -> None:
        self.compressor, self.written = zlib.compressobj(LEVEL), 0

    def add(self, text: bytes) -> None:
        """Append for good."""
        self.written += len(self.compressor.compress(text))

    def sizes_with(self, blob: np.ndarray, starts: np.ndarray, ends: np.ndarray) -> np.ndarray:
        """As `Deflate.sizes_with`."""
        sizes = np.empty(len(starts), dtype=np.int64)
        for number, (start, end) in enumerate(zip(starts, ends, strict=True)):
            compressor = self.compressor.copy()
            sizes[number] = self.written + len(compressor.compress(blob[start:end])) + len(compressor.flush())
        return sizes


def agrees_with_zlib(compressor: type, text: bytes) -> bool:
    """Whether sizes are those of the zlib that Python has here, for beginnings of the text at doubling lengths."""
    grown, before = compressor(), 0
    blob = np.frombuffer(text, dtype=np.uint8)
    for length in [2**power for power in range(20) if 2**power < len(text)] + [len(text)]:
        size = grown.sizes_with(blob, np.array([before]), np.array([length]))[0]
        if size != len(zlib.compress(text[:length], LEVEL)):
            return False
        grown.add(text[before:length])
        before = length
    return True
