"""What the suite knows of every method: name, family, source, and the code that decides what it selects."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module

from analysis.methods.selection import Selection


@dataclass(frozen=True)
class Method:
    """A method of the suite: how it is called in figures, its family, where it comes from, its file here.

    `uses` names the modules of `analysis` beside its own on whose code its selections depend: a change in
    one of them makes stored selections invalid. `inner` is an option that holds the call of another method, or
    one of `words`. `by_chance`: whether chance alone selects, from what the method leaves.
    """

    label: str
    family: str  # baseline, length, quality or diversity
    paper: str
    module: str
    equation: str = ""
    uses: tuple[str, ...] = ("encoding", "template")
    inner: str = ""
    words: tuple[str, ...] = ()
    by_chance: bool = False

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
    "random_selection": Method("Random", "baseline", STUDY, "random_selection", by_chance=True),
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
        by_chance=True,
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
