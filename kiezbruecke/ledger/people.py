"""Whoever decides something says who and why: one line each, as long as a line, and to be read by others."""

from __future__ import annotations

import unicodedata
from typing import NamedTuple

from kiezbruecke.errors import InputError
from kiezbruecke.printable import acts

NAME, REASON = 80, 500  # characters


class Signed(NamedTuple):
    """A name and a reason as they are kept."""

    person: str
    reason: str


def signed(person: str, reason: str, where: str) -> Signed:
    """Both in composed form, without blanks around them; raises InputError where one of them is none."""
    given = Signed(*(unicodedata.normalize("NFC", text).strip() for text in (person, reason)))
    if not all(given):
        raise InputError("Name und Begründung gehören dazu", where=where)
    for what, text, most in (("Der Name", given.person, NAME), ("Die Begründung", given.reason, REASON)):
        if acts(text):
            raise InputError(
                f"{what} enthält ein Steuerzeichen; bitte in einer Zeile und ohne solche Zeichen eingeben", where=where
            )
        if len(text) > most:
            raise InputError(f"{what} ist zu lang; möglich sind {most} Zeichen", where=where)
    return given
