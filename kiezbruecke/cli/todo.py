"""kiezbruecke todo: the attention list; every answer is kept with name and reason."""

from __future__ import annotations

from typing import Annotated

import typer

from kiezbruecke import attention, desk
from kiezbruecke.cli.fields import fields
from kiezbruecke.cli.house import house_of
from kiezbruecke.cli.output import AsJson, emit, say, table
from kiezbruecke.content.areas import find_area
from kiezbruecke.content.processes import process_files, read_process
from kiezbruecke.desk import words
from kiezbruecke.desk.names import Names
from kiezbruecke.person import by_login
from kiezbruecke.printable import printable

_HEALS = "keine; der Punkt erledigt sich, sobald seine Ursache behoben ist."
app = typer.Typer(no_args_is_help=True)


@app.command("list")
def list_points(
    context: typer.Context,
    owner: Annotated[
        str, typer.Option("--owner", help="Nur, was diese Stelle angeht; ein Teil des Namens genügt.")
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Alles, was eine Person braucht, das Älteste zuerst."""
    house = house_of(context)
    points, names = desk.points(house, owner), Names(house.content)
    if as_json:
        emit(points)
        return
    rows = [
        (
            *(one.id, words.KINDS[one.kind][0], one.reason, names.with_id(names.owner, one.owner)),
            *(one.opened_at, ", ".join(one.answers)),
        )
        for one in points
    ]
    empty = f"nichts für „{owner}“." if owner else "nichts."
    table("Zu tun", ("#", "Art", "Was", "Wer", "seit", "mögliche Antworten"), rows, empty=empty)


@app.command()
def show(
    context: typer.Context,
    number: Annotated[int, typer.Argument(help="Nummer aus kiezbruecke todo list.")],
    as_json: AsJson = False,
) -> None:
    """Ein Punkt mit allem, was dazu bekannt ist."""
    house = house_of(context)
    point = desk.point(house, number)
    if as_json:
        emit(point)
        return
    processes = {file.stem for file in process_files(house.content)}
    names = {"route": "Verfahren"} if point.route in processes else {}
    fields(f"Punkt {number}", point, without=("case", "case_id", "message", "subject", "their_words"), names=names)
    say(words.KINDS[point.kind][1])
    for one in point.their_words:
        say(f"Wortlaut der Antwort: „{printable(one)}“")
    rows = [(one, words.ANSWERS[one]) for one in point.answers]
    table("Antworten", ("Antwort", "was daraus folgt"), rows, empty=_HEALS)


@app.command()
def decide(
    context: typer.Context,
    number: Annotated[int, typer.Argument(help="Nummer aus kiezbruecke todo list.")],
    answer: Annotated[str, typer.Argument(help="Eine der möglichen Antworten.")],
    name: Annotated[str, typer.Option("--name", help="Wer entscheidet.")],
    reason: Annotated[str, typer.Option("--reason", help="Warum.")],
    area: Annotated[
        str, typer.Option("--area", metavar="NAME", help="Zu „zuordnen“: die Bezirksregion, Name oder Nummer.")
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Einen Punkt entscheiden. Name und Begründung werden aufgehoben; der nächste Lauf handelt danach."""
    house = house_of(context)
    point = desk.stored_point(house.ledger, number)
    place = find_area(read_process(house.content, point.route), area) if area and point.case_id else None
    chosen = attention.decide(house.ledger, point, answer, person=by_login(name), reason=reason, area=place)
    if as_json:
        emit(desk.point(house, number))
        return
    say(f"Punkt {number}: {chosen}. {words.THEN[chosen]}")
