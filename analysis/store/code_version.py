"""What a stored result depends on in the code of this package: read from its imports, never listed by hand."""

import ast
import hashlib
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from analysis.paths import ROOT

# How results are kept, and what methods are called: none of these changes a number.
INFRASTRUCTURE = ("analysis", "analysis.paths", "analysis.store", "analysis.methods.catalogue")
KEY_LENGTH = 24


def code_version(*modules: str, root: Path = ROOT) -> str:
    """24 hex digits of what modules and all that they import inside the package do.

    Docstrings, comments, and the names and places of modules change nothing. A change to a file after it was read
    first is not seen by this process, which runs the code that it has loaded.

    Parameters
    ----------
    modules : full names, such as `__name__`.
    root : folder that holds the package.

    Raises
    ------
    ValueError
        A name is no module of the package.
    """
    versions = sorted(_version(name, root) for name in modules_behind(*modules, root=root))
    return hashlib.sha256("\n".join(versions).encode()).hexdigest()[:KEY_LENGTH]


def own_code(module: str, root: Path = ROOT) -> str:
    """Hash of what one module does, without what it imports."""
    return _source(module, root).code


def modules_behind(*modules: str, root: Path = ROOT) -> set[str]:
    """Full names of the modules and of all that they import, directly or not, without `INFRASTRUCTURE`."""
    seen, left = set(), list(modules)
    while left:
        name = left.pop()
        if name not in seen:
            seen.add(name)
            left += [target for target in _source(name, root).targets if not _is_infrastructure(target)]
    return seen


@dataclass(frozen=True)
class _Source:
    """A parsed module: its own code without imports and docstrings, and what it imports from the package.

    A module that is imported stands in the code by its number in `used`; `names` are what is imported out of modules.
    """

    code: str
    used: tuple[str, ...]
    names: tuple[tuple[str, str], ...]

    @property
    def targets(self) -> set[str]:
        return {*self.used, *(module for _, module in self.names)}


def _version(name: str, root: Path) -> str:
    """A module's own code, with the code of whatever each imported name stands for."""
    source = _source(name, root)
    code = {module: "" if _is_infrastructure(module) else _source(module, root).code for module in source.targets}
    used = [code[module] for module in source.used]
    names = sorted((imported, code[module]) for imported, module in source.names)
    return hashlib.sha256(repr((source.code, used, names)).encode()).hexdigest()


@cache
def _source(name: str, root: Path) -> _Source:
    file = _file(name, root)
    if file is None:
        raise ValueError(f"code_version: expected a module of the package in {root}, found {name!r}")
    tree = ast.parse(file.read_text(encoding="utf-8"), str(file))
    modules, names = {}, set()
    for statement, alias in _imports(tree):
        module, known_as = getattr(statement, "module", None), alias.asname or alias.name
        whole = f"{module}.{alias.name}" if module else alias.name
        if _file(whole, root) is not None:
            modules[known_as] = whole
        else:
            names.add((f"{alias.name} as {known_as}", module))
    numbers: dict[str, int] = {}
    for node in ast.walk(tree):
        _without_docstring_and_imports(node)
        if isinstance(node, ast.Name) and node.id in modules:
            node.id = f"module {numbers.setdefault(node.id, len(numbers))}"
    used = [*numbers, *sorted(set(modules) - set(numbers))]
    code = hashlib.sha256(_dumped(tree).encode()).hexdigest()
    return _Source(code, tuple(modules[known_as] for known_as in used), tuple(sorted(names)))


def _dumped(tree: ast.Module) -> str:
    """The tree as Python 3.11 dumps it: 3.12 adds type parameters and empty texts, and 3.13 leaves empty lists out."""
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            node.values = [one for one in node.values if not (isinstance(one, ast.Constant) and one.value == "")]
        if getattr(node, "type_params", None) == []:
            del node.type_params
    return ast.dump(tree, **({"show_empty": True} if sys.version_info >= (3, 13) else {}))


def _imports(tree: ast.Module) -> Iterator[tuple[ast.stmt, ast.alias]]:
    for node in ast.walk(tree):
        if _is_internal_import(node):
            yield from ((node, alias) for alias in node.names)


def _is_internal_import(node: ast.AST) -> bool:
    if isinstance(node, ast.ImportFrom):
        return node.level > 0 or (node.module or "").split(".")[0] == "analysis"
    return isinstance(node, ast.Import) and any(alias.name.split(".")[0] == "analysis" for alias in node.names)


def _without_docstring_and_imports(node: ast.AST) -> None:
    body = getattr(node, "body", None)
    if not isinstance(body, list):
        return
    documented = isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
    if documented and ast.get_docstring(node) is not None:
        body = body[1:]
    node.body = [statement for statement in body if not _is_internal_import(statement)]


def _is_infrastructure(name: str) -> bool:
    return name in INFRASTRUCTURE or name.startswith("analysis.store.")


@cache
def _file(name: str, root: Path) -> Path | None:
    place = root.joinpath(*name.split("."))
    return next((file for file in (place.with_suffix(".py"), place / "__init__.py") if file.is_file()), None)
