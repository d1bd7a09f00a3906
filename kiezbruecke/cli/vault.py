"""kiezbruecke vault: which keys there are and what they have sealed, a new key, and sealing anew with it.

No secret is ever printed: keys go from a file of 0600 into Airflow by hand.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from kiezbruecke import german
from kiezbruecke.cli.house import house_of
from kiezbruecke.cli.output import AsJson, emit, say, table
from kiezbruecke.edge import key_file
from kiezbruecke.errors import InputError
from kiezbruecke.house import House
from kiezbruecke.ledger.rotation import count_sealed, seal_anew
from kiezbruecke.machine import alone, write_file
from kiezbruecke.vault import Keys, NoKeys, new_keys

app = typer.Typer(no_args_is_help=True)
_WHAT = {
    "accounts": "Kontoverbindungen",
    "message_bytes": "Nachrichten",
    "batches": "Sammelaufträge",
    "unread": "nicht gelesene Zeilen",
    "previews": "Probeläufe",
}


@app.command()
def status(context: typer.Context, as_json: AsJson = False) -> None:
    """Welche Schlüssel da sind und was sie versiegelt haben. Endet mit 1, wenn einer fehlt, der gebraucht wird."""
    house = house_of(context)
    keys, counted = house.vault.keys, count_sealed(house.ledger)
    used = {key for some in counted.values() for key in some}
    missing = sorted(used - keys.sealing.keys(), key=int)
    rows = [
        (key, "versiegelt" if key == keys.newest else "fehlt" if key in missing else "öffnet", _told(counted, key))
        for key in sorted(used | keys.sealing.keys(), key=int)
    ]
    if as_json:
        emit({"where": keys.where, "newest": keys.newest, "keys": [*keys.sealing], "missing": missing, **counted})
    else:
        table(f"Schlüssel des Tresors ({keys.where})", ("Schlüssel", "Stand", "Hat versiegelt"), rows)
        if missing:
            say(f"Es fehlt ein Schlüssel, der gebraucht wird: {', '.join(missing)}. Bitte zurücklegen.")
    if missing:
        raise typer.Exit(1)


@app.command()
def key(
    context: typer.Context,
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", metavar="DATEI", help="Wohin; sonst in die Schlüsseldatei des Tresors."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Einen neuen Schlüssel anlegen: von da an versiegelt er, die alten öffnen noch. Ausgegeben wird keiner.

    Der Inhalt der Datei kann in Airflow das Passwort der Verbindung „tresor“ sein; dann mit -o in eine neue Datei.
    """
    house = house_of(context)
    file = output or key_file(house.content)
    with alone(key_file(house.content)):  # of two that make one at once each would throw the other's away
        keys = _with_another(house, file, new=output is not None)
    if as_json:
        emit({"file": str(file), "newest": keys.newest, "keys": [*keys.sealing]})
        return
    say(f"{file}: Schlüssel {keys.newest} versiegelt von jetzt an. Bitte eine Kopie an einem anderen Ort aufbewahren.")
    if len(keys.sealing) > 1:
        say("Was ältere Schlüssel versiegelt haben, versiegelt „kiezbruecke vault rotate“ neu.")


@app.command()
def rotate(context: typer.Context, as_json: AsJson = False) -> None:
    """Alles, was ältere Schlüssel versiegelt haben, mit dem neuesten versiegeln. Abgebrochen: noch einmal aufrufen."""
    house = house_of(context)
    done = seal_anew(house.ledger)
    if as_json:
        emit({"newest": house.vault.keys.newest, "sealed": done})
        return
    say(f"{german.count(done, 'Eintrag', 'Einträge')} neu versiegelt, mit Schlüssel {house.vault.keys.newest}.")


def _with_another(house: House, file: Path, *, new: bool) -> Keys:
    """The keys with one more, written down; `new`: into a file that must not be there yet."""
    try:
        keys = house.vault.keys.with_another()
    except NoKeys:  # such as are there and cannot be read are not replaced
        if count_sealed(house.ledger):
            raise InputError(
                "Die Schlüssel des Tresors fehlen, und das Hauptbuch enthält Versiegeltes; neue öffnen es nicht",
                where=str(file),
                expected="die alten Schlüssel zurücklegen",
                helps="nichts wurde verändert",
            ) from None
        keys = new_keys(str(file))
    if new and file.exists():
        raise InputError(
            "Die Datei gibt es schon", where=str(file), helps="nichts wurde verändert; mit -o eine andere nennen"
        )
    write_file(file, keys.text())  # whole or not at all, and 0600: what a command writes is for our own account
    return keys


def _told(counted: Mapping[str, Mapping[str, int]], key: str) -> str:
    found = [f"{some[key]} {_WHAT[table]}" for table, some in counted.items() if some.get(key)]
    return ", ".join(found) or "nichts"
