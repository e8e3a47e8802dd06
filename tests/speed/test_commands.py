"""The commands that measure the machine: what they count as the limit, and that each prints its table."""

import pytest
import torch

from tests.speed import at_scale, gpu, limits


def test_the_limit_is_two_or_six_operations_per_parameter_and_token(monkeypatch):
    monkeypatch.setattr(limits, "matmul_rate", lambda **where: 1e9)
    assert limits.limit(1_000_000, 500) == pytest.approx(1.0)
    assert limits.limit(1_000_000, 500, limits.TRAINING) == pytest.approx(3.0)


def test_the_rate_is_that_of_products(monkeypatch):
    monkeypatch.setattr(limits, "_product", lambda matrix: 2.0)
    limits.matmul_rate.cache_clear()
    assert limits.matmul_rate() == 1_024**3
    limits.matmul_rate.cache_clear()


def test_every_step_without_a_model_is_measured(capsys):
    assert at_scale.main(["--rows", "300"]) == 0
    head, *lines = capsys.readouterr().out.splitlines()
    assert head.split() == ["300", "rows", "seconds", "peak", "GiB"]
    assert [line.split(",")[0].split("  ")[0] for line in lines] == [
        "make and load the pool", "lengths", "near-duplicates", "TF-IDF and SVD", "k-means", "k-center", "ZIP"
    ]  # fmt: skip
    assert all(float(line.split()[-1]) > 0.1 for line in lines)


def test_without_a_gpu_nothing_is_measured_and_this_is_said(capsys, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert gpu.main([]) == 0 and capsys.readouterr().out == "no GPU here: not measured\n"


def test_what_a_gpu_would_measure_runs_on_a_small_model(monkeypatch):
    monkeypatch.setattr(gpu, "OPERATIONS", {"ifd": limits.FORWARD})  # LESS takes a minute for its warm-ups alone
    base = gpu.random_model("cpu", hidden_size=16, intermediate_size=16, num_hidden_layers=1, num_attention_heads=2)
    lines = gpu.compared(base, 20, 10)
    assert [line["method"] for line in lines[::2]] == ["ifd"]
    with torch.device("meta"):
        assert gpu.LlamaForCausalLM(gpu.LlamaConfig(vocab_size=1_000, **gpu.LARGE)).num_parameters() > 100e6
