"""A random projection of vectors that come in blocks, one addition per number."""

import numpy as np
import torch

from analysis.models.training.checkpoints import Adapter

PROJECTED = 8_192  # numbers of a projection, as in the study
WHOLE = 65_536  # numbers up to which a projection saves no time: the pass forward and back takes nearly all of it


class Sketch:
    """A random projection that adds every number, with a random sign, to one of `dimension` sums.

    Inner products keep their expectation, with the variance of a dense projection by random signs (about
    1 / dimension for vectors of length 1), for one addition per number. Vectors come in named blocks; a block's signs
    and places depend on its name and the seed alone. Where all blocks together are not longer than `dimension`
    nothing is lost: they are laid side by side.

    Parameters
    ----------
    sizes : numbers of each block.
    dimension : of the projection.
    """

    def __init__(self, sizes: dict[str, int], dimension: int, seed: int, device: torch.device) -> None:
        if dimension < 1:
            raise ValueError(f"dimension: expected at least 1, found {dimension}")
        self.exact = sum(sizes.values()) <= dimension
        self.dimension = sum(sizes.values()) if self.exact else dimension
        starts = dict(zip(sizes, np.cumsum([0, *sizes.values()]), strict=False))
        self.place, self.sign = {}, {}
        for number, (name, size) in enumerate(sizes.items()):
            if self.exact:
                place, sign = np.arange(starts[name], starts[name] + size), np.ones(size)
            else:
                rng = np.random.default_rng((seed, number))
                place, sign = rng.integers(0, dimension, size), rng.choice((-1.0, 1.0), size)
            self.place[name] = torch.from_numpy(place.astype(np.int32)).to(device)
            self.sign[name] = torch.from_numpy(sign.astype(np.float32)).to(device)

    def add(self, total: torch.Tensor, name: str, block: torch.Tensor) -> None:
        """Add a block of shape (rows, size) to projections of shape (dimension, rows), in place."""
        total.index_add_(0, self.place[name], (block * self.sign[name]).T.contiguous())


def default_dimension(sizes: dict[str, int]) -> int:
    """All numbers of the blocks where they are few, so that nothing is lost; else those of a projection."""
    total = sum(sizes.values())
    return total if total <= WHOLE else PROJECTED


def block_sizes(adapters: dict[str, tuple[Adapter, Adapter]]) -> dict[str, int]:
    """Numbers in every matrix of the adapters, by the name of its block in a `Sketch`."""
    return {f"{name}/{part}": matrix.weight.numel()
            for name, pair in adapters.items() for part, matrix in zip("AB", pair, strict=True)}  # fmt: skip
