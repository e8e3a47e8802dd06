import zlib
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.methods import label, select, zip_compression
from analysis.methods.selection import shuffled_places
from analysis.methods.tools.deflate import Deflate
from analysis.methods.tools.zlib_sizes import CopiedZlib, agrees_with_zlib
from analysis.methods.zip_compression import FORMS, Stream
from tests.references import zip_compression as reference

pytestmark = pytest.mark.skipif("ng" in zlib.ZLIB_RUNTIME_VERSION, reason="zlib-ng compresses to sizes of its own")
VARIANTS = ("record", "text")


def records_of(texts):
    return [
        {"id": f"row-{row}", "source": "toy", "messages": [{"role": "user", "content": text}]}
        for row, text in enumerate(texts)
    ]


def features_of(records):
    keys = np.array([int(record["id"].split("-")[-1]) for record in records], dtype=np.uint64)
    return SimpleNamespace(n_rows=len(records), row_keys=lambda: keys, records=lambda a, b: records[a:b])


def synthetic(n_rows, seed=0, digits=True):
    """Rows of repeated phrases, random words and random digits, 10 to 800 bytes, some of them equal."""
    rng = np.random.default_rng(seed)
    words = ["".join(rng.choice(list("abcdefghijklmnopäß"), size)) for size in rng.integers(2, 9, 300)]
    texts = []
    for _ in range(n_rows):
        kind, size = rng.integers(4), int(rng.integers(2, 80))
        if kind == 0 and texts:
            texts.append(texts[rng.integers(len(texts))])
        elif kind == 1 and digits:
            texts.append("".join(map(str, rng.integers(0, 10, 5 * size))))
        else:
            texts.append(" ".join(rng.choice(words[: 300 if kind == 2 else 5], size)))
    return records_of(texts)


@pytest.mark.parametrize("compressor", [Deflate, CopiedZlib])
@pytest.mark.parametrize("variant", VARIANTS)
def test_the_incremental_ratio_is_that_of_compressing_everything(variant, compressor):
    records = synthetic(1500)
    texts = zip_compression.read_texts(features_of(records), FORMS[variant])
    stream, checked = Stream(texts, compressor), 0
    for row in range(500):
        if row % 50 == 0:
            others = np.arange(row % 7, 1500, 97)
            whole = [reference.ratio([*records[:row], records[other]], variant == "record") for other in others]
            assert stream.ratios_with(others).tolist() == whole
            checked += len(whole)
        stream.add(row)
    assert stream.raw > 65_536 and checked > 100


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_whole_selection_is_that_of_the_literal_loop(variant):
    # 300 rows with 60, 10 and 5: 30 rounds take every row of the race, then the losers return.
    records = synthetic(300, seed=1)
    features = features_of(records)
    places = shuffled_places(300, 4, features.row_keys())
    expected = reference.select(records, 200, places, printed=variant == "record", k1=60, k2=10, k3=5)
    options = "candidates=60, shortlist=10, per_round=5"
    found = select(f"zip_compression(variant='{variant}', {options})", features, 200, seed=4)
    assert found.rows.tolist() == expected
    assert found.scores is None


@settings(max_examples=25, deadline=None)
@given(
    texts=st.lists(st.text(max_size=60), min_size=1, max_size=12),
    sizes=st.tuples(st.integers(1, 12), st.integers(1, 12), st.integers(1, 12)),
    variant=st.sampled_from(VARIANTS),
    data=st.data(),
)
def test_any_small_pool_is_selected_as_by_the_literal_loop(texts, sizes, variant, data):
    texts = [text.encode("utf-8", "ignore").decode() for text in texts]
    features, (k3, k2, k1) = features_of(records_of(texts)), sorted(sizes)
    budget = data.draw(st.integers(1, len(texts)))
    places = shuffled_places(len(texts), 0, features.row_keys())
    printed = variant == "record"
    expected = reference.select(records_of(texts), budget, places, printed=printed, k1=k1, k2=k2, k3=k3)
    options = {"candidates": k1, "shortlist": k2, "per_round": k3, "variant": variant}
    assert zip_compression.select(features, budget, seed=0, **options).rows.tolist() == expected


@settings(max_examples=40, deadline=None)
@given(
    parts=st.lists(st.one_of(st.binary(max_size=400), st.text("ab", max_size=900).map(str.encode)), max_size=12),
    endings=st.lists(st.binary(max_size=300) | st.sampled_from([b"a" * 5000, b"ab" * 300]), min_size=1, max_size=4),
    repeats=st.integers(1, 40),
)
def test_sizes_are_those_of_zlib_for_any_bytes_in_any_pieces(parts, endings, repeats):
    ends = np.cumsum([len(ending) for ending in endings])
    starts = np.concatenate([[0], ends[:-1]])
    blob = np.frombuffer(b"".join(endings) + b"-", dtype=np.uint8)
    deflate, whole = Deflate(), b""
    for part in (parts * repeats)[:60]:
        deflate.add(part)
        whole += part
    for _ in range(2):  # the second time shows that everything was taken back
        found = deflate.sizes_with(blob, starts, ends).tolist()
        assert found == [len(zlib.compress(whole + ending, 9)) for ending in endings]


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_sizes_are_the_same_on_any_number_of_threads(threads, monkeypatch):
    monkeypatch.setattr("analysis.methods.tools.deflate.numba.get_num_threads", lambda: threads)
    endings = [f"{number} apples and {number**3} pears".encode() * (1 + number % 7) for number in range(300)]
    ends = np.cumsum([len(ending) for ending in endings])
    starts = np.concatenate([[0], ends[:-1]])
    blob = np.frombuffer(b"".join(endings), dtype=np.uint8)
    deflate, whole = Deflate(), b"three apples and a pear, " * 3000
    deflate.add(whole)
    for _ in range(2):  # the second time shows that everything was taken back
        found = deflate.sizes_with(blob, starts, ends).tolist()
        assert found == [len(zlib.compress(whole + ending, 9)) for ending in endings]


def many_kinds_of_text(size):
    """Bytes whose blocks are stored, of fixed and of own codes, with runs, far repeats and very unequal counts."""
    rng = np.random.default_rng(0)
    unequal = b"".join(bytes([letter]) * count for letter, count in enumerate((1, 1, 2, 3, 5, 8, 13, 21, 34, 55)))
    unequal += b"".join(bytes([64 + letter]) * int(1.618**letter) for letter in range(21))
    kinds = {
        "noise": rng.integers(0, 256, size, dtype=np.uint8).tobytes(),
        "two letters": rng.integers(97, 99, size, dtype=np.uint8).tobytes(),
        "one letter": b"a" * size,
        "far repeats": rng.integers(0, 256, 33_000, dtype=np.uint8).tobytes() * 3,
        "unequal": rng.permutation(np.frombuffer(unequal, dtype=np.uint8)).tobytes(),
    }
    return list(kinds.items())


@pytest.mark.parametrize(
    "name, text", many_kinds_of_text(90_000), ids=lambda value: value if type(value) is str else ""
)
def test_sizes_are_those_of_zlib_over_many_blocks(name, text):
    assert agrees_with_zlib(Deflate, text) and agrees_with_zlib(CopiedZlib, text)


def test_another_zlib_is_noticed_and_used(monkeypatch):
    texts = zip_compression.read_texts(features_of(synthetic(30)), FORMS["text"])
    assert texts.compressor() is Deflate
    monkeypatch.setattr(zip_compression, "agrees_with_zlib", lambda which, text: which is CopiedZlib)
    with pytest.warns(UserWarning, match="sizes of its own"):
        assert texts.compressor() is CopiedZlib
    monkeypatch.setattr(zip_compression, "agrees_with_zlib", lambda which, text: False)
    with pytest.raises(RuntimeError, match="in pieces to another size"):
        texts.compressor()


@pytest.mark.parametrize("sizes", [(10, 20, 5), (20, 5, 10), (20, 10, 0)])
def test_stages_that_do_not_narrow_are_an_error(sizes):
    options = dict(zip(("candidates", "shortlist", "per_round"), sizes, strict=True))
    with pytest.raises(ValueError, match="expected candidates >= shortlist >= per_round >= 1, found"):
        zip_compression.select(features_of(synthetic(30)), 3, seed=0, **options)


def test_both_compressors_select_the_same_rows(monkeypatch):
    features, options = features_of(synthetic(200, seed=2)), "candidates=80, shortlist=20, per_round=8"
    ours = select(f"zip_compression({options})", features, 60, seed=0).rows
    monkeypatch.setattr(zip_compression, "agrees_with_zlib", lambda which, text: which is CopiedZlib)
    with pytest.warns(UserWarning, match="sizes of its own"):
        assert np.array_equal(select(f"zip_compression({options})", features, 60, seed=0).rows, ours)


def test_repeated_text_is_forgotten_beyond_the_window():
    # A copy costs next to nothing right behind its original, and as much as new text 32 kB later.
    rng = np.random.default_rng(0)
    texts = ["".join(rng.choice(list("abcdefghijklmnop"), 600)) for _ in range(300)]
    texts = zip_compression.read_texts(features_of(records_of([*texts, texts[0]])), FORMS["text"])
    stream, ratio = Stream(texts, Deflate), {}
    for row in range(299):
        stream.add(row)
        if row in (0, 298):
            copy, new = stream.ratios_with(np.array([300, 299]))
            ratio[row] = copy / new
    assert ratio[0] > 1.5 and abs(ratio[298] - 1) < 0.001


def test_the_default_is_the_printed_list_of_records_as_in_the_authors_script():
    records = records_of(['naïve "quotes"\n', "second"])
    texts = zip_compression.read_texts(features_of(records), FORMS["record"])
    stream = Stream(texts, Deflate)
    stream.add(0)
    raw = str(records).encode()
    assert stream.ratios_with(np.array([1]))[0] == len(raw) / len(zlib.compress(raw, 9))
    assert zip_compression.score(texts).dtype == np.float32
    features, places = features_of(synthetic(60)), shuffled_places(60, 0, np.arange(60))
    expected = reference.select(synthetic(60), 20, places, printed=True, k1=30, k2=10, k3=5)
    options = "candidates=30, shortlist=10, per_round=5"
    assert select(f"zip_compression({options})", features, 20, seed=0).rows.tolist() == expected
    assert label("zip_compression") == "ZIP" and label("zip_compression(variant='text')") == "ZIP (text)"
    with pytest.raises(ValueError, match="variant: expected one of 'record', 'text', found 'released'"):
        select("zip_compression(variant='released')", features, 20, seed=0)


def test_the_script_s_resume_would_select_a_row_twice():
    """The script's resume: earlier rows are part of the text, but stay in the race; here they never return."""
    records = synthetic(40, seed=3)
    features, places = features_of(records), shuffled_places(40, 0, np.arange(40))
    first = reference.select(records, 5, places, printed=True, k1=40, k2=10, k3=5)
    resumed = {row: reference.ratio([*(records[one] for one in first), records[row]], True) for row in range(40)}
    shortlist = reference.lowest(resumed, places, 20)
    assert set(shortlist) & set(first)
    whole = select("zip_compression(candidates=40, shortlist=10, per_round=5)", features, 40, seed=0)
    assert len(set(whole.rows)) == 40


@pytest.mark.parametrize(
    "raw, compressed, change",
    [(500, 300, -1.25e-5), (2_000, 1_000, -2.5e-5), (8_000, 3_600, -5e-5), (60_000, 23_700, 3.7e-5)],
)
def test_beside_a_large_selection_long_and_incompressible_rows_lower_the_ratio_most(raw, compressed, change):
    # 50 MB that compress 2.5 times; a row of a bytes that adds b changes the ratio by (a - 2.5 b) / 20 MB.
    class Large:
        def add(self, text):
            pass

        def sizes_with(self, blob, starts, ends):
            return np.array([20_000_000 + compressed])

    stream = Stream(zip_compression.Texts([b"x" * raw], FORMS["text"]), Large)
    stream.raw = 50_000_000
    assert stream.ratios_with(np.array([0]))[0] - 2.5 == pytest.approx(change, rel=0.02)
