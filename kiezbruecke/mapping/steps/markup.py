"""Steps on HTML."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from lxml.etree import ErrorTypes, LxmlError, iterwalk

from kiezbruecke.mapping.steps.registry import StepExample, step
from kiezbruecke.mapping.values import Unusable, to_text
from kiezbruecke.mapping.wording import Instead, Why

if TYPE_CHECKING:
    from lxml.html import HtmlElement

_NOT_HTML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff]")
_SILENT = frozenset({"script", "style"})
_BREAKS = frozenset({"p", "div", "li", "ul", "ol", "h1", "h2", "h3", "h4", "h5", "h6", "tr", "blockquote"})


@step(
    StepExample("<p>Neue <b>Bänke</b></p><p>am Ufer</p>", "Neue Bänke\nam Ufer"),
    StepExample("eins<br>zwei &amp; drei", "eins\nzwei & drei"),
    StepExample("<script>alert(1)</script>", None),
    StepExample("Fest < 18 Uhr", "Fest < 18 Uhr"),
)
def html_to_text(value: object) -> str | None:
    """Keep the words of a piece of HTML; paragraphs and breaks become line breaks."""
    given = to_text(value)
    if not given.strip():
        return None
    return _lines(_html_words(given)) or None


def _html_words(source: str) -> str:
    from lxml import html  # noqa: PLC0415 - few mappings read HTML

    parser = html.HTMLParser()
    try:
        root = html.fragment_fromstring(f"<i></i>{_NOT_HTML.sub('', source)}", create_parent="div", parser=parser)
    except LxmlError:
        raise Unusable(Why.NO_HTML(), Instead.HTML()) from None
    if any(error.type == ErrorTypes.ERR_RESOURCE_LIMIT for error in parser.error_log):
        raise Unusable(Why.DEEP_HTML(), Instead.HTML())  # the rest is lost
    return "".join(_words(root))


def _words(root: HtmlElement) -> Iterator[str]:
    """The words in order, a line break where a block begins or ends; a loop, for depth is the sender's choice."""
    walk = iterwalk(root, events=("start", "end", "comment", "pi"))
    for event, element in walk:
        breaks = element.tag in _BREAKS
        if event == "start" and element.tag in _SILENT:
            walk.skip_subtree()
        elif event == "start":
            yield "\n" if breaks or element.tag == "br" else ""
            yield element.text or ""
        if event != "start":
            yield "\n" if breaks else ""
            yield (element.tail or "") if element is not root else ""


def _lines(words: str) -> str:
    lines = (" ".join(line.split()) for line in words.split("\n"))
    return "\n".join(line for line in lines if line)
