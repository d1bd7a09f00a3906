"""kiezbruecke release: what waits for four eyes, and what people with Airflow's log-in say about it."""

from __future__ import annotations

from typing import Annotated

import typer

from kiezbruecke import german, release
from kiezbruecke.cli.house import house_of
from kiezbruecke.cli.output import AsJson, emit, say, table
from kiezbruecke.content import find_state
from kiezbruecke.desk import releases
from kiezbruecke.desk.names import Names
from kiezbruecke.login import kept, who
from kiezbruecke.release import ActKind, Approver

app = typer.Typer(no_args_is_help=True)
Route = Annotated[str, typer.Argument(help="Strecke mit release: four_eyes.")]
Kind = Annotated[ActKind, typer.Option("--kind", help="Wofür: bescheinigen, nur sachlich, nur rechnerisch, anordnen.")]
Only = Annotated[list[str] | None, typer.Option("--only", metavar="KENNZEICHEN", help="Nur diese; mehrfach möglich.")]
Shown = Annotated[str, typer.Option("--shown", help="Der Kennwert, den release show zu dieser Ansicht zeigt.")]
Reason = Annotated[str, typer.Option("--reason", help="Warum.")]


@app.command()
def show(
    context: typer.Context, route: Route, kind: Kind = ActKind.CERTIFY, only: Only = None, as_json: AsJson = False
) -> None:
    """Was auf eine Freigabe wartet: Anzahl, Summe, je Bezirksregion, Unterschiede, Hinweise; dazu der Kennwert."""
    house = house_of(context)
    view = release.show(house, route, kind, only=only or ())
    if as_json:
        emit(view)
        return
    rows = [(one.name, one.count, german.euros(one.sum), releases.difference(one)) for one in view.areas]
    columns = ("Bezirksregion", "# Anordnungen", "Summe €", "gegenüber dem letzten Mal")
    title = f"{Names(house.content).process(view.process)}: {releases.VERBS[kind]}"
    table(title, columns, rows, empty="nichts wartet darauf.")
    lines = [(one.reference, german.euros(one.sum), german.day(one.due_on)) for one in view.lines]
    table("Im Einzelnen", ("Kennzeichen", "Betrag €", "fällig"), lines)
    for line in releases.headlines(view):
        say(line)
    say(f"Kennwert: {view.shown}")


@app.command()
def certify(
    context: typer.Context,
    route: Route,
    shown: Shown,
    reason: Reason,
    kind: Kind = ActKind.CERTIFY,
    only: Only = None,
    as_json: AsJson = False,
) -> None:
    """Bescheinigen, was gezeigt wurde: sachlich und rechnerisch richtig, oder eines von beiden."""
    house = house_of(context)
    person = _person(context)
    done = release.certify(house, route, shown, person, reason, kind=kind, only=only or ())
    _tell(done, kind, person, as_json)


@app.command()
def order(
    context: typer.Context, route: Route, shown: Shown, reason: Reason, only: Only = None, as_json: AsJson = False
) -> None:
    """Anordnen, was gezeigt wurde; der nächste Lauf der Strecke sendet es."""
    house = house_of(context)
    person = _person(context)
    done = release.order(house, route, shown, person, reason, only=only or ())
    _tell(done, ActKind.ORDER, person, as_json)


@app.command("hold-back")
def hold_back(
    context: typer.Context,
    route: Route,
    message: Annotated[str, typer.Argument(help="Kennzeichen der Nachricht.")],
    reason: Reason,
    as_json: AsJson = False,
) -> None:
    """Eine Nachricht zurückhalten: sie geht nicht hinaus, und ihre zuständige Stelle erfährt es."""
    house = house_of(context)
    person = _person(context)
    release.hold_back(house, route, message, person, reason)
    _tell(1, ActKind.HOLD_BACK, person, as_json)


@app.command("list")
def list_acts(context: typer.Context, route: Route, as_json: AsJson = False) -> None:
    """Wer wann was freigegeben hat, das Neueste zuerst."""
    found = releases.acts(house_of(context), route)
    if as_json:
        emit(found)
        return
    rows = [
        (one.number, one.at, one.what, one.count, german.euros(one.sum), one.person, one.reason, one.valid_until)
        for one in found
    ]
    columns = ("#", "am", "was", "# Anordnungen", "Summe €", "wer", "warum", "gilt bis")
    table("Freigaben", columns, rows)


def _person(context: typer.Context) -> Approver:
    """Whoever is logged in at Airflow, as its server says now."""
    return who(kept(find_state(house_of(context).content)))


def _tell(count: int, kind: ActKind, person: Approver, as_json: bool) -> None:
    if as_json:
        emit({"count": count, "kind": kind, "person": person.person.name, "account": person.person.account})
        return
    say(f"{german.count(count, 'Anordnung', 'Anordnungen')} {releases.VERBS[kind]}: {person.person}")
