"""Words of the reports that a newcomer stumbles over: explained where each first stands on a page, and on a page of their own."""

import html
import re
from collections.abc import Callable

from analysis.methods import METHODS, RANDOM
from analysis.methods.labels import method_of

PAGE = "glossary.html"
TERMS = {  # anchor: (as it is written, what it means)
    "nats": (r"nats", "The unit of a loss: the natural logarithm of how unlikely the model finds a token. 0.1 nats per answer token less "
             "means that the right answer's tokens are about 10 % likelier. Scores hold the loss negated, so that higher is better everywhere."),
    "delta": (r"δ", "δ, the smallest difference that is held to matter: 2 points of accuracy or 0.05 nats, unless a notebook says otherwise."),
    "draw": (r"(?:random )?draws?", "Rows chosen by chance, as many as the methods choose. Several independent ones show how far chance alone goes."),
    "part": (r"parts", "The pool is cut into disjoint parts. Every method selects once in each, so that its own selection varies."),
    "faulty": (r"faulty", "A row whose answer was spoilt on purpose when the testbed was generated, e.g. wrong or off-topic. No method is told."),
    "released": (r"\(released\)|released (?:script|text)s?", "What the study's published script computes, where that is not what the paper defines."),
    "undecided": (r"undecided", "Neither better nor worse nor alike: the interval is too wide to say. More runs may decide it."),
    "no-verdict": (r"no verdict", "Too few runs or items to judge, whatever the numbers look like: a method takes three runs at least."),
    "equal-tokens": (r"equal tokens", "Each side is trained on as many tokens; with equal rows a method that likes long answers trains on more."),
    "rows-per-skill": (r"rows per (?:skill|cluster)", "How many rows of each kind the budget buys on average; a kind is a skill in the testbed, "
                       "elsewhere a cluster of alike texts. Few and many can give opposite answers."),
    "floor": (r"at the floor", "A score no more than δ above that of the base without fine-tuning: it cannot fall much further."),
    "holm": (r"Holm(?:'s)?", "A correction for looking at many comparisons at once, so that chance is seldom called a difference in any."),
}  # fmt: skip


def _anchor(name: str) -> str:
    return f"method-{name}"


def _of_method(method) -> tuple[str, str]:
    """How a method is written, in text in small letters too unless it is an abbreviation, and what it means."""
    first, rest = method.label[0], method.label[1:]
    first = f"[{first}{first.lower()}]" if rest[:1].islower() else first
    definition = f": {method.definition}" if method.definition else ""
    return first + re.escape(rest), f"{method.label}{definition} ({method.paper})."


# The same of every method; random selection is told by "draw".
METHOD_TERMS = {_anchor(name): _of_method(method) for name, method in METHODS.items() if name != RANDOM}
_TAGS = re.compile(r"(<[^>]*>)")
_LEFT_ALONE = {"a", "code", "pre", "h1", "h2", "h3", "summary", "style", "script"}


def marker() -> Callable[[str], str]:
    """For one page: a function of HTML that makes the first mention of every term in its text a link that explains it."""
    left = TERMS | METHOD_TERMS

    def mark(text: str) -> str:
        inside, done = 0, []
        for piece in _TAGS.split(text):
            if piece.startswith("<"):
                name = re.match(r"</?\s*([a-z0-9]*)", piece.lower())[1]
                inside += 0 if name not in _LEFT_ALONE else -1 if piece.startswith("</") else 1
                done.append(piece)
            else:
                done.append(piece if inside else _explain(piece, left))
        return "".join(done)

    return mark


def method_anchor(label: str) -> str:
    """Where on the page of words the method of a label such as "IFD (released)" is explained; empty where it is not."""
    name = method_of(label)
    return name and _anchor(name)


def _explain(text: str, left: dict) -> str:
    """The text with links to those terms that are left, which are then no longer."""
    found = []
    for anchor, (written, meaning) in list(left.items()):
        place = re.search(rf"(?<![\w&;-])(?:{written})(?![\w-])", text)
        if place and not any(place.start() < end and start < place.end() for start, end, *_ in found):
            found.append((*place.span(), anchor, meaning))
            del left[anchor]
    for start, end, anchor, meaning in sorted(found, reverse=True):
        told = html.escape(meaning, quote=True)
        link = f'<a class="term" href="../{PAGE}#{anchor}" data-meaning="{told}">{text[start:end]}</a>'
        text = text[:start] + link + text[end:]
    return text
