"""Sets the environment before any test file imports torch, whose threads would otherwise busy-wait."""

import analysis  # noqa: F401
