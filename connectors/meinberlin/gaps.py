"""What a run could not read, in words for the list: what happened, what stays as it was, who does what."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence

from connectors.meinberlin.proposal import Row
from connectors.meinberlin.session import NotAllowedError
from kiezbruecke import german
from kiezbruecke.connector import Gap
from kiezbruecke.errors import ConfigurationError, KiezbrueckeError, SourceError
from kiezbruecke.records import Module

AGAIN = "Der nächste Lauf versucht es wieder; hält es an, bitte den IT-Betrieb fragen"
MEND = "Bitte den IT-Betrieb das Konto und das Modul in der Verbindung und im Verfahren prüfen lassen"

log = logging.getLogger(__name__)
Fault = KiezbrueckeError | NotAllowedError


class Gaps:
    """Collects gaps; the technical reason goes to the log, once per module and kind."""

    def __init__(self, connection: str) -> None:
        self._connection = connection
        self._modules: dict[int, Gap] = {}
        self._exports: dict[int, tuple[Module, Fault]] = {}
        self._pages: Counter[int] = Counter()
        self._short: Counter[int] = Counter()
        self._sums: list[Gap] = []
        self._names: dict[int, str] = {}

    def unread_module(self, module: Module, fault: SourceError | ConfigurationError) -> None:
        """Its list could not be read to the end."""
        self._log(module, "its list could not be read", fault)
        what = (
            f"Die Vorschläge von {self._name(module)} waren nicht zu lesen. "
            "Alles, was davon bekannt ist, bleibt, wie es war, und keiner gilt als verschwunden. "
        )
        mend = MEND if isinstance(fault, ConfigurationError) else AGAIN
        self._modules[module.id] = Gap(f"modul-{module.id}", what + mend, module.id)

    def unread_page(self, module: Module, fault: Fault | None = None) -> None:
        """The page of one of its proposals could not be read."""
        if fault is not None and not self._pages[module.id]:
            self._log(module, "a proposal's page could not be read", fault)
        self._name(module)
        self._pages[module.id] += 1

    def unread_export(self, module: Module, fault: Fault) -> None:
        """Its export could not be loaded."""
        self._log(module, "its export could not be read", fault)
        self._exports[module.id] = module, fault

    def has_no_export(self, module: Module) -> bool:
        """Whether that has been said."""
        return module.id in self._exports

    def short_export(self, module: Module) -> None:
        """Its export does not name a proposal that the list shows."""
        self._name(module)
        self._short[module.id] += 1

    def odd_sum(self, row: Row, written: str) -> None:
        """A sum that no budget has."""
        problem = (
            f"Vorschlag {row['reference_number']}: Auf der Plattform stehen {written} € als Kosten. Das kann nicht "
            "gemeint sein; der Vorschlag kommt ohne Betrag. Bitte die Angabe auf der Plattform berichtigen lassen"
        )
        self._sums.append(Gap(f"vorschlag-{row['pk']}-kosten", problem))

    def told(self) -> Sequence[Gap]:
        """All of them, as points of the list."""
        pages = [Gap(f"modul-{key}-seiten", self._of_pages(key, count)) for key, count in self._pages.items()]
        exports = [Gap(f"modul-{key}-export", self._of_export(*found)) for key, found in self._exports.items()]
        short = [Gap(f"modul-{key}-export", self._of_short(key, count)) for key, count in self._short.items()]
        return [*self._modules.values(), *pages, *exports, *short, *self._sums]

    def _of_pages(self, key: int, count: int) -> str:
        begin = "Die Seite eines Vorschlags" if count == 1 else f"Die Seiten von {count} Vorschlägen"
        verb = "war" if count == 1 else "waren"
        return (
            f"{begin} von {self._names[key]} {verb} nicht zu lesen. Beschreibung, Rückmeldung und Merkmale bleiben, "
            f"wie sie bekannt sind. {AGAIN}"
        )

    def _of_export(self, module: Module, fault: Fault) -> str:
        why, then = "er war nicht zu laden oder nicht zu lesen", AGAIN
        if isinstance(fault, NotAllowedError):
            why, then = fault.german, AGAIN if fault.passes else MEND
        elif isinstance(fault, ConfigurationError):
            then = MEND
        return (
            f"Der Export von {self._name(module)} fehlt: {why}. "
            f"Die Angaben zur Antragstellung bleiben, wie sie bekannt sind. {then}"
        )

    def _of_short(self, key: int, count: int) -> str:
        what = german.count(count, "Vorschlag", "Vorschläge")
        return (
            f"Im Export von {self._names[key]} fehlen Angaben: Die Liste zeigt {what} mehr als er. "
            f"Was dazu bekannt ist, bleibt, wie es war. {AGAIN}"
        )

    def _name(self, module: Module) -> str:
        name = f"Modul {module.id}" + (f" („{module.slug}“)" if module.slug else "")
        return self._names.setdefault(module.id, name)

    def _log(self, module: Module, what: str, fault: Fault) -> None:
        log.warning("connection %s: module %d: %s: %s", self._connection, module.id, what, fault)
