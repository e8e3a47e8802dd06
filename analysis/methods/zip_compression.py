"""Selection by low compression ratio, greedily in three stages ("Entropy Law", Yin et al. 2024)."""

import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from analysis.methods.selection import Selection, check_budget, choose, shuffled_places

LEVEL = 9
CHECKED_BYTES = 200_000  # more than two windows of the compressor
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


FORMS = {"original": Form(_contents), "released": Form(str, b"[", b", ", b"]", np.float32)}


class Stream:
    """Rows compressed so far, able to tell how large they would be with one row more.

    The compressor keeps its last 32 kB and its open block, so a copy of it that is given one more row ends in
    as many bytes as compressing everything anew.
    """

    def __init__(self, form: Form) -> None:
        self.form, self.compressor = form, zlib.compressobj(LEVEL)
        self.raw, self.written, self.before = 0, 0, form.opening

    def ratio_with(self, text: bytes) -> float:
        """Raw bytes over compressed bytes of the rows so far and `text`."""
        compressor = self.compressor.copy()
        added = self.before + text + self.form.closing
        compressed = self.written + len(compressor.compress(added)) + len(compressor.flush())
        return (self.raw + len(added)) / compressed

    def add(self, text: bytes) -> None:
        """Append a row for good."""
        added = self.before + text
        self.written += len(self.compressor.compress(added))
        self.raw, self.before = self.raw + len(added), self.form.separator


def score(texts: Sequence[bytes], form: Form = FORMS["original"]) -> np.ndarray:
    """Compression ratio of each row by itself, LOWER = selected first; float of shape (n_rows,)."""
    return np.array([Stream(form).ratio_with(text) for text in texts], dtype=form.precision)


def select(
    features,
    budget: int,
    *,
    seed: int,
    variant: str = "original",
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
    variant : "original" compresses the text of the messages; "released" the whole record, id, source and
        names of the fields included, as the study's script prints it, and keeps ratios as float32.
    candidates, shortlist, per_round : K1, K2, K3 of the paper.
    seed : orders rows of equal ratio.

    Returns
    -------
    Selection
        `scores` is `None`: a row's worth depends on those selected before it.

    Notes
    -----
    Differs from the authors' and the study's zip/ZIP.py in its time only: the compressor is copied, not started
    anew, for every candidate; sizes are equal byte for byte. Where a pool has fewer rows than a stage asks for,
    all are taken; when no row is left in the race, those that lost a last stage enter it again, whereas the
    script lets selected rows return. Its resume puts earlier rows into the text but not out of the race, so
    that a row can be selected twice; there is no resume here. Time grows with the budget times `candidates`;
    the text of all rows is held in memory.
    """
    form = choose("variant", variant, FORMS)
    budget = check_budget(budget, features.n_rows)
    if not candidates >= shortlist >= per_round >= 1:
        raise ValueError(
            "candidates, shortlist, per_round: expected candidates >= shortlist >= per_round >= 1, "
            f"found {candidates}, {shortlist}, {per_round}"
        )
    texts = read_texts(features, form)
    check_pieces(texts, form)
    places = shuffled_places(features.n_rows, seed, features.row_keys())
    return Selection(rows=_greedy(texts, form, budget, places, candidates, shortlist, per_round))


def read_texts(features, form: Form = FORMS["original"]) -> list[bytes]:
    """The text of every row, as it is compressed."""
    starts = range(0, features.n_rows, ROWS_PER_READ)
    slices = (features.records(start, min(start + ROWS_PER_READ, features.n_rows)) for start in starts)
    return [form.row(record).encode("utf-8", "surrogatepass") for part in slices for record in part]


def check_pieces(texts: Sequence[bytes], form: Form) -> None:
    """Compress the first rows at once and piece by piece.

    Raises
    ------
    RuntimeError
        The sizes differ: this zlib (there are several) cannot be used incrementally.
    """
    stream, whole, next_check = Stream(form), b"", 1
    for text in texts:
        added = stream.before + text
        if len(whole) + len(added) >= next_check:  # at doubling sizes, so that the check itself takes no time
            next_check = 2 * (len(whole) + len(added))
            together = whole + added + form.closing
            at_once = len(together) / len(zlib.compress(together, LEVEL))
            if stream.ratio_with(text) != at_once:
                raise RuntimeError(f"zlib {zlib.ZLIB_RUNTIME_VERSION}: compresses text in pieces to another size")
        stream.add(text)
        whole += added
        if len(whole) > CHECKED_BYTES:
            return


def _greedy(
    texts: list[bytes], form: Form, budget: int, places: np.ndarray, candidates: int, shortlist: int, per_round: int
) -> np.ndarray:
    ratios = score(texts, form)
    racing, lost = np.ones(len(texts), dtype=bool), np.zeros(len(texts), dtype=bool)
    everything, selected = Stream(form), []
    while len(selected) < budget:
        if not racing.any():
            racing, lost = lost, np.zeros_like(lost)
        first = _lowest(ratios, np.flatnonzero(racing), candidates, places)
        if selected:  # before, the ratios are those of each row by itself
            ratios[first] = [everything.ratio_with(texts[row]) for row in first]
        second = _lowest(ratios, first, shortlist, places)
        chosen = _round(texts, form, second, min(per_round, budget - len(selected)))
        racing[second], lost[second] = False, True
        lost[chosen] = False
        for row in chosen:
            everything.add(texts[row])
        selected += chosen
    return np.array(selected, dtype=np.int64)


def _lowest(ratios: np.ndarray, rows: np.ndarray, count: int, places: np.ndarray) -> np.ndarray:
    """The `count` rows of lowest ratio (all if there are fewer), lowest first."""
    if count < len(rows):  # sorting a million rows for every round would take longer than compressing
        rows = rows[ratios[rows] <= np.partition(ratios[rows], count - 1)[count - 1]]
    return rows[np.lexsort((places[rows], ratios[rows]))][:count]


def _round(texts: list[bytes], form: Form, rows: np.ndarray, count: int) -> list[int]:
    """`count` of the rows one by one, each of lowest ratio together with those chosen before; ties as in `rows`."""
    left, chosen, stream = rows.tolist(), [], Stream(form)
    while left and len(chosen) < count:
        best = min(left, key=lambda row: stream.ratio_with(texts[row]))
        left.remove(best)
        chosen.append(best)
        stream.add(texts[best])
    return chosen
