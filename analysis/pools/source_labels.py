"""Short names for the sources of a pool, which tell them apart."""

import re
from collections import Counter

OTHER = "all other"


def source_labels(sources, longest: int = 32) -> dict[str, str]:
    """A short label for every source: the end of its name, and as much before it as tells it from all others."""
    full = {
        str(source): re.sub(r"\.(jsonl?|csv|parquet|zip|gz)\b", "", str(source)) or str(source) for source in sources
    }
    parts = {source: re.split(r"[/:]", name) for source, name in full.items()}
    labels, depth = {}, 0
    while len(labels) < len(parts):
        depth += 1
        ends = {source: "/".join(parts[source][-depth:]) for source in parts if source not in labels}
        shared = Counter(ends.values())
        spent = depth >= max(len(parts[source]) for source in ends)
        labels |= {source: source if spent and shared[end] > 1 else end for source, end in ends.items()
                   if shared[end] == 1 or spent}  # fmt: skip
    cut = {source: label if len(label) <= longest else f"…{label[1 - longest :]}" for source, label in labels.items()}
    times = Counter(cut.values())
    return {source: label if times[label] == 1 else labels[source] for source, label in cut.items()}
