"""What the page of one report has around its cells, on a small executed notebook made here: no kernel is started."""

import base64
import re

import nbformat
import pytest
from bs4 import BeautifulSoup
from PIL import Image

from analysis.runner import glossary
from analysis.runner.html import link_neighbours, render

QUESTION = "# Words\n\nDoes *it* work?\n\nThe rule: better where δ is left out, δ as given."
FIGURE = '## Figure 2 — score against "size"\n\nOne dot per draw;\nhigher is better.'
TABLE = "<table><tr><td>token_length</td><td>kmeans(inside=&#x27;ifd&#x27;)</td><td>no_method</td><td>ifd(depth=3)</td></tr></table>"
POOL_TEXT = '<table class="examples"><tr><td><p>ten nats and a faulty draw</p></td></tr></table>'


def shown(**data):
    return nbformat.v4.new_output("display_data", data={kind.replace("_", "/"): value for kind, value in data.items()})


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    figures = folder / "figures" / "one"
    figures.mkdir(parents=True)
    Image.new("RGB", (20, 10), "white").save(figures / "score.png")
    (figures / "score.csv").write_text("size,score\n1,2\n")
    picture = base64.b64encode((figures / "score.png").read_bytes()).decode()
    Image.new("RGB", (20, 10), "red").save(folder / "other.png")
    other = base64.b64encode((folder / "other.png").read_bytes()).decode()
    findings = shown(text_html='<ul class="findings"><li>0.5 nats &lt;b&gt; in 3 parts.</li></ul>')
    cells = [
        nbformat.v4.new_markdown_cell(QUESTION),
        nbformat.v4.new_code_cell("hidden = 'δ'", outputs=[shown(text_html=TABLE), shown(text_html=POOL_TEXT)]),
        nbformat.v4.new_markdown_cell(FIGURE),
        nbformat.v4.new_code_cell("draw()", outputs=[shown(image_png=picture), shown(image_png=other)]),
        nbformat.v4.new_markdown_cell("## What this shows"),
        nbformat.v4.new_code_cell("report.finding()", outputs=[findings]),
    ]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), folder / "one.ipynb")
    render(folder / "one.ipynb", folder / "one.html", run="run", name="one", source_folder=folder, figures=figures,
           findings=["No number.", "It <b>gains</b> 3 points."])  # fmt: skip
    return folder


@pytest.fixture(scope="module")
def page(folder):
    return (folder / "one.html").read_text(encoding="utf-8").split("</head>")[1]


def test_question_answer_contents_and_rule_stand_in_this_order(page):
    parts = [
        "Does <em>it</em> work?",
        "It &lt;b&gt;gains&lt;/b&gt; 3 points.",
        'class="contents"',
        "The rule: better where",
    ]
    places = [page.index(part) for part in parts]
    assert places == sorted(places)
    assert "<b>gains" not in page


def test_contents_lead_to_the_headings(page):
    soup = BeautifulSoup(page, "html.parser")
    links = soup.select("nav.contents a")
    assert [link.text for link in links] == ['Figure 2 — score against "size"', "What this shows"]
    assert all(soup.find(id=link["href"].removeprefix("#")).h2 for link in links)


def test_a_figure_says_what_it_shows_and_leads_to_its_files(folder, page):
    ours, other = BeautifulSoup(page, "html.parser").select("figure")
    assert ours.img["alt"] == 'Figure 2 — score against "size". One dot per draw; higher is better.'
    links = [link["href"] for link in ours.select("a")]
    assert links == ["figures/one/score.png", "figures/one/score.png", "figures/one/score.csv"]
    assert all((folder / link).is_file() for link in links)
    assert not other.select("a")  # a picture that no file was saved of


def test_methods_in_tables_have_their_names(page):
    assert "<td>Token length</td><td>K-means (IFD)</td><td>no_method</td><td>ifd(depth=3)</td>" in page


def test_code_is_folded_away(page):
    assert page.count("<details") == 3
    assert not re.search(r"jp-InputArea-editor", re.sub(r"<details.*?</details>", "", page, flags=re.DOTALL))


def test_a_word_is_explained_where_it_first_stands_and_not_in_the_text_of_rows(page):
    soup = BeautifulSoup(page, "html.parser")
    terms = {link["href"].partition("#")[2]: link for link in soup.select("a.term")}
    assert sorted(terms) == ["delta", "draw", "nats", "part"]
    assert terms["delta"].previous_sibling == "The rule: better where "
    assert terms["nats"]["data-meaning"] == glossary.TERMS["nats"][1]
    assert not soup.select("table.examples a.term")


def test_explaining_leaves_markup_and_other_words_alone():
    mark = glossary.marker()
    for text in ('<a title="nats">nats</a> <code>nats</code>', "donats, nats-like &nats;", '<img alt="δ">'):
        assert mark(text) == text
    assert mark("<h2>nats</h2><p>nats and nats</p>").count("<a ") == 1
    assert mark("<p>nats</p>") == "<p>nats</p>"


def test_every_explanation_has_its_place_on_the_page_of_words(tmp_path):
    from analysis.runner.index import write_index

    write_index(tmp_path)
    text = (tmp_path / glossary.PAGE).read_text()
    assert all(f'<dt id="{anchor}">' in text for anchor in [*glossary.TERMS, *glossary.METHOD_TERMS])


def test_a_method_is_explained_by_what_it_takes_and_where_that_is_written():
    mark = glossary.marker()
    text = mark("<p>LESS is less than cross-entropy, and K-means (IFD) than more.</p>")
    assert re.findall(r'#method-(\w+)"', text) == ["less", "cross_entropy", "kmeans", "ifd"]
    assert "max over target groups" in text and "arXiv 2402.04333" in text and ">LESS</a> is less than" in text
    names = [
        ("IFD (released)", "method-ifd"),
        ("Random, no near-duplicates", "method-near_duplicate_filter"),
        ("Mine", ""),
    ]
    assert [(label, glossary.method_anchor(label)) for label, _ in names] == names


def test_pages_lead_to_their_neighbours_and_are_written_once(tmp_path):
    pages = [tmp_path / f"{name}.html" for name in ("a", "b")]
    for page in pages:
        page.write_text("<nav><!--neighbours--><!--/neighbours--></nav> <!--neighbours--><!--/neighbours-->")
    link_neighbours(pages, ["A <i>", r"B \1"])
    first, second = [page.read_text() for page in pages]
    assert first.startswith(r'<nav><!--neighbours--><a rel="next" href="b.html">B \1 →</a><!--/neighbours--></nav>')
    assert '<a rel="prev" href="a.html">← A &lt;i&gt;</a>' in second
    before = pages[0].stat().st_mtime_ns
    link_neighbours(pages, ["A <i>", r"B \1"])
    assert pages[0].stat().st_mtime_ns == before
    link_neighbours(pages[:1], ["A <i>"])
    assert "href" not in pages[0].read_text()
