"""What the suite knows of every method: name, family, source, and what it asks about a pool."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module

from analysis.features import MADE_BY
from analysis.methods.selection import Selection


@dataclass(frozen=True)
class Method:
    """A method of the suite: how it is called in figures, its family, where it comes from, its file here.

    `definition` is what it scores or takes, in a few words of the field. `needs` names what it asks, members of
    `Features` that are keys of `MADE_BY`: its selections depend on their code and on the base, unless all of them are in
    `NEEDS_NO_BASE`. `inner` is an option that holds the call of another method, or one of `words`.
    """

    label: str
    family: str  # baseline, length, quality or diversity
    paper: str
    module: str
    definition: str = ""
    needs: tuple[str, ...] = ()
    inner: str = ""
    words: tuple[str, ...] = ()

    @property
    def code(self) -> tuple[str, ...]:
        """Full names of the modules whose code, with all that they import, decides what is selected."""
        return (f"analysis.methods.{self.module}", *(MADE_BY[need] for need in self.needs))

    @property
    def select(self) -> Callable[..., Selection]:
        """`select(features, budget, *, seed, options...)` of the method's file."""
        return import_module(f"analysis.methods.{self.module}").select


RANDOM, BASE = "random_selection", "base"  # what methods are compared with, and what they are trained from
STUDY = "Xia et al. 2024, arXiv 2410.09335"
METHODS = {
    RANDOM: Method("Random", "baseline", STUDY, "random_selection", "rows by chance, each as likely as any other"),
    "token_length": Method(
        "Token length",
        "length",
        f"{STUDY}, section 5.4",
        "token_length",
        "tokens of the answer, the longest first",
        needs=("lengths",),
    ),
    "cross_entropy": Method(
        "Cross-entropy",
        "quality",
        STUDY,
        "cross_entropy",
        "mean over answer tokens of -log p(token | before), highest first",
        needs=("token_losses",),
    ),
    "ifd": Method(
        "IFD",
        "quality",
        "Li et al. 2023, arXiv 2308.12032",
        "ifd",
        "mean loss of the answer after its instruction / alone, where below 1, highest first",
        needs=("token_losses", "embeddings", "clusters", "after_finetuning"),
    ),
    "superfiltering": Method(
        "Superfiltering",
        "quality",
        "Li et al. 2024, arXiv 2402.00530",
        "superfiltering",
        "a small model's perplexity of the answer after its instruction / alone, where below 1, highest first",
        needs=("token_losses", "with_model"),
    ),
    "selectit": Method(
        "SelectIT",
        "quality",
        "Liu et al. 2024, arXiv 2402.16705",
        "selectit",
        "likeliest rating of 1 to 5 times its lead over the others; mean / (1 + alpha std) over the prompts",
        needs=("rating_logits", "with_model", "n_parameters"),
    ),
    "perplexity": Method(
        "Perplexity",
        "quality",
        "Marion et al. 2023, arXiv 2309.04564",
        "perplexity",
        "exp of the mean over answer tokens of -log p(token | before), highest first",
        needs=("token_losses",),
    ),
    "less": Method(
        "LESS",
        "quality",
        "Xia M. et al. 2024, arXiv 2402.04333",
        "less",
        "max over target groups of sum over epochs of learning rate x cosine of gradients",
        needs=("influences",),
    ),
    "zip_compression": Method(
        "ZIP",
        "diversity",
        "Yin et al. 2024, arXiv 2407.06645",
        "zip_compression",
        "bytes of the selected rows / bytes when compressed, lowest greedily",
    ),
    "near_duplicate_filter": Method(
        "Random, no near-duplicates",
        "baseline",
        "Lee et al. 2022, arXiv 2107.06499",
        "near_duplicate_filter",
        "rows by chance, one of each group alike by the Jaccard similarity of their text's shingles",
        needs=("near_duplicates",),
    ),
    "diverse_evol": Method(
        "DiverseEvol",
        "diversity",
        "Wu et al. 2023, arXiv 2311.08182",
        "diverse_evol",
        "argmax over rows of the distance to the nearest selected row, greedily",
        needs=("lengths", "embeddings", "after_finetuning"),
    ),
    "rds_plus": Method(
        "RDS+",
        "quality",
        "Ivison et al. 2025, arXiv 2503.01807",
        "rds_plus",
        "cosine of position-weighted mean states to a target row's, the target rows in turn",
        needs=("embeddings", "embed", "targets"),
    ),
    "kmeans": Method(
        "K-means",
        "diversity",
        f"{STUDY}, section 5.4",
        "kmeans",
        "the best rows of every cluster by another method, by the cluster's quota",
        needs=("clusters", "embeddings"),
        inner="inside",
        words=("random", "nearest"),
    ),
    "residual": Method(
        "Beyond length",
        "quality",
        "Barlow and Brunk 1972, JASA 67",
        "residual",
        "another method's score - its monotone fit on the answers' length, out of sample",
        needs=("lengths",),
        inner="inside",
    ),
}
