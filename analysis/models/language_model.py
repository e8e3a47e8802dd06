"""Causal language models and their tokenizers: the embedded bases, folders and hub ids, loaded one way."""

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer, PreTrainedModel

from analysis.models.chat_template import Template, choose_template, default_template
from analysis.models.encoding import Encoded, count_tokens, encode, encode_batch, encode_prompt
from analysis.models.gguf import PACKAGED, SUFFIX, dequantised
from analysis.models.hub import hub_answers, hub_revision, is_local
from analysis.paths import BASES
from analysis.store.file_states import content_hash
from analysis.store.store import Store, digest

__all__ = [
    "Encoded",
    "LanguageModel",
    "Template",
    "count_tokens",
    "encode",
    "encode_batch",
    "encode_prompt",
    "fingerprint_tokenizer",
    "fingerprint_weights",
    "load_model",
]

FINGERPRINTED = (
    "*.safetensors",
    "config.json",
    "tokenizer*.json",
    "tokenizer.model",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.json",
    "merges.txt",
    "chat_template.jinja",
)
LARGE = 1_000_000_000  # parameters from which the checkpoint's own precision is kept


@dataclass
class LanguageModel:
    """A causal model in evaluation mode on `device`, its tokenizer and the template that both are used with.

    `fingerprint` changes with the weights and with the tokenizer. `model` is `None` where only the tokenizer
    was loaded. `training` tells how a fine-tuned model was made.
    """

    model: PreTrainedModel | None
    tokenizer: object
    name: str
    fingerprint: str
    device: torch.device
    dtype: torch.dtype
    template: Template
    training: dict | None = None


def load_model(
    name_or_path: str | Path,
    *,
    device: str | torch.device | None = None,
    dtype: str | torch.dtype | None = None,
    store: Store | None = None,
    template: str | None = None,
    weights: bool = True,
) -> LanguageModel:
    """Load an embedded base by name ("tiny-weak", "tiny-strong"), one of a package, a model folder, a GGUF file, or a hub id.

    Only safetensors weights are read and no code from the model's repository is run.

    Parameters
    ----------
    device : default CUDA, else MPS, else the CPU.
    dtype : of the weights; default float32 below a billion parameters, else what the checkpoint has.
    store : remembers fingerprints of large folders.
    template : "chat" or "default" (the study's); default the chat template where there is one, else the study's, before
        which a Gemma has its beginning token: without it the loss of an answer was twice as high (4.6 nats a token after
        2.3, Gemma-3-270M).
    weights : False loads the tokenizer only, enough for lengths.

    Raises
    ------
    FileNotFoundError
        No such base, and no such folder, or a package of the name is not installed (says what to install).
    ValueError
        `template` or `dtype` is unknown, the tokenizer has more tokens than the model, or the weights are not whole:
        missing, without a place, of another shape, or not finite (lists them).
    """
    path = dequantised(name_or_path, store) or _folder(name_or_path)
    source = str(path or name_or_path)
    tokenizer = AutoTokenizer.from_pretrained(source, trust_remote_code=False, local_files_only=is_local(path, source))
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    if path is not None:
        fingerprint = _fingerprint_folder(path, store)
    else:
        fingerprint = digest(hub=source, revision=hub_revision(source))
    device = torch.device(device) if device is not None else _best_device()
    local = is_local(path, source)
    model = _load_weights(source, tokenizer, device, _as_dtype(dtype), local) if weights else None
    config = (
        model.config if weights else AutoConfig.from_pretrained(source, trust_remote_code=False, local_files_only=local)
    )
    chosen = _template(tokenizer, template)
    begins = template is None and chosen.name == "default" and config.model_type.startswith("gemma")
    return LanguageModel(
        model=model,
        tokenizer=tokenizer,
        name=_name(name_or_path, path),
        fingerprint=fingerprint,
        device=device,
        dtype=model.dtype if model is not None else _as_dtype(dtype) or torch.float32,
        template=_begun(tokenizer, chosen) if begins else chosen,
    )


def _begun(tokenizer, template: Template) -> Template:
    """The template with the tokenizer's beginning token before all else."""
    first, first_with_system = (
        (f"{tokenizer.bos_token}{slots[0]}", *slots[1:]) for slots in (template.first, template.first_with_system)
    )
    return replace(template, first=first, first_with_system=first_with_system)


def load_tokenizer(name_or_path: str | Path):
    """The tokenizer of an embedded base, of a folder, with a model in it or not, of a GGUF file, or of a hub id."""
    known = dequantised(name_or_path, None)
    source = known or (name_or_path if Path(name_or_path).is_dir() else _folder(name_or_path) or name_or_path)
    local = Path(source).is_dir() or not hub_answers(str(source))
    return AutoTokenizer.from_pretrained(str(source), trust_remote_code=False, local_files_only=local)


def fingerprint_tokenizer(tokenizer) -> str:
    """24 hex digits that change with anything that decides token ids."""
    if tokenizer.is_fast:
        backend = tokenizer.backend_tokenizer
        backend.no_truncation()
        backend.no_padding()
        return hashlib.sha256(backend.to_str().encode()).hexdigest()[:24]
    return digest(kind=type(tokenizer).__name__, vocabulary=tokenizer.get_vocab())


def fingerprint_weights(model: PreTrainedModel, tokenizer) -> str:
    """24 hex digits of the weights in memory and of the tokenizer, for a model that has no folder."""
    state = hashlib.sha256(fingerprint_tokenizer(tokenizer).encode())
    for name, tensor in sorted(model.state_dict().items()):
        state.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        state.update(tensor.detach().cpu().contiguous().view(-1).view(torch.uint8).numpy().tobytes())
    return state.hexdigest()[:24]


def _name(name_or_path: str | Path, folder: Path | None) -> str:
    """A GGUF file is known by its name, not by that of the folder that was made of it."""
    if folder is None or str(name_or_path) in PACKAGED:
        return str(name_or_path)
    path = Path(name_or_path)
    return path.stem if path.suffix.lower() == SUFFIX else folder.name


def _folder(name_or_path: str | Path) -> Path | None:
    """The folder meant by a name, or `None` for a hub id."""
    for path in (BASES / str(name_or_path), Path(name_or_path).expanduser()):
        if path.is_dir():
            if not (path / "config.json").is_file():
                raise FileNotFoundError(f"{path}: no config.json, so this is not a model folder")
            return path
    name = str(name_or_path)
    if isinstance(name_or_path, Path) or name.startswith(("/", ".", "~", "tiny-")) or name.count("/") > 1:
        bases = sorted(base.name for base in BASES.glob("*") if base.is_dir())
        raise FileNotFoundError(
            f"{name}: no such model folder; the embedded bases are {bases}, and {', '.join(PACKAGED)} come in packages"
        )
    return None


def _fingerprint_folder(path: Path, store: Store | None) -> str:
    files = sorted({file for pattern in FINGERPRINTED for file in path.glob(pattern)})
    lines = [f"{file.name} {content_hash(file, store)}\n" for file in files]
    return hashlib.sha256("".join(lines).encode()).hexdigest()[:24]


def _load_weights(
    source: str, tokenizer, device: torch.device, dtype: torch.dtype | None, local: bool
) -> PreTrainedModel:
    model, found = AutoModelForCausalLM.from_pretrained(
        source, dtype=dtype or "auto", use_safetensors=True, trust_remote_code=False,
        local_files_only=local, ignore_mismatched_sizes=True, output_loading_info=True,
    )  # fmt: skip
    _check_whole(source, model, found)
    known = model.get_input_embeddings().num_embeddings
    if len(tokenizer) > known:
        raise ValueError(f"{source}: the tokenizer has {len(tokenizer)} tokens, the model knows only {known}")
    if dtype is None and model.num_parameters() < LARGE:
        model = model.float()
    return model.to(device).eval()


def _check_whole(source: str, model: PreTrainedModel, found: dict) -> None:
    """An error that lists what does not fit: transformers would fill it with random numbers, or leave it out."""
    shapes = [f"{name} of {tuple(there)} for {tuple(wanted)}" for name, there, wanted in found["mismatched_keys"]]
    broken = [name for name, weight in model.named_parameters() if not weight.isfinite().all()]
    wrong = {
        "lacks": sorted(found["missing_keys"]), "has no place for": sorted(found["unexpected_keys"]),
        "has other shapes:": sorted(shapes), "has infinite or no numbers in": broken,
    }  # fmt: skip
    said = [f"{what} {_listed(names)}" for what, names in wrong.items() if names]
    if said:
        raise ValueError(f"{source}: its weights do not make the model of its config.json: it {'; it '.join(said)}")


def _listed(names: list[str], most: int = 4) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def _best_device() -> torch.device:
    if torch.cuda.is_available():
        return torch.device("cuda")
    return torch.device("mps" if torch.backends.mps.is_available() else "cpu")


def _as_dtype(dtype: str | torch.dtype | None) -> torch.dtype | None:
    if dtype is None or isinstance(dtype, torch.dtype):
        return dtype
    known = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}
    if dtype not in known:
        raise ValueError(f"dtype: expected one of {sorted(known)}, found {dtype!r}")
    return known[dtype]


def _template(tokenizer, name: str | None) -> Template:
    if name not in (None, "chat", "default"):
        raise ValueError(f'template: expected "chat", "default" or None, found {name!r}')
    if name == "default":
        return default_template(tokenizer)
    if name == "chat" and not tokenizer.chat_template:
        raise ValueError('template: "chat" was asked for but the tokenizer has no chat template')
    return choose_template(tokenizer)
