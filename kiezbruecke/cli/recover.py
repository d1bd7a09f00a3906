"""kiezbruecke recover: after a restored backup – what stands still, the way back, and its end by a named person."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from kiezbruecke import attention, desk, german, pipeline
from kiezbruecke.cli.house import house_of
from kiezbruecke.cli.output import AsJson, emit, say, table
from kiezbruecke.desk import words
from kiezbruecke.errors import InputError
from kiezbruecke.ledger import Ledger
from kiezbruecke.ledger.reading import list_messages
from kiezbruecke.ledger.todo import Answer, Kind, OpenPoint, open_points
from kiezbruecke.person import by_login
from kiezbruecke.stages import recovering

app = typer.Typer(no_args_is_help=True)
Destination = Annotated[str, typer.Argument(help="Name der Verbindung, z. B. hkr-tk.")]
Name = Annotated[str, typer.Option("--name", help="Wer das veranlasst.")]
Reason = Annotated[str, typer.Option("--reason", help="Warum.")]


@app.command()
def show(context: typer.Context, as_json: AsJson = False) -> None:
    """Was stillsteht, seit wann, warum, und was als Nächstes zu tun ist. Endet mit 1, wenn etwas stillsteht."""
    found = desk.recoveries(house_of(context))
    if as_json:
        emit(found)
    else:
        rows = [(one.destination, one.since, one.evidence, one.next_step) for one in found]
        table(
            "Abgleich nach einer Sicherung",
            ("Ziel", "seit", "woran bemerkt", "nächster Schritt"),
            rows,
            empty="nichts.",
        )
    if found:
        raise typer.Exit(1)


@app.command()
def begin(
    context: typer.Context, destination: Destination, name: Name, reason: Reason, as_json: AsJson = False
) -> None:
    """Eine Sicherung wurde zurückgespielt: alle Ziele anhalten, an die doppelt gesendet werden könnte."""
    recovering.begin(house_of(context), destination, person=by_login(name), reason=reason)
    _say(context, as_json, f"Es geht nichts mehr hinaus. Weiter mit: kiezbruecke recover run {destination}")


@app.command()
def run(context: typer.Context, destination: Destination, as_json: AsJson = False) -> None:
    """Quellen noch einmal lesen, das Ziel fragen, Summen vergleichen. Sendet nichts; beliebig oft."""
    found = pipeline.recover(house_of(context), destination)
    if as_json:
        emit(asdict(found))
    else:
        _tell(destination, found)
    if found.questions or found.differences or found.unread:
        raise typer.Exit(1)


@app.command()
def answer(
    context: typer.Context,
    destination: Destination,
    given: Annotated[str, typer.Argument(metavar="ANTWORT", help="liegt_vor oder liegt_nicht_vor.")],
    name: Name,
    reason: Reason,
    references: Annotated[list[str] | None, typer.Argument(metavar="[KENNZEICHEN]…", help="Für welche Fälle.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Für alle offenen Fälle dieses Ziels.")] = False,
    as_json: AsJson = False,
) -> None:
    """Für viele Fälle auf einmal sagen, ob sie am Ziel vorliegen; einzeln geht es auch mit 'todo decide'."""
    if given not in (Answer.THERE, Answer.NOT_THERE):
        expected = f"{Answer.THERE} oder {Answer.NOT_THERE}"
        raise InputError(f"Die Antwort „{given}“ gibt es hier nicht", where=destination, expected=expected)
    ledger = house_of(context).ledger
    asked = _questions(ledger, destination)
    wanted = list(asked) if everything else (references or [])
    if unknown := [one for one in wanted if one not in asked]:
        raise InputError("Danach wird hier nicht gefragt", where=", ".join(unknown))
    for one in wanted:
        attention.decide(ledger, asked[one], given, person=by_login(name), reason=reason)
    _say(context, as_json, f"{german.count(len(wanted), 'Fall', 'Fälle')}: {given}.")


@app.command()
def end(
    context: typer.Context,
    destination: Destination,
    name: Name,
    reason: Reason,
    despite: Annotated[bool, typer.Option("--trotzdem", help="Obwohl Summen abweichen oder Quellen fehlen.")] = False,
    as_json: AsJson = False,
) -> None:
    """Der Abgleich ist fertig: das Ziel wird wieder bedient. Name und Begründung werden aufgehoben."""
    recovering.end(house_of(context), destination, person=by_login(name), reason=reason, despite=despite)
    _say(context, as_json, f"{destination}: wird wieder bedient.")


@app.command()
def dismiss(
    context: typer.Context, destination: Destination, name: Name, reason: Reason, as_json: AsJson = False
) -> None:
    """Falscher Alarm: es wurde keine Sicherung zurückgespielt, es geht alles weiter wie zuvor."""
    recovering.dismiss(house_of(context), destination, person=by_login(name), reason=reason)
    _say(context, as_json, f"{destination}: wird wieder bedient.")


def _questions(ledger: Ledger, destination: str) -> dict[str, OpenPoint]:
    """The open points about what a destination has, by Fremdkennzeichen."""
    names = {head.key: head.reference for head, _ in list_messages(ledger, destination=destination)}
    points = (point for point in open_points(ledger) if point.kind is Kind.PRESENT)
    return {names[point.message_key]: point for point in points if point.message_key in names}


def _say(context: typer.Context, as_json: bool, line: str) -> None:
    if as_json:
        emit(desk.recoveries(house_of(context)))
    else:
        say(line)


def _tell(destination: str, found: recovering.RecoveryFindings) -> None:
    rows = [*words.counts(found.read), *words.counts(found.asked)]
    table(f"Abgleich {destination}", ("Was", "Anzahl"), rows, empty="nichts Neues.")
    for name in found.unread:
        say(f"Nicht noch einmal gelesen: {name}")
    for line in found.differences:
        say(f"Summe weicht ab – {line}")
    if found.questions:
        cases = german.count(found.questions, "Fall wartet", "Fälle warten")
        say(f"{cases} auf eine Person, die am Ziel nachsieht: kiezbruecke todo list")
    elif not found.differences and not found.unread:
        say(f"Alles stimmt. Beenden mit: kiezbruecke recover end {destination} --name … --reason …")
