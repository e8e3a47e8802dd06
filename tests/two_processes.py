"""What every process of a launch does, for the tests that start two of them."""

import os
import subprocess
import sys
from pathlib import Path

from analysis.paths import ROOT

SECONDS = 300  # longest that two processes may take, which else could wait for each other for ever


def launched(module: str, *arguments: str) -> None:
    """Run a module in two processes that train together on the CPU; an error shows what they wrote."""
    command = ["-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2", "-m", module, *arguments]
    told = {"PYTHONPATH": str(ROOT), "CUDA_VISIBLE_DEVICES": "", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, *command], cwd=ROOT, env=os.environ | told, capture_output=True, text=True, timeout=SECONDS
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-6000:]


def result(folder: str | Path, what: str) -> Path:
    """Where this process of a launch puts a result of a name."""
    return Path(folder) / f"{what}.{os.environ['RANK']}"
