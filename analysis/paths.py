"""Where things are, found from this file, never from the working directory."""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "analysis"
NOTEBOOKS = ROOT / "notebooks"
FIGURES = ROOT / "figures"
REPORTS = Path(os.environ.get("ANALYSIS_REPORTS", ROOT / "reports"))
RESULTS = Path(os.environ.get("ANALYSIS_RESULTS", ROOT / "results"))
PUBLISHED = Path(os.environ.get("ANALYSIS_PUBLISHED", FIGURES / "runs"))
PROFILES = PACKAGE / "runner" / "profiles"
BASES = PACKAGE / "models" / "bases"
SPLITTER = "::"  # between the path of a pool and how it is to be read
