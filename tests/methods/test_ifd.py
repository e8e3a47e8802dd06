import numpy as np
import pandas
import pytest

from analysis.features.arrays import TokenLosses
from analysis.features.contexts import header_ids, in_context
from analysis.features.released_texts import borders
from analysis.methods import ifd, select, superfiltering
from analysis.methods.tools.pre_experience import sample
from analysis.models.chat_template import choose_template, default_template
from analysis.paths import ROOT
from tests.real_tokenizers import real_tokenizer
from tests.references import released_ifd as reference
from tests.tiny import conversation, tiny_tokenizer

SHARED = ROOT.parent / "shared"
TOKENIZER = tiny_tokenizer()
CHAT, DEFAULT = choose_template(TOKENIZER), default_template(TOKENIZER)


CONVERSATIONS = [
    conversation("Sort: owl, river.", "owl, river", "Now in capitals!", "OWL, RIVER"),
    conversation("What is 3 + 4?", "It is seven."),
    conversation("Say nothing.", ""),
    conversation("Perhaps? " * 9, "Yes! " * 40),
]


@pytest.mark.parametrize(
    "n, original, released", [(5, 0.547, 1.167), (12, 0.660, 0.972), (20, 0.714, 0.917), (100, 0.804, 0.850), (1000, 0.830, 0.835)]
)  # fmt: skip
def test_losing_the_first_token_in_one_pass_turns_the_preference_for_length(n, original, released):
    # Alone the first token costs 8 nats and each other 1.2; after the instruction 3 and 1.
    given, alone = 3 + (n - 1), 8 + 1.2 * (n - 1)
    assert ifd.score([given], [n], [alone], [n])[0] == pytest.approx(original, abs=5e-4)
    assert ifd.score([given], [n], [alone - 8], [n - 1])[0] == pytest.approx(released, abs=5e-4)
    assert ifd.score([given - 3], [n - 1], [alone - 8], [n - 1])[0] == pytest.approx(0.833, abs=5e-4)
    assert superfiltering.score([given], [n], [alone - 8], [n - 1])[0] == pytest.approx(
        np.exp(given / n - 1.2), rel=1e-9
    )


class Given:
    """Features whose rows of one turn have the ratios given."""

    def __init__(self, ratios):
        self.ratios, self.n_rows = np.array(ratios), len(ratios)

    def row_keys(self):
        return np.arange(self.n_rows)

    def with_model(self, name):
        return self

    def token_losses(self, context):
        ones = np.ones(self.n_rows)
        losses = ones if context.endswith("none") else self.ratios
        if context == "plain conversation":
            losses = 1 + np.log(self.ratios)
        return TokenLosses(self.n_rows, np.arange(self.n_rows), ones.astype(int), losses, losses, losses)


def test_rows_whose_instruction_does_not_help_are_set_aside():
    features = Given([1.2, 0.9, np.nan, 0.5, 1.0])
    for method, kept in (("ifd", [1, 3]), ("superfiltering", [1, 3]), ("ifd(variant='released')", [4, 1, 3])):
        selection = select(method, features, len(kept), seed=0)
        assert selection.rows.tolist() == kept
        assert selection.excluded == {ifd.NOT_SCORED: 1, ifd.NO_HELP: 4 - len(kept)}
        with pytest.raises(ValueError, match=f"only {len(kept)} of 5 can be selected: 1 no answer token"):
            select(method, features, len(kept) + 1, seed=0)


def test_turns_are_averaged_and_empty_ones_left_out():
    def losses(loss_sum, count):
        row = np.array([0, 0, 1, 1, 2, 3])
        return TokenLosses(4, row, np.array(count), *[np.array(loss_sum)] * 3)

    # Row 0: 1/2 and 6/8; row 1: 3/4 and an empty last turn; row 2: no token; row 3: a loss that is nan.
    given = losses([1.0, 6, 3, np.nan, np.nan, np.nan], [1, 2, 1, 0, 0, 1])
    alone = losses([2.0, 8, 4, np.nan, np.nan, 2.0], [1, 2, 1, 0, 0, 1])
    np.testing.assert_allclose(ifd.per_row(given, alone, "mean", ifd.score), [0.625, 0.75, np.nan, np.nan])
    np.testing.assert_allclose(ifd.per_row(given, alone, "last", ifd.score), [0.75, np.nan, np.nan, np.nan])
    with pytest.raises(ValueError, match="turns: expected one of 'mean', 'last', found 'first'"):
        ifd.per_row(given, alone, "first", ifd.score)


@pytest.mark.parametrize("template", [CHAT, DEFAULT])
@pytest.mark.parametrize("max_tokens", [20, 60, 500])
def test_both_passes_score_the_same_token_ids(template, max_tokens):
    turns, whole = in_context("conversation", CONVERSATIONS, TOKENIZER, template, max_tokens)
    again, alone = in_context("none", CONVERSATIONS, TOKENIZER, template, max_tokens)
    assert turns == again == [2, 1, 1, 1]
    given = [row.ids[start:end] for row in whole for start, end in row.spans]
    assert given == [row.ids[start:end] for row in alone for start, end in row.spans]
    header = header_ids(TOKENIZER, template)
    assert TOKENIZER.decode(header) == {"chat template": "<|assistant|>", "default": "Assistant: "}[template.name]
    assert all(row.ids[: len(header)] == header for row in alone)


def test_an_unknown_context_is_named():
    with pytest.raises(ValueError, match=r"context: expected one of 'conversation', 'none', .*, found 'nothing'"):
        in_context("nothing", CONVERSATIONS, TOKENIZER, CHAT, 100)


SHARES = {"lima": (0.004, 0.769, 0.227), "alpagasus_dolly3k": (0.025, 0.636, 0.339)}


@pytest.mark.shared
@pytest.mark.skipif(not SHARED.is_dir(), reason="needs ../shared")
@pytest.mark.parametrize("name", ["qwen", "llama3"])
def test_the_released_slices_lose_first_words_as_often_as_was_measured(name):
    tokenizer = real_tokenizer(name)
    assert tokenizer.tokenize("Assistant: The answer") == ["Assistant", ":", "ĠThe", "Ġanswer"]
    assert tokenizer.tokenize("Assistant:The answer") == ["Assistant", ":The", "Ġanswer"]
    assert tokenizer.tokenize("Assistant:Yes") == ["Assistant", ":", "Yes"]
    assert tokenizer.tokenize("Assistant: 4") == ["Assistant", ":", "Ġ", "4"]
    table = pandas.read_parquet(SHARED / "pools" / "curated_real.parquet", columns=["id", "messages"])
    for corpus, expected in SHARES.items():
        wanted = table[table["id"].str.startswith(f"{corpus}:")]
        conversations = [[dict(message) for message in row] for row in wanted["messages"] if len(row) == 2][:1500]
        kept_given, kept_alone = borders(conversations, tokenizer)
        shares = (kept_given & kept_alone).mean(), (kept_given & ~kept_alone).mean(), (~kept_given & ~kept_alone).mean()
        assert shares == pytest.approx(expected, abs=0.02)
        # What the original scores never depends on a border.
        template = default_template(tokenizer)
        _, whole = in_context("conversation", conversations[:300], tokenizer, template, 4096)
        _, alone = in_context("none", conversations[:300], tokenizer, template, 4096)
        assert all(
            one.ids[slice(*one.spans[0])] == other.ids[slice(*other.spans[0])]
            for one, other in zip(whole, alone, strict=True)
        )


def test_rows_of_the_pre_experience_lie_in_the_band_at_an_even_stride():
    perplexity = np.arange(1.0, 21)  # 25 % lie below 5.75 and 75 % below 15.25
    one = np.zeros(20, dtype=int)
    assert perplexity[sample(one, perplexity, per_cluster=10)].tolist() == list(range(6, 16))
    assert perplexity[sample(one, perplexity, per_cluster=3)].tolist() == [6, 9, 12]
    assert perplexity[sample(one, perplexity, per_cluster=20)].tolist() == list(range(6, 16))
    assert perplexity[sample(one, perplexity, per_cluster=20, band=(0, 100))].tolist() == list(range(1, 21))
    # In the order of the pool, not of the perplexity.
    assert perplexity[::-1][sample(one, perplexity[::-1], per_cluster=3)].tolist() == [15, 12, 9]
    # A cluster of fewer rows than asked for gives all of them, the band notwithstanding.
    assert sample(np.zeros(4, dtype=int), np.arange(4.0), per_cluster=10).tolist() == [0, 1, 2, 3]
    # Two clusters side by side, a row that belongs to none, and one cluster of a single row.
    labels = np.array([0] * 20 + [1] * 20 + [-1, 2])
    doubled = np.concatenate([perplexity, 10 * perplexity, [np.nan, 5.0]])
    assert doubled[sample(labels, doubled, per_cluster=3)].tolist() == [6, 9, 12, 60, 90, 120, 5]


@pytest.mark.parametrize("per_cluster", [1, 4, 10])
@pytest.mark.parametrize("band", [(25, 75), (10, 60)])
def test_the_pre_experience_takes_the_rows_that_the_authors_script_takes(per_cluster, band):
    rng = np.random.default_rng(0)
    labels, perplexity = rng.permutation(np.repeat(np.arange(9), np.arange(1, 100, 11))), rng.lognormal(size=414)
    perplexity[rng.random(414) < 0.3] = 2.0  # many instructions are alike
    found = sample(labels, perplexity, per_cluster=per_cluster, band=band)
    expected = reference.pre_experience_rows(labels.tolist(), perplexity.tolist(), per_cluster, *band)
    assert found.tolist() == expected


@pytest.mark.parametrize(
    "options, message",
    [({"band": (75, 25)}, "band: expected percentiles"), ({"per_cluster": 0}, "per_cluster: expected a whole number")],
)
def test_an_impossible_pre_experience_is_named(options, message):
    with pytest.raises(ValueError, match=message):
        sample(np.zeros(3, dtype=int), np.ones(3), **options)
