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


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="signals")
@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_nothing_is_left_running(tmp_path, how):
    (tmp_path / "two.yaml").write_text("parameters: {pool: curated}\njobs: 2\n")
    paths = [notebook(tmp_path, name) for name in ("one", "two", "three", "four")]
    command = [sys.executable, "-m", "analysis.runner", *paths, "--profile", str(tmp_path / "two.yaml")]
    environment = os.environ | {
        "PYTHONPATH": str(ROOT), "ANALYSIS_RESULTS": str(tmp_path / "results"), "ANALYSIS_REPORTS": str(tmp_path / "reports"),
    }  # fmt: skip
    runner = subprocess.Popen(
        command,
        cwd=tmp_path,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    wait_until(lambda: len(list(tmp_path.glob("started-*"))) == 2, 120, "two notebooks run")
    started = psutil.Process(runner.pid).children(recursive=True)
    assert len(started) >= 4  # two workers, two kernels
    runner.send_signal(how)
    runner.wait(timeout=60)
    wait_until(lambda: not [one for one in started if alive(one)], 60, "workers and kernels end")
    assert len(list(tmp_path.glob("started-*"))) == 2, "a worker went on with the next notebook"
    if how == signal.SIGTERM:
        assert runner.returncode == 130


def alive(process: psutil.Process) -> bool:
    return process.is_running() and process.status() != psutil.STATUS_ZOMBIE


def wait_until(condition, seconds: float, what: str) -> None:
    give_up = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < give_up, f"not within {seconds} s: {what}"
        time.sleep(0.2)
