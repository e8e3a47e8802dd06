"""The README's "Add a method", followed to the letter in a copy of the checkout: a file, an entry, a notebook."""

import json
import os
import shutil
import subprocess
import sys

import pytest

from analysis.paths import ROOT

METHOD = '''"""Prompt length: rows by the tokens before their answers."""

from analysis.methods.selection import Selection, choose, top_k

SIGNS = {"longest": 1, "shortest": -1}


def select(features, budget: int, *, seed: int, direction: str = "longest") -> Selection:
    """The rows of longest or shortest prompt."""
    sign = choose("direction", direction, SIGNS)
    return top_k(sign * features.lengths().prompt, budget, seed, keys=features.row_keys())
'''
ENTRY = '    "prompt_length": Method("Prompt length", "length", "nobody", "prompt_length", needs=("lengths",)),\n'
CALLS = {
    '"cross_entropy"': '"prompt_length"',
    "cross_entropy(variant='released')": "prompt_length(direction='shortest')",
    "cross_entropy(band=(40, 60))": "token_length",
    "12_cross_entropy": "21_prompt_length",
}


@pytest.mark.slow
def test_a_method_is_one_file_one_line_and_one_notebook(tmp_path):
    kept_out = shutil.ignore_patterns("__pycache__", "tiny-strong")
    shutil.copytree(ROOT / "analysis", tmp_path / "analysis", ignore=kept_out)
    shutil.copytree(ROOT / "notebooks", tmp_path / "notebooks")
    (tmp_path / "analysis" / "methods" / "prompt_length.py").write_text(METHOD)
    catalogue = tmp_path / "analysis" / "methods" / "catalogue.py"
    before, after = catalogue.read_text().split('    "cross_entropy": Method(')
    catalogue.write_text(f'{before}{ENTRY}    "cross_entropy": Method({after}')
    notebook = (ROOT / "notebooks" / "12_cross_entropy.ipynb").read_text()
    for old, new in CALLS.items():
        plain, inside = json.dumps(old)[1:-1], json.dumps(new)[1:-1]
        assert plain in notebook, old
        notebook = notebook.replace(plain, inside)
    (tmp_path / "notebooks" / "21_prompt_length.ipynb").write_text(notebook)
    values = {
        "limit": 300,
        "budget": 20,
        "parts": 1,
        "n_draws": 2,
        "pool": "curated",
        "finetuning": '{"least_steps": 1}',
    }
    command = [sys.executable, "-m", "analysis.runner", "--only", "21"]
    command += [part for name, value in values.items() for part in ("-p", name, str(value))]
    environment = os.environ | {"PYTHONPATH": str(tmp_path), "ANALYSIS_RESULTS": str(tmp_path / "results")}
    environment.pop("ANALYSIS_REPORTS", None)
    run = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout[-2000:] + run.stderr[-2000:]
    found = next((tmp_path / "reports").rglob("findings.json")).read_text()
    assert "Prompt length" in found and "Prompt length (shortest)" in found
