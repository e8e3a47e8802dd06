"""Selection by low compression ratio, greedily in three stages ("Entropy Law", Yin et al. 2024)."""

import warnings
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from analysis.methods.selection import Selection, check_budget, choose, shuffled_places
from analysis.methods.tools.deflate import Deflate
from analysis.methods.tools.zlib_sizes import CopiedZlib, agrees_with_zlib

CHECKED_BYTES = 200_000  # more than two blocks and six windows of the compressor
ROWS_PER_READ = 16_384


@dataclass(frozen=True)
class Form:
    """How rows become text: what stands before the first, between two and after the last, and how ratios are kept."""

    row: Callable[[dict], str]
    opening: bytes = b""
    separator: bytes = b""
    closing: bytes = b""
    precision: type = np.float64


def _contents(record: dict) -> str:
    return "".join(message["content"] + "\n" for message in record["messages"])


FORMS = {"record": Form(str, b"[", b", ", b"]", np.float32), "text": Form(_contents)}


class Texts:
    """All rows in one piece of memory, each with the separator before it and the closing behind it."""

    def __init__(self, texts: Sequence[bytes], form: Form) -> None:
        self.form = form
        whole = [form.separator + text + form.closing for text in texts]
        self.ends = np.cumsum([len(text) for text in whole])
        self.starts = np.concatenate([[0], self.ends[:-1]])
        self.joined = np.frombuffer(b"".join(whole), dtype=np.uint8)

    def __len__(self) -> int:
        return len(self.ends)

    def compressor(self) -> type:
        """What computes sizes: ours, or zlib itself where it is another than the one that ours follows."""
        text = self.joined[:CHECKED_BYTES].tobytes()
        if agrees_with_zlib(Deflate, text):
            return Deflate
        if not agrees_with_zlib(CopiedZlib, text):
            raise RuntimeError(f"zlib {zlib.ZLIB_RUNTIME_VERSION}: compresses text in pieces to another size")
        warnings.warn(f"zlib {zlib.ZLIB_RUNTIME_VERSION} has sizes of its own: ZIP takes longer", stacklevel=2)
        return CopiedZlib


class Stream:
    """Rows selected so far as one compressed text, able to tell its ratio with one row more."""

    def __init__(self, texts: Texts, compressor: type) -> None:
        self.texts, self.compressed = texts, compressor()
        self.compressed.add(texts.form.opening)
        self.raw, self.skipped = len(texts.form.opening), len(texts.form.separator)

    def ratios_with(self, rows: np.ndarray) -> np.ndarray:
        """Raw bytes over compressed bytes of the rows so far and each of these; float64."""
        starts, ends = self.texts.starts[rows] + self.skipped, self.texts.ends[rows]
        sizes = self.compressed.sizes_with(self.texts.joined, starts, ends)
        return (self.raw + ends - starts) / sizes

    def add(self, row: int) -> None:
        """Append a row for good."""
        start, end = self.texts.starts[row] + self.skipped, self.texts.ends[row] - len(self.texts.form.closing)
        self.compressed.add(self.texts.joined[start:end].tobytes())
        self.raw, self.skipped = self.raw + int(end - start), 0


def score(texts: Texts, compressor: type = Deflate) -> np.ndarray:
    """Compression ratio of each row by itself, LOWER = selected first; float of shape (n_rows,)."""
    return Stream(texts, compressor).ratios_with(np.arange(len(texts))).astype(texts.form.precision)


def select(
    features,
    budget: int,
    *,
    seed: int,
    variant: str = "record",
    candidates: int = 10_000,
    shortlist: int = 200,
    per_round: int = 100,
) -> Selection:
    """Take rows that together compress least: in rounds, those that add most information per byte.

    A round measures the `candidates` rows of lowest ratio again, each together with all rows selected so far;
    the `shortlist` lowest of them leave the race, and `per_round` of these are selected one by one, each
    compressing least with those of the same round alone (Yin et al. 2024, arXiv 2407.06645).

    Parameters
    ----------
    variant : "record" compresses the whole record as it is printed, id, source and names of the fields included, and
        keeps ratios as float32, as the authors' script and the study's do; "text" the contents of the messages alone.
    candidates, shortlist, per_round : K1, K2, K3 of the paper.
    seed : orders rows of equal ratio, of which pools of short rows by templates have many.

    Returns
    -------
    Selection
        `scores` is `None`: a row's worth depends on those selected before it.

    Notes
    -----
    Differs from the authors' and the study's zip/ZIP.py in its time only: a candidate's size is found by going on
    from the rows selected so far, not by compressing them again, and equals it byte for byte. Where a pool has
    fewer rows than a stage asks for, all are taken; when no row is left in the race, those that lost a last stage
    enter it again, whereas the script lets selected rows return. Its resume puts earlier rows into the text but
    not out of the race, so that a row can be selected twice; there is no resume here. Time grows with the budget
    times `candidates`; the text of all rows is held in memory.
    """
    form = choose("variant", variant, FORMS)
    budget = check_budget(budget, features.n_rows)
    if not candidates >= shortlist >= per_round >= 1:
        raise ValueError(
            "candidates, shortlist, per_round: expected candidates >= shortlist >= per_round >= 1, "
            f"found {candidates}, {shortlist}, {per_round}"
        )
    texts = read_texts(features, form)
    places = shuffled_places(features.n_rows, seed, features.row_keys())
    return Selection(rows=_greedy(texts, budget, places, candidates, shortlist, per_round))


def read_texts(features, form: Form = FORMS["record"]) -> Texts:
    """The text of every row, as it is compressed."""
    starts = range(0, features.n_rows, ROWS_PER_READ)
    slices = (features.records(start, min(start + ROWS_PER_READ, features.n_rows)) for start in starts)
    return Texts([form.row(record).encode("utf-8", "surrogatepass") for part in slices for record in part], form)


def _greedy(
    texts: Texts, budget: int, places: np.ndarray, candidates: int, shortlist: int, per_round: int
) -> np.ndarray:
    compressor = texts.compressor()
    ratios = score(texts, compressor)
    racing, lost = np.ones(len(texts), dtype=bool), np.zeros(len(texts), dtype=bool)
    everything, selected = Stream(texts, compressor), []
    while len(selected) < budget:
        if not racing.any():
            racing, lost = lost, np.zeros_like(lost)
        first = _lowest(ratios, np.flatnonzero(racing), candidates, places)
        ratios[first] = everything.ratios_with(first)
        second = _lowest(ratios, first, shortlist, places)
        chosen = _round(Stream(texts, compressor), second, min(per_round, budget - len(selected)))
        racing[second], lost[second], lost[chosen] = False, True, False
        for row in chosen:
            everything.add(row)
        selected += chosen
    return np.array(selected, dtype=np.int64)


def _lowest(ratios: np.ndarray, rows: np.ndarray, count: int, places: np.ndarray) -> np.ndarray:
    """The `count` rows of lowest ratio (all if there are fewer), lowest first."""
    if count < len(rows):  # sorting a million rows for every round would take longer than compressing
        rows = rows[ratios[rows] <= np.partition(ratios[rows], count - 1)[count - 1]]
    return rows[np.lexsort((places[rows], ratios[rows]))][:count]


def _round(stream: Stream, rows: np.ndarray, count: int) -> list[int]:
    """`count` of the rows one by one, each of lowest ratio together with those chosen before; ties as in `rows`."""
    chosen: list[int] = []
    while len(rows) and len(chosen) < count:
        best = int(np.argmin(stream.ratios_with(rows)))
        chosen.append(int(rows[best]))
        stream.add(chosen[-1])
        rows = np.delete(rows, best)
    return chosen
