"""Compiling at once what numba compiles at its first call, and keeps beside the code: some ten seconds, once per installation."""

import numpy as np

from analysis.methods.tools.deflate import ENDINGS_PER_THREAD, Deflate
from analysis.methods.tools.k_center import farthest_first


def compile_all() -> None:
    """Call everything that is compiled on next to nothing, so that no method's seconds hold the compiling."""
    text = np.frombuffer(b"one text, and another text", dtype=np.uint8)
    compressed = Deflate()
    compressed.add(text.tobytes())
    for endings in (1, 2 * ENDINGS_PER_THREAD):  # in one thread, and in several
        compressed.sizes_with(text, np.zeros(endings, dtype=np.int64), np.full(endings, 9))
    farthest_first(np.eye(4, dtype=np.float32), np.array([0]), 2)
