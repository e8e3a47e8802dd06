"""What can be seen in the rows themselves that their owner should know of: one line per row, and shares with intervals."""

import re
from collections.abc import Iterable

import numpy as np
import pandas as pd
from scipy import stats

REFUSAL = re.compile(
    r"\bas an? (ai|artificial intelligence|(large )?language model)\b"
    r"|^\W*(i['’]m|i am) (unable|not able) to\b"
    r"|^\W*(i['’]m|i am) (sorry|afraid)[,.]? ?(but )?(as an?|i) "
    r"|^\W*(sorry|unfortunately),? (but )?i (cannot|can['’]?t|can not|am (unable|not able)|do(n['’]t| not))\b"
    # "I can't imagine" is talk: what is refused is a deed.
    r"|^\W*i (cannot|can['’]?t|can not|won['’]?t|will not) (help|assist|provide|fulfil|comply|answer|create|generate|write|give"
    r"|offer|engage|discuss|share|complete|support|open|access|browse|perform|do (that|this))"
    r"|^\W*(很?抱歉|对不起)",
    re.IGNORECASE,
)
REFUSAL_WITHIN = 200  # characters from the beginning of an answer
MARKER = re.compile(
    r"<\|[^|<>\n]{1,40}\|>|</?(s|pad|eos|bos|unk|endoftext|no_?(in|out)put|no (in|out)put|end_of_turn)>|\[[A-Z_ /]{1,20}\]|\b(nan|null|n/a|eos)\b",
    re.IGNORECASE,
)
OPENING = 3  # words
COMMON = 0.01  # share of the rows from which an opening is boilerplate
FEWEST = 5  # rows, at least, that open alike
FEWEST_LETTERS = 20  # below which no language is named
SURE = 0.9  # probability from which a language is named
NO_TEXT, UNSURE = "too little text", "unsure"


def checks(conversations: Iterable[list[dict]]) -> pd.DataFrame:
    """Of every row: turns (answers), system prompt, refusal (of any answer), nothing said (by its last answer), opening.

    An answer says nothing that holds no letter and no digit besides markers such as <|endoftext|>. The opening is the
    first three words of the first answer, "" if there are not more.
    """
    lines = []
    for messages in conversations:
        answers = [message["content"] for message in messages if message["role"] == "assistant"]
        first = answers[0][:400].split()
        lines.append((
            len(answers), messages[0]["role"] == "system",
            any(REFUSAL.search(answer[:REFUSAL_WITHIN]) is not None for answer in answers), says_nothing(answers[-1]),
            " ".join(first[:OPENING]) if len(first) > OPENING else "",
        ))  # fmt: skip
    return pd.DataFrame(lines, columns=["turns", "system prompt", "refusal", "nothing said", "opening"])


def says_nothing(answer: str) -> bool:
    """Whether an answer holds no letter and no digit besides markers."""
    return not any(character.isalnum() for character in MARKER.sub(" ", answer))


def boilerplate(openings: pd.Series) -> pd.Series:
    """Rows by opening, of those openings that 1 % of the rows (and at least five) share; most frequent first."""
    counts = openings[openings != ""].value_counts()
    return counts[counts >= max(FEWEST, COMMON * len(openings))]


def twins(group: np.ndarray, source: np.ndarray) -> pd.DataFrame:
    """Whether each row has a near-duplicate in its own source, and one in another; bool of shape (n_rows,) each.

    Parameters
    ----------
    group : equal number = near-duplicates, linked by chains.
    """
    table = pd.DataFrame({"group": group, "source": source})
    all_alike = table.groupby("group")["source"].transform("size")
    here = table.groupby(["group", "source"])["source"].transform("size")
    return pd.DataFrame({"in its source": here > 1, "in another source": all_alike > here})


def languages(texts: list[str]) -> np.ndarray:
    """ISO 639-1 code of every text's language where it is sure (0.9), else "unsure", or "too little text"."""
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    found = []
    for text in texts:
        if sum(character.isalpha() for character in text) < FEWEST_LETTERS:
            found.append(NO_TEXT)
            continue
        language, probability = identifier.classify(text)
        found.append(language if probability >= SURE else UNSURE)
    return np.array(found, dtype=object)


def share_with_interval(count: int, of: int) -> tuple[float, float, float]:
    """A share and its 95 % interval (Wilson); nan without a row."""
    if not of:
        return np.nan, np.nan, np.nan
    low, high = stats.binomtest(int(count), int(of)).proportion_ci(method="wilson")
    return count / of, float(low), float(high)
