"""kiezbruecke todo: the attention list; every answer is kept with name and reason."""

from __future__ import annotations

from typing import Annotated

import typer

from kiezbruecke import attention
from kiezbruecke.cli.house import house_of
from kiezbruecke.cli.output import AsJson, emit, table
from kiezbruecke.cli.words import KINDS
from kiezbruecke.errors import ConfigurationError
from kiezbruecke.ledger import Ledger
from kiezbruecke.ledger.todo import OpenPoint, find_point, open_points

app = typer.Typer(no_args_is_help=True)


@app.command("list")
def list_points(context: typer.Context, as_json: AsJson = False) -> None:
    """Alles, was eine Person braucht, das Älteste zuerst."""
    points = open_points(house_of(context).ledger)
    if as_json:
        emit([_body(point) for point in points])
        return
    rows = [
        (
            point.id,
            KINDS.get(point.kind, point.kind),
            point.reason,
            point.owner,
            point.opened_at,
            ", ".join(point.answers),
        )
        for point in points
    ]
    table("Zu tun", ("#", "Art", "Was", "Wer", "seit", "mögliche Antworten"), rows, empty="nichts.")


@app.command()
def show(
    context: typer.Context,
    number: Annotated[int, typer.Argument(help="Nummer aus 'todo list'.")],
    as_json: AsJson = False,
) -> None:
    """Ein Punkt mit allem, was dazu bekannt ist."""
    body = _body(_find(house_of(context).ledger, number))
    if as_json:
        emit(body)
        return
    table(f"Punkt {number}", ("Feld", "Wert"), [(key, value) for key, value in body.items() if value])


@app.command()
def decide(
    context: typer.Context,
    number: Annotated[int, typer.Argument(help="Nummer aus 'todo list'.")],
    answer: Annotated[str, typer.Argument(help="Eine der möglichen Antworten.")],
    name: Annotated[str, typer.Option("--name", help="Wer entscheidet.")],
    reason: Annotated[str, typer.Option("--reason", help="Warum.")],
    as_json: AsJson = False,
) -> None:
    """Einen Punkt entscheiden. Name und Begründung werden aufgehoben; der nächste Lauf handelt danach."""
    ledger = house_of(context).ledger
    attention.decide(ledger, _find(ledger, number), answer, person=name, reason=reason)
    if as_json:
        emit(_body(_find(ledger, number)))
        return
    typer.echo(f"Punkt {number}: {answer}. Der nächste Lauf der Strecke handelt danach.")


def _find(ledger: Ledger, number: int) -> OpenPoint:
    point = find_point(ledger, number)
    if point is None:
        raise ConfigurationError(
            f"Einen Punkt {number} gibt es nicht", where="todo", helps="siehe 'kiezbruecke todo list'"
        )
    return point


def _body(point: OpenPoint) -> dict[str, object]:
    return {
        "id": point.id,
        "kind": point.kind,
        "reason": point.reason,
        "owner": point.owner,
        "route": point.route,
        "subject": point.subject,
        "case": point.case_id,
        "message": point.message_key,
        "answers": list(point.answers),
        "opened_at": point.opened_at,
        "closed_at": point.closed_at,
        "answer": point.answer,
        "answered_by": point.answered_by,
        "answer_reason": point.answer_reason,
    }
