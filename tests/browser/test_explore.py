"""The explorer as a person meets it: JupyterLab in a headless browser, a slider moved, rows lassoed, a table read."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request

import pytest

from analysis.paths import NOTEBOOKS, ROOT
from analysis.reporting import explorer

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = ["--no-sandbox", "--disable-background-networking", "--disable-component-update", "--no-first-run",
         "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1", "--use-angle=swiftshader",
         "--enable-unsafe-swiftshader"]  # fmt: skip
HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)>"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here"),
    pytest.mark.skipif(bool(explorer.missing()), reason=f"the extra explore is not installed: {explorer.missing()}"),
]


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """JupyterLab over the notebook's cells up to the explorer, on a pool of hostile rows; its address."""
    folder = tmp_path_factory.mktemp("explore")
    rows = [
        {"prompt": f"What is {n} plus 2? {HOSTILE}", "answer": f"It is {n + 2}. " * (1 + n % 9)} for n in range(240)
    ]
    (folder / "pool.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    notebook = json.loads((NOTEBOOKS / "05_explore.ipynb").read_text(encoding="utf-8"))
    notebook["cells"] = notebook["cells"][:5]
    values = {"pool": str(folder / "pool.jsonl"), "budget": 20, "parts": 1, "output_dir": str(folder / "out")}
    values["methods"] = ["token_length", "random_selection"]
    given = "".join(f"{name} = {value!r}\n" for name, value in values.items())
    cell = {"cell_type": "code", "id": "given", "metadata": {}, "outputs": [], "execution_count": None, "source": given}
    notebook["cells"].insert(2, cell)
    (folder / "explore.ipynb").write_text(json.dumps(notebook), encoding="utf-8")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "ANALYSIS_RESULTS": str(folder / "results"),
                   "JUPYTER_CONFIG_DIR": str(folder / "config"), "OMP_NUM_THREADS": "1"}  # fmt: skip
    environment.pop("ANALYSIS_RUN", None)
    command = [sys.executable, "-m", "jupyter", "lab", "--no-browser", "--allow-root", f"--port={port}",
               "--ServerApp.token=", "--ServerApp.ip=127.0.0.1", f"--ServerApp.root_dir={folder}"]  # fmt: skip
    process = subprocess.Popen(
        command, env=environment, stdout=(folder / "log").open("w"), stderr=subprocess.STDOUT, cwd=folder
    )
    try:
        wait_for(f"http://127.0.0.1:{port}/api")
        yield folder, f"http://127.0.0.1:{port}/lab/tree/explore.ipynb"
    finally:
        process.terminate()
        process.wait(20)


def wait_for(address, seconds=60):
    for _ in range(seconds * 4):
        try:
            return urllib.request.urlopen(address, timeout=2).read()
        except OSError:
            time.sleep(0.25)
    raise TimeoutError(address)


@pytest.fixture(scope="module")
def page(server):
    """The notebook after "run all cells", wide enough for the map."""
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, headless=True, args=FLAGS)
        opened = browser.new_page(viewport={"width": 1500, "height": 1900})
        opened.alerts = []
        opened.on("dialog", lambda dialog: (opened.alerts.append(dialog.message), dialog.dismiss()))
        opened.goto(server[1])
        opened.locator(".jp-NotebookPanel .jp-MarkdownOutput h1").first.wait_for(timeout=60_000)
        opened.get_by_role("menuitem", name="Run", exact=True).click()
        opened.get_by_role("menuitem", name="Run All Cells", exact=True).click()
        opened.locator(".jp-OutputArea canvas").first.wait_for(timeout=120_000)
        opened.locator("table.dataTable tbody tr").first.wait_for(timeout=30_000)
        yield opened
        browser.close()


def listed(page) -> str:
    return page.get_by_text("Listed:").first.inner_text()


def test_shows_rows_as_text_and_never_as_markup(page):
    assert HOSTILE in page.locator("table.dataTable tbody tr").first.inner_text()
    assert page.alerts == []


def test_the_slider_selects_again(page):
    before = page.locator(".jp-OutputArea img.widget-image").first.get_attribute("src")
    readout = page.locator(".widget-slider .widget-readout").first
    readout.fill("7")
    readout.press("Enter")
    page.get_by_role("cell", name="7", exact=True).first.wait_for(timeout=20_000)
    assert page.locator(".jp-OutputArea img.widget-image").first.get_attribute("src") != before


def test_a_slider_of_an_option_selects_again(page):
    field = page.locator("input[list]").first
    field.fill("kmeans(clusters=7)")
    field.press("Enter")
    readout = page.locator(".widget-slider .widget-readout").first
    page.wait_for_function("one => one.innerText === '7'", arg=readout.element_handle(), timeout=20_000)
    before = page.locator(".jp-OutputArea img.widget-image").first.get_attribute("src")
    readout.fill("3")
    readout.press("Enter")
    page.wait_for_function("([one, before]) => one.getAttribute('src') !== before", timeout=20_000,
                           arg=[page.locator(".jp-OutputArea img.widget-image").first.element_handle(), before])  # fmt: skip
    assert field.input_value() == "kmeans(clusters=3)"


def test_a_refused_method_is_said_in_place(page):
    field = page.locator("input[list]").first
    field.fill("nonsense")
    field.press("Enter")
    page.get_by_text("method 'nonsense' is unknown").wait_for(timeout=10_000)
    field.fill("token_length")
    field.press("Enter")


def test_a_lasso_lists_the_rows_under_it(page):
    every = listed(page)
    canvas = page.locator(".jp-OutputArea canvas").first
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    page.get_by_title("Activate lasso selection").first.click()
    sides = [(0.2, 0.2), (0.8, 0.2), (0.8, 0.8), (0.2, 0.8), (0.2, 0.25)]
    for number, (x, y) in enumerate(sides):
        page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"], steps=10)
        page.wait_for_timeout(200)  # the map draws in software here
        if number == 0:
            page.mouse.down()
    page.mouse.up()
    page.wait_for_function("before => ![...document.querySelectorAll('.widget-html')].some(one => one.innerText.trim() === before)",
                           arg=every, timeout=15_000)  # fmt: skip
    assert listed(page) != every


def test_export_writes_what_is_listed(page, server):
    page.get_by_role("button", name="Export these rows").click()
    page.get_by_text("Wrote").wait_for(timeout=15_000)
    count = int(listed(page).rpartition("rows")[0].split()[-1])
    assert len((server[0] / "rows.jsonl").read_text().splitlines()) == count
