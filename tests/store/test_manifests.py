"""A stored folder that is not what was stored is named, set aside and made again."""

import warnings

import pytest

from analysis.store import manifests
from analysis.store.store import Store

WEIGHTS = bytes(range(256)) * 64


def fill(folder):
    (folder / "step_1").mkdir()
    (folder / "step_1" / "weights.bin").write_bytes(WEIGHTS)
    (folder / "config.json").write_text("{}")


@pytest.fixture
def stored(tmp_path):
    manifests._checked.clear()
    store = Store(tmp_path)
    return store, store.save_folder("bases", "ab", fill)


def test_a_whole_folder_comes_back_and_files_that_came_later_do_not_matter(stored):
    store, path = stored
    (path / "later.txt").write_text("1")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert store.folder("bases", "ab") == store.folder("bases", "ab") == path
    assert sorted(one.name for one in path.iterdir()) == [
        "config.json",
        "later.txt",
        "step_1",
    ]  # the manifest lies outside


@pytest.mark.parametrize(
    ("damage", "message"),
    [("flip", r"the checksum of weights\.bin does not fit"), ("cut", r"weights\.bin has 100 bytes, expected 16,384"),
     ("remove", r"weights\.bin is missing"), ("manifest", "its manifest cannot be read")],
)  # fmt: skip
def test_a_damaged_folder_is_set_aside_and_made_again(stored, damage, message):
    store, path = stored
    weights = path / "step_1" / "weights.bin"
    if damage == "flip":
        weights.write_bytes(WEIGHTS[:-1] + b"\x00")
    elif damage == "cut":
        weights.write_bytes(WEIGHTS[:100])
    elif damage == "remove":
        weights.unlink()
    else:
        path.with_name("ab.manifest").write_text('{"a": 5}')
    with pytest.warns(UserWarning, match=rf"bases/ab/ab: damaged \({message}\); moved to ab\.damaged and made again"):
        assert store.folder("bases", "ab") is None
    assert path.with_name("ab.damaged").is_dir() and not path.exists()
    assert store.save_folder("bases", "ab", fill) == store.folder("bases", "ab") == path
    assert weights.read_bytes() == WEIGHTS


def test_a_second_damaged_folder_takes_the_place_of_the_first(stored):
    store, path = stored
    for _ in range(2):
        (path / "config.json").unlink()
        with pytest.warns(UserWarning, match=r"config\.json is missing"):
            assert store.folder("bases", "ab") is None
        store.save_folder("bases", "ab", fill)
    assert store.folder("bases", "ab") == path


def test_content_is_read_once_per_process_and_size_always(stored, monkeypatch):
    store, path = stored
    assert store.folder("bases", "ab") == path
    monkeypatch.setattr(manifests, "_sha256", lambda _: pytest.fail("read again"))
    assert store.folder("bases", "ab") == path
    (path / "config.json").write_text("")
    with pytest.warns(UserWarning, match="has 0 bytes, expected 2"):
        assert store.folder("bases", "ab") is None


def test_a_folder_stored_before_there_were_manifests_is_taken_as_it_is(stored):
    store, path = stored
    path.with_name("ab.manifest").unlink()
    (path / "config.json").write_text("[]")
    assert store.folder("bases", "ab") == path
