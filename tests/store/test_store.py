"""The store: complete or absent, damage noticed, one process at a time, keys that tell settings apart."""

import json
import subprocess
import sys
import warnings

import numpy as np
import pytest

from analysis.store.store import Store, digest, write_atomic


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path)


def test_arrays_and_records_come_back_as_they_were(store):
    assert store.arrays("losses", "ab") is None and store.record("runs", "ab") is None
    store.save_arrays("losses", "ab", x=np.array([1.5, np.nan], dtype=np.float32), n=np.arange(3))
    store.save_record("runs", "ab", {"score": 0.1, "names": ["é", "b"]})
    found = store.arrays("losses", "ab")
    np.testing.assert_array_equal(found["x"], np.array([1.5, np.nan], dtype=np.float32))
    assert found["n"].tolist() == [0, 1, 2]
    assert store.record("runs", "ab") == {"score": 0.1, "names": ["é", "b"]}


@pytest.mark.parametrize("damage", ["flip", "cut", "empty"])
@pytest.mark.parametrize("kind", ["arrays", "record"])
def test_a_damaged_file_is_named_moved_aside_and_absent(store, kind, damage):
    store.save_arrays("k", "ab", x=np.arange(50))
    store.save_record("k", "ab", {"score": 0.25})
    path = store.path("k", "ab", ".npz" if kind == "arrays" else ".json")
    content = bytearray(path.read_bytes())
    if damage == "flip":
        place = len(content) // 2 if kind == "arrays" else content.index(b"0.25") + 2
        content[place] ^= 1
    path.write_bytes(b"" if damage == "empty" else content if damage == "flip" else content[: len(content) // 2])
    with pytest.warns(UserWarning, match=path.name):
        assert (store.arrays if kind == "arrays" else store.record)("k", "ab") is None
    assert not path.exists() and path.with_name(f"{path.name}.damaged").exists()


def test_no_flipped_bit_of_an_archive_gives_other_arrays(store):
    arrays = {"x": np.arange(50), "y": np.array([1.5, 2.5])}
    store.save_arrays("k", "ab", **arrays)
    path = store.path("k", "ab", ".npz")
    content = path.read_bytes()
    for place in range(len(content)):
        damaged = bytearray(content)
        damaged[place] ^= 1 << place % 8
        path.write_bytes(damaged)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = store.arrays("k", "ab")
        if found is not None:  # a bit that says nothing, such as one of the date
            assert found.keys() == arrays.keys()
            assert all(found[name].tobytes() == value.tobytes() for name, value in arrays.items())
            assert all(found[name].dtype == value.dtype for name, value in arrays.items())


def test_arrays_are_read_to_their_end_even_if_their_shape_is_damaged(store):
    store.save_arrays("k", "ab", x=np.arange(500_000))
    path = store.path("k", "ab", ".npz")
    content = path.read_bytes()
    path.write_bytes(content.replace(b"(500000,)", b"(100000,)"))  # one bit
    with pytest.warns(UserWarning, match=path.name):
        assert store.arrays("k", "ab") is None


def test_a_damaged_record_is_none_with_a_warning_and_leaves_the_others(store):
    for key in ("aa", "bb"):
        store.save_record("runs", key, {"key": key})
    store.path("runs", "aa", ".json").write_text("{")
    with pytest.warns(UserWarning, match=r"aa\.json"):
        assert store.record("runs", "aa") is None
    assert store.record("runs", "bb") == {"key": "bb"}


def test_the_first_of_two_folders_stays(store):
    first = store.save_folder("bases", "ab", lambda partial: (partial / "a").write_text("x"))
    assert store.save_folder("bases", "ab", lambda partial: (partial / "a").write_text("y")) == first
    assert (first / "a").read_text() == "x" and sorted(first.parent.iterdir()) == [
        first,
        first.with_name("ab.manifest"),
    ]


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "file.txt"
    path.write_text("old")

    def fail(partial):
        partial.write_text("half")
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        write_atomic(path, fail)
    assert path.read_text() == "old" and list(tmp_path.iterdir()) == [path]


def test_what_a_killed_process_leaves_half_written_is_no_result(store):
    store.save_record("runs", "ab", {"score": 1})
    left = []
    with pytest.raises(KeyboardInterrupt):
        write_atomic(store.path("runs", "abc", ".json"), lambda partial: stop(left, partial))
    assert left and not left[0].endswith(".json")
    assert store.record("runs", "ab") == {"score": 1} and store.record("runs", "abc") is None


def stop(left, partial):
    left.append(partial.name)
    raise KeyboardInterrupt


def test_a_folder_is_complete_or_absent(store):
    def fail(partial):
        (partial / "a").write_text("x")
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        store.save_folder("bases", "ab", fail)
    assert store.folder("bases", "ab") is None and not list((store.root / "bases" / "ab").iterdir())
    folder = store.save_folder("bases", "ab", lambda partial: (partial / "a").write_text("x"))
    assert store.folder("bases", "ab") == folder and (folder / "a").read_text() == "x"


def test_a_record_cannot_hold_nan_or_objects(store):
    with pytest.raises(ValueError, match="JSON"):
        store.save_record("runs", "ab", {"score": float("nan")})
    with pytest.raises(TypeError):
        store.save_record("runs", "ab", {"score": object()})


def test_digests_tell_values_and_types_apart_and_name_what_they_cannot_take():
    keys = [digest(a=value) for value in (1, 1.0, True, "1", None, [1], {"b": 1})]
    assert len(set(keys)) == len(keys) and all(len(key) == 24 for key in keys)
    assert digest(a=1, b=2) == digest(b=2, a=1) and digest(a=np.int64(1)) == digest(a=1)
    assert digest(a=(1, 2)) == digest(a=[1, 2])
    with pytest.raises(TypeError, match=r"a\.b\[1\]: expected plain values, found set"):
        digest(a={"b": [1, {2}]})


def test_a_claim_keeps_a_second_process_out(store):
    script = (
        "import sys; from analysis.store.store import Store; from filelock import Timeout\n"
        "try:\n    Store(sys.argv[1]).claim('runs', 'ab').acquire(timeout=0.2); print('in')\n"
        "except Timeout:\n    print('kept out')\n"
    )
    run = [sys.executable, "-c", script, str(store.root)]
    with store.claim("runs", "ab"):
        assert subprocess.run(run, capture_output=True, text=True, check=True).stdout.strip() == "kept out"
    assert subprocess.run(run, capture_output=True, text=True, check=True).stdout.strip() == "in"


def test_the_checksum_is_of_the_record(store):
    store.save_record("runs", "ab", {"score": 1})
    whole = json.loads(store.path("runs", "ab", ".json").read_text())
    assert set(whole) == {"sha256", "record"}
