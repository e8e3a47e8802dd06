"""A file behind an option: another content is another selection."""

import os

from analysis.paths import BASES
from analysis.store.file_states import content_hash, files_named, states
from analysis.store.store import Store


def test_values_that_name_no_file_have_no_state():
    assert files_named({"variant": "released", "clusters": 10, "band": (25, 75), "targets": "auto", "empty": ""}) == []


def test_files_folders_patterns_and_lists_are_seen(tmp_path):
    for name in ("a.jsonl", "b.jsonl", "model/weights", "model/deep/names"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    one = files_named({"targets": str(tmp_path / "a.jsonl")})
    assert [path for path, *_ in one] == [str(tmp_path / "a.jsonl")] and one[0][1] == len("a.jsonl")
    assert len(files_named(str(tmp_path / "*.jsonl"))) == 2
    assert files_named(f"{tmp_path / 'a.jsonl'}, {tmp_path / 'b.jsonl'}") == files_named(str(tmp_path / "*.jsonl"))
    assert len(files_named([str(tmp_path / "model"), str(tmp_path / "a.jsonl")])) == 3


def test_a_changed_file_has_another_state(tmp_path):
    path = tmp_path / "targets.jsonl"
    path.write_text("one")
    before = files_named(str(path))
    path.write_text("two")
    os.utime(path, ns=(1, before[0][2] + 1_000_000))
    assert files_named(str(path)) != before


def test_an_embedded_base_is_seen_by_its_name_and_content_alone():
    weights = BASES / "tiny-weak" / "model.safetensors"
    assert ["tiny-weak/model.safetensors", content_hash(weights, None)] in files_named({"scorer": "tiny-weak"})
    assert files_named("tiny-weak") == files_named(str(BASES / "tiny-weak"))


def test_what_lies_outside_of_the_embedded_bases_is_none_of_them(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rows.jsonl").touch()
    assert files_named("../../paths.py") == files_named("~nobody-of-this-name/rows.jsonl") == []
    assert [path for path, *_ in files_named(".")] == [str(tmp_path / "rows.jsonl")]


def test_a_path_that_exists_is_no_pattern(tmp_path):
    (tmp_path / "rows[1].jsonl").touch()
    assert len(files_named(str(tmp_path / "rows[1].jsonl"))) == 1
    assert files_named("what? " * 100) == []


def test_a_content_is_read_again_when_its_file_has_another_state(tmp_path):
    path, store = tmp_path / "rows.jsonl", Store(tmp_path / "store")
    path.write_text("one")
    first, state = content_hash(path, store), path.stat()
    path.write_text("two")
    os.utime(path, ns=(1, state.st_mtime_ns))
    assert content_hash(path, store) == first != content_hash(path, None)
    os.utime(path, ns=(1, state.st_mtime_ns + 1_000_000))
    assert content_hash(path, store) == content_hash(path, None)
    assert states([path, tmp_path / "absent"], tmp_path) == [["rows.jsonl", 3, state.st_mtime_ns + 1_000_000]]
