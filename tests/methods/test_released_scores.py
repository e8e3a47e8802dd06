"""The released variants against literal adaptations of the study's scripts, which begin with the text."""

from dataclasses import replace
from types import SimpleNamespace

import datasets
import numpy as np
import pytest
from scipy.stats import spearmanr

from analysis.features.features import Features
from analysis.methods import select
from analysis.models.language_model import fingerprint_weights
from analysis.store.store import Store
from tests.references.released_cross_entropy import cross_entropy
from tests.references.released_ifd import ifd
from tests.tiny import TEXTS, tiny_language_model, tiny_model, tiny_tokenizer

# The header is three tokens, as in the tokenizers of Qwen2, so that a space before an answer fuses with its first word.
TOKENIZER = tiny_tokenizer(texts=[*TEXTS, "Human: ", "Assistant: "], vocabulary=420)
NETWORK = tiny_model(TOKENIZER, seed=2)
MODEL = replace(
    tiny_language_model(), model=NETWORK, tokenizer=TOKENIZER, fingerprint=fingerprint_weights(NETWORK, TOKENIZER)
)
WORDS = " ".join(TEXTS).split()


def conversations(n_rows=180):
    """Rows as real pools have them: system texts, several turns, white space around turns, "!", long and empty ones."""
    rng = np.random.default_rng(11)

    def text(most):
        words = rng.choice(WORDS, rng.integers(1, most))
        return (
            rng.choice(["", " ", "\n"], p=[0.8, 0.1, 0.1]) + " ".join(words) + rng.choice(["", "!", "!!!", " ", "\n\n"])
        )

    rows = []
    for row in range(n_rows):
        turns = [{"role": "system", "content": text(9)}] if row % 4 == 0 else []
        for _ in range(1 + row % 3):
            turns += [{"role": "user", "content": text(25)}, {"role": "assistant", "content": text(5 + row % 60)}]
        rows.append(turns)
    rows[7][-1]["content"] = ""
    rows[8][-1]["content"] = "No"
    rows[9][-2]["content"] = "Why not? " * 60
    return rows


@pytest.fixture(scope="module", params=[100, 250])
def made(request, tmp_path_factory):
    rows = [{"id": str(row), "source": "toy", "messages": turns} for row, turns in enumerate(conversations())]
    pool = SimpleNamespace(rows=datasets.Dataset.from_list(rows), fingerprint="real-shaped")
    store = Store(tmp_path_factory.mktemp("store"))
    return Features(pool, MODEL, store=store, max_tokens=request.param, precision="float32", show_progress=False)


def test_the_headers_tokens_are_those_of_large_tokenizers():
    assert TOKENIZER.tokenize("Assistant: ") == ["Assistant", ":", "Ġ"]


@pytest.mark.parametrize("method, reference", [("cross_entropy", cross_entropy), ("ifd", ifd)])
def test_released_scores_are_those_of_the_script(made, method, reference):
    expected = np.array([
        reference(MODEL.model, MODEL.tokenizer, turns, made.max_tokens) for turns in conversations()
    ])  # fmt: skip
    expected[expected == 0] = np.nan  # what the scripts give rows that they drop
    found = select(f"{method}(variant='released')", made, 10, seed=0)
    kept = np.isfinite(expected)
    assert 24 <= kept.sum() < len(kept)
    np.testing.assert_array_equal(np.isfinite(found.scores), kept)
    assert spearmanr(found.scores[kept], expected[kept]).statistic > 0.999
    np.testing.assert_allclose(found.scores[kept], expected[kept], rtol=1e-4)
    assert found.rows.tolist() == np.argsort(-np.nan_to_num(expected), kind="stable")[:10].tolist()
