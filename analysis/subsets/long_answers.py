"""What the long answers of a pool are, without truth: does their later half still depend on what was asked?"""

from collections.abc import Sequence

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer

from analysis.pools import Pool
from analysis.subsets.rows import drawn

PADDED, MIXED, WORKED = "like padding", "between padding and worked answers", "like worked answers"
PADDED_BELOW, WORKED_ABOVE = 0.65, 0.85  # half of each kind would give about 0.75
LONGEST = 0.2  # share of the rows that count as long
FEWEST_WORDS = 20  # of an answer, so that its later half says anything
MOST_ROWS = 1_000


def dependence_of_longest(pool: Pool, answer_tokens: np.ndarray) -> np.ndarray:
    """`prompt_dependence` of the last question and answer of the longest fifth of a pool; shape (rows with enough words,)."""
    longest = np.argsort(-answer_tokens, kind="stable")[: round(LONGEST * len(pool))]
    rounds = map(_last_round, pool.messages(longest[drawn(len(longest), MOST_ROWS)]))
    long = [(prompt, answer) for prompt, answer in rounds if len(answer.split()) >= FEWEST_WORDS]
    return prompt_dependence([prompt for prompt, _ in long], [answer for _, answer in long])


def prompt_dependence(prompts: Sequence[str], answers: Sequence[str]) -> np.ndarray:
    """How surely the later half of an answer points to its own prompt; float64 of shape (n_rows,), nan for a row alone.

    The share of the other rows' prompts that are less similar to it than its own (cosine of TF-IDF over words), equal ones
    counted half: 1 for an answer that keeps to its prompt, 0.5 for one whose later half could follow any.
    """
    if len(prompts) < 2:
        return np.full(len(prompts), np.nan)
    later = [" ".join(words[len(words) // 2 :]) for words in map(str.split, answers)]
    vectorizer = TfidfVectorizer(token_pattern=r"\w+").fit([*prompts, *later])
    # Rounded, so that equal similarities are ties whatever the order of their sums.
    similar = (vectorizer.transform(later) @ vectorizer.transform(prompts).T).toarray().round(9)
    own = similar.diagonal()[:, None]
    return ((own > similar).sum(axis=1) + ((own == similar).sum(axis=1) - 1) / 2) / (len(similar) - 1)


def kind_of(low: float, high: float) -> str:
    """What a pool's long answers are like, by the interval of their mean dependence."""
    return PADDED if high < PADDED_BELOW else WORKED if low > WORKED_ABOVE else MIXED


def _last_round(messages: list[dict]) -> tuple[str, str]:
    place = max(number for number, message in enumerate(messages) if message["role"] == "assistant")
    asked = [message["content"] for message in messages[:place] if message["role"] == "user"]
    return (asked[-1] if asked else ""), messages[place]["content"]
