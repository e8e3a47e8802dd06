"""A stored pool that is not what was stored is named, set aside and made again: the same rows come out."""

import json
import warnings

import pytest

from analysis.pools import load_pool
from analysis.store import noted_files


def damage(path, how):
    content = bytearray(path.read_bytes())
    place = len(content) // 2
    content[place] ^= 1
    path.write_bytes({"flip": bytes(content), "cut": bytes(content[:place]), "empty": b""}[how])


def said(pool) -> tuple:
    return pool.fingerprint, pool.rows.to_list(), pool.held_out.to_list(), pool.summary(), pool.provenance


def next_process():
    noted_files._read.clear()


@pytest.fixture
def rows_of_a_file(tmp_path):
    path = tmp_path / "a.jsonl"
    records = [{"prompt": f"What is {n} + 1?", "response": f"It is {n + 1}."} for n in range(300)]
    path.write_text("".join(json.dumps(one) + "\n" for one in [*records, {"prompt": "x"}]))
    return str(path)


@pytest.mark.parametrize("how", ["flip", "cut", "empty"])
@pytest.mark.parametrize("name", ["file", "wild"])
def test_every_file_of_a_stored_pool_is_made_again_where_it_is_damaged(tmp_path, rows_of_a_file, name, how):
    cache, name = tmp_path / "cache", rows_of_a_file if name == "file" else name

    def load():
        next_process()
        return load_pool(name, cache=cache, limit=200)

    before = said(load())
    files = [path for path in sorted(cache.rglob("*")) if path.is_file() and path.suffix != ".lock"]
    assert {path.suffix for path in files} >= {".arrow", ".checksum"} | (
        {".json", ".npz"} if "a.jsonl" in name else set()
    )
    for path in files:
        damage(path, how)
        with pytest.warns(UserWarning, match=path.name.removesuffix(".checksum")):
            assert said(load()) == before, path
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert said(load()) == before, path


def test_a_whole_pool_is_read_once_per_process_and_a_changed_file_again(tmp_path, rows_of_a_file, monkeypatch):
    cache = tmp_path / "cache"
    before = said(load_pool(rows_of_a_file, cache=cache))
    load_pool("wild", limit=200, cache=cache)
    load_pool(rows_of_a_file, cache=cache)
    with monkeypatch.context() as patch:
        patch.setattr(noted_files, "_content", lambda path: pytest.fail("read again"))
        load_pool("wild", limit=200, cache=cache)
        assert said(load_pool(rows_of_a_file, cache=cache)) == before
    counts = next(cache.glob("*.json"))
    counts.write_text("")
    with pytest.warns(UserWarning, match=rf"{counts.name}: damaged .*moved to {counts.name}\.damaged and made again"):
        assert said(load_pool(rows_of_a_file, cache=cache)) == before


def test_blocks_stored_before_there_were_notes_are_taken_as_they_are(tmp_path, monkeypatch):
    before = said(load_pool("curated", limit=200, cache=tmp_path))
    for path in tmp_path.rglob("*.checksum"):
        path.unlink()
    monkeypatch.setattr("analysis.pools.testbed.blocks._write_block", lambda *_: pytest.fail("made again"))
    assert said(load_pool("curated", limit=200, cache=tmp_path)) == before
    assert [*tmp_path.rglob("*.arrow.checksum")]
