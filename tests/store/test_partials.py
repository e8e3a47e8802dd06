"""What dead processes left unfinished goes; what a living one fills stays; the umask holds."""

import os
import subprocess
import sys
import time

import pytest

from analysis.store import partials
from analysis.store.partials import partial_beside, remove_left_over
from analysis.store.store import Store, write_atomic

HOUR = 3600


@pytest.fixture(autouse=True)
def _forget():
    remove_left_over.cache_clear()


@pytest.fixture(scope="module")
def dead():
    return subprocess.run(
        [sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, text=True, check=True
    ).stdout.strip()


def left(folder, owner, hours, *, is_folder=False):
    path = folder / f".a.npz{owner}.partial"
    if is_folder:
        path.mkdir()
        (path / "weights").write_text("half")
    else:
        path.write_text("half")
    for one in [*path.glob("*"), path] if is_folder else [path]:
        os.utime(one, (time.time() - hours * HOUR,) * 2)
    return path


@pytest.mark.parametrize("is_folder", [False, True])
@pytest.mark.parametrize(
    ("of", "hours", "stays"),
    [("dead", 2, False), ("dead", 0.5, True), ("living", 100, True), ("elsewhere", 100, True), ("elsewhere", 200, False),
     ("another program", 10_000, True)],
)  # fmt: skip
def test_by_owner_and_age(tmp_path, dead, of, hours, stays, is_folder):
    machine = partials._machine()
    owners = {
        "dead": f".{machine}-{dead}-01234567",
        "living": f".{machine}-{os.getppid()}-01234567",
        "elsewhere": f".{'0' * 8}-{dead}-01234567",
        "another program": ".mkv",
    }
    path = left(tmp_path, owners[of], hours, is_folder=is_folder)
    (tmp_path / "finished.npz").write_text("whole")
    write_atomic(tmp_path / "new.json", lambda partial: partial.write_text("1"))
    assert path.exists() == stays
    assert {one.name for one in tmp_path.iterdir()} - {path.name} == {"finished.npz", "new.json"}


def test_a_folder_that_is_still_filled_stays(tmp_path, dead):
    path = left(tmp_path, f".{partials._machine()}-{dead}-01234567", 2, is_folder=True)
    (path / "weights").write_text("more")
    os.utime(path, (time.time() - 2 * HOUR,) * 2)
    remove_left_over(tmp_path)
    assert path.exists()


def test_what_a_killed_process_leaves_is_known_as_its_own(tmp_path):
    code = ("import os, sys; from pathlib import Path; from analysis.store.store import Store; "
            "Store(Path(sys.argv[1])).save_folder('k', 'ab', lambda folder: os.kill(os.getpid(), 9))")  # fmt: skip
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=False)
    (path,) = (tmp_path / "k" / "ab").glob(".*.partial")
    os.utime(path, (time.time() - 2 * HOUR,) * 2)
    Store(tmp_path).save_folder("k", "ab", lambda folder: (folder / "a").write_text("1"))
    assert sorted(one.name for one in (tmp_path / "k" / "ab").iterdir()) == ["ab", "ab.manifest"]


def test_two_writers_at_once_have_names_of_their_own(tmp_path):
    assert partial_beside(tmp_path / "a") != partial_beside(tmp_path / "a")


@pytest.mark.skipif(os.name != "posix", reason="permissions")
@pytest.mark.parametrize(
    ("mask", "of_file", "of_folder"), [(0o027, 0o640, 0o750), (0o002, 0o664, 0o775), (0o077, 0o600, 0o700)]
)
def test_the_umask_is_respected(tmp_path, mask, of_file, of_folder):
    before = os.umask(mask)
    try:
        write_atomic(tmp_path / "a.json", lambda partial: partial.write_text("1"))
        folder = Store(tmp_path).save_folder("k", "ab", lambda folder: None)
    finally:
        os.umask(before)
    assert (tmp_path / "a.json").stat().st_mode & 0o777 == of_file
    assert folder.stat().st_mode & 0o777 == of_folder
