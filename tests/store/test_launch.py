"""Several processes of one launch and the store."""

import pytest

from analysis.store import launch
from analysis.store.launch import from_first, is_first, is_one_of_several
from analysis.store.store import Store


@pytest.fixture
def second(monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setenv("RANK", "1")


def test_a_process_alone_is_the_first_and_makes_what_it_asks_for(monkeypatch):
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    monkeypatch.setenv("RANK", "3")  # of something else
    assert is_first() and not is_one_of_several() and from_first(lambda: 7, cpu=True) == 7


def test_a_later_process_takes_no_lock_and_keeps_nothing(second, tmp_path, monkeypatch):
    store = Store(tmp_path)
    with store.claim("models", "a" * 24):
        assert not store.path("models", "a" * 24, ".lock").exists()
    monkeypatch.setattr(launch, "PATIENCE", 0.1)
    with pytest.raises(TimeoutError, match=r"a\.manifest: expected from the first process .* one folder of results"):
        store.save_folder("models", "a" * 24, lambda folder: (folder / "file").touch())
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_a_later_process_waits_for_the_folder_of_the_first(second, tmp_path, monkeypatch):
    with monkeypatch.context() as first:
        first.setenv("RANK", "0")
        saved = Store(tmp_path).save_folder("models", "a" * 24, lambda folder: (folder / "file").write_text("first"))
    found = Store(tmp_path).save_folder("models", "a" * 24, lambda folder: (folder / "file").write_text("second"))
    assert found == saved and (found / "file").read_text() == "first"
