"""The commands that measure the machine: what they count as the limit, and that each prints its table."""

import json
import subprocess
import sys

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

from analysis.features import per_row
from tests.speed import at_scale, compiled, gpu, holding_out, limits, measuring, processes


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


def test_rows_with_near_duplicates_are_read_and_held_out(capsys, tmp_path):
    said = [
        [{"role": "user", "content": f"What is {row}?"}, {"role": "assistant", "content": "A number."}]
        for row in range(9)
    ]
    pq.write_table(pa.table({"messages": said}), tmp_path / "texts.parquet")
    assert holding_out.main(["--rows", "60", "--texts", str(tmp_path / "texts.parquet")]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == ["60", "read", "hold"]
    assert all(float(line.split()[-1]) > 0.1 for line in lines[1:])
    holding_out.write(tmp_path / "rows.jsonl", tmp_path / "texts.parquet", 46)
    first, *_, last = map(json.loads, (tmp_path / "rows.jsonl").read_text().splitlines())
    assert first["messages"][0]["content"] == "0. What is 0?" and last["messages"][0]["content"] == "45. What is 0?"


def test_memory_of_a_child_counts():
    held = "import time; held = b'1' * 2**28; time.sleep(0.5)"  # 0.25 GiB
    alone = measuring.measured(lambda: None)[1]
    assert measuring.measured(lambda: subprocess.run([sys.executable, "-c", held]))[1] > alone + 0.25


def test_one_process_and_several_are_timed_on_the_same_rows(capsys, monkeypatch):
    with pytest.raises(ValueError, match="at least 20,000"):
        processes.compared("curated", 60, "tiny-weak", 1)
    monkeypatch.setattr(per_row, "MANY_ROWS", 20)
    assert processes.main(["--rows", "60", "--times", "1"]) == 0
    lines = capsys.readouterr().out.splitlines()[3:]
    assert len({line.split()[1] for line in lines}) == 1 and lines[0].split()[0] == "1"
    assert all("a million rows at this rate" in line for line in lines)
    assert processes._line(20_000, 2, 40.0, 1.0, 60.0) == {
        "processes": 2, "rows": "20,000", "seconds": "40", "rows/s": "500", "ratio": "1.50", "peak GiB": "1.00",
        "note": "a million rows at this rate: 33 min",
    }  # fmt: skip


def test_compiled_layers_are_held_against_eager_ones(monkeypatch):
    monkeypatch.setattr(compiled, "_compiled", lambda model, precision, what: compiled._pass(model, precision))
    line = compiled.compared("tiny-weak", 20, "float32", "layers")
    assert line["greatest difference"] == "0.0e+00" and line["top tenth kept"] == "100%"
    eager, other = np.arange(20.0), np.arange(20.0)
    other[[0, 19]] = 19.5, 0  # of the top two, 18 and 19, one is left
    assert compiled._difference(eager, other) == {"greatest difference": "2.0e+01", "top tenth kept": "50%"}


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
