"""The year of money, played and compared: our ledger, HKR's sandbox, and what the sheets come to by hand."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from demo.year.cashbook import Account, Rules, reckon
from demo.year.grants import CUT_OFF, PROCESS, Morning, closed_accounts, plan
from demo.year.stage import logged
from demo.year.till import Till, till
from kiezbruecke import german
from kiezbruecke.ledger import evidence, money

PER_AREA = 20
COLUMNS = ("budget", "bound", "paid", "refunded", "free")
_AREAS = ("Bezirksregion", "Bezirksregionen")
Sums = Mapping[str, Decimal]


@dataclass(frozen=True)
class Settled:
    """How the year has ended: per area the sums of the three, in euros, and what is not equal, one German line each."""

    by_hand: Mapping[str, Sums]
    ours: Mapping[str, Sums]
    theirs: Mapping[str, Sums]
    grants: int
    released: int
    failed: int
    wrong: Sequence[str]


def settle(state: Path, budgets: Mapping[str, Decimal], per_area: int, say: Callable[[str], None]) -> Settled:
    """Play the year of these areas in a folder that is emptied first, and compare."""
    mornings = plan(budgets, per_area)
    with till(state) as world, logged(state):
        world.close_accounts(closed_accounts(budgets))
        for morning in mornings:
            world.play(morning)
            say(f"{german.day(morning.date)}  {morning.title}")
        rules = Rules([one.date for one in mornings if one.releases], CUT_OFF, closed_accounts(budgets))
        accounts = reckon(state, rules)
        by_hand = {area: _columns(one) for area, one in accounts.items()}
        ours, theirs = _ours(world), _theirs(world, by_hand)
        wrong = [*_differences("im Hauptbuch", by_hand, ours), *_differences("im HKR", by_hand, theirs)]
        wrong += [f"Beweiskette: {broken}" for broken in evidence.verify(world.house.ledger).broken]
        return Settled(by_hand, ours, theirs, _grants(mornings), world.released, world.failed, wrong)


def told(settled: Settled) -> Iterator[str]:
    """How it has ended: the sums of all three, a line each, and what is not equal."""
    areas = german.count(len([one for one in settled.by_hand.values() if one["free"] != one["budget"]]), *_AREAS)
    yield f"{german.count(settled.grants, 'Bewilligung', 'Bewilligungen')} in {areas}"
    yield f"{german.count(settled.released, 'Anordnung', 'Anordnungen')} von zweien freigegeben"
    yield f"{german.count(settled.failed, 'Lauf', 'Läufe')} nach einem Fehler wiederholt"
    yield f"{'':28}" + "".join(f"{word:>14}" for word in ("Budget", "gebunden", "ausgezahlt", "erstattet", "frei"))
    for name, side in (
        ("von Hand, aus den Listen", settled.by_hand),
        ("im Hauptbuch", settled.ours),
        ("im HKR (eigene Summen)", settled.theirs),
    ):
        totals = [sum((sums[column] for sums in side.values()), Decimal(0)) for column in COLUMNS]
        yield f"{name:28}" + "".join(f"{german.number(total):>14}" for total in totals)
    yield from (f"✗ {line}" for line in settled.wrong)
    yield (
        "Nicht alles stimmt auf den Cent."
        if settled.wrong
        else "Alle drei stimmen auf den Cent überein, je Bezirksregion."
    )


def _grants(mornings: Sequence[Morning]) -> int:
    """How many proposals were granted something, whatever came later."""
    rows = [row for one in mornings for row in one.sheets.get("beschluesse", ())]
    return len({(row["Bezirksregion"], row["Referenznummer"]) for row in rows if row["Bewilligt (€)"]})


def _columns(account: Account) -> Sums:
    return {column: getattr(account, column) for column in COLUMNS}


def _ours(world: Till) -> dict[str, Sums]:
    names = {number: name for name, number in world.areas.items()}
    return {
        names[one.area_id]: {
            column: money.euros(cents)
            for column, cents in zip(COLUMNS, (one.amount, one.bound, one.paid, one.refunded, one.free), strict=True)
        }
        for one in money.balances(world.house.ledger, PROCESS)
    }


def _theirs(world: Till, by_hand: Mapping[str, Sums]) -> dict[str, Sums]:
    """HKR knows no budget of ours: it is the sheet's; the rest is its own."""
    sums, nothing = world.sums(), dict.fromkeys(("committed", "paid", "refunded"), Decimal("0.00"))
    found: dict[str, Sums] = {}
    for name, hand in by_hand.items():
        one = sums.get(world.areas[name], nothing)
        free = hand["budget"] - one["committed"] + one["refunded"]
        bound = one["committed"] - one["paid"]
        found[name] = dict(zip(COLUMNS, (hand["budget"], bound, one["paid"], one["refunded"], free), strict=True))
    return found


def _differences(where: str, by_hand: Mapping[str, Sums], there: Mapping[str, Sums]) -> Iterator[str]:
    words = dict(zip(COLUMNS, ("Budget", "gebunden", "ausgezahlt", "erstattet", "frei"), strict=True))
    for area, sums in by_hand.items():
        for column, amount in sums.items():
            if there[area][column] != amount:
                found = german.euros(there[area][column])
                yield f"{area}: {words[column]} {where} {found}, von Hand {german.euros(amount)}"
