"""The runner, on throw-away notebooks; those that start a kernel share one run."""

import json
import re
import warnings
from types import SimpleNamespace

import nbformat
import pytest

from analysis.pools import load_pool
from analysis.pools.files import find_files
from analysis.runner.__main__ import main, run
from analysis.runner.fetched import external_requests
from analysis.runner.html import heading_of
from analysis.runner.index import duration, read_record, write_index
from analysis.runner.job import _remove_stale, job_key
from analysis.runner.jupyter import Watcher, without_progress
from analysis.runner.parameters import CommandLineText, Parameter, convert, notebook_parameters
from analysis.runner.plan import absolute, find_notebooks, make_plan, only_variants, run_name
from analysis.runner.profile import load_profile, profile_names
from analysis.runner.run_keys import whole_call

PARAMETERS = """pool: str = "curated"  # pool to study
limit: int = 100  # rows of it
delta: float = 0.02  # margin
methods: list[str] = ["random_selection"]  # methods compared
drop: bool = False  # duplicates
output_dir: str = ""  # folder of the figures"""

QUESTION = r"""# Words against numbers

Does *it* work?

A price of \$5, `$HOME`."""

FINDING = """import sys
import pandas as pd
from analysis.reporting import report, style
style.use()
report.begin(notebook="one", output_dir=output_dir, pool=pool, limit=limit)
print("progress: 100%|####| 3/3 [00:01<00:00, " + "2.00row/s]", file=sys.stderr)
report.show_examples([{"text": "<script>alert(1)</script>"}])
fig, axes = style.figure()
axes.plot([1, limit])
style.save_figure(fig, "line", pd.DataFrame({"x": [0, 1], "y": [1, limit]}))
report.finding(f"The <b>limit</b> is {limit}.")"""


def notebook(path, *code, question=QUESTION, parameters=PARAMETERS):
    cells = [nbformat.v4.new_markdown_cell(question)]
    cells.append(nbformat.v4.new_code_cell(parameters, metadata={"tags": ["parameters"]}))
    cells += [nbformat.v4.new_code_cell(text, metadata={"tags": ["hide-input"]}) for text in code]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel}), path)
    return str(path)


@pytest.fixture(scope="module")
def profile(tmp_path_factory):
    path = tmp_path_factory.mktemp("profile") / "tiny.yaml"
    path.write_text("parameters: {pool: curated, limit: 7}\nnotebooks: {one: [{name: a}, {name: b, limit: 8}]}\n")
    return str(path)


@pytest.fixture(scope="module")
def ran(tmp_path_factory, profile):
    folder = tmp_path_factory.mktemp("run")
    paths = [
        notebook(folder / "one.ipynb", FINDING),
        notebook(
            folder / "two.ipynb",
            "kept = 1\nprint('kept so far')",
            "raise KeyError('no <row>')",
            "print('never')",
        ),
    ]
    outcomes = run(paths, profile, reports=folder / "reports", live=False)
    return folder, paths, outcomes


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("bugdet", "5", r"unknown parameter 'bugdet'.*Known: pool, limit, delta"),
        ("limmit", "5", r"Did you mean 'limit'"),
        ("limit", "five", r"'limit' is int, not str 'five'"),
        ("limit", "5.5", r"'limit' is int, not float 5.5"),
        ("limit", "true", r"'limit' is int, not bool True"),
        ("delta", "wide", r"'delta' is float"),
        ("drop", "1", r"'drop' is bool, not int 1"),
        ("methods", "a,b", r"'methods' is list\[str\].*Write lists as"),
        ("methods", "[1, 2]", r"'methods' is list\[str\], not list \[1, 2\]"),
        ("pool", "absent.jsonl", r"no such file or folder: absent.jsonl"),
    ],
)
def test_wrong_names_and_values_are_refused(tmp_path, capsys, name, value, message):
    path = notebook(tmp_path / "n.ipynb", "raise SystemExit('must not run')")
    assert main([path, "-p", name, value]) == 2
    assert re.search(message, capsys.readouterr().err)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["no_such_notebook"], "no notebook 'no_such_notebook'"),
        (["--profile", "slow"], "unknown profile 'slow'; known: full, paper, quick"),
        (["--jobs", "0"], "--jobs is at least 1"),
    ],
)
def test_wrong_arguments_are_refused(capsys, arguments, message):
    assert main(arguments) == 2
    assert message in capsys.readouterr().err


def test_a_parameter_without_annotation_is_named(tmp_path):
    path = notebook(tmp_path / "n.ipynb", parameters="limit = 5")
    with pytest.raises(ValueError, match="'limit' has no annotation"):
        make_plan(find_notebooks([path]), load_profile("quick"), {"limit": CommandLineText("6")})


@pytest.mark.parametrize("annotation", ["np.ndarray", "Path", "list[", "5"])
def test_an_annotation_that_is_no_known_type_is_named(annotation):
    with pytest.raises(ValueError, match=r"n: parameter 'x' is annotated .*; use int, float"):
        convert(1, Parameter("x", annotation, "1", ""), "n")


def test_a_file_that_is_no_notebook_is_named(tmp_path):
    (tmp_path / "n.ipynb").write_text("{}")
    with pytest.raises(ValueError, match=r"n\.ipynb: not a notebook"):
        notebook_parameters(tmp_path / "n.ipynb")


@pytest.mark.parametrize(
    ("annotation", "text", "value"),
    [
        ("int", "1000", 1000),
        ("float", "1e-5", 1e-5),
        ("float", "2", 2.0),
        ("str", "2024", "2024"),
        ("str", "null", "null"),
        ("bool", "true", True),
        ("list", "[1, a]", [1, "a"]),
        ("list[float]", "[1, 0.5]", [1.0, 0.5]),
        ("list[str]", '["ifd(k=2)", "b"]', ["ifd(k=2)", "b"]),
        ("dict", "{epochs: 1}", {"epochs": 1}),
        ("Optional[int]", "null", None),
        ("Optional[int]", "3", 3),
        ("Union[int, str]", "three", "three"),
    ],
)
def test_text_is_read_as_the_annotation_says(tmp_path, annotation, text, value):
    path = notebook(tmp_path / "n.ipynb", parameters=f"x: {annotation} = None  # help")
    parameter = notebook_parameters(path)["x"]
    found = convert(CommandLineText(text), parameter, "n")
    assert found == value
    assert type(found) is type(value)
    assert parameter.help == "help"


def test_paths_become_absolute_and_names_stay(tmp_path):
    (tmp_path / "rows.jsonl").touch()
    (tmp_path / "curated").mkdir()
    assert absolute("rows.jsonl", "pool", tmp_path) == str(tmp_path / "rows.jsonl")
    assert absolute("rows.jsonl,rows.jsonl", "pool", tmp_path).count(str(tmp_path)) == 2
    assert absolute("*.jsonl", "pool", tmp_path) == str(tmp_path / "*.jsonl")
    assert absolute("rows.jsonl,", "pool", tmp_path) == f"{tmp_path / 'rows.jsonl'},"  # refused by whoever reads it
    assert absolute("curated", "pool", tmp_path) == "curated"
    assert absolute("teknium/OpenHermes-2.5", "pool", tmp_path) == "teknium/OpenHermes-2.5"
    with pytest.raises(FileNotFoundError, match="pool: no such file"):
        absolute("./missing", "pool", tmp_path)


def test_many_files_and_unknown_users_are_told_plainly(tmp_path):
    names = [f"{number:02}_of_a_pool_in_many_files.jsonl" for number in range(40)]
    for name in names:
        (tmp_path / name).touch()
    assert absolute(",".join(names), "pool", tmp_path) == ",".join(str(tmp_path / name) for name in names)
    assert len(find_files(",".join(str(tmp_path / name) for name in names)).files) == 40
    with pytest.raises(FileNotFoundError, match=r"pool: no such file or folder: ~nosuch/x\.jsonl"):
        absolute("~nosuch/x.jsonl", "pool", tmp_path)
    with pytest.raises(FileNotFoundError, match=r"~nosuch/x\.jsonl: no such file"):
        load_pool("~nosuch/x.jsonl", cache=tmp_path)
    for number, name in enumerate(names):
        (tmp_path / name).write_text(json.dumps({"prompt": f"What is {number}?", "response": "It is."}))
    assert len(load_pool(",".join(str(tmp_path / name) for name in names), cache=tmp_path, held_out_share=0)) == 40


@pytest.mark.parametrize(
    ("name", "given", "found"),
    [
        ("methods", ["token_length", "less(targets='t.jsonl', epochs=2)"], ["token_length", "less(targets='{}/t.jsonl', epochs=2)"]),
        ("methods", ["less(targets='pool')", "less(targets='no.jsonl')"], ["less(targets='pool')", "less(targets='no.jsonl')"]),
        ("methods", ['kmeans(inside="rds_plus(targets=\'eval/gsm8k\')")'], ['kmeans(inside="rds_plus(targets=\'{}/eval/gsm8k\')")']),
        ("methods", ["selectit(models=('eval', 'tiny-weak'))"], ["selectit(models=('{}/eval', 'tiny-weak'))"]),
        ("benchmarks", ['gsm8k(data="eval")'], ["gsm8k(data='{}/eval')"]),
        ("options", {"targets": "t.jsonl::prompt=a", "rank": 8}, {"targets": "{}/t.jsonl::prompt=a", "rank": 8}),
        ("targets", "t.jsonl,eval", "{0}/t.jsonl,{0}/eval"),
        ("colour", "source", "source"),
    ],
)  # fmt: skip
def test_paths_within_lists_are_found_from_where_the_command_was_given(tmp_path, name, given, found):
    (tmp_path / "eval" / "gsm8k").mkdir(parents=True)
    for there in ("pool", "source", "token_length", "tiny-weak"):
        (tmp_path / there).mkdir()
    (tmp_path / "t.jsonl").touch()
    kind = type(given).__name__
    path = notebook(tmp_path / "one.ipynb", parameters=f'output_dir: str = ""\n{name}: {kind} = {kind}()')
    (job,) = make_plan(find_notebooks([path]), load_profile("quick"), {name: given}, base=tmp_path)

    def at_base(text):
        return text.format(tmp_path) if isinstance(text, str) else text

    found = [at_base(one) for one in found] if kind == "list" else found
    found = {key: at_base(one) for key, one in found.items()} if kind == "dict" else at_base(found)
    told = job.parameters[name]
    if kind == "list":  # however a call is written
        told, found = [whole_call(one) for one in told], [whole_call(one) for one in found]
    assert told == found


def test_runs_of_other_values_get_names_of_their_own():
    assert run_name("full", {}) == "full"
    assert run_name("quick", {"pool": "/data/my rows.parquet", "model": "scratch"}) == "quick-my_rows-scratch"
    assert run_name("quick", {"budget": 500}) == "quick-budget_500"
    assert run_name("quick", {"pool": "/x/a.jsonl::decontaminate=/y/benchmarks/,prompt=q"}) == "quick-a"


def test_a_pool_on_the_command_line_collapses_the_variants(tmp_path, profile):
    path = find_notebooks([notebook(tmp_path / "one.ipynb")])
    both = make_plan(path, load_profile(profile), {}, reports=tmp_path)
    one = make_plan(path, load_profile(profile), {"pool": "wild"}, reports=tmp_path)
    assert [(job.report, job.parameters["limit"]) for job in both] == [("one.a", 7), ("one.b", 8)]
    assert [(job.report, job.parameters["pool"]) for job in one] == [("one", "wild")]
    assert one[0].figures == tmp_path / "tiny-wild" / "figures" / "one"
    alike = make_plan(path, load_profile(profile), {"limit": 9}, reports=tmp_path)  # all that the variants differ in
    assert [(job.report, job.parameters["limit"]) for job in alike] == [("one", 9)]


def test_notebooks_named_first_start_first(tmp_path):
    path = tmp_path / "p.yaml"
    path.write_text("first: [30_versus_random]\nparameters: {limit: 100}\n")
    started = [job.report for job in make_plan(find_notebooks([]), load_profile(str(path)), {}, reports=tmp_path)]
    assert started[0] == "30_versus_random"
    assert started[1:] == sorted(started[1:])


READS = """import json
from pathlib import Path
from analysis.reporting import report
report.begin(notebook="90_all", output_dir=output_dir)
others = [path for path in Path(output_dir).glob("*/findings.json") if path.parent.name != "90_all"]
report.finding(*[f"It is read: {json.loads(path.read_text())['findings']}." for path in others])"""


READS_PAGES = """from analysis.reporting import pages, report
report.begin(notebook="90_all", output_dir=output_dir)
read = pages.read(output_dir, without=["90_all"])
report.finding(f"Read: {', '.join(page.report for page in read.pages)}.")"""

FINISHED = FINDING + "\nreport.provenance()"


def test_a_notebook_that_reads_the_others_runs_after_them_and_again_when_they_change(tmp_path):
    profile = tmp_path / "order.yaml"
    profile.write_text("parameters: {limit: 7}\njobs: 2\n")
    slow = "import time\ntime.sleep(2)\n" + FINDING
    paths = [notebook(tmp_path / "90_all.ipynb", READS), notebook(tmp_path / "one.ipynb", slow)]
    outcomes = run(paths, str(profile), reports=tmp_path / "reports", live=False)
    assert [outcome.job.report for outcome in outcomes] == ["one", "90_all"]
    noted = json.loads(outcomes[1].job.record.read_text(encoding="utf-8"))
    assert noted["findings"] == ["It is read: ['The <b>limit</b> is 7.']."]
    again = run(paths, str(profile), reports=tmp_path / "reports", live=False)
    assert [outcome.status for outcome in again] == ["unchanged", "unchanged"]
    notebook(tmp_path / "one.ipynb", slow.replace("The <b>limit</b> is", "It has"))
    run(paths[1:], str(profile), reports=tmp_path / "reports", live=False)
    changed = run(paths, str(profile), reports=tmp_path / "reports", live=False)
    assert [outcome.status for outcome in changed] == ["unchanged", "done"]
    noted = json.loads(changed[1].job.record.read_text(encoding="utf-8"))
    assert noted["findings"] == ["It is read: ['It has 7.']."]


def test_the_key_of_a_page_that_reads_others_holds_their_numbers_and_not_their_seconds(tmp_path):
    path = notebook(tmp_path / "90_all.ipynb", "pass")
    profile = tmp_path / "order.yaml"
    profile.write_text("parameters: {limit: 7}\n")
    (job,) = make_plan(find_notebooks([path]), load_profile(str(profile)), {}, reports=tmp_path / "reports")
    other = job.figures.parent / "30_other"
    other.mkdir(parents=True)
    noted = {"report": "30_other", "figures": ["a"], "tables": [], "parameters": {}}
    keys = []
    for findings, seconds, numbers in (
        (["So."], 1, "1"),
        (["So."], 2, "1"),
        (["Not so."], 2, "1"),
        (["Not so."], 2, "2"),
    ):
        noted |= {"findings": findings, "provenance": {"seconds": seconds}}
        (other / "findings.json").write_text(json.dumps(noted))
        (other / "a.csv").write_text(numbers)
        keys.append(job_key(job, "v"))
    assert keys[0] == keys[1]
    assert len(set(keys)) == 3


def test_a_page_that_reads_others_leaves_out_variants_that_the_profile_has_no_more(tmp_path, capsys):
    profile = tmp_path / "two.yaml"
    paths = [notebook(tmp_path / "90_all.ipynb", READS_PAGES), notebook(tmp_path / "one.ipynb", FINISHED)]

    def said(text):
        profile.write_text(text)
        outcomes = run(paths, str(profile), reports=tmp_path / "reports", live=False, jobs=1)
        assert not [one.error for one in outcomes if one.error]
        return json.loads(outcomes[-1].job.record.read_text(encoding="utf-8"))["findings"]

    assert said("notebooks: {one: [{name: a}, {name: b}]}\n") == ["Read: one.a, one.b."]
    figures = tmp_path / "reports" / "two" / "figures"
    own = figures / "another_suite" / "findings.json"  # of no notebook known here
    own.parent.mkdir()
    own.write_text((figures / "one.b" / "findings.json").read_text().replace("one.b", "another_suite"))
    assert said("notebooks: {one: [{name: a}, {name: c}]}\n") == ["Read: another_suite, one.a, one.c."]
    assert "90_all leaves out what this profile does not make: one.b\n" in capsys.readouterr().out
    assert (figures / "one.b" / "line.csv").exists()  # left out, not thrown away
    (figures / "one.a" / "findings.json").write_text('{"report": "one')
    with pytest.warns(UserWarning, match=r"one\.a/findings\.json: damaged"):
        job_key(make_plan(find_notebooks(paths), load_profile(str(profile)), {}, reports=tmp_path / "reports")[-1], "v")


def test_only_the_plain_full_run_writes_the_committed_figures(tmp_path):
    from analysis.paths import FIGURES

    path = find_notebooks([notebook(tmp_path / "one.ipynb")])
    full = load_profile("full")
    assert make_plan(path, full, {})[0].figures == FIGURES / "one"
    assert FIGURES not in make_plan(path, full, {"limit": 5})[0].figures.parents


@pytest.mark.parametrize("name", profile_names())
def test_shipped_profiles_load(name):
    assert {"limit", "model", "budget", "seed"} <= set(load_profile(name).parameters)


@pytest.mark.parametrize(
    ("text", "message"),
    [("parameter: {}", "unknown key 'parameter'"), ("notebooks: {a: 5}", "expected values"),
     ("notebooks: {a: [{x: 1}, {x: 2}]}", "needs a `name`"), ("first: [no_such]", "expected a list of names")],
)  # fmt: skip
def test_a_wrong_profile_is_named(tmp_path, text, message):
    (tmp_path / "p.yaml").write_text(text)
    with pytest.raises(ValueError, match=message):
        load_profile(str(tmp_path / "p.yaml"))


def test_the_key_sees_text_values_and_files(tmp_path):
    rows = tmp_path / "rows.jsonl"
    rows.write_text("1")
    path = tmp_path / "one.ipynb"

    def key(limit=1, version="v"):
        values = {"pool": str(rows), "limit": limit}
        return job_key(make_plan(find_notebooks([str(path)]), load_profile("quick"), values)[0], version)

    notebook(path)
    first = key()
    assert key() == first
    assert len({first, key(limit=2), key(version="w")}) == 3
    rows.write_text("longer")
    assert key() != first
    changed = key()
    notebook(path, "1 + 1")
    assert key() != changed


@pytest.mark.parametrize(
    "values",
    [
        {"methods": ["token_length", "kmeans(inside=\"rds_plus(targets='{}')\")"]},
        {"methods": ["less(targets='{}::prompt=q')"]},
        {"benchmarks": ['gsm8k(data="{}")']},
    ],
)
def test_the_key_sees_files_within_lists(tmp_path, values):
    file = tmp_path / "x" / "t.jsonl"
    file.parent.mkdir()
    file.write_text("{}")
    named = file if "methods" in values else file.parent
    path = notebook(tmp_path / "one.ipynb", parameters=f"{PARAMETERS}\nbenchmarks: list = []  # asked too")
    values = {
        name: [one.format(named) for one in value] if isinstance(value, list) else value
        for name, value in values.items()
    }
    (job,) = make_plan(find_notebooks([path]), load_profile("quick"), values)
    before = job_key(job, "v")
    assert job_key(job, "v") == before
    file.write_text("{ }")
    assert job_key(job, "v") != before


@pytest.mark.parametrize("given", [{}, {"runs": "mine"}, {"runs": CommandLineText("mine")}])
def test_the_key_sees_published_runs_by_name(tmp_path, monkeypatch, given):
    monkeypatch.setattr("analysis.runner.named_files.PUBLISHED", tmp_path)
    path = notebook(tmp_path / "one.ipynb", parameters=f'{PARAMETERS}\nruns: str = "real_model"  # a name or a path')
    (job,) = make_plan(find_notebooks([path]), load_profile("quick"), given)
    before = job_key(job, "v")
    (tmp_path / f"{given.get('runs', 'real_model')}.parquet").write_bytes(b"more")
    assert job_key(job, "v") != before


def test_every_notebook_runs_and_a_failure_stops_only_its_own(ran):
    _, _, outcomes = ran
    assert [(one.job.report, one.status) for one in outcomes] == [
        ("one.a", "done"),
        ("one.b", "done"),
        ("two", "failed"),
    ]


def test_figures_and_findings_lie_in_the_folder_of_the_variant(ran):
    folder = ran[0] / "reports" / "tiny" / "figures"
    assert sorted(path.name for path in (folder / "one.b").iterdir()) == [
        "findings.json",
        "line.csv",
        "line.png",
    ]
    assert json.loads((folder / "one.b" / "findings.json").read_text())["findings"] == ["The <b>limit</b> is 8."]


def test_a_failing_cell_keeps_the_partial_notebook_and_shows_the_error(ran):
    folder, _, outcomes = ran
    kept = nbformat.read(folder / "reports" / "tiny" / "notebooks" / "two.ipynb", as_version=4)
    assert "kept so far" in str(kept.cells)
    assert kept.cells[-1].outputs == []
    assert outcomes[-1].error.startswith("KeyError: 'no <row>'")
    assert "raise KeyError" in outcomes[-1].error
    page = (folder / "reports" / "tiny" / "two.html").read_text()
    assert "<title>FAILED: Words against numbers" in page
    assert "kept so far" in page
    assert "no &lt;row&gt;" in page


def test_the_page_is_one_file_and_asks_for_nothing(ran):
    page = (ran[0] / "reports" / "tiny" / "one.a.html").read_text()
    assert external_requests(page) == []
    assert "$HOME" in page
    assert "A price of $5" in page
    assert "data:image/png;base64," in page
    assert "<details" in page


def test_pool_text_and_findings_do_not_act_in_the_page(ran):
    for page in (ran[0] / "reports" / "tiny" / "one.a.html", ran[0] / "reports" / "index.html"):
        text = page.read_text()
        assert "<script>alert(1)" not in text
        assert "<b>limit</b>" not in text
        assert "&lt;b&gt;limit&lt;/b&gt;" in text


def test_progress_bars_are_not_in_the_page(ran):
    assert ", 2.00row/s" not in (ran[0] / "reports" / "tiny" / "one.a.html").read_text().split("<main>")[1]


def test_the_index_shows_question_finding_picture_and_failure(ran):
    text = (ran[0] / "reports" / "index.html").read_text()
    assert external_requests(text) == []
    assert text.count("Does it work?") == 2  # the cards; what failed is a list of its own
    assert "limit&lt;/b&gt; is 7." in text
    assert text.count('src="data:image/png;base64,') == 2
    assert text.count(">FAILED<") == 1
    assert 'href="tiny/one.b.html"' in text


def test_what_has_not_changed_is_not_run_again(ran, profile):
    folder, paths, _ = ran
    page = folder / "reports" / "tiny" / "one.a.html"
    before = page.stat().st_mtime_ns
    again = run(paths[:1], profile, reports=folder / "reports", live=False)
    assert [one.status for one in again] == ["unchanged", "unchanged"]
    assert page.stat().st_mtime_ns == before


def test_a_lost_figure_is_made_again_and_a_stale_one_goes(ran, profile):
    folder, paths, _ = ran
    figures = folder / "reports" / "tiny" / "figures" / "one.a"
    (figures / "line.png").unlink()
    (figures / "old.png").touch()
    again = run(paths[:1], profile, reports=folder / "reports", live=False)
    assert [one.status for one in again] == ["done", "unchanged"]
    assert sorted(path.name for path in figures.iterdir()) == ["findings.json", "line.csv", "line.png"]


def test_the_picture_of_a_figure_that_became_a_table_goes(tmp_path):
    for name in ("line.png", "line.csv", "kept.png", "kept.csv"):
        (tmp_path / name).touch()
    done = SimpleNamespace(parameters={"output_dir": ""}, figures=tmp_path, report=tmp_path.name)
    _remove_stale(done, figures=["kept"], tables=["line"])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["kept.csv", "kept.png", "line.csv"]


def test_a_damaged_page_figure_or_table_is_named_and_made_again(ran, profile):
    folder, paths, _ = ran
    place = folder / "reports" / "tiny"
    figure, table, findings = (place / "figures" / "one.a" / name for name in ("line.png", "line.csv", "findings.json"))
    for path, content in (
        (place / "one.a.html", b""), (place / "one.a.html", (place / "one.a.html").read_bytes().replace(b"is 7.", b"is 8.")),
        (figure, figure.read_bytes()[:100]), (table, b""), (findings, findings.read_bytes().replace(b"is 7.", b"is 8.")),
    ):  # fmt: skip
        before = path.read_bytes()
        path.write_bytes(content)
        with pytest.warns(UserWarning, match=rf"{path.name}, of the report one\.a: not as it was left; made again"):
            again = run(paths[:1], profile, reports=folder / "reports", live=False)
        assert [one.status for one in again] == ["done", "unchanged"]
        assert path.suffix in (".html", ".json") or path.read_bytes() == before
        assert path.stat().st_size > 0.9 * len(before)


def test_a_note_in_which_a_letter_is_turned_is_not_believed(ran, profile):
    """It is JSON as before, and the index would show another title."""
    folder, paths, _ = ran
    note = folder / "reports" / "tiny" / "one.a.json"
    before = note.read_text()
    note.write_text(before.replace('"title": "', '"title": "X', 1))
    with pytest.warns(UserWarning, match=r"one\.a\.json: damaged note about a report, left out"):
        again = run(paths[:1], profile, reports=folder / "reports", live=False)
    assert [one.status for one in again] == ["done", "unchanged"]
    assert read_record(note)["title"] == json.loads(before)["title"]


def test_notebooks_run_at_the_same_time(tmp_path):
    paths = [notebook(tmp_path / f"{name}.ipynb", "print(limit)") for name in "ab"]
    outcomes = run(paths, "quick", {"limit": 3}, "both", jobs=2, reports=tmp_path / "reports")
    assert {one.status for one in outcomes} == {"done"}


def test_main_says_what_failed_and_returns_1(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr("analysis.runner.__main__.REPORTS", tmp_path)
    path = notebook(tmp_path / "bad.ipynb", "assert 1 == 2, 'one is not two'")
    assert main([path]) == 1
    said = capsys.readouterr().out
    assert "[1/1] bad: FAILED" in said
    assert "AssertionError: one is not two" in said
    assert said.index("FAILED: bad") < said.index("Reports:")


def test_a_damaged_note_is_warned_about_and_left_out(tmp_path):
    (tmp_path / "quick").mkdir()
    (tmp_path / "quick" / "one.json").write_text('{"report": "on')
    with pytest.warns(UserWarning, match=r"one\.json: unreadable note"):
        write_index(tmp_path)
    assert "No report yet" in (tmp_path / "index.html").read_text()
    assert read_record(tmp_path / "absent.json") is None


@pytest.mark.parametrize(
    "page",
    ['<script src="https://cdn.x/y.js">', "<img src=http://x/y.png>", '<link rel="s" href="//x/y.css">',
     "<style>@import 'https://x/y.css'</style>", "<i style='background:url(https://x/y)'>",
     "<script type=module>import m from 'https://x/m.mjs'</script>", "<img srcset='a.png, //x/b.png 2x'>",
     "<svg><image href='https://x/y.png'/></svg>", "<iframe srcdoc='&lt;img src=//x/y&gt;'></iframe>"],
)  # fmt: skip
def test_external_requests_are_seen(page):
    assert len(external_requests(page)) == 1


@pytest.mark.parametrize(
    "page",
    ['<a href="https://arxiv.org/abs/2410.09335">study</a>', "<td>background: url(https://x/bg.png)</td>",
     "<pre>@import 'https://x/y.css'; import m from \"https://x/m.mjs\"</pre>", "<td>&lt;img src=https://x/y&gt;</td>",
     "<i title='url(https://x/y)'>", '<script type="application/json">"url(https://x/y)"</script>',
     "<style>a {}</style>url(https://x/y)", '<img alt="" src="data:image/png;base64,//aa">'],
)  # fmt: skip
def test_a_link_to_click_and_text_are_no_request(page):
    assert external_requests(page) == []


def test_question_and_title_are_plain_text():
    cells = [nbformat.v4.new_markdown_cell("# The *pools*\n\nWhat is **in** the [pools](x), e.g. `wild`? More?")]
    heading = heading_of(nbformat.v4.new_notebook(cells=cells))
    assert (heading.title, heading.question) == ("The pools", "What is in the pools, e.g. wild?")


def test_bars_leave_a_stream_and_warnings_stay():
    stream = "\rloss:  50%|## | 1/2 [00:01<00:01]\rloss: 100%|####| 2/2 [00:02<00:00, 1.0row/s]\nUserWarning: x\n"
    assert without_progress(stream) == "UserWarning: x\n"
    assert without_progress("\rloss: 100%|####| 2/2 [00:02<00:00]\n") == ""


def test_the_console_shows_notebook_cell_and_warning(capsys):
    with Watcher("10_random", live=False) as watcher:
        watcher.cell(3, 12, "## Figure 1: spread", False)
        watcher.cell(4, 12, "draw()", True)
        watcher.stream("stderr", "\rscores:  40%|##  | 4/10 [00:04<00:06, 1.0row/s]")
        watcher.stream("stderr", "UserWarning: two rows were cut\n")
        status = watcher.status()
    assert "10_random | UserWarning: two rows were cut" in capsys.readouterr().out
    assert re.search(r"10_random  cell 5/12 Figure 1: spread  \d+ s  scores:  40% 4/10", status)


def test_durations_are_readable():
    assert [duration(seconds) for seconds in (7.6, 200, 7500)] == ["8 s", "3 min 20 s", "2 h 5 min"]


def test_nothing_warns_on_import():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        import analysis.runner.__main__  # noqa: F401


def test_a_notebook_is_told_its_run_and_its_report_so_that_its_runs_can_be_published(tmp_path, profile, monkeypatch):
    told = []
    monkeypatch.setattr("analysis.runner.jupyter.run_notebook", lambda *arguments: told.append(arguments[-1]))
    run([notebook(tmp_path / "one.ipynb", FINDING)], profile, run_name="mine", reports=tmp_path / "reports", live=False)
    names = [(one["ANALYSIS_RUN"], one["ANALYSIS_REPORT_NAME"]) for one in told]
    assert names == [("mine", "one.a"), ("mine", "one.b")]


def test_publishing_is_a_command_of_the_runner(capsys, monkeypatch, tmp_path):
    monkeypatch.setattr("analysis.runner.publish.RESULTS", tmp_path)
    assert main(["publish", "--profile", "quick"]) == 2
    assert "Refused: no report of the run 'quick'" in capsys.readouterr().err
    with pytest.raises(SystemExit, match="0"):
        main(["publish", "--help"])
    assert "--rekey" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("content", "fields", "message"),
    [
        ('{"problem": "1 + 1?", "solution": "2"}\n', "", r"mine, all\.jsonl.*fields: \['problem', 'solution'\].*--fields prompt="),
        ('{"problem": "1 + 1?", "solution": "2"}\n', "promt=problem", "'promt' is no meaning of a field"),
        ("version https://git-lfs.github.com/spec/v1\n", "", "git lfs pull"),
    ],
)  # fmt: skip
def test_a_pool_that_cannot_be_read_is_refused_once_before_any_notebook(tmp_path, content, fields, message, capsys):
    path = tmp_path / "mine, all.jsonl"
    path.write_text(content)
    asked = ["--pool", str(path), *(["--fields", fields] if fields else []), "--name", "refused"]
    assert main(asked) == 2
    told = capsys.readouterr()
    assert re.search(message, told.err) and told.err.count("Refused") == 1 and "FAILED" not in told.out


def test_fields_reach_the_notebooks_with_the_pool(tmp_path):
    path = tmp_path / "mine, all.jsonl"
    path.write_text("{}")
    overrides = {"pool": CommandLineText(f"{path}::prompt=problem,answer=solution")}
    jobs = make_plan(find_notebooks(["00"]), load_profile("quick"), overrides)
    assert jobs[0].parameters["pool"] == f"{path}::prompt=problem,answer=solution"
    before = job_key(jobs[0], "version")
    path.write_text("{ }")
    assert job_key(jobs[0], "version") != before


def test_paths_of_items_are_found_from_where_the_command_was_given(tmp_path):
    (tmp_path / "rows.jsonl").write_text("{}")
    (tmp_path / "items").mkdir()
    assert absolute("rows.jsonl::decontaminate=items,encoding=cp1252", "pool", tmp_path) == (
        f"{tmp_path}/rows.jsonl::decontaminate={tmp_path}/items,encoding=cp1252"
    )
    overrides = {
        "pool": CommandLineText("rows.jsonl::decontaminate=items"),
        "benchmark_items": CommandLineText("items"),
    }
    job = make_plan(find_notebooks(["00"]), load_profile("quick"), overrides, base=tmp_path)[0]
    assert job.parameters["benchmark_items"] == str(tmp_path / "items")
    before = job_key(job, "version")
    (tmp_path / "items" / "a.jsonl").write_text("{}")
    assert job_key(job, "version") != before


def test_one_variant_of_a_notebook_can_be_named(tmp_path):
    path = tmp_path / "some.yaml"
    path.write_text("notebooks: {30_versus_random: [{name: a.weak}, {name: b.weak}]}\n")

    def reports(*wanted):
        plan = make_plan(find_notebooks(wanted), load_profile(str(path)), {}, reports=tmp_path)
        return sorted(job.report for job in only_variants(plan, wanted))

    assert reports("30_versus_random.b.weak") == ["30_versus_random.b.weak"]
    assert reports("30", "12") == ["12_cross_entropy", "30_versus_random.a.weak", "30_versus_random.b.weak"]
    assert reports("30_versus_random.a.weak", "12") == ["12_cross_entropy", "30_versus_random.a.weak"]
    with pytest.raises(
        ValueError, match=r"no variant '30_versus_random\.c' in this profile; known: 30_versus_random\.a"
    ):
        reports("30_versus_random.c")
