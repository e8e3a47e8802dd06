"""What README.md shows as Python runs as it stands there."""

import re
import textwrap

import numpy as np
import pytest

from analysis.experiments.benchmarks import testbed
from analysis.experiments.workbench import prepare
from analysis.methods.catalogue import Method
from analysis.paths import ROOT
from analysis.pools.testbed import evaluation_items
from analysis.store.store import Store

BLOCKS = re.findall(r"^ *```python\n(.*?)^ *```", (ROOT / "README.md").read_text(encoding="utf-8"), re.S | re.M)
CELL, METHOD, OF_TEXTS, ENTRIES = [textwrap.dedent(block) for block in BLOCKS]


@pytest.mark.slow
def test_the_cell_selects_compares_and_exports(tmp_path, monkeypatch):
    """With fewer rows and items, which change no call."""
    smaller = {"limit=1500": "limit=60", "budget=160": "budget=6", ", 160": ", 6", "n_draws=6": "n_draws=3"}
    code = CELL
    for one, other in smaller.items():
        assert one in code
        code = code.replace(one, other)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("analysis.experiments.workbench.Store", lambda: Store(tmp_path / "store"))
    monkeypatch.setattr("analysis.models.training.finetuning.FineTuning.epochs_for", lambda *_: 1)
    monkeypatch.setattr(testbed, "evaluation_items", lambda *_: evaluation_items()[:20])
    known = {}
    exec(code, known)
    assert len(known["chosen"].rows) == 6 and known["losses"] is not None
    assert set(known["results"].table["method"]) == {"base", "random_selection", "token_length", "kmeans"}
    assert len((tmp_path / "subset.jsonl").read_text().splitlines()) == 6


def test_the_method_selects_by_what_its_entry_names(tmp_path):
    known = {}
    exec(METHOD, known)
    entries = eval("{" + ENTRIES + "}", {"Method": Method})
    assert {name: entry.needs for name, entry in entries.items()} == {"short_question": ("lengths",), "new_words": ()}
    work = prepare("curated", limit=60, store=Store(tmp_path))
    chosen = known["select"](work.features, 5, seed=0)
    lengths = work.features.lengths()
    ratio = lengths.answer / (lengths.total - lengths.answer)
    assert sorted(ratio[chosen.rows]) == sorted(sorted(ratio)[-5:])


def test_the_method_of_texts_reads_every_row_whatever_it_takes_at_once(tmp_path):
    known = {}
    exec(OF_TEXTS, known)
    features = prepare("curated", limit=60, store=Store(tmp_path)).features
    chosen, piecewise = (known["select"](features, 5, seed=0, at_once=size) for size in (2000, 7))
    assert chosen.rows.tolist() == piecewise.rows.tolist() and np.array_equal(chosen.scores, piecewise.scores)
    words = [turns[-1]["content"].lower().split() for turns in features.messages(0, features.n_rows)]
    assert chosen.scores.tolist() == [len(set(one)) / len(one) for one in words]
