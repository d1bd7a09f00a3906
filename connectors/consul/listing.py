"""The lists of a CONSUL, read until they rest: cursors are offsets, so what is published meanwhile moves the pages.

one page ─▶ whole                    several pages ─▶ read again until two passes name the same

A null among the nodes is something hidden: it is counted, and such a list names not all there is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import resources
from typing import Any

from connectors._graphql import JSON, UNDEFINED, Reply, question, reply_of
from connectors._line import Line, NoAnswer
from connectors.consul.settings import Settings
from kiezbruecke.errors import ConfigurationError, DeliveryError, SourceError

CALL_FAILED = (DeliveryError, NoAnswer, OSError)
"""Everything that a call raises when it fails; OSError holds the system's errors and DeadlineExceeded."""
MOST_PAGES = 4000  # of one list: a hundred thousand investments
Node = Mapping[str, Any]


@dataclass(frozen=True)
class Listed:
    """A list: what can be read of it, and how many of its nodes show nothing."""

    nodes: tuple[Node, ...] = field(repr=False)
    hidden: int = 0
    pages: int = 1
    whole: bool = True

    @property
    def names(self) -> tuple[frozenset[str], int]:
        """What two passes have in common."""
        return frozenset(str(node.get("id")) for node in self.nodes), self.hidden


class Listing:
    """Asks one CONSUL; nothing is changed."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._line = Line(settings.wire)
        self._where = f"connection {settings.connection}"

    def close(self) -> None:
        """Give the connections back."""
        self._line.close()

    def budgets(self) -> Listed:
        """All budgets that everybody sees."""
        return self._rested("budgets", ("budgets",), {})

    def investments(self, budget: int) -> Listed:
        """All investments that everybody sees – of every budget, see the README."""
        return self._rested("investments", ("budget", "investments"), {"budget": str(budget)})

    def _rested(self, name: str, path: tuple[str, ...], variables: Mapping[str, Any]) -> Listed:
        before = None
        for _ in range(self._settings.passes):
            now = self._pass(name, path, variables)
            if now.whole and (now.pages == 1 or now.names == before):
                return now
            before = now.names if now.whole else None
        raise SourceError(
            f"the list of {name} changed in each of {self._settings.passes} passes",
            where=f"{self._where}, POST /graphql",
            helps="nothing was taken over; tried again",
        )

    def _pass(self, name: str, path: tuple[str, ...], variables: Mapping[str, Any]) -> Listed:
        nodes: list[Node] = []
        hidden, pages, after = 0, 0, ""
        seen: set[str] = set()
        while pages < MOST_PAGES:
            pages += 1
            page = {**variables, "first": self._settings.page_size, "after": after or None}
            found, unseen, after = _page(self._ask(name, page), path)
            nodes += found
            hidden += unseen
            if not after:
                names = [str(node.get("id")) for node in nodes]
                return Listed(tuple(nodes), hidden, pages, whole=len({*names}) == len(names))
            if after in seen:
                return Listed((), 0, pages, whole=False)
            seen.add(after)
        raise SourceError(f"the list of {name} has no end", where=self._where, helps="nothing was taken over")

    def _ask(self, name: str, variables: Mapping[str, Any]) -> Reply:
        content = question(document(name), variables)
        reply = reply_of(self._line.post(self._settings.endpoint, content, JSON))
        if reply.has(UNDEFINED):
            raise SourceError(
                f"CONSUL does not understand the query for {name}",
                where=f"{self._where}, POST /graphql",
                expected="CONSUL Democracy 2.2 or newer",
                helps="nothing was taken over; an older one, or one that was updated? Its CSV can be read as a table",
            )
        return reply


def document(name: str) -> str:
    """A query of ours, from the files beside this one."""
    return (resources.files("connectors.consul") / "queries" / f"{name}.graphql").read_text("utf-8")


def refuse_missing(budgets: Listed, number: int, where: str) -> None:
    """Raise ConfigurationError where CONSUL shows no budget of a number."""
    if str(number) not in budgets.names[0]:
        raise ConfigurationError(
            f"CONSUL shows no budget {number}",
            where=where,
            helps="is the number right, and the budget published?",
        )


def _page(reply: Reply, path: tuple[str, ...]) -> tuple[list[Node], int, str]:
    """The nodes of a page, how many of them are hidden, and the cursor behind it; empty where it is the last.

    An error at a node hides that one; any other makes the page unreadable: absent is not empty.
    """
    broken = {error.path[len(path) + 1] for error in reply.errors if _is_of_node(error.path, path)}
    if not all(_is_of_node(error.path, path) for error in reply.errors):
        raise NoAnswer(f"the page came with an error ({reply.codes()})", 200)
    connection: Any = reply.data
    for step in path:
        connection = connection.get(step) if isinstance(connection, dict) else None
    nodes = connection.get("nodes") if isinstance(connection, dict) else None
    about = connection.get("pageInfo") if isinstance(connection, dict) else None
    if not isinstance(nodes, list) or not isinstance(about, dict) or not isinstance(about.get("hasNextPage"), bool):
        raise NoAnswer(f"'{path[-1]}' has another form than before", 200)
    if not all(node is None or isinstance(node, dict) for node in nodes):
        raise NoAnswer(f"a node of '{path[-1]}' is no object", 200)
    end = about.get("endCursor") if about["hasNextPage"] else ""
    if about["hasNextPage"] and (not nodes or not isinstance(end, str) or not end):
        raise NoAnswer("another page is said to follow, but not where", 200)
    good = [node for place, node in enumerate(nodes) if node is not None and place not in broken]
    return good, len(nodes) - len(good), end or ""


def _is_of_node(at: tuple[str | int, ...], path: tuple[str, ...]) -> bool:
    return at[: len(path) + 1] == (*path, "nodes") and len(at) > len(path) + 1
