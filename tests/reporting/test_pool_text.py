import pandas as pd
import pytest

from analysis.reporting.pool_text import escape, examples_html

ATTACK = '<script>alert("x")</script><img src=x onerror=alert(1)> $\\href{javascript:1}{x}$'


@pytest.mark.parametrize(
    "row",
    [
        {"id": 1, "text": ATTACK},
        {"id": 1, ATTACK: "value"},
        {"messages": [{"role": ATTACK, "content": ATTACK}]},
        {"nested": {"a": [ATTACK]}},
        {"bytes": ATTACK.encode()},
    ],
)
def test_pool_text_is_never_mark_up(row):
    shown = examples_html([row], caption=ATTACK)
    assert "<script" not in shown
    assert "<img" not in shown
    assert "&lt;script&gt;" in shown
    assert "$" not in shown


def test_pandas_rows_are_escaped_too():
    shown = examples_html(pd.DataFrame({"text": [ATTACK]}))
    assert "<script" not in shown


def test_direction_overrides_and_control_characters_are_made_visible():
    assert escape("a\u202eb\x00c") == "a\ufffdb\ufffdc"


def test_long_text_is_cut_and_says_by_how_much():
    assert "[700 more characters]" in examples_html([{"text": "x" * 1000}], longest=300)


def test_numbers_of_examples_have_the_digits_that_mean_something():
    shown = examples_html(pd.DataFrame({"score": [2.127012734413147], "tokens": [50.0]}).astype({"score": "float32"}))
    assert "<p>2.13</p>" in shown and "<p>50</p>" in shown


def test_messages_are_shown_turn_by_turn():
    messages = [{"role": "user", "content": "Why?"}, {"role": "assistant", "content": "Because."}]
    shown = examples_html([{"messages": messages}])
    assert "<b>user</b> Why?" in shown
    assert "<b>assistant</b> Because." in shown


def test_a_line_may_end_within_a_long_name_and_nowhere_else():
    shown = examples_html([{"page": "30_versus_random", "text": 'a_b 0.774 "x.y"&<b>'}])
    assert "30_<wbr>versus_<wbr>random</p>" in shown
    assert "<p>a_b 0.774 &quot;x.y&quot;&amp;&lt;b&gt;</p>" in shown
