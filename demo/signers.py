"""What people do while the demonstration's routes rest: two release, the cash office pays, a clerk fills in sheets.

    orders wait ─▶ two people release ─▶ the cash office (HKR's sandbox) pays ─▶ one payment comes back
                        ▲                                                              │
                        └── a corrected application, a proof of use ◀── a clerk ◀──────┘

Each looks at what there is and does what is left of it, so it does not matter where an earlier demonstration ended.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from urllib.request import ProxyHandler, Request, build_opener

from openpyxl import load_workbook

from demo import ROOT, surroundings
from demo.home import TODAY
from kiezbruecke import german, release
from kiezbruecke.airflow.releasing import approver
from kiezbruecke.house import House
from kiezbruecke.ledger.reading import read_process_cases
from kiezbruecke.records import OrderState
from kiezbruecke.release import ActKind, Approver

PREFIX = "kk-tk"
CERTIFIER, ORDERER = {"id": "muster", "name": "Erika Muster"}, {"id": "anders", "name": "Bert Anders"}
REASON = "von der Vorführung beantwortet"
CASH_DAYS = (2, 5, 45)  # days after the last movement: paid; what comes back is back; what is owed has come in
CLOSED = ROOT / "demo" / "antraege" / "antragsliste-mueggelheim-2026.xlsx"


@dataclass
class People:
    """Two invented persons, a cash office and a clerk; `say` tells what they do, in German."""

    house: House
    process: str
    say: Callable[[str], None]
    seen: set[Path] = field(default_factory=set)  # sheets that a route was woken for

    def act(self) -> list[str]:
        """Whatever somebody can do now; the routes that are to look at it."""
        return [*self._release()] or self._hear() or self._fill_in()

    def meanwhile(self) -> None:
        """The cash office does not wait until all routes rest: what it has booked it pays."""
        if any(float(one["ordered"]) for one in self._hkr("GET", "sums")):
            self._pay()

    # -- two people ------------------------------------------------------------------------------------------

    def _release(self) -> Iterator[str]:
        for route, words in _ORDERS.items():
            for kind, who in ((ActKind.CERTIFY, CERTIFIER), (ActKind.ORDER, ORDERER)):
                view = release.show(self.house, route, kind)
                if view.count and not view.obstacles:
                    _answer(self.house, view, approver(who))
                    if kind is ActKind.ORDER:
                        self.say(f"{german.count(view.count, *words)} über {german.euros(view.sum)}: {_HONEST}")
                        yield route

    # -- the cash office -------------------------------------------------------------------------------------

    def _hear(self) -> list[str]:
        """The answers that the ledger does not know yet, also of an earlier demonstration."""
        self._pay()
        cases = read_process_cases(self.house.ledger, self.process).cases
        known = {order.reference: order.state for case in cases for order in case.orders}
        last = {one["Fremdkennzeichen"]: one["answers"].rpartition(",")[2] for one in self._hkr("GET", "received")}
        said = {reference: _SAID[word] for reference, word in last.items() if word in _SAID}
        unheard = any(known.get(reference, state) is not state for reference, state in said.items())
        return [f"{PREFIX}-hkr-rueckmeldungen"] if unheard else []

    def _pay(self) -> None:
        """Days go by at the cash office, as many as something happens on."""
        self._hkr("PUT", "bounces", {"IBAN": [_closed_account()]})
        begin = self._last_day()
        moved = [self._hkr("POST", "day", {"date": f"{begin + timedelta(days)}"}) for days in CASH_DAYS]
        paid, back, refunded = (sum(one[name] for one in moved) for name in ("paid", "returned", "refunded"))
        if paid or back or refunded:
            words = [
                german.count(paid, "Zahlung ausgeführt", "Zahlungen ausgeführt"),
                *([german.count(back, "kommt zurück", "kommen zurück")] if back else []),
                *([german.count(refunded, "Erstattung eingegangen", "Erstattungen eingegangen")] if refunded else []),
            ]
            self.say(f"Kasse (Nachbau): {', '.join(words)}")

    def _last_day(self) -> date:
        """The last day on which money moved there, else the demonstration's."""
        days = [one[f"{what}_at"][:10] for one in self._hkr("GET", "received") for what in ("paid", "returned")]
        return max([TODAY, *(date.fromisoformat(day) for day in days if day)])

    def _hkr(self, method: str, name: str, body: Any = None) -> Any:
        address = f"{self.house.connect('hkr-tk').host}/_sandbox/{name}"
        request = Request(address, None if body is None else json.dumps(body).encode(), method=method)  # noqa: S310 - ours
        with build_opener(ProxyHandler({})).open(request, timeout=20) as answer:
            said = answer.read()
        return json.loads(said) if said else None

    # -- a clerk ---------------------------------------------------------------------------------------------

    def _fill_in(self) -> list[str]:
        """A payment has come back: another account. It was paid: a proof of use. What lies in an inbox is read."""
        cases = read_process_cases(self.house.ledger, self.process).cases
        states = {order.state for case in cases for order in case.orders}
        woken = []
        for name, after, words in (
            ("antraege", OrderState.BOUNCED, "eine berichtigte Antragsliste mit einem anderen Konto"),
            ("nachweise", OrderState.PAID, "eine Nachweisliste: 37,60 € sind nicht ausgegeben"),
        ):
            if after in states and surroundings.drop(name, surroundings.LATER / name):
                self.say(f"Die Fachverwaltung legt ab: {words}")
            if new := surroundings.waiting(name) - self.seen:  # what stays there is not waited for
                self.seen |= new
                woken.append(f"{PREFIX}-{name}")
        return woken[:1]  # it wakes the other one


_ORDERS = {
    f"{PREFIX}-zahlungen": ("Auszahlung", "Auszahlungen"),
    f"{PREFIX}-erstattungen": ("Rückforderung", "Rückforderungen"),
}
_SAID = {"BEZAHLT": OrderState.PAID, "RUECKLAEUFER": OrderState.BOUNCED, "EINGEGANGEN": OrderState.RECEIVED}
_HONEST = (  # nobody has logged in
    f"{CERTIFIER['name']} bescheinigt, {ORDERER['name']} ordnet an; beide sind erfunden, "
    "und die Vorführung antwortet für sie, mit der Funktion von kiezbruecke release"
)


def _answer(house: House, view: release.ReleaseView, who: Approver) -> None:
    """What commands, page and Airflow call, too."""
    if view.kind is ActKind.ORDER:
        release.order(house, view.route, view.shown, who, REASON)
    else:
        release.certify(house, view.route, view.shown, who, REASON)


def _closed_account() -> str:
    """The account of the application that is put right later: it is closed, so what is paid to it comes back."""
    [corrected] = _rows(next((surroundings.LATER / "antraege").glob("*.xlsx")))
    [first] = [row for row in _rows(CLOSED) if row["Referenznummer"] == corrected["Referenznummer"]]
    return str(first["IBAN"])


def _rows(sheet: Any) -> list[dict[str, Any]]:
    lines = load_workbook(sheet).worksheets[0].iter_rows(values_only=True)
    head = [str(cell) for cell in next(lines)]
    return [dict(zip(head, line, strict=True)) for line in lines]
