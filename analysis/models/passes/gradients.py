"""Gradients of every row's loss with respect to low-rank adapters: one backward pass for a batch of rows."""

from collections.abc import Sequence
from contextlib import contextmanager

import numpy as np
import torch

from analysis.models.encoding import Encoded
from analysis.models.passes.batches import LogitPass, padded
from analysis.models.passes.random_projection import Sketch
from analysis.models.training.checkpoints import Adapter
from analysis.models.training.training_rows import IGNORED, training_examples

BETAS, EPSILON = (0.9, 0.999), 1e-8  # Adam's, the latter inside the root
GRADIENT_NUMBERS = {"cpu": 2**26, "mps": 2**27, "cuda": 2**30}  # of all rows of a batch, in one layer
KINDS = ("adam", "plain")
POSITIONS = 1_024  # of a batch on a CPU, whose caches longer ones leave


def adam_direction(gradient: torch.Tensor, mean: torch.Tensor, square: torch.Tensor) -> torch.Tensor:
    """What Adam would step along if this gradient came next: m' / sqrt(v' + 1e-8), without bias correction.

    Parameters
    ----------
    gradient : of one row per entry of the first axis.
    mean, square : Adam's running means of gradient and squared gradient, the same for all rows.
    """
    mean = BETAS[0] * mean + (1 - BETAS[0]) * gradient
    square = BETAS[1] * square + (1 - BETAS[1]) * gradient.square()
    return mean / (square + EPSILON).sqrt()


class GradientPass(LogitPass):
    """Projected gradients of encoded conversations at a checkpoint of a warm-up.

    A row's loss is the mean over the content and end tokens of its answers, without dropout. The gradient of a matrix
    is a sum over positions of products of what goes into its layer and the loss's derivative by what comes out. Both
    are kept in one pass forward and back over a batch, so that every row's gradient follows from one product of
    matrices per layer.

    Parameters
    ----------
    model : without adapters.
    adapters : matrices A and B of each adapted layer with the state of Adam (see `WarmUp.adapters`); those of another
        checkpoint can take their place.
    scale : what the adapters' product is multiplied by.
    sketch : projection with the blocks "layer/A" and "layer/B" (see `block_sizes`).
    others : see `LogitPass`; gradients are float32.
    """

    def __init__(
        self,
        model,
        adapters: dict[str, tuple[Adapter, Adapter]],
        scale: float,
        sketch: Sketch,
        device: torch.device,
        tokens_per_batch: int,
        autocast: torch.dtype | None = None,
    ):
        super().__init__(model, device, tokens_per_batch, autocast)
        if self.device.type == "cpu":
            self.tokens_per_batch = min(tokens_per_batch, POSITIONS)
        self.adapters, self.scale, self.sketch = adapters, scale, sketch
        self.largest_layer = max(matrix.weight.numel() for pair in adapters.values() for matrix in pair)

    def __call__(
        self, encoded: Sequence[Encoded], kind: str, against: np.ndarray | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Projected gradients, scaled to length 1, and their lengths before.

        Parameters
        ----------
        kind : "adam" for what Adam would step along (see `adam_direction`), "plain" for the gradient itself.
        against : of shape (m, dimension); the inner products with these take the place of the gradients, which then
            are held for one batch only.

        Returns
        -------
        float32 of shapes (n, dimension), or (n, m), and (n,); nan for a row without answer token or without a finite
        gradient, 0 for one with a gradient of zero.
        """
        if kind not in KINDS:
            raise ValueError(f"kind: expected one of {', '.join(map(repr, KINDS))}, found {kind!r}")
        examples = [next(iter(training_examples([row])[0]), None) if row.ids else None for row in encoded]
        lengths = [_last_label(example) for example in examples]
        most_rows = max(1, GRADIENT_NUMBERS[self.device.type] // self.largest_layer)

        def forward(rows: list[int]) -> np.ndarray:
            cut = [{name: examples[row][name][: lengths[row]] for name in ("input_ids", "labels")} for row in rows]
            gradients = self._backward(cut, kind)
            norms = np.sqrt(np.einsum("ij,ij->i", gradients, gradients, dtype=np.float64)).astype(np.float32)
            gradients /= np.where(norms == 0, 1, norms)[:, None]
            return np.column_stack([gradients if against is None else gradients @ against.T, norms])

        n_numbers = self.sketch.dimension if against is None else len(against)
        found = self.per_row(forward, lengths, n_numbers + 1, "have no gradient", most_rows=most_rows)
        return found[:, :-1], found[:, -1]

    def _backward(self, examples: list[dict], kind: str) -> np.ndarray:
        ids = padded([example["input_ids"] for example in examples])
        labels = padded([example["labels"] for example in examples], filling=IGNORED)
        learned = labels[:, 1:] != IGNORED  # the logits at a position predict the next token
        line, position = np.nonzero(learned)
        share = (1.0 / learned.sum(axis=1)[line]).astype(np.float32)
        ids, line, position, wanted, share = self.on_device(ids, line, position, labels[line, position + 1], share)
        with torch.enable_grad(), self.precision(), self._adapted() as seen:
            states = self.states(ids)[line, position]
            outputs = [output for _, _, output in seen.values()]
            by_output = torch.autograd.grad(states, outputs, grad_outputs=self._by_state(states, wanted, share))
        return self._projected(seen, by_output, kind)

    def _by_state(self, states: torch.Tensor, wanted: torch.Tensor, share: torch.Tensor) -> torch.Tensor:
        """Derivative of the rows' losses by the states (or logits) at the learned positions, in chunks."""
        derivatives = []
        for begin in range(0, len(wanted), self.positions_at_once):
            chunk = slice(begin, begin + self.positions_at_once)
            part = states[chunk].detach().requires_grad_()
            losses = torch.nn.functional.cross_entropy(self.logits(part), wanted[chunk], reduction="none")
            derivatives += torch.autograd.grad((losses * share[chunk]).sum(), part)
        return torch.cat(derivatives)

    @contextmanager
    def _adapted(self):
        """The model with its adapters; gives what each layer has seen: input, A times input, output."""
        seen: dict[str, tuple] = {}

        def hook_of(name: str):
            matrix_a, matrix_b = (matrix.weight for matrix in self.adapters[name])

            def hook(module, inputs, output):
                if name in seen:
                    raise RuntimeError(f"layer {name} is used twice in one pass: expected layers of its own per depth")
                inner = inputs[0] @ matrix_a.T.to(inputs[0].dtype)
                output = output + self.scale * (inner @ matrix_b.T.to(inner.dtype))
                if not output.requires_grad:  # nothing below is trained: the pass back ends here
                    output = output.requires_grad_()
                seen[name] = (inputs[0].detach(), inner.detach(), output)
                return output

            return hook

        handles = [self.model.get_submodule(name).register_forward_hook(hook_of(name)) for name in self.adapters]
        try:
            yield seen
        finally:
            for handle in handles:
                handle.remove()

    @torch.no_grad()
    def _projected(self, seen: dict, by_output: Sequence[torch.Tensor], kind: str) -> np.ndarray:
        total = None
        for (name, (inputs, inner, _)), derivative in zip(seen.items(), by_output, strict=True):
            matrix_a, matrix_b = self.adapters[name]
            derivative = self.scale * derivative.float()
            by_inner = derivative @ matrix_b.weight
            for part, matrix, left, right in (("A", matrix_a, by_inner, inputs), ("B", matrix_b, derivative, inner)):
                gradient = torch.bmm(left.transpose(1, 2), right.float())  # a row's sum over its positions
                if kind == "adam":
                    gradient = adam_direction(gradient, matrix.mean, matrix.square)
                if total is None:
                    total = torch.zeros(self.sketch.dimension, len(gradient), device=self.device)
                self.sketch.add(total, f"{name}/{part}", gradient.flatten(1))
        return total.T.cpu().numpy()


def _last_label(example: dict | None) -> int:
    """Positions up to the last one that is learned; 0 for a row that cannot be scored."""
    if example is None:
        return 0
    return max(place for place, label in enumerate(example["labels"]) if label != IGNORED) + 1
