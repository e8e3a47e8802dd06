"""From a name to a Pool: testbed, local files, or the hub; held-out rows set apart by content."""

import re
from collections import Counter
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import numpy as np
from datasets import Dataset, concatenate_datasets
from filelock import FileLock

from analysis.paths import RESULTS
from analysis.pools import conversion, formats, held_out, reading
from analysis.pools.conversion import HASHES, convert_records, load_counts, nothing_fits, save_counts, warn_if_many
from analysis.pools.pool import Pool, Split
from analysis.pools.reading import find_files, read_records
from analysis.pools.row_keys import KEY, chance, mixed, occurrences, unique_keys
from analysis.pools.testbed import RECIPES
from analysis.pools.testbed.blocks import block_files, world_fingerprint
from analysis.pools.testbed.long_answers import PADDED
from analysis.store.code_version import code_version
from analysis.store.file_states import content_hash
from analysis.store.store import Store, digest, write_atomic

TESTBED_ROWS = 5_000
HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[\w.-]+")


def load_pool(
    name_or_path: str | Path,
    *,
    limit: int | None = None,
    seed: int = 0,
    duplicates: str = "keep",
    held_out_share: float = 0.05,
    skills: int | None = None,
    long_answers: str = PADDED,
    cache: Path | None = None,
) -> Pool:
    """Load a pool.

    Parameters
    ----------
    name_or_path : "curated" or "wild" (testbed); a .jsonl, .json, .parquet or .csv file, a folder, a pattern, or
        several with commas; else the id of a data set on the hub.
    limit : rows used, before any is held out. In the testbed the first rows (default 5,000), so that a pool is part of
        every larger one; elsewhere rows drawn by content and seed (default all), because files have an order.
    seed : of the testbed's draw, or of the draw of `limit` rows.
    duplicates : "keep" or "drop" all but one of rows that say the same.
    held_out_share : share of rows, chosen by content alone, that no method can select; near-duplicates stay together.
    skills : of the testbed, so many of its skills (see `testbed.skills_of`), with items to evaluate of these alone;
        default all.
    long_answers : of the testbed, what verbose answers are: "padded", "worked" or "mixed" (see `testbed.rows`).

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
    return load_split(name_or_path, cache=cache, **options).pool()


def load_split(
    name_or_path: str | Path, *, limit: int | None, seed: int, duplicates: str, held_out_share: float,
    skills: int | None = None, long_answers: str = PADDED, cache: Path | None = None,
) -> Split:  # fmt: skip
    """All rows behind a pool; parameters and errors of `load_pool`."""
    name, cache = str(name_or_path), Path(cache or RESULTS / "pools")
    if limit is not None:
        check_count("limit", limit)
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
        return _testbed(name, options | of_world, cache)
    return _converted(name, options, cache)


def check_count(what: str, count: int) -> None:
    """ValueError unless it is a whole number from 1 up."""
    if isinstance(count, bool) or not isinstance(count, int) or count < 1:
        raise ValueError(f"{what}: expected a whole number from 1 up, found {count!r}")


def _testbed(name: str, options: dict, cache: Path) -> Split:
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
        pool=name, world=world_fingerprint(), options=options | {"limit": n_rows}, code=code_version(__name__)
    )
    told = (f", {skills} skills" if skills else "") + (
        f", {long_answers} long answers" if long_answers != PADDED else ""
    )
    provenance = {
        "source": f"testbed, seed {options['seed']}{told}", "rows_read": n_rows,
        "left_out": {"near-duplicate of an earlier row": int((~kept).sum())},
    }  # fmt: skip
    return Split(name, rows, held, kept, fingerprint, {}, provenance, skills)


def _converted(name: str, options: dict, cache: Path) -> Split:
    # A path that exists is a path; what looks like `owner/name` and is no file is asked of the hub.
    on_hub = not Path(name).expanduser().exists() and HUB_ID.fullmatch(name) and not reading.kind(Path(name))
    code = code_version(conversion.__name__, formats.__name__, reading.__name__)
    if on_hub:
        revision = _hub_revision(name)
        source, key = f"hub {name} at {revision}", digest(hub=name, revision=revision, code=code)
        records = _hub_records(name, revision)
    else:
        files = find_files(name)
        source = ", ".join(str(file) for file in files[:5]) + (f" and {len(files) - 5} more" if len(files) > 5 else "")
        key = digest(files=[[file.name, content_hash(file, Store(cache))] for file in files], code=code)
        records = _file_records(files)
    arrow, beside = cache / f"{key}.arrow", cache / f"{key}.json"
    cache.mkdir(parents=True, exist_ok=True)
    with FileLock(cache / f"{key}.lock"):
        if not (arrow.exists() and beside.exists()):
            _convert(source, records, arrow, beside)
    counts = load_counts(beside)
    rows = Dataset.from_file(str(arrow))
    content, verbatim = (rows.data.column(name).to_numpy() for name in HASHES)
    occurrence = occurrences(content, verbatim)
    _, first, group = np.unique(content, return_index=True, return_inverse=True)
    rows = rows.remove_columns(list(HASHES)).add_column("dup_group", first[group].astype(np.int64))
    keys = unique_keys(content, occurrence)
    rows = rows.add_column(KEY, keys)
    wanted = np.ones(len(rows), dtype=bool)
    if options["limit"] is not None and options["limit"] < len(rows):
        wanted[np.lexsort((occurrence, mixed(content, salt=options["seed"] + 1)))[options["limit"] :]] = False
    twin = (occurrence > 0) & (options["duplicates"] == "drop")
    provenance = {
        "source": source, "rows_read": counts.rows_read, "files": counts.files,
        "left_out": {"over the limit": int((~wanted).sum()), "exact duplicate of another row": int((twin & wanted).sum())},
    }  # fmt: skip
    held = np.zeros(len(rows), dtype=bool)
    if options["held_out_share"]:
        found = _held_out(rows, content, keys, options["held_out_share"], key, Store(cache))
        held, rows = found["held"], rows.add_column("near_group", found["group"])
        provenance["held_out"] = {
            "checked": int(found["checked"]), "with a near-duplicate to select": int(found["near_duplicates"]),
        }  # fmt: skip
    fingerprint = digest(content=key, options=options, code=code_version(__name__))
    return Split(_short_name(name), rows, held, wanted & ~twin, fingerprint, counts.set_aside, provenance)


def _held_out(rows: Dataset, content: np.ndarray, keys: np.ndarray, share: float, converted: str, store: Store) -> dict:
    """What `held_out.hold_out` gives, made once: it takes minutes for a million rows."""
    key = digest(converted=converted, share=share, code=code_version(held_out.__name__))
    with store.claim("held_out", key):
        found = store.arrays("held_out", key)
        if found is None:
            found = held_out.hold_out(rows.select_columns(["messages"]), content, keys, share)
            store.save_arrays("held_out", key, **found)
    return found


def _convert(source: str, records: Iterator, arrow: Path, beside: Path) -> None:
    found: list = []
    write_atomic(arrow, lambda partial: found.append(convert_records(records, partial)))
    counts = found[0]
    if counts.rows_read == counts.n_aside:
        arrow.unlink()
        raise nothing_fits(source, counts)
    warn_if_many(source, counts)
    write_atomic(beside, lambda partial: save_counts(partial, counts))


def _file_records(files: list[Path]) -> Iterator[tuple[str, str, int, object]]:
    stems = Counter(file.name.split(".")[0] for file in files)
    for place, file in enumerate(files):
        unique = stem = file.name.split(".")[0]
        if stems[stem] > 1:
            unique = next(name for extra in count(place) if (name := f"{stem}-{extra}") not in stems)
            stems[unique] = 1  # taken
        for number, record in read_records(file):
            yield unique, str(file), number, record


def _hub_revision(name: str) -> str:
    import httpx
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError, OfflineModeIsEnabled

    try:
        return HfApi().dataset_info(name).sha
    except (HfHubHTTPError, OfflineModeIsEnabled, OSError, httpx.HTTPError) as error:
        raise ValueError(
            f"pool {name!r}: not a file or folder here, not a testbed pool ({', '.join(RECIPES)}), and the hub does not "
            f"give a data set of this name: {type(error).__name__}"
        ) from error


def _hub_records(name: str, revision: str) -> Iterator[tuple[str, str, int, object]]:
    from datasets import load_dataset

    for number, record in enumerate(load_dataset(name, split="train", streaming=True, revision=revision)):
        yield name.split("/")[-1], name, number, record


def _short_name(name: str) -> str:
    first = name.split(",")[0].rstrip("/")
    return (
        first if HUB_ID.fullmatch(first) and not Path(first).expanduser().exists() else Path(first).name.split(".")[0]
    )
