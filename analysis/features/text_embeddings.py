"""Rows as points without the base model: TF-IDF with a truncated SVD, or a folder of sentence-transformers."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from scipy import sparse
from sklearn.feature_extraction.text import HashingVectorizer
from sklearn.preprocessing import normalize
from sklearn.utils.extmath import randomized_svd

from analysis.features.per_row import TEXTS_PER_SHARD, in_shards
from analysis.models.hub import hub_revision
from analysis.store.code_version import code_version
from analysis.store.file_states import states
from analysis.store.store import digest

TFIDF = "tfidf"
DIMENSIONS = 128
HASHES = 2**16  # columns that words are hashed to, so that memory does not grow with the vocabulary
FITTED_ROWS = 20_000  # rows that the singular vectors are computed from
TEXTS_AT_ONCE = 32
KINDS = ("answer", "all", "weighted", TFIDF)


def pool_embeddings(features, kind: str) -> np.ndarray:
    """Vectors of all rows of a pool: "tfidf", or a model of sentence-transformers by folder or hub id.

    Returns
    -------
    float32 of shape (n_rows, dim), nan where a row has no word.

    Raises
    ------
    ValueError
        No such kind and no such folder.
    ImportError
        sentence-transformers is needed and not installed.
    """
    encode = _encoder(features, kind)
    return in_shards(
        features, lambda conversations: {"embedding": encode(texts_of(conversations))}, kind="text_embeddings",
        key=digest(pool=features.pool.fingerprint, **_settings(kind)), label=f"Embeddings ({kind})",
    )["embedding"]  # fmt: skip


def embed(features, conversations: Sequence[list[dict]], kind: str) -> np.ndarray:
    """Vectors of any conversations in the space of `pool_embeddings(features, kind)`; not stored."""
    return _encoder(features, kind)(texts_of(conversations))


def texts_of(conversations: Sequence[list[dict]]) -> list[str]:
    """The contents of all messages of each conversation, one under the other."""
    return ["\n".join(message["content"] for message in messages) for messages in conversations]


class TfIdf:
    """Words weighted by rarity, then the directions of largest singular values, fitted on a pool.

    Words are hashed to `HASHES` columns (two words may share one), weighted by log((1 + n) / (1 + df)) + 1 with
    the document frequency df over all n rows, and rows are scaled to length 1. Singular vectors are those of
    the `FITTED_ROWS` rows of lowest key.
    """

    def __init__(self, weights: np.ndarray, directions: np.ndarray) -> None:
        self.weights, self.directions = weights, directions

    @classmethod
    def fitted(cls, features) -> "TfIdf":
        """The one of a pool, from the store where it is there."""
        key = digest(pool=features.pool.fingerprint, **_settings(TFIDF))
        with features.store.claim("text_directions", key):
            arrays = features.store.arrays("text_directions", key)
            if arrays is None:
                arrays = _fit(features)
                features.store.save_arrays("text_directions", key, **arrays)
        return cls(**arrays)

    def __call__(self, texts: Sequence[str]) -> np.ndarray:
        """float32 of shape (n, dim), nan for a text without a word."""
        counts = _word_counts(texts)
        vectors = np.asarray(_weighted(counts, self.weights) @ self.directions.T, dtype=np.float32)
        vectors[counts.getnnz(axis=1) == 0] = np.nan
        return vectors


def _fit(features) -> dict[str, np.ndarray]:
    place = np.full(features.n_rows, -1)
    chosen = np.argsort(features.row_keys(), kind="stable")[:FITTED_ROWS]  # keys are hashes: a draw
    place[chosen] = np.arange(len(chosen))
    frequency, parts = np.zeros(HASHES, dtype=np.int64), []
    for start in range(0, features.n_rows, TEXTS_PER_SHARD):
        stop = min(start + TEXTS_PER_SHARD, features.n_rows)
        counts = _word_counts(texts_of(features.messages(start, stop)))
        frequency += counts.getnnz(axis=0)
        parts.append(counts[place[start:stop] >= 0])
    weights = np.log((1 + features.n_rows) / (1 + frequency)) + 1
    in_key_order = np.argsort(place[place >= 0])  # so that the order of the pool's rows changes nothing
    fitted = _weighted(sparse.vstack(parts).tocsr()[in_key_order], weights)
    directions = randomized_svd(fitted, min(DIMENSIONS, *fitted.shape), n_iter=5, random_state=0)[2]
    return {"weights": weights, "directions": np.ascontiguousarray(directions, dtype=np.float32)}


def _word_counts(texts: Sequence[str]) -> sparse.csr_matrix:
    words = HashingVectorizer(n_features=HASHES, alternate_sign=False, norm=None, token_pattern=r"(?u)\b\w+\b")
    return words.transform(texts)


def _weighted(counts: sparse.csr_matrix, weights: np.ndarray) -> sparse.csr_matrix:
    return normalize(counts.multiply(weights).tocsr())


def _encoder(features, kind: str) -> Callable[[Sequence[str]], np.ndarray]:
    if kind == TFIDF:
        return TfIdf.fitted(features)
    return _sentence_encoder(_folder(kind), features.language_model.device)


def _sentence_encoder(folder: str, device) -> Callable[[Sequence[str]], np.ndarray]:
    try:
        from sentence_transformers import SentenceTransformer
    except ImportError as error:
        raise ImportError(f"kind {folder!r}: needs the package sentence-transformers (pip install it)") from error
    model = SentenceTransformer(folder, device=str(device), trust_remote_code=False)

    def encode(texts: Sequence[str]) -> np.ndarray:
        found = model.encode(list(texts), batch_size=TEXTS_AT_ONCE, convert_to_numpy=True, show_progress_bar=False)
        found = np.asarray(found, dtype=np.float32)
        found[[not text.strip() for text in texts]] = np.nan
        return found

    return encode


def _folder(kind: str) -> str:
    """A folder, or a hub id such as "owner/model"; else an error that lists the kinds."""
    folder = Path(kind).expanduser()
    if folder.is_dir():
        return str(folder.resolve())
    if kind.count("/") == 1 and not kind.startswith(("/", ".", "~")):
        return kind
    raise ValueError(
        f"kind: expected one of {', '.join(map(repr, KINDS))}, or a folder of sentence-transformers, found {kind!r}"
    )


def _settings(kind: str) -> dict:
    """All that decides the vectors but the pool."""
    code = code_version(__name__)
    if kind == TFIDF:
        return {"kind": kind, "dimensions": DIMENSIONS, "hashes": HASHES, "fitted_rows": FITTED_ROWS, "code": code}
    folder = _folder(kind)
    if not Path(folder).is_dir():
        return {"kind": folder, "revision": hub_revision(folder), "code": code}
    return {"kind": folder, "files": states(sorted(Path(folder).rglob("*")), relative_to=folder), "code": code}
