"""Payments that wait for their marks, on both databases, and the people who may give them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from ruamel.yaml import YAML
from sqlalchemy import Connection, select

from kiezbruecke import clock, release
from kiezbruecke.connector import Item, Message
from kiezbruecke.errors import ConfigurationError
from kiezbruecke.house import House
from kiezbruecke.ledger import Ledger, MessageState, claims
from kiezbruecke.ledger import tables as t
from kiezbruecke.ledger.draft import Draft, OrderTerms
from kiezbruecke.ledger.history import Taken
from kiezbruecke.ledger.people import How, Person
from kiezbruecke.records import Application, ReceiptOutcome
from kiezbruecke.release import ActKind, Approver, ReleaseView
from tests.ledger.conftest import (
    AREA,
    HKR,
    PROCESS,
    YEAR,
    Desk,
    draft,
    fresh,
    fresh_postgresql,
    fresh_sqlite,
    ledger,
    postgres,
    url,
)
from tests.world import change_route

__all__ = ["fresh", "fresh_postgresql", "fresh_sqlite", "ledger", "postgres", "url"]

ROUTE = "kk-tk-hkr"
PAYMENTS = f"{HKR}|payment"
ROLES = """
fachkraft: {title: bescheinigt, may: {dag: [read]}, routes: [kk-tk-*]}
anordnung: {title: ordnet an, may: {dag: [read]}, routes: [kk-tk-*], most_per_order: 1000.00}
leitung: {title: ordnet an, may: {dag: [read]}, routes: [kk-tk-*]}
nachbar: {title: ordnet anderswo an, may: {dag: [read]}, routes: [kk-mi-*]}
"""


def person(name: str, *roles: str, how: How = How.AIRFLOW) -> Approver:
    """Somebody with a log-in of their own."""
    return Approver(Person(name, name.rsplit(maxsplit=1)[-1].lower(), how), frozenset(roles))


CERTIFIER, ORDERER = person("Erika Muster", "fachkraft"), person("Bert Anders", "leitung")


def everybody_known(_connection: Connection, marks: Collection[str]) -> Mapping[str, str]:
    """A vault that is open: mark `a-Rita Roe` is the account of Rita Roe."""
    return {mark: mark.partition("-")[2] for mark in marks}


@dataclass
class Office:
    """What happens in an office of a district, in a line each."""

    house: House
    desk: Desk
    number: int = 0
    drafts: list[Draft] = field(default_factory=list)

    @property
    def ledger(self) -> Ledger:
        return self.house.ledger

    def bound(self, euros: str = "850") -> UUID:
        """A case whose commitment is booked."""
        self.number += 1
        case = self.desk.decide(f"P-{self.number}", self.number)
        booking = self.desk.book(case, euros)
        self.desk.deliver(booking)
        self.desk.answer(booking, ReceiptOutcome.CONFIRMED, self.number)
        return case

    def pay(self, euros: str = "850", payee: str = "Rita Roe", account: str = "a", **given: Any) -> Draft:
        """A payment order that waits for its marks; its bytes are its own."""
        case = self.bound(euros)
        self.apply(case, euros, payee, f"{account}-{given.get('holder', payee)}")
        return self.ordered(case, euros, f"{account}-{given.get('holder', payee)}", given.get("channel", "hkr"))

    def apply(self, case: UUID, euros: str, payee: str, mark: str) -> None:
        """A line of an application sheet."""
        line = Application(
            origin=f"{'b' * 64}:{self.number}",
            sheet="antraege.csv",
            row=self.number,
            process_id=PROCESS,
            area_id=AREA,
            reference_number=f"P-{self.number}",
            amount=Decimal(euros).quantize(Decimal("0.01")),
            account=mark,
            applicant_name=payee,
        )
        self.desk.store([Taken(Item("application-line", line.origin, {}), (line,))], "antraege-tk")

    def ordered(self, case: UUID, euros: str, mark: str, channel: Any = "hkr", due: date = date(2026, 6, 1)) -> Draft:
        """The order itself."""
        one = draft(
            case,
            "payment.order",
            1,
            euros,
            reference=f"KK26-{AREA}-P{self.number:04d}-Z1",
            payload=f"<zahlung>{self.number}</zahlung>".encode(),
            order=OrderTerms("payment", channel, due, account=mark),
            state=MessageState.HELD,
            created_at=claims.now(),
        )
        assert self.desk.prepare(one, run=self.desk.run(PAYMENTS, ROUTE)) == 0, self.desk.points()
        self.drafts.append(one)
        return one

    def show(self, kind: ActKind = ActKind.CERTIFY, **given: Any) -> ReleaseView:
        return release.show(self.house, ROUTE, kind, holders=everybody_known, **given)

    def certify(self, who: Approver = CERTIFIER, view: ReleaseView | None = None, **given: Any) -> int:
        view = view or self.show(given.get("kind", ActKind.CERTIFY), only=given.get("only", ()))
        return release.certify(self.house, ROUTE, view.shown, who, "geprüft", holders=everybody_known, **given)

    def order(self, who: Approver = ORDERER, view: ReleaseView | None = None, **given: Any) -> int:
        view = view or self.show(ActKind.ORDER, only=given.get("only", ()))
        return release.order(self.house, ROUTE, view.shown, who, holders=everybody_known, **given)

    def both(self) -> None:
        """All that waits is certified and ordered."""
        self.certify()
        self.order()

    def take(self) -> list[Message]:
        """What a run may send now: claimed, and begun to be sent."""
        run = self.desk.run(PAYMENTS, ROUTE)
        claimed = [message for message, _ in claims.claim(self.ledger, run)]
        going = claims.begin_sending(self.ledger, run, [message.key for message in claimed])
        return [message for message in claimed if message.key in going]

    def state(self, one: Draft) -> MessageState:
        return self.desk.state(one)

    def acts(self) -> list[tuple[str, str, int, int]]:
        """Kind, account, count and cents of every act."""
        with self.ledger.read() as connection:
            r = t.releases.c
            query = select(r.kind, r.account, r.count, r.sum_cents).order_by(r.id)
            return [tuple(row) for row in connection.execute(query).all()]


@pytest.fixture
def strict(content: Path) -> Path:
    """A content in which the route to the budget system needs four eyes."""
    change_route(content, ROUTE, release="four_eyes")
    say(content)
    (content / "mappings/roles.yaml").write_text(ROLES, "utf-8")
    return content


def say(content: Path, **more: Any) -> None:
    """What the process says of its payments."""
    file, yaml = content / f"mappings/processes/{PROCESS}.yaml", YAML()
    body = yaml.load(file.read_text("utf-8"))
    known = {"channel": "hkr", "certifiers": ["fachkraft"], "orderers": ["anordnung", "leitung", "nachbar"]}
    body["payments"] = {**known, **more}
    with file.open("w", encoding="utf-8") as handle:
        yaml.dump(body, handle)


@pytest.fixture
def office(strict: Path, ledger: Ledger) -> Iterable[Office]:
    """An office on a day of its year."""
    clock.say(date(YEAR, 5, 4))
    made = Office(house_on(strict, ledger), Desk(ledger))
    made.desk.grant("1000000")
    yield made
    clock.say(None)


def house_on(content: Path, ledger: Ledger) -> House:
    """A house without connections: nothing of it leaves."""

    def nowhere(name: str) -> Any:
        raise ConfigurationError("no connection", where=name)

    return House(content, ledger, nowhere)


Make = Callable[..., Draft]
