"""kiezbruecke message: what was sent, what became of it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer

from kiezbruecke.cli.house import house_of
from kiezbruecke.cli.output import AsJson, emit, euros, german_euros, table
from kiezbruecke.cli.words import STATES
from kiezbruecke.effects import effect
from kiezbruecke.errors import ConfigurationError
from kiezbruecke.ledger import Ledger
from kiezbruecke.ledger.claims import find_message
from kiezbruecke.ledger.reading import MessageHead, attempts_of, list_messages
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
    if state is not None and state not in STATES:
        raise ConfigurationError(f"Den Zustand '{state}' gibt es nicht", where="--state", expected=", ".join(STATES))
    found = list_messages(house_of(context).ledger, state=state, route=route, destination=destination)
    if as_json:
        emit([body_of(head, case) for head, case in found])
        return
    rows = [
        (
            head.reference,
            case,
            head.destination,
            effect(head.effect).title,
            german_euros(head.amount_cents),
            STATES[head.state.value],
            head.updated_at,
        )
        for head, case in found
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
    head, case = _find(ledger, message)
    steps = attempts_of(ledger, head.key)
    if payload is not None:
        whole = find_message(ledger, head.key)
        assert whole is not None
        payload.write_bytes(whole.payload)
    if as_json:
        body = body_of(head, case)
        emit(
            {
                **body,
                "steps": [{"at": one.at, "before": one.before, "after": one.after, "note": one.note} for one in steps],
            }
        )
        return
    table(f"Nachricht {head.reference}", ("Feld", "Wert"), [(k, v) for k, v in body_of(head, case).items() if v])
    table(
        "Schritte",
        ("wann", "von", "nach", "Bemerkung"),
        [(one.at, STATES[one.before], STATES[one.after], one.note) for one in steps],
    )


@app.command()
def lineage(
    context: typer.Context,
    message: Annotated[str, typer.Argument(help="Fremdkennzeichen oder Schlüssel (UUID).")],
    as_json: AsJson = False,
) -> None:
    """Woher jeder Wert einer Nachricht kam – ohne die Werte. Endet mit 1, wenn die Bytes einen nicht mehr tragen."""
    ledger = house_of(context).ledger
    head, _ = _find(ledger, message)
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


def body_of(head: MessageHead, case: str) -> dict[str, object]:
    """A message's facts without its content."""
    return {
        "key": head.key,
        "reference": head.reference,
        "related_reference": head.related_reference,
        "case": case,
        "case_id": head.case_id,
        "destination": head.destination,
        "generation": head.generation,
        "effect": head.effect,
        "number": head.number,
        "state": head.state.value,
        "amount": euros(head.amount_cents),
        "route": head.route,
        "mapping": head.mapping,
        "file": head.file_name,
        "sha256": head.sha256,
        "ticket": head.ticket,
        "batch": head.batch_id,
        "remote_id": head.remote_id,
        "test": head.test,
        "created_at": head.created_at,
        "updated_at": head.updated_at,
    }


def _find(ledger: Ledger, wanted: str) -> tuple[MessageHead, str]:
    try:
        key = UUID(wanted)
    except ValueError:
        key = None
    found = [(head, case) for head, case in list_messages(ledger) if head.key == key or head.reference == wanted]
    if not found:
        raise ConfigurationError(
            "Diese Nachricht gibt es nicht", where=wanted, helps="siehe 'kiezbruecke message list'"
        )
    return found[-1]
