"""Deals the recorded proposals over five Kiezkassen, adds one on paper; writes sheets and the expected result.

    the story (below) ─┬─▶ demo/proposals.json            what stands on the platform (sandbox)
                       ├─▶ demo/beschluesse/*.xlsx, .csv   what the assemblies decided
                       ├─▶ demo/budgets/budgetliste-2026.xlsx
                       ├─▶ demo/antraege, demo/spaeter        who is paid, on which account, and what was spent
       ├─▶ demo/offen                         who applies when `make up` runs: people release it, not the demonstration
                       └─▶ demo/expected.json              what must come out, without asking the engine

    python tools/make_demo.py [--check]

The same files, byte by byte, at every run: fixed seed, fixed dates in workbooks and archives.
All people and all decisions are invented. `--check` writes nothing and says whether the files are up to date.
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import random
import re
import sys
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from openpyxl import Workbook
from schwifty import IBAN
from shapely.geometry import Point, shape
from shapely.geometry.base import BaseGeometry

from connectors.meinberlin._recorded import USERS, recorded_state
from kiezbruecke import german

ROOT = Path(__file__).resolve().parent.parent
PROCESS = "kk-tk-2026"
SEED = "kiezbruecke-2026"
CANARY = {
    "creator": "Kanari Zwitscherfrau-Canary",
    "contact_email": "canary.kanari@example.invalid",
    "contact_phone": "+49 30 5550815",
}
CANARY_PK = 8
Row = dict[str, Any]


@dataclass(frozen=True)
class Kiez:
    """One Kiezkasse: its area, its module (0: none on the platform), its assembly."""

    area: str
    name: str
    slug: str
    module: int
    kind: str
    sitting: date


KIEZE = {
    kiez.area: kiez
    for kiez in (
        Kiez("090416", "Müggelheim", "mueggelheim", 11, "budgeting", date(2026, 4, 23)),
        Kiez("090311", "Grünau", "gruenau", 12, "budgeting", date(2026, 4, 28)),
        Kiez("090104", "Johannisthal", "johannisthal", 13, "budgeting", date(2026, 5, 5)),
        Kiez("090207", "Adlershof", "adlershof", 14, "budgeting", date(2026, 5, 12)),
        Kiez("090309", "Altglienicke", "altglienicke", 15, "kiezkasse", date(2026, 5, 19)),
        Kiez("090310", "Bohnsdorf", "bohnsdorf", 0, "", date(2026, 5, 26)),
    )
}
SECOND_SITTING = date(2026, 6, 16)

YES, CUT, NO = "angenommen", "angenommen (gekürzt)", "abgelehnt"
NOT_ELIGIBLE, LATER, PASSED_ON = "nicht förderfähig", "vertagt", "weitergeleitet"
WAITING, WITHDRAWN = "Warteliste", "zurückgezogen"


@dataclass(frozen=True)
class Line:
    """One line of a decision sheet. `aside` names why a person must look at it, if so."""

    number: int | str
    outcome: str
    amount: str = ""
    reason: str = ""
    condition: str = ""
    title: str = ""  # of proposals that do not stand on the platform
    rank: int | None = None
    correction: bool = False
    aside: str = ""
    counts: bool = True  # False: replaced by a later line

    @property
    def reference(self) -> str:
        """The platform's reference number, or the sheet's own."""
        return self.number if isinstance(self.number, str) else f"2026-{self.number:05d}"

    @property
    def accepted(self) -> bool:
        """It moves money."""
        return self.outcome in (YES, CUT) and not self.aside and self.counts


OVER_BUDGET = "over_budget"
ENOUGH = "Die Mittel der Kiezkasse reichen nicht für alle; alle Vereine haben gekürzt."
RECEIPTS = "Belege bis 15.12.2026"

# The story. Every one of the 60 recorded proposals is decided in exactly one area.
STORY: dict[str, tuple[Line, ...]] = {
    # Every club takes a cut, so that the sum is the budget to the cent.
    "090416": (
        Line(1, CUT, "850.00", ENOUGH, RECEIPTS),
        Line(3, CUT, "400.00", ENOUGH),
        Line(17, CUT, "350.00", ENOUGH),
        Line(27, CUT, "300.00", ENOUGH),
        Line(36, CUT, "300.00", ENOUGH),
        Line(21, CUT, "250.00", ENOUGH),
        Line("P-1", CUT, "150.00", ENOUGH, title="Vitrine für die Ortschronik (Vorschlag auf Papier)"),
        Line(25, PASSED_ON, reason="An die BSR weitergeleitet."),
        Line(40, NOT_ELIGIBLE, reason="Kein Vorhaben erkennbar."),
        Line(51, NOT_ELIGIBLE, reason="Übersteigt die Kiezkasse um ein Vielfaches."),
        Line(59, WITHDRAWN, reason="Von der Einreicherin zurückgezogen."),
    ),
    # A waiting list, a successor and a corrected line in a second sheet.
    "090311": (
        Line(2, YES, "850.00", condition="Standort mit dem Straßen- und Grünflächenamt abstimmen"),
        Line(9, CUT, "500.00", "Sechs statt zehn Kästen."),
        Line(16, YES, "240.00"),
        Line(38, YES, "210.00", counts=False),
        Line(35, YES, "120.00"),
        Line(57, YES, "70.00"),
        Line(24, WAITING, rank=1, reason="Nachrücker, falls Mittel frei bleiben.", counts=False),
        Line(42, WAITING, rank=2, reason="Nachrücker, falls Mittel frei bleiben."),
        Line(11, NO, reason="Keine Mehrheit."),
    ),
    # Two proposals from the room, and one number twice in the sheet.
    "090104": (
        Line(8, YES, "1450.00", condition=RECEIPTS),
        Line(4, YES, "920.00"),
        Line(26, YES, "720.00"),
        Line(13, CUT, "600.00", "Ohne Verpflegung: Lebensmittel sind nicht förderfähig."),
        Line(29, YES, "580.00"),
        Line(7, YES, "450.00"),
        Line("P-1", YES, "380.00", title="Schaukasten am Nachbarschaftszentrum"),
        Line(47, YES, "333.00"),
        Line(45, YES, "300.00"),
        Line("P-2", YES, "240.00", title="Notenständer für den Seniorenchor"),
        Line(54, YES, "200.00", aside="twice"),
        Line(54, CUT, "150.00", aside="twice"),
        Line(46, WAITING, rank=1, reason="Nachrücker, falls Mittel frei bleiben."),
        Line(50, LATER, reason="Ohne Kostenplan; Wiedervorlage in der nächsten Versammlung."),
        Line(10, NO, reason="Keine Mehrheit."),
    ),
    # A CSV of an old spreadsheet; more approved than asked, and a number nobody knows.
    "090207": (
        Line(23, YES, "1350.00", condition=RECEIPTS),
        Line(12, YES, "990.00"),
        Line(14, CUT, "700.00", "Honorar gekürzt."),
        Line(19, YES, "870.00"),
        Line(22, CUT, "750.50", "Bühnenmiete nach Angebot."),
        Line(33, CUT, "700.00", "Mittel reichen nicht für die volle Summe."),
        Line(37, CUT, "500.00", "Fünf statt acht Termine."),
        Line(41, YES, "120.00"),
        Line(30, YES, "980.00", aside="more_than_asked"),
        Line(999, YES, "250.00", title="Regentonnen für die Kleingartenanlage", aside="unknown_reference"),
        Line(31, NOT_ELIGIBLE, reason="Aufgabe des Grundstückseigentümers."),
        Line(18, NO, reason="Keine Mehrheit."),
        Line(28, NO, reason="Keine Mehrheit."),
        Line(52, WITHDRAWN, reason="Vom Einreicher zurückgezogen."),
    ),
    # The legacy module type; the platform says accepted where the assembly refused.
    "090309": (
        Line(20, CUT, "2000.00", "Ohne Aufstellung."),
        Line(15, YES, "1690.00", condition="Wartung übernimmt der Träger"),
        Line(55, YES, "1300.00"),
        Line(5, YES, "1000.00"),
        Line(32, YES, "960.00"),
        Line(53, CUT, "800.00", "Ohne Hüpfburg."),
        Line(49, CUT, "640.00", "Eigenanteil des Vereins."),
        Line(44, CUT, "450.00", "Eigenanteil des Vereins."),
        Line(6, YES, "300.00"),
        Line(56, YES, "150.00"),
        Line(39, YES, "100.00"),
        Line(43, YES, "100.00"),
        Line(34, NO, reason="Keine Mehrheit.", aside="platform_contradicts"),
        Line(48, NO, reason="Kein Vorhaben erkennbar."),
        Line(58, NOT_ELIGIBLE, reason="Laufende Betriebskosten."),
        Line(60, LATER, reason="Kostenplan fehlt."),
    ),
    # Paper only; together 200 € more than there is, so the whole list waits.
    "090310": (
        Line("P-1", YES, "2400.00", title="Sonnensegel für den Buddelplatz", aside=OVER_BUDGET),
        Line("P-2", YES, "1600.00", title="Zwei Bänke am Dorfplatz", aside=OVER_BUDGET),
        Line("P-3", CUT, "1000.00", "Nur die Technik.", title="Sommerkino im Gutshof", aside=OVER_BUDGET),
    ),
}
# The second sheet of Grünau: the successor of the second assembly, and a line of the first one put right.
SECOND = (
    Line(24, YES, "400.00", "Nachgerückt von Platz 1 der Warteliste.", RECEIPTS, rank=1),
    Line(38, CUT, "180.50", "Schreibfehler in der ersten Liste: beschlossen waren 180,50 €.", correction=True),
)
# Müggelheim applies for what was granted. The accounts are of a bank code that no bank has; the holders are invented.
PAID_AREA, APPLIED, NOTICE, WAIVER = "090416", date(2026, 4, 30), date(2026, 5, 11), date(2026, 5, 18)
BEGINS, BANK_CODE = date(2026, 6, 1), "99999999"
HOLDERS: dict[int | str, str] = {
    1: "Erfundener Heimatverein Müggelheim",
    3: "Erfundener Sportverein Müggelheim",
    17: "Erfundene Jugendgruppe Müggelspree",
    27: "Erfundener Chor am Dorfanger",
    36: "Erfundener Gartenverein Kleiner Müggelsee",
    21: "Erfundener Förderverein der Grundschule",
    "P-1": "Erfundener Ortschronikkreis",
}
OPEN_AREA, OPEN_ACCOUNTS = "090311", 11  # Grünau applies when people are there to release it; its first account
OPEN_HOLDERS: dict[int | str, str] = {
    2: "Erfundener Bürgerverein Grünau",
    9: "Erfundene Naturfreunde am Langen See",
    16: "Erfundener Ruderverein Dahme",
}
CLOSED = 27  # the account in its application is closed: the payment comes back, and a second sheet names another
SETTLED, SPENT = 1, Decimal("812.40")  # of 850.00: the difference comes back
UNWAIVED = 36  # nobody has waived: its notice becomes final by itself
PROVEN = date(2026, 6, 29)
# Sums that were dealt anew so that the story holds; the others are the recorded ones.
ASKED = {50: 0, 51: 1_000_000}

# What the platform says before the decisions come home; it never contradicts the sheet but once.
PLATFORM = {
    YES: (None, "CONSIDERATION", "QUALIFIED", "ACCEPTED"),
    CUT: ("QUALIFIED", "ACCEPTED", None, "CONSIDERATION"),
    NO: ("CONSIDERATION", "REJECTED", None),
    NOT_ELIGIBLE: ("REJECTED",),
    PASSED_ON: ("CONSIDERATION",),
    LATER: ("CONSIDERATION",),
    WAITING: ("QUALIFIED",),
    WITHDRAWN: (None,),
}
FEEDBACK = {
    "CONSIDERATION": "<p>Die Fachämter prüfen die Umsetzbarkeit.</p>",
    "QUALIFIED": "<p>Zur Abstimmung in der Kiezkassenversammlung zugelassen.</p>",
    "REJECTED": "<p>Nach den Regeln der Kiezkasse nicht förderfähig.</p>",
    "ACCEPTED": "<p>Die Versammlung hat den Vorschlag angenommen.</p>",
}
PLACES = ("Festplatz", "Stadtteilbibliothek", "Spielplatz", "Sportplatz", "Gemeindehaus", "Schulhof")

DECISION = (
    "Verfahren", "Bezirksregion", "Sitzung am", "Referenznummer", "Titel", "Ergebnis", "Bewilligt (€)", "Ja",
    "Nein", "Enthaltung", "Rang", "Auflagen", "Protokoll", "Erfasst von", "Korrektur", "Begründung",
)  # fmt: skip
BUDGET = (
    "Verfahren", "Haushaltsjahr", "Bezirksregion", "Betrag (€)", "Kapitel", "Titel", "Status", "Gültig ab",
    "Grund", "Erfasst von",
)  # fmt: skip
APPLICATION = (
    "Verfahren", "Bezirksregion", "Referenznummer", "Titel", "Antragstellende", "Antrag vom", "Antragssumme (€)",
    "Voraussichtliche Kosten (€)", "Beginn des Vorhabens", "Bescheid vom", "Verzicht auf Widerspruch am",
    "Kontoinhaber", "IBAN", "BIC", "Erfasst von", "Korrektur", "Begründung",
)  # fmt: skip
SETTLEMENT = (
    "Verfahren", "Bezirksregion", "Referenznummer", "Titel", "Nachweis angenommen am", "Ausgegeben (€)",
    "Erfasst von", "Korrektur", "Begründung",
)  # fmt: skip
CHAPTER, TITLE = "5950", "97113"
KNOWN = "Verteilung von 2024 (öffentlich genannt)"
INVENTED = "Betrag erfunden (Vorführdaten)"
PLACEHOLDER = "Kapitel und Titel sind Platzhalter"
BUDGETS = (  # name, euros, whether a public source names the amount for 2024
    ("Alt-Treptow", 4600, False), ("Plänterwald", 4400, False), ("Baumschulenweg", 6800, True),
    ("Johannisthal", 7200, True), ("Oberschöneweide", 8200, False), ("Niederschöneweide", 5400, False),
    ("Adlershof", 7300, True), ("Köllnische Vorstadt/Spindlersfeld", 4100, True),
    ("Altglienicke", 10100, True), ("Bohnsdorf", 4800, False), ("Grünau", 2700, True),
    ("Schmöckwitz/Karolinenhof/Rauchfangswerder", 2600, False), ("Köpenick Süd", 4200, True),
    ("Allende-Viertel", 4100, True), ("Altstadt Kietz", 2600, True), ("Müggelheim", 2600, True),
    ("Friedrichshagen", 6700, False), ("Rahnsdorf/Hessenwinkel", 3600, True), ("Dammvorstadt", 3300, False),
    ("Köpenick Nord", 4700, False),
)  # fmt: skip


def main() -> int:
    """Write the demo's files, or check that they are up to date."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--check", action="store_true", help="write nothing; exit code 1 if a file is out of date")
    check: bool = parser.parse_args().check
    stale = [file for file, content in make_demo().items() if not _put(ROOT / "demo" / file, content, check=check)]
    for file in stale:
        print(f"demo/{file} {'is out of date' if check else 'written'}")
    return 1 if check and stale else 0


def make_demo() -> dict[str, bytes]:
    """All files of the demo by path."""
    _check_story()
    files = {
        "proposals.json": _json(_platform()),
        "expected.json": _json(expected()),
        "budgets/budgetliste-2026.xlsx": _workbook("Budgets", BUDGET, _budget_rows()),
        "beschluesse/beschlussliste-gruenau-nachruecker-2026.xlsx": _workbook(
            "Beschlüsse", DECISION, _decision_rows(KIEZE["090311"], SECOND, SECOND_SITTING)
        ),
    }
    files |= {
        "antraege/antragsliste-mueggelheim-2026.xlsx": _workbook("Anträge", APPLICATION, _application_rows()),
        "offen/antraege/antragsliste-gruenau-2026.xlsx": _workbook("Anträge", APPLICATION, _open_rows()),
        "spaeter/antraege/antragsliste-mueggelheim-berichtigung-2026.xlsx": _workbook(
            "Anträge",
            APPLICATION,
            [_application_row(PAID_AREA, _granted()[CLOSED], 1 + len(HOLDERS), "Das Konto war aufgelöst.")],
        ),
        "spaeter/nachweise/nachweisliste-mueggelheim-2026.xlsx": _workbook(
            "Nachweise", SETTLEMENT, [_settlement_row(_granted()[SETTLED])]
        ),
    }
    for area, kiez in KIEZE.items():
        rows = _decision_rows(kiez, STORY[area], kiez.sitting)
        name = f"beschluesse/beschlussliste-{kiez.slug}-2026"
        if kiez.slug == "adlershof":
            files[f"{name}.csv"] = _csv(DECISION, rows)
        else:
            files[f"{name}.xlsx"] = _workbook("Beschlüsse", DECISION, rows)
    return files


def expected() -> Row:
    """What must come out, from the story alone."""
    lines = [(area, line) for area in KIEZE for line in STORY[area]] + [("090311", line) for line in SECOND]
    accepted = [
        {"reference": line.reference, "area": area, "amount": line.amount} for area, line in lines if line.accepted
    ]
    aside = {(area, line.reference): line.aside for area, line in lines if line.aside}
    sums = {
        area: str(sum((Decimal(line["amount"]) for line in accepted if line["area"] == area), Decimal("0.00")))
        for area in dict.fromkeys(line["area"] for line in accepted)
    }
    return {
        "accepted": sorted(accepted, key=lambda line: (line["area"], line["reference"])),
        "set_aside": [
            {"reference": reference, "area": area, "reason_kind": kind}
            for (area, reference), kind in sorted(aside.items())
        ],
        "sums": sums,
        **_expected_money(),
    }


def _expected_money() -> Row:
    """What is paid in the end, what came back from the bank in between, and what was not spent."""
    granted = _granted()
    paid = [{"reference": line.reference, "area": PAID_AREA, "amount": line.amount} for line in granted.values()]
    unspent = str(Decimal(granted[SETTLED].amount) - SPENT)
    return {
        "paid": sorted(paid, key=lambda line: line["reference"]),
        "bounced": [{**_of(granted[CLOSED]), "amount": granted[CLOSED].amount}],
        "refunded": [{**_of(granted[SETTLED]), "amount": unspent}],
    }


def _of(line: Line) -> Row:
    return {"reference": line.reference, "area": PAID_AREA}


def _check_story() -> None:
    """The story must deal every proposal once and stay within every budget."""
    dealt = [line.number for lines in STORY.values() for line in lines if isinstance(line.number, int)]
    assert sorted({*dealt} - {999}) == list(range(1, 61)), "every recorded proposal in one area"
    budgets = {name: euros for name, euros, _ in BUDGETS}
    assert sum(budgets.values()) == 100_000 and len(budgets) == 20  # noqa: PT018
    for area, lines in STORY.items():
        voted = {line.reference: Decimal(line.amount) for line in lines if line.amount}
        if area == "090311":
            voted |= {line.reference: Decimal(line.amount) for line in SECOND}
        too_much = sum(voted.values()) > budgets[KIEZE[area].name]
        assert {too_much} == {line.aside == OVER_BUDGET for line in lines}, f"budget of {KIEZE[area].name}"
    assert expected()["sums"]["090416"] == "2600.00"
    asked = {row["pk"]: row["budget"] for row in _recorded().values()} | ASKED
    assert HOLDERS.keys() == _granted().keys(), "everybody who was granted something has an account"
    assert len(_open_rows()) == len(OPEN_HOLDERS), "who applies while somebody is there was granted something"
    more = [line.number for lines in STORY.values() for line in lines if _more_than(asked, line)]
    assert more == [30], "one proposal gets more than it asked for"


def _more_than(asked: Mapping[Any, int], line: Line) -> bool:
    wish = asked.get(line.number, 0)
    return bool(wish and line.amount) and Decimal(line.amount) > wish


def _recorded() -> dict[Any, Row]:
    """The sixty recorded proposals by key."""
    return {row["pk"]: row for row in recorded_state()["proposals"] if row["module"] == 1}


# The platform


def _platform() -> Row:
    """The sandbox's start state: five modules, sixty proposals; what is on paper only does not stand here."""
    state = recorded_state()
    recorded = _recorded()
    first = next(module for module in state["modules"] if module["id"] == 1)
    shapes = _shapes()
    kieze = [kiez for kiez in KIEZE.values() if kiez.module]
    return {
        "note": "Vorführdaten, erfunden; gemacht von tools/make_demo.py aus den Aufzeichnungen.",
        "users": USERS,
        "projects": [_project(state["projects"][0], kiez) for kiez in kieze],
        "modules": [_module(first, kiez) for kiez in kieze],
        "proposals": [
            _proposal(recorded[line.number], line, kiez, shapes[kiez.area])
            for kiez in kieze
            for line in _once(STORY[kiez.area])
        ],
    }


def _once(lines: Iterable[Line]) -> list[Line]:
    """The lines that stand on the platform, each number once."""
    return list({line.number: line for line in lines if isinstance(line.number, int) and line.number <= 60}.values())


def _project(recorded: Row, kiez: Kiez) -> Row:
    title = f"Kiezkasse {kiez.name} 2026"
    return {
        **recorded,
        "id": kiez.module,
        "title": title,
        "url": f"/projekte/kiezkasse-{kiez.slug}-2026/",
        "description": f"Welche Projekte sollen 2026 in {kiez.name} aus der Kiezkasse gefördert werden?",
    }


def _module(recorded: Row, kiez: Kiez) -> Row:
    """Categories, labels and tasks have other keys in every module, as on the platform."""
    step = 100 * kiez.module
    return {
        **{key: [[step + pk, name] for pk, name in recorded[key]] for key in ("categories", "labels")},
        "tasks": [[step + pk, name] for pk, name in recorded["tasks"]] if kiez.kind == "budgeting" else [],
        "id": kiez.module,
        "type": kiez.kind,
        "slug": f"kiezkasse-{kiez.slug}-2026",
        "title": f"Kiezkasse {kiez.name} 2026",
        "access": "public",
        "support": True,
    }


def _proposal(recorded: Row, line: Line, kiez: Kiez, polygon: BaseGeometry) -> Row:
    chance = random.Random(f"{SEED}-{recorded['pk']}")
    statuses = PLATFORM[line.outcome]
    status = "ACCEPTED" if line.aside == "platform_contradicts" else statuses[recorded["pk"] % len(statuses)]
    legacy = kiez.kind == "kiezkasse"
    changed: Row = {
        "module": kiez.module,
        "budget": ASKED.get(recorded["pk"], recorded["budget"]),
        "moderator_status": status,
        "is_archived": line.outcome == WITHDRAWN and not legacy,
        "point": _point_inside(polygon, chance),
        "point_label": f"{chance.choice(PLACES)} {kiez.name}" if recorded["point_label"] else "",
        "feedback": FEEDBACK.get(status or "", ""),
        "remark": "",
        "own_contribution": legacy and chance.random() < 0.5,
    }
    if legacy:
        changed |= {"contact_email": "", "contact_phone": ""}
    if recorded["pk"] == CANARY_PK:
        changed |= CANARY
    return {**recorded, **changed}


def _shapes() -> dict[str, BaseGeometry]:
    collection = json.loads((ROOT / "mappings/codelists/bezirksregionen-tk.geojson").read_text("utf-8"))
    return {feature["properties"]["lor_bzr_id"]: shape(feature["geometry"]) for feature in collection["features"]}


def _point_inside(polygon: BaseGeometry, chance: random.Random) -> list[float]:
    """A point well inside: rounding to six places must not carry it over the border."""
    west, south, east, north = polygon.bounds
    inner = polygon.buffer(-0.0005)
    while True:
        place = [round(chance.uniform(west, east), 6), round(chance.uniform(south, north), 6)]
        if inner.contains(Point(place)):
            return place


# The sheets


def _decision_rows(kiez: Kiez, lines: Sequence[Line], sitting: date) -> list[list[Any]]:
    return [_decision_row(kiez, line, sitting) for line in lines]


def _decision_row(kiez: Kiez, line: Line, sitting: date) -> list[Any]:
    chance = random.Random(f"{SEED}-{kiez.area}-{line.reference}-{sitting}")
    title = _title(line)
    day = kiez.sitting if line.correction else sitting  # a correction names the sitting that it puts right
    row: list[Any] = [PROCESS, kiez.name, day, line.reference, title, line.outcome]
    row += [Decimal(line.amount) if line.amount else None, *_votes(line, chance), line.rank]
    row += [line.condition, f"Protokoll-{kiez.slug}-{day.isoformat()}.pdf", f"SPK {1 + kiez.module % 2}"]
    return [*row, "ja" if line.correction else "", line.reason]


def _votes(line: Line, chance: random.Random) -> list[int | None]:
    """More ayes than noes where it was accepted; no vote on what may not be voted on."""
    if line.outcome in (NOT_ELIGIBLE, PASSED_ON, WITHDRAWN, LATER):
        return [None, None, None]
    many, few = chance.randint(18, 41), chance.randint(0, 12)
    return [few, many, chance.randint(0, 4)] if line.outcome == NO else [many, few, chance.randint(0, 4)]


def _budget_rows() -> list[list[Any]]:
    return [
        [PROCESS, 2026, name, Decimal(euros), CHAPTER, TITLE, "freigegeben", date(2026, 1, 1),
         f"{KNOWN if known else INVENTED}; {PLACEHOLDER}", "SPK 1"]
        for name, euros, known in BUDGETS
    ]  # fmt: skip


def _granted() -> dict[int | str, Line]:
    """What the paid area was granted, by number."""
    return {line.number: line for line in STORY[PAID_AREA] if line.accepted}


def _application_rows() -> list[list[Any]]:
    granted = _granted()
    return [_application_row(PAID_AREA, granted[number], account) for account, number in enumerate(HOLDERS, start=1)]


def _open_rows() -> list[list[Any]]:
    lines = [line for line in STORY[OPEN_AREA] if line.accepted and line.number in OPEN_HOLDERS]
    return [_application_row(OPEN_AREA, line, account) for account, line in enumerate(lines, start=OPEN_ACCOUNTS)]


def _application_row(area: str, line: Line, account: int, corrects: str = "") -> list[Any]:
    amount, holder = Decimal(line.amount), (HOLDERS | OPEN_HOLDERS)[line.number]
    days = [APPLIED, amount, amount, BEGINS, NOTICE, None if line.number == UNWAIVED else WAIVER]
    head = [PROCESS, KIEZE[area].name, line.reference, _title(line), holder]
    return [*head, *days, holder, _iban(account), "", "SPK 1", "ja" if corrects else "", corrects]


def _settlement_row(line: Line) -> list[Any]:
    head = [PROCESS, KIEZE[PAID_AREA].name, line.reference, _title(line)]
    return [*head, PROVEN, SPENT, "SPK 1", "", ""]


def _title(line: Line) -> str:
    return line.title or " ".join(_recorded()[line.number]["name"].split())


def _iban(account: int) -> str:
    return str(IBAN.generate("DE", bank_code=BANK_CODE, account_code=f"{account:010d}"))


def _csv(header: Sequence[str], rows: Sequence[Sequence[Any]]) -> bytes:
    """As an old spreadsheet saves it: cp1252, semicolons, German numbers and dates."""
    out = io.StringIO()
    writer = csv.writer(out, delimiter=";", lineterminator="\r\n")
    writer.writerow(header)
    writer.writerows([_german(cell) for cell in row] for row in rows)
    return out.getvalue().encode("cp1252")


def _german(cell: Any) -> str:
    if isinstance(cell, Decimal):
        return german.number(cell)
    if isinstance(cell, date):
        return german.day(cell)
    return "" if cell is None else str(cell)


def _workbook(name: str, header: Sequence[str], rows: Sequence[Sequence[Any]]) -> bytes:
    book = Workbook()
    sheet = book.worksheets[0]
    sheet.title = name
    sheet.append(list(header))
    for row in rows:
        sheet.append([None if cell == "" else cell for cell in row])
    for line in sheet.iter_rows(min_row=2):
        for cell in line:
            _dress(cell)
    sheet.freeze_panes = "A2"
    out = io.BytesIO()
    book.save(out)
    return _timeless(out.getvalue())


def _dress(cell: Any) -> None:
    """Texts stay texts (a title may begin with =), sums and days look as in the office."""
    if isinstance(cell.value, str):
        cell.data_type = "s"
    elif isinstance(cell.value, Decimal):
        cell.number_format = "#,##0.00"
    elif isinstance(cell.value, date):
        cell.number_format = "dd.mm.yyyy"


def _timeless(book: bytes) -> bytes:
    """The workbook without the time at which it was made: the same content has the same digest."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(book)) as given, zipfile.ZipFile(out, "w") as made:
        for entry in given.infolist():
            content = given.read(entry)
            if entry.filename == "docProps/core.xml":
                content = re.sub(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", b"2026-01-01T00:00:00Z", content)
            fixed = zipfile.ZipInfo(entry.filename, date_time=(2026, 1, 1, 0, 0, 0))
            fixed.create_system = 3
            made.writestr(fixed, content)  # stored: compressors differ from machine to machine
    return out.getvalue()


def _json(body: Any) -> bytes:
    return (json.dumps(body, ensure_ascii=False, indent=1) + "\n").encode()


def _put(file: Path, content: bytes, *, check: bool) -> bool:
    """True if the file was up to date."""
    if file.exists() and file.read_bytes() == content:
        return True
    if not check:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    return False


if __name__ == "__main__":
    sys.exit(main())
