"""Notes in JSON that one process leaves for another: whole and of the expected form, or set aside."""

import json
from collections.abc import Mapping
from pathlib import Path

from analysis.store.store import set_aside

FINDINGS = {"report": str, "findings": list, "figures": list, "parameters": dict, "provenance": dict}
OUTDATED = "ANALYSIS_OUTDATED"  # environment variable by which the runner names pages to leave out, as a JSON list


def read_note(path: Path, wanted: Mapping[str, type], then: str = "left out") -> dict | None:
    """A note that has every wanted name with a value of its type; None where there is no such file.

    A damaged one is moved aside (`.damaged`) with a warning that names it and says what happens `then`, and counts as absent.
    """
    try:
        note = json.loads(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (ValueError, RecursionError) as error:
        return set_aside(path, error, then)
    for name, kind in wanted.items():
        found = note.get(name) if isinstance(note, dict) else note
        if not isinstance(note, dict) or not isinstance(found, kind):
            return set_aside(path, ValueError(f"{name}: expected {kind.__name__}, found {type(found).__name__}"), then)
    return note
