import numpy as np
import pytest
import torch

from analysis.features.rating_text import CUE, RELEASED_CUE, digit_ids, rating_ids
from analysis.methods.selectit import PROMPTS
from analysis.models.language_model import load_model
from analysis.models.passes.next_token import NextTokenPass
from analysis.paths import ROOT
from tests.features.test_features import toy_pool
from tests.real_tokenizers import real_tokenizer
from tests.tiny import tiny_model, tiny_tokenizer

SHARED = ROOT.parent / "shared"
TOKENIZER = tiny_tokenizer()
MODEL = tiny_model(TOKENIZER)
CPU = torch.device("cpu")
CONVERSATIONS = [row["messages"] for row in toy_pool(2).rows]


def test_the_digits_are_single_tokens_else_it_is_said_which_is_not():
    assert TOKENIZER.convert_ids_to_tokens(digit_ids(TOKENIZER)) == list("12345")
    joined = tiny_tokenizer(["Rating: 4", "The answer is: 4", "is: 4"] * 50, vocabulary=400)
    assert joined.convert_ids_to_tokens(digit_ids(joined)) == list("12345")
    with pytest.raises(ValueError, match=r"expected '4' after '.nThe answer is: ' to be one token, found .*Ġ4"):
        digit_ids(joined, RELEASED_CUE)


@pytest.mark.shared
@pytest.mark.skipif(not SHARED.is_dir(), reason="needs ../shared")
@pytest.mark.parametrize("name", ["qwen", "llama3"])
def test_the_study_s_digits_are_those_of_its_models(name):
    tokenizer = real_tokenizer(name)
    assert digit_ids(tokenizer, CUE) == digit_ids(tokenizer, RELEASED_CUE) == [16, 17, 18, 19, 20]


@pytest.mark.parametrize("base", ["tiny-weak", "tiny-strong"])
def test_the_embedded_bases_have_digits(base):
    tokenizer = load_model(base, weights=False).tokenizer
    assert [tokenizer.decode([token]) for token in digit_ids(tokenizer)] == list("12345")


MESSAGES = [{"role": "system", "content": "Be brief."}] + CONVERSATIONS[0]


def test_the_text_names_instructions_and_responses():
    (ids,) = rating_ids([MESSAGES], "Rate it.", TOKENIZER, 500)
    users = [message["content"] for message in MESSAGES[1::2]]
    answers = [message["content"] for message in MESSAGES[2::2]]
    assert TOKENIZER.decode(ids) == (
        f"Rate it.\n\nInstruction:Be brief.\n\n{users[0]}\nResponse:{answers[0]}"
        f"\nInstruction:{users[1]}\nResponse:{answers[1]}{CUE}"
    )


def test_the_released_text_pairs_messages_and_has_none_for_an_odd_number():
    found = rating_ids([MESSAGES, MESSAGES[1:3]], "Rate it.", TOKENIZER, 500, "released")
    user, answer = (message["content"] for message in MESSAGES[1:3])
    assert found[0] == []
    assert TOKENIZER.decode(found[1]) == f"Rate it.\n\nInstruction: {user}\nResponse: {answer}{RELEASED_CUE}"
    rate = NextTokenPass(MODEL, CPU, 100)
    assert np.isnan(rate(found, [1, 2])).all(axis=1).tolist() == [True, False]


@pytest.mark.parametrize("form", ["original", "released"])
def test_a_long_row_is_cut_and_its_prompt_and_cue_are_not(form):
    long = [{"role": "user", "content": "Say it. " * 30}, {"role": "assistant", "content": "Yes! " * 300}]
    (ids,) = rating_ids([long], PROMPTS[0], TOKENIZER, 300, form)
    text = TOKENIZER.decode(ids)
    assert 290 <= len(ids) <= 300
    assert text.startswith(PROMPTS[0]) and text.endswith({"original": CUE, "released": RELEASED_CUE}[form])
    with pytest.raises(ValueError, match=r"max_tokens: a rating prompt of .* expected at least 16"):
        rating_ids([long], PROMPTS[0], TOKENIZER, 60, form)
