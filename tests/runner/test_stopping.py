"""A runner that is stopped, killed even, leaves no worker and no kernel behind."""

import os
import signal
import subprocess
import sys
import time

import nbformat
import psutil
import pytest

from analysis.paths import ROOT

PARAMETERS = 'pool: str = "curated"  # pool\noutput_dir: str = ""  # folder'
SLEEP = "import pathlib, time\npathlib.Path(MARK + str(time.time())).touch()\ntime.sleep(600)"


def notebook(folder, name):
    mark = f"MARK = {str(folder / 'started-')!r}\n"
    cells = [
        nbformat.v4.new_markdown_cell("# Sleep\n\nDoes it *end*?"),
        nbformat.v4.new_code_cell(PARAMETERS, metadata={"tags": ["parameters"]}),
        nbformat.v4.new_code_cell(mark + SLEEP),
    ]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel}), folder / f"{name}.ipynb")
    return str(folder / f"{name}.ipynb")


def heard() -> None:
    """Signals as in a terminal: a shell lets what it starts in the background ignore them, these tests too."""
    for one in (signal.SIGINT, signal.SIGHUP):
        signal.signal(one, signal.SIG_DFL)


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="signals")
@pytest.mark.parametrize(
    ("how", "jobs"),
    [(signal.SIGTERM, 2), (signal.SIGKILL, 2), (signal.SIGINT, 2), (signal.SIGHUP, 2), (signal.SIGTERM, 1), (signal.SIGKILL, 1)],
)  # fmt: skip
def test_nothing_is_left_running(tmp_path, how, jobs):
    (tmp_path / "some.yaml").write_text(f"parameters: {{pool: curated}}\njobs: {jobs}\n")
    paths = [notebook(tmp_path, name) for name in ("one", "two", "three", "four")]
    command = [sys.executable, "-m", "analysis.runner", *paths, "--profile", str(tmp_path / "some.yaml")]
    environment = os.environ | {
        "PYTHONPATH": str(ROOT), "ANALYSIS_RESULTS": str(tmp_path / "results"), "ANALYSIS_REPORTS": str(tmp_path / "reports"),
    }  # fmt: skip
    with (tmp_path / "said").open("wb") as said:
        runner = subprocess.Popen(
            command, cwd=tmp_path, env=environment, stdout=said, stderr=said, start_new_session=True, preexec_fn=heard
        )  # fmt: skip
    wait_until(lambda: len(list(tmp_path.glob("started-*"))) == jobs, 120, "notebooks run")
    started = psutil.Process(runner.pid).children(recursive=True)
    assert len(started) >= (4 if jobs == 2 else 1)  # workers and kernels
    # A terminal sends both of these to the whole group.
    os.killpg(runner.pid, how) if how in (signal.SIGINT, signal.SIGHUP) else runner.send_signal(how)
    runner.wait(timeout=60)
    wait_until(lambda: not [one for one in started if alive(one)], 60, "workers and kernels end")
    assert len(list(tmp_path.glob("started-*"))) == jobs, "a worker went on with the next notebook"
    if how != signal.SIGKILL:
        assert runner.returncode == 130
        text = (tmp_path / "said").read_text()
        assert "Interrupted. What is finished is kept" in text
        assert (
            "Traceback" not in text or how == signal.SIGHUP
        )  # of multiprocessing's tracker; no terminal is there to see it


POOL = """
import os, sys, time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

def work(number):
    import analysis
    open(sys.argv[1] + f"/{os.getpid()}", "w").close()
    time.sleep(60 * number)

if __name__ == "__main__":
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        list(pool.map(work, (0, 1, 1)))
"""


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_processes_of_any_pool_end_with_a_parent_that_is_killed(tmp_path):
    (tmp_path / "script.py").write_text(POOL)
    (tmp_path / "marks").mkdir()
    command = [sys.executable, str(tmp_path / "script.py"), str(tmp_path / "marks")]
    parent = subprocess.Popen(command, env=os.environ | {"PYTHONPATH": str(ROOT)}, stderr=subprocess.DEVNULL)
    wait_until(lambda: len(list((tmp_path / "marks").iterdir())) == 2, 60, "both work")
    workers = [psutil.Process(int(path.name)) for path in (tmp_path / "marks").iterdir()]
    assert all(alive(one) for one in workers)
    parent.kill()
    parent.wait(timeout=10)
    wait_until(lambda: not [one for one in workers if alive(one)], 10, "they end")


def alive(process: psutil.Process) -> bool:
    return process.is_running() and process.status() != psutil.STATUS_ZOMBIE


def wait_until(condition, seconds: float, what: str) -> None:
    give_up = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < give_up, f"not within {seconds} s: {what}"
        time.sleep(0.2)
