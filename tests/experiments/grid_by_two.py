"""Makes a small grid in every process of a launch: `torchrun ... -m tests.experiments.grid_by_two FOLDER`."""

import json
import os
import sys
from pathlib import Path

from analysis.experiments import grid
from analysis.experiments.results import Results
from analysis.methods import RANDOM
from analysis.store.store import Store
from tests.experiments.test_workbench import make_workbench
from tests.two_processes import result

LONGEST = "token_length"
# The second fine-tunes to select, and the third warms up: both inside of what they claim in the store.
METHODS = [LONGEST, "diverse_evol(rounds=2)", 'less(targets="pool", warm_up_share=0.2)']


def made(folder: Path | str) -> Results:
    """The results of every method and of random draws, on two parts."""
    work = make_workbench(Path(folder), epochs=2)
    return grid.run(work, grid.plan(work, [RANDOM, *METHODS], 8, n_draws=2), with_base=True, show_progress=False)


if __name__ == "__main__":
    saved, save = [], Store.save_record
    Store.save_record = lambda store, kind, key, record: (saved.append(kind), save(store, kind, key, record))
    results = made(sys.argv[1])
    again = made(sys.argv[1])
    told = {
        "methods": list(results.table["method"]), "scores": list(results.table["score"]),
        "again": list(again.table["score"]), "stored": saved.count("runs"), "rank": os.environ["RANK"],
    }  # fmt: skip
    result(sys.argv[1], "results").write_text(json.dumps(told), encoding="utf-8")
