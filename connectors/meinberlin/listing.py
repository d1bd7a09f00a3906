"""The list of a module in one page, so that it is one snapshot: paging repeats and omits what has equal times.

one page ─▶ whole ──▶ handed over
    └─ there is more ─▶ a larger page, once more

Where somebody in between allows only small pages, the list is read page by page until two passes name the same.

One odd entry stops no other; a page on which nothing can be understood is another API.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from connectors._line import shown_type
from connectors.meinberlin.proposal import OddEntry, Row, find_flaw, odd_entry
from connectors.meinberlin.settings import Settings
from connectors.meinberlin.web import Reply, Web
from kiezbruecke.errors import ConfigurationError, SourceError
from kiezbruecke.foreign_json import key_twice
from kiezbruecke.records import Module
from kiezbruecke.troubles import Cause, Trouble

ENDPOINTS = {"budgeting": "proposals", "kiezkasse": "kiezkasse-proposals"}
OTHER = {"budgeting": "kiezkasse", "kiezkasse": "budgeting"}
WRONG_PASSWORD = "Ungültiger Benutzername/Passwort"  # noqa: S105 - the platform's own words
ROOM = 50  # so many may come between two calls
MOST = 10_000  # a page larger than this is a question of memory, on both sides
LARGEST, PAGES = 20_000, 1_000  # proposals and pages of one module; whoever never says "the last one" has no list
Entry = Row | OddEntry


@dataclass(frozen=True)
class Page:
    """One page of a list."""

    count: int
    results: tuple[Entry, ...]
    more: bool
    names: str  # of the module's categories and labels


@dataclass(frozen=True)
class Listed:
    """A module's list; `names` of its categories and labels change where somebody renames one."""

    entries: tuple[Entry, ...]
    names: str


@dataclass(frozen=True)
class Pass:
    """One reading of all pages; `whole` is False where the list moved under our eyes."""

    rows: tuple[Entry, ...]
    pages: int
    whole: bool
    names: str = ""
    larger: int = 0  # the page that would hold them all

    @property
    def keys(self) -> frozenset[str]:
        """The proposals' keys."""
        return frozenset(map(key_of, self.rows))


class Listing:
    """Reads the proposals of modules over the JSON API."""

    def __init__(self, web: Web, settings: Settings) -> None:
        self._web = web
        self._settings = settings

    def read(self, module: Module) -> Listed:
        """Every proposal of the module, archived ones too; SourceError rather than a part of them."""
        before: frozenset[str] | None = None
        size = self._settings.page_size
        for _ in range(self._settings.passes):
            now = self._pass(module, size)
            if now.whole and (now.pages == 1 or now.keys == before):
                self._refuse_wrong_type(module, now)
                return Listed(now.rows, now.names)
            before = now.keys if now.whole else None
            size = max(size, now.larger)
        raise SourceError(
            f"the list of module {module.id} changed in each of {self._settings.passes} passes",
            where=f"connection {self._settings.connection}, GET {_path(module.id, module.type)}",
            helps="nothing was taken over; tried again",
        )

    def _pass(self, module: Module, size: int) -> Pass:
        rows: list[Entry] = []
        counts: set[int] = set()
        number = 0
        more, names = True, ""
        while more:
            number += 1
            page = self._page(module.id, module.type, number, size)
            if page is None or (page.more and not page.results):
                return Pass(tuple(rows), number, whole=False)
            if page.more and number == 1 and len(page.results) == size and size < page.count + ROOM <= MOST:
                return Pass((), 1, whole=False, larger=page.count + ROOM)
            rows += page.results
            if number > PAGES or len(rows) > LARGEST:
                raise SourceError(
                    f"the list of module {module.id} does not end",
                    where=f"connection {self._settings.connection}, GET {_path(module.id, module.type)}",
                    expected=f"at most {LARGEST} proposals on {PAGES} pages",
                    helps="nothing was taken over",
                )
            counts.add(page.count)
            names = page.names
            more = page.more and len(rows) <= page.count
        keys = set(map(key_of, rows))
        return Pass(tuple(rows), number, whole=counts == {len(rows)} == {len(keys)}, names=names)

    def _page(self, module_id: int, module_type: str, number: int, size: int) -> Page | None:
        """One page, by number: `next` may name another host, and is only asked whether it is there.

        None where the list has become shorter than this page. `ordering` and `is_archived` are always sent:
        the default order is shuffled daily, and archived proposals are hidden by default.
        """
        path = _path(module_id, module_type)
        query = {"ordering": "created", "is_archived": "", "page_size": str(size), "page": str(number)}
        reply = self._web.get(path, query)
        if reply.status == 404 and number > 1:
            return None
        self._web.refuse_redirect(reply)
        refuse_status(reply, module_id)
        return _parse(reply, module_type, f"modul-{module_id}-seite-{number}")

    def _refuse_wrong_type(self, module: Module, read: Pass) -> None:
        """The wrong endpoint answers with an empty list and no error: so ask the other one, once."""
        if read.rows:
            return
        other = OTHER[module.type]
        page = self._page(module.id, other, 1, 1)
        if page is not None and page.count:
            raise ConfigurationError(
                f"module {module.id} holds no '{module.type}' proposals but {page.count} of type '{other}'",
                where=f"connection {self._settings.connection}",
                helps=f"set type: {other} for module {module.id} in mappings/processes",
            )


def key_of(entry: Entry) -> str:
    """The key that an entry goes by, on the platform and with us."""
    return entry.key if isinstance(entry, OddEntry) else str(entry["pk"])


def refuse_status(reply: Reply, module_id: int) -> None:
    """What a status other than 200 means; the platform never says 401."""
    if reply.status == 200:
        return
    if reply.status in (401, 403) and reply.media_type == "application/json":
        if WRONG_PASSWORD in reply.text():
            raise ConfigurationError(
                "the platform refuses login and password",
                where=reply.where,
                helps="mend the connection's account; the API takes the e-mail address, not the user name",
                trouble=Trouble(Cause.PASSWORD),
            )
        raise ConfigurationError(
            f"module {module_id} may not be read with this account (private or not published)",
            where=reply.where,
            helps="use a moderator's or initiator's account",
        )
    if reply.status == 404:
        raise ConfigurationError(
            f"the platform knows no module {module_id}",
            where=reply.where,
            helps="look at mappings/processes and host",
        )
    raise reply.broken(f"answered {reply.status} {shown_type(reply.media_type)}", "200")


def _path(module_id: int, module_type: str) -> str:
    return f"/api/modules/{module_id}/{ENDPOINTS[module_type]}/"


def _parse(reply: Reply, module_type: str, place: str) -> Page:
    body = reply.json(of_many=True)
    if not isinstance(body, dict):
        raise reply.broken("the answer is no object", "count, next, results")
    count, results, following = body.get("count"), body.get("results"), body.get("next", ...)
    if not isinstance(count, int) or isinstance(count, bool) or count < 0:
        raise reply.broken("field 'count' is missing or no number", "a number")
    if not isinstance(results, list):
        raise reply.broken("field 'results' is missing or no list", "a list")
    if following is not None and not isinstance(following, str):
        raise reply.broken("field 'next' is missing or no address", "an address or null")
    entries = _entries(reply, results, count, module_type, place)
    if twice := key_twice({**body, "results": []}):
        raise reply.broken(f"a key stands twice: {twice}", "each key once")
    return Page(count, entries, following is not None, _names(body.get("filters")))


def _names(filters: Any) -> str:
    """What the list's filters call the module's categories and labels, as one text."""
    known = filters if isinstance(filters, dict) else {}
    parts = (known.get(name) for name in ("category", "labels"))
    return json.dumps([part.get("choices") if isinstance(part, dict) else None for part in parts])


def _entries(reply: Reply, results: list[Any], count: int, module_type: str, place: str) -> tuple[Entry, ...]:
    """The page's proposals and odd entries; all odd is a changed API, but for a lone one on a last page."""
    flaws = [find_flaw(entry, module_type) for entry in results]
    lone = len(results) == 1 < count
    if (first := next(iter(flaws), None)) is not None and all(flaws) and not lone:
        raise reply.broken(first.what, first.expected)
    return tuple(
        entry if flaw is None else odd_entry(entry, flaw, f"{place}-eintrag-{number}")
        for number, (entry, flaw) in enumerate(zip(results, flaws, strict=True), 1)
    )
