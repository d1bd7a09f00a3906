"""Both sides' sums: against an independent calculation, to the cent; what hangs, since when, and who must act."""

from __future__ import annotations

import csv
import io
import re
from collections import defaultdict
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from lxml import html
from openpyxl import load_workbook
from ruamel.yaml import YAML
from sqlalchemy import insert, select, update

from kiezbruecke import desk as views
from kiezbruecke.connector import Connection, Item, MarkKind
from kiezbruecke.desk.sums_files import MOST_ON_A_PAGE, as_csv, as_mail, as_page, as_workbook
from kiezbruecke.errors import InputError
from kiezbruecke.german import BERLIN
from kiezbruecke.house import House
from kiezbruecke.ledger import Ledger, MessageState, history, money
from kiezbruecke.ledger import tables as t
from kiezbruecke.ledger.database import make_engine
from kiezbruecke.ledger.draft import Draft, OrderTerms
from kiezbruecke.ledger.drafts import add_messages
from kiezbruecke.ledger.history import Taken
from kiezbruecke.ledger.people import How, Person, signed
from kiezbruecke.ledger.releases import Act, give_marks
from kiezbruecke.records import BudgetStatus, OrderState, ReceiptOutcome
from tests.desk.conftest import counted
from tests.ledger.conftest import AREA, HKR, PROCESS, YEAR, Desk, decision, draft, receipt
from tests.ledger.conftest import budget as budget_line
from tests.world import World, budget, line, make_world, odd_world, processes, world

__all__ = ["make_world", "odd_world", "processes", "world"]

OTHER = "kk-zz-2026"
PAY, CLAIM = "payment.order", "refund.claim"
CONFIRMED, NOTED = ReceiptOutcome.CONFIRMED, ReceiptOutcome.NOTED
DUE = date(2026, 5, 11)


@dataclass(frozen=True)
class Sum:
    """What a finance system says of an area."""

    area: str
    committed: Decimal
    paid: Decimal = Decimal(0)
    refunded: Decimal = Decimal(0)


@dataclass
class Till:
    """A district's payments in a few moves; what comes back is said in the words of all channels."""

    desk: Desk
    house: House
    said: Iterator[int] = field(default_factory=lambda: iter(range(1, 1000)))

    def booked(self, number: int, euros: str) -> UUID:
        """A case whose commitment the budget system has confirmed."""
        case = self.desk.decide(f"P-{number}", number)
        order = self.desk.book(case, euros)
        self.desk.deliver(order)
        self.desk.answer(order, CONFIRMED, next(self.said))
        return case

    def order(self, case: UUID, euros: str, number: int = 1, *, held: bool = False, effect: str = PAY) -> Draft:
        """An order to pay, or a claim; `held` waits for the marks of people."""
        kind, account = ("payment", "a" * 64) if effect == PAY else ("refund", "")
        letter = "Z" if effect == PAY else "R"
        made = draft(
            case,
            effect,
            number,
            euros,
            reference=f"KK26-{AREA}-{case.int % 90000:05}-{letter}{number}",
            state=MessageState.HELD if held else MessageState.WAITING,
            order=OrderTerms(kind, "hkr", DUE, account=account),  # type: ignore[arg-type]
        )
        run = self.desk.run(f"{HKR}|{effect.partition('.')[0]}", "kk-tk-auszahlungen")
        assert not add_messages(self.desk.ledger, run, [made], "spk-tk")
        return made

    def hear(self, order: Draft, *events: str) -> None:
        """GEBUCHT, BEZAHLT, RUECKLAEUFER, EINGEGANGEN …"""
        for event in events:
            outcome = CONFIRMED if event == "GEBUCHT" else NOTED
            word = receipt(order, outcome, external_id=str(next(self.said)), key=None, event=event)
            self.desk.hear(word.model_copy(update={"occurred_on": date(YEAR, 6, 1)}))

    def paid(self, number: int, euros: str) -> tuple[UUID, Draft]:
        """A case that is paid."""
        case = self.booked(number, euros)
        order = self.order(case, euros)
        self.hear(order, "GEBUCHT", "BEZAHLT")
        return case, order

    def theirs(self, *sums: Sum) -> None:
        """The budget system's own sums."""
        money.store_theirs(self.desk.ledger, self.desk.run(), HKR, YEAR, sums)

    def look(self, days: int = 0) -> views.Reconciliation:
        """The reconciliation, so many days from now."""
        return views.reconciliation(self.house, [PROCESS], datetime.now(UTC) + timedelta(days=days))

    def area(self) -> views.AreaSums:
        """Müggelheim's sums."""
        return self.look().areas[0]


@pytest.fixture
def paying(content: Path) -> Path:
    """A content whose process pays through the budget system."""
    file, yaml = content / "mappings/processes/kk-tk-2026.yaml", YAML()
    body = yaml.load(file.read_text("utf-8"))
    body["payments"] = {"channel": "hkr", "certifiers": ["Feststellung"], "orderers": ["Anordnung"]}
    with file.open("w", encoding="utf-8") as handle:
        yaml.dump(body, handle)
    return content


@pytest.fixture
def till(desk: Desk, ledger: Ledger, paying: Path) -> Till:
    desk.grant("1000")
    return Till(desk, House(paying, ledger, lambda name: Connection(name, "kb_folder")))


def test_a_paid_and_partly_returned_grant_adds_up(till: Till) -> None:
    """300 paid of which 37,60 come back, 200 booked and not paid, 100 only asked for: 437,60 are free of 1000."""
    case, _ = till.paid(1, "300")
    claim = till.order(case, "37.60", effect=CLAIM)
    till.hear(claim, "GEBUCHT", "EINGEGANGEN")
    till.booked(2, "200")
    till.desk.book(till.desk.decide("P-3", 3), "100")
    area = till.area()

    assert (area.budget, area.bound, area.paid) == (Decimal(1000), Decimal(300), Decimal(300))
    assert (area.ordered, area.refunded, area.free) == (Decimal(300), Decimal("37.60"), Decimal("437.60"))
    assert area.budget == area.free + area.bound + area.paid - area.refunded
    assert (area.ours, till.look().broken) == (Decimal(500), ())


def test_a_claim_that_comes_in_a_later_year_refills_nothing(till: Till) -> None:
    """It is income of that year (§ 72 LHO)."""
    case, _ = till.paid(1, "300")
    claim = till.order(case, "37.60", effect=CLAIM)
    word = receipt(claim, NOTED, external_id="late", key=None, event="EINGEGANGEN")
    till.desk.hear(word.model_copy(update={"occurred_on": date(YEAR + 1, 1, 20)}))
    area = till.area()

    assert (area.refunded, area.free) == (Decimal(0), Decimal(700))
    assert till.look().broken == ()


@pytest.mark.parametrize(
    ("theirs", "told"),
    [
        (Sum(AREA, Decimal("300.01"), Decimal(300)), "gebucht: 300,00 € bei uns, 300,01 € im HKR, Unterschied 0,01 €"),
        (Sum(AREA, Decimal(300), Decimal("299.99")), "bezahlt: 300,00 € bei uns, 299,99 € im HKR, Unterschied -0,01 €"),
        (
            Sum(AREA, Decimal(300), Decimal(300), Decimal("0.01")),
            "zurückgezahlt: 0,00 € bei uns, 0,01 € im HKR, Unterschied 0,01 €",
        ),
    ],
)
def test_a_cent_is_found_and_named(till: Till, theirs: Sum, told: str) -> None:
    """In every sum that both sides have; equal sums of another area hide nothing."""
    till.paid(1, "300")
    till.theirs(Sum(AREA, Decimal(300), Decimal(300)))
    assert till.look().is_sound

    till.theirs(theirs)
    found = till.look()
    assert [*found.areas[0].sentences()] == [f"Müggelheim 2026, {told}"]
    assert not found.is_sound
    assert told in as_mail(found)
    assert "1 Bezirksregion weicht ab." in as_page(found)


def test_money_that_only_they_know_of_is_shown(till: Till) -> None:
    """Booked by hand in an area that has no budget here; of a district that is not ours nothing is said."""
    till.theirs(Sum(AREA, Decimal(0)), Sum("090311", Decimal(50)), Sum("090207", Decimal(0)))
    areas = {one.area: one for one in till.look().areas}

    assert set(areas) == {AREA, "090311", ""}
    assert (areas["090311"].name, areas["090311"].status, areas["090311"].theirs) == ("Grünau", "kein Budget", 50)
    assert not areas["090311"].equal


def test_nothing_is_equal_that_was_never_asked(till: Till) -> None:
    """As long as the budget system has told no sums, what we have booked is not confirmed by them."""
    till.booked(1, "300")
    area = till.area()

    assert (area.theirs, area.told_at, area.equal) == (None, None, False)


@pytest.mark.tampers
@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"committed_cents": 30001}, "gebunden und bezahlt: 300,01 € laut Budget, 300,00 € laut Fällen"),
        ({"paid_cents": 29999}, "bezahlt: 299,99 € laut Budget, 300,00 € laut Fällen"),
        ({"refunded_cents": 1}, "zurückgezahlt: 0,01 € laut Budget, 0,00 € laut Fällen"),
        ({"refunded_cents": 1, "committed_cents": 30001}, "zurückgezahlt: 0,01 € laut Budget"),
    ],
)
def test_a_broken_identity_is_loud(till: Till, change: dict[str, int], told: str) -> None:
    """A budget that is not what its cases and orders add up to, by one cent; two faults do not hide each other."""
    till.paid(1, "300")
    till.theirs(Sum(AREA, Decimal(300), Decimal(300)))
    with till.house.ledger.engine.begin() as connection:
        connection.execute(update(t.budgets).values(**change))
    found = till.look()

    assert any(told in one for one in found.broken)
    assert not found.is_sound
    assert "Rechnung stimmt nicht" in as_page(found)
    assert "Die Rechnung stimmt nicht:" in as_mail(found)


def stands(found: views.Reconciliation) -> dict[str, tuple[str, str, bool]]:
    """What hangs: by Fremdkennzeichen's kind, where it stands, who must act, whether too long."""
    return {one.reference[-2:]: (one.what, one.who, one.late) for one in found.hanging}


def test_what_hangs_says_where_and_who(till: Till) -> None:
    """Held for marks, released and not sent, booked and not paid, bounced, a refund that is due."""
    one, two = till.booked(1, "100"), till.booked(2, "100")
    held = till.order(one, "100", held=True)
    till.order(two, "100", number=2)
    waiting = till.order(till.booked(3, "100"), "100", number=3)
    till.hear(waiting, "GEBUCHT")
    back = till.order(till.booked(4, "100"), "100", number=4)
    till.hear(back, "GEBUCHT", "BEZAHLT", "RUECKLAEUFER")
    paid, _ = till.paid(5, "100")
    till.hear(till.order(paid, "10", effect=CLAIM), "GEBUCHT")
    found = till.look()

    assert stands(found) == {
        "Z1": ("wartet auf Feststellung", "Feststellung", False),
        "Z2": ("freigegeben, nicht gesendet", "IT-Betrieb", False),
        "Z3": ("gebucht, nicht bezahlt", "Kasse", False),
        "Z4": ("zurückgekommen, neue Bankverbindung nötig", "SPK Treptow-Köpenick", False),
        "R1": ("Rückzahlung fällig am 11.05.2026", "wer das Geld bekam", False),
    }
    for most in range(6):
        some = views.reconciliation(till.house, [PROCESS], found.at, most=most)
        assert (some.hanging, some.more) == (found.hanging[:most], most < 5)
        assert some.processes == found.processes
    assert {one.area_name for one in found.hanging} == {"Müggelheim"}
    assert held.reference in {one.reference for one in found.hanging}
    assert {one[2] for one in stands(till.look(days=5)).values()} == {True}
    assert found.areas[0].ordered == 300  # two that are released, one that is paid; not the held, not the bounced one


def test_what_is_certified_waits_for_whoever_orders(till: Till) -> None:
    """With the two marks of those who certify it is the others' turn."""
    held = till.order(till.booked(1, "100"), "100", held=True)
    act = Act("kk-tk-auszahlungen", "certify", "0" * 64, {}, 1, 10000)
    by = signed(Person("Fachkraft", "fachkraft", How.AIRFLOW), "geprüft", "release certify")
    with till.house.ledger.write() as connection:
        rows = connection.execute(select(t.messages).where(t.messages.c.key == held.identity.key)).all()
        give_marks(connection, act, by, (MarkKind.FACTUAL, MarkKind.ARITHMETICAL), rows)

    assert stands(till.look()) == {"Z1": ("wartet auf Anordnung", "Anordnung", False)}


def test_a_bounced_order_that_was_followed_hangs_no_more(till: Till) -> None:
    """The new one does; where that was refused, the old one again: somebody still waits for money."""
    case = till.booked(1, "100")
    till.hear(till.order(case, "100"), "GEBUCHT", "BEZAHLT", "RUECKLAEUFER")
    second = till.order(case, "100", number=2)
    assert list(stands(till.look())) == ["Z2"]

    word = receipt(second, ReceiptOutcome.REFUSED, external_id="no", key=None, event="ABGEWIESEN")
    till.desk.hear(word)
    assert list(stands(till.look())) == ["Z1"]


def test_an_answer_that_fits_nothing_is_told_by_its_point(till: Till) -> None:
    """Its number leads to all that is known of it."""
    stranger = draft(till.booked(1, "100"), "commitment.book", 7, "5", reference="KK26-090416-99999-F9")
    word = receipt(stranger, CONFIRMED, external_id="x", key=None)
    run = till.desk.run(f"{HKR}|collect", "kk-tk-hkr-rueckmeldungen")
    taken = [Taken(Item("rueckmeldung", "x", {}, raw=b"raw"), (word,))]
    history.store(till.desk.ledger, run, history.Origin(HKR, PROCESS, "spk-tk"), taken, "")
    (one,) = till.look().unmatched

    assert (one.what, one.point) == ("passt zu keiner Nachricht", till.desk.points("clearing")[0].id)
    assert f"Punkt {one.point}: passt zu keiner Nachricht" in as_mail(till.look())
    till.theirs(Sum(AREA, Decimal(100)))
    assert till.look().is_sound  # a day is given to whoever looks at it
    assert not till.look(days=2).is_sound


def test_the_mail_says_it_in_one_line(till: Till) -> None:
    """As a clerk would: sent, confirmed, what waits since when, how much is open. Nothing where nothing is."""
    assert as_mail(till.look()) == ""
    till.booked(1, "100")
    order = till.desk.book(till.desk.decide("P-2", 2), "350")
    till.desk.deliver(order)
    till.theirs(Sum(AREA, Decimal(100)))
    today = till.look()
    weekday = ("Montag", "Dienstag", "Mittwoch", "Donnerstag", "Freitag", "Samstag", "Sonntag")[
        today.at.astimezone(BERLIN).weekday()
    ]

    assert as_mail(today).splitlines() == [
        f"Kiezkassen Treptow-Köpenick 2026: 2 gesendet, 1 bestätigt, 1 wartet seit {weekday} auf HKR, 350,00 € offen"
    ]
    late = as_mail(till.look(days=8))
    assert re.search(r"1 wartet seit \d\d\.\d\d\.\d{4} auf HKR", late)
    assert "Hängt zu lange:\n– P-2 (KK26-" in late


@pytest.mark.parametrize(
    ("status", "word"), [("planned", "geplant"), ("blocked", "gesperrt"), ("revoked", "widerrufen")]
)
def test_what_is_not_released_binds_nothing(till: Till, status: str, word: str) -> None:
    """A plan and a freeze keep their sum and what is bound; a revoked budget is none."""
    till.booked(1, "300")
    till.desk.grant("1000", BudgetStatus(status))
    more = draft(till.desk.decide("P-2", 2), "commitment.book", 1, "50")
    area = till.area()

    assert till.desk.prepare(more) == 1  # set aside
    assert (area.status, area.bound) == (word, Decimal(300))
    assert area.budget == (0 if status == "revoked" else 1000)


def test_a_cut_below_what_is_bound_is_kept_and_shown(till: Till) -> None:
    """The commitment stays, free is below zero, the identity holds, nothing new is bound."""
    till.paid(1, "300")
    till.booked(2, "200")
    till.desk.grant("400")
    area = till.area()

    assert (area.budget, area.free, area.bound, area.paid) == (400, -100, 200, 300)
    assert till.look().broken == ()
    assert till.desk.prepare(draft(till.desk.decide("P-3", 3), "commitment.book", 1, "1")) == 1


def test_all_processes_in_use_are_there_without_being_named(till: Till, paying: Path) -> None:
    """No district is built in; one that is only prepared, or unknown, is said.

    Two processes that book at one system in one area are compared with it together: it knows one sum.
    """
    home = paying / "mappings" / "processes"
    text = (home / "kk-tk-2026.yaml").read_text("utf-8")
    for old, new in (("id: kk-tk-2026", "id: kk-zz-2026"), ("prefix: kk-tk", "prefix: kk-zz"), ("KK26", "ZZ26")):
        text = text.replace(old, new)
    (home / "kk-zz-2026.yaml").write_text(text, "utf-8")
    money.set_budgets(till.desk.ledger, till.desk.run(), [budget_line("500").model_copy(update={"process_id": OTHER})])
    till.booked(1, "300")

    def found(theirs: str) -> list[tuple[str, bool]]:
        till.theirs(Sum(AREA, Decimal(theirs)))
        areas = views.reconciliation(till.house, [], datetime.now(UTC)).areas
        return [(one.process, one.equal) for one in areas if one.area]

    assert found("300") == [(PROCESS, True), (OTHER, True)]
    assert found("300.01") == [(PROCESS, False), (OTHER, False)]
    with pytest.raises(InputError, match=r"kf-li-2026: Dieses Verfahren gibt es nicht.*möglich: .*kk-tk-2026"):
        views.reconciliation(till.house, ["kf-li-2026"], datetime.now(UTC))


def test_files_say_what_the_view_says(till: Till) -> None:
    """Numbers as numbers, days as days; a page without script or anything that is loaded; the same bytes again."""
    till.paid(1, "300")
    till.booked(2, "200")
    till.order(till.booked(3, "50.05"), "50.05")
    till.theirs(Sum(AREA, Decimal("550.05"), Decimal(300)))
    found = till.look()
    book = load_workbook(io.BytesIO(as_workbook(found)))
    rows = [*book["Summen"].iter_rows(values_only=True)]
    heads = {name: place for place, name in enumerate(rows[0])}
    page = html.fromstring(as_page(found))
    table = [*csv.DictReader(io.StringIO(as_csv(found).decode("utf-8-sig")), delimiter=";")]

    assert [rows[1][heads[one]] for one in ("gebunden (€)", "bezahlt (€)", "frei (€)")] == [250.05, 300, 449.95]
    assert rows[1][heads["Unterschied"]] in ("", None)
    assert isinstance(book["Was hängt"]["G2"].value, datetime)
    assert table[0]["frei (€)"] == "449,95"
    assert page.xpath("//script | //link | //img | //@src | //@href") == []
    assert "449,95" in page.text_content()
    assert as_workbook(found) == as_workbook(found)


def test_no_file_names_a_person(till: Till) -> None:
    """Not the clerk who wrote a line, not the title of a proposal, no account: areas, numbers, sums, roles alone."""
    bird = "Kanarienvogel"
    words = decision("P-1", 1, title=f"{bird} Erika", recorded_by=f"Karla {bird}", reason=bird, conditions=bird)
    till.desk.store([Taken(Item("decision-line", words.origin, {}), (words,))])
    till.desk.book(till.booked(1, "100"), "120", 2, "commitment.change")
    till.order(till.booked(2, "100"), "100")
    till.theirs(Sum(AREA, Decimal(1)))
    found = till.look(days=9)
    said = "".join([as_page(found), as_mail(found), as_csv(found).decode(), found.model_dump_json()])
    book = load_workbook(io.BytesIO(as_workbook(found)))
    said += "".join(str(cell) for sheet in book for row in sheet.iter_rows(values_only=True) for cell in row)

    assert len(found.hanging) == 2
    assert bird not in said
    assert "a" * 64 not in said  # not even the mark of an account


def test_open_orders_are_all_that_can_hang() -> None:
    """What the partial index leaves out is not looked at by anybody who asks what hangs."""
    listed = set(re.findall(r"'(\w+)'", t.OPEN_ORDERS))

    assert listed == {one.value for one in OrderState} - {"paid", "received", "rejected", "cancelled"}


def test_many_cases_are_a_question_each(fresh_sqlite: Any, paying: Path) -> None:
    """Sums are added by the database; how many statements it takes does not depend on how much there is."""
    with closing(Ledger(make_engine(fresh_sqlite()))) as ledger:
        house = House(paying, ledger, lambda name: Connection(name, "kb_folder"))
        with counted(ledger) as before:
            views.reconciliation(house, [PROCESS], datetime.now(UTC))
        _fill(ledger, 10_000)
        with counted(ledger) as after:
            found = views.reconciliation(house, [PROCESS], datetime.now(UTC))
        some = views.reconciliation(house, [PROCESS], found.at, most=500)
        all_of_it = views.reconciliation(house, [PROCESS], found.at, most=625)

    assert len(after) == len(before) <= 13
    assert (some.hanging, some.more) == (found.hanging[:500], True)  # the oldest; sums and counts are of all
    assert (some.processes, some.areas) == (found.processes, found.areas)
    assert (all_of_it.hanging, all_of_it.more) == (found.hanging, False)
    assert found.areas[0].ours == Decimal("100.00")
    assert len(found.hanging) == 625
    assert f"Und {625 - MOST_ON_A_PAGE} weitere" in as_page(found)


def _fill(ledger: Ledger, many: int) -> None:
    """Cases with a booked commitment of a cent each; every sixteenth message is still on its way."""
    at = datetime(2026, 5, 1, tzinfo=UTC)
    ids = [UUID(int=number) for number in range(1, many + 1)]
    with ledger.engine.begin() as connection:
        common = {"process_id": PROCESS, "fiscal_year": YEAR, "area_id": AREA, "at": at}
        cases = [{"id": one, "process_id": PROCESS, "reference": f"P-{one.int}", "created_at": at} for one in ids]
        connection.execute(insert(t.cases), cases)
        held = {"state": "booked", "booked_cents": 1, "held_cents": 1}
        connection.execute(
            insert(t.commitments), [{**common, **held, "case_id": one, "reference": f"F{one.int}"} for one in ids]
        )
        fixed = {"destination": HKR, "generation": 1, "effect": "commitment.book", "number": 1, "lane": "x"}
        fixed |= {"route": "kk-tk-hkr", "owner": "spk-tk", "basis": "", "amount_cents": 1, "sha256": "", "test": False}
        fixed |= {"file_name": "", "media_type": "", "facts": {}, "mapping": "", "mapping_digest": ""}
        fixed |= {"created_at": at, "updated_at": at}
        states = ("delivered", *["confirmed"] * 15)
        connection.execute(insert(t.lanes), [{"name": "x", "fence": 1}])  # as every run does that writes a message
        connection.execute(
            insert(t.messages),
            [
                {**fixed, "key": one, "case_id": one, "reference": f"F{one.int}", "state": states[one.int % 16]}
                for one in ids
            ],
        )
        budget_ = {"amount_cents": 10**8, "limit_cents": 10**8, "status": "released", "chapter": "1", "title": "1"}
        connection.execute(insert(t.budgets), [{**common, **budget_, "committed_cents": many}])


# With the real budget system


def booked_there(world: World) -> dict[str, Decimal]:
    """What stands in the budget system's own books, by Bezirksregion: added here, not by either side."""
    found: dict[str, Decimal] = defaultdict(Decimal)
    for order in world.received("hkr"):
        if order["accepted"] and order["Art"] == "FESTLEGUNG":
            found[order["Fremdkennzeichen"].split("-")[1]] += Decimal(order["Betrag"])
    return found


def test_ours_theirs_and_the_sheets_are_one_sum(world: World) -> None:
    """The sheets' lines and the sandbox's orders, added by hand, against both columns."""
    given = {"P-1": "850,00", "P-2": "399,99", "P-3": "0,02"}
    world.drop(*(line(reference, amount) for reference, amount in given.items()), line("P-4", "", "abgelehnt"))
    world.run()
    area, whole = views.reconciliation(world.house, [PROCESS], datetime.now(UTC)).areas
    by_sheet = sum(Decimal(amount.replace(",", ".")) for amount in given.values())

    assert (area.ours, area.theirs) == (by_sheet, by_sheet) == (booked_there(world)[area.area], Decimal("1250.01"))
    assert area.free == Decimal("2600.00") - by_sheet
    assert whole.model_dump(include={"budget", "bound", "free", "ours"}) == area.model_dump(
        include={"budget", "bound", "free", "ours"}
    )
    assert area.told_at is not None


def test_a_changed_frozen_and_cut_budget_goes_from_sheet_to_sums(world: World) -> None:
    """With a reason it counts, without one it does not; a freeze and a cut keep what is bound and stop what is new."""
    world.drop(line("P-1", "850,00"))
    world.run()

    def sums() -> tuple[str, Decimal, Decimal]:
        world.run("kk-tk-budgets", "kk-tk-hkr", "kk-tk-hkr-rueckmeldungen")
        area = views.reconciliation(world.house, [PROCESS], datetime.now(UTC)).areas[0]
        return area.status, area.budget, area.free

    assert sums() == ("freigegeben", Decimal(2600), Decimal(1750))
    world.drop_budget(budget("3.000,00 €"), name="ohne-grund.csv")
    assert sums() == ("freigegeben", Decimal(2600), Decimal(1750))
    world.drop_budget(budget("3.000,00 €", why="Nachtrag"), name="mehr.csv")
    assert sums() == ("freigegeben", Decimal(3000), Decimal(2150))
    world.drop_budget(budget("3.000,00 €", "gesperrt", why="Haushaltssperre"), name="sperre.csv")
    world.drop(line("P-2", "100,00"), name="mai.csv")
    world.run("kk-tk-beschluesse")
    assert sums() == ("gesperrt", Decimal(3000), Decimal(2150))
    world.drop_budget(budget("500,00 €", why="Kürzung"), name="weniger.csv")
    assert sums() == ("freigegeben", Decimal(500), Decimal(-350))
    assert {head.reference for head in world.messages("hkr-tk")} == {"KK26-090416-P0001-F1"}
    world.drop_budget(budget("1.000,00 €", why="Aufstockung"), name="wieder.csv")
    assert sums() == ("freigegeben", Decimal(1000), Decimal(50))


def test_a_cent_in_their_books_is_found(world: World) -> None:
    """Whoever is wrong: nothing here has changed, and the sum is not what it was."""
    world.drop(line("P-1", "850,00"))
    world.run()  # the answers come last, and with them the sums
    assert views.reconciliation(world.house, [PROCESS], datetime.now(UTC)).is_sound
    world.sandboxes["hkr"].arm("wrong_balance")  # one cent more than there is
    world.run("kk-tk-hkr")
    (area, _) = views.reconciliation(world.house, [PROCESS], datetime.now(UTC)).areas

    assert [*area.sentences()] == ["Müggelheim 2026, gebucht: 850,00 € bei uns, 850,01 € im HKR, Unterschied 0,01 €"]
