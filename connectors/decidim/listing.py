"""The list of a component, read until it rests: cursors are offsets, so what is published meanwhile moves the pages.

one page ─▶ whole                    several pages ─▶ read again until two passes name the same

A null among the nodes is something hidden, or taken from sight: it is counted, and such a list names not all there is.
An error at a node makes that one unreadable, an error elsewhere the whole page.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from connectors._graphql import Reply
from connectors._line import NoAnswer
from connectors.decidim.api import Api, document
from connectors.decidim.capability import Capability
from connectors.decidim.items import Node
from connectors.decidim.settings import Settings
from kiezbruecke.errors import ConfigurationError, SourceError

KINDS = {"Proposals": "proposals", "Budgets": "budgets"}


@dataclass(frozen=True)
class Listed:
    """A component's list: what can be read of it, and how many of its nodes show nothing."""

    kind: str  # Proposals or Budgets
    nodes: tuple[Node, ...] = field(repr=False)
    hidden: int = 0


@dataclass(frozen=True)
class _Page:
    nodes: tuple[Node, ...]
    hidden: int
    end: str  # the cursor behind it, empty where it is the last


@dataclass(frozen=True)
class _Pass:
    """One reading of all pages; `whole` is False where the list moved under our eyes."""

    nodes: tuple[Node, ...]
    hidden: int
    pages: int
    whole: bool

    @property
    def names(self) -> tuple[frozenset[str], int]:
        return frozenset(str(node.get("id")) for node in self.nodes), self.hidden


class Listing:
    """Reads components."""

    def __init__(self, api: Api, settings: Settings, capability: Capability) -> None:
        self._api, self._settings, self._capability = api, settings, capability

    def components(self, slug: str) -> list[int]:
        """The proposals and budgets components of a participatory process; raises ConfigurationError, SourceError."""
        found = self._api.read(document("process"), slug=slug).data.get("participatoryProcess")
        if not isinstance(found, dict):
            raise ConfigurationError(
                f"Decidim shows no participatory process '{slug}'",
                where=self._api.where,
                helps="is the slug right, the process published, and the account allowed to see it?",
            )
        parts = found.get("components") or ()
        numbers = [int(one["id"]) for one in parts if isinstance(one, dict) and one.get("__typename") in KINDS]
        if not numbers:
            what = f"the participatory process '{slug}' has no proposals and no budgets"
            raise ConfigurationError(what, where=self._api.where, helps="name components under with:")
        return numbers

    def read(self, component: int) -> Listed:
        """All that a component has; raises SourceError or ConfigurationError rather than a part of it."""
        kind = self._kind(component)
        before: tuple[frozenset[str], int] | None = None
        for _ in range(self._settings.passes):
            now = self._pass(component, kind)
            if now.whole and (now.pages == 1 or now.names == before):
                return Listed(kind, now.nodes, now.hidden)
            before = now.names if now.whole else None
        raise SourceError(
            f"the list of component {component} changed in each of {self._settings.passes} passes",
            where=f"{self._api.where}, POST /api",
            helps="nothing was taken over; tried again",
        )

    def _kind(self, component: int) -> str:
        reply = self._api.read(document("kind"), component=str(component))
        return kind_of(reply, component, self._api.where)

    def _pass(self, component: int, kind: str) -> _Pass:
        nodes: list[Node] = []
        hidden, after = 0, ""
        seen: set[str] = set()
        while True:
            page = self._page(component, kind, after)
            nodes += page.nodes
            hidden += page.hidden
            if not page.end:
                names = [node.get("id") for node in nodes]
                return _Pass(tuple(nodes), hidden, len(seen) + 1, whole=len({*names}) == len(names))
            if page.end in seen:
                return _Pass((), 0, len(seen) + 1, whole=False)
            seen.add(page.end)
            after = page.end

    def _page(self, component: int, kind: str, after: str) -> _Page:
        reply = self._api.read(
            self._document(kind), component=str(component), first=self._settings.page_size, after=after or None
        )
        kind_of(reply, component, self._api.where)
        return _page_of(reply, KINDS[kind])

    def _document(self, kind: str) -> str:
        if kind == "Proposals":
            return document("proposals", "proposal_newer" if self._capability.proposal_urls else "proposal_older")
        return document("projects", "project_newer" if self._capability.project_links else "project_older")


def kind_of(reply: Reply, component: int, where: str) -> str:
    """Proposals or Budgets; raises ConfigurationError where a component is not there, or is something else."""
    if reply.has("UNDEFINED") or not reply.data:
        raise SourceError(
            f"Decidim does not understand the query ({reply.codes()})",
            where=f"{where}, component {component}",
            expected="the schema of Decidim 0.30 to 0.32",
            helps="nothing was taken over; has Decidim been updated, or is page_size too much for its limits?",
        )
    found = reply.data.get("component")
    if not isinstance(found, dict):
        raise ConfigurationError(
            f"Decidim shows no component {component}",
            where=where,
            helps="is the number right, the component published, and the account allowed to see it?",
        )
    kind = found.get("__typename")
    if kind not in KINDS:
        raise ConfigurationError(
            f"component {component} holds neither proposals nor budgets", where=where, helps="see the route's with:"
        )
    return str(kind)


def _page_of(reply: Reply, name: str) -> _Page:
    _hide_unreadable(reply, ("component", name, "nodes"))
    connection = reply.data["component"].get(name)
    nodes = connection.get("nodes") if isinstance(connection, dict) else None
    about = connection.get("pageInfo") if isinstance(connection, dict) else None
    if not isinstance(nodes, list) or not isinstance(about, dict) or not isinstance(about.get("hasNextPage"), bool):
        raise NoAnswer(f"'{name}' has another form than before, or may not be read ({reply.codes()})", 200)
    if not all(node is None or isinstance(node, dict) for node in nodes):
        raise NoAnswer(f"a node of '{name}' is no object", 200)
    end = about.get("endCursor") if about["hasNextPage"] else ""
    if about["hasNextPage"] and (not nodes or not isinstance(end, str) or not end):
        raise NoAnswer("another page is said to follow, but not where", 200)
    good = tuple(node for node in nodes if node is not None)
    return _Page(good, len(nodes) - len(good), end or "")


def _hide_unreadable(reply: Reply, nodes: tuple[str, ...]) -> None:
    """Make a null of each member of a list that has a field which could not be read: absent is not empty.

    Raises NoAnswer for an error at the page itself. A member that is null already is hidden, and stays that.
    """
    for error in reply.errors:
        if error.path[: len(nodes)] != nodes:
            raise NoAnswer(f"the page came with an error ({error.code or 'without a code'})", 200)
        owner: tuple[list[Any], int] | None = None
        value: Any = reply.data
        for step in error.path:
            if isinstance(value, list) and isinstance(step, int) and 0 <= step < len(value):
                owner = value, step
                value = value[step]
            else:
                value = value.get(step) if isinstance(value, dict) else None
            if value is None:
                break
        if owner is None:
            raise NoAnswer(f"the page came with an error ({error.code or 'without a code'})", 200)
        owner[0][owner[1]] = None
