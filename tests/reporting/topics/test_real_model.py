"""What is said of a published comparison: tokens by the rule, groups and limits, by hand."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from analysis.experiments.published_results import chosen
from analysis.methods import BASE, RANDOM
from analysis.reporting import versus_random
from analysis.reporting.topics import real_model
from analysis.store.published import packed
from tests.published_lines import compared_lines, line, written


@pytest.fixture
def compared(tmp_path):
    return chosen(written(tmp_path, compared_lines()))[0]


def test_facts_name_what_differs_and_no_run_that_is_not_there(compared):
    facts = real_model.facts(compared).set_index("what")["of this comparison"]
    assert facts["settings that differ from the defaults"] == "learning_rate 0.001"
    assert (facts["parts"], facts["runs"], facts["made on"]) == ("runs in 3 of 3", "7", "H100, torch 2 (7 runs)")
    assert (facts["asked by lm-eval"], facts["scored on"]) == ("nothing", "held-out answer loss, 40 items of 2 groups")
    compared.results.runs["items"].iloc[0][:3] = float("nan")
    assert (
        real_model.facts(compared)["of this comparison"].str.contains("40 items (37 with a score)", regex=False).any()
    )


def test_how_a_task_was_asked_and_the_words_of_an_answer_are_told(tmp_path):
    asked = {"task": "ifeval", "limit": 80, "shots": None, "max_new_tokens": 320, "chat": True, "harness": "0.4"}
    lines = [line | {"settings": json.dumps(json.loads(line["settings"]) | {"harness": [asked]}),
                     "record": line["record"].replace('"unit"', '"answer_words": 12.6, "unit"')} for line in compared_lines()]  # fmt: skip
    compared = chosen(written(tmp_path, lines))[0]
    facts = real_model.facts(compared).set_index("what")["of this comparison"]
    assert facts["asked by lm-eval"] == "ifeval of version 0.4, limit 80, max_new_tokens 320, in the format of training"
    table = versus_random.versus_random(compared.results)
    shown = real_model.decided(compared, table, versus_random.against_base(compared.results))
    assert shown["words of an answer"].tolist() == ["13", "13"]


def test_the_benchmark_of_answers_stands_before_the_loss(tmp_path):
    lines = []
    for one in compared_lines():
        record = json.loads(one["record"])
        record["benchmarks"].append({"name": "ifeval", "unit": "share correct", "seconds": 1.0, "answer_words": 9.0})
        items = {"name": "items_1"} | packed(np.tile([0.0, 1.0], 20).astype(np.float32))
        lines.append(one | {"record": json.dumps(record), "groups": [*one["groups"], json.dumps(["ifeval"] * 40)],
                             "arrays": [*one["arrays"], items]})  # fmt: skip
    compared = chosen(written(tmp_path, lines))[0]
    table = versus_random.versus_random(compared.results)
    shown = real_model.decided(compared, table, versus_random.against_base(compared.results))
    assert shown["benchmark"].tolist() == ["ifeval"] * 2 + ["held-out answer loss"] * 2
    assert table["benchmark"].tolist() == ["ifeval", "held-out answer loss"]
    assert shown["words of an answer"].tolist() == ["9", "9", "", ""]
    assert versus_random.grouped_benchmark(compared.results) == "held-out answer loss"


def test_sources_of_equal_size_count_whole(compared):
    assert real_model.regime_of(compared.results).words(10) == "5 rows per source"


def test_every_verdict_has_its_interval_its_runs_and_its_tokens(compared):
    table = versus_random.versus_random(compared.results)
    (said,) = real_model.verdict_sentences(table, real_model.regime_of(compared.results))
    assert "2 rows (1 rows per source)" in said and "+0.500 [" in said
    assert "(3 runs, 3 random, 40 items, 1.50 times random's tokens)" in said
    shown = real_model.decided(compared, table, versus_random.against_base(compared.results))
    assert shown["method"].tolist() == ["IFD", "Random"] and shown["difference from random"].tolist()[1] == ""
    assert shown["gain over the base"].str[:6].tolist() == ["+2.500", "+2.000"]


def test_a_single_run_has_no_verdict_and_no_number_that_is_not_one(tmp_path):
    lines = [line(BASE, 0, -4), *[line(RANDOM, part, -2 + part / 10) for part in range(2)], line("ifd", 0, -1.5)]
    compared, _ = chosen(written(tmp_path, lines))
    table = versus_random.versus_random(compared.results)
    said = real_model.verdict_sentences(table, real_model.regime_of(compared.results))
    shown = real_model.decided(compared, table, versus_random.against_base(compared.results))
    assert "no verdict (" in said[0] and "found 1" in said[0]
    assert not any(word in f"{said} {shown.to_csv()}" for word in ("nan", "inf"))


def test_the_group_that_moves_the_means_is_left_out_by_hand():
    lines = [("a", 80, "ifd", "IFD", -0.1), ("b", 20, "ifd", "IFD", -3.0)]
    by_group = pd.DataFrame(lines, columns=["group", "items", "method", "name", "difference"])
    found = real_model.without_one(by_group).loc["IFD"]
    assert (found["group"], found["items"], found["of"]) == ("b", 20, 100)
    assert found["all"] == pytest.approx(-0.68) and found["without"] == pytest.approx(-0.1)
    told = by_group.assign(unit="nats per answer token, negated")
    assert "IFD -0.680 to -0.100" in real_model.group_findings(told, "loss")[1]


def test_what_was_left_out_and_several_devices_are_said(tmp_path):
    lines = [*compared_lines(), line("ifd", 0, -1.4, made=5.0, made_on="A100, torch 2"), line("ifd", 0, -1, budget=3),
             line("ifd", 0, -1, settings={"learning_rate": 0.5})]  # fmt: skip
    said = " ".join(real_model.file_findings(*chosen(written(tmp_path, lines))))
    assert "model on rows, 1 run (learning_rate 0.5)" in said and "1 run was made again" in said
    assert "Runs of 3 rows are left out" in said and "H100, torch 2 (6 runs) and A100, torch 2 (1 run)" in said
    assert not real_model.file_findings(*chosen(written(tmp_path, compared_lines())))


def test_limits_name_the_weights_that_are_known():
    said = " ".join(real_model.limits(chosen("real_model")[0]))
    assert "dequantised from SmolLM2-135M-Instruct.Q4_1.gguf" in said and "rows of the same pool" in said
    said = " ".join(real_model.limits(replace(chosen("real_model")[0], base="gemma-3-270m")))
    assert "dequantised from gemma-3-270m-q4_k_m.gguf" in said and "was tuned" not in said


def test_limits_of_other_weights_say_nothing_of_rounding(compared):
    said = " ".join(real_model.limits(compared))
    assert "one model (model), one pool (rows), 2 rows" in said and "dequantised" not in said and "tuned" not in said
