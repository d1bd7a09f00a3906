"""Whoever decides something says who and why, and the log-in says who said it: one value, made at an edge.

A name can be typed by anybody; nobody chooses the log-in that types it. So what acts takes a `Person`, never a name.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import NamedTuple

from kiezbruecke.errors import InputError
from kiezbruecke.printable import acts

NAME, REASON, ACCOUNT = 80, 500, 120  # characters


class How(StrEnum):
    """Who vouches for a log-in."""

    UNKNOWN = ""  # written down before log-ins were
    OS = "os"  # the operating system of the machine where a command ran
    AIRFLOW = "airflow"  # Airflow's log-in


@dataclass(frozen=True)
class Person:
    """The name that was given, and the log-in that gave it; made at an edge (`person.py`, `airflow/people.py`)."""

    name: str
    account: str
    how: How

    @classmethod
    def stored(cls, name: str, login: str) -> Person:
        """As it stands in a row; of older rows only the name is known."""
        how, _, account = login.partition(":")
        return cls(name, account, How(how))

    @property
    def login(self) -> str:
        """As it is kept beside the name: `os:erika`."""
        return f"{self.how}:{self.account}" if self.account else ""

    @property
    def told(self) -> dict[str, str]:
        """As a link of a chain tells it."""
        return {"person": self.name, "account": self.account, "how": self.how.value}

    def __str__(self) -> str:
        return self.name if self.account in ("", self.name) else f"{self.name} (Anmeldung: {self.account})"


class Signed(NamedTuple):
    """A person and a reason as they are kept."""

    person: Person
    reason: str


def signed(person: Person, reason: str, where: str) -> Signed:
    """Texts in composed form, without blanks around them; raises InputError where one of them is none."""
    name, reason = (unicodedata.normalize("NFC", text).strip() for text in (person.name, reason))
    if not (name and reason):
        raise InputError("Name und Begründung gehören dazu", where=where)
    if not person.account or person.how is How.UNKNOWN:
        raise InputError("Es ist nicht bekannt, unter welcher Anmeldung das geschieht", where=where)
    texts = (("Der Name", name, NAME), ("Die Begründung", reason, REASON), ("Die Anmeldung", person.account, ACCOUNT))
    for what, text, most in texts:
        if acts(text):
            raise InputError(
                f"{what} enthält ein Steuerzeichen; bitte in einer Zeile und ohne solche Zeichen eingeben", where=where
            )
        if len(text) > most:
            raise InputError(f"{what} ist zu lang; möglich sind {most} Zeichen", where=where)
    return Signed(replace(person, name=name), reason)
