"""Where a fund's money stands in Berlin's budget: Kapitel and Titel per year, from the Senate's open budget data.

The file (semicolon, UTF-8, https://daten.berlin.de, „Doppelhaushalt“) is read line by line: it has some 47,000 of
them. What it says is checked where it can be: its header word by word, whether a Titel is one of income or of spending
by its own number (the Gruppierungsplan: 0–3 income, 4–9 spending), and a row that the caller knows from elsewhere.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from kiezbruecke.desk.view import DeskView
from kiezbruecke.errors import InputError
from kiezbruecke.plaintext import folded, one_line

HEADER = (
    *("ID", "Typ", "Bezeichnung", "Bereich", "Bereichsbezeichnung", "Einzelplan", "Einzelplanbezeichnung"),
    *("Kapitel", "Kapitelbezeichnung", "Hauptgruppe", "Hauptgruppenbezeichnung", "Obergruppe"),
    *("Obergruppenbezeichnung", "Gruppe", "Gruppenbezeichnung", "Hauptfunktion", "Hauptfunktionsbezeichnung"),
    *("Oberfunktion", "Oberfunktionsbezeichnung", "Funktion", "Funktionsbezeichnung", "Titelart", "Titel"),
    *("Titelbezeichnung", "Jahr", "BetragTyp", "Betrag"),
)
_SPENDING, _INCOME, _PLANNED = "Ausgabetitel", "Einnahmetitel", "Soll"
_INCOME_GROUPS = frozenset("0123")
_WHOLE = re.compile(r"-?[0-9]{1,15}")
_CHAPTER, _TITLE = re.compile(r"[0-9]{1,4}"), re.compile(r"[0-9]{1,5}")


class BudgetPlace(DeskView):
    """A Titel of the budget plan in one year."""

    id: str
    """Number of the row in the Senate's file"""
    year: int
    division: str
    """Name of the Bereich: a district, or the Hauptverwaltung"""
    chapter: str
    """Kapitel, four digits; empty where the file names none"""
    chapter_name: str
    title: str
    """Titel, five digits; empty where the file names none"""
    title_name: str
    amount: int
    """Planned, in whole euros"""

    @property
    def complete(self) -> bool:
        """Whether a budget sheet can take it."""
        return bool(self.chapter and self.title)


@dataclass(frozen=True)
class WantedPlaces:
    """Which rows: the Bereich by name or number; part of the Titel's name; Kapitel where given."""

    division: str
    title_name: str
    chapter: str = ""

    def takes(self, row: Mapping[str, str]) -> bool:
        """Whether a row of spending is one of these."""
        return (
            row["Titelart"] == _SPENDING
            and row["BetragTyp"] == _PLANNED
            and folded(self.division) in (folded(row["Bereichsbezeichnung"]), row["Bereich"])
            and folded(self.title_name) in folded(row["Titelbezeichnung"])
            and self.chapter in ("", _digits(row["Kapitel"], 4))
        )


def read_places(file: Path, wanted: WantedPlaces, known: Mapping[str, int] | None = None) -> list[BudgetPlace]:
    """The rows of spending that fit, by year, Kapitel and Titel.

    `known`: sums in whole euros by the number (ID) of their row, as they are known from elsewhere. Raises InputError,
    with file and line, for a header that is another one, for a row that contradicts itself or what is known of it.
    """
    missing, found = dict(known or {}), []
    for where, row in _rows(file):
        _refuse_nonsense(where, row)
        _refuse_swapped(where, row)
        if (expected := missing.pop(row["ID"], None)) is not None:
            _refuse_unlike(where, row, expected)
        if wanted.takes(row):
            found.append(_place(row))
    if missing:
        raise InputError(
            "Die bekannte Zeile steht nicht in der Datei", where=str(file), helps=f"gesucht: ID {', '.join(missing)}"
        )
    return sorted(found, key=lambda one: (one.year, one.chapter, one.title, one.chapter_name, one.id))


def the_place(found: Iterable[BudgetPlace], year: int) -> BudgetPlace:
    """The one place of this year that a budget sheet can take; raises InputError where it is none, or not one."""
    places = [one for one in found if one.year == year]
    if len(places) != 1:
        raise InputError(
            f"Für {year} muss genau eine Ausgabe passen; gefunden: {len(places)}",
            helps="--titel-bezeichnung oder --kapitel genauer angeben",
        )
    (place,) = places
    if not place.complete:
        missing = " und ".join(
            word for word, number in (("Kapitel", place.chapter), ("Titel", place.title)) if not number
        )
        raise InputError(
            f"Die Datei nennt für {year} keine Nummer von {missing}, nur die Bezeichnungen",
            where=f"ID {place.id}",
            helps="die Nummern aus dem gedruckten Bezirkshaushaltsplan selbst eintragen",
        )
    return place


def _rows(file: Path) -> Iterator[tuple[str, dict[str, str]]]:
    """Every row with its place, `file:line`, cells cleaned; a byte order mark is no part of the header."""
    if not file.is_file():
        raise InputError("Die Datei gibt es nicht", where=str(file))
    try:
        with file.open(encoding="utf-8-sig", newline="") as handle:
            lines = csv.reader(handle, delimiter=";", strict=True)
            _refuse_other_header(file, next(lines, []))
            for cells in lines:
                where = f"{file}:{lines.line_num}"
                if len(cells) != len(HEADER):
                    raise InputError(
                        f"Die Zeile hat {len(cells)} Spalten", where=where, helps=f"erwartet: {len(HEADER)}"
                    )
                yield where, dict(zip(HEADER, map(one_line, cells), strict=True))
    except UnicodeDecodeError:
        raise InputError("Die Datei ist nicht UTF-8", where=str(file), helps="als „CSV UTF-8“ speichern") from None
    except csv.Error:
        raise InputError(
            "Eine Zeile der Datei ist kein CSV", where=str(file), helps="Anführungszeichen prüfen"
        ) from None


def _refuse_other_header(file: Path, cells: list[str]) -> None:
    """The columns are known by their order as well: a new one in the middle may have changed what others mean."""
    found = tuple(map(one_line, cells))
    if found == HEADER:
        return
    missing, new = [one for one in HEADER if one not in found], [one for one in found if one not in HEADER]
    if missing or new:
        told = [*(f"„{one}“ fehlt" for one in missing), *(f"„{one[:40]}“ ist neu" for one in new)]
    else:
        place = next(number for number, pair in enumerate(zip(found, HEADER, strict=False)) if pair[0] != pair[1])
        told = [f"an der Stelle {place + 1} steht „{found[place]}“"]
        told += [f"erwartet ist dort „{HEADER[place]}“"] if place < len(HEADER) else []
    raise InputError(
        f"Der Kopf ist ein anderer: {'; '.join(told[:5])}",
        where=f"{file}:1",
        helps="die Datei ist nicht die offene Haushaltsdatei, oder sie hat sich geändert; nichts wurde gelesen",
    )


def _refuse_nonsense(where: str, row: Mapping[str, str]) -> None:
    if row["Titelart"] not in (_SPENDING, _INCOME):
        raise InputError("Die Titelart ist unbekannt", where=where, helps=f"erwartet: {_INCOME} oder {_SPENDING}")
    for name, form in (("Jahr", _CHAPTER), ("Betrag", _WHOLE)):
        if not form.fullmatch(row[name]):
            raise InputError(f"„{name}“ ist keine ganze Zahl", where=where)
    for name, form in (("Kapitel", _CHAPTER), ("Titel", _TITLE)):
        if row[name] and not form.fullmatch(row[name]):
            raise InputError(f"„{name}“ ist keine Nummer", where=where)


def _refuse_swapped(where: str, row: Mapping[str, str]) -> None:
    """Publications have had the words Einnahmetitel and Ausgabetitel the wrong way round; the number tells."""
    group = _digits(row["Titel"], 5)[:1] or row["Hauptgruppe"][:1]
    if group and (group in _INCOME_GROUPS) != (row["Titelart"] == _INCOME):
        meant = _INCOME if group in _INCOME_GROUPS else _SPENDING
        raise InputError(
            f"Einnahme und Ausgabe sind vertauscht: Die Zeile heißt {row['Titelart']}, "
            f"nach der Hauptgruppe {group} ist sie ein {meant}",
            where=where,
            helps="nichts wurde gelesen; auf eine berichtigte Veröffentlichung warten",
        )


def _refuse_unlike(where: str, row: Mapping[str, str], expected: int) -> None:
    if int(row["Betrag"]) != expected or row["Titelart"] != _SPENDING:
        raise InputError(
            f"Die bekannte Zeile {row['ID']} steht anders da: {row['Titelart']} über {row['Betrag']} €",
            where=where,
            helps=f"erwartet: {_SPENDING} über {expected} €",
        )


def _place(row: Mapping[str, str]) -> BudgetPlace:
    return BudgetPlace(
        id=row["ID"],
        year=int(row["Jahr"]),
        division=row["Bereichsbezeichnung"],
        chapter=_digits(row["Kapitel"], 4),
        chapter_name=row["Kapitelbezeichnung"],
        title=_digits(row["Titel"], 5),
        title_name=row["Titelbezeichnung"],
        amount=int(row["Betrag"]),
    )


def _digits(number: str, length: int) -> str:
    """With the zeros that a spreadsheet has taken away; empty stays empty."""
    return number.zfill(length) if number else ""
