"""Lines of a published file, by hand: runs of two rows on forty items of two groups."""

import json

import numpy as np

from analysis.experiments.results import EQUAL_ROWS
from analysis.methods import BASE, RANDOM
from analysis.store import publishing
from analysis.store.published import packed

H100 = "H100, torch 2"
FINETUNING = {"learning_rate": 1e-3, "epochs": 3, "bf16": True}


def line(
    method, part, score, *, budget=2, rows=None, training_seed=None, pool="rows", base="model", settings=None, device="cuda", prepared=None,
    made=1.0, made_on=H100, content=None, design=EQUAL_ROWS, tokens=20,
) -> dict:  # fmt: skip
    """A run: every item scores `score`, those of the second group as well unless it is a pair."""
    rows = np.array([], dtype=int) if method == BASE else np.array(rows or range(budget))
    scores = np.tile(np.broadcast_to(score, 2), 20).astype(np.float32)
    depends = {
        "pool": content or f"{pool} {part}",
        "seed": part,
        "base": base,
        "settings": FINETUNING | (settings or {}),
    }
    depends |= {"device": device} if device != "cpu" else {}
    depends |= {"code": "today"}
    asked = {"pool": "rows.jsonl", "seed": 0, "budget": [2]} | (prepared or {})
    record = {"tokens": tokens, "seconds": 1.0, "benchmarks": [
        {"name": "held-out answer loss", "unit": "nats per answer token, negated", "seconds": 1.0}]}  # fmt: skip
    record |= {"made_on": made_on} if made_on else {}
    told = (method, part, budget, rows.tolist(), training_seed, made, made_on, design, depends, asked)
    return {
        "kind": "runs", "key": json.dumps(told), "reports": ["compare"], "made": made, "pool": f"{pool}, part {part + 1} of 3",
        "base": base, "method": method, "design": design, "settings": json.dumps(depends), "prepared": json.dumps(asked),
        "part": part, "budget": 0 if method == BASE else budget, "draw": part,
        "training_seed": part if training_seed is None else training_seed, "tokens": tokens, "seconds": 1.0, "scores": "{}",
        "record": json.dumps(record), "groups": [json.dumps(["left", "right"] * 20)],
        "arrays": [{"name": "rows"} | packed(rows), {"name": "items_0"} | packed(scores)],
    }  # fmt: skip


def compared_lines() -> list[dict]:
    """The base at -4, three draws around -2, and IFD at -1.5 on half as many tokens more."""
    random = [line(RANDOM, part, score) for part, score in enumerate((-2.1, -2.0, -1.9))]
    return [line(BASE, 0, -4), *random, *[line("ifd", part, -1.5, tokens=30) for part in range(3)]]


def written(folder, lines) -> str:
    """The path of a published file with these lines."""
    path = folder / "mine.parquet"
    publishing.write(path, lines)
    return str(path)
