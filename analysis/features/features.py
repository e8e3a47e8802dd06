"""What a method may ask about a pool and a model: computed once, in shards, and stored."""

import os
from collections.abc import Sequence
from functools import cached_property

import numpy as np
import torch

from analysis.features import embeddings, influences, tuned_models
from analysis.features.arrays import Clusters, Influences, Lengths, TokenLosses
from analysis.features.clusters import pool_clusters
from analysis.features.losses import pool_losses
from analysis.features.near_duplicates import pool_signatures
from analysis.features.per_row import in_shards
from analysis.features.ratings import rating_logits
from analysis.models.encoding import count_tokens
from analysis.models.language_model import LanguageModel, fingerprint_tokenizer, load_model
from analysis.models.training.checkpoints import WarmUpSettings
from analysis.models.training.finetuning import FineTuning
from analysis.pools.near_duplicates import groups
from analysis.pools.pool import Pool
from analysis.pools.row_keys import row_keys
from analysis.pools.target_files import load_target_file
from analysis.pools.targets import NAMES, load_targets
from analysis.store.code_version import code_version
from analysis.store.store import Store, digest

PRECISION = "ANALYSIS_PRECISION"  # environment variable


class Features:
    """Numbers about every selectable row of a pool under a language model, in pool order.

    Parameters
    ----------
    pool : what `load_pool` gives.
    language_model : its weights are needed by `token_losses` only.
    store : where finished shards are kept; what is there is not computed again.
    max_tokens : rows are cut to so many tokens before a model sees them (`lengths` counts whole rows).
    tokens_per_batch : positions of a batch, padding included; changes speed and memory only. Default 2,048 on a
        CPU, where what does not fit a core's cache takes a third longer, and 8,192 elsewhere.
    shard_size : rows per stored shard; default 16,384 for lengths and 2,048 where a model runs.
    precision : of the matrix products of a model with float32 weights, "float32" or "bfloat16"; default what the
        variable `ANALYSIS_PRECISION` says, else float32, so that a selection does not change with the machine
        (`python -m tests.speed.precision` tells how much of one bfloat16 changes). Other weights are used as they are.
    finetuning : settings of `after_finetuning`; default those of `FineTuning` with this `max_tokens`.
    show_progress : whether to show rows/s and the time left.
    """

    def __init__(
        self,
        pool,
        language_model: LanguageModel,
        *,
        store: Store,
        max_tokens: int = 1024,
        tokens_per_batch: int | None = None,
        shard_size: int | None = None,
        precision: str | None = None,
        finetuning: FineTuning | None = None,
        show_progress: bool = True,
    ) -> None:
        precision = precision or os.environ.get(PRECISION) or None
        if precision not in (None, "float32", "bfloat16"):
            raise ValueError(f'precision: expected "float32", "bfloat16" or None, found {precision!r}')
        if precision == "float32" and language_model.dtype != torch.float32:
            raise ValueError(f'precision: "float32" needs float32 weights, found {language_model.dtype}')
        self.pool, self.language_model, self.store = pool, language_model, store
        self.max_tokens, self.shard_size = max_tokens, shard_size
        on_cpu = language_model is not None and language_model.device.type == "cpu"
        self.tokens_per_batch = (2048 if on_cpu else 8192) if tokens_per_batch is None else tokens_per_batch
        self.precision, self.show_progress = precision, show_progress
        self.finetuning = finetuning or FineTuning(max_tokens=max_tokens)
        self._messages = pool.rows.select_columns(["messages"])
        self._token_losses: dict[str, TokenLosses] = {}
        self._embeddings: dict[str, np.ndarray] = {}
        self._targets: dict[str, dict[str, list[list[dict]]]] = {}

    @property
    def n_rows(self) -> int:
        return len(self.pool.rows)

    @cached_property
    def _row_keys(self) -> np.ndarray:
        return row_keys(self.pool.rows)

    def row_keys(self) -> np.ndarray:
        """A unique number per row that does not depend on its place (see `row_keys`); uint64 of shape (n_rows,)."""
        return self._row_keys

    def messages(self, start: int, stop: int) -> list[list[dict]]:
        """Messages of the rows from `start` up to `stop`, read from the disk at every call."""
        return self._messages[start:stop]["messages"]

    def records(self, start: int, stop: int) -> list[dict]:
        """Id, source and messages of these rows as they stand in the pool; never what is known of their truth."""
        part = self.pool.rows.select_columns(["id", "source", "messages"])[start:stop]
        return [dict(zip(part, values, strict=True)) for values in zip(*part.values(), strict=True)]

    def near_duplicates(self, threshold: float) -> np.ndarray:
        """Group of every row, equal number = near-duplicates (see `near_duplicates.groups`); int64 of shape (n_rows,)."""
        return groups(self.signatures, threshold, self.row_keys())

    @cached_property
    def signatures(self) -> np.ndarray:
        """MinHash signature of every row's text, uint32 of shape (n_rows, 128)."""
        return pool_signatures(self)

    def with_model(self, name_or_path: str) -> "Features":
        """The features of the same pool under another model, for methods that score with one of their own."""
        return self.under(load_model(name_or_path, device=self.language_model.device, store=self.store))

    def under(self, language_model: LanguageModel) -> "Features":
        """The features of the same pool under a model that is loaded already."""
        return self._with(self.pool, language_model)

    def of(self, pool: Pool) -> "Features":
        """The features of another pool under the same model."""
        return self._with(pool, self.language_model)

    def _with(self, pool: Pool, language_model: LanguageModel) -> "Features":
        return Features(
            pool, language_model, store=self.store, max_tokens=self.max_tokens,
            tokens_per_batch=self.tokens_per_batch, shard_size=self.shard_size, precision=self.precision,
            finetuning=self.finetuning, show_progress=self.show_progress,
        )  # fmt: skip

    def lengths(self) -> Lengths:
        """Tokens per row: answers, last answer, prompt, total. The tokenizer alone is used."""
        counts = self._lengths
        return Lengths(**counts, truncated=counts["total"] > self.max_tokens)

    @cached_property
    def _lengths(self) -> dict[str, np.ndarray]:
        model = self.language_model
        return in_shards(
            self, lambda conversations: count_tokens(conversations, model.tokenizer, model.template), kind="lengths",
            key=digest(**self.text_settings, code=code_version(count_tokens.__module__)), label="Token lengths",
        )  # fmt: skip

    def token_losses(self, context: str = "conversation") -> TokenLosses:
        """Losses of the answer tokens of every assistant turn; one forward pass over each row.

        A row that cannot be scored is nan and changes no other row.

        Parameters
        ----------
        context : what stands before the answers. All that came before ("conversation"), or only what opens an
            answer ("none", the same tokens scored); see `contexts.in_context` for the others.
        """
        if context not in self._token_losses:
            self._token_losses[context] = pool_losses(self, context)
        return self._token_losses[context]

    def after_finetuning(self, rows: np.ndarray, settings: FineTuning | None = None, *, seed: int = 0) -> "Features":
        """The features of the same pool under the model fine-tuned on these rows of it, stored as a folder.

        Parameters
        ----------
        rows : positions in the pool, unique, in any order.
        settings : of the fine-tuning; default those of these features.
        seed : of order and dropout.
        """
        return self.under(tuned_models.after_finetuning(self, rows, settings, seed=seed))

    def embeddings(self, kind: str = "all") -> np.ndarray:
        """A point per row; float32 of shape (n_rows, dim), nan where a row has no token that counts.

        Parameters
        ----------
        kind : mean of the model's last hidden states over the tokens of the answers ("answer"), of all that
            comes before the last answer ("prompt"), over all tokens ("all"), or over all with weights that grow
            with the position ("weighted"); "tfidf", without a model; or a folder or hub id of
            sentence-transformers.
        """
        if kind not in self._embeddings:
            self._embeddings[kind] = embeddings.pool_embeddings(self, kind)
        return self._embeddings[kind]

    def clusters(self, kind: str, n_clusters: int, seed: int) -> Clusters:
        """Clusters of the rows by their `embeddings(kind)`, see `clusters.cluster`."""
        return pool_clusters(self, kind, n_clusters, seed)

    def embed(self, conversations: list[list[dict]], kind: str = "all") -> np.ndarray:
        """Points of conversations that need not be of the pool, in the space of `embeddings(kind)`."""
        return embeddings.embed(self, conversations, kind)

    def rating_logits(self, prompts: Sequence[str], form: str = "original") -> np.ndarray:
        """Logits (nats) of the digits 1 to 5 as the next token after a prompt, the row and a cue.

        A row that cannot be rated is nan and changes no other row.

        Parameters
        ----------
        prompts : k texts that ask for a rating.
        form : how the row is written, "original" or "released" (see `rating_text.rating_ids`).

        Returns
        -------
        float32 of shape (n_rows, k, 5).
        """
        return rating_logits(self, prompts, form)

    @property
    def n_parameters(self) -> int:
        """Size of the model."""
        return self.language_model.model.num_parameters()

    def targets(self, name: str = "auto") -> dict[str, list[list[dict]]]:
        """What the model shall be good at, by group: of a name (`targets.load_targets`) or a file (`target_files`)."""
        if name not in self._targets:
            self._targets[name] = load_targets(name, self.pool) if name in NAMES else load_target_file(name)
        return self._targets[name]

    def influences(
        self, rows: np.ndarray, targets: str | None = "auto", *, dimension: int | None = None, seed: int = 0, **warm_up
    ) -> Influences:
        """How far a step along every row's gradient would lower the loss of target rows, and of the pool's own.

        Adapters are first trained on `rows`, with the settings `warm_up` of `WarmUpSettings` (all but max_tokens);
        `targets` as in `targets`, `None` for the pool's own alone; `dimension` of the random projection of gradients
        (default see `default_dimension`), `seed` of both.
        """
        return influences.pool_influences(
            self, rows, targets, settings=WarmUpSettings(max_tokens=self.max_tokens, **warm_up), dimension=dimension,
            seed=seed,
        )  # fmt: skip

    @property
    def text_settings(self) -> dict:
        """Everything that decides the pool's token ids but `max_tokens`, for keys."""
        model = self.language_model
        return {
            "pool": self.pool.fingerprint,
            "tokenizer": fingerprint_tokenizer(model.tokenizer),
            "template": model.template.settings(),
        }

    @property
    def autocast(self) -> torch.dtype | None:
        """Precision of the model's matrix products, `None` for that of its weights."""
        low = self.language_model.dtype == torch.float32 and self.precision == "bfloat16"
        return torch.bfloat16 if low else None

    @property
    def precisions(self) -> dict[str, str]:
        """In which precision matrix products are made, of scores and of fine-tuning."""
        model = self.language_model
        trained = torch.bfloat16 if self.finetuning.resolved(model.device).bf16 else torch.float32
        made = {"scores": self.autocast or model.dtype, "fine-tuning": trained}
        return {name: str(precision).removeprefix("torch.") for name, precision in made.items()}
