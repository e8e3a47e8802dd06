"""The page that is opened first, from notes and tables as runs leave them: no notebook is run."""

import json
import re
from pathlib import Path

import pandas as pd
import pytest
from PIL import Image

from analysis.runner import index
from analysis.runner.html import external_requests
from analysis.runner.index import answer, write_index

LINE = {"method": "ifd", "benchmark": "accuracy <b>", "unit": "share correct", "budget": 160, "design": "equal rows", "verdict": "worse",
        "estimate": -8, "low": -9, "high": -7, "scores": "30 32", "random_scores": "38 40", "base_score": 0, "delta": 2, "n_runs": 2,
        "n_random": 2, "tokens_ratio": 2.0}  # fmt: skip
ADVICE = {
    "where": "a budget <of>",
    "what to do": "draw at random",
    "because": "of 1 comparison 1 worse",
    "page": "30_versus_random",
}


def leave(run, report, findings=(), status="done", **tables):
    """What a run of one notebook leaves: its page, its note, its figures and tables."""
    folder = run / "figures" / report
    folder.mkdir(parents=True)
    for name, lines in tables.items():
        pd.DataFrame(lines).to_csv(folder / f"{name}.csv", index=False)
    Image.new("RGB", (800, 400), "white").save(folder / "versus_random.png")
    noted = {"report": report, "findings": list(findings), "figures": list(tables), "tables": [], "parameters": {"pool": "p", "model": "m"},
             "provenance": {"seconds": 1}}  # fmt: skip
    (folder / "findings.json").write_text(json.dumps(noted))
    record = {"report": report, "status": status, "title": f"Title of {report}", "question": "Does it?", "findings": list(findings),
              "error": "KeyError: <row>" if status == "failed" else "", "seconds": 1, "finished": 1, "parameters": {},
              "picture": f"figures/{report}/versus_random.png"}  # fmt: skip
    (run / f"{report}.json").write_text(json.dumps(record))
    (run / f"{report}.html").write_text("<p>page</p>")


@pytest.fixture
def text(tmp_path):
    run = tmp_path / "quick"
    leave(run, "14_selectit", ["The model cannot rate.", "It loses 3 points.", "It has 5 prompts."])
    leave(run, "15_less", status="failed")
    leave(run, "30_versus_random", ["On accuracy no method of 1 is worth more."], versus_random=[LINE])
    leave(run, "90_summary", ["Of 1 claims, holds: 1."], guide=[ADVICE])
    return write_index(tmp_path).read_text()


def test_the_results_come_first_then_the_advice_then_the_cards(text):
    places = [text.index(part) for part in ("-8.0 [-9.0, -7.0]", "draw at random", 'class="card"')]
    assert places == sorted(places)
    assert '<td class="verdict worse">worse</td>' in text
    assert 'href="quick/30_versus_random.html"' in text


def test_a_pool_is_named_without_how_it_is_read(tmp_path):
    run = tmp_path / "quick"
    leave(run, "14_selectit", ["It loses 3 points."])
    note = run / "14_selectit.json"
    parameters = {"pool": "/x/a.jsonl::decontaminate=/y/benchmarks/b.json", "model": "tiny-weak"}
    note.write_text(json.dumps(json.loads(note.read_text()) | {"parameters": parameters}))
    assert " · pool a.jsonl · model tiny-weak" in write_index(tmp_path).read_text()


def test_without_90_the_advice_is_that_of_the_pages_there_are_and_a_missing_verdict_says_why(tmp_path):
    why = "a verdict takes at least 3 runs on each side, found 2"
    line = LINE | {"verdict": "no verdict", "note": why}
    by_regime = [line | {"rows_per_kind": 20, "kind": "skill", "in": "points"}]
    leave(tmp_path / "quick", "30_versus_random", ["So 1."], versus_random=[line], by_regime=by_regime)
    text = write_index(tmp_path).read_text()
    assert f'<td class="verdict no">no verdict<div class="why">{why}</div></td>' in text
    assert "these runs say nothing: make more before choosing a method" in text and f"1 no verdict; {why}" in text


def test_a_card_says_the_first_finding_with_a_number(text):
    cards = re.findall(r'<div class="answer">(.*?)</div>', text)
    assert cards == ["It loses 3 points.", "On accuracy no method of 1 is worth more.", "Of 1 claims, holds: 1."]
    assert answer(["No number.", "None either."]) == "No number."
    assert answer([]) == ""


def test_a_failure_is_listed_and_has_no_card(text):
    assert text.count(">FAILED<") == 1
    assert "KeyError: &lt;row&gt;" in text
    assert "Title of 15_less" not in re.search(r'<div class="cards">.*', text, re.DOTALL)[0]


def test_all_text_is_escaped_and_nothing_is_fetched(text):
    assert "accuracy &lt;b&gt;" in text and "a budget &lt;of&gt;" in text
    assert "<b>" not in text and "<of>" not in text
    assert external_requests(text) == []


def test_a_failed_notebook_without_a_page_is_listed_too(tmp_path):
    leave(tmp_path / "quick", "15_less", status="failed")
    (tmp_path / "quick" / "15_less.html").unlink()
    text = write_index(tmp_path).read_text()
    assert "Title of 15_less" in text and "15_less.html" not in text


def test_tables_of_another_version_are_left_out_with_a_warning(tmp_path):
    leave(tmp_path / "quick", "30_versus_random", ["So 1."], versus_random=[{"method": "ifd", "old": 1}])
    with pytest.warns(UserWarning, match="of another version"):
        text = write_index(tmp_path).read_text()
    assert "So 1." in text


def test_the_table_of_a_notebook_that_failed_is_not_shown(tmp_path):
    leave(tmp_path / "quick", "30_versus_random", status="failed", versus_random=[LINE])
    assert "-8.0 [" not in write_index(tmp_path).read_text()


def luminance(colour):
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_text_stands_out_from_its_ground_in_both_schemes():
    css = (Path(index.__file__).parent / "templates" / "colours.css").read_text()
    schemes = [
        dict(re.findall(r"--(\w+): (#[0-9a-f]{6})", block)) for block in re.findall(r":root \{(.*?)\}", css, re.DOTALL)
    ]
    assert len(schemes) == 2
    for scheme in schemes:
        for ground in ("page", "card", "quiet", "said"):
            for ink in ("ink", "soft", "link", "good", "bad"):
                light, dark = sorted([luminance(scheme[ink]), luminance(scheme[ground])], reverse=True)
                assert (light + 0.05) / (dark + 0.05) >= 4.5, (ink, ground)


def test_a_damaged_picture_or_page_is_named_and_the_index_is_written(tmp_path):
    run = tmp_path / "quick"
    for report in ("14_selectit", "15_less"):
        leave(run, report, ["It loses 3 points."])
    picture = run / "figures" / "15_less" / "versus_random.png"
    picture.write_bytes(picture.read_bytes()[:60])
    (run / "14_selectit.html").write_bytes(b"<p>\xff<!--neighbours--><!--/neighbours-->")
    with pytest.warns(UserWarning, match="damaged") as warned:
        text = write_index(tmp_path).read_text()
    said = [str(one.message) for one in warned]
    assert any("15_less/versus_random.png: damaged" in one for one in said)
    assert any("14_selectit.html: damaged" in one for one in said)
    assert "Title of 14_selectit" in text and "Title of 15_less" in text and text.count("data:image/png") == 1
