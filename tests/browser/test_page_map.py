"""The map of a page as a reader meets it: opened from a file, hovered, coloured otherwise, at the width of a phone."""

import shutil

import numpy as np
import pandas as pd
import pytest

from analysis.reporting import page_map
from analysis.reporting.palette import LIGHT_GREY, PALETTE

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = ["--no-sandbox", "--disable-background-networking", "--disable-component-update", "--no-first-run",
         "--host-resolver-rules=MAP * ~NOTFOUND"]  # fmt: skip
HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(2)>"
CHOSEN = PALETTE[1]

pytestmark = [pytest.mark.slow, pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here")]


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    """Five points: one in the middle, chosen, and the corners; the middle of the canvas is the first row."""
    known = pd.DataFrame({"row": range(5), "source": "x" * 200, "group": "x", "answer tokens": [10, 20, 30, 40, 50],
                          "prompt": [f"question {n} {HOSTILE}" for n in range(5)], "answer": "word" * 40})  # fmt: skip
    places = np.array([[0, 0], [-1, -1], [-1, 1], [1, -1], [1, 1]])
    colours = {"chosen": pd.Series(["chosen", *["not chosen"] * 4]), "answer tokens": known["answer tokens"]}
    markup = page_map.map_html(known, places, colours, caption="Five rows. " + "long" * 60, chosen=np.arange(5) == 0,
                               named={"chosen": CHOSEN, "not chosen": LIGHT_GREY})  # fmt: skip
    path = tmp_path_factory.mktemp("map") / "map.html"
    path.write_text(f'<!doctype html><meta charset="utf-8"><meta name="viewport" content="width=device-width">{markup}')
    return path


@pytest.fixture(scope="module")
def browser():
    with playwright.sync_playwright() as started:
        opened = started.chromium.launch(executable_path=CHROMIUM, headless=True, args=FLAGS)
        yield opened
        opened.close()


@pytest.fixture(params=[1280, 400])
def page(request, file, browser):
    opened = browser.new_page(viewport={"width": request.param, "height": 900})
    opened.wrong = []
    opened.on("console", lambda message: message.type == "error" and opened.wrong.append(message.text))
    opened.on("pageerror", lambda error: opened.wrong.append(str(error)))
    opened.on("dialog", lambda dialog: (opened.wrong.append(dialog.message), dialog.dismiss()))
    opened.on("request", lambda request: request.url.startswith("file:") or opened.wrong.append(request.url))
    opened.goto(file.as_uri())
    opened.locator(".page-map.drawn").wait_for(timeout=10_000)
    opened.wait_for_timeout(200)  # until the canvas has its size
    yield opened
    assert opened.wrong == []
    opened.close()


def pixel(page, x=0.5, y=0.5) -> str:
    """Colour of the picture at these shares of its width and height."""
    page.wait_for_timeout(100)
    red, green, blue, _ = page.evaluate(
        "([x, y]) => { const one = document.querySelector('canvas');"
        " return [...one.getContext('2d').getImageData(x * one.width, y * one.height, 1, 1).data] }", [x, y])  # fmt: skip
    return f"#{red:02X}{green:02X}{blue:02X}"


def middle(page):
    box = page.locator("canvas").bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def test_a_point_tells_its_row_as_text(page):
    told = page.locator(".page-map-row")
    assert not told.is_visible()
    page.mouse.move(*middle(page))
    assert told.is_visible()
    assert f"question 0 {HOSTILE}" in told.inner_text() and "10 answer tokens" in told.inner_text()
    page.mouse.move(middle(page)[0] + 60, middle(page)[1])
    assert not told.is_visible()


def test_another_colour_is_drawn_and_explained(page):
    assert pixel(page) == CHOSEN.upper()
    assert page.locator(".page-map-legend").inner_text().split("\n") == ["chosen", "not chosen"]
    page.get_by_label("colour").select_option("answer tokens")
    assert pixel(page) == "#440154"  # the lowest of viridis
    assert "or more" in page.locator(".page-map-legend").inner_text()


def test_zooms_and_shows_the_whole_again(page):
    page.get_by_label("closer").click()
    x, y = middle(page)
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 40, y, steps=4)
    page.mouse.up()
    assert pixel(page) == "#FFFFFF"
    page.get_by_label("the whole map").click()
    assert pixel(page) == CHOSEN.upper()


def test_nothing_is_wider_than_the_page(page):
    wide = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert page.evaluate(wide) == 0
    page.mouse.move(*middle(page))
    assert page.evaluate(wide) == 0


def test_without_scripts_it_points_to_the_pictures(file, browser):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(file.as_uri())
    assert page.locator(".page-map-static").is_visible() and not page.locator("canvas").is_visible()
    context.close()
