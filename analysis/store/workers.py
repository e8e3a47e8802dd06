"""Processes that work beside one another, and end when the one that started them does."""

import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType


def end_with(parent: int) -> None:
    """Let this process end within a second of its parent, killed even: it would else go on with what is left."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


@contextmanager
def without_main() -> Iterator[None]:
    """Let the processes that are spawned meanwhile not import the script that asks for them: it would run again in each.

    They can then be sent nothing that the script itself defines.
    """
    main, sys.modules["__main__"] = sys.modules["__main__"], ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main
