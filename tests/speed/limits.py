"""The least that a pass of a model can take here: its products of matrices at the rate at which this machine makes them."""

import time
from functools import cache

import torch

SIZE = {"cpu": 1_024, "mps": 2_048, "cuda": 8_192}  # of the square matrices that the rate is measured with
TIMES = 5  # of which the fastest counts
FORWARD, TRAINING = 2, 6  # floating-point operations per parameter and token


@cache
def matmul_rate(device: str = "cpu", dtype: torch.dtype = torch.float32) -> float:
    """Floating-point operations per second of a product of square matrices."""
    matrix = torch.randn(SIZE[device], SIZE[device], device=device).to(dtype)
    seconds = min(_product(matrix) for _ in range(TIMES + 1))
    return 2 * SIZE[device] ** 3 / seconds


def limit(n_parameters: int, tokens: int, operations: int = FORWARD, **where) -> float:
    """Seconds that a model of so many parameters needs at least for so many tokens."""
    return operations * n_parameters * tokens / matmul_rate(**where)


def of_rows(features, operations: int = FORWARD) -> float:
    """Seconds that one pass over all rows needs at least."""
    tokens = int(features.lengths().total.clip(max=features.max_tokens).sum())
    return limit(features.n_parameters, tokens, operations)


def _product(matrix: torch.Tensor) -> float:
    started = time.perf_counter()
    product = matrix @ matrix
    if matrix.device.type == "cuda":
        torch.cuda.synchronize()
    float(product[0, 0])
    return time.perf_counter() - started
