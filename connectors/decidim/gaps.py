"""What a run could not read, in words for the list: what happened, what stays as it was, who does what."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence

from kiezbruecke import german
from kiezbruecke.connector import Gap
from kiezbruecke.errors import ConfigurationError

AGAIN = "Der nächste Lauf versucht es wieder; hält es an, bitte den IT-Betrieb fragen"
MEND = "Bitte den IT-Betrieb Konto und Komponenten in der Verbindung und in der Strecke prüfen lassen"

log = logging.getLogger(__name__)


class Gaps:
    """Collects gaps; the technical reason goes to the log."""

    def __init__(self, connection: str) -> None:
        self._connection = connection
        self._unread: dict[int, Gap] = {}
        self._hidden: Counter[int] = Counter()
        self._sums: list[Gap] = []

    def unread(self, component: int, fault: Exception) -> None:
        """Its list could not be read to the end."""
        log.warning("connection %s: component %d could not be read: %s", self._connection, component, fault)
        what = (
            f"Die Liste der Komponente {component} war nicht zu lesen. "
            "Alles, was davon bekannt ist, bleibt, wie es war, und nichts gilt als verschwunden. "
        )
        mend = MEND if isinstance(fault, ConfigurationError) else AGAIN
        self._unread[component] = Gap(f"komponente-{component}", what + mend, component)

    def hidden(self, component: int, many: int) -> None:
        """Some of its nodes show nothing."""
        self._hidden[component] += many

    def odd_sum(self, key: str, number: str) -> None:
        """A sum that no budget has."""
        problem = (
            f"Projekt {number}: Auf der Plattform steht eine Summe, die nicht gemeint sein kann; das Projekt kommt "
            "ohne Betrag. Bitte die Angabe auf der Plattform berichtigen lassen"
        )
        self._sums.append(Gap(f"projekt-{key}-summe", problem))

    def told(self) -> Sequence[Gap]:
        """All of them, as points of the list."""
        hidden = [Gap(f"komponente-{key}-verborgen", _of_hidden(key, many), key) for key, many in self._hidden.items()]
        return [*self._unread.values(), *hidden, *self._sums]


def _of_hidden(component: int, many: int) -> str:
    what = german.count(many, "Eintrag", "Einträge")
    verb = "ist" if many == 1 else "sind"
    return (
        f"In der Komponente {component} {verb} {what} verborgen; welche das sind, sagt die Plattform nicht. Was von "
        "der Komponente bekannt ist, bleibt, und nichts davon gilt als verschwunden. Bitte bei der Moderation fragen, "
        "wenn ein Vorschlag mit Beschluss darunter sein kann"
    )
