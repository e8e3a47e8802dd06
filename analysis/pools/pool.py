"""A pool: the rows that methods select from, the rows that are held out, and what had to be set aside or left out."""

from dataclasses import dataclass, field

import numpy as np
from datasets import Dataset

Messages = list[dict]  # of one conversation: role and content of every turn
TRUTH = ("skill", "family", "style", "fault")


@dataclass
class SetAside:
    """Rows that could not be used for one reason: how many, and up to three examples."""

    count: int = 0
    examples: list[dict] = field(default_factory=list)  # file, row, field, found

    def add(self, example: dict) -> None:
        self.count += 1
        if len(self.examples) < 3:
            self.examples.append(example)


@dataclass(frozen=True)
class Pool:
    """Instruction rows, memory-mapped.

    Attributes
    ----------
    rows, held_out : columns id, source, messages, dup_group (equal number = duplicate), and in the testbed the
        truth: skill, family, style, fault ("" = none), where dup_group also joins near-duplicates. Rows of files have
        file and number (which of `provenance["files"]`, and which row of it, from 0), a key (see `row_keys`), and
        near_group (equal number = near-duplicate) if rows are held out.
    fingerprint : changes with the content and with every option.
    set_aside : reason -> SetAside.
    provenance : where the rows come from; `rows_read` counts what was found there, `files` lists where. For files
        `held_out` says how many held-out rows were checked, and how many of those have a near-duplicate among the rows
        that are not held out.
    noted : what the owner should know of rows that are used, as `set_aside` counts those that are not: fields that were
        not read, numbers taken as text, …
    skills : how many skills of the testbed the rows are of; `None` for all, and for other pools.
    """

    name: str
    rows: Dataset
    held_out: Dataset
    fingerprint: str
    set_aside: dict[str, SetAside]
    provenance: dict
    skills: int | None = None
    noted: dict[str, SetAside] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def has_truth(self) -> bool:
        return all(name in self.rows.column_names for name in TRUTH)

    def truth(self, column: str) -> np.ndarray:
        """A truth column of the selectable rows, shape (n_rows,).

        Raises
        ------
        ValueError
            The pool has no such column.
        """
        if column not in (*TRUTH, "dup_group") or column not in self.rows.column_names:
            raise ValueError(f"pool {self.name}: no truth column {column!r}; it has {self.rows.column_names}")
        return self.rows.select_columns([column]).to_pandas()[column].to_numpy()

    def messages(self, positions) -> list[list[dict]]:
        """Messages of the rows at these positions, in this order."""
        return self.rows.select_columns(["messages"])[[int(place) for place in positions]]["messages"]

    def summary(self) -> dict[str, int]:
        """Rows by what became of them; everything that was read is in exactly one line below the first."""
        counts = {
            "read": self.provenance["rows_read"],
            "to select from": len(self.rows),
            "held out": len(self.held_out),
        }
        counts |= {f"left out: {reason}": count for reason, count in self.provenance["left_out"].items() if count}
        counts |= {f"set aside: {reason}": aside.count for reason, aside in self.set_aside.items()}
        return counts

    def notes(self) -> dict[str, int]:
        """Rows by what their owner should know of them; one row may count in several lines."""
        counts = {f"read: {what}": noted.count for what, noted in self.noted.items()}
        return counts | {f"not read: {path}: {why}": 0 for path, why in self.provenance.get("skipped", {}).items()}


@dataclass(frozen=True)
class Split:
    """All rows of a source, and what becomes of each.

    Attributes
    ----------
    held, kept : bool of shape (n_rows,); held out, and not left out.
    others : as in `Pool`.
    """

    name: str
    rows: Dataset
    held: np.ndarray
    kept: np.ndarray
    fingerprint: str
    set_aside: dict[str, SetAside]
    provenance: dict
    skills: int | None = None
    noted: dict[str, SetAside] = field(default_factory=dict)

    @property
    def selectable(self) -> np.ndarray:
        """Positions of the rows to select from."""
        return np.flatnonzero(self.kept & ~self.held)

    def pool(self) -> Pool:
        """The pool of all selectable rows.

        Raises
        ------
        ValueError
            There is none.
        """
        selectable, held_out = self.selectable, np.flatnonzero(self.kept & self.held)
        lost = sum(aside.count for aside in self.set_aside.values()) + sum(self.provenance["left_out"].values())
        if len(selectable) + len(held_out) + lost != self.provenance["rows_read"]:
            raise AssertionError(f"pool {self.name}: the rows read do not add up: {self.provenance}")
        if not len(selectable):
            raise ValueError(f"pool {self.name}: all of its {len(held_out)} rows are held out; use more rows")
        rows, held_out = self.rows.select(selectable), self.rows.select(held_out)
        return Pool(
            self.name, rows, held_out, self.fingerprint, self.set_aside, self.provenance, self.skills, self.noted
        )
