"""Local files with the rows of the harness's data sets, for work without the hub.

A folder holds one for each: gsm8k/test.jsonl (and train.jsonl), mmlu/test.jsonl (and dev.jsonl) with a "subject" in every
row, bbh/SUBTASK.json with the rows under "examples", humaneval/HumanEval.jsonl.gz, and ifeval/input_data.jsonl. Without a file
of further rows the worked examples are other items of the test.
"""

import gzip
import hashlib
import json
from functools import lru_cache
from pathlib import Path

from datasets import Dataset

FIELDS = {
    "gsm8k": ("question", "answer"),
    "bbh": ("input", "target"),
    "mmlu": ("subject", "question", "choices", "answer"),
    "humaneval": ("task_id", "prompt", "test", "entry_point"),
    "ifeval": ("key", "prompt", "instruction_id_list", "kwargs"),
}
FILES = {  # by task the file of each split
    "gsm8k": {"test": "test.jsonl", "train": "train.jsonl"},
    "mmlu": {"test": "test.jsonl", "dev": "dev.jsonl"},
    "humaneval": {"test": "HumanEval.jsonl.gz"},
    "ifeval": {"train": "input_data.jsonl"},
}
LETTERS = "ABCD"

Sets = dict[str, dict[str, Dataset]]  # by the name of a data set's part its splits


def local_sets(task: str, folder: str | Path) -> Sets:
    """The data sets of a task by the name that the harness asks for, each with its splits.

    Raises
    ------
    FileNotFoundError
        A file is not there (names it).
    ValueError
        The task cannot be given local files, or a row lacks a field (names file, row and field).
    """
    files = _files(task, folder)
    return _read(task, tuple(files.items()), data_hash(task, folder))


def data_hash(task: str, folder: str | Path) -> str:
    """24 hex digits of the files' contents."""
    found = hashlib.sha256()
    for (split, part), file in sorted(_files(task, folder).items()):
        found.update(f"{split} {part} {file.stat().st_size} ".encode() + file.read_bytes())
    return found.hexdigest()[:24]


def _files(task: str, folder: str | Path) -> dict[tuple[str, str], Path]:
    """By split and part of the data set its file."""
    if task not in FIELDS:
        raise ValueError(f"benchmark {task!r}: data: only {', '.join(FIELDS)} can be given local files")
    place = Path(folder).expanduser() / task
    if task == "bbh":
        files = {("test", file.stem): file for file in sorted(place.glob("*.json"))}
        if not files:
            raise FileNotFoundError(f"{place}: no file of a subtask; expected names such as navigate.json")
        return files
    files = {(split, ""): place / name for split, name in FILES[task].items()}
    first = next(iter(files.values()))
    if not first.is_file():
        raise FileNotFoundError(f"{first}: no such file; expected the rows of {task}, a JSON object a line")
    return {part: file for part, file in files.items() if file.is_file()}


@lru_cache(maxsize=8)
def _read(task: str, files: tuple[tuple[tuple[str, str], Path], ...], _content: str) -> Sets:
    rows: dict[str, dict[str, list[dict]]] = {}
    for (split, part), file in files:
        for row in _rows(task, file):
            name = {"gsm8k": "main", "mmlu": row.get("subject")}.get(task, part)
            rows.setdefault(name, {}).setdefault(split, []).append(row)
    return {name: {split: Dataset.from_list(given) for split, given in splits.items()} for name, splits in rows.items()}


def _rows(task: str, file: Path) -> list[dict]:
    with (gzip.open if file.suffix == ".gz" else open)(file, "rt", encoding="utf-8") as stream:
        try:
            rows = json.load(stream)["examples"] if task == "bbh" else [json.loads(line) for line in stream]
        except (KeyError, TypeError, json.JSONDecodeError) as error:
            expected = 'one JSON object with a list "examples"' if task == "bbh" else "a JSON object a line"
            raise ValueError(f"{file}: expected {expected} ({error!r})") from error
    for number, row in enumerate(rows, start=1):
        if lacking := [field for field in FIELDS[task] if field not in row]:
            raise ValueError(f"{file}, row {number}: expected the field {lacking[0]!r}, found {', '.join(row)}")
    if task == "mmlu":
        return [row | {"answer": _place(row["answer"], file, number)} for number, row in enumerate(rows, start=1)]
    return rows


def _place(answer: object, file: Path, number: int) -> int:
    """The place of the right choice, which files give as a letter or as it is on the hub."""
    if isinstance(answer, str) and answer and answer in LETTERS:
        return LETTERS.index(answer)
    if type(answer) is int and 0 <= answer < len(LETTERS):
        return answer
    raise ValueError(f"{file}, row {number}: answer: expected a letter from A to D or 0 to 3, found {answer!r}")
