"""Anatomy of the notebooks, read from their files: no kernel is started."""

import ast
import re
import subprocess

import nbformat
import pytest

from analysis.paths import NOTEBOOKS, ROOT
from analysis.runner.parameters import notebook_parameters
from analysis.runner.plan import find_notebooks, make_plan
from analysis.runner.profile import load_profile, profile_names

PATHS = sorted(NOTEBOOKS.glob("*.ipynb"))
SHARED = ["pool", "limit", "model", "methods", "budget", "seed", "parts", "n_draws", "output_dir"]
OWN_PARAMETERS = 7
CODE_LINES, DEFINITIONS = 12, 1
CLAIM = re.compile(
    r"\b(clearly|obviously|significantly|outperforms?|we (find|see|found|observe) that)\b", re.IGNORECASE
)
LOOKS = re.compile(
    r"rcParams|figsize\s*=|plt\.style|sns\.set|set_theme|#[0-9a-fA-F]{6}\b|\.savefig\(|sys\.path|^\s*[!%]",
    re.MULTILINE,
)


@pytest.fixture(scope="module", params=PATHS, ids=lambda path: path.stem)
def notebook(request):
    return nbformat.read(request.param, as_version=nbformat.NO_CONVERT)


@pytest.fixture(params=PATHS, ids=lambda path: path.stem)
def path(request):
    return request.param


def tags(cell):
    return cell.metadata.get("tags", [])


def of_type(notebook, kind):
    return [cell for cell in notebook.cells if cell.cell_type == kind]


def first(notebook):
    return notebook.cells[0].source


def test_there_are_notebooks():
    assert PATHS


def test_is_valid_and_current(notebook):
    nbformat.validate(notebook)
    assert (notebook.nbformat, notebook.nbformat_minor) == (4, 5)


def test_is_clean(notebook):
    assert notebook.metadata.kernelspec.name == "python3"
    assert set(notebook.metadata) == {"kernelspec"}
    for cell in of_type(notebook, "code"):
        assert cell.outputs == []
        assert cell.execution_count is None
    for cell in notebook.cells:
        assert set(cell.metadata) <= {"tags"}, cell.metadata
        assert set(tags(cell)) <= {"parameters", "hide-input"}, tags(cell)


def test_cell_ids_are_unique_and_were_kept(notebook):
    ids = [cell.id for cell in notebook.cells]
    assert len(set(ids)) == len(ids)
    assert not all(one.isdigit() for one in ids), "nbstripout without --keep-id renumbered the cells"


def test_begins_with_a_subject_and_a_question(notebook):
    assert notebook.cells[0].cell_type == "markdown"
    lines = [line for line in first(notebook).splitlines() if line.strip()]
    assert re.match(r"# \S", lines[0])
    assert lines[1].rstrip("*_ ").endswith("?"), f"the line after the title is one question, not {lines[1]!r}"
    assert lines[1].count("?") == 1


def test_states_its_rule_in_the_first_cell(notebook):
    assert re.search(r"\b(rule|decid)", first(notebook), re.IGNORECASE), "which result will answer the question?"
    assert len(first(notebook).split()) <= 200


def test_has_one_parameters_cell_in_second_place(notebook):
    tagged = [position for position, cell in enumerate(notebook.cells) if "parameters" in tags(cell)]
    assert tagged == [1]
    assert notebook.cells[1].cell_type == "code"


def test_parameters_are_annotated_literals_with_a_comment(notebook, request):
    tree = ast.parse(notebook.cells[1].source)
    lines = notebook.cells[1].source.splitlines()
    for statement in tree.body:
        assert isinstance(statement, ast.AnnAssign), f"not `name: type = value`: {ast.unparse(statement)}"
        ast.literal_eval(statement.value)
        assert "#" in lines[statement.end_lineno - 1], f"{statement.target.id} has no comment that explains it"


def test_papermill_sees_every_parameter(path):
    names = [one.target.id for one in ast.parse(nbformat.read(path, 4).cells[1].source).body]
    found = notebook_parameters(path)
    assert list(found) == names
    assert all(one.annotation != "None" and one.help for one in found.values())


def test_shared_parameters_come_first_and_in_order(path):
    names = list(notebook_parameters(path))
    assert names[: len(SHARED)] == SHARED
    assert len(names) <= len(SHARED) + OWN_PARAMETERS


def test_shared_parameters_have_one_meaning(path):
    reference, found = notebook_parameters(PATHS[0]), notebook_parameters(path)
    assert {name: found[name].annotation for name in SHARED} == {name: reference[name].annotation for name in SHARED}


def test_imports_are_in_the_hidden_third_cell(notebook):
    assert "hide-input" in tags(notebook.cells[2])
    assert "style.use()" in notebook.cells[2].source
    assert "report.begin(" in "".join(cell.source for cell in notebook.cells[2:5])
    for cell in of_type(notebook, "code")[2:]:
        imports = [one for one in ast.walk(ast.parse(cell.source)) if isinstance(one, ast.Import | ast.ImportFrom)]
        assert not imports, cell.source


def test_is_short(notebook):
    assert 10 <= len(notebook.cells) <= 24
    words = sum(len(cell.source.split()) for cell in of_type(notebook, "markdown"))
    assert 100 <= words <= 500


def test_code_cells_are_short(notebook):
    for cell in of_type(notebook, "code"):
        lines = [line for line in cell.source.splitlines() if line.strip()]
        limit = len(SHARED) + OWN_PARAMETERS if "parameters" in tags(cell) else CODE_LINES
        assert len(lines) <= limit, f"{len(lines)} lines:\n{cell.source}"


def test_no_cell_gives_a_parameter_another_value(path):
    known = set(notebook_parameters(path))
    for cell in of_type(nbformat.read(path, as_version=4), "code"):
        if "parameters" not in tags(cell):
            names = [node.id for node in ast.walk(ast.parse(cell.source)) if isinstance(node, ast.Name)
                     and isinstance(node.ctx, ast.Store)]  # fmt: skip
            assert not known & set(names), cell.source


def test_computation_lives_in_the_package(notebook):
    nodes = [node for cell in of_type(notebook, "code") for node in ast.walk(ast.parse(cell.source))]
    assert sum(isinstance(node, ast.FunctionDef) for node in nodes) <= DEFINITIONS
    assert not any(isinstance(node, ast.ClassDef) for node in nodes)


def test_looks_and_paths_live_in_the_package(notebook):
    for cell in of_type(notebook, "code"):
        found = LOOKS.search(cell.source)
        assert not found, f"{found[0]!r} belongs into analysis/reporting/style.py:\n{cell.source}"


def test_no_result_is_typed_by_hand(notebook):
    for cell in of_type(notebook, "markdown")[1:]:
        found = CLAIM.search(cell.source)
        assert not found, f"a claim in prose: {found and found[0]!r} in\n{cell.source}"
    headings = [cell for cell in of_type(notebook, "markdown") if "What this shows" in cell.source]
    assert len(headings) == 1
    assert not re.search(r"\d", headings[0].source), f"a number in prose:\n{headings[0].source}"


def test_ends_in_findings_checks_and_provenance(notebook):
    sources = [cell.source for cell in notebook.cells]
    shows = next(place for place, source in enumerate(sources) if "## What this shows" in source)
    assert "report.finding(" in sources[shows + 1]
    assert "hide-input" in tags(notebook.cells[shows + 1])
    assert re.search(r"\bassert\b|report\.require\(", "".join(sources[shows + 2 : -1]))
    assert "report.provenance(" in sources[-1]
    assert "hide-input" in tags(notebook.cells[-1])


def test_figures_are_saved_once_each_and_described(notebook):
    saved = re.compile(r"save_figure\(\s*\w+(?:\.\w+)?\s*,\s*[\"'](\w+)[\"']")
    names = [name for cell in of_type(notebook, "code") for name in saved.findall(cell.source)]
    calls = sum(cell.source.count("save_figure(") for cell in of_type(notebook, "code"))
    assert 1 <= calls <= 4
    assert len(names) == calls == len(set(names))
    prose = "\n".join(cell.source for cell in of_type(notebook, "markdown"))
    headings = len(re.findall(r"^## Figure", prose, re.MULTILINE))
    assert headings == calls, "every figure has its heading `## Figure k — what is drawn against what`"


def test_report_begins_under_its_own_name(path):
    text = "".join(cell.source for cell in nbformat.read(path, 4).cells)
    assert re.findall(r"report\.begin\([\"']([^\"']+)[\"']", text) == [path.stem]


@pytest.mark.parametrize("name", profile_names())
def test_every_profile_fits_the_notebooks(name, tmp_path):
    profile = load_profile(name)
    jobs = make_plan(find_notebooks([]), profile, {}, reports=tmp_path)
    assert len({job.report for job in jobs}) == len(jobs) >= 1
    known = {path.stem for path in PATHS}
    assert set(profile.notebooks) <= known, f"{name}.yaml names notebooks that are not there"


def test_no_text_twin_is_tracked():
    listed = subprocess.run(["git", "-C", str(ROOT), "ls-files", "notebooks"], capture_output=True, text=True)
    if listed.returncode:
        pytest.skip("not a git checkout")
    assert {name.rpartition(".")[2] for name in listed.stdout.split()} <= {"ipynb"}
