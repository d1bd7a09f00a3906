"""What a server can do, by its own schema; by its version where it lets nobody look at the schema.

Decidim 0.31 can answer proposals and knows addresses and related proposals of projects; 0.32 shows its schema to
accounts only. A server that says neither is taken for a new one: it refuses a query whole that it does not understand.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from connectors.decidim.api import Api, document
from kiezbruecke.errors import ConfigurationError
from kiezbruecke.troubles import Cause, Trouble

ANSWERS_SINCE = (0, 31)
_VERSION = re.compile(r"^(\d{1,3})\.(\d{1,3})")


@dataclass(frozen=True)
class Capability:
    """What may be asked of a server. `version` is its own word, empty where it keeps it to itself."""

    version: str
    answers: bool = True
    proposal_urls: bool = True
    project_links: bool = True

    def refuse_unless_it_answers(self, where: str) -> None:
        """Raises ConfigurationError where proposals cannot be answered over the API."""
        if self.answers:
            return
        raise ConfigurationError(
            f"this Decidim ({self.version or 'of an unknown version'}) cannot answer proposals over its API",
            where=where,
            expected="Decidim 0.31 or newer",
            helps="update Decidim, or pause the route and answer there by hand",
            trouble=Trouble(Cause.NOT_ACCEPTED, "Decidim 0.31 oder neuer nötig"),
        )


def capability_of(api: Api) -> Capability:
    """Ask the server once; raises what a call raises."""
    reply = api.read(document("schema"))
    if reply.data.get("proposal") is None:
        return _by_version(_version(api.read(document("version")).data))
    return Capability(
        _version(reply.data),
        answers="answer" in _fields(reply.data, "mutation"),
        proposal_urls="url" in _fields(reply.data, "proposal"),
        project_links={"url", "relatedProposals"} <= _fields(reply.data, "project"),
    )


def _by_version(version: str) -> Capability:
    found = _VERSION.match(version)
    if found is None:
        return Capability(version)
    newer = (int(found[1]), int(found[2])) >= ANSWERS_SINCE
    return Capability(version, answers=newer, proposal_urls=newer, project_links=newer)


def _version(data: Mapping[str, Any]) -> str:
    said = data.get("decidim")
    version = said.get("version") if isinstance(said, dict) else ""
    return version if isinstance(version, str) and re.fullmatch(r"[\w.+-]{1,20}", version) else ""


def _fields(data: Mapping[str, Any], name: str) -> frozenset[str]:
    found = data.get(name)
    fields = found.get("fields") if isinstance(found, dict) else None
    return frozenset(one["name"] for one in fields or () if isinstance(one, dict) and isinstance(one.get("name"), str))
