"""The grid: every method, budget and seed becomes one stored run; a run that exists is never repeated."""

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields

import numpy as np
import pandas as pd
from filelock import Timeout
from tqdm import tqdm

from analysis.experiments.benchmarks import catalogue
from analysis.experiments.results import BASE, RANDOM, Results, Run
from analysis.features import MADE_BY, NEEDS_NO_BASE, NEEDS_TOKENIZER, features
from analysis.features.features import Features
from analysis.methods import Selection, by_chance, code_of, inner_call, needs_of, parse, select
from analysis.models.language_model import LanguageModel, hub_models_named, load_model
from analysis.models.training import finetuning, training_rows
from analysis.models.training.finetuning import FineTuning, finetune
from analysis.models.training.pool_base import SEQUENCE_LENGTH, scratch_base
from analysis.models.training.training_rows import cut_by_tokens
from analysis.pools import Pool, load_pool
from analysis.pools.testbed import WORLD_VERSION
from analysis.store.code_version import code_version, own_code
from analysis.store.file_states import files_named
from analysis.store.store import Store, digest

UNITS = ("rows", "tokens")
APART = 1_000  # seeds of other draws by chance: with those of random selection they would draw much the same rows


@dataclass(frozen=True)
class Workbench:
    """A pool, a base, their features and the settings of fine-tuning: everything a grid needs."""

    pool: Pool
    base: LanguageModel
    features: Features
    store: Store
    settings: FineTuning
    seed: int

    def select(self, method: str, budget: int, *, seed: int, budget_unit: str = "rows") -> tuple[Selection, float]:
        """A method's selection and the seconds it took when it was made; stored.

        With `budget_unit="tokens"` as many rows are selected as have the tokens, twice as many while they do not
        suffice, and the selection is cut where the tokens of one epoch reach the budget.
        """
        if budget_unit not in UNITS:
            raise ValueError(f"budget_unit: expected one of {', '.join(UNITS)}, found {budget_unit!r}")
        key = self._selection_key(method, budget, seed, budget_unit)
        with self.store.claim("selections", key):
            record, arrays = self.store.record("selections", key), self.store.arrays("selections", key)
            if record is None or arrays is None:
                started = time.perf_counter()
                selection = self._ranked(method, budget, seed, budget_unit)
                record = {"excluded": selection.excluded, "seconds": time.perf_counter() - started}
                scores = {} if selection.scores is None else {"scores": selection.scores}
                arrays = {"rows": selection.rows, **scores}
                self.store.save_arrays("selections", key, **arrays)
                self.store.save_record("selections", key, record)
        return Selection(arrays["rows"], arrays.get("scores"), record["excluded"]), record["seconds"]

    def _selection_key(self, method: str, budget: int, seed: int, budget_unit: str) -> str:
        name, options = parse(method)
        needs = {*needs_of(method), *(("lengths",) if budget_unit == "tokens" else ())}
        code = [*code_of(method), *(MADE_BY[need] for need in sorted(needs))]
        depends = {"code": code_version(*code)}
        if needs - set(NEEDS_NO_BASE):
            depends |= self.features.text_settings | {"max_tokens": self.features.max_tokens}
        if needs - {*NEEDS_NO_BASE, *NEEDS_TOKENIZER}:
            depends |= {"base": self.base.fingerprint, "features": own_code(features.__name__)}
        if "after_finetuning" in needs:
            depends |= {"finetuning": asdict(self.settings.resolved(self.base.device))}
        if budget_unit == "tokens":
            depends |= {"cut": own_code(training_rows.__name__), "longest": self.settings.max_tokens}
        return digest(
            **({"pool": self.pool.fingerprint} | depends), method=name, options=options, budget=budget, unit=budget_unit,
            seed=seed, named=_named(method),
        )  # fmt: skip

    def _ranked(self, method: str, budget: int, seed: int, budget_unit: str) -> Selection:
        if budget_unit == "rows":
            return select(method, self.features, budget, seed=seed)
        tokens = np.minimum(self.features.lengths().total, self.settings.max_tokens)
        n_rows = min(len(self.pool), -(-budget * len(self.pool) // int(tokens.sum())))
        while True:
            ranked = select(method, self.features, n_rows, seed=seed)
            selectable = len(self.pool) - sum(ranked.excluded.values())
            if tokens[ranked.rows].sum() >= budget or n_rows >= selectable:
                return Selection(cut_by_tokens(ranked.rows, tokens, budget), ranked.scores, ranked.excluded)
            n_rows = min(2 * n_rows, selectable)

    def runs(
        self, methods: Sequence[str], budget: int, *, n_seeds: int, n_draws: int, random_seeds: int = 1,
        budget_unit: str = "rows",
    ) -> list[Run]:  # fmt: skip
        """The runs of a comparison: random from `n_draws` independent subsets, each method `n_seeds` times.

        Subset d of random is trained with the seeds d, d + 1, … (`random_seeds` of them), so that no two runs
        share subset and seed, and a design with more seeds contains the one with fewer. A method by which chance
        selects draws anew for every run.
        """
        planned = []
        for method in dict.fromkeys([RANDOM, *methods]):
            if parse(method)[0] == RANDOM:
                seeds = [(draw, draw, draw + number) for draw in range(n_draws) for number in range(random_seeds)]
            elif by_chance(method):
                seeds = [(number, APART + number, number) for number in range(n_seeds)]
            else:
                seeds = [(0, 0, number) for number in range(n_seeds)]
            for draw, drawn, trained in seeds:
                chosen, seconds = self.select(method, budget, seed=self.seed + drawn, budget_unit=budget_unit)
                planned.append(Run(method, budget, draw, self.seed + trained, chosen.rows, seconds))
        return planned

    def run_grid(self, runs: Sequence[Run], *, with_base: bool = False, show_progress: bool = True) -> Results:
        """Train and score what the store does not have; two processes share the work and never repeat a run.

        The time left that is shown is that of the runs still to be made.
        """
        runs = [Run(BASE, 0, 0, 0, np.zeros(0, dtype=np.int64)), *runs] if with_base else list(runs)
        lines, per_item, groups = [], {}, {}
        for run, (record, arrays) in zip(runs, self._measure_all(runs, show_progress), strict=True):
            for number, benchmark in enumerate(record["benchmarks"]):
                name = benchmark["name"]
                items = arrays[f"items_{number}"]
                per_item[run.method, run.budget, run.draw, run.training_seed, name] = items
                groups[name] = benchmark["groups"]
                lines.append({
                    "method": run.method, "budget": run.budget, "draw": run.draw,
                    "training_seed": run.training_seed, "benchmark": name, "unit": benchmark["unit"],
                    "score": float(np.nanmean(items)), "n_items": int(np.isfinite(items).sum()),
                    "n_rows": len(run.rows), "tokens_trained": record["tokens"],
                    "seconds_select": run.seconds_select, "seconds_train": record["seconds"],
                    "seconds_evaluate": benchmark["seconds"],
                })  # fmt: skip
        return Results(pd.DataFrame(lines), per_item, groups)

    def _measure_all(self, runs: Sequence[Run], show_progress: bool) -> list[tuple[dict, dict[str, np.ndarray]]]:
        wanted = catalogue.benchmarks_for(self.pool, self.settings.max_tokens)
        keys = [self._key(run, wanted) for run in runs]
        found = {key: stored for key in keys if (stored := self._stored(key)) is not None}
        n_found = sum(key in found for key in keys)
        with tqdm(total=len(runs), initial=n_found, desc="runs", unit="run", disable=not show_progress) as bar:
            for wait in (False, True):  # first those that no other process is making
                for run, key in zip(runs, keys, strict=True):
                    measured = None if key in found else self._measured(run, key, wanted, wait=wait)
                    if measured is not None:
                        found[key] = measured
                        bar.update(keys.count(key))
        return [found[key] for key in keys]

    def _key(self, run: Run, wanted: dict) -> str:
        return digest(
            pool=self.pool.fingerprint, base=self.base.fingerprint, rows=run.rows.tolist(),
            seed=run.training_seed, settings=asdict(self.settings.resolved(self.base.device)),
            benchmarks=list(wanted), world=WORLD_VERSION, template=self.base.template.settings(),
            code=code_version(finetuning.__name__, catalogue.__name__),
        )  # fmt: skip

    def _stored(self, key: str) -> tuple[dict, dict[str, np.ndarray]] | None:
        record, arrays = self.store.record("runs", key), self.store.arrays("runs", key)
        return None if record is None or arrays is None else (record, arrays)

    def _measured(self, run: Run, key: str, wanted: dict, *, wait: bool) -> tuple[dict, dict[str, np.ndarray]] | None:
        """What a run measured, made now if need be; None if another process is at it and `wait` is False."""
        lock = self.store.claim("runs", key)
        try:
            lock.acquire(blocking=wait)
        except Timeout:
            return None
        try:
            stored = self._stored(key)
            if stored is None:
                record, arrays = self._made(run, wanted)
                self.store.save_arrays("runs", key, **arrays)
                self.store.save_record("runs", key, record)  # last: its presence says that the run is complete
                stored = record, arrays
        finally:
            lock.release()
        return stored

    def _made(self, run: Run, wanted: dict) -> tuple[dict, dict[str, np.ndarray]]:
        model, training = self.base, {"tokens": 0, "seconds": 0.0, "rows_dropped": {}}
        if len(run.rows):
            model = finetune(self.base, self.pool.messages(run.rows), self.settings, seed=run.training_seed)
            training = model.training
        scored = [benchmark(model) for benchmark in wanted.values()]
        record = {
            "tokens": training["tokens"], "seconds": training["seconds"],
            "rows_dropped": training["rows_dropped"], "n_rows": len(run.rows),
            "benchmarks": [{"name": one.name, "unit": one.unit, "groups": one.groups, "seconds": one.seconds}
                           for one in scored],
        }  # fmt: skip
        return record, {f"items_{number}": one.items for number, one in enumerate(scored)}


def prepare(
    pool: str, *, limit: int | None = None, model: str = "tiny-weak", seed: int = 0,
    finetuning: dict | None = None, duplicates: str = "keep", store: Store | None = None,
    show_progress: bool = True,
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
    rows = load_pool(pool, limit=limit, seed=seed, duplicates=duplicates)
    if model == "scratch":
        base = scratch_base(rows, store=store, seed=seed, show_progress=show_progress)
    else:
        base = load_model(model, store=store)
    asked = Features(
        rows, base, store=store, max_tokens=settings.max_tokens, finetuning=settings, show_progress=show_progress
    )
    return Workbench(rows, base, asked, store, settings, seed)


def _named(method: str) -> list[list]:
    """State of the files and hub models that a call names, those of a method within it included."""
    name, options = parse(method)
    inner = inner_call(name, options)
    return [*files_named(options), *hub_models_named(options), *(_named(inner) if inner else ())]
