"""The study's claims and those of its follow-ups, each with the rule that answers it from other pages' numbers."""

from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd

from analysis.reporting import claim_rules as rules
from analysis.reporting import follow_up_rules as later
from analysis.reporting.answers import UNTESTED, Judged
from analysis.reporting.break_even import AS_MUCH
from analysis.reporting.pages import Pages

STUDY = "Xia et al. 2024"


@dataclass(frozen=True)
class Claim:
    """A claim, who makes it, the notebook that answers it, the rule in words, and the rule itself."""

    text: str
    source: str
    notebook: str
    rule: str
    judge: Callable[[Pages], Judged]


CLAIMS = (
    Claim("Hardly any method is worth more than a random draw", f"{STUDY}, abstract", "30_versus_random",
          "at equal rows at most one comparison in ten is better, and no more than one in ten is better or undecided; three methods or more", rules.hardly_any),
    Claim("Selections usually lie within the range of the random runs", f"{STUDY}, tables 2-3", "30_versus_random",
          "at least two thirds of the single runs do, at equal rows; does not hold where at most a third do; three methods or more", rules.within_range),
    Claim("No method is better than random by a one-sided Mann-Whitney test", f"{STUDY}, table 1", "30_versus_random",
          "does not hold where a p of at most 0.05 remains after Holm's correction; holds where 30 finds no difference; that a test does not reject shows nothing", rules.none_significant),
    Claim("Diversity matters more than quality", f"{STUDY}, abstract", "32_diversity_vs_quality",
          "in standard deviations of the score for one of what was varied, the interval of skills (a doubling is one step) lies above zero and above that of correct rows (10 points are one step)", rules.diversity_first),
    Claim("K-means quotas usually help quality methods, cross-entropy most", f"{STUDY}, table 5", "32_diversity_vs_quality",
          "of two or more quality methods more than half have differences, paired by part, with intervals above zero; which gains most is not judged", rules.quotas),
    Claim("Selecting the longest answers works", f"{STUDY}, table 4", "30_versus_random",
          "better at equal rows in every regime; depends on the setting where worse in another", rules.length_works),
    Claim("Length helps weaker bases more, and long text most", f"{STUDY}, abstract", "34_base_model_strength",
          "what longest-first is worth falls as the base gets stronger, by the interval of its slope; its second half is not judged", rules.length_for_weak_bases),
    Claim("The longest answers beat training on the whole pool", f"{STUDY}, tables 3-4", "", "", rules.untested(
          "no page trains on a whole pool")),
    Claim("IFD prefers short answers, which is why it fails (disputed by its author)", f"{STUDY}, 5.3", "33_length_effects",
          "the interval of the rank correlation of its own score with answer length lies below zero; the released script's is on page 36, that it fails on page 30", rules.ifd_short),
    Claim("Methods that work on small pools fail on large ones", f"{STUDY}, 5.3", "31_failure_modes_at_scale",
          "every method above random on the smallest pool is not so on the largest, and lies below its interval there; 95 % intervals, each by itself", rules.fails_at_scale),
    Claim("Selecting costs more than training on what is selected", f"{STUDY}, 5.3", "35_cost_of_selection",
          "by operations, extrapolated with page 35's assumptions, for every method that reads the pool with a model; the study's ZIP and DiverseEvol only where they are listed", rules.costly),
    Claim("Selection costs more than it saves", "arXiv 2410.15225, arXiv 2410.16208", "35_cost_of_selection",
          f"every method lies below random draws that cost {AS_MUCH}; does not hold where one is above all of them, one of as much compute included", later.does_not_pay),
    Claim("As pools grow many methods fall below random, RDS+ excepted", "Ivison et al. 2025, arXiv 2503.01807", "31_failure_modes_at_scale",
          "more than half of the others have intervals below zero on the largest pool, and more than on the smallest, and RDS+ above zero", later.below_random_but_rds),
    Claim("Only gradient distances predict what a row is worth", "Nayak et al. 2026, arXiv 2602.14696", "40_published_grids",
          "over tenths of the distance the result falls for gradients, their interval below all others'", later.only_gradients),
    Claim("Gains shrink as the budget grows", "Nayak et al. 2026, arXiv 2602.14696", "40_published_grids",
          "every interval at the largest budget lies below that at the smallest; does not hold where every one lies above", later.shrinks_with_budget),
    Claim("Difficulty scores fall behind random, coverage does not", "OpenReview g1DiK2Yi4j", "30_versus_random",
          "at equal rows every score of single rows is worse, and every diversity method better or without difference", later.difficulty_behind),
    Claim("At equal tokens diversity and deduplication tie with random", "OpenReview 5j1P8SYW9n", "30_versus_random",
          "every comparison of a diversity method or filter at equal tokens shows no difference", later.tie_at_equal_tokens),
    Claim("No difficulty is best at every budget", "arXiv 2605.12906", "", "", rules.untested(
          "slices of a score are trained on at one budget only")),
)  # fmt: skip


def judged(pages: Pages) -> pd.DataFrame:
    """Every claim with its verdict: claim, source, verdict, found, rule, page (the notebook and its variants)."""
    lines = []
    for claim in CLAIMS:
        verdict, found = claim.judge(pages)
        page = ", ".join(page.report for page in pages.of(claim.notebook)) if verdict != UNTESTED else ""
        lines.append({"claim": claim.text, "source": claim.source, "verdict": verdict, "found": found,
                      "rule": claim.rule, "page": page})  # fmt: skip
    return pd.DataFrame(lines)
