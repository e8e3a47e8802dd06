"""What a browser would fetch by itself to show a page: read from its attributes, styles and scripts, never from its text."""

import re
from html.parser import HTMLParser

# A link that a reader may click is none of these.
TAGS = (
    "script",
    "img",
    "image",
    "use",
    "iframe",
    "source",
    "track",
    "video",
    "audio",
    "embed",
    "link",
    "object",
    "input",
)
ATTRIBUTES = ("src", "href", "xlink:href", "data", "srcset", "poster")
STYLED = ("style", "fill", "stroke", "filter", "mask", "clip-path")  # attributes with CSS, those of SVG included
_ADDRESS = re.compile(r"(?:https?:)?//\S+", flags=re.IGNORECASE)
_FETCHES = re.compile(
    r"""url\(\s*["']?((?:https?:)?//[^)"']+)|@import\s+["']((?:https?:)?//[^"']+)
      |\bimport\b[^;"'<>]*["'](https?://[^"']+)["']""",
    flags=re.IGNORECASE | re.VERBOSE,
)


def external_requests(page: str) -> list[str]:
    """Addresses that a browser would fetch while it shows the page."""
    reader = _Reader()
    reader.feed(page)
    reader.close()
    return reader.found


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._acts = False  # whether text is that of a style or a script, and not of the page

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = {name: value.strip() for name, value in attrs if value}
        for name, value in told.items():
            if tag in TAGS and name in ATTRIBUTES:
                candidates = re.split(r",\s+", value) if name == "srcset" else [value]
                self.found += [found[0] for one in candidates if (found := _ADDRESS.match(one.strip()))]
            elif name in STYLED:
                self._look(value)
            elif name == "srcdoc":
                self.found += external_requests(value)
        kind = told.get("type", "").lower()
        self._acts = tag == "style" or (tag == "script" and (kind in ("", "module") or "javascript" in kind))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        self._acts = False

    def handle_endtag(self, tag: str) -> None:
        self._acts = False

    def handle_data(self, data: str) -> None:
        if self._acts:
            self._look(data)

    def _look(self, text: str) -> None:
        self.found += [next(part for part in match if part) for match in _FETCHES.findall(text)]
