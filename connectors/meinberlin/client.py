"""The source `meinberlin`: hands over the proposals of a process, and who asks, where an account may know it.

    lists of all modules ─▶ items `proposal`, `applicant`; `proposal-problem`
                              └─▶ their rest, where something has changed: the proposal's page, the module's export

All lists are read before the first item is handed over: what a list does not name any more counts as gone. A module
that cannot be read stops no other: it is a gap, and nothing of it is gone. What a page or an export does not say is
absent, never empty.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from functools import partial
from typing import Any

from connectors.meinberlin.details import FIELDS, Details
from connectors.meinberlin.export import COLUMNS, Exporter, ExportRow
from connectors.meinberlin.gaps import Gaps
from connectors.meinberlin.listing import ENDPOINTS, Listed, Listing, key_of
from connectors.meinberlin.proposal import OddEntry, Row, hidden, is_odd_place, module_body, odd_sum, proposal_body
from connectors.meinberlin.session import NotAllowedError, Session
from connectors.meinberlin.settings import Settings
from connectors.meinberlin.web import Unanswered, Web
from kiezbruecke.connector import Connection, Context, Cursor, Gap, Handled, Item, Rest
from kiezbruecke.errors import ConfigurationError, SourceError
from kiezbruecke.records import Module

PATIENCE = 3  # so many pages in a row without an answer, and no further one is asked for in this run
CONTACT_FIELDS = frozenset(COLUMNS["budgeting"].values())
FAULTS = (SourceError, ConfigurationError, NotAllowedError)

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
        self._begin()

    def fetch(self, cursor: Cursor) -> Iterator[Item]:  # noqa: ARG002 - a full list needs none
        """All proposals of all modules at every call; the platform has no filter 'modified since'."""
        self.close()
        self._begin()
        lists = self._read_lists()
        self._say_odd_places(lists)
        for module, listed in lists:
            for entry in listed.entries:
                if isinstance(entry, OddEntry):
                    yield Item("proposal-problem", entry.key, {}, problem=entry.problem)
                else:
                    yield from self._items(module, entry, listed.names)

    def gaps(self) -> Sequence[Gap]:
        """Modules, pages and exports that could not be read, and sums that cannot be meant."""
        return self._gaps.told()

    def acknowledge(self, handled: Sequence[Handled]) -> None:
        """Nothing: the platform does not know that it is read."""

    def check(self) -> str:
        """Read the first module's list, for the connection test; says what was found."""
        module = self._process.modules[0]
        with closing(Web(self._settings, basic=True)) as web:
            return f"module {module.id}: {len(Listing(web, self._settings).read(module).entries)} proposals"

    def close(self) -> None:
        """Give the connections back."""
        self._everybody.close()
        self._account.close()

    def _begin(self) -> None:
        """A run of its own: one log-in, one export per module, its own gaps."""
        self._everybody, self._account = Session(self._settings), Session(self._settings)
        self._details = Details(self._everybody, self._account, self._settings.public)
        self._exporter = Exporter(self._account)
        self._exports: dict[int, Mapping[str, ExportRow]] = {}
        self._gaps = Gaps(self._settings.connection)
        self._unanswered = 0
        self._closed: set[int] = set()  # modules whose pages this account may not see

    def _read_lists(self) -> list[tuple[Module, Listed]]:
        """The lists that can be read; raises the first fault where none can."""
        lists: list[tuple[Module, Listed]] = []
        faults: list[tuple[Module, SourceError | ConfigurationError]] = []
        with closing(Web(self._settings, basic=True)) as web:
            listing = Listing(web, self._settings)
            for module in self._process.modules:
                try:
                    lists.append((module, listing.read(module)))
                except (SourceError, ConfigurationError) as fault:
                    faults.append((module, fault))
        doubled = self._doubled(lists)
        faults += doubled
        if len(faults) == len(self._process.modules):
            raise faults[0][1]
        for module, why in faults:
            self._gaps.unread_module(module, why)
        return [one for one in lists if one[0] not in [module for module, _ in doubled]]

    def _doubled(self, lists: Sequence[tuple[Module, Listed]]) -> list[tuple[Module, SourceError]]:
        """A key is unique over the platform: two modules with one proposal, and one is the answer of the other."""
        seen: dict[str, Module] = {}
        found: list[tuple[Module, SourceError]] = []
        for module, listed in lists:
            other = next((seen[key] for key in map(key_of, listed.entries) if key in seen), None)
            if other is not None:
                fault = SourceError(
                    f"a proposal stands in module {other.id} and in module {module.id}",
                    where=f"connection {self._settings.connection}",
                    expected="every proposal in one module",
                )
                found += [(one, fault) for one in (other, module) if one not in [known for known, _ in found]]
            seen |= dict.fromkeys(map(key_of, listed.entries), module)
        return found

    def _say_odd_places(self, lists: Sequence[tuple[Module, Listed]]) -> None:
        rows = [row for _, listed in lists for row in listed.entries if not isinstance(row, OddEntry)]
        if odd := sum(is_odd_place(row["point"]) for row in rows):
            log.warning(
                "connection %s: the place of %d proposal(s) has another form than before; they come without a place",
                self._settings.connection,
                odd,
            )

    def _items(self, module: Module, row: Row, names: str) -> Iterator[Item]:
        if written := odd_sum(row):
            self._gaps.odd_sum(row, written)
        key, version = str(row["pk"]), json.dumps([row["modified"], row["moderator_status"]])
        raw_ref = f"{self._settings.address}/api/modules/{module.id}/{ENDPOINTS[module.type]}/#{key}"
        body = proposal_body(row, module, self._settings.public)
        rest = Rest(self._page_fields(module, row), version + names, partial(self._page, module, row))
        yield Item("proposal", key, body, raw_ref=raw_ref, rest=rest)
        if self._exports_of(module):
            contact = Rest(CONTACT_FIELDS, version, partial(self._exported, module, row))
            known = contact if module.type == "budgeting" else None  # the legacy export has no contacts
            yield Item("applicant", key, _applicant(row, module), raw_ref=raw_ref, rest=known)

    def _exports_of(self, module: Module) -> bool:
        return self._settings.exports and bool(module.slug)

    def _page_fields(self, module: Module, row: Row) -> frozenset[str]:
        """What the page says and the list does not; of the legacy type the export says something, too."""
        exported = module.type == "kiezkasse" and self._exports_of(module)
        shown = {"point_label", "category", "labels"} - hidden(row)
        return (FIELDS - shown) | (frozenset({"own_contribution"}) if exported else frozenset())

    def _page(self, module: Module, row: Row) -> Mapping[str, Any]:
        """What a proposal's page says; nothing where it cannot be had now."""
        fields = self._page_fields(module, row)
        exported = self._exported(module, row) if "own_contribution" in fields else {}
        if self._unanswered >= PATIENCE or module.id in self._closed:
            self._gaps.unread_page(module)
            return exported
        try:
            page = self._details.read(module, row)
        except FAULTS as fault:
            self._unanswered += isinstance(fault, Unanswered)
            self._closed |= {module.id} if isinstance(fault, NotAllowedError) else set()
            self._gaps.unread_page(module, fault)
            return exported
        self._unanswered = 0
        return {name: value for name, value in {**page, **exported}.items() if name in fields}

    def _exported(self, module: Module, row: Row) -> ExportRow:
        """What the module's export says of a proposal; nothing where it cannot be had now."""
        if module.id not in self._exports:
            try:
                self._exports[module.id] = self._exporter.read(module)
            except FAULTS as fault:
                self._exports[module.id] = {}
                self._gaps.unread_export(module, fault)
        rows = self._exports[module.id]
        found = rows.get(row["reference_number"])
        if found is None and not self._gaps.has_no_export(module):
            self._gaps.short_export(module)
        return found or {}


def _applicant(row: Row, module: Module) -> dict[str, Any]:
    return {
        "pk": row["pk"],
        "reference_number": row["reference_number"],
        "creator": row["creator"],
        "module": module_body(module),
    }
