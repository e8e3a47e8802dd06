import subprocess
import sys

from analysis.paths import ROOT

SCRIPT = """
import numpy as np
from numba.core.dispatcher import Dispatcher
from analysis.methods import select
from analysis.methods.tools import deflate, huffman, k_center
from analysis.methods.tools.compiling import compile_all
from tests.methods.test_zip_compression import features_of, records_of

def compiled():
    made = [one for module in (deflate, huffman, k_center) for one in vars(module).values() if isinstance(one, Dispatcher)]
    return {str(one): list(one.signatures) for one in made}

compile_all()
before = compiled()
assert sum(map(len, before.values())) > 2, before
select("zip_compression", features_of(records_of([f"row {row} says {row * row}" for row in range(300)])), 20, seed=0)
points = np.random.default_rng(0).normal(size=(50, 8)).astype(np.float32)
k_center.farthest_first(points, np.arange(3), 5)
assert compiled() == before, (before, compiled())
"""


def test_nothing_is_left_to_compile_within_a_selection():
    made = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, timeout=300, cwd=ROOT)
    assert made.returncode == 0, made.stderr
