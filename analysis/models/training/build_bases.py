"""Train the embedded bases from scratch: `python -m analysis.models.training.build_bases [tiny-weak] [tiny-strong]`."""

import argparse
import csv
import json
import shutil
from dataclasses import replace
from itertools import islice
from pathlib import Path

import torch

from analysis.models.training.pretraining import Architecture, Pretraining, describe, pretrain, train_tokenizer
from analysis.paths import BASES
from analysis.pools.testbed.plain_text import documents
from analysis.pools.testbed.world import WORLD_VERSION

SEED = 0
VOCABULARY = 2048
RECIPES = {
    "tiny-weak": (
        Architecture(hidden=128, layers=4, heads=4, intermediate=352),
        Pretraining(tokens=14_000_000),
    ),
    "tiny-strong": (
        Architecture(hidden=192, layers=5, heads=6, intermediate=512),
        Pretraining(tokens=20_000_000),
    ),
}
# Rungs below tiny-weak: its recipe with fewer tokens. Each reads the same text in the same order at the same rate until
# its own decay begins, so it is a checkpoint of that run whose learning rate was brought to zero as tiny-weak's was.
LADDER = {
    f"tiny-weak-{millions}M": (
        RECIPES["tiny-weak"][0],
        replace(RECIPES["tiny-weak"][1], tokens=int(millions * 1_000_000)),
    )
    for millions in (0.5, 1, 2, 5)
}


def build(name: str, folder: Path) -> None:
    """Train one base on the world's plain text and write it as a folder that `transformers` loads."""
    architecture, settings = (RECIPES | LADDER)[name]
    tokenizer = train_tokenizer(islice(documents(SEED), 30_000), VOCABULARY)
    arithmetic = torch.float32 if name in LADDER else torch.bfloat16
    model, log = pretrain(documents(SEED + 1), tokenizer, architecture, settings, seed=SEED, arithmetic=arithmetic)
    partial = folder.with_name(f"{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    # Half the bytes either way; read back as float32.
    model.to(torch.bfloat16 if name in LADDER else torch.float16).save_pretrained(partial)
    tokenizer.save_pretrained(partial)
    record = describe(architecture, settings, SEED) | {"world_version": WORLD_VERSION}
    record |= {"arithmetic": "float32"} if name in LADDER else {}
    (partial / "recipe.json").write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    with (partial / "training_log.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fieldnames=list(log[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(log)
    shutil.rmtree(folder, ignore_errors=True)
    partial.rename(folder)


def main() -> None:
    known = [*RECIPES, *LADDER]
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(known))
    parser.add_argument("--ladder", action="store_true", help=f"build {', '.join(LADDER)}")
    parser.add_argument("--folder", type=Path, default=BASES, help="where to write them (default: %(default)s)")
    arguments = parser.parse_args()
    if unknown := [name for name in arguments.names if name not in known]:
        parser.error(f"unknown base {', '.join(unknown)}; expected {' or '.join(known)}")
    ladder = list(LADDER) if arguments.ladder else []
    for name in arguments.names + ladder or RECIPES:
        build(name, arguments.folder / name)


if __name__ == "__main__":
    main()
