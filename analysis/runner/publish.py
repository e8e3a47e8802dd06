"""python -m analysis.runner publish: the runs behind a profile's reports, written to figures/runs/ for the repository."""

import sys
from collections.abc import Sequence
from pathlib import Path

from analysis.paths import PUBLISHED, RESULTS
from analysis.runner.checks import check_name
from analysis.runner.console import Parser, one_line, say
from analysis.runner.plan import COMMITTED_RUN
from analysis.store.published import read
from analysis.store.publishing import publish, write
from analysis.store.store import Store


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line; 0 published, 1 the code of today scores otherwise, 2 refused."""
    parser = Parser(prog="python -m analysis.runner publish", description=__doc__)
    parser.add_argument(
        "--profile", default=COMMITTED_RUN, metavar="NAME",
        help=f"of the run whose reports asked for them: a profile's, or what was given as --name (default {COMMITTED_RUN})",
    )  # fmt: skip
    parser.add_argument("--afresh", action="store_true", help="leave out what no report run here asked for")
    parser.add_argument("--rekey", action="store_true", help="instead: let today's code use published runs and selections of other code, "
                        "if it makes a sample of at least five again, over all families of methods, with equal scores")  # fmt: skip
    given = parser.parse_args(arguments)
    path = PUBLISHED / f"{given.profile}.parquet"
    try:
        check_name(given.profile, "--profile")
        if given.rekey:
            return rekey(path)
        count = publish(given.profile, Store(RESULTS), PUBLISHED, afresh=given.afresh)
    except (FileNotFoundError, ValueError) as error:
        say(f"Refused: {one_line(error)}", sys.stderr)
        return 2
    say(
        f"{path}: {count.lines:,} runs and selections, {count.added:,} of them new, {path.stat().st_size / 2**20:.2f} MiB"
    )
    if count.missing:
        say(f"{count.missing:,} asked for are not made yet: run the notebooks again, then publish again")
    if count.unasked:
        say(f"{count.unasked:,} were asked for by no report run here and are kept (--afresh leaves them out)")
    return 0


def rekey(path: Path) -> int:
    """Give published runs and selections of other code today's keys, if a sample of them, made again, has equal scores.

    Raises
    ------
    ValueError
        Too few can be made again.
    """
    from analysis.experiments import remaking

    lines = read(path).to_pylist() if path.exists() else []
    others = [line for line in lines if remaking.of_other_code(line)]
    if not any(line["kind"] in ("runs", "selections") for line in others):
        say(f"{path}: {len(lines):,} lines, none of other code")
        return 0
    worst = 0.0
    for line, difference in remaking.sample(others):
        say(
            f"{line['key']} {line['kind']} {line['method']}, budget {line['budget']}, part {line['part']}: differs by at most {difference:.2g}"
        )
        worst = max(worst, difference)
    if worst > remaking.TOLERANCE:
        say(
            f"Not re-keyed: a score differs by more than {remaking.TOLERANCE}, more answers than one in 200 are graded otherwise, or other rows are selected"
        )
        return 1
    changed = {line["key"]: remaking.rekeyed(line) for line in others}
    there = {line["key"]: line for line in lines if line["key"] not in changed}
    write(path, [*({line["key"]: line for line in changed.values()} | there).values()])
    say(f"{path}: {len(changed):,} runs and selections re-keyed")
    return 0
