"""Formatted text of a platform as plain text: paragraphs stay apart, lists stay lists, links keep their address.

Platforms' editors allow p, strong, em, u, ol, ul, li, a, img, iframe and div; what else may stand there (older texts,
imports) counts as words, or as a line of its own where a browser would begin one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import urljoin, urlsplit

from lxml import etree, html

PARAGRAPHS = {
    *("p", "div", "ul", "ol", "dl", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "table", "pre"),
    *("address", "article", "blockquote", "figcaption", "figure", "section"),
}
LINES = {"li", "br", "tr", "dt", "dd"}
UNSEEN = {"script", "style", "template", "noscript"}
SCHEMES = {"http", "https", "mailto", "tel"}
_BLANKS = re.compile(r"[ \t\r\n\f]+")  # what a browser folds; a no-break space is no such blank
_PARAGRAPH, _LINE = "\n\n", "\n"
_NOT_HTML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff]")
_BLOCK = re.compile(rf"<(?:{'|'.join(sorted(PARAGRAPHS | LINES))})\b", re.IGNORECASE)


def plain_text_of(source: str, address: str) -> str:
    """The text of a piece of HTML, or of plain text that was typed: where no block begins, lines are lines."""
    written = source if _BLOCK.search(source) else "<br>".join(source.splitlines())
    return plain_text(fragment_of(written), address)


def fragment_of(source: str) -> html.HtmlElement:
    """A piece of HTML in a `div` of its own, whatever it is; deeper than libxml2 goes, and the rest is lost there."""
    cleaned = _NOT_HTML.sub("", source)
    return html.fragment_fromstring(f"<i></i>{cleaned}", create_parent="div", parser=html.HTMLParser())


def plain_text(element: etree._Element, address: str) -> str:
    """The text inside an element. `address` is the page's own: where relative links begin."""
    writer = _Writer(address)
    unseen = 0
    for event, one in etree.iterwalk(element, events=("start", "end", "comment", "pi")):
        hidden = one.tag in UNSEEN
        if event == "start":
            unseen += hidden
            if not unseen and one is not element:
                writer.begin(one)
            writer.say("" if unseen else one.text)
        else:
            if event == "end" and not unseen and one is not element:
                writer.end(one)
            unseen -= event == "end" and hidden
            writer.say("" if unseen or one is element else one.tail)
    return writer.text()


@dataclass
class _Writer:
    """Folds blanks within a line, and keeps the widest distance that was asked for between two lines."""

    address: str
    lines: list[str] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    distance: str = ""
    mark: str = ""  # of the list's next member
    lists: list[int | None] = field(default_factory=list)  # the number that comes next, None where dots stand
    members: int = 0  # how many members of lists are open: their paragraphs are lines

    def say(self, words: str | None) -> None:
        """More words of the line."""
        if words:
            self.words.append(words)

    def begin(self, element: etree._Element) -> None:
        """A new line or list, where the element is one."""
        self._break(element.tag)
        if element.tag in ("ul", "ol"):
            self.lists.append(1 if element.tag == "ol" else None)
        elif element.tag == "li":
            self.members += 1
            self.mark = self._next_mark()
        elif element.tag == "img":
            self.say(element.get("alt"))
        elif element.tag == "iframe" and (source := self._link(element.get("src"))):
            self.say(f" {source} ")

    def end(self, element: etree._Element) -> None:
        """The end of a line, a list or a link."""
        if element.tag == "a":
            self._end_link(element)
        self._break(element.tag)
        if element.tag in ("ul", "ol"):
            self.lists.pop()
        elif element.tag == "li":
            self.members -= 1
            self.mark = ""

    def text(self) -> str:
        """All of it."""
        self._break("p")
        return "".join(self.lines)

    def _break(self, tag: object) -> None:
        if tag not in PARAGRAPHS and tag not in LINES:
            return
        line = _BLANKS.sub(" ", "".join(self.words)).strip(" ")
        if line.strip():  # the editor keeps lines apart with a lone no-break space
            self.lines += [self.distance if self.lines else "", self.mark, line]
            self.distance = self.mark = ""
        self.words.clear()
        asked = _PARAGRAPH if tag in PARAGRAPHS and not self.members else _LINE
        self.distance = max(self.distance, asked, key=len)

    def _next_mark(self) -> str:
        number = self.lists[-1] if self.lists else None
        if number is None:
            return "– "
        self.lists[-1] = number + 1
        return f"{number}. "

    def _end_link(self, element: etree._Element) -> None:
        """The address, unless it is what the link says anyway."""
        link = self._link(element.get("href"))
        said = "".join(element.itertext()).strip()
        if link and link.rstrip("/") not in {f"{scheme}{said}".rstrip("/") for scheme in _SAID_WITHOUT}:
            self.say(f" ({link})")

    def _link(self, target: str | None) -> str:
        try:
            link = urljoin(f"{self.address}/", (target or "").strip())
            return link if target and urlsplit(link).scheme in SCHEMES else ""
        except ValueError:  # no address, whatever it is
            return ""


_SAID_WITHOUT = ("", "http://", "https://", "mailto:", "tel:")
