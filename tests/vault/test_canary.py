"""An IBAN and a holder go through everything that collects, also where it breaks: they stay in the sheet, and nowhere.

application sheet ─▶ collecting at log level DEBUG, commands, tasks ─▶ every file, table, free page, log, report
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import Any

import httpx
import pytest
from openpyxl import Workbook
from sqlalchemy import select

from connectors.folder.table import read_table
from kiezbruecke.ledger import history
from kiezbruecke.ledger import tables as t
from kiezbruecke.ledger.accounts import payees
from kiezbruecke.ledger.reading import find_case
from kiezbruecke.mapping import Mapping
from kiezbruecke.vault import MAGIC
from tests.canary.conftest import Aviary, aviary, boxes
from tests.needles import files_of, hits, hits_in_file
from tests.page.conftest import COOKIE, serving
from tests.world import APPLICATION_HEADER, ROOT, application, settlement

__all__ = ["aviary", "boxes"]

HOLDER = "Zaunköniginnen-Sparstrumpf e. V."
IBAN, SPELLED, WRONG = "DE23999999990000000000", "de23 9999-9999 0000 0000 00", "DE24999999990000000000"
ACCOUNT = (HOLDER, "Sparstrumpf", IBAN, SPELLED, WRONG, "99999999000000", "9999 0000 0000")
ROUTES = ("kk-tk-antraege", "kk-tk-nachweise")


@pytest.fixture
def nest(aviary: Aviary) -> Aviary:
    """The district with the vault's keys, and with everything else collected."""
    aviary.world.give_keys()
    aviary.go("kk-tk-budgets", "kk-tk-beschluesse")
    return aviary


def leaks(nest: Aviary) -> dict[str, set[str]]:
    """Where account data is found, but in the sheets themselves."""
    sinks, state = nest.sinks, nest.world.state
    found = {place: hits(b"\n".join(bodies), ACCOUNT) for place, bodies in nest.places().items()}
    found["command line"] = hits(sinks.said.getvalue().encode(), ACCOUNT)
    found["errors"] = hits("\n".join(sinks.errors).encode(), ACCOUNT)
    found |= {".".join(name): hits(b"\n\n".join(cells), ACCOUNT) for name, cells in nest.cells().items()}
    found |= {str(file): hits_in_file(file, ACCOUNT) for file in files_of(state) if not is_sheet(file)}
    return {place: words for place, words in found.items() if words}


def is_sheet(file: Path) -> bool:
    """A sheet as the clerk has left it, in the inbox or moved; its report is none."""
    return file.suffix in (".csv", ".xlsx") and "eingang" in file.parts and not is_report(file)


def is_report(file: Path) -> bool:
    return file.read_bytes()[:200].decode("utf-8-sig", "replace").startswith("Zeile;Referenznummer;Ergebnis")


def reports(nest: Aviary) -> list[Path]:
    return [file for file in files_of(nest.world.state / "eingang") if is_report(file)]


def good(reference: str = "2026-00004") -> str:
    return application(reference, holder=HOLDER, iban=SPELLED, area="Johannisthal")


def test_an_account_goes_the_whole_way_and_is_in_the_sheet_only(nest: Aviary) -> None:
    """In the database's file, its free pages and its log of writes as well; and the vault has it."""
    nest.world.apply_for(good())
    nest.world.settle(settlement("P-1"))
    nest.go(*ROUTES)
    nest.call("vault", "status")
    nest.call("case", "show", "2026-00004")
    nest.call("status")
    with nest.world.ledger.read() as connection:
        [mark] = connection.execute(select(t.accounts.c.mark)).scalars()
        payee = payees(connection, [mark])[mark]

    assert (payee.holder, payee.iban) == (HOLDER, IBAN)
    assert hits(b"\n".join(nest.cells()["records", "body"]), ["DE23…0000", mark]) == {"DE23…0000", mark}
    assert (nest.world.state / "ledger.sqlite3-wal").stat().st_size > 0
    assert leaks(nest) == {}
    assert nest.sinks.log.getvalue()


def test_an_account_on_the_page_is_in_two_answers_only(nest: Aviary) -> None:
    """A sheet is looked at, taken over, and the account is shown: its bytes wait sealed, and nothing else keeps it."""
    raw, token = f"{APPLICATION_HEADER}\n{good()}\n".encode("utf-8-sig"), re.compile(r'name="_token" value="(\w+)"')
    with serving(lambda: nest.world.house) as address:

        def send(name: str, path: str, files: Any = None, **fields: str) -> httpx.Response:
            with httpx.Client(base_url=address, cookies={COOKIE: name}, trust_env=False, timeout=30) as client:
                [key, *_] = token.findall(client.get("/faelle").text)
                done = client.post(path, data={"_token": key, **fields}, files=files)
                return client.get(done.headers["location"]) if done.status_code == 303 else done

        seen = send("klara", "/listen/kk-tk-antraege/ansehen", files={"datei": ("antraege.csv", raw)})
        assert leaks(nest) == {}
        taken = send("klara", "/listen/kk-tk-antraege/uebernehmen", look=hashlib.sha256(raw).hexdigest())
        nest.go(*ROUTES)
        [case] = find_case(nest.world.ledger, "2026-00004")
        shown = send("paula", f"/faelle/{case.id}/konto", text=f"Vergleich mit {SPELLED}")

    assert [one.status_code for one in (seen, taken, shown)] == [200, 200, 200]
    assert hits((seen.text + taken.text).encode(), ACCOUNT) == set()
    assert {HOLDER, IBAN} <= hits(shown.content, ACCOUNT)
    assert len(nest.cells()["uploads", "sealed"]) == 1
    assert leaks(nest) == {}


def test_what_is_wrong_with_a_line_is_said_without_the_account(nest: Aviary) -> None:
    """Every column broken once, with account data in it; but for those where people may write what they like."""
    columns = read_table(ROOT, "application-sheet").columns
    fields = dict(zip([column.name for column in columns], good().split(";"), strict=True))
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append([*fields, f"Konto {IBAN}"])
    for number, name in enumerate(fields.keys() - {"Antragstellende", "Erfasst von", "Begründung"}):
        odd = {name: WRONG if name != "Kontoinhaber" else f"{HOLDER} " * 5}
        sheet.append(list((fields | {"Referenznummer": f"2026-{number:05}"} | odd).values()))
    hidden = book.create_sheet(IBAN)
    hidden.append([HOLDER])
    hidden.sheet_state = "hidden"
    book.save(nest.world.state / "eingang" / "antraege" / "kaputt.xlsx")
    nest.go(*ROUTES)

    assert "nicht übernommen" in "".join(file.read_text("utf-8-sig") for file in reports(nest))
    assert leaks(nest) == {}


def test_a_line_that_no_mapping_could_read_is_kept_sealed(nest: Aviary, monkeypatch: pytest.MonkeyPatch) -> None:
    """A mapping of ours is broken: the line waits in the ledger, and is taken when the mapping is mended."""

    def quoting(*_: object) -> None:
        raise ValueError(f"cannot use {HOLDER} {IBAN}")

    nest.world.apply_for(good())
    with monkeypatch.context() as broken:
        broken.setattr(Mapping, "read", quoting)
        nest.go(*ROUTES)
    with nest.world.ledger.read() as connection:
        [raw] = connection.execute(select(t.unread.c.raw)).scalars()

    assert raw.startswith(MAGIC)
    assert leaks(nest) == {}
    nest.go(*ROUTES)
    assert history.read_unread(nest.world.ledger, "antraege-tk", "kk-tk-2026") == []
    assert len(nest.cells()["accounts", "mark"]) == 1
    assert leaks(nest) == {}


def test_a_database_that_refuses_an_account_does_not_quote_it(nest: Aviary) -> None:
    """Databases like to show the parameters of the statement that failed."""
    with nest.world.ledger.write() as connection:
        connection.exec_driver_sql(
            "CREATE TRIGGER full BEFORE INSERT ON accounts BEGIN SELECT RAISE(ABORT, 'the disk is full'); END"
        )
    nest.world.apply_for(good())
    nest.go(*ROUTES)

    assert any("Error" in said for said in nest.sinks.errors)
    assert leaks(nest) == {}


def test_without_keys_nothing_of_an_account_is_written_down(aviary: Aviary) -> None:
    """Neither in the clear nor at all."""
    aviary.world.apply_for(good())
    aviary.go(*ROUTES)

    assert any("there are none" in said for said in aviary.sinks.errors)
    assert aviary.cells()["records", "kind"].count(b"application") == 0
    assert leaks(aviary) == {}
