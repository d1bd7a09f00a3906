"""kiezbruecke case: one view of a case, from the idea to the commitment."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from kiezbruecke import desk, german
from kiezbruecke.cli.house import house_of
from kiezbruecke.cli.output import AsJson, emit, say, table
from kiezbruecke.content import find_state
from kiezbruecke.content.roles import Right, read_roles
from kiezbruecke.desk import words
from kiezbruecke.desk.cases import MOST, ProofView
from kiezbruecke.desk.names import Names
from kiezbruecke.desk.papers import draft_paper
from kiezbruecke.documents import DEFAULT
from kiezbruecke.effects import effect
from kiezbruecke.errors import InputError
from kiezbruecke.house import House
from kiezbruecke.ledger.events import ROWS
from kiezbruecke.login import kept, who
from kiezbruecke.machine import write_file
from kiezbruecke.release import Approver

app = typer.Typer(no_args_is_help=True)


@app.command()
def find(
    context: typer.Context,
    part: Annotated[str, typer.Argument(help="Ein Teil der Nummer, des Fremdkennzeichens oder des Titels.")],
    as_json: AsJson = False,
) -> None:
    """Fälle suchen, von denen man nur einen Teil weiß."""
    house = house_of(context)
    found, names = desk.find_cases(house, part), Names(house.content)
    if as_json:
        emit(found)
        return
    rows = [(one.reference, one.title, names.process(one.process), one.area_name or one.area) for one in found]
    table("Gefunden", ("Fall", "Titel", "Verfahren", "Bezirksregion"), rows, empty=f"nichts zu „{part}“.")
    if len(found) == MOST:
        say(f"Es werden höchstens {MOST} gezeigt; mehr Zeichen grenzen die Suche ein.")
    if missing := desk.how_much_is_known(house.ledger):
        say(missing)


@app.command()
def show(
    context: typer.Context,
    case: Annotated[str, typer.Argument(help="Referenznummer, Fremdkennzeichen oder Schlüssel.")],
    as_json: AsJson = False,
) -> None:
    """Ein Fall: Vorschlag, Beschluss, Nachrichten, Ereignisse."""
    found = desk.cases(house_of(context), case)
    if as_json:
        emit(found)
        return
    for one in found:
        _show(one)


@app.command()
def document(
    context: typer.Context,
    case: Annotated[str, typer.Argument(help="Referenznummer, Fremdkennzeichen oder Schlüssel.")],
    paper: Annotated[str, typer.Argument(metavar="bescheid|anordnung", help="Welches Schriftstück.")],
    out: Annotated[Path, typer.Option("--out", metavar="ORDNER", help="Wohin.")] = Path(),
    documents: Annotated[
        str, typer.Option("--documents", metavar="NAME", help="Vorlagen in mappings/documents.")
    ] = DEFAULT,
    as_json: AsJson = False,
) -> None:
    """Zuwendungsbescheid oder Auszahlungsanordnung als Entwurf (PDF) zum Prüfen und Unterschreiben.

    Entschieden wird dadurch nichts. Der Bescheid nennt, wer den Antrag gestellt hat.
    """
    found = draft_paper(house_of(context), case, paper, documents)
    file = out / found.file_name
    write_file(file, found.content)
    if as_json:
        emit({"file": str(file), "paper": paper})
    else:
        say(f"{file}: ein Entwurf; er gilt erst mit Prüfung und Unterschrift")


@app.command()
def account(
    context: typer.Context,
    case: Annotated[str, typer.Argument(help="Referenznummer, Fremdkennzeichen oder Schlüssel.")],
    reason: Annotated[str, typer.Option("--reason", help="Warum.")],
    as_json: AsJson = False,
) -> None:
    """Das Konto eines Falls ganz zeigen, das sonst überall verkürzt steht.

    Dazu gehören eine Anmeldung an Airflow (kiezbruecke login) und das Recht unmask in mappings/roles.yaml. Wer das
    Konto wann und warum gesehen hat, steht danach bei den Ereignissen des Falls.
    """
    house = house_of(context)
    person = who(kept(find_state(house.content)))
    found = desk.cases(house, case)
    if len(found) > 1:
        names = ", ".join(f"{one.reference} in {one.process}: {one.id}" for one in found)
        raise InputError("Mehrere Fälle heißen so", where=case, expected=names, helps="den Schlüssel nennen")
    if not _may_unmask(house, person, found[0].process):
        raise InputError("Diese Anmeldung hat nicht das Recht, ein Konto ganz zu sehen", where=case)
    accounts = desk.show_accounts(house, found[0].id, person.person, reason)
    if as_json:
        emit(accounts)
        return
    rows = [(one.iban, one.holder, one.bic, "; ".join(one.named_in)) for one in accounts]
    table(f"Konto zu Fall {found[0].reference}", ("IBAN", "Kontoinhaber", "BIC", "steht in"), rows)


def _may_unmask(house: House, person: Approver, process: str) -> bool:
    known = read_roles(house.content)
    roles = (known[name] for name in person.roles & known.keys())
    return any(Right.UNMASK in role.desk and role.covers(process) for role in roles)


def _show(case: desk.CaseStory) -> None:
    line = case.decision
    facts = [
        ("Titel", case.title),
        ("Bezirksregion", case.area_name),
        ("Stand", case.state),
        ("beantragt", german.euros(case.requested)),
        ("beschlossen", f"{line.outcome.word} am {german.day(line.date)}" if line else ""),
        *_proof(line.proof if line else None),
        ("bewilligt", german.euros(case.granted)),
        ("Konto", case.account),
        ("zurückgestellt", "; ".join(one.text for one in case.disagreements)),
    ]
    table(f"Fall {case.reference}", ("", ""), [fact for fact in facts if fact[1]])
    table("Verlauf", ("wann", "was"), [(german.day(one.day), one.text) for one in case.story], empty="noch nichts.")
    table(
        "Nachrichten",
        ("Fremdkennzeichen", "Ziel", "Wirkung", "€", "Zustand", "zuletzt"),
        [
            (
                one.reference,
                one.destination,
                effect(one.effect).title,
                german.number(one.amount),
                words.state(one.state),
                one.updated_at,
            )
            for one in case.messages
        ],
        empty="keine.",
    )
    table(
        "Ereignisse",
        ("#", "wann", "was", "Einzelheiten"),
        [
            (one.seq, one.at, words.event(one.kind), _details(one.model_extra or {}))
            for one in case.events
            if one.kind != ROWS  # a link that only seals tells nobody anything
        ],
    )


def _proof(proof: ProofView | None) -> list[tuple[str, str]]:
    """The Drucksache: number and result, what was decided, where it stands, what does not fit."""
    if proof is None:
        return []
    day = f" am {german.day(proof.decided_on)}" if proof.decided_on else ""
    said = f"{proof.result}{day}" if proof.result else day.strip()
    return [
        ("Drucksache", ": ".join(part for part in (proof.reference, said) if part)),
        ("Beschlusstext", proof.resolution),
        ("Link zur Drucksache", proof.url),
        ("Hinweis", proof.note),
    ]


def _details(told: dict[str, Any]) -> str:
    keep = ("reference", "note", "source", "answer")
    who = words.who(told.get("person", ""), told.get("account", ""))
    return ", ".join([*(str(told[key]) for key in keep if told.get(key)), *filter(None, [who])])
