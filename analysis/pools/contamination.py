"""Which rows of a pool hold items of a benchmark: shared windows of 13 words, and short questions word for word.

An item is known by what it asks: the question, with its choices where it is shorter than a window. A window that more
than `MOST_ITEMS` items of a benchmark share is its template and says nothing about an item. The rule for a contaminated
row stands in `is_contaminated`. It finds copies, whatever was done to case, punctuation and layout; it finds no
paraphrase, no translation, and no answer without its question.
"""

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
from datasets import Dataset

from analysis.pools.files import kind
from analysis.pools.findings import Rejected
from analysis.pools.formats import convert
from analysis.pools.reading import read_records
from analysis.pools.word_windows import words
from analysis.store.code_version import code_version
from analysis.store.store import Store, digest

WINDOW = 13  # words (GPT-3, Brown et al. 2020, appendix C)
SHORTEST = 8  # words of a question that is looked for as a whole: shorter ones are asked by chance
SHARE = 0.5  # of an item's windows, from which a row holds the item
MOST_ITEMS = 10  # of one benchmark that may share a window
ASKED = ("instruction", "question", "prompt", "input", "problem", "query")
CHOICES = ("choices", "options")
HELD_OUT = "held-out rows"
ROWS_AT_ONCE, CHARACTERS_AT_ONCE = 1_024, 2_000_000
SIEVE = 2**24  # places of a table that most windows of a pool do not pass

Item = tuple[str, str, str, str]  # benchmark, name, question, question with its choices


@dataclass(frozen=True)
class Items:
    """Items of benchmarks, ready to be looked for.

    Attributes
    ----------
    table : benchmark, item (where it is from), text, and windows (its own; 0 = only looked for as a whole).
    windows, of : uint64, sorted, and the item of each; of shape (n_windows,). A window has a line for each of its items.
    wholes : hash of a whole question -> item.
    left_out : by benchmark, items read, and those of them that are too short to be looked for, or repeat or equal
        another one in all their words.
    """

    table: pd.DataFrame
    windows: np.ndarray
    of: np.ndarray
    wholes: pd.Series
    left_out: pd.DataFrame


def is_contaminated(overlaps: pd.DataFrame) -> pd.Series:
    """The rule: a row holds half of an item's own windows, or a message of it is a whole question of 8 words or more."""
    return overlaps["whole"] | (overlaps["share"] >= SHARE)


def read_items(names: str) -> Iterator[Item]:
    """Items of files and folders, with commas; of a folder of folders each is a benchmark.

    Raises
    ------
    FileNotFoundError, ValueError
        Nothing there, or no text in it.
    """
    for name in filter(None, (name.strip() for name in names.split(","))):
        root = Path(os.path.expanduser(name)).resolve()
        found = 0
        for file in _files(root):
            inner = file.relative_to(root).parts if root.is_dir() else ()
            benchmark = inner[0] if len(inner) > 1 else root.name if inner else f"{file.parent.name}/{file.name}"
            for number, record in _records(file):
                question, choices = _texts(record)
                if question.strip():
                    found += 1
                    yield benchmark, f"{file.name}:{number}", question, f"{question}\n{choices}"
        if not found:
            raise ValueError(f"{name}: no item with text; expected fields such as {', '.join(ASKED)}")


def held_out_items(held_out: Dataset) -> Iterator[Item]:
    """What the held-out rows of a pool ask, as items."""
    for row in held_out.select_columns(["id", "messages"]):
        asked = _asked_of(row["messages"])
        yield HELD_OUT, row["id"], asked, asked


def index_items(items: Iterable[Item]) -> Items:
    """Make items ready to be looked for (see `Items`)."""
    table = pd.DataFrame(items, columns=["benchmark", "item", "question", "with choices"])
    plain = words(table["question"].tolist())
    length = pd.Series(np.bincount(plain.text, minlength=len(table)), index=table.index)
    table["text"] = table["question"].where(length >= WINDOW, table["with choices"])
    whole, which, _ = words(table["text"].tolist()).wholes()
    table["whole"] = pd.Series(whole, index=which).reindex(table.index, fill_value=0)
    read = table.groupby("benchmark", sort=False).size()
    # Items of other signs but the same words (brackets to be closed, say) cannot be told apart by words.
    signs = table["text"].str.split().str.join(" ")
    same = signs.groupby([table["benchmark"], table["whole"]]).transform("nunique") > 1
    repeats = table.duplicated(["benchmark", "whole"])
    windows, of = words(table["text"].tolist()).windows(WINDOW)
    pairs = pd.DataFrame({"window": windows, "item": of}).drop_duplicates()
    pairs = pairs[~(same | repeats)[pairs["item"]].to_numpy()]
    shared = pairs.groupby([table["benchmark"].to_numpy()[pairs["item"]], "window"])["item"].transform("size")
    pairs = pairs[shared <= MOST_ITEMS].sort_values(["window", "item"])
    table["windows"] = pairs["item"].value_counts().reindex(table.index, fill_value=0)
    asked, which, count = plain.wholes()
    wholes = pd.Series(which, index=asked)[(count >= SHORTEST) & ~(same | repeats)[which].to_numpy()]
    sought = (table["windows"] > 0) | table.index.isin(wholes)
    left_out = pd.DataFrame({
        "items": read,
        "not told apart": (same | repeats).groupby(table["benchmark"]).sum(),
        "too short or template": (~sought & ~same & ~repeats).groupby(table["benchmark"]).sum(),
    })  # fmt: skip
    table = table[["benchmark", "item", "text", "windows"]]
    wholes = wholes[~wholes.index.duplicated()]
    return Items(table, pairs["window"].to_numpy(), pairs["item"].to_numpy(), wholes, left_out.loc[read.index])


def find_overlaps(rows: Dataset, items: Items) -> pd.DataFrame:
    """What every row shares with the item of each benchmark that it shares most with, in bounded memory.

    Returns
    -------
    row, benchmark, item (its line in `items.table`), windows (shared), share (of the item's windows), whole (a message
    is the question, word for word): a line for every row and benchmark that share a window or a whole question.
    """
    sieve = np.zeros(SIEVE, dtype=bool)
    sieve[items.windows % np.uint64(SIEVE)] = True
    found = [_overlaps(*part, items, sieve) for part in _messages(rows)]
    columns = {"row": np.int64, "item": np.int64, "windows": np.int64, "whole": bool}
    table = pd.concat([pd.DataFrame({name: [] for name in columns}), *found]).astype(columns)
    table = table.groupby(["row", "item"], as_index=False).agg({"windows": "sum", "whole": "max"})
    of = items.table.iloc[table["item"]]
    table["benchmark"] = of["benchmark"].to_numpy()
    table["share"] = table["windows"] / np.maximum(of["windows"].to_numpy(), 1)
    best = table.sort_values(["row", "whole", "share"], ascending=[True, False, False], kind="stable")
    return best.drop_duplicates(["row", "benchmark"]).reset_index(drop=True)


def contaminated(rows: Dataset, names: Sequence[str], converted: str, store: Store) -> tuple[np.ndarray, str]:
    """The benchmark of which each row holds an item ("" for none), and a digest of the items; found once."""
    items = index_items(item for name in names for item in read_items(name))
    of_items = digest(items=items.table.drop(columns="item").to_csv())
    key = digest(converted=converted, items=of_items, code=code_version(__name__))
    with store.claim("overlaps", key):
        found = store.arrays("overlaps", key)
        if found is None:
            overlaps = find_overlaps(rows, items)
            held = overlaps[is_contaminated(overlaps)].drop_duplicates("row")
            found = {"row": held["row"].to_numpy(np.int64), "benchmark": held["benchmark"].to_numpy(str)}
            store.save_arrays("overlaps", key, **found)
    benchmark = np.full(len(rows), "", dtype=found["benchmark"].dtype if len(found["row"]) else "U1")
    benchmark[found["row"]] = found["benchmark"]
    return benchmark, of_items


def _overlaps(row: np.ndarray, texts: list[str], items: Items, sieve: np.ndarray) -> pd.DataFrame:
    """Pairs of row and item with the number of shared windows, of some messages."""
    said = words(texts)
    window, text = said.windows(WINDOW)
    passed = sieve[window % np.uint64(SIEVE)]
    pairs = pd.DataFrame({"row": row[text[passed]], "window": window[passed]}).drop_duplicates()
    low, high = (np.searchsorted(items.windows, pairs["window"].to_numpy(), side=side) for side in ("left", "right"))
    times = high - low
    within = np.arange(times.sum()) - np.repeat(np.cumsum(times) - times, times)
    shared = pd.DataFrame({
        "row": np.repeat(pairs["row"].to_numpy(), times), "item": items.of[np.repeat(low, times) + within],
    }).value_counts().reset_index(name="windows")  # fmt: skip
    whole, text, _ = said.wholes()
    equal = np.isin(whole, items.wholes.index.to_numpy())
    asked = {"row": row[text[equal]], "item": items.wholes.loc[whole[equal]].to_numpy(), "windows": 0, "whole": True}
    return pd.concat([shared.assign(whole=False), pd.DataFrame(asked)])


def _messages(rows: Dataset) -> Iterator[tuple[np.ndarray, list[str]]]:
    """Row number and text of all messages, whole rows together, about so many characters at once."""
    numbers, texts, size = [], [], 0
    arrow = rows.select_columns(["messages"]).with_format("arrow")
    for start in range(0, len(rows), ROWS_AT_ONCE):
        column = arrow[start : start + ROWS_AT_ONCE]["messages"].combine_chunks()
        counts = np.asarray(column.value_lengths())
        contents, first = column.flatten().field("content").to_pylist(), 0
        for place, count in enumerate(counts.tolist()):
            said = contents[first : first + count]
            first += count
            texts += said
            numbers += [start + place] * count
            size += sum(map(len, said))
            if size >= CHARACTERS_AT_ONCE:
                yield np.array(numbers), texts
                numbers, texts, size = [], [], 0
    yield np.array(numbers, dtype=np.int64), texts


def _files(root: Path) -> list[Path]:
    """Every readable file of a folder, test splits too, which `find_files` leaves out; else the file itself."""
    if not root.is_dir():
        if not root.is_file():
            raise FileNotFoundError(f"{root}: no file or folder of items here")
        return [root]
    return sorted(file for file in root.rglob("*") if file.is_file() and kind(file) and file.name[0] != ".")


def _records(file: Path) -> Iterator[tuple[object, Mapping]]:
    """Records that are objects; a list of `examples` inside one is its records (BIG-Bench Hard)."""
    numbered = enumerate(pq.read_table(file).to_pylist()) if kind(file) == "parquet" else read_records(file)
    for number, record in numbered:
        inner = record.get("examples") if isinstance(record, Mapping) else None
        for place, one in enumerate(inner if isinstance(inner, list) else [record]):
            if isinstance(one, Mapping):
                yield place if inner else number, one


def _texts(record: Mapping) -> tuple[str, str]:
    """What an item asks, and its choices; where no field is known to ask, all that it says."""
    asked = [record[name] for name in ASKED if isinstance(record.get(name), str)]
    if not asked:
        try:
            return _asked_of(convert(record)), ""
        except Rejected:
            asked = [value for value in record.values() if isinstance(value, str)]
    choices = next((record[name] for name in CHOICES if record.get(name) is not None), [])
    choices = choices.get("text", []) if isinstance(choices, Mapping) else choices
    return "\n".join(asked), "\n".join(map(str, choices)) if isinstance(choices, list) else str(choices)


def _asked_of(messages: list[dict]) -> str:
    return "\n".join(message["content"] for message in messages if message["role"] == "user")
