"""What a notebook would train, found by its own lines on workbenches that have no rows: nothing is read, asked or trained."""

import ast
import inspect
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np

from analysis.experiments import designed, factorial, grid, length_designs, workbench
from analysis.experiments.results import EQUAL_ROWS, EQUAL_TOKENS, Run
from analysis.experiments.workbench import ROWS_PER_BUDGET, Workbench, stream
from analysis.methods import BASE, RANDOM, Selection, parse
from analysis.models.training.finetuning import FineTuning
from analysis.models.training.pool_base import SEQUENCE_LENGTH
from analysis.pools.testbed import RECIPES
from analysis.runner.run_keys import pool_key, run_key

TRAINING = ("run", "run_all")  # what a line calls that trains: `grid.run`, and that of a notebook's topic
ASKING = (*TRAINING, "select", "prepare")
UNSEEN = ("report", "style")  # they write; a line that needs them is not followed


@dataclass
class Planned:
    """What a notebook would make.

    Attributes
    ----------
    runs : by what a run depends on, the workbench and the run, each once.
    selections : by what a selection depends on, the workbench of its part, the method and the budget.
    works : every workbench.
    unknown : why some of its runs could not be counted, or "".
    """

    runs: dict[str, tuple[Workbench, Run]] = field(default_factory=dict)
    selections: dict[str, tuple[Workbench, str, int]] = field(default_factory=dict)
    works: list[Workbench] = field(default_factory=list)
    trainings: int = 0  # calls that train
    unknown: str = ""

    @property
    def at_most(self) -> bool:
        """Whether some of the runs are only made where a method's rows have other tokens than random's."""
        return any(run.design == EQUAL_TOKENS for _, run in self.runs.values())


@dataclass(frozen=True)
class Rows:
    """The pool of an outline: how many rows, and none of them."""

    count: int
    name: str
    has_truth: bool

    def __len__(self) -> int:
        return self.count


@dataclass(frozen=True)
class Outline(Workbench):
    """A workbench that only notes what is asked of it; any rows stand for the selected ones."""

    planned: Planned = field(default_factory=Planned, compare=False)

    def smaller(self, n_rows: int) -> "Outline":
        first, *others = [replace(part, pool=replace(part.pool, count=n_rows), others=()) for part in self.parts]
        return replace(first, others=tuple(others), prepared=self.prepared | {"n_rows": n_rows})

    def select(self, method: str, budget: int, *, number: int = 0, budget_unit: str = "rows") -> Selection:
        again = number if parse(method)[0] == RANDOM else 0
        key = json.dumps([pool_key(self.prepared), self.part, method, budget, again, budget_unit])
        self.planned.selections[key] = (self, method, budget)
        return Selection(np.arange(budget), np.arange(len(self.pool), dtype=float), {}, 0.0)


def outline(notebook: Path, parameters: Mapping, parts_of: Callable[[dict, int], list[int]]) -> Planned:
    """What a notebook would make with these parameters.

    Of its lines those are followed that train or select, and those before that give them names; random rows stand for
    selected ones. A line that asks for more ends what can be counted, which `Planned.unknown` says.

    Parameters
    ----------
    parts_of : rows of every part of a pool, by the arguments of `prepare` and the fewest rows that a part needs.
    """
    cells = [cell for cell in json.loads(notebook.read_text(encoding="utf-8"))["cells"] if cell["cell_type"] == "code"]
    own = [cell for cell in cells if "parameters" in cell["metadata"].get("tags", [])]
    names: dict = {}
    for cell in own:
        exec("".join(cell["source"]), names)
    names |= parameters
    lines = [line for cell in cells if cell not in own for line in _parsed("".join(cell["source"]))]
    followed, wanted = _followed(lines)
    for line in followed:
        if isinstance(line, ast.Import | ast.ImportFrom):
            _execute(line, names)
    names |= dict.fromkeys(UNSEEN)
    planned = Planned()
    with _replaced(_without_rows(planned, parts_of)):
        for line in followed:
            if not isinstance(line, ast.Import | ast.ImportFrom):
                _follow(line, names, wanted, planned)
    return planned


def _parsed(source: str) -> list[ast.stmt]:
    return ast.parse("\n".join("" if line.startswith(("%", "!")) else line for line in source.splitlines())).body


def _followed(lines: list[ast.stmt]) -> tuple[list[ast.stmt], set[str]]:
    """The lines that train or select and all before that set a name they read; and these names."""
    followed, wanted = [], set()
    for line in reversed(lines):
        if _calls(line, ASKING) or _sets(line) & wanted:
            followed.insert(0, line)
            wanted |= {node.id for node in ast.walk(line) if isinstance(node, ast.Name)}
    return followed, wanted


def _calls(line: ast.stmt, names: tuple[str, ...]) -> int:
    calls = (node.func for node in ast.walk(line) if isinstance(node, ast.Call))
    return sum(isinstance(function, ast.Attribute) and function.attr in names for function in calls)


def _sets(line: ast.stmt) -> set[str]:
    names = {node.id for node in ast.walk(line) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    names |= {(one.asname or one.name).split(".")[0] for node in ast.walk(line)
              if isinstance(node, ast.Import | ast.ImportFrom) for one in node.names}  # fmt: skip
    return names | {node.value.id for node in ast.walk(line) if isinstance(node, ast.Subscript)
                    and isinstance(node.ctx, ast.Store) and isinstance(node.value, ast.Name)}  # fmt: skip


def _follow(line: ast.stmt, names: dict, wanted: set[str], planned: Planned) -> None:
    """Execute a line; of a branch those lines that matter. Whatever fails leaves its names unset."""
    expected = planned.trainings + _calls(line, TRAINING)
    try:
        if isinstance(line, ast.If):
            chosen = eval(compile(ast.Expression(line.test), "notebook", "eval"), names)
            for one in line.body if chosen else line.orelse:
                if _calls(one, ASKING) or _sets(one) & wanted:
                    _follow(one, names, wanted, planned)
        elif paired := _pairs(line):
            for one in paired:
                _follow(one, names, wanted, planned)
        else:
            _execute(line, names)
    except Exception as error:  # it asks for rows or results, which there are none of
        if planned.trainings < expected:
            planned.unknown = planned.unknown or f"{type(error).__name__}: {error}"


def _pairs(line: ast.stmt) -> list[ast.stmt]:
    """`a, b = x, y` as two lines, of which one may fail; else none."""
    if (
        not isinstance(line, ast.Assign)
        or not isinstance(line.value, ast.Tuple)
        or not isinstance(line.targets[0], ast.Tuple)
    ):
        return []
    pairs = zip(line.targets[0].elts, line.value.elts, strict=True)
    return [ast.fix_missing_locations(ast.copy_location(ast.Assign([target], value), line)) for target, value in pairs]


def _execute(line: ast.stmt, names: dict) -> None:
    exec(compile(ast.Module([line], []), "notebook", "exec"), names)


def _without_rows(planned: Planned, parts_of: Callable[[dict, int], list[int]]) -> dict[Callable, Callable]:
    """By each function that needs rows, what stands for it."""
    signature = inspect.signature(workbench.prepare)

    def prepare(*given, **options) -> Outline:
        bound = signature.bind(*given, **options)
        bound.apply_defaults()
        told = {
            name: value for name, value in bound.arguments.items() if name not in ("base", "store", "show_progress")
        }
        budget, limits = told["budget"], {"max_tokens": SEQUENCE_LENGTH} if told["model"] == "scratch" else {}
        fewest = ROWS_PER_BUDGET * max([budget] if isinstance(budget, int) else budget)
        settings, base = FineTuning(**(limits | (told["finetuning"] or {}))), SimpleNamespace(name=told["model"])
        first, *others = [
            Outline(Rows(count, told["pool"], told["pool"] in RECIPES), base, None, None, settings, told["seed"], number,
                    prepared=told, planned=planned)
            for number, count in enumerate(parts_of(told, fewest))
        ]  # fmt: skip
        planned.works.append(replace(first, others=tuple(others)))
        return planned.works[-1]

    def train(work, runs, *, with_base=False, show_progress=True) -> object:
        planned.trainings += 1
        base = [Run(BASE, 0, 0, 0, np.zeros(0, dtype=np.int64))] if with_base and len(runs) else []
        for run in [*base, *runs]:
            planned.runs.setdefault(run_key(work, run), (work, run))
        return object()

    def runs_of(work, name, choose, budget, *, repeats=1, design=EQUAL_ROWS) -> list[Run]:
        runs = []
        for repeat in range(repeats):
            for place, part in enumerate(work.parts):
                with suppress(Exception):  # only for the selections that it asks for
                    choose(part, np.random.default_rng(0))
                seed = stream(work.seed, "training, method", part.part, repeat, 0)
                rows = np.arange(budget)
                runs.append(Run(name, budget, repeat * len(work.parts) + place, seed, rows, 0.0, part.part, design))
        return runs

    def at_equal_tokens(work, runs, alike=0.8) -> list[Run]:
        methods = dict.fromkeys((run.method, run.budget) for run in runs if run.method != RANDOM)
        return [run for method, budget in methods
                for run in runs_of(work, method, lambda *_: None, budget, design=EQUAL_TOKENS)]  # fmt: skip

    return {
        workbench.prepare: prepare, grid.run: train, grid.at_equal_tokens: at_equal_tokens, designed.runs_of: runs_of,
        factorial.known: lambda pool: None, length_designs.random_tokens: lambda work, runs, budget: 0,
    }  # fmt: skip


@contextmanager
def _replaced(instead: Mapping[Callable, Callable]) -> Iterator[None]:
    """Functions replaced wherever a module of the suite names them."""
    places = [
        (module, name, value)
        for module in [one for name, one in sys.modules.items() if name.startswith("analysis.")]
        for name, value in list(vars(module).items())
        if inspect.isfunction(value) and value in instead
    ]
    try:
        for module, name, value in places:
            setattr(module, name, instead[value])
        yield
    finally:
        for module, name, value in places:
            setattr(module, name, value)
