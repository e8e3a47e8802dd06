"""Testbed rows as Arrow blocks: generated once, in parallel where there are many, shared by all prefixes."""

import os
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pyarrow as pa

from analysis.pools.said import MESSAGES
from analysis.pools.testbed import COLUMNS, WORLD_VERSION, rows
from analysis.pools.testbed.subset import pool_id
from analysis.store.code_version import code_version
from analysis.store.store import digest, write_atomic

BLOCK = 10_000
_TYPES = {"messages": MESSAGES, "dup_group": pa.int64()}
SCHEMA = pa.schema([(name, _TYPES.get(name, pa.string())) for name in COLUMNS])
ROWS_PER_BATCH = 1_000


def world_fingerprint() -> str:
    """Changes with the version of the world and with the code that generates rows."""
    return digest(world=WORLD_VERSION, code=code_version(rows.__module__))


def block_files(
    pool: str, seed: int, n_rows: int, cache: Path, skills: int | None = None, long_answers: str = "padded"
) -> list[Path]:
    """Arrow files whose rows, one file after the other, begin with the first `n_rows` rows of a testbed pool."""
    folder = cache / f"testbed-{pool_id(pool, skills, long_answers)}-{seed}-{world_fingerprint()}"
    files = [folder / f"{start:09d}.arrow" for start in range(0, n_rows, BLOCK)]
    missing = [place for place, file in enumerate(files) if not file.exists()]
    jobs = [(pool, seed, place * BLOCK, files[place], skills, long_answers) for place in missing]
    workers = min(len(jobs) // 2, os.cpu_count() or 1)
    if workers < 2:
        for job in jobs:
            _write_block(*job)
    else:
        with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as processes:
            for future in [processes.submit(_write_block, *job) for job in jobs]:
                future.result()
    return files


def _write_block(pool: str, seed: int, start: int, file: Path, skills: int | None, long_answers: str) -> None:
    def write(partial: Path) -> None:
        with pa.OSFile(str(partial), "wb") as sink, pa.ipc.new_stream(sink, SCHEMA) as writer:
            for first in range(start, start + BLOCK, ROWS_PER_BATCH):
                made = rows(pool, seed, first, first + ROWS_PER_BATCH, skills, long_answers)
                writer.write_batch(pa.record_batch(made, schema=SCHEMA))

    write_atomic(file, write)
