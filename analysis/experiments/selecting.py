"""Selections on a workbench: made once per method, budget and seed, by rows or by tokens."""

import json
import time
from dataclasses import asdict

import numpy as np

from analysis.features import MADE_BY, NEEDS_NO_BASE, NEEDS_TOKENIZER, features
from analysis.methods import Selection, calls, inner_call, parse
from analysis.methods.calls import code_of, default_options, needs_of
from analysis.models.hub import hub_models_named
from analysis.pools import target_files
from analysis.store.code_version import code_version, own_code
from analysis.store.file_states import files_named
from analysis.store.published import log
from analysis.store.store import digest

UNITS = ("rows", "tokens")


def select(work, method: str, budget: int, *, seed: int, budget_unit: str = "rows") -> Selection:
    """A method's selection on a workbench, stored, with the seconds it took when it was made.

    With `budget_unit="tokens"` as many rows are selected as have the tokens, twice as many while they do not
    suffice, and the selection is cut where the tokens of one epoch reach the budget.
    """
    if budget_unit not in UNITS:
        raise ValueError(f"budget_unit: expected one of {', '.join(UNITS)}, found {budget_unit!r}")
    depends = depends_on(work, method, budget, seed, budget_unit)
    key = digest(**depends)
    log.ask("selections", key, **_described(work, method, depends))
    with work.store.claim("selections", key):
        record, arrays = work.store.record("selections", key), work.store.arrays("selections", key)
        if record is None or arrays is None:
            started = time.perf_counter()
            selection = made(work, method, budget, seed, budget_unit)
            record = {"excluded": selection.excluded, "seconds": time.perf_counter() - started}
            scores = {} if selection.scores is None else {"scores": selection.scores}
            arrays = {"rows": selection.rows, **scores}
            work.store.save_arrays("selections", key, **arrays)
            work.store.save_record("selections", key, record)
    return Selection(arrays["rows"], arrays.get("scores"), **record)


def selection_key(work, method: str, budget: int, seed: int, budget_unit: str) -> str:
    """The key of a stored selection."""
    return digest(**depends_on(work, method, budget, seed, budget_unit))


def depends_on(work, method: str, budget: int, seed: int, budget_unit: str) -> dict:
    """What a stored selection depends on: the call with its defaults, the code behind it, and what it asks about."""
    name, options = parse(method)
    needs = _needs(method, budget_unit)
    depends = {"pool": work.pool.fingerprint} | code_behind(method, budget_unit)
    if needs - set(NEEDS_NO_BASE):
        depends |= work.features.text_settings | {"max_tokens": work.features.max_tokens}
    if _asks_the_base(needs):
        depends |= {
            "base": work.base.fingerprint,
            "weights": str(work.base.dtype),
            "precision": str(work.features.autocast),
        }
    if "after_finetuning" in needs:
        depends |= {"finetuning": asdict(work.settings.resolved(work.base.device))}
    if budget_unit == "tokens":
        depends |= {"longest": work.settings.max_tokens}
    return depends | {
        "method": name, "options": default_options(name) | options, "budget": budget, "unit": budget_unit, "seed": seed,
        "named": _named(method),
    }  # fmt: skip


def code_behind(method: str, budget_unit: str) -> dict[str, str]:
    """The versions of the code that a selection depends on, under the names that they have in what it depends on."""
    needs = _needs(method, budget_unit)
    versions = {"code": code_version(*code_of(method), *(MADE_BY[need] for need in sorted(needs)))}
    if _asks_the_base(needs):
        versions |= {"features": own_code(features.__name__)}
    return versions | ({"cut": own_code(__name__)} if budget_unit == "tokens" else {})


def _needs(method: str, budget_unit: str) -> set[str]:
    return {*needs_of(method), *(("lengths",) if budget_unit == "tokens" else ())}


def _asks_the_base(needs: set[str]) -> bool:
    return bool(needs - {*NEEDS_NO_BASE, *NEEDS_TOKENIZER})


def _described(work, method: str, depends: dict) -> dict:
    """What a published selection says of itself; its rows are with its scores."""
    told = {"method": method, "part": work.part, "budget": depends["budget"], "design": depends["unit"]}
    told |= {
        "pool": work.pool.name,
        "base": work.base.name,
        "settings": json.dumps(depends, sort_keys=True, default=int),
    }
    return told | {"prepared": work.prepared and json.dumps(work.prepared, sort_keys=True)}


def made(work, method: str, budget: int, seed: int, budget_unit: str) -> Selection:
    """A method's selection made now, whatever is stored; see `select`."""
    if budget_unit == "rows":
        return calls.select(method, work.features, budget, seed=seed)
    tokens = np.minimum(work.features.lengths().total, work.settings.max_tokens)
    n_rows = min(len(work.pool), -(-budget * len(work.pool) // int(tokens.sum())))
    while True:
        ranked = calls.select(method, work.features, n_rows, seed=seed)
        selectable = len(work.pool) - sum(ranked.excluded.values())
        if tokens[ranked.rows].sum() >= budget or n_rows >= selectable:
            return Selection(cut_by_tokens(ranked.rows, tokens, budget), ranked.scores, ranked.excluded)
        n_rows = min(2 * n_rows, selectable)


def cut_by_tokens(rows: np.ndarray, training_tokens_per_row: np.ndarray, token_budget: int) -> np.ndarray:
    """The longest prefix of ranked rows whose tokens together stay within a budget.

    Parameters
    ----------
    rows : positions in the pool, best first.
    training_tokens_per_row : of shape (n_rows of the pool,); prompt and answer tokens that one epoch reads.
    token_budget : tokens of one epoch.

    Raises
    ------
    ValueError
        The first row alone exceeds the budget, or all rows together do not reach it.
    """
    rows = np.asarray(rows)
    total = np.cumsum(np.asarray(training_tokens_per_row)[rows])
    if token_budget < 1:
        raise ValueError(f"token budget: expected at least 1, found {token_budget}")
    if len(rows) == 0 or total[-1] < token_budget:
        found = int(total[-1]) if len(rows) else 0
        raise ValueError(f"token budget: {token_budget} asked for, but {len(rows)} rows have only {found}")
    n_kept = int(np.searchsorted(total, token_budget, side="right"))
    if n_kept == 0:
        raise ValueError(f"token budget: {token_budget} is less than the {int(total[0])} of row {rows[0]}")
    return rows[:n_kept]


def _named(method: str) -> list[list]:
    """State of the files and hub models that a call names, and what target rows say; of a method within it too."""
    name, options = parse(method)
    inner = inner_call(name, options)
    rows = target_files.fingerprint(options.get("targets")) if {"targets", "influences"} & {*needs_of(name)} else None
    named = [*files_named(options), *hub_models_named(options), *([["targets", rows]] if rows else ())]
    return named + (_named(inner) if inner else [])
