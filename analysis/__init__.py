"""Is any self-scoring selection of instruction data worth its cost over a random draw?"""

import os
import warnings
from multiprocessing import parent_process

from analysis.store.workers import end_with

# torch reads this once, when it is imported: its threads otherwise busy-wait, ruinous on shared cores.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

# Progress is shown as text in notebooks and terminals alike; widgets would be blank in the reports.
warnings.filterwarnings("ignore", message="IProgress not found")

# Processes of pools, here and in libraries, wait for ever for a parent that was killed.
_parent = parent_process()
if _parent is not None and _parent.pid == os.getppid():
    end_with(_parent.pid)
