"""What a warm-up leaves behind: its settings, and low-rank adapters with the state of Adam after every epoch."""

from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import load_file

MATRICES, PARTS = ("A", "B"), ("weight", "mean", "square")


@dataclass(frozen=True)
class WarmUpSettings:
    """Settings of a warm-up; rank, learning rate and rows of a step suit the embedded bases.

    The paper has for models of 7 to 13 billion parameters: rank 128, learning rate 2e-5, and the other values
    as here.

    Attributes
    ----------
    rank : of the adapters on the attention's four linear layers (on all linear layers where none is called so).
    learning_rate : highest; it rises over 3 % of the steps and then falls linearly, to 0 after the last of them.
    epochs : passes over the rows, and checkpoints.
    batch_rows : rows per optimiser step, over all devices.
    device_rows : rows that one device holds at once; default all of its share.
    max_tokens : rows are cut to so many tokens.
    dropout : of the adapters' input, in training alone.
    scale : what the adapters' product is multiplied by (alpha / rank).
    """

    rank: int = 8
    learning_rate: float = 1e-3
    epochs: int = 4
    batch_rows: int = 32
    device_rows: int | None = None
    max_tokens: int = 1024
    dropout: float = 0.1
    scale: float = 4.0

    def __post_init__(self) -> None:
        for name in ("rank", "epochs", "batch_rows"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise ValueError(f"{name}: expected a whole number from 1 up, found {value!r}")
        for name in ("learning_rate", "scale"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name}: expected more than 0, found {getattr(self, name)!r}")
        if not 0 <= self.dropout < 1:
            raise ValueError(f"dropout: expected from 0 to below 1, found {self.dropout!r}")
        rows = self.device_rows
        if rows is not None and (not 1 <= rows <= self.batch_rows or self.batch_rows % rows):
            raise ValueError(f"device_rows: expected a divisor of {self.batch_rows}, found {rows!r}")


@dataclass(frozen=True)
class Adapter:
    """One matrix of an adapter at a checkpoint; tensors of its shape.

    `mean` and `square` are Adam's running means of the gradient and of its square.
    """

    weight: torch.Tensor
    mean: torch.Tensor
    square: torch.Tensor


@dataclass(frozen=True)
class WarmUp:
    """A finished warm-up, in a folder.

    Attributes
    ----------
    key : changes with everything that the checkpoints depend on.
    scale : see `WarmUpSettings`.
    learning_rates : mean learning rate of the steps of every epoch.
    losses : nats per learned token, one per step.
    seconds : that the training took.
    """

    folder: Path
    key: str
    scale: float
    learning_rates: list[float]
    losses: list[float]
    seconds: float

    def adapters(self, epoch: int, device: torch.device) -> dict[str, tuple[Adapter, Adapter]]:
        """The matrices A (rank, inputs) and B (outputs, rank) of every adapted layer after an epoch, from 0."""
        tensors = load_file(self.folder / file_of(epoch), device=str(device))
        layers = dict.fromkeys(name.rsplit("/", 2)[0] for name in tensors)
        return {
            layer: tuple(
                Adapter(*(tensors[f"{layer}/{matrix}/{part}"].float() for part in PARTS)) for matrix in MATRICES
            )
            for layer in layers
        }


def file_of(epoch: int) -> str:
    """Name of the file of an epoch, from 0; its tensors are called "layer/matrix/part"."""
    return f"epoch_{epoch}.safetensors"
