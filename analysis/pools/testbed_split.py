"""A pool of the testbed: its rows, and which of them are held out. How files are read changes nothing about it."""

from pathlib import Path

import numpy as np
from datasets import Dataset, concatenate_datasets

from analysis.pools import row_keys
from analysis.pools.pool import Split
from analysis.pools.row_keys import chance
from analysis.pools.testbed.blocks import block_files, world_fingerprint
from analysis.pools.testbed.long_answers import PADDED
from analysis.store.code_version import code_version, own_code
from analysis.store.store import digest

TESTBED_ROWS = 5_000


def testbed_split(name: str, options: dict, cache: Path) -> Split:
    """All rows behind a pool of the testbed; `options` are those of `load_split`."""
    n_rows = options["limit"] or TESTBED_ROWS
    skills, long_answers = options["skills"], options.get("long_answers", PADDED)
    files = block_files(name, options["seed"], n_rows, cache, skills, long_answers)
    rows = concatenate_datasets([Dataset.from_file(str(file)) for file in files]).select(range(n_rows))
    group = rows.data.column("dup_group").to_numpy()[:n_rows]
    held = chance(group.astype(np.uint64), salt=options["seed"] + 1) < options["held_out_share"]
    kept = np.ones(n_rows, dtype=bool)
    if options["duplicates"] == "drop":
        kept = group == np.arange(n_rows)
    fingerprint = digest(
        pool=name,
        world=world_fingerprint(),
        options=options | {"limit": n_rows},
        code=[own_code(__name__), code_version(row_keys.__name__)],
    )
    told = (f", {skills} skills" if skills else "") + (
        f", {long_answers} long answers" if long_answers != PADDED else ""
    )
    provenance = {
        "source": f"testbed, seed {options['seed']}{told}", "rows_read": n_rows,
        "left_out": {"near-duplicate of an earlier row": int((~kept).sum())},
    }  # fmt: skip
    return Split(name, rows, held, kept, fingerprint, {}, provenance, skills)
