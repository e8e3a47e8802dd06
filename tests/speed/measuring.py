"""Seconds and memory of a step."""

import threading
import time
from collections.abc import Callable

import psutil

LINE = "{:<24}{:>12}{:>12}"


def measured(step: Callable[[], object]) -> tuple[float, float]:
    """Seconds of a step and the most memory of this process meanwhile, in GiB, with what is its children's own."""
    process, done = psutil.Process(), threading.Event()
    peak = process.memory_info().rss

    def watch() -> None:
        nonlocal peak
        while not done.wait(0.05):
            peak = max(peak, process.memory_info().rss + sum(map(_own, process.children())))

    watcher, started = threading.Thread(target=watch), time.perf_counter()
    watcher.start()
    try:
        step()
    finally:
        done.set()
        watcher.join()
    return time.perf_counter() - started, max(peak, process.memory_info().rss) / 2**30


def _own(child: psutil.Process) -> int:
    """Bytes that it shares with no other process; 0 once it has ended."""
    try:
        return child.memory_full_info().uss
    except psutil.Error:
        return 0
