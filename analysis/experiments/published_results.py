"""What a published file's runs measured, one comparison at a time, without the pool and the base that they were made with."""

import json
import os
from collections import Counter
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path

from analysis.experiments import grid
from analysis.experiments.remaking import arrays_of
from analysis.experiments.results import EQUAL_ROWS, Results, Run
from analysis.methods import BASE, METHODS, RANDOM
from analysis.models.training.finetuning import FineTuning
from analysis.paths import FIGURES, PUBLISHED
from analysis.store.published import COUNTS, read, record_of

FEWEST_DRAWS = 2  # of random selection at a budget, without which nothing there has a spread to be held against
OF_A_RUN = ("pool", "seed")  # in the settings of a run, what differs between the runs of one comparison
NOT_ASKED = ("budget", "model", "finetuning")  # a comparison may get more budgets; the settings have the others in full
PART = ", part "


@dataclass(frozen=True)
class Comparison:
    """Runs of a published file that are alike in all but method, budget, part and seed: `lines`, as they stand in it.

    Attributes
    ----------
    file : that they come from.
    pool, base : as the file names them; `n_parts` is how many the pool was cut into.
    replaced : runs left out, since the same method, budget, part and draw was made again later.
    """

    file: Path
    pool: str
    base: str
    n_parts: int
    lines: tuple[dict, ...]
    replaced: int = 0

    @property
    def settings(self) -> dict:
        """What every run of it depends on: base, device, fine-tuning, benchmarks, code."""
        return {name: value for name, value in json.loads(self.lines[0]["settings"]).items() if name not in OF_A_RUN}

    @property
    def asked(self) -> dict:
        """Arguments of `workbench.prepare` without those of `NOT_ASKED`; none where not known."""
        return _asked(self.lines[0])

    @property
    def device(self) -> str:
        """Kind of device; those of two kinds are two comparisons."""
        return self.settings.get("device", "cpu")

    @property
    def changed(self) -> dict:
        """Settings of fine-tuning that differ from the defaults, those left out that a default leaves to the device."""
        defaults = {name: value for name, value in asdict(FineTuning()).items() if value is not None}
        return {name: value for name, value in self.settings["settings"].items()
                if name in defaults and value != defaults[name]}  # fmt: skip

    @property
    def described(self) -> dict:
        """All that tells one comparison of a file from another, flat."""
        settings = {name: value for name, value in self.settings.items() if name != "settings"}
        named = {"pool": self.pool, "model": self.base, "parts": self.n_parts, "device": self.device}
        return self.asked | settings | self.settings["settings"] | named

    @cached_property
    def budgets(self) -> list[int]:
        """Those with `FEWEST_DRAWS` random draws and a run of a method; runs at others are not compared."""
        draws = Counter(line["budget"] for line in self.lines if line["method"] == RANDOM)
        methods = {line["budget"] for line in self.lines if line["method"] not in (BASE, RANDOM)}
        return sorted(budget for budget in methods if draws[budget] >= FEWEST_DRAWS)

    @cached_property
    def compared(self) -> list[tuple[dict, dict]]:
        """The lines that are compared, by budget, method and draw, the base first, each with its record."""
        methods = list(dict.fromkeys([BASE, RANDOM, *sorted(line["method"] for line in self.lines)]))
        kept = [line for line in self.lines if line["budget"] in (0, *self.budgets)]
        kept.sort(key=lambda line: (line["budget"], methods.index(line["method"]), line["draw"], line["training_seed"]))
        return [(line, record_of(line)) for line in kept]

    @cached_property
    def results(self) -> Results:
        """What the runs measured; the seconds that a selection took are with no run of a file, and nan.

        Raises
        ------
        ValueError
            There is no base, or no budget with enough random draws and a method (counts what there is).
        """
        if not self.budgets or BASE not in {line["method"] for line, _ in self.compared}:
            counts = Counter(line["method"] for line in self.lines)
            raise ValueError(
                f"{self.file}: a comparison takes a run of the base and, at one budget, {FEWEST_DRAWS} random draws and a run of a "
                f"method; of {self.pool} there are {', '.join(f'{count} of {name}' for name, count in counts.items())}"
            )
        return grid.results_of((_run(line), (record, arrays_of(line))) for line, record in self.compared)

    @cached_property
    def parts_used(self) -> set[int]:
        """Parts of the pool that a run compared here was trained on, counted from 0."""
        return {line["part"] for line, _ in self.compared if line["budget"]}

    @cached_property
    def made_on(self) -> dict[str, int]:
        """How many runs each device made, with its version of torch; "not noted" for runs that do not say."""
        return dict(Counter(record.get("made_on", "not noted") for _, record in self.compared).most_common())

    @property
    def provenance(self) -> str:
        """The file, and the fingerprints of what its runs were made with."""
        pools = {line["part"]: json.loads(line["settings"])["pool"] for line, _ in self.compared}
        parts = ", ".join(f"part {part + 1} {pools[part]}" for part in sorted(pools))
        return f"{self.file.name}; fingerprints: {parts}, base {self.settings['base']}, code {self.settings['code']}"

    @cached_property
    def different_rows(self) -> dict[tuple[str, int], int]:
        """By method and budget, how many different rows of the pool its selections hold together."""
        rows: dict[tuple[str, int], set] = {}
        for line, _ in self.compared:  # parts are disjoint, so part and place tell the rows apart
            own = rows.setdefault((line["method"], line["budget"]), set())
            own.update((line["part"], row) for row in arrays_of(line)["rows"].tolist())
        return {key: len(own) for key, own in rows.items()}


def comparisons(runs: str | Path) -> list[Comparison]:
    """The comparisons of a published file, the one of most runs first; runs of two are never mixed.

    Only runs on rows that a method or chance selected, at equal rows, and of the base are read.

    Parameters
    ----------
    runs : name of a file in `figures/runs`, or a path.

    Raises
    ------
    FileNotFoundError
        No such file (names the places that were looked at).
    ValueError
        It holds no run, or one part of a pool had different rows in different runs.
    """
    file = _file(runs)
    table = read(file)
    lines = table.to_pylist() if len(table) else []
    apart: dict[tuple, list[dict]] = {}
    for line in (line for line in lines if line["kind"] == "runs" and line["settings"]):
        if line["design"] == EQUAL_ROWS and (line["method"] == BASE or line["method"].partition("(")[0] in METHODS):
            apart.setdefault(_alike(line), []).append(line)
    if not apart:
        raise ValueError(f"{file}: expected runs of methods and of random selection, found none")
    found = [_comparison(file, own) for own in apart.values()]
    return sorted(found, key=lambda one: (-len(one.lines), -max(line["made"] for line in one.lines)))


def chosen(runs: str | Path, number: int = 1) -> tuple[Comparison, list[Comparison]]:
    """A comparison of a published file, counted from 1 by size, and the others.

    Raises
    ------
    ValueError
        There are not so many (says how many there are).
    """
    found = comparisons(runs)
    if not 1 <= number <= len(found):
        raise ValueError(f"comparison: expected 1 to {len(found)}, as many as {found[0].file} holds, found {number}")
    return found[number - 1], found[: number - 1] + found[number:]


def _file(runs: str | Path) -> Path:
    folders = list(dict.fromkeys([PUBLISHED, FIGURES / "runs"]))
    places = [Path(os.path.expanduser(runs)), *(folder / f"{runs}.parquet" for folder in folders)]
    for place in places:
        if place.is_file():
            return place
    raise FileNotFoundError(f"runs: no published file {runs}; looked for {', '.join(map(str, places))}")


def _asked(line: dict) -> dict:
    prepared = json.loads(line["prepared"]) if line["prepared"] else {}
    return {name: value for name, value in prepared.items() if name not in NOT_ASKED}


def _alike(line: dict) -> tuple:
    """What the runs of one comparison have in common."""
    settings = {name: value for name, value in json.loads(line["settings"]).items() if name not in OF_A_RUN}
    texts = [json.dumps(value, sort_keys=True) for value in (settings, _asked(line))]
    pool, _, part = line["pool"].partition(PART)
    return pool, part.partition(" of ")[2], line["base"], *texts


def _comparison(file: Path, lines: list[dict]) -> Comparison:
    contents: dict[int, str] = {}
    for line in lines:
        content = json.loads(line["settings"])["pool"]
        if contents.setdefault(line["part"], content) != content:
            raise ValueError(
                f"{file}: part {line['part'] + 1} of {line['pool'].partition(PART)[0]} had different rows in different runs; "
                "publish what was made with each under a name of its own"
            )
    latest = {
        tuple(line[name] for name in ("method", *COUNTS)): line for line in sorted(lines, key=lambda line: line["made"])
    }
    pool, _, part = lines[0]["pool"].partition(PART)
    n_parts = int(part.partition(" of ")[2] or 1)
    return Comparison(file, pool, lines[0]["base"], n_parts, tuple(latest.values()), len(lines) - len(latest))


def _run(line: dict) -> Run:
    told = {name: line[name] for name in ("method", "budget", "draw", "training_seed", "part", "design")}
    return Run(**told, rows=arrays_of(line)["rows"], seconds_select=float("nan"))
