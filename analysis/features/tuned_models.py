"""Models fine-tuned on rows of a pool for a method's own use, stored as folders."""

from dataclasses import asdict, replace

import numpy as np

from analysis.models.language_model import LanguageModel, load_model
from analysis.models.training.finetuning import FineTuning, finetune
from analysis.store.code_version import code_version
from analysis.store.store import digest


def after_finetuning(features, rows: np.ndarray, settings: FineTuning | None = None, *, seed: int) -> LanguageModel:
    """See `Features.after_finetuning`; a stored model is read, and two processes never make the same one.

    Raises
    ------
    ValueError
        No row, a row twice or one that the pool does not have; or what `finetune` raises.
    """
    base, store = features.language_model, features.store
    rows = _checked(rows, features.n_rows)
    settings = (settings or features.finetuning).resolved(base.device)
    key = digest(
        pool=features.pool.fingerprint, base=base.fingerprint, weights=str(base.dtype), rows=rows.tolist(), seed=seed,
        settings=asdict(settings), template=base.template.settings(),
        code=code_version(__name__),
    )  # fmt: skip
    with store.claim("tuned_models", key):
        folder = store.folder("tuned_models", key)
        if folder is None:
            conversations = [features.messages(int(row), int(row) + 1)[0] for row in rows]
            tuned = finetune(base, conversations, settings, seed=seed)
            folder = store.save_folder("tuned_models", key, lambda empty: _save(tuned, empty))
    loaded = load_model(folder, device=base.device, dtype=base.dtype, store=store)
    return replace(loaded, name=f"{base.name} tuned on {len(rows)} rows", template=base.template)


def _save(tuned: LanguageModel, folder) -> None:
    tuned.model.save_pretrained(folder)
    tuned.tokenizer.save_pretrained(folder)


def _checked(rows: np.ndarray, n_rows: int) -> np.ndarray:
    rows = np.asarray(rows)
    if rows.ndim != 1 or len(rows) == 0 or rows.dtype.kind not in "iu":
        raise ValueError(f"rows: expected at least one row number, found shape {rows.shape} of {rows.dtype}")
    if len(np.unique(rows)) != len(rows):
        raise ValueError(f"rows: {len(rows) - len(np.unique(rows))} positions are given twice")
    if rows.min() < 0 or rows.max() >= n_rows:
        raise ValueError(f"rows: expected from 0 to {n_rows - 1}, found {rows.min()} to {rows.max()}")
    return rows
