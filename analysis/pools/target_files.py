"""Targets that a user has in a file; read apart from `targets`, so that no method's code holds the shapes of files."""

from analysis.pools.files import find_files
from analysis.pools.how_to_read import split_name
from analysis.pools.loading import load_pool
from analysis.pools.pool import Messages, Pool
from analysis.pools.targets import NAMES, by_source


def load_target_file(name: str) -> dict[str, list[Messages]]:
    """Target conversations of a file, folder or pattern that `load_pool` reads, by the source of its rows.

    Raises
    ------
    ValueError
        No such file (lists what `load_targets` knows).
    """
    return by_source(_read(name).rows)


def fingerprint(name: str | None) -> str | None:
    """What selections with targets of a file depend on; none where the targets are no file's."""
    return None if name is None or name in NAMES else _read(name).fingerprint


def _read(name: str) -> Pool:
    try:
        find_files(split_name(name)[0])
    except FileNotFoundError as error:
        known = ", ".join(map(repr, NAMES))
        raise ValueError(f"targets: expected one of {known}, or a file of target rows, found {name!r}") from error
    return load_pool(name, held_out_share=0)
