"""A proposal's own page: the only place where its text stands whole, and its labels apart.

    GET /budgeting/2026-00001/ ─▶ description, feedback, category, labels, point_label

The export drops paragraphs, all behind a long address and everything after 32,767 characters; the list shows three
badges. A page is 0.2 s for the server, so it is asked for only where the proposal has changed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from lxml import etree, html

from connectors._line import shown_type
from connectors._text import plain_text
from connectors.meinberlin.proposal import Row
from connectors.meinberlin.session import ACCOUNTS, Session
from connectors.meinberlin.web import Reply, split
from kiezbruecke.records import Module

FIELDS = frozenset({"description", "feedback", "category", "labels", "point_label"})
_RICH = ".//div[contains(@class, 'ck-content')]"
_TEXT = f".//section[contains(@class, 'item-detail__content')]{_RICH[1:]}"
_FEEDBACK = ".//section[@id='moderator-feedback']"
_REFERENCE = ".//*[contains(@class, 'item-detail__reference')]"
_BADGES = ".//ul[contains(@class, 'pill__list')]/li"


class Details:
    """Reads the pages of proposals as everybody sees them; those of a private module with the account's session."""

    def __init__(self, everybody: Session, account: Session, address: str) -> None:
        self._everybody, self._account, self._address = everybody, account, address
        self._private: set[int] = set()

    def read(self, module: Module, row: Row) -> Mapping[str, Any]:
        """The fields of a proposal's page; raises SourceError, ConfigurationError or NotAllowedError."""
        reply = self._get(module, row)
        if reply.status in (302, 403) and module.id not in self._private:
            self._account.log_in()
            self._private.add(module.id)
            reply = self._get(module, row)
        self._everybody.refuse_redirect(reply)
        if reply.status != 200 or reply.media_type != "text/html":
            raise reply.broken(f"answered {reply.status} {shown_type(reply.media_type)}", "200 and a page")
        if b"</html>" not in reply.body[-100:]:
            raise reply.broken("the page is cut", "a whole page")
        return _fields(reply, row, self._address)

    def _get(self, module: Module, row: Row) -> Reply:
        """The page; another year in its address, and the platform leads to the right one."""
        session = self._account if module.id in self._private else self._everybody
        reply = session.get(split(row["url"]).path, "text/html")
        return session.get(split(reply.location).path, "text/html") if _same(reply, row) else reply


def _same(reply: Reply, row: Row) -> bool:
    """Whether a redirect leads to a page of the same proposal, on this host."""
    there = split(reply.location)
    at_home = not there.netloc and not there.path.startswith(ACCOUNTS)
    return reply.status in (301, 302) and at_home and re.search(rf"/\d{{4}}-0*{row['pk']}/$", there.path) is not None


def _fields(reply: Reply, row: Row, address: str) -> dict[str, Any]:
    page = _page(reply)
    reference = "".join(_first(page, _REFERENCE, reply).itertext())
    if row["reference_number"] not in reference.split():
        raise reply.broken("the page is of another proposal", "its reference number")
    badges = page.xpath(_BADGES)
    return {
        "description": plain_text(_first(page, _TEXT, reply), address),
        "feedback": _feedback(page, row, reply, address),
        "category": "".join(_of_kind(badges, "pill--category")[:1]),
        "labels": _of_kind(badges, "pill--label"),
        "point_label": "".join([_said(one) for one in badges if one.find("i") is not None][:1]),
    }


def _page(reply: Reply) -> Any:
    parser = html.HTMLParser(encoding="utf-8", no_network=True)
    try:
        return html.document_fromstring(reply.body, parser=parser)
    except (etree.LxmlError, ValueError):
        raise reply.broken("the page is cut or no HTML", "a page") from None


def _first(page: Any, path: str, reply: Reply) -> Any:
    found = page.xpath(path)
    if not found:
        raise reply.broken("the page has another form than before", path)
    return found[0]


def _feedback(page: Any, row: Row, reply: Reply, address: str) -> str:
    """A page without the section has no feedback; but one with a status has a section, or is another page."""
    sections = page.xpath(_FEEDBACK)
    if not sections and not row["moderator_status"]:
        return ""
    if not sections:
        raise reply.broken("the page has another form than before", _FEEDBACK)
    texts = sections[0].xpath(_RICH)
    return plain_text(texts[0], address) if texts else ""


def _of_kind(badges: list[Any], kind: str) -> list[str]:
    return [_said(one) for one in badges if kind in (one.get("class") or "").split()]


def _said(badge: Any) -> str:
    """The text as it was typed: only the template's blanks around it are not."""
    return "".join(badge.itertext()).strip(" \t\r\n\f")
