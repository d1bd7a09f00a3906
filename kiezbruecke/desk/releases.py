"""What a release shows as lines for people, and what people have done about a route: numbers, never a payee."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from decimal import Decimal
from pathlib import Path

from kiezbruecke import german
from kiezbruecke.content.routes import SendingRoute, route_places
from kiezbruecke.desk.view import DeskView
from kiezbruecke.errors import ConfigurationError
from kiezbruecke.house import House
from kiezbruecke.ledger import releases
from kiezbruecke.ledger.money import euros
from kiezbruecke.ledger.people import Person
from kiezbruecke.release import ActKind, ReleasedArea, ReleaseView

DOING = {  # what a person presses
    ActKind.CERTIFY: "Sachlich und rechnerisch richtig zeichnen",
    ActKind.FACTUAL: "Sachlich richtig zeichnen",
    ActKind.ARITHMETICAL: "Rechnerisch richtig zeichnen",
    ActKind.ORDER: "Anordnen",
    ActKind.HOLD_BACK: "Zurückhalten",
}
NEXT = {  # what comes after it
    ActKind.CERTIFY: "Als Nächstes ordnet eine andere Person an.",
    ActKind.ORDER: "Sobald die Strecke das nächste Mal läuft, geht es hinaus.",
}
VERBS = {
    ActKind.CERTIFY: "sachlich und rechnerisch richtig",
    ActKind.FACTUAL: "sachlich richtig",
    ActKind.ARITHMETICAL: "rechnerisch richtig",
    ActKind.ORDER: "angeordnet",
    ActKind.HOLD_BACK: "zurückgehalten",
}


class ActView(DeskView):
    """One act of a person."""

    number: int
    at: datetime
    kind: ActKind
    what: str
    count: int
    sum: Decimal
    person: str
    reason: str
    valid_until: datetime | None


def four_eyes_routes(content: Path) -> list[SendingRoute]:
    """The routes from which nothing leaves without two people; one whose file is broken sends nothing."""
    found = []
    for place in route_places(content):
        with suppress(ConfigurationError):
            route = place.read()
            if isinstance(route, SendingRoute) and route.release == "four_eyes":
                found.append(route)
    return found


def acts(house: House, route: str, most: int = 50) -> list[ActView]:
    """What people have done about a route, newest first."""
    return [
        ActView(
            number=row.id,
            at=row.at,
            kind=ActKind(row.kind),
            what=VERBS[ActKind(row.kind)],
            count=row.count,
            sum=euros(row.sum_cents),
            person=str(Person.stored(row.person, row.account)),
            reason=row.reason,
            valid_until=row.valid_until,
        )
        for row in releases.acts_of(house.ledger, route, most)
    ]


def is_signed(house: House, route: str, kind: ActKind, shown: str, person: Person) -> bool:
    """Whether this person has signed just this view: the second click of two asks for what is done."""
    return any(
        (row.kind, row.shown, row.account) == (kind, shown, person.login)
        for row in releases.acts_of(house.ledger, route, 50)
    )


def headlines(view: ReleaseView) -> Iterator[str]:
    """What a person reads before signing, line by line; the areas stand in a table of their own."""
    yield f"{german.count(view.count, 'Anordnung', 'Anordnungen')}, zusammen {german.euros(view.sum)}"
    if view.last_at is None:
        yield "Auf dieser Strecke ist es das erste Mal"
    else:
        last = german.count(view.last_count, "Anordnung", "Anordnungen")
        yield f"Das letzte Mal am {german.moment(view.last_at)}: {last}, {german.euros(view.last_sum)}"
    for one in view.cautions:
        more = " …" if one.count > len(one.references) else ""
        yield f"Achtung, {one.text}: {one.count} ({', '.join(one.references)}{more})"
    for reason in view.obstacles:
        yield f"Geht jetzt nicht: {reason}"
    if view.kind is ActKind.ORDER:
        yield f"Die Anordnung gilt {german.count(view.holds_days, 'Tag', 'Tage')}, längstens bis zum Kassenschluss"


def difference(area: ReleasedArea) -> str:
    """An area beside the last time: `+3 · +850,00 €`."""
    count, total = area.count - area.last_count, area.sum - area.last_sum
    return f"{count:+d} · {'+' if total > 0 else ''}{german.euros(total)}"
