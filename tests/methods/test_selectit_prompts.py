"""The rating prompts of SelectIT, asked of a model that can rate: it reads the question and the row."""

import hashlib
import re
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from analysis.features.rating_text import digit_ids, rating_ids
from analysis.methods.selectit import PROMPTS, score
from analysis.models.passes.next_token import NextTokenPass
from analysis.subsets.overlap import rank_correlation
from tests.tiny import tiny_model, tiny_tokenizer

TOKENIZER = tiny_tokenizer()
HEAD = tiny_model(TOKENIZER)
# What a question can be about, and the word that a response repeats the more, the better it is in this.
ABOUT = {
    "done": r"carr(y|ies|ied) out|\bdo(es)?\b[^?]*\bwhat\b|\bobeys?\b|\bfollow",
    "true": r"\bright\b|\bcorrect",
    "lesson": r"\bteach",
    "handy": r"\buseful",
    "plain": r"well written",
}
OTHERS = (
    "How far does this response follow its instruction? Answer with a grade from 1, the worst, to 5, the best.",
    "1 for a response that does not follow the instruction, 5 for one that follows all of it: which number fits?",
    "Mark from 1 to 5 how closely the response follows the instruction that it was given.",
    "Choose a number from 1 to 5 for how much of its instruction the response obeys.",
    "The better the response follows the instruction, the higher the number between 1 and 5. Which is it?",
)
FIVE_QUESTIONS = (
    "Rate from 1 to 5 how well the response follows its instruction.",
    "Is the response right? Grade it from 1 to 5.",
    "How much does the response teach? Grade it from 1 to 5.",
    "How useful is the response, from 1 to 5?",
    "How well written is the response, from 1 to 5?",
)


class Rater(torch.nn.Module):
    """Rates what the question is about by the response, from 1 to 5, a little moved by how the question is put."""

    def get_output_embeddings(self):
        return HEAD.get_output_embeddings()

    def forward(self, input_ids, use_cache):
        logits = torch.zeros(*input_ids.shape, HEAD.get_output_embeddings().weight.shape[0])
        for row, text in enumerate(TOKENIZER.batch_decode(input_ids)):
            if "Response:" in text:  # all but the trial with which a pass begins
                logits[row, :, digit_ids(TOKENIZER)] = torch.tensor(self.rating(text), dtype=torch.float32)
        return SimpleNamespace(logits=logits)

    @staticmethod
    def rating(text):
        question, _, rest = text.partition("Instruction:")
        about = [word for word, asked in ABOUT.items() if re.search(asked, question)]
        assert len(about) == 1, f"one question, not {about}: {question!r}"
        moved = int(hashlib.sha256(text.rstrip("!").encode()).hexdigest()[:8], 16) / 2**32 - 0.5
        wanted = 1 + rest.count(about[0]) / 2 + moved
        return [-((digit - wanted) ** 2) for digit in range(1, 6)]


def responses(count=80):
    """Rows that are good and bad in every respect independently of all others."""
    rng = np.random.default_rng(0)
    for _ in range(count):
        words = " ".join(word for word in ABOUT for _ in range(rng.integers(0, 9)))
        yield [{"role": "user", "content": "Go on."}, {"role": "assistant", "content": words}]


def scores_by(prompts):
    rate, rows = NextTokenPass(Rater(), torch.device("cpu"), 100_000), list(responses())
    logits = [rate(rating_ids(rows, prompt, TOKENIZER, 1000), digit_ids(TOKENIZER)) for prompt in prompts]
    return score(np.stack(logits, axis=1))


@pytest.fixture(scope="module")
def by_ours():
    return scores_by(PROMPTS)


def test_another_wording_of_the_question_ranks_rows_the_same(by_ours):
    assert rank_correlation(by_ours, scores_by(OTHERS)) >= 0.8


def test_five_questions_rank_rows_otherwise_than_one(by_ours):
    assert rank_correlation(by_ours, scores_by(FIVE_QUESTIONS)) < 0.8
