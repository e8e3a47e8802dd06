"""Reading what other notebooks left, on a planted folder."""

import json

import pandas as pd
import pytest

from analysis.reporting import pages


@pytest.fixture
def folder(tmp_path):
    def page(report, findings=("It is so.",), figures=(), tables=(), finished=True):
        own = tmp_path / report
        own.mkdir()
        for name in (*figures, *tables):
            pd.DataFrame({"who": [report], "value": [1.5]}).to_csv(own / f"{name}.csv", index=False)
        noted = {"report": report, "findings": findings, "figures": figures, "tables": tables, "parameters": {},
                 "provenance": {"commit": "abc"} if finished else {}}  # fmt: skip
        (own / "findings.json").write_text(json.dumps(noted))

    page("30_versus_random.curated", figures=["by_regime"])
    page("30_versus_random.wild", figures=["by_regime"], tables=["against_base"])
    page("31_failure", finished=False, figures=["growth"])
    page("90_summary", figures=["claims"])
    (tmp_path / "30_versus_random.wild" / "old.csv").write_text("who,value\nstale,1\n")
    return tmp_path


def test_variants_are_read_together(folder):
    table = pages.read(folder).table("30_versus_random", "by_regime")
    assert table["report"].tolist() == ["30_versus_random.curated", "30_versus_random.wild"]
    assert list(table) == ["report", "who", "value"]


def test_what_a_page_did_not_make_in_this_run_is_not_read(folder):
    read = pages.read(folder)
    assert read.table("30_versus_random", "old").empty
    assert len(read.table("30_versus_random", "against_base")) == 1


def test_an_unfinished_page_is_named_and_not_read(folder):
    read = pages.read(folder, without=["90_summary"])
    assert read.unfinished == ("31_failure",)
    assert [page.report for page in read.pages] == ["30_versus_random.curated", "30_versus_random.wild"]


def test_an_empty_folder_has_no_pages(tmp_path):
    assert pages.read(tmp_path / "absent") == pages.Pages(())


@pytest.mark.parametrize(
    "content",
    [b'{"report": "30', b"", b"[]", b'{"report": 5}', b"\xff", b'{"report": "a", "findings": {}}', b"[" * 100_000],
)
def test_a_damaged_note_is_set_aside_with_a_warning_and_the_others_are_read(folder, content):
    damaged = folder / "30_versus_random.wild" / "findings.json"
    damaged.write_bytes(content)
    with pytest.warns(UserWarning, match=r"30_versus_random\.wild/findings\.json: damaged .* run its notebook again"):
        read = pages.read(folder, without=["90_summary"])
    assert [page.report for page in read.pages] == ["30_versus_random.curated"]
    assert damaged.with_name("findings.json.damaged").read_bytes() == content and not damaged.exists()


@pytest.mark.parametrize("content", [None, b"a,b\n1,2\n3\n4,5,6,7\n", b"who\n\xff\n"])
def test_a_table_that_cannot_be_read_is_left_out_with_a_warning(folder, content):
    table = folder / "30_versus_random.wild" / "by_regime.csv"
    table.unlink() if content is None else table.write_bytes(content)
    with pytest.warns(UserWarning, match=r"by_regime\.csv: unreadable, left out"):
        assert pages.read(folder).table("30_versus_random", "by_regime")["report"].tolist() == [
            "30_versus_random.curated"
        ]


def test_pages_that_the_runner_names_are_left_out(folder, monkeypatch):
    monkeypatch.setenv("ANALYSIS_OUTDATED", '["30_versus_random.wild"]')
    assert [page.report for page in pages.read(folder).pages] == ["30_versus_random.curated", "90_summary"]
