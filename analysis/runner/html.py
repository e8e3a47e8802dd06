"""An executed notebook as one HTML file that asks no server for anything."""

import base64
import html
import os
import re
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import nbformat

from analysis.runner import glossary
from analysis.runner.fetched import external_requests
from analysis.runner.jupyter import without_progress
from analysis.store.store import write_text

TEMPLATES = Path(__file__).parent / "templates"
ERROR_MARKER = "papermill-error-cell-tag"

_NEIGHBOURS = re.compile(r"(<!--neighbours-->).*?(<!--/neighbours-->)")
_CALLS = re.compile(r"(<t[dh]>)([a-z][a-z_]+(?:\([^<]*\))?)(</t[dh]>)")  # a method, alone in a cell of a table


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


def answer(findings: Sequence[str]) -> str:
    """The sentence that answers a notebook's question: its first with a number, else its first."""
    return next((said for said in findings if re.search(r"\d", said)), findings[0] if findings else "")


def render(
    executed: Path, page: Path, *, run: str, name: str, source_folder: Path, figures: Path, findings: Sequence[str] = (), failed: str = "",
) -> Heading:  # fmt: skip
    """Write the HTML of an executed notebook: question, answer, contents, then its cells with the code folded away.

    Parameters
    ----------
    source_folder : what relative pictures in markdown are relative to
    figures : folder of the PNG and CSV of its figures, to which the page links
    findings : its computed sentences
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
    _split_first(notebook)
    explain = glossary.marker()
    known = {path.read_bytes(): path for path in sorted(figures.glob("*.png"))}
    caption = ""
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            caption = cell.source
        else:
            cell.outputs = [output for output in map(_tidy, cell.get("outputs", [])) if output is not None]
            for output in cell.outputs:
                _describe(output, caption, known, page.parent)
    contents = [(f"cell-id={cell.id}", _plain(title)) for cell in notebook.cells if cell.cell_type == "markdown"
                for title in re.findall(r"^##\s+(.+)$", cell.source, flags=re.MULTILINE)[:1]]  # fmt: skip
    exporter = HTMLExporter(
        template_name="report", extra_template_basedirs=[str(TEMPLATES)], embed_images=True, filters={"explained": explain},
        mathjax_url="", require_js_url="", exclude_input_prompt=True, exclude_output_prompt=True,
    )  # fmt: skip
    injected = any("injected-parameters" in cell.metadata.get("tags", []) for cell in notebook.cells)
    css = "".join((TEMPLATES / part).read_text(encoding="utf-8") for part in ("colours.css", "report/report.css"))
    resources = {
        "metadata": {"path": str(source_folder), "name": name},
        "report": {"run": run, "name": name, "failed": failed, "css": css, "injected": injected, "answer": answer(findings),
                   "contents": contents},
    }  # fmt: skip
    text, _ = exporter.from_notebook_node(notebook, resources=resources)
    wanted = external_requests(text)
    if wanted:
        raise ValueError(f"{name}: the page would fetch {wanted[0]}; embed it instead (pictures as data, no CDN)")
    write_text(page, text)
    return heading


def _split_first(notebook) -> None:
    """Title and question a cell of their own, marked, after which the answer can stand."""
    for place, cell in enumerate(notebook.cells):
        if cell.cell_type == "markdown":
            parts = re.match(r"(\s*#[^\n]*\n\s*\n.+?)(?:\n\s*\n(.*))?$", cell.source, flags=re.DOTALL)
            rest = parts and parts[2]
            cell.source = parts[1] if parts else cell.source
            cell.metadata["question"] = True
            notebook.cells[place + 1 : place + 1] = [nbformat.v4.new_markdown_cell(rest)] if rest else []
            return


def _describe(output, caption: str, known: dict[bytes, Path], folder: Path) -> None:
    """What a picture shows, by the cell above it, and where its files lie, if it is a figure that was saved."""
    picture = output.get("data", {}).get("image/png")
    if picture is None:
        return
    title, _, text = caption.strip().partition("\n")
    what = re.sub(r"^#+\s*", "", title) + ". " + " ".join(text.split())
    output.metadata["figure"] = {"alt": _plain(what)}
    path = known.get(base64.b64decode("".join(picture)))
    if path:
        links = {kind: quote(os.path.relpath(path.with_suffix(kind), folder)) for kind in (".png", ".csv")}
        output.metadata["figure"] |= {"png": links[".png"], "csv": links[".csv"], "name": path.stem}


def link_neighbours(pages: Sequence[Path], titles: Sequence[str]) -> None:
    """Write into every page of a run which come before and after it; a page that has this already is not touched."""
    from filelock import FileLock, Timeout

    for place, page in enumerate(pages):
        links = [(pages[to], f"{arrow} {titles[to]}" if to < place else f"{titles[to]} {arrow}", kind)
                 for to, arrow, kind in ((place - 1, "←", "prev"), (place + 1, "→", "next")) if 0 <= to < len(pages)]  # fmt: skip
        told = "".join(f'<a rel="{kind}" href="{quote(to.name)}">{html.escape(words)}</a>' for to, words, kind in links)
        try:
            with FileLock(page.parent / f".{page.stem}.lock", timeout=0):
                before = page.read_text(encoding="utf-8")
                after = _NEIGHBOURS.sub(lambda found, told=told: found[1] + told + found[2], before, count=1)
                if after != before:
                    write_text(page, after)
        except Timeout:  # it is being made anew, and whoever does so writes the index after it
            continue
        except UnicodeDecodeError as error:
            warnings.warn(f"{page}: damaged ({error}); run its notebook again", stacklevel=2)


def without_neighbours(page: bytes) -> bytes:
    """A page as `render` wrote it, whatever `link_neighbours` added."""
    return re.sub(_NEIGHBOURS.pattern.encode(), rb"\1\2", page, count=1)


def _tidy(output):
    """Progress bars leave streams, and a stream with nothing else goes; methods in tables have the names they have elsewhere."""
    if output.output_type == "stream":
        output.text = without_progress(output.text)
        return output if output.text.strip() else None
    if "text/html" in output.get("data", {}):
        output.data["text/html"] = _CALLS.sub(_labelled, "".join(output.data["text/html"]))
    return output


def _labelled(cell: re.Match) -> str:
    from analysis.methods import label, parse

    try:
        call = html.unescape(cell[2])
        parse(call)
    except ValueError:
        return cell[0]
    return f"{cell[1]}{html.escape(label(call))}{cell[3]}"
