"""SelectIT: a text at a time, the whole vocabulary at every position, against batches and the last position."""

import tempfile
import time

from analysis.features.features import Features
from analysis.features.rating_text import rating_ids
from analysis.methods import selectit
from analysis.methods.selectit import PROMPTS
from analysis.models.language_model import load_model
from analysis.paths import ROOT
from analysis.pools import load_pool
from analysis.store.store import Store
from tests.references import selectit as reference
from tests.speed.limits import limit

REAL_ROWS = ROOT.parent / "shared" / "pools" / "curated_real.parquet"
MAX_TOKENS = 1024
SAMPLE = 100  # rows of which the literal reference is timed, evenly spread


def seconds(work) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def compare(rows: int = 2_000, model: str = "tiny-weak") -> list[dict]:
    """On rows of the testbed and, where they are beside the checkout, on real rows; both precisions of ours."""
    base, lines = load_model(model), []
    for name in ["curated", *([str(REAL_ROWS)] if REAL_ROWS.exists() else [])]:
        pool = load_pool(name, limit=rows)
        n_rows = len(pool.rows)
        sample = [pool.rows[row]["messages"] for row in range(0, n_rows, max(n_rows // SAMPLE, 1))]

        def literal():
            for messages in sample:  # noqa: B023
                reference.rate(base.model, base.tokenizer, messages, PROMPTS, MAX_TOKENS)

        texts = rating_ids([row["messages"] for row in pool.rows], PROMPTS[0], base.tokenizer, MAX_TOKENS, "original")
        tokens = len(PROMPTS) * sum(map(len, texts))
        taken = seconds(literal) * n_rows / len(sample)
        for precision in ("float32", "bfloat16"):
            ours = seconds(lambda: score(pool, base, precision=precision))  # noqa: B023
            lines.append({
                "step": f"SelectIT, {precision}, {'real' if name != 'curated' else 'testbed'}",
                "rows": n_rows, "reference_seconds": taken, "ours_seconds": ours, "ratio": taken / ours, "limit": limit(base.model.num_parameters(), tokens),
                "note": f"{len(PROMPTS)} prompts, {model} on {base.device}; reference timed on {len(sample)} rows. On a CPU a "
                "single text fills the core as a batch does: won are the prompt read once, the output layer at one "
                "position and the precision; products of matrices and attention over the row's tokens remain",
            })  # fmt: skip
    return lines


def growth(sizes: list[int], model: str = "tiny-weak") -> list[dict]:
    """Seconds to rate testbed rows by one prompt; more prompts multiply it."""
    base, lines = load_model(model), []
    for size in sizes:
        pool = load_pool("curated", limit=size)
        lines.append({"rows": len(pool.rows), "seconds": seconds(lambda: score(pool, base, PROMPTS[:1]))})  # noqa: B023
    return lines


def score(pool, base, prompts=PROMPTS, precision=None):
    """Scores of all rows from an empty store."""
    with tempfile.TemporaryDirectory() as folder:
        features = Features(
            pool, base, store=Store(folder), max_tokens=MAX_TOKENS, precision=precision, show_progress=False
        )
        return selectit.score(features.rating_logits(prompts))


if __name__ == "__main__":
    for line in [*compare(), *growth([1_000, 10_000])]:
        print(line)
