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
