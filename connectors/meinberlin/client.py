"""The source `meinberlin`: hands over the proposals of a process, and who asks, where an account may know it.

    lists of all modules ─▶ (exports, where allowed) ─▶ items `proposal`, `applicant`; `proposal-problem`

Everything is read before the first item is handed over: what a full list does not name any more counts
as gone, so half a list would make proposals vanish.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from typing import Any

from connectors.meinberlin.export import Exporter, ExportRow, NotAllowedError
from connectors.meinberlin.listing import ENDPOINTS, Entry, Listing, Row, key_of
from connectors.meinberlin.proposal import OddEntry, is_odd_place, proposal_body
from connectors.meinberlin.settings import Settings
from connectors.meinberlin.web import Web
from kiezbruecke.connector import Connection, Context, Cursor, Handled, Item
from kiezbruecke.errors import ConfigurationError, SourceError
from kiezbruecke.records import Module

CONTACT = ("contact_email", "contact_phone")

log = logging.getLogger(__name__)


class MeinBerlin:
    """Reads the modules that the process names; writes nothing."""

    def __init__(self, connection: Connection, context: Context) -> None:
        self._settings = Settings.from_connection(connection)
        self._process = context.process
        if not self._process.modules:
            raise ConfigurationError(
                f"process {self._process.id} names no module of the platform",
                where=f"connection {connection.id}",
                helps="add modules: [{id: …, type: budgeting, slug: …}] to mappings/processes",
            )

    def fetch(self, cursor: Cursor) -> Iterator[Item]:  # noqa: ARG002 - a full list needs none
        """All proposals of all modules at every call; the platform has no filter 'modified since'."""
        lists = self._read_lists()
        exports = self._read_exports(lists)
        self._say_odd_places(lists)
        for module, entries in lists:
            for entry in entries:
                if isinstance(entry, OddEntry):
                    yield Item("proposal-problem", entry.key, {}, problem=entry.problem)
                else:
                    yield from self._items(module, entry, exports.get(module.id, {}))

    def acknowledge(self, handled: Sequence[Handled]) -> None:
        """Nothing: the platform does not know that it is read."""

    def check(self) -> str:
        """Read the first module's list, for the connection test; says what was found."""
        module = self._process.modules[0]
        with closing(Web(self._settings, basic=True)) as web:
            return f"module {module.id}: {len(Listing(web, self._settings).read(module))} proposals"

    def _read_lists(self) -> list[tuple[Module, tuple[Entry, ...]]]:
        with closing(Web(self._settings, basic=True)) as web:
            listing = Listing(web, self._settings)
            lists = [(module, listing.read(module)) for module in self._process.modules]
        self._refuse_doubles(lists)
        return lists

    def _refuse_doubles(self, lists: Sequence[tuple[Module, Sequence[Entry]]]) -> None:
        """A key is unique over the platform: one proposal in two modules is the answer of another module."""
        seen: dict[str, int] = {}
        for module, entries in lists:
            for key in map(key_of, entries):
                if key in seen:
                    raise SourceError(
                        f"proposal {key} stands in module {seen[key]} and in module {module.id}",
                        where=f"connection {self._settings.connection}",
                        expected="every proposal in one module",
                    )
                seen[key] = module.id

    def _say_odd_places(self, lists: Sequence[tuple[Module, Sequence[Entry]]]) -> None:
        rows = [row for _, entries in lists for row in entries if not isinstance(row, OddEntry)]
        if odd := sum(is_odd_place(row["point"]) for row in rows):
            log.warning(
                "connection %s: the place of %d proposal(s) has another form than before; they come without a place",
                self._settings.connection,
                odd,
            )

    def _read_exports(self, lists: Sequence[tuple[Module, Sequence[Entry]]]) -> dict[int, dict[str, ExportRow]]:
        """Export rows by module and reference number; what is not allowed is said once."""
        exports: dict[int, dict[str, ExportRow]] = {}
        refused: defaultdict[str, list[int]] = defaultdict(list)
        with closing(Exporter(self._settings)) as exporter:
            for module, rows in lists:
                if not rows:
                    continue
                try:
                    exports[module.id] = exporter.read(module)
                except NotAllowedError as refusal:
                    refused[refusal.why].append(module.id)
        self._say_once(refused)
        return exports

    def _say_once(self, refused: Mapping[str, Sequence[int]]) -> None:
        if refused:
            reasons = "; ".join(
                f"module {', '.join(map(str, modules))}: {why}" for why, modules in sorted(refused.items())
            )
            log.warning(
                "connection %s: proposals come without description, feedback and contact (%s)",
                self._settings.connection,
                reasons,
            )

    def _items(self, module: Module, row: Row, export: Mapping[str, ExportRow]) -> Iterator[Item]:
        body = proposal_body(row, module, self._settings.public)
        raw_ref = f"{self._settings.address}/api/modules/{module.id}/{ENDPOINTS[module.type]}/#{row['pk']}"
        exported = export.get(row["reference_number"])
        if exported is None:
            yield Item("proposal", str(row["pk"]), body, raw_ref=raw_ref)
            return
        yield Item("proposal", str(row["pk"]), _described(body, exported), raw_ref=raw_ref)
        yield Item("applicant", str(row["pk"]), _applicant(body, exported), raw_ref=raw_ref)


def _described(body: Mapping[str, Any], exported: ExportRow) -> dict[str, Any]:
    """The proposal with the export's fields; contact data stays with the applicant."""
    fields = {key: value for key, value in exported.items() if key not in CONTACT}
    return {**body, **fields, "described": True}


def _applicant(body: Mapping[str, Any], exported: ExportRow) -> dict[str, Any]:
    return {
        "pk": body["pk"],
        "reference_number": body["reference_number"],
        "creator": body["creator"],
        **{key: exported[key] for key in CONTACT},
        "module": body["module"],
    }
