"""From a name to a Pool: testbed, local files, or the hub; held-out rows set apart by content."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from datasets import Dataset

from analysis.paths import RESULTS
from analysis.pools import contamination, held_out, how_to_read
from analysis.pools.conversion import HASHES
from analysis.pools.converted import read_once, short_name
from analysis.pools.files import is_there
from analysis.pools.how_to_read import HowToRead, split_name
from analysis.pools.pool import Pool, Split
from analysis.pools.row_keys import KEY, mixed, occurrences, unique_keys
from analysis.pools.testbed import RECIPES
from analysis.pools.testbed.long_answers import PADDED
from analysis.pools.testbed_blocks import split_of_whole_blocks
from analysis.store.code_version import code_version
from analysis.store.store import Store, digest
from analysis.store.workers import without_main


def load_pool(
    name_or_path: str | Path,
    *,
    limit: int | None = None,
    seed: int = 0,
    duplicates: str = "keep",
    held_out_share: float = 0.05,
    skills: int | None = None,
    long_answers: str = PADDED,
    fields: str | Mapping[str, str] = "",
    decontaminate: Sequence[str | Path] = (),
    cache: Path | None = None,
) -> Pool:
    """Load a pool.

    Parameters
    ----------
    name_or_path : "curated" or "wild" (testbed); a file of JSON, CSV, Parquet or Arrow, a folder, a pattern, or several
        with commas; else the id of a data set on the hub. What `fields` says may follow it after "::".
    limit : rows used, before any is held out. In the testbed the first rows (default 5,000), so that a pool is part of
        every larger one; elsewhere rows drawn by content and seed (default all), because files have an order.
    seed : of the testbed's draw, or of the draw of `limit` rows.
    duplicates : "keep" or "drop" all but one of rows that say the same.
    held_out_share : share of rows, chosen by content alone, that no method can select; near-duplicates stay together.
    skills : of the testbed, so many of its skills (see `testbed.skills_of`), with items to evaluate of these alone;
        default all.
    long_answers : of the testbed, what verbose answers are: "padded", "worked" or "mixed" (see `testbed.rows`).
    fields : what the fields of a file mean where their names do not tell, `prompt=question,answer=solution` or
        `messages=turns,role=who,content=said`, and how it is read: `encoding=cp1252`, `language=English`, `toxic=drop`,
        `redacted=drop`, `longest_row=64` (megabytes). See `how_to_read.HowToRead`.
    decontaminate : files or folders of benchmark items; rows that hold one are left out, see `contamination`. In `fields`
        too, with semicolons between several.

    Raises
    ------
    FileNotFoundError, ValueError
        Nothing there, or nothing usable in it; names file, row, field and what was found.
    """
    options = {
        "limit": limit,
        "seed": seed,
        "duplicates": duplicates,
        "held_out_share": held_out_share,
        "skills": skills,
        "long_answers": long_answers,
    }
    return load_split(name_or_path, fields=fields, decontaminate=decontaminate, cache=cache, **options).pool()


def load_split(
    name_or_path: str | Path, *, limit: int | None, seed: int, duplicates: str, held_out_share: float,
    skills: int | None = None, long_answers: str = PADDED, fields: str | Mapping[str, str] = "",
    decontaminate: Sequence[str | Path] = (), cache: Path | None = None,
) -> Split:  # fmt: skip
    """All rows behind a pool; parameters and errors of `load_pool`."""
    (name, told), cache = split_name(str(name_or_path)), Path(cache or RESULTS / "pools")
    how = how_to_read.how_to_read(fields or told)
    benchmarks = tuple(map(str, decontaminate)) or tuple(filter(None, how.decontaminate.split(";")))
    if benchmarks and name in RECIPES:
        raise ValueError(f"decontaminate: only of files, and {name!r} is the testbed, whose items are in no pool")
    if limit is not None:
        check_count("limit", limit)
    if isinstance(seed, bool) or not isinstance(seed, int) or seed < 0:
        raise ValueError(f"seed: expected a whole number from 0 up, found {seed!r}")
    if duplicates not in ("keep", "drop"):
        raise ValueError(f"duplicates: expected 'keep' or 'drop', found {duplicates!r}")
    if not 0 <= held_out_share < 1:
        raise ValueError(f"held_out_share: expected from 0 to below 1, found {held_out_share!r}")
    for option, default, given in (("skills", None, skills), ("long_answers", PADDED, long_answers)):
        if given != default and name not in RECIPES:
            raise ValueError(
                f"{option}: only of the testbed's pools ({', '.join(RECIPES)}), and {name!r} is none of them"
            )
    options = {
        "limit": limit,
        "seed": seed,
        "duplicates": duplicates,
        "held_out_share": float(held_out_share),
    }
    if name in RECIPES:
        of_world = {"skills": skills} | ({} if long_answers == PADDED else {"long_answers": long_answers})
        with without_main():  # many rows are generated by several processes
            return split_of_whole_blocks(name, options | of_world, cache)
    return _converted(name, how, options | ({"decontaminate": benchmarks} if benchmarks else {}), cache)


def check_count(what: str, count: int) -> None:
    """ValueError unless it is a whole number from 1 up."""
    if isinstance(count, bool) or not isinstance(count, int) or count < 1:
        raise ValueError(f"{what}: expected a whole number from 1 up, found {count!r}")


def try_pool(name_or_path: str, cache: Path | None = None) -> None:
    """Read a pool's files, which `load_pool` will find read; errors of `load_pool`."""
    name, told = split_name(name_or_path)
    how = how_to_read.how_to_read(told)
    if lacking := next((one for one in filter(None, how.decontaminate.split(";")) if not is_there(one)), None):
        raise FileNotFoundError(f"decontaminate: no file or folder of items here: {lacking}")
    if name not in RECIPES:
        read_once(name, how, Path(cache or RESULTS / "pools"))


def _converted(name: str, how: HowToRead, options: dict, cache: Path) -> Split:
    source, key, arrow, counts = read_once(name, how, cache)
    rows = Dataset.from_file(str(arrow))
    content, verbatim = (rows.data.column(name).to_numpy() for name in HASHES)
    occurrence = occurrences(content, verbatim)
    _, first, group = np.unique(content, return_index=True, return_inverse=True)
    rows = rows.remove_columns(list(HASHES)).add_column("dup_group", first[group].astype(np.int64))
    keys = unique_keys(content, occurrence)
    rows = rows.add_column(KEY, keys)
    copied = np.isin(rows.data.column("file").to_numpy(), counts.copies)
    wanted = ~copied
    if options["limit"] is not None and options["limit"] < wanted.sum():
        order = np.lexsort((occurrence, mixed(content, salt=options["seed"] + 1)))
        wanted[order[wanted[order]][options["limit"] :]] = False
    else:  # it leaves nothing out, so that the pool is the one without it
        options = options | {"limit": None}
    twin = (occurrence > 0) & (options["duplicates"] == "drop")
    provenance = {
        "source": source, "rows_read": counts.rows_read, "files": list(counts.files),
        "read_by_file": counts.files, "skipped": counts.skipped,
        "copies": [path for place, path in enumerate(counts.files) if place in counts.copies], "told": how.told(),
        "left_out": {
            "in a copy of another file": int(copied.sum()), "over the limit": int((~wanted & ~copied).sum()),
            "exact duplicate of another row": int((twin & wanted).sum()),
        },
    }  # fmt: skip
    held = np.zeros(len(rows), dtype=bool)
    if options["held_out_share"]:
        found = _held_out(rows, content, keys, options["held_out_share"], key, Store(cache))
        held, rows = found["held"], rows.add_column("near_group", found["group"])
        provenance["held_out"] = {
            "checked": int(found["checked"]), "with a near-duplicate to select": int(found["near_duplicates"]),
        }  # fmt: skip
    kept = wanted & ~twin
    if options.get("decontaminate"):
        benchmark, items = contamination.contaminated(rows, options["decontaminate"], key, Store(cache))
        counted = Counter(benchmark[kept & (benchmark != "")].tolist())
        provenance["left_out"] |= {f"holds an item of {found}": count for found, count in sorted(counted.items())}
        kept, options = kept & (benchmark == ""), options | {"decontaminate": items}
    fingerprint = digest(content=key, options=options, code=code_version(__name__))
    return Split(
        short_name(name),
        rows,
        held,
        kept,
        fingerprint,
        counts.set_aside,
        provenance,
        noted=counts.noted,
    )


def _held_out(rows: Dataset, content: np.ndarray, keys: np.ndarray, share: float, converted: str, store: Store) -> dict:
    """What `held_out.hold_out` gives, made once: it takes minutes for a million rows."""
    key = digest(converted=converted, share=share, code=code_version(held_out.__name__))
    with store.claim("held_out", key):
        found = store.arrays("held_out", key)
        if found is None:
            found = held_out.hold_out(rows.select_columns(["messages"]), content, keys, share)
            store.save_arrays("held_out", key, **found)
    return found
