"""Rendered pages in a real browser: nothing fails, nothing is asked of the network, no text is cut, links lead somewhere.

`ANALYSIS_PAGES=reports` tests the pages of a folder that is there, instead of two that are made here.
"""

import os
import shutil
from pathlib import Path
from urllib.parse import unquote, urlparse

import pytest

from analysis.runner.__main__ import run

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = ["--no-sandbox", "--disable-background-networking", "--disable-component-update", "--no-first-run",
         "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"]  # fmt: skip
TINY = {"limit": 300, "budget": 20, "parts": 3, "n_draws": 3, "budgets": [], "equal_tokens": False, "skills": 8,
        "methods": ["token_length"], "finetuning": {"least_steps": 1, "epochs": 1}}  # fmt: skip
BEYOND = """() => {  // what sticks out of the window and lies in no box that scrolls
    const width = document.documentElement.clientWidth, found = []
    const scrolls = e => ["auto", "scroll", "hidden"].includes(getComputedStyle(e).overflowX)
    for (const e of document.querySelectorAll("body *")) {
        if (e.getBoundingClientRect().right <= width + 1) continue
        let around = e.parentElement
        while (around && around !== document.body && !scrolls(around)) around = around.parentElement
        if (!around || around === document.body) found.push(`${e.tagName} ${e.textContent.slice(0, 40)}`)
    }
    return found
}"""
CUT = """() => [...document.querySelectorAll("p, li, td, th, h1, h2, h3, summary, a, figcaption, dt, dd")].filter(e => {
    const style = getComputedStyle(e)
    return style.overflowX === "hidden" && e.scrollWidth > e.clientWidth + 1
}).map(e => e.textContent.slice(0, 40))"""

pytestmark = [pytest.mark.slow, pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here")]


@pytest.fixture(scope="module")
def pages(tmp_path_factory) -> list[Path]:
    """The pages of a folder of reports: its index, its glossary, and each report."""
    folder = Path(os.environ.get("ANALYSIS_PAGES", "")).resolve()
    if not os.environ.get("ANALYSIS_PAGES"):
        folder = tmp_path_factory.mktemp("pages") / "reports"
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("ANALYSIS_RESULTS", str(folder.parent / "results"))
            outcomes = run(["30", "40"], "quick", TINY, "tried", reports=folder, live=False)
        assert [one.error for one in outcomes if one.error] == []
    return sorted(folder.rglob("*.html"))


@pytest.fixture(scope="module")
def browser():
    with playwright.sync_playwright() as driver:
        started = driver.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield started
        started.close()


def faults(browser, path: Path, width: int, scheme: str) -> dict[str, list[str]]:
    """What is wrong with a page: messages of the console, requests, what sticks out, text cut; only what there is."""
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    page, said, asked = context.new_page(), [], []
    page.on("console", lambda message: said.append(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda one: None if one.url.startswith(("file:", "data:", "blob:")) else asked.append(one.url))
    page.goto(path.as_uri(), wait_until="load")
    page.evaluate("window.scrollTo(0, document.body.scrollHeight)")
    page.wait_for_timeout(100)
    found = {"console": said, "requests": asked, "beyond": page.evaluate(BEYOND), "cut": page.evaluate(CUT)}
    context.close()
    return {name: what for name, what in found.items() if what}


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 400])
def test_pages_are_whole_and_ask_for_nothing(browser, pages, width, scheme):
    found = {path.name: faults(browser, path, width, scheme) for path in pages}
    assert {name: what for name, what in found.items() if what} == {}


def test_links_lead_somewhere(browser, pages):
    page = browser.new_page()
    dead = []
    for path in pages:
        page.goto(path.as_uri())
        for href in page.eval_on_selector_all("a[href]", "links => links.map(link => link.href)"):
            address = urlparse(href)
            if address.scheme != "file":
                continue
            target = Path(unquote(address.path))
            if not target.exists():
                dead.append((path.name, href))
            elif address.fragment and target == path:
                there = page.evaluate(
                    "name => !!(document.getElementById(name) || document.getElementById(decodeURIComponent(name)))",
                    address.fragment,
                )
                dead += [] if there else [(path.name, href)]
    page.close()
    assert dead == []


def test_a_term_opens_its_meaning_by_mouse_and_by_keyboard(browser, pages):
    page = browser.new_page()
    page.goto(next(path for path in pages if path.name.startswith("30_versus_random")).as_uri())
    term = page.locator("a.term").first
    meaning = term.get_attribute("data-meaning")
    shown = "term => getComputedStyle(term, '::after').content.replace(/^\"|\"$/g, '')"
    assert term.evaluate(shown) == "none" and len(meaning) > 20
    term.hover()
    assert term.evaluate(shown) == meaning
    page.mouse.move(0, 0)
    term.focus()
    assert term.evaluate(shown) == meaning
    page.close()


def test_what_is_wrong_is_found(browser, tmp_path):
    bad = tmp_path / "bad.html"
    bad.write_text(
        "<body><script>nosuch()</script><img src='http://127.0.0.1:9/a.png'><p style='width: 3000px'>wide</p>"
        "<p style='width: 20px; overflow: hidden; white-space: nowrap'>a text that is cut</p></body>"
    )
    assert faults(browser, bad, 400, "light").keys() == {"console", "requests", "beyond", "cut"}
