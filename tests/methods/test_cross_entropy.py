from types import SimpleNamespace

import numpy as np
import pytest
import torch

from analysis.features.arrays import TokenLosses
from analysis.methods import cross_entropy
from analysis.models.chat_template import choose_template, default_template
from analysis.models.encoding import Encoded, encode_batch
from analysis.models.passes import batches
from analysis.models.passes.token_losses import TokenLossPass
from tests.tiny import Faulty, conversation, tiny_model, tiny_tokenizer

TOKENIZER = tiny_tokenizer()
MODEL = tiny_model(TOKENIZER)
TEMPLATE = choose_template(TOKENIZER)
CPU = torch.device("cpu")
ANSWERS = ["seven", "Yes! It is larger, I think.", "no " * 30, "!", "river, owl and mountain, in this order."]


CONVERSATIONS = [
    conversation("What is " * (1 + row % 3) + "it?", ANSWERS[row % 5], "And?", ANSWERS[(row + 2) % 5])[
        : 2 + row % 4 // 2 * 2
    ]
    for row in range(17)
]


def encoded(conversations=CONVERSATIONS, max_tokens=256):
    return encode_batch(conversations, TOKENIZER, TEMPLATE, max_tokens)


def losses(rows, tokens_per_batch=400, model=MODEL):
    return TokenLossPass(model, CPU, tokens_per_batch)(rows)


class TableModel(torch.nn.Module):
    """A language model that reads the next token's probabilities from a table, row by row of the input."""

    def __init__(self, probabilities):
        super().__init__()
        self.table = torch.nn.Embedding.from_pretrained(torch.log(torch.tensor(probabilities)))

    def get_output_embeddings(self):
        return self.table

    def forward(self, input_ids, use_cache):
        positions = torch.arange(input_ids.shape[1]).remainder(len(self.table.weight))
        return SimpleNamespace(logits=self.table(positions).expand(len(input_ids), -1, -1))


@pytest.mark.parametrize(
    "answer, tables, original, released",
    [
        # -(ln .8 + ln .8 + ln .9) / 3 and -(ln .1 + ln .05 + ln .3) / 3
        (
            [1, 2, 1],
            [[0.1, 0.8, 0.1], [0.1, 0.1, 0.8], [0.05, 0.9, 0.05], [0.3, 0.3, 0.4]],
            0.183883,
            2.167430,
        ),
        # -(ln .8 + 2 ln .9) / 3 and -ln .9
        ([1, 1, 1], [[0.1, 0.8, 0.1], *[[0.05, 0.9, 0.05]] * 3], 0.144621, 0.105361),
    ],
)
def test_the_worked_example_of_both_variants(answer, tables, original, released):
    row = Encoded(ids=[0, *answer], spans=[(1, 4)], ends=[None], truncated=False)
    arrays = losses([row], model=TableModel(tables))
    found = TokenLosses(n_rows=1, row=np.zeros(1, dtype=int), **arrays)
    assert cross_entropy.score(*found.per_row("all"))[0] == pytest.approx(original, abs=1e-6)
    assert cross_entropy.score(*found.per_row("last", shifted=False))[0] == pytest.approx(released, abs=1e-6)
    assert arrays["first_loss"][0] == pytest.approx(-np.log(0.8), abs=1e-6)


def test_batched_losses_equal_transformers_own_loss_one_by_one():
    arrays = losses(encoded())
    turn = 0
    for row in encoded():
        ids = torch.tensor([row.ids])
        for start, end in row.spans:
            labels = torch.full_like(ids, -100)
            labels[0, start:end] = ids[0, start:end]
            expected = MODEL(input_ids=ids, labels=labels).loss.item()
            assert arrays["loss_sum"][turn] / arrays["count"][turn] == pytest.approx(expected, abs=1e-5)
            logits = MODEL(input_ids=ids).logits[0]
            unshifted = torch.nn.functional.cross_entropy(logits[start:end], ids[0, start:end]).item()
            assert arrays["unshifted_loss_sum"][turn] / arrays["count"][turn] == pytest.approx(unshifted, abs=1e-5)
            labels[0, start + 1 : end] = -100
            first = MODEL(input_ids=ids, labels=labels).loss.item()
            assert arrays["first_loss"][turn] == pytest.approx(first, abs=1e-5)
            turn += 1
    assert turn == len(arrays["count"])


@pytest.mark.parametrize("tokens_per_batch", [1, 100, 1000, 100_000])
def test_the_size_of_batches_and_their_padding_change_nothing(tokens_per_batch):
    expected, found = losses(encoded()), losses(encoded(), tokens_per_batch)
    for name in expected:
        np.testing.assert_allclose(found[name], expected[name], rtol=1e-5, err_msg=name)


def test_the_softmax_in_chunks_changes_nothing(monkeypatch):
    expected = losses(encoded())
    monkeypatch.setitem(batches.LOGITS_AT_ONCE, "cpu", 7 * len(TOKENIZER))
    for name, values in losses(encoded()).items():
        np.testing.assert_allclose(values, expected[name], rtol=1e-6)


def test_shuffling_the_rows_shuffles_the_losses():
    rows = [row for row in encoded() if len(row.spans) == 1]
    order = np.random.default_rng(0).permutation(len(rows))
    expected, found = losses(rows), losses([rows[row] for row in order])
    np.testing.assert_allclose(found["loss_sum"], expected["loss_sum"][order], rtol=1e-5)


def test_an_exclamation_mark_in_the_prompt_does_not_move_the_answer():
    template = default_template(TOKENIZER)
    rows = encode_batch([conversation("Stop!!! Now!", "Yes, at once.")], TOKENIZER, template, 256)
    arrays = losses(rows)
    start, end = rows[0].spans[0]
    ids = torch.tensor([rows[0].ids])
    log_p = torch.log_softmax(MODEL(input_ids=ids).logits[0], dim=-1)
    exact = -log_p[range(start - 1, end - 1), ids[0, start:end]].sum().item()
    assert arrays["loss_sum"][0] == pytest.approx(exact, abs=1e-4)
    assert arrays["count"][0] == len(TOKENIZER("Yes, at once.")["input_ids"])
    # The study's script takes the number of non-zero ids for the prompt's length: four too few here.
    nonzero = np.count_nonzero(rows[0].ids[:start])
    assert nonzero == start - 4
    wrong = -log_p[range(nonzero - 1, end - 1), ids[0, nonzero:end]].sum().item()
    assert abs(wrong - exact) > 1


def test_an_empty_answer_is_nan_and_changes_no_other_row():
    conversations = list(CONVERSATIONS)
    conversations[3] = conversation("Say nothing.", "")
    turns = np.cumsum([0, *(len(row) // 2 for row in conversations)])
    assert len(CONVERSATIONS[3]) == 4
    expected, found = losses(encoded()), losses(encoded(conversations))
    assert found["count"][turns[3]] == 0 and np.isnan(found["loss_sum"][turns[3]])
    others = np.delete(np.arange(turns[-1]), turns[3])
    kept = np.delete(np.arange(turns[-1] + 1), [turns[3], turns[3] + 1])
    np.testing.assert_allclose(found["loss_sum"][others], expected["loss_sum"][kept], rtol=1e-5)


@pytest.mark.parametrize("fault", ["error", "nan"])
def test_a_row_at_fault_is_nan_and_changes_no_other_row(fault, recwarn):
    bad = TOKENIZER.convert_tokens_to_ids("Z")
    conversations = [*CONVERSATIONS[:5], conversation("Zzz?", "Yes!"), *CONVERSATIONS[5:]]
    first_turn = np.cumsum([0, *(len(row) // 2 for row in conversations)])[5]
    found = losses(encoded(conversations), model=Faulty(MODEL, bad, fault))
    expected = losses(encoded(conversations))
    for name in ("loss_sum", "first_loss", "unshifted_loss_sum"):
        assert np.flatnonzero(np.isnan(found[name])).tolist() == [first_turn]
        others = np.arange(len(found[name])) != first_turn
        np.testing.assert_allclose(found[name][others], expected[name][others], rtol=1e-5)
    assert found["count"][first_turn] > 0
    told = [str(warning.message) for warning in recwarn if "could not be scored" in str(warning.message)]
    assert told == (
        ["1 of 18 rows could not be scored, first row 5 of the shard: OutOfMemoryError: out of memory"]
        if fault == "error"
        else []
    )


def test_a_model_that_fails_on_every_row_is_an_error():
    user = TOKENIZER.convert_tokens_to_ids("<|user|>")
    with pytest.raises(torch.OutOfMemoryError):
        losses(encoded(), model=Faulty(MODEL, user, "error"))


def test_a_model_that_changes_its_logits_is_not_taken_apart():
    scaled = Faulty(MODEL, -1, "nan")
    scaled.get_decoder = MODEL.get_decoder
    scaled.forward = lambda input_ids, use_cache: SimpleNamespace(logits=3 * MODEL(input_ids=input_ids).logits)
    assert TokenLossPass(MODEL, CPU, 100).decoder is not None
    assert TokenLossPass(scaled, CPU, 100).decoder is None


def test_truncated_turns_are_not_scored():
    rows = encoded([conversation("a" * 40, "b" * 40, "c", "d")], max_tokens=30)
    arrays = losses(rows)
    assert arrays["count"].tolist() == [rows[0].spans[0][1] - rows[0].spans[0][0], 0]
    assert np.isfinite(arrays["loss_sum"]).tolist() == [True, False]
