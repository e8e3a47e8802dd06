"""Parts of a pool share no row, leave none over, and keep one held-out set."""

import json

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analysis.pools import load_parts, load_pool
from analysis.pools.parts import nested_rows, smaller


def rows(count):
    """One row in five is an exact copy of the one before it."""
    numbers = [number - (number % 5 == 4) for number in range(count)]
    return [{"prompt": f"What is {n} times {n}?", "response": f"That makes {n * n}."} for n in numbers]


def write(path, records):
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("parts")
    write(made / "rows.jsonl", rows(200))
    write(made / "shuffled.jsonl", [rows(200)[place] for place in np.random.default_rng(0).permutation(200)])
    return made


def parts_of(folder, name="rows.jsonl", **options):
    return load_parts(name if name in ("curated", "wild") else folder / name, cache=folder / "cache", **options)


def whole(folder, name="rows.jsonl", **options):
    return load_pool(name if name in ("curated", "wild") else folder / name, cache=folder / "cache", **options)


def ids(pools):
    return [row for pool in pools for row in pool.rows["id"]]


def said(rows):
    return sorted(messages[0]["content"] for messages in rows["messages"])


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    parts=st.integers(1, 9), seed=st.integers(0, 3), limit=st.sampled_from([None, 30, 150]),
    duplicates=st.sampled_from(["keep", "drop"]), fewest=st.integers(1, 60),
)  # fmt: skip
def test_parts_of_a_file(folder, parts, seed, limit, duplicates, fewest):
    options = {"seed": seed, "limit": limit, "duplicates": duplicates}
    pool, found = whole(folder, **options), parts_of(folder, parts=parts, fewest=fewest, **options)
    assert sorted(ids(found)) == sorted(pool.rows["id"])  # disjoint, and nothing is left over
    sizes = [len(part) for part in found]
    assert max(sizes) - min(sizes) <= 1
    assert len(found) == min(parts, max(1, len(pool) // fewest))
    assert len({part.fingerprint for part in found}) == len(found)
    for number, part in enumerate(found, 1):
        assert part.held_out["id"][:] == pool.held_out["id"][:]
        assert part.provenance["parts"] == {"number": number, "made": len(found), "asked": parts}
        counts = part.summary()
        assert counts.pop("read") == sum(counts.values())
    shuffled = parts_of(folder, "shuffled.jsonl", parts=parts, fewest=fewest, **options)
    assert [said(part.rows) for part in shuffled] == [said(part.rows) for part in found]
    assert said(shuffled[0].held_out) == said(found[0].held_out)


def test_another_seed_deals_other_parts(folder):
    first, again, other = (parts_of(folder, parts=3, seed=seed) for seed in (0, 0, 1))
    assert [part.fingerprint for part in first] == [part.fingerprint for part in again]
    assert said(first[0].rows) == said(again[0].rows) != said(other[0].rows)


@pytest.mark.parametrize("name", ["rows.jsonl", "wild"])
def test_one_part_is_the_pool(folder, name):
    (part,), pool = parts_of(folder, name, parts=1, limit=100), whole(folder, name, limit=100)
    assert (part.name, part.fingerprint) == (pool.name, pool.fingerprint)
    assert part.rows["id"][:] == pool.rows["id"][:] and part.held_out["id"][:] == pool.held_out["id"][:]


@pytest.mark.parametrize("name", ["curated", "wild"])
@pytest.mark.parametrize("duplicates", ["keep", "drop"])
def test_parts_of_the_testbed_have_rows_of_their_own(folder, name, duplicates):
    options = {"limit": 300, "seed": 2, "duplicates": duplicates}
    found = parts_of(folder, name, parts=4, **options)
    pool = whole(folder, name, **options | {"limit": 1200})
    assert ids(found) == pool.rows["id"][:]
    assert [part.name for part in found] == [f"{name}, part {number} of 4" for number in (1, 2, 3, 4)]
    for place, part in enumerate(found):
        assert part.held_out["id"][:] == pool.held_out["id"][:] and part.has_truth
        assert {int(row.rpartition("-")[2]) // 300 for row in part.rows["id"]} == {place}
        assert not set(part.rows["dup_group"]) & set(part.held_out["dup_group"])
    # More parts take nothing from those before them, and the first has the rows of a pool of its size.
    assert ids(parts_of(folder, name, parts=2, **options)) == ids(found[:2])
    assert whole(folder, name, **options).rows["id"][:] == ids(found[:1])


def test_a_part_of_the_testbed_that_is_too_small_ends_the_parts(folder):
    sizes = [len(part) for part in parts_of(folder, "curated", parts=4, limit=300)]
    smallest = int(np.argmin(sizes))
    found = parts_of(folder, "curated", parts=4, limit=300, fewest=sizes[smallest] + 1)
    assert len(found) == max(smallest, 1) and found[0].provenance["parts"]["asked"] == 4
    (only,) = parts_of(folder, "curated", parts=4, limit=300, fewest=301)
    assert only.fingerprint == whole(folder, "curated", limit=300).fingerprint


@pytest.mark.parametrize(
    "options", [{"parts": 0}, {"parts": True}, {"parts": 2, "fewest": 0}, {"parts": 2, "limit": 0}]
)
def test_wrong_options_are_named(folder, options):
    wrong = next(name for name, value in options.items() if value in (0, True))
    for name in ("curated", "rows.jsonl"):
        with pytest.raises(ValueError, match=f"{wrong}: expected a whole number from 1 up"):
            parts_of(folder, name, **options)


@pytest.mark.parametrize("name", ["rows.jsonl", "curated"])
def test_a_smaller_pool_is_among_a_larger_one_whatever_the_order_of_the_file(folder, name):
    pool = whole(folder, name, limit=150)
    few, more = smaller(pool, 20), smaller(pool, 60)
    assert len(few) == 20 and set(few.rows["id"]) < set(more.rows["id"]) < set(pool.rows["id"])
    assert few.rows["id"] == [pool.rows["id"][place] for place in nested_rows(pool, 20)]
    assert len({one.fingerprint for one in (few, more, pool, smaller(pool, 20, seed=1))}) == 4
    assert sum(few.summary().values()) - few.summary()["read"] == few.summary()["read"]
    assert smaller(pool, len(pool)) is pool
    with pytest.raises(ValueError, match="n_rows: 10,000 asked for, but"):
        smaller(pool, 10_000)
