"""Processes that work beside one another, and end when the one that started them does."""

import os
import threading
import time


def end_with(parent: int) -> None:
    """Let this process end within a second of its parent, killed even: it would else go on with what is left."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
