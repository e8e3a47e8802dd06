"""The page that lists every report of every run: question, first findings, thumbnail, seconds."""

import base64
import io
import json
import warnings
from datetime import datetime
from pathlib import Path
from urllib.parse import quote

from analysis.paths import REPORTS
from analysis.store.store import write_atomic

FINDINGS_SHOWN = 2
THUMBNAIL_WIDTH = 640  # pixels


def duration(seconds: float) -> str:
    """`8 s`, `3 min 20 s`, `2 h 5 min`."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def thumbnail(picture: Path) -> str:
    """A small copy of a PNG as a data address, so that the page stays one file."""
    from PIL import Image

    with Image.open(picture) as image:
        small = image.convert("RGB")
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
    return record


def write_index(reports: Path = REPORTS) -> Path:
    """Write `index.html` over all runs in the folder, the latest first; returns its path."""
    import jinja2

    runs = []
    for folder in (path for path in sorted(reports.glob("*")) if path.is_dir()):
        records = [read_record(path) for path in sorted(folder.glob("*.json"))]
        shown = [one for one in records if one and (folder / f"{one['report']}.html").is_file()]
        if shown:
            runs.append(_run(folder, shown))
    runs.sort(key=lambda run: run["finished"], reverse=True)
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
    )
    text = environment.get_template("index.html.j2").render(runs=runs)
    reports.mkdir(parents=True, exist_ok=True)
    write_atomic(reports / "index.html", lambda partial: Path(partial).write_text(text, encoding="utf-8"))
    return reports / "index.html"


def _run(folder: Path, records: list[dict]) -> dict:
    finished = max(float(one.get("finished", 0)) for one in records)
    seconds = sum(float(one.get("seconds", 0)) for one in records)
    failed = sum(one.get("status") == "failed" for one in records)
    facts = [f"{len(records)} notebooks" if len(records) > 1 else "1 notebook"]
    facts += [f"{failed} failed"] if failed else []
    for name in ("pool", "model"):
        values = sorted({str(one["parameters"][name]) for one in records if name in one.get("parameters", {})})
        facts += [f"{name} {', '.join(Path(value).name for value in values)}"] if values else []
    facts += [
        f"{duration(seconds)} of work",
        datetime.fromtimestamp(finished).strftime("last run %Y-%m-%d %H:%M"),
    ]
    cards = [_card(folder, one) for one in records]
    return {"name": folder.name, "facts": " · ".join(facts), "finished": finished, "cards": cards}


def _card(folder: Path, record: dict) -> dict:
    failed = record.get("status") == "failed"
    variant = record["report"].partition(".")[2]
    title = record.get("title") or record["report"]
    picture = Path(record["picture"]) if record.get("picture") else None
    if picture is not None and not picture.is_absolute():
        picture = folder / picture
    return {
        "report": record["report"],
        "title": f"{title} ({variant})" if variant else title,
        "question": record.get("question", ""),
        "findings": record.get("findings", [])[:FINDINGS_SHOWN],
        "error": record.get("error", "")[:400],
        "failed": failed,
        "seconds": duration(float(record.get("seconds", 0))),
        "href": quote(f"{folder.name}/{record['report']}.html"),
        "thumbnail": thumbnail(picture) if picture is not None and picture.is_file() else "",
    }
