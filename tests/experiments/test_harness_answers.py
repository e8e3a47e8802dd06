"""Benchmarks whose answers are checked by more than a comparison: code that is run, instructions that are followed."""

import gzip
import json
import time
from importlib import util

import numpy as np
import pytest

from analysis.experiments.benchmarks.code_check import passes
from analysis.experiments.benchmarks.harness import Harness
from analysis.models.encoding import encode_prompt
from analysis.models.generation import generate
from analysis.models.language_model import load_model

needs_harness = pytest.mark.skipif(
    util.find_spec("lm_eval") is None, reason="lm-eval is not installed: pip install -e '.[benchmarks]'"
)

RIGHT = "def double(x):\n    return 2 * x\n\ndef check(f):\n    assert f(2) == 4\n\ncheck(double)"


def test_a_program_passes_only_where_its_tests_run_to_the_end():
    assert passes(RIGHT) == 1
    assert passes(RIGHT.replace("2 * x", "3 * x")) == 0
    assert passes("def f(:\n") == 0
    for leaves in (
        "raise SystemExit(0)",
        "import os\nos._exit(0)",
        "import os, signal\nos.kill(os.getpid(), signal.SIGTERM)",
    ):
        assert passes(f"{leaves}\n{RIGHT}") == 0, leaves


def test_a_program_is_ended_by_limits_of_time_memory_and_output():
    started = time.monotonic()
    assert passes("while True: pass", seconds=1) == 0
    assert passes("import time\ntime.sleep(60)", seconds=1) == 0
    assert passes("import os, time\nif os.fork() == 0: time.sleep(60)\nelse: os.wait()", seconds=1) == 0
    assert time.monotonic() - started < 20
    assert passes("x = bytearray(2**28)") == 1
    assert passes("x = bytearray(2**28)", memory=2**27) == 0
    assert passes("print('x' * 2**22)") == 0


def test_a_program_sees_neither_the_folder_nor_the_environment(monkeypatch):
    monkeypatch.setenv("SECRET", "1")
    assert passes("import os\nassert 'SECRET' not in os.environ and os.listdir() == []") == 1


@needs_harness
def test_humaneval_runs_prompt_answer_and_tests(tmp_path):
    head = "def double(x):\n    return 2 * x\n\n"
    tests = {"right": "def check(f):\n    assert f(2) == 4\n", "wrong": "def check(f):\n    assert f(2) == 5\n"}
    rows = [
        {"task_id": name, "prompt": head + "#", "test": test, "entry_point": "double"} for name, test in tests.items()
    ]
    (tmp_path / "humaneval").mkdir()
    with gzip.open(tmp_path / "humaneval" / "HumanEval.jsonl.gz", "wt", encoding="utf-8") as stream:
        stream.write("".join(json.dumps(row) + "\n" for row in rows))
    base = load_model("tiny-weak", device="cpu")
    found = Harness("humaneval", run_code=True, max_new_tokens=1, data=str(tmp_path))(base)
    assert "\n" not in found.responses[0]  # a comment, which changes nothing
    assert found.items.tolist() == [1, 0] and found.unit == "share correct"


@needs_harness
def test_ifeval_asks_as_training_does_and_checks_each_instruction(tmp_path):
    import nltk

    asked = [
        "Tell me about owls.",
        "Name a colour.",
        "What is the sum of 4 and 5?",
        "Which word is longest: owl, river?",
    ]
    kinds = [("punctuation:no_comma", {}), ("keywords:existence", {"keywords": ["sum"]})]
    rows = [
        {"key": number, "prompt": text, "instruction_id_list": [kind], "kwargs": [options]}
        for number, (text, (kind, options)) in enumerate((text, kind) for text in asked for kind in kinds)
    ]
    sentences = {"num_sentences": 50, "relation": "less than"}
    rows.append({"key": 99, "prompt": asked[0], "instruction_id_list": ["length_constraints:number_sentences"], "kwargs": [sentences]})  # fmt: skip
    (tmp_path / "ifeval").mkdir()
    (tmp_path / "ifeval" / "input_data.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    base = load_model("tiny-weak", device="cpu")
    benchmark = Harness("ifeval", max_new_tokens=32, data=str(tmp_path))
    found = benchmark(base)

    prompts = [
        encode_prompt([{"role": "user", "content": row["prompt"]}], base.tokenizer, base.template) for row in rows
    ]
    said = generate(base, prompts, max_new_tokens=32, batch_items=8)
    assert found.responses == said
    followed = [("," not in text) if number % 2 == 0 else "sum" in text.lower() for number, text in enumerate(said[:8])]
    assert found.items[:8].tolist() == [float(one) for one in followed] and 0 < sum(followed) < 8
    try:
        nltk.data.find("tokenizers/punkt_tab")
    except LookupError:
        assert np.isnan(found.items[8]) and benchmark.settings["sentences"] is False
    else:
        assert found.items[8] == 1 and benchmark.settings["sentences"] is True
