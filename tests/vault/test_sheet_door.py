"""Application sheets and settlement sheets through the whole door: what is taken, and what is refused how."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

import pytest
from openpyxl import Workbook
from sqlalchemy import func, select

from kiezbruecke.errors import ConfigurationError
from kiezbruecke.ledger import history
from kiezbruecke.ledger import tables as t
from kiezbruecke.ledger.accounts import payees
from kiezbruecke.records import Application, Settlement
from tests.world import APPLICATION_HEADER, HOLDER, IBAN, World, application, settlement

ROUTE, PROOFS = "kk-tk-antraege", "kk-tk-nachweise"


@pytest.fixture
def office(world: World) -> World:
    """A district whose vault has its keys."""
    world.give_keys()
    return world


def applications(world: World) -> list[Application]:
    """The application records, in the order in which they became known."""
    query = select(t.records.c.body).where(t.records.c.kind == "application").order_by(t.records.c.seq)
    with world.ledger.read() as connection:
        return [Application.model_validate_json(body) for body in connection.execute(query).scalars()]


def accounts(world: World) -> int:
    with world.ledger.read() as connection:
        return connection.execute(select(func.count()).select_from(t.accounts)).scalar_one()


def hints(world: World, sheet: Path) -> list[tuple[str, str]]:
    """Outcome and hint of each line, from the report beside the sheet."""
    [report] = [
        file
        for folder in ("done", "failed")
        for file in (sheet.parent / folder).glob(f"{sheet.name}.*")
        if file.is_file()
    ]
    rows = list(csv.reader(report.read_text("utf-8-sig").splitlines(), delimiter=";"))
    return [(row[2], row[3]) for row in rows[1:] if row and row[0].isdecimal()]


def told(world: World, *lines: str) -> Sequence[tuple[str, str]]:
    sheet = world.apply_for(*lines)
    world.run(ROUTE)
    return hints(world, sheet)


def test_an_application_keeps_a_mark_and_the_vault_the_account(office: World) -> None:
    office.apply_for(application("2026-00001"))
    office.run(ROUTE)
    [found] = applications(office)

    assert (found.account_hint, len(found.account), found.amount) == ("DE93…0001", 64, 850)
    with office.ledger.read() as connection:
        payee = payees(connection, [found.account])[found.account]
    assert (payee.holder, payee.iban, payee.bic) == (HOLDER, IBAN, "")


@pytest.mark.parametrize(
    "spelled",
    [
        "de93 9999 9999 0000 0000 01",
        "DE93\u00a09999\u202f9999\u00a00000\u00a00000\u00a001",
        "DE93-9999-9999-0000-0000-01",
    ],
)
def test_one_account_has_one_mark_however_it_is_spelled(office: World, spelled: str) -> None:
    office.apply_for(application("2026-00001"), application("2026-00002", iban=spelled, holder=f" {HOLDER} "))
    office.run(ROUTE)

    assert len({one.account for one in applications(office)}) == 1
    assert accounts(office) == 1


def test_the_same_sheet_twice_is_nothing_twice(office: World) -> None:
    office.apply_for(application("2026-00001"))
    office.run(ROUTE)
    office.apply_for(application("2026-00001"), name="noch-einmal.csv")
    [counts] = office.run(ROUTE)

    assert len(applications(office)) == accounts(office) == 1
    assert counts.get("new", 0) == counts.get("set_aside", 0) == 0


def test_a_line_without_account_data_is_fine_and_a_later_one_brings_it(office: World) -> None:
    nothing = ("20.03.2026", "", "", "")
    office.apply_for(application("2026-00001", holder="", iban="", days=nothing))
    office.run(ROUTE)
    office.apply_for(application("2026-00001", why="Konto nachgereicht"), name="mai.csv")
    office.run(ROUTE)
    first, second = applications(office)

    assert (first.account, first.account_hint, first.notice_on) == ("", "", None)
    assert (second.account_hint, second.correction, second.reason) == ("DE93…0001", True, "Konto nachgereicht")
    assert not office.points()


@pytest.mark.parametrize(
    ("line", "word"),
    [
        (application(iban="DE94999999990000000001"), "„IBAN“: die Prüfziffern der IBAN stimmen nicht"),
        (application(iban="DE9399999999000000000"), "„IBAN“: die IBAN hat 21 Zeichen; erwartet: 22 Zeichen für DE"),
        (application(iban="XX93999999990000000001"), "„IBAN“: das Land der IBAN ist keines mit IBANs"),
        (application(iban="keine"), "„IBAN“: die IBAN hat nicht die Form einer IBAN"),
        (application(iban="9" * 61), "„IBAN“ ist zu lang; erwartet: höchstens 60 Zeichen"),
        (application(bic="ABC"), "„BIC“: der BIC hat nicht die Form eines BIC"),
        (application(holder="x" * 71), "„Kontoinhaber“ ist zu lang; erwartet: höchstens 70 Zeichen"),
        (application(holder=""), "„Kontoinhaber“: der Wert fehlt"),
        (application(iban=""), "„IBAN“: der Wert fehlt"),
        (application(amount="0,00"), "beantragt 0,00 €; erwartet: ein Betrag über 0"),
        (application(amount="-850,00"), "„Antragssumme (€)“: der Betrag ist nicht"),
        (application(amount="850,005"), "„Antragssumme (€)“: der Betrag ist nicht"),
        (application(amount="0.850"), "der Betrag ist nicht eindeutig"),
        (application(amount="1000000000,00", costs=""), "die Zahl ist zu groß; erwartet: höchstens 999.999.999,99"),
        (application(amount="NaN"), "der Betrag ist nicht lesbar"),
        (application(amount=""), "„Antragssumme (€)“ fehlt"),
        (application(costs="849,99"), "beantragt mehr, als das Vorhaben kosten soll"),
        (application(days=("12.04.2026", "", "10.04.2026", "")), "erwartet: Antrag vor Bescheid"),
        (application(days=("20.03.2026", "", "10.04.2026", "09.04.2026")), "erwartet: Bescheid vor Verzicht"),
        (application(days=("20.03.2026", "09.04.2026", "10.04.2026", "")), "erwartet: Bescheid vor Beginn"),
        (application(days=("20.03.2026", "", "", "09.04.2026")), "nennt einen Verzicht, aber keinen Bescheid"),
        (application(days=("31.02.2026", "", "", "")), "„Antrag vom“"),
        (application(days=("20.03.2026", "", "10.04.2199", "")), "nennt als Tag (Bescheid) den 10.04.2199"),
        (application("4711"), "Die Referenznummer hat nicht die richtige Form"),
        (application(area="Nirgendwo"), "„Bezirksregion“"),
    ],
)
def test_what_is_wrong_is_one_line_and_disturbs_no_other(office: World, line: str, word: str) -> None:
    (good, _), (bad, why) = told(office, application("2026-00001"), line)

    assert (good, bad) == ("übernommen", "nicht übernommen")
    assert word in why
    assert not [cell for cell in line.split(";")[11:14] if cell and cell in why]
    assert len(applications(office)) == 1


@pytest.mark.parametrize(
    ("value", "word"),
    [
        (850.5, ""),
        (850, ""),
        (850.005, "„Antragssumme (€)“ hat mehr als zwei Nachkommastellen"),
        (-850, "„Antragssumme (€)“: der Betrag ist nicht lesbar"),
        (0, "beantragt 0,00 €"),
        (1e9, "die Zahl ist zu groß"),
        (1e300, "„Antragssumme (€)“ enthält eine zu große Zahl"),
        (True, "„Antragssumme (€)“ enthält einen Wahrheitswert"),
        ("=1+1", "„Antragssumme (€)“"),
        ("#NV", "„Antragssumme (€)“"),
    ],
)
def test_numbers_of_a_workbook_are_exact_or_refused(office: World, value: object, word: str) -> None:
    """Nothing is rounded, and no formula is believed."""
    header = APPLICATION_HEADER.split(";")
    cells: list[object] = list(application("2026-00001", costs="").split(";"))
    cells[header.index("Antragssumme (€)")] = value
    book = Workbook()
    assert book.active is not None
    book.active.append(header)
    book.active.append(cells)
    sheet = office.state / "eingang" / "antraege" / "antraege.xlsx"
    book.save(sheet)
    office.run(ROUTE)
    [(taken, why)] = hints(office, sheet)

    assert taken == ("nicht übernommen" if word else "übernommen")
    assert word in why


def test_two_faults_of_a_line_are_told_at_once(office: World) -> None:
    [(_, why)] = told(office, application(iban="DE94999999990000000001", days=("gestern", "", "", "")))

    assert "„Antrag vom“" in why
    assert "„IBAN“" in why


def test_without_keys_nothing_is_taken_and_other_routes_go_on(world: World) -> None:
    """The sheet stays where it is, until there are keys."""
    sheet = world.apply_for(application("2026-00001"))
    with pytest.raises(ConfigurationError, match="account data needs the vault's keys, and there are none"):
        world.run(ROUTE)
    world.run("kk-tk-budgets")

    assert sheet.exists()
    assert applications(world) == []
    world.give_keys()
    world.run(ROUTE)
    assert len(applications(world)) == 1


def test_without_keys_lines_without_accounts_are_taken(world: World) -> None:
    """Keys are asked for where account data is, and nowhere else."""
    world.apply_for(application("2026-00001", holder="", iban=""))
    world.run(ROUTE)

    assert len(applications(world)) == 1


def test_account_data_of_a_table_that_does_not_call_it_secret_is_refused(odd_world: World) -> None:
    """Such a line would be kept in the clear where a mapping cannot read it."""
    table = odd_world.content / "schemas/tables/application-sheet.yaml"
    table.write_text(table.read_text("utf-8").replace("secret: true, ", ""), "utf-8")
    odd_world.give_keys()
    sheet = odd_world.apply_for(application("2026-00001"))
    odd_world.run(ROUTE)

    [(left, why)] = hints(odd_world, sheet)
    assert (left, accounts(odd_world)) == ("nicht übernommen", 0)
    assert "als geheim gekennzeichnet" in why
    assert history.read_unread(odd_world.ledger, "antraege-tk", "kk-tk-2026") == []


def test_a_settlement_is_taken_once_and_corrected_with_a_reason(world: World) -> None:
    world.settle(settlement(), settlement("P-2", "0,00"))
    world.run(PROOFS)
    world.settle(settlement(spent="800", why="Quittung doppelt"), name="korrektur.csv")
    world.run(PROOFS)
    with world.ledger.read() as connection:
        query = select(t.records.c.body).where(t.records.c.kind == "settlement").order_by(t.records.c.seq)
        found = [Settlement.model_validate_json(body) for body in connection.execute(query).scalars()]

    assert [(one.reference_number, str(one.spent), one.correction) for one in found] == [
        ("P-1", "812.40", False),
        ("P-2", "0.00", False),
        ("P-1", "800.00", True),
    ]


@pytest.mark.parametrize(
    ("line", "word"),
    [
        (settlement(spent="-1"), "„Ausgegeben (€)“"),
        (settlement(spent="1,005"), "„Ausgegeben (€)“"),
        (settlement(spent=""), "„Ausgegeben (€)“ fehlt"),
        (settlement(day=""), "„Nachweis angenommen am“ fehlt"),
        (settlement(day="15.10.2199"), "nennt als Tag (Nachweis) den 15.10.2199"),
        (settlement("BHH-1"), "Die Referenznummer hat nicht die richtige Form"),
    ],
)
def test_a_wrong_proof_is_one_line(world: World, line: str, word: str) -> None:
    sheet = world.settle(settlement("P-7"), line)
    world.run(PROOFS)
    (good, _), (bad, why) = hints(world, sheet)

    assert (good, bad) == ("übernommen", "nicht übernommen")
    assert word in why
