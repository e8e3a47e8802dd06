"""What a model is trained on: token ids with labels on the answers, in padded batches."""

from collections import Counter
from collections.abc import Sequence
from itertools import chain

import torch
from torch.nn.utils.rnn import pad_sequence

from analysis.models.encoding import Encoded

IGNORED = -100  # the label that torch's cross-entropy leaves out
NO_ANSWER_LEFT = "no answer token within max_tokens"


def training_examples(encoded: Sequence[Encoded]) -> tuple[list[dict], Counter]:
    """Ids and labels of the rows that have an answer token, and the number of other rows by reason.

    Labels are the ids of answer contents and end tokens, and `IGNORED` elsewhere. Position 0 is never
    learned, as nothing stands before it.
    """
    examples, dropped = [], Counter()
    for row in encoded:
        labels = [IGNORED] * len(row.ids)
        for start, end in row.spans:
            labels[start:end] = row.ids[start:end]
        labels[0] = IGNORED
        if all(label == IGNORED for label in labels):
            dropped[NO_ANSWER_LEFT] += 1
            continue
        for end in row.ends:
            if end is not None:
                labels[end] = row.ids[end]
        n_learned = sum(label != IGNORED for label in labels)
        examples.append({"input_ids": row.ids, "labels": labels, "n_learned": n_learned})
    return examples, dropped


@torch.inference_mode()
def rows_stay_apart(model) -> bool:
    """Whether rows laid end to end, each with positions from 0, give a causal model the logits they have alone.

    Not every architecture masks them from each other, and one that does not would learn from the wrong rows.
    """
    n_tokens = model.get_input_embeddings().weight.shape[0]
    rows = [[(first + place) % n_tokens for place in range(length)] for first, length in ((2, 7), (9, 4), (13, 3))]
    batch = EndToEnd(0)([{"input_ids": row, "labels": row} for row in rows])  # the second line holds two rows
    alone = [model(input_ids=torch.tensor([row], device=model.device), use_cache=False).logits[0] for row in rows]
    ids, positions = (batch[name].to(model.device) for name in ("input_ids", "position_ids"))
    together = model(input_ids=ids, position_ids=positions, use_cache=False).logits.flatten(0, 1)
    return torch.allclose(torch.cat(alone).float(), together.float(), rtol=1e-2, atol=1e-2)


class Padding:
    """Rows to tensors, padded on the right: attention is causal, so no mask is needed and none is given."""

    def __init__(self, pad_id: int) -> None:
        self.fill = {"input_ids": pad_id, "labels": IGNORED}

    def __call__(self, examples: list[dict]) -> dict[str, torch.Tensor]:
        return {
            name: pad_sequence([torch.tensor(row[name]) for row in examples], True, fill)
            for name, fill in self.fill.items()
        }


class EndToEnd:
    """Rows to tensors, laid end to end in as few lines as the longest row allows, with positions from 0 in each row.

    One line for all rows would cost attention the square of their sum; a line for each would be mostly padding.
    """

    def __init__(self, pad_id: int) -> None:
        self.fill = {"input_ids": pad_id, "labels": IGNORED, "position_ids": 0}

    def __call__(self, examples: list[dict]) -> dict[str, torch.Tensor]:
        lines = lay_end_to_end([len(example["input_ids"]) for example in examples])
        rows = {name: [example[name] for example in examples] for name in ("input_ids", "labels")}
        rows["position_ids"] = [range(len(example["input_ids"])) for example in examples]
        laid = {name: [list(chain(*(of[row] for row in line))) for line in lines] for name, of in rows.items()}
        return {name: pad_sequence([torch.tensor(line) for line in laid[name]], True, fill)
                for name, fill in self.fill.items()}  # fmt: skip


def lay_end_to_end(lengths: Sequence[int]) -> list[list[int]]:
    """Numbers of the rows in each line: the longest rows first, each in the first line where it still fits."""
    room, lines = [], []
    for row in sorted(range(len(lengths)), key=lambda row: -lengths[row]):
        place = next((place for place, left in enumerate(room) if left >= lengths[row]), len(lines))
        if place == len(lines):
            lines.append([])
            room.append(max(lengths))
        lines[place].append(row)
        room[place] -= lengths[row]
    return lines
