"""How much memory this process has needed."""

import sys

try:
    import resource
except ImportError:  # Windows
    resource = None


def resident_gib() -> float:
    """The most memory that this process has had so far."""
    if resource is None:
        return float("nan")
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024) / 2**30
