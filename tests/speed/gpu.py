"""Scoring on a GPU, batches against one row at a time: `python -m tests.speed.gpu`, a model of 124 million parameters.

The weights are drawn at random from a config: what is measured is time alone.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace

import torch
from transformers import LlamaConfig, LlamaForCausalLM

from analysis.features.features import Features
from analysis.methods import calls
from analysis.models.language_model import LanguageModel, fingerprint_weights, load_model
from analysis.pools import load_pool
from analysis.store.store import Store
from tests.speed.limits import FORWARD, TRAINING, limit
from tests.speed.run import machine, seconds, table

LARGE = {"hidden_size": 1_024, "intermediate_size": 2_816, "num_hidden_layers": 10, "num_attention_heads": 16}
OPERATIONS = {"cross_entropy": FORWARD, "ifd": FORWARD, "less": TRAINING}


def random_model(device: str, **settings) -> LanguageModel:
    """A Llama of random weights with the tokenizer of an embedded base."""
    known = load_model("tiny-weak", weights=False)
    config = LlamaConfig(
        vocab_size=len(known.tokenizer), max_position_embeddings=2_048, pad_token_id=known.tokenizer.pad_token_id,
        **LARGE | settings,
    )  # fmt: skip
    torch.manual_seed(0)
    model = LlamaForCausalLM(config).to(device).eval()
    fingerprint = fingerprint_weights(model, known.tokenizer)
    return replace(known, model=model, name="random", fingerprint=fingerprint, device=torch.device(device))


def compared(base: LanguageModel, rows: int, one_by_one: int) -> list[dict]:
    """Seconds per method in batches, a row at a time (on fewer rows, multiplied), and at least, per precision."""
    lines = []
    for method in OPERATIONS:
        for precision in ("float32", "bfloat16"):
            few, _ = _seconds(base, method, one_by_one, precision, tokens_per_batch=1)
            ours, tokens = _seconds(base, method, rows, precision)
            where = {"device": base.device.type, "dtype": getattr(torch, precision)}
            least = limit(base.model.num_parameters(), tokens, OPERATIONS[method], **where)
            slow = few * rows / one_by_one
            line = {"method": method, "precision": precision, "rows": f"{rows:,}", "one by one s": seconds(slow)}
            line |= {"batches s": seconds(ours), "limit s": seconds(least), "ratio": f"{slow / ours:.1f}", "note": ""}
            lines.append(line)
    return lines


def _seconds(base: LanguageModel, method: str, rows: int, precision: str, **settings) -> tuple[float, int]:
    with tempfile.TemporaryDirectory() as folder:
        pool = load_pool("curated", limit=rows)
        features = Features(pool, base, store=Store(folder), precision=precision, show_progress=False, **settings)
        tokens = int(features.lengths().total.sum())
        features.embed(features.messages(0, 8))  # what torch sets up once
        started = time.perf_counter()
        calls.select(method, features, max(rows // 20, 1), seed=0)
        return time.perf_counter() - started, tokens


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print, or say that there is no GPU."""
    parser = argparse.ArgumentParser(prog="python -m tests.speed.gpu", description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=5_000)
    parser.add_argument("--one-by-one", type=int, default=500, help="rows that are read one at a time")
    options = parser.parse_args(arguments)
    if not torch.cuda.is_available():
        print("no GPU here: not measured")
        return 0
    base = random_model("cuda")
    print(f"{machine()}; {base.model.num_parameters() / 1e6:.0f} million parameters, random weights", flush=True)
    print(table(compared(base, options.rows, options.one_by_one)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
