"""The workbench: a pool, a base and what is known of both, from which selections and runs are made."""

from dataclasses import dataclass, fields

from analysis.experiments import selecting
from analysis.features.features import Features
from analysis.methods import Selection
from analysis.models.language_model import LanguageModel, load_model
from analysis.models.training.finetuning import FineTuning
from analysis.models.training.pool_base import SEQUENCE_LENGTH, scratch_base
from analysis.pools import Pool, load_pool
from analysis.store.store import Store


@dataclass(frozen=True)
class Workbench:
    """A pool, a base, their features and the settings of fine-tuning: everything a grid needs."""

    pool: Pool
    base: LanguageModel
    features: Features
    store: Store
    settings: FineTuning
    seed: int

    def select(self, method: str, budget: int, *, seed: int, budget_unit: str = "rows") -> Selection:
        """See `selecting.select`."""
        return selecting.select(self, method, budget, seed=seed, budget_unit=budget_unit)


def prepare(
    pool: str, *, limit: int | None = None, model: str = "tiny-weak", seed: int = 0,
    finetuning: dict | None = None, duplicates: str = "keep", skills: int | None = None,
    store: Store | None = None, show_progress: bool = True,
) -> Workbench:  # fmt: skip
    """Load a pool and a base by name ("scratch" trains one from the pool's text) and put them on a workbench.

    Raises
    ------
    ValueError
        A fine-tuning setting that does not exist (lists the known ones).
    """
    store = store or Store()
    known = [field.name for field in fields(FineTuning)]
    if unknown := set(finetuning or {}) - set(known):
        raise ValueError(f"finetuning: unknown setting {sorted(unknown)[0]!r}; known: {', '.join(known)}")
    # A base trained on the spot has seen no text longer than its own sequences.
    limits = {"max_tokens": SEQUENCE_LENGTH} if model == "scratch" else {}
    settings = FineTuning(**(limits | (finetuning or {})))
    rows = load_pool(pool, limit=limit, seed=seed, duplicates=duplicates, skills=skills)
    if model == "scratch":
        base = scratch_base(rows, store=store, seed=seed, show_progress=show_progress)
    else:
        base = load_model(model, store=store)
    asked = Features(
        rows, base, store=store, max_tokens=settings.max_tokens, finetuning=settings, show_progress=show_progress
    )
    return Workbench(rows, base, asked, store, settings, seed)
