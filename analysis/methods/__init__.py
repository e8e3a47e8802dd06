"""The selection methods: arrays in, row numbers out. A new one is a file here and a line in `METHODS`."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module

import numpy as np

from analysis.methods.selection import Selection, parse_call, top_k

__all__ = ["METHODS", "Method", "Selection", "code_of", "get", "inner_call", "parse", "select", "top_k"]

GIVEN = ("features", "budget", "seed")  # by whoever selects, so never options of a method


@dataclass(frozen=True)
class Method:
    """A method of the suite: how it is called in figures, its family, where it comes from, its file here.

    `uses` names the modules of `analysis` beside its own on whose code its selections depend: a change in
    one of them makes stored selections invalid. `inner` is an option that holds the call of another method, or
    one of `words`.
    """

    label: str
    family: str  # baseline, length, quality or diversity
    paper: str
    module: str
    equation: str = ""
    uses: tuple[str, ...] = ("encoding", "template")
    inner: str = ""
    words: tuple[str, ...] = ()

    @property
    def code(self) -> tuple[str, ...]:
        """Full names of the modules that decide what is selected."""
        return tuple(f"analysis.{name}" for name in (f"methods.{self.module}", "methods.selection", *self.uses))

    @property
    def select(self) -> Callable[..., Selection]:
        """`select(features, budget, *, seed, options...)` of the method's file."""
        return import_module(f"analysis.methods.{self.module}").select


STUDY = "Xia et al. 2024, arXiv 2410.09335"
METHODS = {
    "random_selection": Method("Random", "baseline", STUDY, "random_selection"),
    "token_length": Method("Token length", "length", f"{STUDY}, section 5.4", "token_length"),
    "cross_entropy": Method(
        "Cross-entropy",
        "quality",
        STUDY,
        "cross_entropy",
        "mean over answer tokens of -log p(token | before)",
        uses=("encoding", "template", "loss_kernel", "contexts"),
    ),
    "ifd": Method(
        "IFD",
        "quality",
        "Li et al. 2023, arXiv 2308.12032",
        "ifd",
        "mean loss of the answer after its instruction / alone, where below 1",
        uses=(
            *("encoding", "template", "loss_kernel", "contexts"),
            *("methods.pre_experience", "clustering", "embedding_kernel", "finetuning", "training_rows"),
        ),
    ),
    "superfiltering": Method(
        "Superfiltering",
        "quality",
        "Li et al. 2024, arXiv 2402.00530",
        "superfiltering",
        "a small model's perplexity of the answer after its instruction / alone, where below 1",
        uses=("encoding", "template", "loss_kernel", "contexts", "methods.ifd"),
    ),
    "selectit": Method(
        "SelectIT",
        "quality",
        "Liu et al. 2024, arXiv 2402.16705",
        "selectit",
        "likeliest rating of 1 to 5 times its lead over the others; mean / (1 + alpha std) over the prompts",
        uses=("encoding", "template", "loss_kernel", "rating_text", "rating_kernel"),
    ),
    "perplexity": Method(
        "Perplexity",
        "quality",
        "Marion et al. 2023, arXiv 2309.04564",
        "perplexity",
        "exp of the mean over answer tokens of -log p(token | before)",
        uses=("encoding", "template", "loss_kernel", "contexts"),
    ),
    "less": Method(
        "LESS",
        "quality",
        "Xia M. et al. 2024, arXiv 2402.04333",
        "less",
        "max over target groups of sum over epochs of learning rate x cosine of gradients",
        uses=(
            "encoding",
            "template",
            "influences",
            "gradients",
            "sketch",
            "checkpoints",
            "warm_up",
            "loss_kernel",
            "training_rows",
            "targets",
        ),
    ),
    "zip_compression": Method(
        "ZIP",
        "diversity",
        "Yin et al. 2024, arXiv 2407.06645",
        "zip_compression",
        "bytes of the selected rows / bytes when compressed, lowest greedily",
        uses=("deflate", "huffman", "zlib_sizes"),
    ),
    "near_duplicate_filter": Method(
        "Random, no near-duplicates",
        "baseline",
        "Lee et al. 2022, arXiv 2107.06499",
        "near_duplicate_filter",
        "Jaccard similarity of the text's shingles",
        uses=("near_duplicates",),
    ),
    "diverse_evol": Method(
        "DiverseEvol",
        "diversity",
        "Wu et al. 2023, arXiv 2311.08182",
        "diverse_evol",
        "argmax over rows of the distance to the nearest selected row, greedily",
        uses=(
            "encoding",
            "template",
            "methods.k_center",
            "embedding_kernel",
            "text_embeddings",
            "finetuning",
            "training_rows",
        ),
    ),
    "rds_plus": Method(
        "RDS+",
        "quality",
        "Ivison et al. 2025, arXiv 2503.01807",
        "rds_plus",
        "cosine of position-weighted mean states to a target row's, the target rows in turn",
        uses=("encoding", "template", "embedding_kernel", "targets"),
    ),
    "kmeans": Method(
        "K-means",
        "diversity",
        f"{STUDY}, section 5.4",
        "kmeans",
        "the best rows of every cluster by another method, by the cluster's quota",
        uses=(
            "encoding",
            "template",
            "methods.quotas",
            "clustering",
            "embedding_kernel",
            "text_embeddings",
            "loss_kernel",
        ),
        inner="inside",
        words=("random", "nearest"),
    ),
}


def get(name: str) -> Method:
    """The method called `name`; an unknown name is an error that lists the known ones."""
    if name not in METHODS:
        raise ValueError(f"method {name!r} is unknown; the methods are {', '.join(METHODS)}")
    return METHODS[name]


def parse(specification: str) -> tuple[str, dict]:
    """Method name and options of a text such as "cross_entropy(variant='released', direction='lowest')".

    Raises
    ------
    ValueError
        Unknown method or option (lists the known ones), or a text that is not of this form.
    """
    name, options = parse_call(specification)
    parameters = inspect.signature(get(name).select).parameters
    known = [parameter for parameter in parameters if parameter not in GIVEN]
    for option in options:
        if option not in known:
            listed = f"its options are {', '.join(known)}" if known else "it has no options"
            raise ValueError(f"method {specification!r}: unknown option {option!r}; {listed}")
    inner_call(name, options)
    return name, options


def inner_call(name: str, options: dict) -> str | None:
    """The call of another method among a method's options, checked; `None` where there is none.

    Raises
    ------
    ValueError
        The option is no text, or not a method's call and none of the words that it may also be.
    """
    method = get(name)
    if not method.inner:
        return None
    value = options.get(method.inner, inspect.signature(method.select).parameters[method.inner].default)
    if value in method.words:
        return None
    expected = f"{method.inner}: expected {', '.join(map(repr, method.words))} or a method's call as text"
    if not isinstance(value, str):
        raise ValueError(f"method {name}: {expected}, found {value!r}")
    try:
        parse(value)
    except ValueError as error:
        raise ValueError(f"method {name}: {expected}; {error}") from error
    return value


def code_of(specification: str) -> tuple[str, ...]:
    """Full names of the modules that decide what a call selects, those of a method within it included."""
    name, options = parse(specification)
    inner = inner_call(name, options)
    return tuple(dict.fromkeys([*get(name).code, *(code_of(inner) if inner else ())]))


def select(specification: str, features, budget: int, *, seed: int) -> Selection:
    """Choose `budget` rows by a method given as text; the result is checked against the method's contract.

    Parameters
    ----------
    specification : see `parse`.
    features : `Features` of the pool, or anything that answers as it does.
    seed : of random draws and of ties.
    """
    name, options = parse(specification)
    selection = get(name).select(features, budget, seed=seed, **options)
    if len(selection.rows) != budget:
        raise ValueError(f"method {name}: expected {budget} rows, found {len(selection.rows)}")
    if selection.rows.min() < 0 or selection.rows.max() >= features.n_rows:
        found = (int(selection.rows.min()), int(selection.rows.max()))
        raise ValueError(f"method {name}: expected rows from 0 to {features.n_rows - 1}, found {found}")
    if selection.scores is not None and np.shape(selection.scores) != (features.n_rows,):
        raise ValueError(f"method {name}: expected {features.n_rows} scores, found {np.shape(selection.scores)}")
    return selection
