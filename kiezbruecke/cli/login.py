"""kiezbruecke login: Airflow's log-in for commands that only a known person may give."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from kiezbruecke.cli.output import AsJson, emit, say
from kiezbruecke.content import find_content, find_state
from kiezbruecke.login import checked, keep, log_in, who


def login(
    url: Annotated[str, typer.Option("--url", help="Adresse von Airflow.")] = "http://127.0.0.1:8080",
    user: Annotated[str, typer.Option("--user", help="Anmeldename; ohne ihn wird gefragt.")] = "",
    as_json: AsJson = False,
) -> None:
    """Bei Airflow anmelden. Das Kennwort wird verdeckt gefragt und nicht aufgehoben."""
    checked(url)  # before anybody types a password
    name = user or typer.prompt("Anmeldename", err=True)
    found = log_in(url, name, _password())
    person = who(found)
    keep(find_state(find_content()), found)
    if as_json:
        emit({"account": person.person.account, "name": person.person.name, "roles": sorted(person.roles)})
        return
    say(f"Angemeldet als {person.person}. Rollen: {', '.join(sorted(person.roles)) or 'keine'}")


def _password() -> str:
    """From the terminal without echo; a script gives it on standard input, never as an argument."""
    if sys.stdin.isatty():
        return str(typer.prompt("Kennwort", hide_input=True, err=True))
    return sys.stdin.readline().rstrip("\n")
