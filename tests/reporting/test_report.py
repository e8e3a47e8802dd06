import json
import subprocess
from types import SimpleNamespace

import pandas as pd
import pytest

from analysis.reporting import report, style
from analysis.store.published import log


@pytest.fixture
def begun(tmp_path, monkeypatch):
    monkeypatch.delenv("ANALYSIS_REPORT_NAME", raising=False)
    values = {"pool": "curated", "limit": 5000, "budget": 250}
    return report.begin(notebook="30_versus_random", output_dir=str(tmp_path), **values)


def test_findings_are_kept_in_order_beside_the_figures(begun):
    report.finding("Random   is hard\nto beat.")
    report.finding(["One.", "Two."])
    noted = json.loads((begun.folder / "findings.json").read_text())
    assert noted["findings"] == ["Random is hard to beat.", "One.", "Two."]
    assert noted["parameters"] == {"pool": "curated", "limit": 5000, "budget": 250}


def test_tables_lie_beside_the_figures_and_are_noted(begun):
    report.table("slopes", pd.DataFrame({"slope": [0.123456789]}))
    noted = json.loads((begun.folder / "findings.json").read_text(encoding="utf-8"))
    assert noted["tables"] == ["slopes"]
    assert (begun.folder / "slopes.csv").read_text() == "slope\n0.12345679\n"


@pytest.mark.parametrize("sentences", [(), ("",), (["ok", " "],)])
def test_empty_findings_are_refused(begun, sentences):
    with pytest.raises(ValueError, match="sentences"):
        report.finding(*sentences)


def test_figures_carry_the_line_of_the_report(begun):
    assert report.provenance_line(begun.parameters) == "curated, up to 5,000 rows · budget 250"
    fig, _ = style.figure()
    style.save_figure(fig, "one", pd.DataFrame({"x": [1]}))
    assert fig.texts[-1].get_text() == "curated, up to 5,000 rows · budget 250"
    assert (begun.folder / "one.png").is_file()


def test_a_path_is_shortened_in_the_line_and_a_hub_id_is_not():
    sizes = {"pool": "wild", "budget": 500, "budgets": [125, 1000]}
    assert report.provenance_line(sizes) == "wild · budgets 125, 500 and 1,000"
    assert report.provenance_line({"pool": "/data/x/rows.parquet"}) == "rows.parquet"
    assert report.provenance_line({"pool": "teknium/OpenHermes-2.5"}) == "teknium/OpenHermes-2.5"
    assert report.provenance_line({"pool": "mine.jsonl", "parts": 3}) == "mine.jsonl, up to 3 parts"
    assert report.provenance_line({"pool": "wild", "parts": 3}) == "wild, 3 parts"


@pytest.mark.parametrize(
    ("pool", "used", "told"),
    [
        ("mine", 3, "mine, 3 of 5 parts of up to 4,000 rows"),
        ("mine", 5, "mine, 5 parts of up to 4,000 rows"),
        ("wild", 3, "wild, 3 of 5 parts of up to 20,000 rows"),
    ],
)
def test_of_runs_from_a_file_the_line_names_the_parts_that_were_used(pool, used, told):
    assert report.provenance_line({"pool": pool, "limit": 20_000, "parts": 5, "parts_used": used}) == told


def test_the_runner_names_a_variant_of_this_notebook_only(tmp_path, monkeypatch):
    monkeypatch.setenv("ANALYSIS_REPORT_NAME", "30_versus_random.wild")
    named = [report.begin(notebook=one, output_dir=str(tmp_path)).name for one in ("30_versus_random", "10_random")]
    assert named == ["30_versus_random.wild", "10_random"]


def test_provenance_is_recorded(begun):
    class Pool:
        name, fingerprint = "curated", "abc"

        def __len__(self):
            return 12

    model = SimpleNamespace(name="tiny", fingerprint="def", device="cpu")
    precisions = {"scores": "bfloat16", "fine-tuning": "float32"}
    report.provenance(features=SimpleNamespace(pool=Pool(), language_model=model, precisions=precisions), draws=5)
    noted = json.loads((begun.folder / "findings.json").read_text())["provenance"]
    assert noted["pool"] == "curated, 12 rows, fingerprint abc"
    assert noted["precision"] == "scores bfloat16, fine-tuning float32"
    assert noted["draws"] == 5
    assert noted["seconds"] >= 0
    assert "torch" in noted["packages"]


def test_provenance_says_how_many_runs_came_published_and_of_when(begun):
    report.provenance()
    assert "published runs" not in json.loads((begun.folder / "findings.json").read_text())["provenance"]
    for key in ("aa", "bb", "cc"):
        log.ask("runs", key)
    log.made["runs"].update(aa=86_400.0, cc=3 * 86_400.0)  # seconds since 1970-01-01
    report.provenance()
    noted = json.loads((begun.folder / "findings.json").read_text())["provenance"]
    assert noted["published runs"] == "2 of 3, made from 1970-01-02 to 1970-01-04"
    log.made["runs"].update(cc=86_400.0)
    report.provenance()
    noted = json.loads((begun.folder / "findings.json").read_text())["provenance"]
    assert noted["published runs"] == "2 of 3, made on 1970-01-02"
    report.begin(notebook="again", output_dir=str(begun.folder))
    assert not log.made["runs"] and not log.asked["runs"]


def test_calls_before_begin_say_what_to_call(monkeypatch):
    monkeypatch.setattr(report, "_report", None)
    with pytest.raises(RuntimeError, match=r"report\.begin"):
        report.finding("x")


def test_require_raises_with_its_message():
    report.require([1], "fine")
    with pytest.raises(AssertionError, match="budget of 250"):
        report.require(False, "a budget of 250 rows was expected")


def test_a_checkout_is_dirty_by_its_code_and_not_by_the_figures_that_a_run_writes(tmp_path, monkeypatch):
    def git(*asked):
        subprocess.run(["git", "-C", str(tmp_path), "-c", "user.name=a", "-c", "user.email=a@b", *asked], check=True, capture_output=True)  # fmt: skip

    monkeypatch.setattr(report, "ROOT", tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))  # which may lie in a checkout
    assert report._commit() == "no git"
    (tmp_path / "figures").mkdir()
    for name in ("code.py", "figures/table.csv"):
        (tmp_path / name).write_text("1")
    git("init")
    git("add", ".")
    git("commit", "-m", "first")
    (tmp_path / "figures" / "table.csv").write_text("2")
    (tmp_path / "notes.txt").write_text("untracked")
    clean = report._commit()
    assert len(clean) == 12
    (tmp_path / "code.py").write_text("2")
    assert report._commit() == f"{clean}-dirty"
