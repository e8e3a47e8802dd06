"""The page that is opened first: of every run what came out, what to do by it, and a card per notebook."""

import base64
import hashlib
import io
import json
import warnings
from datetime import datetime
from pathlib import Path
from urllib.parse import quote

from analysis.methods import METHODS
from analysis.paths import REPORTS, SPLITTER
from analysis.runner import glossary
from analysis.runner.html import answer, link_neighbours
from analysis.store.store import write_text

THUMBNAIL_WIDTH = 640  # pixels
SEAL = "seal"  # name of a note's digest in it


def duration(seconds: float) -> str:
    """`8 s`, `3 min 20 s`, `2 h 5 min`."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def thumbnail(picture: Path) -> str:
    """A small copy of a PNG as a data address, so that the page stays one file; empty, with a warning, of a damaged one."""
    from PIL import Image

    try:
        with Image.open(picture) as image:
            small = image.convert("RGB")
    except Exception as error:  # of damage PIL raises nearly everything
        warnings.warn(f"{picture}: damaged ({error}), left out; run its notebook again", stacklevel=2)
        return ""
    with small:
        small.thumbnail((THUMBNAIL_WIDTH, THUMBNAIL_WIDTH), Image.Resampling.LANCZOS)
        buffer = io.BytesIO()
        small.quantize(128, dither=Image.Dither.NONE).save(buffer, format="PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")


def read_record(path: Path) -> dict | None:
    """What the runner noted about a report; None, with a warning that names the file, where it is damaged."""
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        warnings.warn(f"{path}: unreadable note about a report, left out ({error})", stacklevel=2)
        return None
    if not isinstance(record, dict) or "report" not in record:
        warnings.warn(f"{path}: not a note about a report, left out", stacklevel=2)
        return None
    if record.get(SEAL, "") not in ("", seal(record)):
        warnings.warn(f"{path}: damaged note about a report, left out; run its notebook again", stacklevel=2)
        return None
    return record


def seal(record: dict) -> str:
    """A digest of what a note says, which stands in it: a letter that is turned is seen."""
    said = {name: value for name, value in record.items() if name != SEAL}
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()[:24]


def write_index(reports: Path = REPORTS) -> Path:
    """Write `index.html` over all runs in the folder, the latest first; returns its path."""
    import jinja2

    runs = []
    for folder in (path for path in sorted(reports.glob("*")) if path.is_dir()):
        records = [read_record(path) for path in sorted(folder.glob("*.json"))]
        shown = [
            one
            for one in records
            if one and (one.get("status") == "failed" or (folder / f"{one['report']}.html").is_file())
        ]
        if shown:
            runs.append(_run(folder, shown))
            with_page = [one for one in shown if (folder / f"{one['report']}.html").is_file()]
            link_neighbours([folder / f"{one['report']}.html" for one in with_page], [_title(one) for one in with_page])
    runs.sort(key=lambda run: run["finished"], reverse=True)
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
    )
    reports.mkdir(parents=True, exist_ok=True)
    for name, values in (
        (glossary.PAGE, {"terms": glossary.TERMS, "methods": METHODS}),
        ("index.html", {"runs": runs}),
    ):
        text = environment.get_template(f"{name}.j2").render(values)
        write_text(reports / name, text)
    return reports / "index.html"


def _run(folder: Path, records: list[dict]) -> dict:
    finished = max(float(one.get("finished", 0)) for one in records)
    seconds = sum(float(one.get("seconds", 0)) for one in records)
    failed = sum(one.get("status") == "failed" for one in records)
    facts = [f"{len(records)} notebooks" if len(records) > 1 else "1 notebook"]
    facts += [f"{failed} failed"] if failed else []
    for name in ("pool", "model"):
        values = {
            str(one["parameters"][name]).split(SPLITTER)[0] for one in records if name in one.get("parameters", {})
        }
        facts += [f"{name} {', '.join(Path(value).name for value in sorted(values))}"] if values else []
    facts += [
        f"{duration(seconds)} of work",
        datetime.fromtimestamp(finished).strftime("last run %Y-%m-%d %H:%M"),
    ]
    done = [one for one in records if one.get("status") != "failed"]
    return {
        "name": folder.name, "facts": " · ".join(facts), "finished": finished, **_found(folder, done),
        "cards": [_card(folder, one) for one in done],
        "failures": [_failure(folder, one) for one in records if one.get("status") == "failed"],
    }  # fmt: skip


def _found(folder: Path, records: list[dict]) -> dict:
    """The result table and the advice, from the tables that notebooks left; empty where 30 has not run."""
    try:
        # Imported here: pandas takes a second, which refusing a misspelt parameter need not.
        from analysis.reporting import pages
        from analysis.reporting.guidance import guide
        from analysis.reporting.result_table import GROUP, SETTING, UNKNOWN, result_table

        current = {one["report"] for one in records}
        left = [pages.read(where).pages for where in {_figures(folder, one) for one in records}]
        read = pages.Pages(tuple(page for part in left for page in part if page.report in current))
        lines, advice = result_table(read), read.table("90_summary", "guide")
        advice = guide(read) if advice.empty else advice  # 90 may not be among the notebooks of this run
    except (OSError, ValueError, KeyError, TypeError) as error:
        warnings.warn(f"{folder}: its tables are of another version, left out ({error!r})", stacklevel=2)
        return {"results": [], "advice": []}
    results, lines = [], lines.assign(anchor=lines["method"].map(glossary.method_anchor))
    for setting, of_setting in lines.groupby(SETTING, sort=False):
        groups = [(dict(zip(GROUP, group, strict=True)), part.to_dict("records"))
                  for group, part in of_setting.groupby(GROUP, sort=False)]  # fmt: skip
        results.append({
            **dict(zip(SETTING, setting, strict=True)), "groups": groups,
            "faulty": (of_setting["faulty"] != UNKNOWN).any(), "href": quote(f"{folder.name}/{setting[0]}.html"),
        })  # fmt: skip
    return {"results": results, "advice": [] if advice.empty else advice.astype(str).to_dict("records")}


def _figures(folder: Path, record: dict) -> Path:
    """Where the pages of this run left their figures and tables, each in a folder of its own."""
    return folder / Path(record["picture"]).parent.parent if record.get("picture") else folder / "figures"


def _title(record: dict) -> str:
    title, variant = record.get("title") or record["report"], record["report"].partition(".")[2]
    return f"{title} ({variant})" if variant else title


def _failure(folder: Path, record: dict) -> dict:
    return {
        "report": record["report"], "title": _title(record), "error": record.get("error", "")[:400],
        "href": quote(f"{folder.name}/{record['report']}.html") if (folder / f"{record['report']}.html").is_file() else "",
    }  # fmt: skip


def _card(folder: Path, record: dict) -> dict:
    picture = folder / record["picture"] if record.get("picture") else None
    return {
        "report": record["report"], "title": _title(record), "question": record.get("question", ""),
        "answer": answer(record.get("findings", [])), "seconds": duration(float(record.get("seconds", 0))),
        "href": quote(f"{folder.name}/{record['report']}.html"),
        "thumbnail": thumbnail(picture) if picture is not None and picture.is_file() else "",
    }  # fmt: skip
