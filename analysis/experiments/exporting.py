"""A selection as files: the rows to train on, best first, and beside them what they are and why they were chosen."""

import base64
import csv
import hashlib
import json
import math
import os
from collections.abc import Iterator, Sequence
from functools import partial
from importlib import metadata
from pathlib import Path

import numpy as np

from analysis.experiments.reasons import chosen_because
from analysis.methods import RANDOM, Selection, calls, parse
from analysis.methods.calls import code_of, default_options
from analysis.methods.selection import check_budget, choose
from analysis.pools.originals import has_originals, originals
from analysis.pools.pool import Messages, SetAside
from analysis.pools.training_formats import FORMATS, llama_factory
from analysis.store.code_version import code_version
from analysis.store.store import write_atomic

ORIGINAL = "original"
ENDINGS = (".jsonl", ".json")
BESIDE = (".manifest.json", ".ids.txt", ".rows.csv")
PACKAGES = ("torch", "transformers", "datasets", "numpy", "scikit-learn")


def paths(path: Path | str) -> list[Path]:
    """The file to train on and those beside it, none of which may exist yet.

    Raises
    ------
    ValueError
        The name has another ending than .jsonl (a row per line) or .json (a list).
    FileExistsError
        One of them exists.
    """
    path = Path(os.path.expanduser(path))
    if path.suffix not in ENDINGS:
        raise ValueError(
            f"{path}: expected a file that ends in {' or '.join(ENDINGS)}, found {path.suffix or 'no ending'!r}"
        )
    every = [path, *(path.with_name(path.stem + ending) for ending in BESIDE)]
    if taken := next((one for one in every if one.exists()), None):
        raise FileExistsError(f"{taken}: exists and is not overwritten; name another file, or move this one away")
    return every


def check(work, method: str, budget: int, budget_unit: str = "rows") -> None:
    """What can be refused before anything is computed: budgets that cannot be met, targets that are not there.

    Raises
    ------
    ValueError
        Says what was found and what is expected.
    """
    if budget_unit == "rows" or budget < 1:
        check_budget(budget, len(work.pool))
    else:
        _check_tokens(work, budget)
    for call in _calls_of(method):
        name, options = parse(call)
        if (targets := (default_options(name) | options).get("targets")) is not None:
            work.features.targets(targets)


def _check_tokens(work, budget: int) -> None:
    tokens = np.minimum(work.features.lengths().total, work.settings.max_tokens)
    if tokens.sum() < budget:
        raise ValueError(f"budget: {budget} tokens asked for, but the rows of the pool have only {tokens.sum()}")
    if tokens.min() > budget:
        shortest = work.pool.rows[int(tokens.argmin())]["id"]
        raise ValueError(
            f"budget: {budget} tokens asked for, but the shortest row of the pool, {shortest}, has {tokens.min()}"
        )


def export(
    work, selection: Selection, path: Path | str, *, shape: str | None = None, method: str | None = None, **asked
) -> dict:
    """Write a selection's rows, and beside them a manifest, their ids, and a table of why each row was chosen.

    Parameters
    ----------
    path : ends in .jsonl or .json; `subset.jsonl` gets `subset.manifest.json`, `.ids.txt` and `.rows.csv` beside it.
    shape : "original" (fields and their order as the owner wrote them; the default where the pool is of files or
        of the hub), or "messages" (the default elsewhere), "alpaca" or "sharegpt", see `training_formats`.
    method : the call that selected, for the manifest and for the columns of the table that it explains.
    asked : further entries of the manifest, such as the budget.

    Returns
    -------
    The manifest.

    Raises
    ------
    ValueError, FileExistsError, FileNotFoundError
        Those of `paths` and `originals`, and an unknown shape.
    """
    target, *beside = paths(path)
    shape = shape or (ORIGINAL if has_originals(work.pool) else "messages")
    made = choose("format", shape, {ORIGINAL: None} | FORMATS)
    conversations = work.pool.messages(selection.rows)
    if made is None:
        rows = originals(work.pool, selection.rows, (work.prepared or {}).get("pool"))
    else:
        rows = made(conversations)
    content = "".join(_written(rows, conversations, target.suffix)).encode()
    reasons = chosen_because(work, selection, method, conversations)
    manifest = {
        "file": target.name, "sha256": hashlib.sha256(content).hexdigest(), "format": shape,
        "rows": len(selection.rows), "tokens": int(reasons["tokens"].sum()), "most tokens of a row": work.settings.max_tokens,
        **_about_method(work, selection, method), **asked, **_about_pool(work, selection),
        "model": {"name": work.base.name, "fingerprint": work.base.fingerprint, "precision": work.features.precisions},
        "versions": {name: metadata.version(name) for name in PACKAGES},
        "llama_factory": llama_factory(target.name, shape, list(rows[0])),
    }  # fmt: skip
    told = json.dumps(manifest, indent=2, ensure_ascii=False) + "\n"
    ids = "".join(f"{_in_a_line(one)}\n" for one in reasons["id"])
    table = reasons.to_csv(index=False, quoting=csv.QUOTE_NONNUMERIC)  # else a carriage return in an id begins a line
    texts = [told, ids, table]
    for place, text in zip([*beside, target], [*(text.encode() for text in texts), content], strict=True):
        write_atomic(place, lambda partial, text=text: partial.write_bytes(text))  # the rows last: then all is there
    return manifest


def _in_a_line(row_id: str) -> str:
    """An id that would take several lines, or looks like one of these here, as a string of JSON."""
    return row_id if row_id.splitlines() == [row_id] and not row_id.startswith('"') else json.dumps(row_id)


def _as_text(value: object, messages: Messages) -> str:
    """What JSON does not know: bytes that the row was read with as they were read, all others in base64."""
    if not isinstance(value, bytes):
        return str(value)
    read = value.decode(errors="replace")
    said = any(read in message["content"] for message in messages)
    return read if said else base64.b64encode(value).decode()


def _without_nan(value: object) -> object:
    """None in place of numbers that JSON does not have, as a table has them where a value is missing."""
    if isinstance(value, dict):
        return {name: _without_nan(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_without_nan(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _written(rows: list, conversations: Sequence[Messages], ending: str) -> Iterator[str]:
    """JSON text of the rows, one to a line; what JSON does not know as text, see `_as_text`."""
    for place, (row, messages) in enumerate(zip(rows, conversations, strict=True)):
        as_text = partial(_as_text, messages=messages)
        try:
            text = json.dumps(row, ensure_ascii=False, default=as_text, allow_nan=False)
        except ValueError:
            row = _without_nan(row)
            text = json.dumps(row, ensure_ascii=False, default=as_text)
        try:
            text.encode()
        except UnicodeEncodeError:  # half of a surrogate pair in a field that nobody trains on
            text = json.dumps(row, default=as_text)
        before, after = (
            ("", "\n")
            if ending == ".jsonl"
            else ("[\n" if place == 0 else "", "\n]\n" if place == len(rows) - 1 else ",\n")
        )
        yield before + text + after


def _about_method(work, selection: Selection, method: str | None) -> dict:
    seconds = None if np.isnan(selection.seconds) else selection.seconds
    about = {"seconds of selecting": seconds, "could not be selected": selection.excluded}
    if method is None:
        return {"method": None, **about}
    name, options = parse(method)
    told = {
        "call": method,
        "name": name,
        "options": default_options(name) | options,
        "code": code_version(*code_of(method)),
    }
    return {"method": told | ({} if name == RANDOM else {"seed": work.selection_seed}), **about}


def _about_pool(work, selection: Selection) -> dict:
    pool = work.pool
    told = {"name": pool.name, "fingerprint": pool.fingerprint, "source": pool.provenance.get("source")}
    told["fields"] = pool.provenance.get("told", "")
    parts = pool.provenance.get("parts", {"made": 1, "asked": 1})
    rows = pool.summary() if "rows_read" in pool.provenance else {"to select from": len(pool)}
    return {
        "pool": told | {"rows": rows},
        "set aside": _counted(pool.set_aside),
        "noted": _counted(pool.noted),
        "skipped": pool.provenance.get("skipped", {}),
        "seed": work.seed,
        "part": work.part,
        "parts": parts["made"],
        "parts asked": parts["asked"],
    }


def _counted(found: dict[str, SetAside]) -> dict:
    return {what: {"rows": one.count, "examples": one.examples} for what, one in found.items()}


def _calls_of(method: str) -> list[str]:
    """A call and those within it."""
    inner = calls.inner_call(*parse(method))
    return [method, *(_calls_of(inner) if inner else ())]
