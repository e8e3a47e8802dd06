"""A pool of the testbed from blocks that are held against their notes before anything is read from them."""

from pathlib import Path

from filelock import FileLock

from analysis.pools.pool import Split
from analysis.pools.testbed.blocks import block_files
from analysis.pools.testbed.long_answers import PADDED
from analysis.pools.testbed_split import TESTBED_ROWS, testbed_split
from analysis.store.noted_files import is_noted, is_whole, note


def split_of_whole_blocks(name: str, options: dict, cache: Path) -> Split:
    """`testbed_split`; a damaged block is set aside with a warning that names it, and made again."""
    n_rows, long_answers = options["limit"] or TESTBED_ROWS, options.get("long_answers", PADDED)
    n_damaged = 1
    while n_damaged:
        files = block_files(name, options["seed"], n_rows, cache, options["skills"], long_answers)
        # Not around the making: processes that make blocks import the script that asks for them, and would wait for it.
        with FileLock(cache / f"testbed-{name}.lock"):
            for file in files:
                if file.exists() and not is_noted(file):  # made just now, or before there were notes
                    note(file)
            n_damaged = sum(not is_whole(file) for file in files)
    return testbed_split(name, options, cache)
