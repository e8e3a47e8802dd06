"""Which notebooks run with which values: a profile, the command line and the notebooks put together."""

import ast
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from analysis.paths import FIGURES, NOTEBOOKS, REPORTS, ROOT, SPLITTER
from analysis.runner.absolute_paths import POOL_NAMES, absolute, absolute_within
from analysis.runner.checks import check_name, check_value
from analysis.runner.parameters import CommandLineText, convert, notebook_parameters, unknown_parameter
from analysis.runner.profile import Profile

PATHS = (
    "pool",
    "model",
    "benchmark_items",
    "runs",
)  # parameters that may name files, which notebooks look for from elsewhere
COMMITTED_RUN = "full"  # its figures are the ones in figures/
READS_OTHERS = re.compile(r"9\d_")  # notebooks of these numbers read what the others found, and run after them


@dataclass(frozen=True)
class Job:
    """One notebook with its values, and where its report goes."""

    notebook: Path
    report: str
    run: str
    parameters: dict = field(hash=False)
    reports: Path = REPORTS
    outdated: tuple[str, ...] = ()  # of a page that reads others: those it leaves out

    @property
    def folder(self) -> Path:
        return self.reports / self.run

    @property
    def executed(self) -> Path:
        return self.folder / "notebooks" / f"{self.report}.ipynb"

    @property
    def page(self) -> Path:
        return self.folder / f"{self.report}.html"

    @property
    def record(self) -> Path:
        return self.folder / f"{self.report}.json"

    @property
    def figures(self) -> Path:
        return Path(self.parameters["output_dir"]) / self.report if "output_dir" in self.parameters else self.folder

    @property
    def reads_others(self) -> bool:
        return bool(READS_OTHERS.match(self.notebook.stem))


def find_notebooks(wanted: Sequence[str], folder: Path | None = None) -> list[Path]:
    """Notebooks by path, name, beginning of the name (`30`) or variant; all of `notebooks/` where none is named."""
    known = sorted((folder or NOTEBOOKS).glob("*.ipynb"))
    if not wanted:
        if not known:
            raise ValueError(f"no notebooks in {folder or NOTEBOOKS}")
        return known
    chosen: list[Path] = []
    for one in wanted:
        if one.endswith(".ipynb") and Path(one).is_file():
            matches = [Path(one).absolute()]
        else:
            stem = Path(one).name.removesuffix(".ipynb")
            matches = [path for path in known if path.stem in (stem, stem.partition(".")[0])]
            matches = matches or [path for path in known if path.stem.startswith(stem)]
        if not matches:
            raise ValueError(f"no notebook {one!r}; known: {', '.join(path.stem for path in known) or 'none'}")
        chosen += [path for path in matches if path not in chosen]
    return sorted(chosen, key=lambda path: path.stem)


def only_variants(plan: Sequence[Job], wanted: Sequence[str]) -> list[Job]:
    """The jobs but for other variants of notebooks that are named with one, such as `30_versus_random.curated`."""
    named = [one for one in wanted if "." in one and not one.endswith(".ipynb")]
    reports = [job.report for job in plan]
    if unknown := [one for one in named if one not in reports]:
        raise ValueError(f"no variant {unknown[0]!r} in this profile; known: {', '.join(reports)}")
    whole = find_notebooks([one for one in wanted if one not in named]) if len(named) < len(wanted) else []
    return [job for job in plan if not named or job.report in named or job.notebook in whole]


def run_name(profile: str, overrides: Mapping[str, object]) -> str:
    """The profile's name, with the pool, the model and any other value that the command line replaced."""
    parts = [profile]
    for name, value in overrides.items():
        if name == "output_dir":
            continue
        if name in ("pool", "model"):
            named = str(value).split(SPLITTER)[0]  # after it stands how to read it, which may have paths of its own
            parts.append(_slug(Path(named.split(",")[0]).name.split(".")[0] or "pool"))
        else:
            parts.append(_slug(f"{name}_{value}"))
    return "-".join(parts)[:80].rstrip("-_.")


def _slug(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9._]+", "_", text).strip("_.") or "value"


def make_plan(
    notebooks: Sequence[Path],
    profile: Profile,
    overrides: Mapping[str, object],
    *,
    run: str | None = None,
    reports: Path | None = None,
    base: Path | None = None,
) -> list[Job]:
    """Every notebook with its checked values, in the order they start; nothing has started when an error is raised.

    Parameters
    ----------
    overrides : parameter to value, stronger than the profile; `CommandLineText` values are read by annotation
    run : name of the run; by default made of the profile and the overrides
    base : what relative paths in `overrides` are relative to; a profile's are relative to the repository
    """
    base, reports = base or Path.cwd(), reports or REPORTS
    overrides = {
        name: CommandLineText(absolute(value, name, base)) if name in PATHS and value.strip() else value
        for name, value in overrides.items()
    }
    signatures = {path: notebook_parameters(path) for path in notebooks}
    all_names = list(dict.fromkeys(name for one in signatures.values() for name in one))
    for name in overrides:
        if name not in all_names:
            where = notebooks[0].stem if len(notebooks) == 1 else f"any of {len(notebooks)} notebooks"
            raise ValueError(unknown_parameter(name, all_names, where))
    _check_profile_names(profile, all_names, notebooks)
    run = check_name(run_name(profile.name, overrides) if run is None else run, "the run's name (--name)")
    output_dir = FIGURES if run == COMMITTED_RUN and reports == REPORTS else reports / run / "figures"
    jobs = []
    for path in notebooks:
        for report, variant in _variants(path.stem, profile, overrides):
            own = {name: value for name, value in variant.items() if name != "name"}
            values = _values(path, signatures[path], profile, own, overrides, base)
            if "runs" in signatures[path]:  # the file that a page reads is part of its key, given or not
                with suppress(ValueError, SyntaxError):  # an expression, which the notebook will evaluate
                    values.setdefault("runs", ast.literal_eval(signatures[path]["runs"].default))
            if "output_dir" in signatures[path]:
                values["output_dir"] = str((base / (values.get("output_dir") or output_dir)).absolute())
            jobs.append(Job(path, report, run, values, reports))
    stems = {path.stem for path in (*notebooks, *NOTEBOOKS.glob("*.ipynb"))}
    planned = {report for stem in stems for report, _ in _variants(stem, profile, overrides)}
    jobs = [replace(job, outdated=_outdated(job, stems, planned)) if job.reads_others else job for job in jobs]
    return sorted(jobs, key=lambda job: (job.reads_others, job.notebook.stem not in profile.first))


def _variants(stem: str, profile: Profile, overrides: Mapping) -> list[tuple[str, dict]]:
    """The reports of a notebook, each with its values in the profile."""
    variants = profile.notebooks.get(stem, [{}])
    if variants is False:
        return []
    left = [{name: value for name, value in one.items() if name not in ("name", *overrides)} for one in variants]
    made_alike = any(set(one) & set(overrides) for one in variants) and all(one == left[0] for one in left)
    if len(variants) == 1 or "pool" in overrides or made_alike:
        return [(stem, variants[0])]
    return [(f"{stem}.{one['name']}", one) for one in variants]


def _outdated(job: Job, stems: set[str], planned: set[str]) -> tuple[str, ...]:
    """Pages beside this job's that the profile does not make any more, such as those of a variant taken out of it."""
    pages = sorted(path.parent.name for path in job.figures.parent.glob("*/findings.json"))
    return tuple(page for page in pages if page not in planned and page.split(".")[0] in stems)


def _check_profile_names(profile: Profile, chosen: list[str], notebooks: Sequence[Path]) -> None:
    """What a profile names must be there: a notebook, and for all notebooks a parameter of at least one of the suite."""
    stems = sorted({path.stem for path in (*notebooks, *NOTEBOOKS.glob("*.ipynb"))})
    for stem in profile.notebooks:
        if stem not in stems:
            raise ValueError(f"profile {profile.name}: notebooks: {stem!r} is none; expected one of {', '.join(stems)}")
    missing = [name for name in (*profile.parameters, *profile.own_pool) if name not in chosen]
    if missing:
        suite = {name for path in sorted(NOTEBOOKS.glob("*.ipynb")) for name in notebook_parameters(path)}
        for name in missing:
            if name not in suite and suite:
                known = sorted(suite | set(chosen))
                raise ValueError(unknown_parameter(name, known, f"any notebook (profile {profile.name})"))


def _values(path: Path, signature: dict, profile: Profile, own: dict, overrides: Mapping, base: Path) -> dict:
    """Values of one notebook: the profile's for all, those for a pool of one's own, then its own, then the command line's."""
    for name in own:
        if name not in signature:
            message = unknown_parameter(name, list(signature), path.stem)
            raise ValueError(f"profile {profile.name}: {message}")
    pool = overrides.get("pool") or own.get("pool") or profile.parameters.get("pool") or POOL_NAMES[0]
    merged = {**profile.parameters, **({} if pool in POOL_NAMES else profile.own_pool), **own}
    for name in ("pool", "model"):
        if isinstance(merged.get(name), str) and merged[name].strip() and name not in overrides:
            merged[name] = absolute(merged[name], name, ROOT)
    merged |= overrides
    values = {name: convert(value, signature[name], path.stem) for name, value in merged.items() if name in signature}
    for name, value in values.items():
        check_value(name, value, path.stem)
    return {
        name: value
        if name in (*PATHS, "output_dir")
        else absolute_within(value, name, base if name in overrides else ROOT)
        for name, value in values.items()
    }
