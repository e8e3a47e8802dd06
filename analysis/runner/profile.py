"""One YAML file of values for the notebooks, read and checked."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from analysis.paths import NOTEBOOKS, PROFILES
from analysis.runner.checks import check_mapping, check_name
from analysis.runner.parameters import read_yaml

KEYS = ("parameters", "own_pool", "notebooks", "jobs", "first")


@dataclass(frozen=True)
class Profile:
    """One YAML file: values for all notebooks, and per notebook its own or its variants (False: not run)."""

    name: str
    parameters: dict
    notebooks: dict
    jobs: int = 1  # notebooks at the same time, where the command line does not say
    own_pool: dict = field(default_factory=dict)  # values that stand instead where the pool is not of the testbed
    first: tuple[str, ...] = ()  # notebooks that start before the others: the longest, whose runs the others share


def profile_names() -> list[str]:
    return sorted(path.stem for path in PROFILES.glob("*.yaml"))


def load_profile(name: str) -> Profile:
    """A profile by name, or by the path of a `.yaml` file. ValueError names what is wrong in it."""
    path = Path(name) if name.endswith(".yaml") else PROFILES / f"{name}.yaml"
    if not path.is_file():
        raise ValueError(f"unknown profile {name!r}; known: {', '.join(profile_names())}, or the path of a .yaml file")
    try:
        content = check_mapping(read_yaml(path.read_text(encoding="utf-8")), f"{path}: its content")
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(f"{path}: expected YAML in UTF-8, found {' '.join(str(error).split())}") from error
    extra = sorted(set(content) - set(KEYS))
    if extra:
        raise ValueError(f"{path}: unknown key {extra[0]!r}; expected {', '.join(KEYS)}")
    parameters = check_mapping(content.get("parameters"), f"{path}: parameters")
    own_pool = check_mapping(content.get("own_pool"), f"{path}: own_pool")
    notebooks = check_mapping(content.get("notebooks"), f"{path}: notebooks")
    notebooks = {
        stem: own if own is False else _variants(own, f"{path}: notebooks: {stem}") for stem, own in notebooks.items()
    }
    jobs = 1 if content.get("jobs") is None else content["jobs"]
    if isinstance(jobs, bool) or not isinstance(jobs, int) or jobs < 1:
        raise ValueError(f"{path}: jobs is {jobs!r}; expected a whole number from 1 up")
    first = content.get("first") or []
    suite = sorted(notebook.stem for notebook in NOTEBOOKS.glob("*.ipynb"))
    if not isinstance(first, list) or not all(one in suite for one in first):
        raise ValueError(f"{path}: first is {first!r}; expected a list of names out of {', '.join(suite)}")
    return Profile(path.stem, parameters, notebooks, jobs, own_pool, tuple(first))


def _variants(own: object, where: str) -> list[dict]:
    """The variants of a notebook; one where the profile has only values for it."""
    variants = [own] if own is None or isinstance(own, Mapping) else own
    if not isinstance(variants, list):
        raise ValueError(f"{where}: expected values, a list of variants, or false; got {own!r}")
    variants = [check_mapping(one, f"{where}: expected values, a list of variants, or false; one") for one in variants]
    names = [check_name(one["name"], f"{where}: name") for one in variants if "name" in one]
    if not variants or (len(variants) > 1 and len(set(names)) < len(variants)):
        raise ValueError(f"{where}: every variant needs a `name` of its own; found {', '.join(names) or 'none'}")
    return variants
