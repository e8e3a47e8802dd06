"""Is any self-scoring selection of instruction data worth its cost over a random draw?"""

import os
import warnings

# torch reads this once, when it is imported: its threads otherwise busy-wait, ruinous on shared cores.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

# Progress is shown as text in notebooks and terminals alike; widgets would be blank in the reports.
warnings.filterwarnings("ignore", message="IProgress not found")
