"""Tables about what a low compression ratio is: of rows, of growing selections, and of copies at a distance."""

import numpy as np
import pandas as pd

from analysis.experiments.workbench import Workbench
from analysis.methods import Selection
from analysis.methods.tools.deflate import Deflate
from analysis.methods.zip_compression import FORMS, Stream, read_texts, score
from analysis.reporting import style
from analysis.reporting.wording import number, of_each, share
from analysis.subsets.overlap import BOTH, rank_correlation, selected_by

LONGEST_DISTANCE = 65_536  # twice the compressor's window


def rows_by_ratio(work: Workbench, selections: dict[str, Selection], record: str, text: str) -> pd.DataFrame:
    """Every row's bytes and compression ratio of its record by itself, with the forms of ZIP that select it."""
    texts = read_texts(work.features)
    chosen = selected_by(selections, record, text, len(work.pool))
    table = pd.DataFrame({
        "row": np.arange(len(work.pool)), "ratio": score(texts).astype(float), "selected by": chosen,
        "bytes": texts.ends - texts.starts + len(texts.form.opening) - len(texts.form.separator),
    })  # fmt: skip
    if work.pool.has_truth:
        table["fault"] = work.pool.truth("fault")
    return table.sort_values("selected by", kind="stable").astype({"selected by": object})


def growing_ratio(work: Workbench, selections: dict[str, Selection], points: int = 40) -> pd.DataFrame:
    """Compression ratio of the records of the first rows of every selection together, by their number."""
    texts, lines = read_texts(work.features), []
    for name, selection in selections.items():
        stream = Stream(texts, Deflate)
        at = set(np.unique(np.linspace(0, len(selection.rows) - 1, points).astype(int)).tolist())
        for place, row in enumerate(selection.rows):
            if place in at:
                ratio = float(stream.ratios_with(np.array([row]))[0])
                lines.append({"method": style.label(name), "rows selected": place + 1, "ratio": ratio})
            stream.add(int(row))
    return pd.DataFrame(lines)


def dashes(method: str) -> tuple[int, int] | str:
    """Solid for a method by its defaults, dashed when it is called with options, as `style.line`; for seaborn."""
    return "" if style.line(method) == "-" else (4, 2)


def copies_at_a_distance(work: Workbench, seed: int, copies: int = 12, step: int = 4_096) -> pd.DataFrame:
    """Bytes that a copy of a row adds relative to those that the row adds where it is new, by the text in between.

    Contents of rows drawn at random follow each other for 64 kB. Mean over the copies of `copies` of them, measured every
    `step` bytes.
    """
    drawn = np.random.default_rng(seed).permutation(len(work.pool))
    texts = read_texts(work.features, FORMS["text"])
    lines = []
    for original in drawn[:copies]:
        others = drawn[drawn != original]
        stream = Stream(texts, Deflate)
        for row in others[:50]:  # as much text before the row as makes its first cost a usual one
            stream.add(int(row))
        new = _added(stream, int(original))
        stream.add(int(original))
        between, wanted = 0, 0
        for row in others[50:]:
            if between >= wanted:
                lines.append({"kilobytes": wanted / 1024, "share": _added(stream, int(original)) / max(new, 1.0)})
                wanted += step
            if wanted > LONGEST_DISTANCE:
                break
            stream.add(int(row))
            between += int(texts.ends[row] - texts.starts[row])
    return pd.DataFrame(lines).groupby("kilobytes", as_index=False).agg(share=("share", "mean"), rows=("share", "size"))


def _added(stream: Stream, row: int) -> float:
    """Bytes that a row adds to the compressed text."""
    start, end = stream.texts.starts[row], stream.texts.ends[row]
    without, together = stream.compressed.sizes_with(stream.texts.joined, np.array([start] * 2), np.array([start, end]))
    return float(together - without)


def findings(
    rows: pd.DataFrame, growing: pd.DataFrame, distance: pd.DataFrame, record: str, text: str, random: str
) -> list[str]:
    """What a low ratio is, how far the two forms agree, whether the set is dense, and how long copies are noticed."""
    groups = {name: rows["selected by"].isin([style.label(name), BOTH]) for name in (record, text)}
    common = float((groups[record] & groups[text]).sum() / groups[record].sum())
    same = "the same method" if common > 0.5 else "two different methods"
    length = rank_correlation(rows["bytes"], rows["ratio"])
    medians = {style.label(name): rows.loc[mask, "bytes"].median() for name, mask in groups.items()}
    last = growing.groupby("method")["ratio"].last()
    said = [
        f"The forms with and without id and field names are {same} by this page's rule: {share(common)} of their rows are "
        f"common ({share(float(groups[record].mean()))} by chance).",
        f"Spearman's correlation of a row's bytes and its own compression ratio is {length:.2f}: a low ratio "
        f"{'is largely shortness' if length > 0.7 else 'is not shortness alone'} at the start, when the ratio of the row alone decides.",
        f"Median bytes of the rows selected: {of_each(medians, number)}; of the pool: {number(rows['bytes'].median())}.",
        f"The whole selection compresses {last[style.label(record)]:.2f} times, as many random rows {last[style.label(random)]:.2f} times.",
    ]
    near, far = distance["share"].iloc[0], distance.loc[distance["kilobytes"] > 32, "share"]
    if len(far):
        said.append(
            f"A copy right behind a row costs {share(near)} of what the row cost, and {share(far.mean())} "
            "where more than 32 kB of other text lie between."
        )
    return said
