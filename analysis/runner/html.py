"""An executed notebook as one HTML file that asks no server for anything."""

import re
from dataclasses import dataclass
from pathlib import Path

import nbformat

from analysis.runner.jupyter import without_progress

TEMPLATES = Path(__file__).parent / "templates"
ERROR_MARKER = "papermill-error-cell-tag"

# What a browser fetches by itself; a link that a reader may click is none of these.
_FETCHES = re.compile(
    r"""<(?:script|img|iframe|source|video|audio|embed|link|object|input)\b[^>]*?\b(?:src|href|data|srcset)\s*=\s*
        ["']?\s*((?:https?:)?//[^\s"'>]+)
      |url\(\s*["']?((?:https?:)?//[^)"']+)|@import\s+["']((?:https?:)?//[^"']+)
      |\bimport\b[^;"'<>]*["'](https?://[^"']+)["']""",
    flags=re.IGNORECASE | re.VERBOSE,
)


@dataclass(frozen=True)
class Heading:
    """What the first cell of a notebook says: its subject and its question."""

    title: str
    question: str


def heading_of(notebook) -> Heading:
    """Subject and question from the first markdown cell; empty where it has none."""
    text = next((cell.source for cell in notebook.cells if cell.cell_type == "markdown"
                 and ERROR_MARKER not in cell.metadata.get("tags", [])), "")  # fmt: skip
    title = re.search(r"^#\s+(.+)$", text, flags=re.MULTILINE)
    body = " ".join(line for line in text.splitlines() if not line.startswith("#")).strip()
    question = re.match(r"(.+?\?)(?=\s|[*_]|$)", body)
    return Heading(_plain(title[1]) if title else "", _plain(question[1]) if question else "")


def _plain(markdown: str) -> str:
    """Markdown emphasis, code and links as plain text."""
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", markdown)
    return re.sub(r"(\*\*|\*|`|(?<!\w)_|_(?!\w))", "", text).strip()


def external_requests(page: str) -> list[str]:
    """Addresses that a browser would fetch while it shows the page."""
    return [next(part for part in match if part) for match in _FETCHES.findall(page)]


def render(executed: Path, page: Path, *, run: str, name: str, source_folder: Path, failed: str = "") -> Heading:
    """Write the HTML of an executed notebook.

    Parameters
    ----------
    source_folder : what relative pictures in markdown are relative to
    failed : the error, shown at the top; empty where the notebook came to its end

    Raises
    ------
    ValueError for a page that would need the network.
    """
    from nbconvert import HTMLExporter

    notebook = nbformat.read(executed, as_version=4)
    notebook.cells = [cell for cell in notebook.cells if ERROR_MARKER not in cell.metadata.get("tags", [])]
    heading = heading_of(notebook)
    notebook.metadata["title"] = f"{'FAILED: ' if failed else ''}{heading.title or name} · {name} · {run}"
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = [output for output in map(_tidy, cell.outputs) if output is not None]
    exporter = HTMLExporter(
        template_name="report", extra_template_basedirs=[str(TEMPLATES)], embed_images=True,
        mathjax_url="", require_js_url="", exclude_input_prompt=True, exclude_output_prompt=True,
    )  # fmt: skip
    injected = any("injected-parameters" in cell.metadata.get("tags", []) for cell in notebook.cells)
    css = (TEMPLATES / "report" / "report.css").read_text(encoding="utf-8")
    resources = {
        "metadata": {"path": str(source_folder), "name": name},
        "report": {"run": run, "name": name, "failed": failed, "css": css, "injected": injected},
    }
    text, _ = exporter.from_notebook_node(notebook, resources=resources)
    wanted = external_requests(text)
    if wanted:
        raise ValueError(f"{name}: the page would fetch {wanted[0]}; embed it instead (pictures as data, no CDN)")
    from analysis.store.store import write_atomic

    write_atomic(page, lambda partial: Path(partial).write_text(text, encoding="utf-8"))
    return heading


def _tidy(output):
    """Progress bars leave streams; a stream with nothing else goes."""
    if output.output_type != "stream":
        return output
    output.text = without_progress(output.text)
    return output if output.text.strip() else None
