"""The source: the answers of their bookkeeping, one after the other, by running number.

The cursor is the acknowledgement: the next call asks for what follows the last number that was stored.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from connectors.hkr.client import UNCLEAR, Balance, Contradiction, Hkr, Page, Rueckmeldung, describe
from connectors.hkr.settings import Settings
from kiezbruecke import german
from kiezbruecke.connector import Connection, Context, Cursor, Handled, Item
from kiezbruecke.errors import SourceError


class Rueckmeldungen:
    """The answers of an HKR system as items (Source)."""

    def __init__(self, connection: Connection, context: Context) -> None:
        self.settings = Settings.from_connection(connection)
        self._where = f"Verbindung {connection.id}"
        self._client = Hkr(self.settings, context.content)

    def close(self) -> None:
        """Give the connection back."""
        self._client.close()

    def fetch(self, cursor: Cursor) -> Iterator[Item]:
        """Yield every answer after the cursor; a page is checked whole before its first answer is yielded."""
        last = self._start(cursor.value)
        more = True
        while more:
            page = self._page(last)
            for answer in page.answers:
                last = answer.number
                yield _item(answer)
                cursor.advance(str(last))
            more = page.more

    def acknowledge(self, handled: Sequence[Handled]) -> None:
        """Nothing to do: the cursor is the acknowledgement."""

    def balances(self, fiscal_year: int) -> tuple[Balance, ...]:
        """What their own books say of a year: what was answered has moved them."""
        return self._client.balances(fiscal_year)

    def _start(self, value: str) -> int:
        if value and not (value.isascii() and value.isdigit()):
            raise SourceError("Der Lesestand ist keine laufende Nummer wie 1742", where=self._where)
        return int(value or 0)

    def _page(self, last: int) -> Page:
        try:
            page = self._client.answers_after(last)
        except (*UNCLEAR, Contradiction) as error:
            raise SourceError(
                "Die Rückmeldungen des HKR-Verfahrens sind nicht lesbar",
                where=self._where,
                helps=f"{type(error).__name__}: {describe(error)}; der nächste Lauf liest nach {last} weiter",
            ) from error
        self._in_sequence(last, page)
        return page

    def _in_sequence(self, last: int, page: Page) -> None:
        if page.highest < last:
            given = german.count(page.highest, "Rückmeldung", "Rückmeldungen")
            raise SourceError(
                f"HKR hat erst {given} vergeben, gelesen ist schon bis {last}",
                where=self._where,
                helps="wurde das HKR-Verfahren zurückgesetzt? Vor allem anderen bitte abstimmen",
            )
        if page.more and not page.answers:
            raise SourceError("HKR meldet weitere Rückmeldungen, gibt aber keine heraus", where=self._where)
        for expected, answer in enumerate(page.answers, last + 1):
            if answer.number == expected:
                continue
            kind = "eine Lücke" if answer.number > expected else "ein Rückschritt"
            raise SourceError(
                f"In den laufenden Nummern der Rückmeldungen ist {kind}: {answer.number} statt {expected}",
                where=self._where,
                helps="nichts davon wurde übernommen; bitte das HKR-Verfahren nach der Nummer fragen",
            )


def _item(answer: Rueckmeldung) -> Item:
    number = str(answer.number)
    return Item("rueckmeldung", number, answer.body, raw=answer.raw, raw_ref=f"Rückmeldung {number}")
