"""The house: a room imports only rooms that stand before it, and the rooms of pure arithmetic stay pure."""

import ast
import importlib
import pkgutil

import pytest

import analysis
from analysis.paths import PACKAGE

ROOMS = tuple(
    "paths store pools models features methods subsets experiments statistics reporting runner compare select".split()
)
PURE = {"methods": "", "subsets": "pandas", "statistics": "pandas"}  # what each may import of `HEAVY`
HEAVY = tuple("torch transformers peft datasets pandas matplotlib seaborn pathlib os io".split())
FILES = [file for file in sorted(PACKAGE.rglob("*.py")) if file != PACKAGE / "__init__.py"]


def imported(file):
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(PACKAGE)))
def test_a_room_imports_only_rooms_before_it(file):
    room = file.relative_to(PACKAGE).parts[0].removesuffix(".py")
    for name in imported(file):
        first, *rest = name.split(".")
        assert first != "analysis" or ROOMS.index(rest[0]) <= ROOMS.index(room), f"{room} imports {name}"
        assert room not in PURE or first not in HEAVY or first in PURE[room].split(), f"{room} imports {first}"


def test_a_topic_imports_no_other_topic():
    for file in (PACKAGE / "reporting" / "topics").glob("*.py"):
        assert not [name for name in imported(file) if name.startswith("analysis.reporting.topics")], file.name


def test_the_rooms_are_all_that_stands_at_the_top():
    found = {path.name.removesuffix(".py") for path in PACKAGE.iterdir()} - {"__init__", "__pycache__"}
    assert found <= set(ROOMS)


def test_tests_mirror_the_rooms():
    others = {"notebooks", "references", "speed", "cases", "browser", "__pycache__"}
    folders = {path.name for path in (PACKAGE.parent / "tests").iterdir() if path.is_dir()}
    assert folders - others <= set(ROOMS)


def test_every_module_finds_what_it_imports():
    """Modules that only one notebook imports included; what an extra brings is imported inside functions."""
    for module in pkgutil.walk_packages(analysis.__path__, "analysis."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
