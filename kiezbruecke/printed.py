"""Pages that are read, printed and signed without any program: one HTML file, no script, nothing loaded."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from lxml import html
from lxml.html import builder as E  # noqa: N812 - lxml's own name for it

_STYLE = """
@page { size: A4 landscape; margin: 15mm 12mm; }
body { font: 10pt/1.4 "DejaVu Sans", Arial, sans-serif; color: #111; background: #fff; margin: 1.5rem auto;
       max-width: 75rem; padding: 0 1rem; }
h1 { font-size: 1.6rem; margin: 0 0 .3rem; } h2 { font-size: 1.2rem; margin: 2rem 0 .5rem; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .2rem 1rem; }
dt { font-weight: bold; } dd { margin: 0; }
table { border-collapse: collapse; width: 100%; } caption { text-align: left; padding: .3rem 0; }
th, td { border: 1px solid #777; padding: .3rem .4rem; text-align: left; vertical-align: top; overflow-wrap: anywhere; }
thead th { background: #eee; } tbody th { font-weight: normal; overflow-wrap: break-word; }
.number { text-align: right; } .total, tbody .total { font-weight: bold; }
thead { display: table-header-group; } tr { break-inside: avoid; }
code { font-size: .9em; overflow-wrap: anywhere; }
.small { font-size: .85em; color: #444; display: block; } .personal { font-weight: bold; }
@media print { body { margin: 0; max-width: none; padding: 0; font-size: 8.5pt; } h2 { break-after: avoid; } }
"""
Element = html.HtmlElement
Cells = Sequence[Element]


def page(title: str, *body: Element | str) -> str:
    """The whole page; `title` is what a browser shows."""
    head = E.HEAD(
        E.META(charset="utf-8"),
        E.META(name="viewport", content="width=device-width, initial-scale=1"),
        E.TITLE(title),
        E.STYLE(_STYLE),
    )
    return html.tostring(
        E.HTML(head, E.BODY(*body), lang="de"), doctype="<!DOCTYPE html>", encoding="unicode", pretty_print=True
    )


def pairs(rows: Iterable[tuple[str, str]]) -> Element:
    """Words and what they mean here."""
    return E.DL(*(part for word, text in rows for part in (E.DT(word), E.DD(text))))


def table(caption: str, heads: Iterable[str], rows: Iterable[Cells]) -> Element:
    """A table with its caption."""
    head = E.TR(*(E.TH(text, scope="col") for text in heads))
    return E.TABLE(E.CAPTION(caption), E.THEAD(head), E.TBODY(*(E.TR(*row) for row in rows)))


def small(text: str) -> Element:
    """A remark below something."""
    return E.SPAN(text, {"class": "small"})
