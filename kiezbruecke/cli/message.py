"""kiezbruecke message: what was sent, what became of it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from kiezbruecke import desk, german, pipeline
from kiezbruecke.cli.fields import fields
from kiezbruecke.cli.house import house_of
from kiezbruecke.cli.output import AsJson, emit, say, table
from kiezbruecke.desk import words
from kiezbruecke.effects import effect
from kiezbruecke.errors import InputError
from kiezbruecke.ledger import MessageState
from kiezbruecke.ledger.claims import find_message
from kiezbruecke.machine import write_file
from kiezbruecke.person import by_login
from kiezbruecke.workbench.lineage import StoredValue, stored_lineage

app = typer.Typer(no_args_is_help=True)


@app.command("list")
def list_all(
    context: typer.Context,
    state: Annotated[str | None, typer.Option(help="Nur dieser Zustand, z. B. in_doubt.")] = None,
    route: Annotated[str | None, typer.Option(help="Nur diese Strecke.")] = None,
    destination: Annotated[str | None, typer.Option(help="Nur dieses Ziel.")] = None,
    as_json: AsJson = False,
) -> None:
    """Alle Nachrichten, die älteste zuerst."""
    if state is not None and state not in list(MessageState):
        raise InputError(f"Den Zustand „{state}“ gibt es nicht", where="--state", expected=", ".join(MessageState))
    found = desk.messages(house_of(context).ledger, state=state, route=route, destination=destination)
    if as_json:
        emit(found)
        return
    rows = [
        (
            one.reference,
            one.case,
            one.destination,
            effect(one.effect).title,
            german.number(one.amount),
            words.state(one.state),
            one.updated_at,
        )
        for one in found
    ]
    table(
        "Nachrichten", ("Fremdkennzeichen", "Fall", "Ziel", "Wirkung", "€", "Zustand", "zuletzt"), rows, empty="keine."
    )


@app.command()
def show(
    context: typer.Context,
    message: Annotated[str, typer.Argument(help="Fremdkennzeichen oder Schlüssel (UUID).")],
    payload: Annotated[Path | None, typer.Option(help="Die gesendeten Bytes in diese Datei schreiben.")] = None,
    as_json: AsJson = False,
) -> None:
    """Eine Nachricht mit allen ihren Schritten."""
    ledger = house_of(context).ledger
    found = desk.message(ledger, message)
    if payload is not None:
        desk.refuse_to_show(found.effect, found.reference)
        whole = find_message(ledger, found.key)
        assert whole is not None
        write_file(payload, whole.payload, folders=False)
    if as_json:
        emit(found)
        return
    fields(f"Nachricht {found.reference}", found, without=("steps",))
    table(
        "Schritte",
        ("wann", "von", "nach", "Bemerkung"),
        [(one.at, words.state(one.before), words.state(one.after), one.note) for one in found.steps],
    )


@app.command()
def resend(
    context: typer.Context,
    message: Annotated[str, typer.Argument(help="Fremdkennzeichen oder Schlüssel (UUID).")],
    name: Annotated[str, typer.Option("--name", help="Wer das veranlasst.")],
    reason: Annotated[str, typer.Option("--reason", help="Warum.")],
    as_json: AsJson = False,
) -> None:
    """Dieselben Bytes unter demselben Kennzeichen noch einmal senden, wenn das Ziel sie nicht hat.

    Das Ziel wird zuerst gefragt. Wo es sie hat oder eine Wiederholung nicht erkennen würde, geht nichts hinaus.
    """
    house = house_of(context)
    head = desk.stored_message(house.ledger, message)
    pipeline.resend(house, head, person=by_login(name), reason=reason)
    if as_json:
        emit(desk.message(house.ledger, str(head.key)))
        return
    say(f"{head.reference} geht mit dem nächsten Lauf der Strecke {head.route} noch einmal hinaus.")


@app.command()
def lineage(
    context: typer.Context,
    message: Annotated[str, typer.Argument(help="Fremdkennzeichen oder Schlüssel (UUID).")],
    as_json: AsJson = False,
) -> None:
    """Woher jeder Wert einer Nachricht kam – ohne die Werte. Endet mit 1, wenn die Bytes einen nicht mehr tragen."""
    ledger = house_of(context).ledger
    head = desk.message(ledger, message)
    found = stored_lineage(ledger, head.key)
    if as_json:
        emit([one.as_dict() for one in found])
    else:
        rows = [(one.target, one.source, one.rule, f"{one.file}:{one.line}", _carried(one)) for one in found]
        columns = ("Ziel", "Quelle", "#Regel", "Zeile", "in den Bytes")
        table(f"Herkunft {head.reference} ({head.mapping})", columns, rows, empty="nicht festgehalten.")
    if not all(one.held for one in found):
        raise typer.Exit(1)


def _carried(value: StoredValue) -> str:
    return "ja" if value.held else "NEIN"
