"""Train the embedded bases from scratch: `python -m analysis.models.training.build_bases [tiny-weak] [tiny-strong]`."""

import argparse
import csv
import json
import shutil
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


def build(name: str, folder: Path) -> None:
    """Train one base on the world's plain text and write it as a folder that `transformers` loads."""
    architecture, settings = RECIPES[name]
    tokenizer = train_tokenizer(islice(documents(SEED), 30_000), VOCABULARY)
    model, log = pretrain(documents(SEED + 1), tokenizer, architecture, settings, seed=SEED)
    partial = folder.with_name(f"{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    model.to(torch.float16).save_pretrained(partial)  # half the bytes; read back as float32
    tokenizer.save_pretrained(partial)
    record = describe(architecture, settings, SEED) | {"world_version": WORLD_VERSION}
    (partial / "recipe.json").write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    with (partial / "training_log.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fieldnames=list(log[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(log)
    shutil.rmtree(folder, ignore_errors=True)
    partial.rename(folder)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", default=list(RECIPES), metavar="NAME", help=", ".join(RECIPES))
    parser.add_argument("--folder", type=Path, default=BASES, help="where to write them (default: %(default)s)")
    arguments = parser.parse_args()
    if unknown := [name for name in arguments.names if name not in RECIPES]:
        parser.error(f"unknown base {', '.join(unknown)}; expected {' or '.join(RECIPES)}")
    for name in arguments.names:
        build(name, arguments.folder / name)


if __name__ == "__main__":
    main()
