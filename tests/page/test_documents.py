"""Documents of a case that went out: what the e-file was sent, opened from the case, and who has opened it."""

from __future__ import annotations

import re
from html import unescape

import httpx

from kiezbruecke.ledger.events import OPENED, events_of
from kiezbruecke.ledger.reading import find_case
from tests.page.conftest import COOKIE, serving
from tests.world import World, line, make_world, processes, world

__all__ = ["make_world", "processes", "world"]


def test_the_pdf_is_opened_as_it_was_sent(world: World) -> None:
    """Its bytes, as a file and never as a page; whoever has opened it is in the case's evidence."""
    world.drop(line("P-1"))
    world.run()
    (case,) = find_case(world.ledger, "P-1")
    with serving(lambda: world.house) as address, httpx.Client(cookies={COOKIE: "klara"}, trust_env=False) as klara:
        page = klara.get(f"{address}/faelle/{case.id}").text
        [files] = [one for one in re.findall(r'href="([^"]+/dokumente/[^"]+)"', page) if str(filed(world)) in one]
        names = re.findall(r'href="(\?name=[^"]+)"', klara.get(address + files).text)
        pdf = next(one for one in names if one.endswith(".pdf"))
        sent = klara.get(address + files + unescape(pdf))

    assert sent.content.startswith(b"%PDF")
    assert sent.headers["content-type"] == "application/pdf"
    assert sent.headers["content-disposition"].startswith("attachment")
    assert "sandbox" in sent.headers["content-security-policy"]
    opened = [one.body for one in events_of(world.ledger, case.id) if one.kind == OPENED]
    assert [(one["account"], one["what"].endswith(".pdf")) for one in opened] == [("klara", False), ("klara", True)]


def filed(world: World) -> object:
    """The key of the message to the e-file."""
    (head,) = world.messages("eakte-tk")
    return head.key
