"""kiezbruecke case: one view of a case, from the idea to the commitment."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

import typer

from kiezbruecke import attention
from kiezbruecke.cases.join import Standing
from kiezbruecke.cases.timeline import status_of
from kiezbruecke.cli.house import house_of
from kiezbruecke.cli.message import body_of
from kiezbruecke.cli.output import AsJson, emit, german_euros, table
from kiezbruecke.cli.words import STATES, event
from kiezbruecke.effects import effect
from kiezbruecke.errors import ConfigurationError
from kiezbruecke.house import House
from kiezbruecke.ledger import Ledger
from kiezbruecke.ledger.events import events_of
from kiezbruecke.ledger.money import cents
from kiezbruecke.ledger.reading import find_case
from kiezbruecke.ledger.todo import points_of_case
from kiezbruecke.routes import read_process

app = typer.Typer(no_args_is_help=True)


@app.command()
def show(
    context: typer.Context,
    case: Annotated[str, typer.Argument(help="Referenznummer, Fremdkennzeichen oder Schlüssel.")],
    as_json: AsJson = False,
) -> None:
    """Ein Fall: Vorschlag, Beschluss, Nachrichten, Ereignisse."""
    house = house_of(context)
    ledger, standings = house.ledger, _find(house, case)
    if as_json:
        emit([_body(ledger, standing) for standing in standings])
        return
    for standing in standings:
        _show(ledger, standing)


def _find(house: House, wanted: str) -> list[Standing]:
    found = find_case(house.ledger, wanted)
    if not found:
        raise ConfigurationError(
            "Diesen Fall gibt es nicht", where=wanted, helps="Referenznummer wie 2026-00001 oder P-1"
        )
    ids = {one.id for one in found}
    standings = []
    for process_id in sorted({one.process_id for one in found}):
        process = read_process(house.content, process_id)
        standings += [one for one in attention.read_standings(house.ledger, process) if one.case.id in ids]
    return standings


def _show(ledger: Ledger, standing: Standing) -> None:
    status, decision, proposal = status_of(standing), standing.decision, standing.proposal
    facts = [
        ("Titel", standing.title),
        ("Bezirksregion", standing.area_name),
        ("Stand", status.state),
        ("beantragt", _money(proposal.requested_amount) if proposal and proposal.requested_amount else ""),
        ("beschlossen", f"{decision.outcome.word} am {decision.decided_on:%d.%m.%Y}" if decision else ""),
        ("bewilligt", _money(standing.amount) if standing.grants else ""),
        ("zurückgestellt", "; ".join(one.text for one in standing.disagreements)),
    ]
    table(f"Fall {standing.case.reference}", ("", ""), [fact for fact in facts if fact[1]])
    table(
        "Nachrichten",
        ("Fremdkennzeichen", "Ziel", "Wirkung", "€", "Zustand", "zuletzt"),
        [
            (
                one.reference,
                one.destination,
                effect(one.effect).title,
                german_euros(one.amount_cents),
                STATES[one.state.value],
                one.updated_at,
            )
            for one in standing.case.messages
        ],
        empty="keine.",
    )
    events = events_of(ledger, standing.case.id)
    table(
        "Ereignisse",
        ("#", "wann", "was", "Einzelheiten"),
        [(one.seq, one.at, event(one.kind), _details(one.body)) for one in events],
    )


def _money(amount: Decimal) -> str:
    return f"{german_euros(cents(amount))} €"


def _details(body: object) -> str:
    keep = ("reference", "note", "source", "answer")
    assert isinstance(body, dict)
    return ", ".join(str(body[key]) for key in keep if body.get(key))


def _body(ledger: Ledger, standing: Standing) -> dict[str, object]:
    status, decision = status_of(standing), standing.decision
    commitment = standing.case.commitment
    return {
        "id": standing.case.id,
        "process": standing.case.process_id,
        "reference": standing.case.reference,
        "area": standing.area_id,
        "title": standing.title,
        "state": status.state,
        "decision": None
        if decision is None
        else {
            "outcome": decision.outcome.value,
            "date": decision.decided_on,
            "amount": decision.approved_amount,
            "sheet": decision.sheet,
            "row": decision.row,
        },
        "commitment": None if commitment is None else {"state": commitment.state.value, "booked": commitment.amount},
        "disagreements": [{"reason": one.reason.value, "text": one.text} for one in standing.disagreements],
        "messages": [body_of(one, standing.case.reference) for one in standing.case.messages],
        "attention": [
            {"id": one.id, "kind": one.kind, "open": one.closed_at is None}
            for one in points_of_case(ledger, standing.case.id)
        ],
        "events": [
            {"seq": one.seq, "at": one.at, "kind": one.kind, **one.body} for one in events_of(ledger, standing.case.id)
        ],
    }
