"""A year of money in twenty areas: who is granted what, who applies when and with which account, who proves what.

    plan(budgets, per_area) ──▶ Morning, Morning, …    what people put in and do on a day
                            └─▶ till.py plays it       with the real software
                            └─▶ cashbook.py            reads the same sheets again and says what must have come out

All people and grants are invented. Fixed chance: the same year at every run. The budgets are the demonstration's own
sheet: eleven real ones of 2024, nine invented.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import partial
from zlib import crc32

from schwifty import IBAN

from kiezbruecke import german

YEAR = 2026
PROCESS = "kk-tk-2026"
CHAPTER, TITLE = "5950", "97113"
BANK_CODE = "99999999"  # no bank has it
CUT_OFF = date(YEAR, 12, 18)  # the cash office's, as the process file says
CENT = Decimal("0.01")
VOTED, MOVED_UP = date(YEAR, 4, 27), date(YEAR, 9, 7)
NOTICE, WAIVED, SECOND_NOTICE = date(YEAR, 5, 18), date(YEAR, 5, 26), date(YEAR, 9, 14)
DECISION = (
    "Verfahren", "Bezirksregion", "Sitzung am", "Referenznummer", "Titel", "Ergebnis", "Bewilligt (€)", "Rang",
    "Protokoll", "Erfasst von", "Korrektur", "Begründung",
)  # fmt: skip
BUDGET = (
    "Verfahren", "Haushaltsjahr", "Bezirksregion", "Betrag (€)", "Kapitel", "Titel", "Status", "Gültig ab", "Grund",
    "Erfasst von",
)  # fmt: skip
APPLICATION = (
    "Verfahren", "Bezirksregion", "Referenznummer", "Antragstellende", "Antrag vom", "Antragssumme (€)",
    "Beginn des Vorhabens", "Bescheid vom", "Verzicht auf Widerspruch am", "Kontoinhaber", "IBAN", "Erfasst von",
    "Korrektur", "Begründung",
)  # fmt: skip
SETTLEMENT = (
    "Verfahren", "Bezirksregion", "Referenznummer", "Nachweis angenommen am", "Ausgegeben (€)", "Erfasst von",
    "Korrektur", "Begründung",
)  # fmt: skip
HEADERS = {"budgets": BUDGET, "beschluesse": DECISION, "antraege": APPLICATION, "nachweise": SETTLEMENT}
Row = Mapping[str, object]


@dataclass(frozen=True)
class Grant:
    """Money for one proposal. `kind` says what happens to it on its way; what is special is rare in every area."""

    area: str
    number: int
    amount: Decimal
    kind: str = "plain"

    @property
    def reference(self) -> str:
        """As it stands in sheets."""
        return f"P-{self.number}"

    def iban(self, account: int = 0) -> str:
        """Its account, or another one."""
        code = crc32(self.area.encode()) % 1_000_000 * 1000 + self.number * 10 + account
        return str(IBAN.generate("DE", bank_code=BANK_CODE, account_code=f"{code:010d}"))


@dataclass(frozen=True)
class Morning:
    """What people do on one day: sheets by folder, then two who release, then the cash office."""

    date: date
    title: str
    sheets: Mapping[str, Sequence[Row]] = field(default_factory=dict)
    first_budgets: bool = False  # the demonstration's own budget sheet is put in
    releases: bool = False
    pays: bool = False


KINDS = (  # of the numbers 1, 2, … of an area; the others are plain, or wait for the notice to become final
    "bounced",  # the account is closed: it comes back, and a corrected sheet names another
    "reduced",  # a corrected decision grants less, before anything was ordered
    "withdrawn",  # given back before anything was ordered
    "late",  # the account is told very late, in some areas after the cut-off
    "cancelled",  # given back when the order is booked already
)


def plan(budgets: Mapping[str, Decimal], per_area: int) -> list[Morning]:
    """The year of these areas with so many grants each, two of them from the waiting list."""
    chance = random.Random("kiezbruecke-geld")  # noqa: S311 - no secret
    first = {area: list(_first(chance, area, budget, per_area - 2)) for area, budget in budgets.items()}
    grants = [grant for some in first.values() for grant in some]
    given_back = {"withdrawn", "cancelled"}
    stands = [_now(grant) for grant in grants if grant.kind not in given_back]
    second = [grant for area, budget in budgets.items() for grant in _moving_up(area, budget, per_area, stands)]
    of = partial(_of, grants)
    frozen = list(budgets)[2::5]
    late = of("late")
    too_late = [grant for grant in late if grant.area in list(budgets)[::3]]
    in_time = [grant for grant in late if grant not in too_late]
    known = [grant for grant in grants if grant.kind != "late"]
    after = partial(_bescheid, NOTICE)
    return [
        Morning(date(YEAR, 2, 2), "Budgets sind frei", first_budgets=True),
        Morning(
            VOTED, "Versammlungen", {"beschluesse": [_voted(grant) for grant in grants] + _waiting(budgets, per_area)}
        ),
        Morning(
            date(YEAR, 5, 11),
            "Anträge",
            {"antraege": [_applied(one) for one in known] + [_without(one) for one in late]},
        ),
        Morning(date(YEAR, 5, 26), "Bescheide", {"antraege": [after(one) for one in grants]}, releases=True),
        Morning(
            date(YEAR, 5, 28),
            "Zurückgegeben und gekürzt",
            {"beschluesse": [*map(_given_back, of(*given_back)), *(_corrected(one) for one in of("reduced"))]},
            releases=True,
        ),
        Morning(date(YEAR, 6, 1), "Kasse zahlt", pays=True),
        Morning(date(YEAR, 6, 8), "Rückläufer", pays=True),
        Morning(
            date(YEAR, 6, 15),
            "Haushaltssperre",
            {"budgets": [_budget(one, budgets[one], "gesperrt") for one in frozen]},
        ),
        Morning(date(YEAR, 6, 22), "Andere Konten", {"antraege": [*map(_other_account, of("bounced"))]}, releases=True),
        Morning(date(YEAR, 6, 29), "Kasse zahlt", pays=True),
        Morning(
            date(YEAR, 7, 15),
            "Die Sperre ist aufgehoben",
            {"budgets": [_budget(one, budgets[one], "freigegeben") for one in frozen]},
            releases=True,
        ),
        Morning(date(YEAR, 7, 20), "Kasse zahlt", pays=True),
        Morning(MOVED_UP, "Nachrücker", {"beschluesse": [_voted(grant, MOVED_UP) for grant in second]}),
        Morning(
            date(YEAR, 9, 21),
            "Anträge und Bescheide der Nachrücker",
            {"antraege": [{**_applied(one), **_bescheid(SECOND_NOTICE, one, waived=True)} for one in second]},
            releases=True,
        ),
        Morning(date(YEAR, 9, 28), "Kasse zahlt", pays=True),
        Morning(date(YEAR, 10, 12), "Nachweise", {"nachweise": list(_proofs(chance, grants))}, releases=True),
        Morning(date(YEAR, 11, 16), "Erstattungen gehen ein", pays=True),
        Morning(date(YEAR, 11, 30), "Späte Konten", {"antraege": [*map(_account, in_time)]}, releases=True),
        Morning(date(YEAR, 12, 7), "Kasse zahlt", pays=True),
        Morning(date(YEAR, 12, 21), "Nach dem Annahmeschluss", {"antraege": [*map(_account, too_late)]}, releases=True),
        Morning(date(YEAR, 12, 28), "Kasse zahlt", pays=True),
    ]


def closed_accounts(areas: Iterable[str]) -> list[str]:
    """The accounts that the cash office's bank does not know any more."""
    return [Grant(area, KINDS.index("bounced") + 1, CENT).iban() for area in areas]


def _first(chance: random.Random, area: str, budget: Decimal, many: int) -> Iterator[Grant]:
    """Nine tenths of the money, in uneven shares to the cent."""
    shares = [chance.randint(50, 150) for _ in range(many)]
    for number, share in enumerate(shares, start=1):
        amount = (budget * Decimal("0.9") * share / sum(shares)).quantize(CENT, "ROUND_DOWN")
        plain = "plain" if number % 3 else "unwaived"
        yield Grant(area, number, amount, KINDS[number - 1] if number <= len(KINDS) else plain)


def _moving_up(area: str, budget: Decimal, per_area: int, stands: Sequence[Grant]) -> Iterator[Grant]:
    """The last two numbers share what is left, so that nothing of the budget is."""
    left = budget - sum(grant.amount for grant in stands if grant.area == area)
    half = (left / 2).quantize(CENT, "ROUND_DOWN")
    yield Grant(area, per_area - 1, half)
    yield Grant(area, per_area, left - half)


def _now(grant: Grant) -> Grant:
    return Grant(grant.area, grant.number, _reduced(grant), grant.kind) if grant.kind == "reduced" else grant


def _reduced(grant: Grant) -> Decimal:
    return (grant.amount * Decimal("0.75")).quantize(CENT, "ROUND_DOWN")


def _of(grants: Sequence[Grant], *kinds: str) -> list[Grant]:
    return [grant for grant in grants if grant.kind in kinds]


# -- the lines of the sheets


def _budget(area: str, amount: Decimal, status: str) -> Row:
    return {
        "Verfahren": PROCESS, "Haushaltsjahr": YEAR, "Bezirksregion": area, "Betrag (€)": german.number(amount),
        "Kapitel": CHAPTER, "Titel": TITLE, "Status": status, "Gültig ab": f"01.01.{YEAR}", "Grund": "Haushaltssperre",
    }  # fmt: skip


def _voted(grant: Grant, when: date = VOTED) -> Row:
    return _decision(grant, "angenommen", grant.amount, when)


def _waiting(areas: Mapping[str, Decimal], per_area: int) -> list[Row]:
    last = [Grant(area, number, CENT) for area in areas for number in (per_area - 1, per_area)]
    return [_decision(grant, "Warteliste", None) | {"Rang": grant.number - per_area + 2} for grant in last]


def _given_back(grant: Grant) -> Row:
    why = {"Korrektur": "ja", "Begründung": "Vom Verein zurückgegeben."}
    return _decision(grant, "zurückgezogen", None) | why


def _corrected(grant: Grant) -> Row:
    why = {"Korrektur": "ja", "Begründung": "Das Angebot war günstiger."}
    return _decision(grant, "angenommen (gekürzt)", _reduced(grant)) | why


def _decision(grant: Grant, word: str, amount: Decimal | None, when: date = VOTED) -> dict[str, object]:
    return {
        **_about(grant), "Sitzung am": german.day(when), "Titel": f"Vorhaben {grant.number}", "Ergebnis": word,
        "Bewilligt (€)": german.number(amount), "Protokoll": f"Protokoll {when:%d.%m.}",
    }  # fmt: skip


def _applied(grant: Grant) -> Row:
    return {**_without(grant), **_account(grant)}


def _without(grant: Grant) -> Row:
    return {**_asked(grant), "Antrag vom": f"04.05.{YEAR}", "Beginn des Vorhabens": f"01.10.{YEAR}"}


def _account(grant: Grant) -> Row:
    return {**_asked(grant), "Kontoinhaber": _holder(grant), "IBAN": grant.iban()}


def _other_account(grant: Grant) -> Row:
    why = {"Korrektur": "ja", "Begründung": "Das Konto war aufgelöst."}
    return {**_account(grant), "IBAN": grant.iban(1), **why}


def _bescheid(notice: date, grant: Grant, *, waived: bool = False) -> Row:
    """Who waives is paid at once; of the others the notice becomes final by itself."""
    waiver = german.day(WAIVED if notice == NOTICE else notice) if waived or grant.kind not in _WAITS else ""
    return {**_asked(grant), "Bescheid vom": german.day(notice), "Verzicht auf Widerspruch am": waiver}


_WAITS = frozenset({"unwaived", "reduced", "withdrawn"})


def _proofs(chance: random.Random, grants: Sequence[Grant]) -> Iterator[Row]:
    """Two of three have proven by then: most of them everything, some a part, some nothing."""
    for grant in grants:
        if grant.kind in ("plain", "bounced") and chance.random() < 0.67:
            part = chance.choice((1, 1, 1, Decimal("0.93"), Decimal("0.4"), 0))
            spent = (grant.amount * part).quantize(CENT, "ROUND_DOWN")
            yield {**_about(grant), "Nachweis angenommen am": f"09.10.{YEAR}", "Ausgegeben (€)": german.number(spent)}


def _asked(grant: Grant) -> Row:
    return {**_about(grant), "Antragstellende": _holder(grant), "Antragssumme (€)": german.number(grant.amount)}


def _about(grant: Grant) -> dict[str, object]:
    return {"Verfahren": PROCESS, "Bezirksregion": grant.area, "Referenznummer": grant.reference, "Erfasst von": "SPK"}


def _holder(grant: Grant) -> str:
    return f"Erfundener Verein {grant.number} in {grant.area}"
