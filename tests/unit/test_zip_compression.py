from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.methods import select, zip_compression
from analysis.methods.selection import shuffled_places
from analysis.methods.zip_compression import FORMS, Stream
from tests.references import zip_compression as reference

VARIANTS = ("original", "released")


def records_of(texts):
    return [
        {"id": f"row-{row}", "source": "toy", "messages": [{"role": "user", "content": text}]}
        for row, text in enumerate(texts)
    ]


def features_of(records):
    keys = np.array([int(record["id"].split("-")[-1]) for record in records], dtype=np.uint64)
    return SimpleNamespace(n_rows=len(records), row_keys=lambda: keys, records=lambda a, b: records[a:b])


def synthetic(n_rows, seed=0, digits=True):
    """Rows of repeated phrases, random words and random digits, 10 to 2,000 bytes, some of them equal."""
    rng = np.random.default_rng(seed)
    words = ["".join(rng.choice(list("abcdefghijklmnopäß"), size)) for size in rng.integers(2, 9, 300)]
    texts = []
    for _ in range(n_rows):
        kind, size = rng.integers(4), int(rng.integers(2, 200))
        if kind == 0 and texts:
            texts.append(texts[rng.integers(len(texts))])
        elif kind == 1 and digits:
            texts.append("".join(map(str, rng.integers(0, 10, 5 * size))))
        else:
            texts.append(" ".join(rng.choice(words[: 300 if kind == 2 else 5], size)))
    return records_of(texts)


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_incremental_ratio_is_that_of_compressing_everything(variant):
    records, form = synthetic(600), FORMS[variant]
    texts = zip_compression.read_texts(features_of(records), form)
    stream, mismatches = Stream(form), 0
    for row in range(300):
        if row % 10 == 0:
            for candidate in (row, 300 + row, 599 - row):
                whole = reference.ratio([*records[:row], records[candidate]], variant == "released")
                mismatches += stream.ratio_with(texts[candidate]) != whole
        stream.add(texts[row])
    assert stream.raw > 100_000 and mismatches == 0


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_whole_selection_is_that_of_the_literal_loop(variant):
    # 300 rows with 60, 10 and 5: 30 rounds take every row of the race, then the losers return.
    records = synthetic(300, seed=1)
    features = features_of(records)
    places = shuffled_places(300, 4, features.row_keys())
    expected = reference.select(records, 200, places, printed=variant == "released", k1=60, k2=10, k3=5)
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
    printed = variant == "released"
    expected = reference.select(records_of(texts), budget, places, printed=printed, k1=k1, k2=k2, k3=k3)
    options = {"candidates": k1, "shortlist": k2, "per_round": k3, "variant": variant}
    assert zip_compression.select(features, budget, seed=0, **options).rows.tolist() == expected
