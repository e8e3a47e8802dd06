"""Checkpoints of a training that takes long, from which it goes on where it was stopped."""

import json
import time
import warnings
from pathlib import Path

import torch
from accelerate.utils import broadcast_object_list
from transformers import TrainerCallback
from transformers.trainer_utils import PREFIX_CHECKPOINT_DIR

from analysis.store.manifests import SUFFIX, check_folder, manifest_of
from analysis.store.store import write_text

SECONDS = "seconds"  # trained so far, in the log of a checkpoint
EVERY = 600.0  # seconds between checkpoints; a training that takes less keeps none


class Checkpoints(TrainerCallback):
    """Has the trainer keep its whole state from time to time, and marks what is whole.

    A folder that was not written to its end has no manifest and is not gone on from; the one before it is still there.
    """

    def __init__(self, every: float | None = None) -> None:
        self.every, self.last = EVERY if every is None else every, time.monotonic()
        self.begun = self.last

    def on_train_begin(self, args, state, control, **others) -> None:
        before = [entry[SECONDS] for entry in state.log_history if SECONDS in entry]
        self.begun = self.last = time.monotonic()
        self.begun -= before[-1] if before else 0.0

    def on_step_end(self, args, state, control, **others):
        due = time.monotonic() - self.last >= self.every and state.global_step < state.max_steps
        # The clocks of processes differ, and all of them save together.
        control.should_save = broadcast_object_list([due])[0] if args.world_size > 1 else due
        if control.should_save:
            state.log_history.append({"step": state.global_step, SECONDS: time.monotonic() - self.begun})
        return control

    def on_save(self, args, state, control, **others) -> None:
        self.last = time.monotonic()
        if args.world_size > 1:  # every process has a file of its own in it
            torch.distributed.barrier()
        if state.is_world_process_zero:
            folder = Path(args.output_dir) / f"{PREFIX_CHECKPOINT_DIR}-{state.global_step}"
            beside = folder.with_name(f"{folder.name}{SUFFIX}")
            write_text(beside, json.dumps(manifest_of(folder), indent=1))


def newest(folder: Path) -> Path | None:
    """The last checkpoint in a folder that is whole, or none; warns of one that is damaged."""
    steps = sorted(
        (int(path.name.rpartition("-")[2]), path) for path in folder.glob(f"{PREFIX_CHECKPOINT_DIR}-*") if path.is_dir()
    )
    for _, path in reversed(steps):
        if not path.with_name(f"{path.name}{SUFFIX}").is_file():
            continue
        try:
            check_folder(path)
        except ValueError as error:
            warnings.warn(f"{path}: {error}; the training goes on from an earlier state", stacklevel=2)
            continue
        return path
    return None
