"""The workbench: a pool, a base and what is known of both, from which selections and runs are made."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path

from analysis.experiments import exporting, selecting
from analysis.experiments.benchmarks.asking import asked as benchmarks_asked
from analysis.experiments.benchmarks.harness import Harness
from analysis.features.features import Features
from analysis.methods import RANDOM, Selection, parse
from analysis.models.gguf import PACKAGED
from analysis.models.language_model import LanguageModel, load_model
from analysis.models.training.finetuning import FineTuning
from analysis.models.training.pool_base import SEQUENCE_LENGTH, scratch_base
from analysis.paths import BASES
from analysis.pools import Pool, joined, load_parts, load_pool
from analysis.pools.parts import smaller
from analysis.pools.testbed import RECIPES
from analysis.store.store import Store, digest

ROWS_PER_BUDGET = 4  # of a part: who selects most of it selects much the same rows as chance


@dataclass(frozen=True)
class Workbench:
    """A pool, or a part of one, a base, their features and the settings of fine-tuning: everything a grid needs.

    Attributes
    ----------
    seed : of the whole comparison; every selection and every run has one of its own, see `stream`.
    part : number of this part, from 0 up.
    others : the workbenches of the other parts of the same pool; none on theirs.
    benchmarks : of the evaluation harness, asked beside those that the pool allows.
    prepared : the arguments of `prepare` that made it, and `n_rows` of `smaller`; none where it was made by hand.
    """

    pool: Pool
    base: LanguageModel
    features: Features
    store: Store
    settings: FineTuning
    seed: int
    part: int = 0
    others: tuple["Workbench", ...] = ()
    benchmarks: tuple[Harness, ...] = ()
    prepared: dict | None = None

    @property
    def parts(self) -> tuple["Workbench", ...]:
        """Every part of the pool, this one first."""
        return (self, *self.others)

    def with_part(self, number: int) -> "Workbench":
        """The workbench of the part of this number."""
        return next(part for part in self.parts if part.part == number)

    def some(self, first: int, count: int) -> "Workbench":
        """This workbench with only the parts from place `first` on, `count` at most; their numbers stay."""
        lead, *others = self.parts[first : first + count]
        return replace(lead, others=tuple(others))

    def smaller(self, n_rows: int) -> "Workbench":
        """The same comparison on `n_rows` rows of every part; fewer rows are among more, see `parts.nested_rows`."""
        first, *others = [part._on(smaller(part.pool, n_rows, self.seed)) for part in self.parts]
        return replace(first, others=tuple(others), prepared=self.prepared and self.prepared | {"n_rows": n_rows})

    def _on(self, pool: Pool) -> "Workbench":
        """This part's workbench with another pool."""
        features = self.features if pool is self.pool else self.features.of(pool)
        return replace(self, pool=pool, features=features, others=())

    @property
    def selection_seed(self) -> int:
        """Seed with which methods select from this part; random draws have others."""
        return stream(self.seed, "selection", self.part)

    def select(self, method: str, budget: int, *, number: int = 0, budget_unit: str = "rows") -> Selection:
        """A method's selection from this part as the grid trains on it; `number` counts further random draws.

        See `selecting.select`.
        """
        by_chance = parse(method)[0] == RANDOM
        seed = stream(self.seed, "random draw", self.part, number) if by_chance else self.selection_seed
        try:
            return selecting.select(self, method, budget, seed=seed, budget_unit=budget_unit)
        except ValueError as error:  # an option's value, which only the method itself knows
            if str(error).startswith("method"):
                raise
            raise ValueError(f"method {method!r}: {error}") from error

    def export(self, selection: Selection, path: Path | str, **how) -> dict:
        """Write a selection of this part as a file to train on, with a manifest beside it; see `exporting.export`."""
        return exporting.export(self, selection, path, **how)


def stream(seed: int, role: str, *place: int) -> int:
    """A seed from 0 to below 2³¹ for one purpose: neighbouring seeds, other roles and other places share none."""
    return int(digest(seed=seed, role=role, place=place)[:8], 16) % 2**31


def load_base(model: str, store: Store) -> LanguageModel:
    """`load_model`, whose errors name the model and those that there are."""
    try:
        return load_model(model, store=store)
    except FileNotFoundError:  # says so itself
        raise
    except OSError as error:
        bases = sorted(base.name for base in BASES.glob("*") if base.is_dir())
        raise OSError(
            f"model {str(model)!r}: expected scratch, a base of the suite ({', '.join(bases)}), one of a package "
            f"({', '.join(PACKAGED)}), a model folder, a GGUF file, or a model of the hub, which says: {error}"
        ) from error


def prepare(
    pool: str, *, limit: int | None = None, model: str = "tiny-weak", seed: int = 0,
    finetuning: dict | None = None, duplicates: str = "keep", skills: int = 0, long_answers: str = "padded",
    parts: int = 1, budget: int | Sequence[int] = 1, benchmarks: Sequence[str] = (), base: LanguageModel | None = None, store: Store | None = None, show_progress: bool = True,
) -> Workbench:  # fmt: skip
    """Load a pool and a base by name ("scratch" trains one from the pool's text) and put them on a workbench.

    Parameters
    ----------
    pool, limit, seed, duplicates : see `load_parts`.
    skills : of the testbed, see `load_parts`; 0 for all. Other pools have none, whatever is asked for.
    long_answers : of the testbed, see `load_pool`; other pools are as they are, whatever is asked for.
    parts : disjoint parts of the pool; what is returned is the first one's workbench, which knows the others.
    budget : rows that will be selected from every part (the largest counts): a part has at least `ROWS_PER_BUDGET`
        times as many, and where the pool is too small for that there are fewer parts.
    finetuning : settings that differ from the defaults.
    benchmarks : tasks of lm-eval with their options, such as "gsm8k(limit=200)" (`benchmarks.harness.Harness`), asked
        of every model beside the benchmarks that the pool allows.
    base : a model in hand, used instead of the one that `model` names.

    Raises
    ------
    ValueError
        A fine-tuning setting or an option of a benchmark that does not exist (lists the known ones).
    """
    prepared = {
        "pool": pool, "limit": limit, "model": model, "seed": seed, "finetuning": finetuning, "duplicates": duplicates,
        "skills": skills, "long_answers": long_answers, "parts": parts, "budget": budget,
    } | ({"benchmarks": list(benchmarks)} if benchmarks else {})  # fmt: skip
    harness = benchmarks_asked(benchmarks)
    store = store or Store()
    known = [field.name for field in fields(FineTuning)]
    if unknown := set(finetuning or {}) - set(known):
        raise ValueError(f"finetuning: unknown setting {sorted(unknown)[0]!r}; known: {', '.join(known)}")
    # A base trained on the spot has seen no text longer than its own sequences.
    limits = {"max_tokens": SEQUENCE_LENGTH} if model == "scratch" else {}
    settings = FineTuning(**(limits | (finetuning or {})))
    asked = {"skills": skills or None, "long_answers": long_answers} if pool in RECIPES else {}
    fewest = ROWS_PER_BUDGET * max([budget] if isinstance(budget, int) else budget)
    cut = load_parts(pool, parts=parts, limit=limit, seed=seed, duplicates=duplicates, fewest=fewest, **asked)
    if base is None and model == "scratch":
        # Of a file every row that can be selected, so that the base is one for any number of parts and any budget.
        whole = joined(cut) if pool in RECIPES else load_pool(pool, limit=limit, seed=seed, duplicates=duplicates)
        base = scratch_base(whole, store=store, seed=seed, show_progress=show_progress)
    base = base or load_base(model, store)
    told = {"max_tokens": settings.max_tokens, "finetuning": settings, "show_progress": show_progress}
    first, *others = [
        Workbench(
            rows, base, Features(rows, base, store=store, **told), store, settings, seed, part, benchmarks=harness
        )
        for part, rows in enumerate(cut)
    ]
    return replace(first, others=tuple(others), prepared=prepared)
