"""What a selection costs in tokens that a model reads for it, stage by stage.

Tokens follow from what a method asks of `Features`, whatever its options; a call that asks nothing of a model has none.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from analysis.features.contexts import in_context
from analysis.features.features import Features
from analysis.features.rating_text import rating_ids
from analysis.methods import calls
from analysis.models.encoding import count_tokens
from analysis.models.passes.hidden_states import WEIGHTS
from analysis.models.passes.next_token import common_beginning
from analysis.models.training.checkpoints import WarmUpSettings
from analysis.pools.targets import POOL
from analysis.store.store import digest

# Floating-point operations per parameter and token; adapters need no gradients of the weights beneath them.
FORWARD, ADAPTERS, TRAINING = "forward", "forward and backward, adapters", "forward and backward, all weights"
FLOP = {FORWARD: 2, ADAPTERS: 4, TRAINING: 6}
WITH_POOL, WITH_BUDGET, FIXED = "the pool", "the budget", "nothing"  # what tokens grow with
SAMPLE = 512  # rows, evenly spaced, on which texts made for one purpose are counted


@dataclass(frozen=True)
class Stage:
    """One thing done with a model for a selection; two methods that have one of the same name share it.

    Attributes
    ----------
    name : what is done, with all that it depends on within one pool.
    kind : a key of `FLOP`.
    tokens : read in one pass, without padding.
    passes : over these tokens.
    grows : with what the tokens grow.
    scorer : the model where a method brings its own, else empty.
    parameters : of the model.
    rows : that are trained on, where a model is tuned for the method.
    floor : share of these tokens that would be read if no least number of rows held; from there on they grow.
    """

    name: str
    kind: str
    tokens: float
    parameters: int
    passes: float = 1
    grows: str = WITH_POOL
    scorer: str = ""
    rows: tuple[int, ...] = ()
    floor: float = 1

    @property
    def flop(self) -> float:
        """Floating-point operations by the usual count (2 or 6 per parameter and token); attention is left out."""
        return FLOP[self.kind] * self.parameters * self.tokens * self.passes


class Asked:
    """Features that note the stages behind what they are asked, in `stages` by name, and answer as ever."""

    def __init__(self, features: Features, stages: dict[str, Stage], model: str = "", scorer: str = "", warm_up_share: float = 1):  # fmt: skip
        self._features, self.stages, self._model, self._scorer = features, stages, model, scorer
        self._warm_up_share = warm_up_share

    def __getattr__(self, name: str):
        return getattr(self._features, name)

    def token_losses(self, context: str = "conversation"):
        self._note(f"losses ({context})", FORWARD, self._scored(context) * self._scale)
        return self._features.token_losses(context)

    def embeddings(self, kind: str = "all"):
        if kind in WEIGHTS:
            tokens = self._features.lengths().prompt if kind == "prompt" else self._features.lengths().total
            self._note(f"embeddings ({kind})", FORWARD, self._cut(tokens))
        return self._features.embeddings(kind)

    def embed(self, conversations, kind: str = "all"):
        if kind in WEIGHTS:
            name = f"embeddings ({kind}) of targets {digest(rows=[str(one) for one in conversations])}"
            self._note(name, FORWARD, self._tokens_of(conversations), grows=FIXED)
        return self._features.embed(conversations, kind)

    def clusters(self, kind: str, n_clusters: int, seed: int):
        self.embeddings(kind)
        return self._features.clusters(kind, n_clusters, seed)

    def rating_logits(self, prompts: Sequence[str], form: str = "original"):
        for prompt in prompts:
            asked = [ids for ids in self._rated(prompt, form) if ids]
            question = len(common_beginning(asked))  # read once for all rows
            tokens = (sum(map(len, asked)) - question * len(asked)) * self._scale
            self._note(f"ratings ({form}, {prompt})", FORWARD, tokens)
            self._note(f"question ({form}, {prompt})", FORWARD, question, grows=FIXED)
        return self._features.rating_logits(prompts, form)

    def influences(self, rows, targets="auto", *, dimension=None, seed: int = 0, **warm_up):
        epochs = WarmUpSettings(**warm_up).epochs
        named = {"rows": np.asarray(rows).tolist(), "seed": seed, **warm_up}
        warm = f"warm-up {digest(**named)}"
        floor = min(1.0, self._warm_up_share * self._features.n_rows / len(rows))
        self._note(warm, ADAPTERS, self._cut(self._features.lengths().total[rows]), passes=epochs, floor=floor)
        for role, name in {"targets": targets, "targets from the pool": POOL}.items():  # the latter are always read
            if name is not None:
                shown = [row for group in self._features.targets(name).values() for row in group]
                told = f"gradients of {role} ({name}), {warm}"
                self._note(told, ADAPTERS, self._tokens_of(shown), passes=epochs, grows=FIXED)
        self._note(f"gradients, {targets}, {warm}", ADAPTERS, self._cut(self._features.lengths().total), passes=epochs)
        return self._features.influences(rows, targets, dimension=dimension, seed=seed, **warm_up)

    def after_finetuning(self, rows, settings=None, *, seed: int = 0):
        told = settings or self._features.finetuning
        name = f"tuned {digest(rows=np.asarray(rows).tolist(), seed=seed, settings=str(settings))}"
        kind = ADAPTERS if told.lora_rank else TRAINING
        self._note(name, kind, self._cut(self._features.lengths().total[rows]), passes=told.epochs_for(len(rows)),
                   grows=FIXED, rows=tuple(np.asarray(rows).tolist()))  # fmt: skip
        tuned = self._features.after_finetuning(rows, settings, seed=seed)
        return Asked(tuned, self.stages, f"{self._model}{name}: ", self._scorer)

    def with_model(self, name_or_path: str):
        other = self._features.with_model(name_or_path)
        return Asked(other, self.stages, f"{name_or_path}: ", name_or_path)

    def _note(self, name: str, kind: str, tokens: float, **more) -> None:
        size = self._features.n_parameters
        self.stages[self._model + name] = Stage(self._model + name, kind, tokens, size, scorer=self._scorer, **more)

    def _cut(self, lengths: np.ndarray) -> float:
        return float(np.minimum(lengths, self._features.max_tokens).sum())

    def _tokens_of(self, conversations) -> float:
        model = self._features.language_model
        return self._cut(count_tokens(list(conversations), model.tokenizer, model.template)["total"])

    @cached_property
    def _sample(self) -> list:
        """Evenly spaced conversations."""
        n_rows = self._features.n_rows
        places = np.unique(np.linspace(0, n_rows - 1, min(SAMPLE, n_rows)).astype(int))
        return [self._features.messages(int(row), int(row) + 1)[0] for row in places]

    @property
    def _scale(self) -> float:
        """Rows for each of the sample."""
        return self._features.n_rows / len(self._sample)

    def _scored(self, context: str) -> int:
        """Tokens of the sample up to the last one of each row that is scored."""
        model = self._features.language_model
        _, encoded = in_context(context, self._sample, model.tokenizer, model.template, self._features.max_tokens)
        return sum(max((end for start, end in row.spans if end > start), default=0) for row in encoded)

    def _rated(self, prompt: str, form: str) -> list[list[int]]:
        tokenizer, longest = self._features.language_model.tokenizer, self._features.max_tokens
        return rating_ids(self._sample, prompt, tokenizer, longest, form)


def stages_of(features: Features, method: str, budget: int, *, seed: int) -> dict[str, Stage]:
    """The stages behind a method's selection, by name, in order; what is in the store is read, and counted all the same.

    Tuning on rows that the method goes on to select grows with the budget, tuning on others with nothing.
    """
    stages: dict[str, Stage] = {}
    asked = Asked(features, stages, warm_up_share=_warm_up_share(method))
    chosen = set(calls.select(method, asked, budget, seed=seed).rows.tolist())
    return {
        name: replace(stage, grows=WITH_BUDGET) if stage.rows and chosen.issuperset(stage.rows) else stage
        for name, stage in stages.items()
    }


def _warm_up_share(method: str) -> float:
    """Share of the pool on which a call, or the one within it, warms up; 1 where none does."""
    name, options = calls.parse(method)
    inner = calls.inner_call(name, options)
    return (calls.default_options(name) | options).get("warm_up_share") or (_warm_up_share(inner) if inner else 1)
