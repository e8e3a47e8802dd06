"""Processes of one launch (`torchrun`, `accelerate launch`): all do the same in step, and the first keeps the store."""

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

Made = TypeVar("Made")
PATIENCE = 600  # seconds that a process waits for a file of the first one


def is_one_of_several() -> bool:
    """Whether this process was launched together with others."""
    return int(os.environ.get("WORLD_SIZE", "1")) > 1


def is_first() -> bool:
    """Whether this process was launched alone, or first of several."""
    return not is_one_of_several() or os.environ.get("RANK", "0") == "0"


def from_first(make: Callable[[], Made], *, cpu: bool) -> Made:
    """What the first process makes, in every process of the launch; the others wait for it.

    Parameters
    ----------
    cpu : whether the processes train on the CPU.
    """
    if not is_one_of_several():
        return make()
    from accelerate.state import PartialState
    from accelerate.utils import broadcast_object_list

    PartialState(cpu=cpu)  # connects the processes
    return broadcast_object_list([make() if is_first() else None])[0]


def wait_for(file: Path) -> None:
    """Wait until the first process of the launch has written a file.

    Raises
    ------
    TimeoutError
        It does not appear within `PATIENCE` seconds.
    """
    last = time.monotonic() + PATIENCE
    while not file.exists():
        if time.monotonic() > last:
            raise TimeoutError(
                f"{file}: expected from the first process of this launch, not there after {PATIENCE} seconds; "
                "all processes must see one folder of results"
            )
        time.sleep(0.05)
