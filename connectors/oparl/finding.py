"""Finds the list of papers, beginning at a system, a body, or the list itself."""

from __future__ import annotations

from collections.abc import Sequence

from connectors._line import NoAnswer
from connectors.oparl.client import Client, Object
from kiezbruecke.errors import ConfigurationError


def papers_address(client: Client, wanted: str, where: str) -> object:
    """The address of the papers of the body that is meant; raises ConfigurationError where that is not one."""
    entry = client.entry()
    if isinstance(entry.get("data"), list) and not _are(entry["data"], "Body"):
        return client.address
    return _chosen(bodies_of(client, entry), wanted, where).get("paper")


def bodies_of(client: Client, entry: Object) -> list[Object]:
    """The bodies that an entry leads to; none where it is a list of papers."""
    if _is(entry, "Body"):
        return [entry]
    if isinstance(entry.get("data"), list):
        return _all(client, client.address) if _are(entry["data"], "Body") else []
    given = entry.get("body")
    if not _is(entry, "System") or given is None:
        raise NoAnswer("neither a system nor a body nor a list of OParl")
    return [one for one in given if _is(one, "Body")] if isinstance(given, list) else _all(client, given)


def _chosen(bodies: Sequence[Object], wanted: str, where: str) -> Object:
    found = [body for body in bodies if wanted in ("", *_names(body))]
    if len(found) == 1:
        return found[0]
    what = "of this name" if wanted else "and the route says not which"
    raise ConfigurationError(
        f"the server has {len(found) or len(bodies)} bodies {what}" if found or not wanted else "no body has this name",
        where=where,
        expected="`with: {body: …}`: name, short name or address of one body",
    )


def _names(body: Object) -> list[object]:
    return [body.get(name) for name in ("id", "name", "shortName")]


def _all(client: Client, address: object) -> list[Object]:
    return [one for entries in client.pages(address) for one in entries if _is(one, "Body")]


def _is(value: object, kind: str) -> bool:
    return isinstance(value, dict) and isinstance(value.get("type"), str) and value["type"].endswith(f"/{kind}")


def _are(values: Sequence[object], kind: str) -> bool:
    return bool(values) and all(_is(value, kind) for value in values)
