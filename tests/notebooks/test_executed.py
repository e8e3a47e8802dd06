"""Every notebook through the runner with small values, and a look at what came out."""

import json
import re

import nbformat
import pandas as pd
import pytest
from PIL import Image

from analysis.paths import NOTEBOOKS
from analysis.runner import __main__ as execute
from analysis.runner.html import external_requests
from analysis.runner.jupyter import without_progress
from analysis.runner.parameters import notebook_parameters

PATHS = sorted(NOTEBOOKS.glob("*.ipynb"))
SMALL = {"pool": "curated", "limit": 600, "budget": 40, "parts": 3, "n_draws": 3,  # a pool given: one variant each
         "finetuning": {"least_steps": 1}}  # fmt: skip
OWN = {  # instead of defaults that would take minutes, or leave a figure out
    "30_versus_random": {"budgets": [20]},
    "31_failure_modes_at_scale": {"sizes": [200], "trained_sizes": [200], "slices": {"token_length": 2},
                                  "methods": ["token_length"]},
    "32_diversity_vs_quality": {"correct_shares": [0.5, 1.0], "skill_counts": [4, 16], "built_from": 40_000},
    "33_length_effects": {"bands": 2, "design_parts": 1},
    "34_base_model_strength": {"methods": ["token_length"], "rungs": ["tiny-weak-1M"]},
    "35_cost_of_selection": {"sizes": [150], "further": ["kmeans", "ifd"]},
    "36_released_vs_original": {"methods": ["cross_entropy", "rds_plus"]},
}  # fmt: skip
EMPTY = {  # what a page documents as leaving something out, or a pool that leaves nothing to see
    "31_failure_modes_at_scale": {"sizes": [200], "trained_sizes": [], "methods": ["token_length"]},
    "36_released_vs_original": {"methods": ["zip_compression"], "n_draws": 0, "finetuning": {"max_tokens": 8}},
}  # fmt: skip
SAID = {"31_failure_modes_at_scale": "Nothing was fine-tuned", "36_released_vs_original": "cannot be told"}
COUNTED = re.compile(r"Warning\b|Traceback|\bError\b")

pytestmark = pytest.mark.slow


@pytest.fixture(scope="session")
def folders(tmp_path_factory):
    """A store and a reports folder of their own; the notebooks share stored runs, as they do for users."""
    root = tmp_path_factory.mktemp("notebooks")
    patch = pytest.MonkeyPatch()
    patch.setenv("ANALYSIS_RESULTS", str(root / "results"))
    yield root / "reports"
    patch.undo()


@pytest.fixture(scope="module", params=PATHS, ids=lambda path: path.stem)
def outcome(request, folders):
    known = notebook_parameters(request.param)
    values = {name: value for name, value in SMALL.items() if name in known} | OWN.get(request.param.stem, {})
    outcomes = execute.run([str(request.param)], "quick", values, "test", reports=folders, live=False)
    for one in outcomes:
        assert one.status == "done", one.error
    return outcomes[0]


@pytest.fixture
def executed(outcome):
    return nbformat.read(outcome.job.executed, as_version=4)


def findings(outcome):
    return json.loads((outcome.job.figures / "findings.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", EMPTY)
def test_a_page_without_much_to_say_comes_to_its_end(folders, name):
    path = NOTEBOOKS / f"{name}.ipynb"
    (one,) = execute.run([str(path)], "quick", SMALL | EMPTY[name], "empty", reports=folders, live=False)
    assert one.status == "done", one.error
    told = findings(one)
    assert any(SAID[name] in sentence for sentence in told["findings"])
    assert {file.stem for file in one.job.figures.glob("*.png")} == set(told["figures"])


def test_produces_findings(outcome):
    sentences = findings(outcome)["findings"]
    assert sentences
    assert all(sentence.endswith((".", "!", "?")) and len(sentence.split()) >= 4 for sentence in sentences)
    assert not any(re.search(r"\b(nan|inf|None|NaN)\b", sentence) for sentence in sentences), sentences


def test_figures_are_pictures_with_their_numbers(outcome):
    names = findings(outcome)["figures"]
    assert names
    assert {path.stem for path in outcome.job.figures.glob("*.png")} == set(names)
    for name in names:
        with Image.open(outcome.job.figures / f"{name}.png") as image:
            assert len(image.convert("L").resize((64, 64)).getcolors()) > 4, f"{name}.png is blank"
            assert image.size[0] >= 600


def test_plotted_numbers_are_complete(outcome):
    for name in findings(outcome)["figures"]:
        table = pd.read_csv(outcome.job.figures / f"{name}.csv")
        assert len(table) >= 1, name
        numbers = table.select_dtypes("number")
        assert numbers.shape[1] >= 1, f"{name}.csv holds no numbers"
        missing = numbers.columns[numbers.isna().any()].tolist()
        assert not missing, f"{name}.csv: missing values in {missing}"


def test_nothing_warns(executed):
    for cell in executed.cells:
        for output in cell.get("outputs", []):
            if output.output_type == "stream" and output.name == "stderr":
                text = without_progress(output.text)
                assert not COUNTED.search(text), text


def test_provenance_names_pool_and_seconds(outcome):
    noted = findings(outcome)["provenance"]
    sources = noted.get("sources", "")
    assert "fingerprint" in noted.get("pool", sources) or "arXiv" in sources or noted["pages"] > 0
    assert noted["seconds"] > 0


@pytest.mark.parametrize("outcome", [NOTEBOOKS / "90_summary.ipynb"], ids=["90_summary"], indirect=True)
def test_the_summary_states_no_number_that_no_other_page_has(outcome):
    known = []
    for path in outcome.job.figures.parent.glob("*/*.csv"):
        table = pd.read_csv(path) if path.parent != outcome.job.figures else pd.DataFrame()
        for middle in {"estimate", "correlation"} & set(table):
            if {"low", "high"} <= set(table):
                known += table[[middle, "low", "high"]].to_numpy(float).tolist()
        if "standardised" in table:
            scale = table["standardised"] / table["estimate"]
            known += (
                pd.concat([table["standardised"], table["low"] * scale, table["high"] * scale], axis=1)
                .to_numpy()
                .tolist()
            )
    text = "\n".join(findings(outcome)["findings"] + pd.read_csv(outcome.job.figures / "claims.csv")["found"].tolist())
    told = re.findall(r"([+-][\d.]+) \[([+-][\d.]+), ([+-][\d.]+)\]", text)
    assert told
    for triple in told:
        step = 0.51 * 10.0 ** -len(triple[0].partition(".")[2])
        numbers = [float(one) for one in triple]
        close = [all(abs(a - b) <= step for a, b in zip(numbers, one, strict=True)) for one in known]
        assert any(close), f"{triple} is in no table of another page"


def test_the_page_works_without_a_network(outcome):
    page = outcome.job.page.read_text(encoding="utf-8")
    assert external_requests(page) == []
    assert "$$" not in page.split("<main>")[1]
    assert "data:image/png;base64," in page


def test_the_index_shows_it(outcome, folders):
    text = (folders / "index.html").read_text(encoding="utf-8")
    assert f'href="test/{outcome.job.report}.html"' in text
    assert ">FAILED<" not in text
