import sys
from types import SimpleNamespace

import datasets
import numpy as np
import pytest
import torch

from analysis.features import text_embeddings
from analysis.features.features import Features
from analysis.models.encoding import Encoded, encode_batch
from analysis.models.passes.hidden_states import WEIGHTS, HiddenStatePass
from analysis.store.store import Store
from tests.tiny import CONVERSATIONS, conversation, tiny_language_model

LANGUAGE_MODEL = tiny_language_model()
MODEL = LANGUAGE_MODEL.model
CPU = torch.device("cpu")
KINDS = [*WEIGHTS, text_embeddings.TFIDF]


def encoded(conversations=CONVERSATIONS):
    return encode_batch(conversations, LANGUAGE_MODEL.tokenizer, LANGUAGE_MODEL.template, 256)


def features(folder, conversations=CONVERSATIONS, order=None, fingerprint="toy", **settings):
    order = range(len(conversations)) if order is None else order
    rows = datasets.Dataset.from_list([{"id": f"toy-{row}", "messages": conversations[row]} for row in order])
    settings = {"shard_size": 8, "show_progress": False, "precision": "float32"} | settings
    return Features(
        SimpleNamespace(rows=rows, fingerprint=fingerprint), LANGUAGE_MODEL, store=Store(folder), **settings
    )


class StatesModel:
    """A model whose states are written down: the same ones for every row."""

    def __init__(self, states):
        self.states = torch.tensor(states)
        self.base_model = self

    def get_input_embeddings(self):
        return SimpleNamespace(weight=self.states)

    def __call__(self, input_ids, use_cache):
        return SimpleNamespace(last_hidden_state=self.states[: input_ids.shape[1]].expand(len(input_ids), -1, -1))


def test_the_worked_example_of_the_position_weighted_mean():
    row = Encoded(ids=[5, 6], spans=[(1, 2)], ends=[None], truncated=False)
    model = StatesModel([[1.0, 0.0], [0.0, 1.0]])
    found = {kind: HiddenStatePass(model, CPU, kind, 100)([row])[0].tolist() for kind in WEIGHTS}
    assert found["weighted"] == pytest.approx([1 / 3, 2 / 3])
    assert found["all"] == pytest.approx([0.5, 0.5])
    assert found["answer"] == pytest.approx([0.0, 1.0])


@pytest.mark.parametrize("tokens_per_batch", [1, 100, 100_000])
@pytest.mark.parametrize("kind", WEIGHTS)
def test_batched_means_equal_those_of_transformers_one_by_one(kind, tokens_per_batch):
    found = HiddenStatePass(MODEL, CPU, kind, tokens_per_batch)(encoded())
    for row, values in zip(encoded(), found, strict=True):
        states = MODEL(input_ids=torch.tensor([row.ids]), output_hidden_states=True).hidden_states[-1][0]
        answer = torch.zeros(len(row.ids))
        for start, end in row.spans:
            answer[start:end] = 1
        prompt = (torch.arange(len(row.ids)) < row.spans[-1][0]).float()
        weights = {
            "answer": answer,
            "prompt": prompt,
            "all": torch.ones(len(row.ids)),
            "weighted": torch.arange(1.0, len(row.ids) + 1),
        }
        expected = (weights[kind] @ states) / weights[kind].sum()
        np.testing.assert_allclose(values, expected.detach().numpy(), atol=1e-5)


def test_an_empty_answer_is_nan_and_changes_no_other_row():
    conversations = [*CONVERSATIONS[:4], conversation("Say nothing.", ""), *CONVERSATIONS[4:]]
    means = HiddenStatePass(MODEL, CPU, "answer", 400)
    found = means(encoded(conversations))
    assert np.isnan(found[4]).all()
    np.testing.assert_allclose(np.delete(found, 4, axis=0), means(encoded()), atol=1e-5)


class Faulty(StatesModel):
    """The tiny model, but an error or nan for any batch (or only the row) in which a token occurs."""

    def __init__(self, token, fault):
        super().__init__([[0.0] * MODEL.config.hidden_size])
        self.token, self.fault = token, fault

    def __call__(self, input_ids, use_cache):
        states = MODEL.base_model(input_ids=input_ids, use_cache=use_cache).last_hidden_state.clone()
        hit = (input_ids == self.token).any(dim=1)
        if hit.any() and self.fault == "error":
            raise torch.OutOfMemoryError("out of memory")
        states[hit] = torch.nan
        return SimpleNamespace(last_hidden_state=states)


@pytest.mark.parametrize("fault", ["error", "nan"])
def test_a_row_at_fault_is_nan_and_changes_no_other_row(fault, recwarn):
    bad = LANGUAGE_MODEL.tokenizer.convert_tokens_to_ids("Z")
    conversations = [*CONVERSATIONS[:5], conversation("Zzz?", "Yes!"), *CONVERSATIONS[5:]]
    found = HiddenStatePass(Faulty(bad, fault), CPU, "all", 400)(encoded(conversations))
    assert np.flatnonzero(np.isnan(found).any(axis=1)).tolist() == [5]
    expected = HiddenStatePass(MODEL, CPU, "all", 400)(encoded())
    np.testing.assert_allclose(np.delete(found, 5, axis=0), expected, atol=1e-5)
    told = [str(warning.message) for warning in recwarn if "could not be embedded" in str(warning.message)]
    assert len(told) == (fault == "error")


def test_a_model_that_fails_on_every_row_is_an_error():
    user = LANGUAGE_MODEL.tokenizer.convert_tokens_to_ids("<|user|>")
    with pytest.raises(torch.OutOfMemoryError):
        HiddenStatePass(Faulty(user, "error"), CPU, "all", 400)(encoded())


@pytest.mark.parametrize("kind", KINDS)
def test_a_pool_is_embedded_once_and_other_conversations_in_the_same_space(kind, tmp_path, monkeypatch):
    found = features(tmp_path).embeddings(kind)
    assert found.shape[0] == 23 and found.dtype == np.float32 and np.isfinite(found).all()
    np.testing.assert_allclose(features(tmp_path).embed(CONVERSATIONS[3:9], kind), found[3:9], atol=1e-5)
    monkeypatch.setattr(HiddenStatePass, "__call__", None)
    monkeypatch.setattr(text_embeddings.TfIdf, "__call__", None)
    np.testing.assert_array_equal(features(tmp_path).embeddings(kind), found)


@pytest.mark.parametrize("kind", KINDS)
def test_shuffling_the_pool_shuffles_the_embeddings(kind, tmp_path):
    order = np.random.default_rng(0).permutation(23)
    expected = features(tmp_path).embeddings(kind)
    found = features(tmp_path, order=order, fingerprint="shuffled").embeddings(kind)
    np.testing.assert_allclose(found, expected[order], atol=1e-5)


def test_tfidf_is_the_product_with_its_directions_of_the_weighted_words(tmp_path):
    found = features(tmp_path).embeddings("tfidf")
    texts = [" ".join(message["content"] for message in row).lower() for row in CONVERSATIONS]
    words = [["".join(filter(str.isalnum, word)) for word in text.split()] for text in texts]
    vocabulary = sorted({word for row in words for word in row})
    frequency = {word: sum(word in row for row in words) for word in vocabulary}
    rarity = np.array([np.log(24 / (1 + frequency[word])) + 1 for word in vocabulary])
    counts = np.array([[row.count(word) for word in vocabulary] for row in words]) * rarity
    expected = counts / np.linalg.norm(counts, axis=1, keepdims=True)
    # Fewer rows than dimensions: nothing is lost, so all products are those of the full vectors.
    np.testing.assert_allclose(found @ found.T, expected @ expected.T, atol=1e-5)


def test_a_text_without_a_word_is_nan_in_tfidf(tmp_path):
    conversations = [*CONVERSATIONS[:5], conversation("?!", "…")]
    found = features(tmp_path, conversations).embeddings("tfidf")
    assert np.flatnonzero(np.isnan(found).any(axis=1)).tolist() == [5]


def test_an_unknown_kind_lists_the_known_ones(tmp_path):
    with pytest.raises(ValueError, match=r"'answer', 'all', 'weighted', 'tfidf', or a folder.*'median'"):
        features(tmp_path).embeddings("median")


def test_sentence_transformers_are_asked_for_by_name_when_absent(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "sentence_transformers", None)
    with pytest.raises(ImportError, match="needs the package sentence-transformers"):
        features(tmp_path / "store").embeddings(str(tmp_path))


def test_a_folder_of_sentence_transformers_gives_the_points(tmp_path, monkeypatch):
    class Lengths:
        def __init__(self, folder, device, trust_remote_code):
            assert folder == str(tmp_path.resolve()) and not trust_remote_code

        def encode(self, texts, **settings):
            return np.array([[len(text), text.count(" ")] for text in texts], dtype=np.float64)

    monkeypatch.setitem(sys.modules, "sentence_transformers", SimpleNamespace(SentenceTransformer=Lengths))
    found = features(tmp_path / "store").embeddings(str(tmp_path))
    assert found.dtype == np.float32 and found[1].tolist() == [len("What is 1?\nIt is more 1"), 5]


def test_vectors_of_a_hub_model_are_stored_by_its_commit(tmp_path, monkeypatch):
    made, commits = [], iter(["one", "one", "two"])
    encoder = SimpleNamespace(encode=lambda texts, **settings: made.append(len(texts)) or np.ones((len(texts), 2)))
    monkeypatch.setitem(
        sys.modules, "sentence_transformers", SimpleNamespace(SentenceTransformer=lambda folder, **settings: encoder)
    )
    monkeypatch.setattr("analysis.features.text_embeddings.hub_revision", lambda name: next(commits))
    for _ in range(3):
        features(tmp_path / "store").embeddings("owner/encoder")
    assert made == [8, 8, 7] * 2  # shards, for two commits
