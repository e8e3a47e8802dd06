"""What no notebook can use is refused in one line, with status 2, before anything starts."""

import ast
import errno
import json
import subprocess
import sys
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import nbformat
import pytest

from analysis.paths import PACKAGE
from analysis.runner import publish
from analysis.runner.__main__ import main, run
from analysis.runner.checks import check_name, check_value, check_writable
from analysis.runner.console import one_line, printable
from analysis.runner.parameters import read_yaml
from analysis.runner.plan import find_notebooks, make_plan
from analysis.runner.profile import load_profile

PARAMETERS = """pool: str = "curated"  # pool
limit: int = 100  # rows
budget: int = 5  # rows to train on
n_draws: int = 3  # draws
sizes: list = []  # further sizes
methods: list = ["random_selection"]  # methods
finetuning: dict = {}  # settings
benchmarks: list = []  # benchmarks
output_dir: str = ""  # folder"""


FINETUNING = (
    ("{epoch: 2}", "unknown setting 'epoch', with 2. Did you mean 'epochs'? Known: epochs, least_steps, learning_rate"),
    ("{x: 2}", "unknown setting 'x', with 2. Known: epochs, least_steps"),
    ('{"learning_rate": "2e-5"}', "learning_rate: expected a valid number, found '2e-5'"),
    ("{learning_rate: -1e-3}", "learning_rate: expected greater than 0, found -0.001"),
    ('{"epochs": true}', "epochs: expected a valid number, found True"),
    ("{batch_rows: 2.5}", "batch_rows: expected a valid integer, found 2.5"),
    ("{batch_rows: 4, device_rows: 8}", "device_rows: expected at most 4, the batch_rows, found 8"),
    ("{warmup_share: 1}", "warmup_share: expected less than 1, found 1"),
    ("{scheduler: cosin}", "scheduler: expected 'linear', 'cosine', "),
    ("{bf16: 1}", "bf16: expected a valid boolean, found 1"),
)


def notebook(path, *code):
    cells = [nbformat.v4.new_markdown_cell("# Nothing\n\nIs it *run*?")]
    cells.append(nbformat.v4.new_code_cell(PARAMETERS, metadata={"tags": ["parameters"]}))
    cells += [nbformat.v4.new_code_cell(text) for text in code or ("raise SystemExit('must not run')",)]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel}), path)
    return str(path)


@pytest.fixture
def asked(tmp_path, monkeypatch):
    monkeypatch.setattr("analysis.runner.__main__.REPORTS", tmp_path / "reports")
    monkeypatch.setattr("analysis.runner.__main__.execute_job", lambda *_: pytest.fail("a notebook was run"))
    return notebook(tmp_path / "n.ipynb")


def refusal(arguments, capsys):
    assert main(arguments) == 2
    said = capsys.readouterr().err
    assert said.startswith("Refused: ") and said.count("\n") == 1
    return said


@pytest.mark.parametrize(
    ("text", "value"),
    [('{"learning_rate": 2e-5}', {"learning_rate": 2e-5}), ("2E5", 2e5), ("-2.5e+3", -2500.0), (".5", 0.5), ("1.", 1.0),
     ("1_000", 1000), ("-7", -7), ("0", 0), ("0.0", 0.0), ("010", "010"), ("1:30", "1:30"), ("1e", "1e"), ("e5", "e5"), ("2e-5x", "2e-5x"),
     ("2024-13-45", "2024-13-45"), (".", "."), ("true", True), ("null", None)],
)  # fmt: skip
def test_numbers_are_read_as_json_and_python_write_them(text, value):
    found = read_yaml(text)
    assert found == value and type(found) is type(value)


def test_numbers_of_a_profile_are_read_alike(tmp_path):
    (tmp_path / "p.yaml").write_text("parameters: {finetuning: {learning_rate: 2e-5}}\n")
    assert load_profile(str(tmp_path / "p.yaml")).parameters == {"finetuning": {"learning_rate": 2e-5}}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["-p", "budget", "0"], "'budget' is 0; expected a whole number from 1 up"),
        (["-p", "limit", "-3"], "'limit' is -3; expected a whole number from 1 up"),
        (["-p", "n_draws", "-1"], "'n_draws' is -1; expected a whole number from 0 up"),
        (["-p", "sizes", "[100, 0]"], "'sizes' is [100, 0]; expected whole numbers from 1 up"),
        (["-p", "methods", "[lenght]"], "'methods': method 'lenght' is unknown; the methods are random_selection"),
        (["-p", "methods", "['ifd(k=3)']"], "unknown option 'k'"),
        (["-p", "methods", "[1]"], "expected names of methods as text, not 1"),
        (["-p", "finetuning", "{1: 2}"], "expected values as JSON has them"),
        *((["-p", "finetuning", text], f"'finetuning': {message}") for text, message in FINETUNING),
        (["-p", "benchmarks", "['gsm8k(limits=3)']"], "benchmark 'gsm8k(limits=3)': unknown option 'limits'"),
        (["--pool", ""], "'pool' is ''; expected a name or a path"),
        (["--pool", " "], "'pool' is ' '; expected a name or a path"),
        (["--pool", "./a,b.jsonl"], "a file whose name holds a comma is named alone"),
        (["--name", "../../x"], "'../../x'; expected the name of a folder"),
        (["--name", ""], "''; expected the name of a folder"),
        (["--name", "/x"], "'/x'; expected the name of a folder"),
        (["--pool", "\x1b[31mred\x07.jsonl"], "no such file or folder: red\\x07.jsonl"),
    ],
)
def test_values_that_no_notebook_can_use(asked, capsys, arguments, message):
    assert message in refusal([asked, *arguments], capsys)


@pytest.mark.parametrize(
    ("text", "message"),
    [("parameters: [1", "expected YAML in UTF-8"), ("- 1", "its content is [1]"), ("parameters: 5", "parameters is 5"),
     ("parameters: {1: 2}", "parameters is {1: 2}"), ("notebooks: [n]", "notebooks is ['n']"), ("{a: 1}: 2", "unhashable key"),
     ("notebooks: {n: [{name: ../../y}, {name: b}]}", "name is '../../y'"), ("notebooks: {n: [{name: [1]}]}", "name is [1]"),
     ("notebooks: {n: [5]}", "expected values, a list of variants, or false; one is 5"), ("notebooks: {n: []}", "needs a `name`"),
     ("notebooks: {m: {limit: 5}}", "notebooks: 'm' is none"), ("first: [[1]]", "first is [[1]]"), ("jobs: many", "jobs is 'many'"),
     ("parameters: {limit: a}", "'limit' is int"), ("parameters: {budget: 0}", "'budget' is 0"), ("parameters: {pool: ''}", "'pool' is ''"),
     ("parameters: {finetuning: {epoch: 2}}", "'finetuning': unknown setting 'epoch'"),
     ("notebooks: {n: {finetuning: {max_tokens: 1}}}", "'finetuning': max_tokens: expected greater than or equal to 2, found 1"),
     ("[" * 5000, "expected YAML"), ("\udcff", "expected YAML in UTF-8")],
)  # fmt: skip
def test_broken_profiles(asked, tmp_path, capsys, text, message):
    (tmp_path / "p.yaml").write_bytes(text.encode("utf-8", "surrogateescape"))
    said = refusal([asked, "--profile", str(tmp_path / "p.yaml")], capsys)
    assert message in said and ("p.yaml" in said or "profile p" in said or "parameter" in said)


def test_a_file_with_a_comma_in_its_name_is_one_file(tmp_path):
    (tmp_path / "a,b.jsonl").write_text('{"prompt": "a", "answer": "b"}\n')
    path = find_notebooks([notebook(tmp_path / "n.ipynb")])
    (job,) = make_plan(path, load_profile("quick"), {"pool": "a,b.jsonl"}, base=tmp_path, reports=tmp_path)
    assert job.parameters["pool"] == str(tmp_path / "a,b.jsonl")


@pytest.mark.parametrize("name", ["quick-budget_500", "my run, 2", "Zürich"])
def test_names_of_folders_stay(name):
    assert check_name(name, "it") == name


@pytest.mark.parametrize("name", ["..", ".hidden", "a/b", "a\\b", "a\x00", "a\n", " a", "x" * 101, 5, None])
def test_other_names_lead_out_of_the_reports(name):
    with pytest.raises(ValueError, match=r"it is .*; expected the name of a folder"):
        check_name(name, "it")


def test_publishing_stays_in_its_folder(capsys):
    assert publish.main(["--profile", "../x"]) == 2
    assert "--profile is '../x'" in capsys.readouterr().err


def test_reports_in_a_file_are_refused(asked, tmp_path, capsys):
    (tmp_path / "reports").write_text("a file")
    assert "reports/quick" in refusal([asked], capsys)


@pytest.mark.parametrize("code", [errno.EROFS, errno.ENOSPC, errno.EACCES])
def test_a_folder_that_takes_nothing_is_refused(asked, monkeypatch, capsys, code):
    def open_file(**_):
        raise OSError(code, "It takes nothing")

    monkeypatch.setattr("tempfile.TemporaryFile", open_file)
    assert "cannot be written to (It takes nothing); expected a folder" in refusal([asked], capsys)


def test_a_folder_that_takes_something_is_left_as_it_was(tmp_path):
    check_writable([tmp_path / "new" / "er"])
    assert list((tmp_path / "new" / "er").iterdir()) == []


@pytest.mark.parametrize(
    ("error", "message"),
    [(OSError(errno.ENOSPC, "No space left on device", "one.json"), "No space left on device"),
     (BrokenProcessPool("terminated abruptly"), "--jobs 1 needs less")],
)  # fmt: skip
def test_a_full_disk_and_a_killed_worker_are_one_line(tmp_path, monkeypatch, capsys, error, message):
    def fail(*_):
        raise error

    monkeypatch.setattr("analysis.runner.__main__.REPORTS", tmp_path / "reports")
    monkeypatch.setattr("analysis.runner.__main__.execute_job", fail)
    assert main([notebook(tmp_path / "n.ipynb")]) == 1
    said = capsys.readouterr().err
    assert said.startswith("Stopped: ") and message in said and said.count("\n") == 1


def test_any_value_of_other_parameters_passes():
    check_value("threshold", 0.0, "n")
    check_value("more", {"rows": 0}, "n")


def test_only_the_console_prints():
    """All that the commands say goes through `say`; the watcher of a notebook moves the cursor and guards what it is given."""
    files = [*(PACKAGE / "runner").glob("*.py"), PACKAGE / "select.py", PACKAGE / "compare.py"]
    printing = {
        file.name for file in files for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if (isinstance(node, ast.Name) and node.id == "print")
        or (isinstance(node, ast.Attribute) and node.attr in ("ArgumentParser", "formatwarning", "print_exc"))
    }  # fmt: skip
    assert printing == {"console.py", "jupyter.py"}


def test_control_characters_are_written_out():
    assert (
        printable("a\x1b[1;31mred\x1b[0m\x07 \x1b]0;title\x9b \u202etxt\té\n")
        == "ared\\x07 \\x1b]0;title\\x9b \\u202etxt\té\n"
    )
    assert printable("rows\udcff.jsonl").encode() == b"rows\\udcff.jsonl"  # a byte of a name that is not UTF-8
    assert one_line("a\r\n  b\x08") == "a b\\x08"


def test_what_a_notebook_prints_from_its_data_does_not_act_on_the_terminal(tmp_path, capsys):
    code = "import sys\nprint('warned \\x1b]0;title\\x07', file=sys.stderr)\nraise ValueError('found \\x1b[2J\\x08')"
    (outcome,) = run([notebook(tmp_path / "n.ipynb", code)], "quick", reports=tmp_path / "reports", live=False)
    from analysis.runner.__main__ import _say

    _say(outcome, 1, 1)
    said = capsys.readouterr().out
    assert "warned \\x1b]0;title\\x07" in said and "ValueError: found \\x08" in said
    assert "\x1b" not in said and "\x07" not in said and "\x08" not in said


def test_a_warning_about_a_file_does_not_act_on_the_terminal(tmp_path):
    name = "rows\x1b]0;t\x07.jsonl"
    rows = [{"prompt": "a", "answer": "b"}, {"nothing": 1}, {"nothing": 2}]
    (tmp_path / name).write_text("".join(json.dumps(row) + "\n" for row in rows))
    command = [sys.executable, "-m", "analysis.runner", notebook(tmp_path / "n.ipynb", "pass"), "--pool", name]
    environment = {"ANALYSIS_REPORTS": str(tmp_path / "reports"), "ANALYSIS_RESULTS": str(tmp_path / "results")}
    root = str(Path(__file__).resolve().parents[2])
    done = subprocess.run(
        command, cwd=tmp_path, env={"PYTHONPATH": root, **environment}, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert b"Warning: " in done.stderr and b"\x1b" not in done.stderr + done.stdout
