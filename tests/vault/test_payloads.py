"""Bytes that hold account data lie sealed in the ledger, and are read as they were written; on both databases."""

from __future__ import annotations

import hashlib
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from kiezbruecke.connector import Item
from kiezbruecke.errors import ConfigurationError
from kiezbruecke.ledger import Ledger, claims, evidence, history, rotation
from kiezbruecke.ledger import tables as t
from kiezbruecke.ledger.accounts import payees
from kiezbruecke.ledger.database import make_engine
from kiezbruecke.ledger.drafts import add_messages, add_previews
from kiezbruecke.ledger.history import Taken
from kiezbruecke.ledger.reading import read_payloads, read_previews
from kiezbruecke.privacy import make_private
from kiezbruecke.records import Account, Application
from kiezbruecke.vault import MAGIC, Keys, Vault, key_of, new_keys, read_keys
from tests.ledger.conftest import FILES, PROCESS, YEAR, Desk, draft
from tests.needles import files_of, hits, hits_in_file
from tests.world import HOLDER, IBAN

SECRET = f"<Empfaenger><IBAN>{IBAN}</IBAN></Empfaenger>".encode()
CANCELS = "payment.cancel"  # confidential, and asks for no booked commitment
LANE = "hkr-tk|payment"
KEYS = new_keys("a test")


@pytest.fixture
def book(url: str) -> Iterator[Ledger]:
    """A ledger whose vault has one key."""
    with closing(Ledger(make_engine(url), Vault(lambda: KEYS))) as opened:
        yield opened
        assert evidence.verify(opened).broken == ()


def at(url: str, keys: Keys) -> Ledger:
    return Ledger(make_engine(url), Vault(lambda: keys))


def everything_sealed(ledger: Ledger, many: int = 3) -> list[Any]:
    """Applications with accounts, messages with their carrier, a preview, and a line that could not be read."""
    desk = Desk(ledger)
    drafts = []
    for number in range(1, many + 1):
        case = desk.decide(f"P-{number}", number)
        drafts.append(draft(case, CANCELS, 1, "850", payload=SECRET))
    run = desk.run(LANE)
    add_messages(ledger, run, drafts, "spk-tk")
    add_previews(ledger, run, drafts[:1])
    claims.claim_batch(ledger, desk.run(LANE), lambda *_: ("f.xml", SECRET * 2), year=YEAR, test=False, full_list=False)
    desk.store([line(number) for number in range(1, many + 1)], "antraege-tk")
    origin = history.Origin("antraege-tk", PROCESS, "spk-tk", keeps_unread=True)
    body = {"row": 9, "iban": IBAN, "kontoinhaber": HOLDER}
    odd = Item("application-line", "s:9", body, secrets=frozenset({"iban", "kontoinhaber"}))
    history.store(ledger, desk.run("antraege-tk|collect"), origin, [Taken(odd, problem="unlesbar")], "")
    return drafts


def line(number: int) -> Taken:
    origin = f"{'c' * 64}:{number}"
    application = Application(
        origin=origin,
        sheet="antraege.csv",
        row=number,
        process_id=PROCESS,
        area_id="090416",
        reference_number=f"P-{number}",
        amount="850.00",
    )
    account_ = Account(origin=origin, holder=f"{HOLDER} {number}", iban=IBAN)
    return Taken(Item("application-line", origin, {}), (application, account_))


def stored(ledger: Ledger) -> list[bytes]:
    """Every cell of the columns that may hold account data."""
    columns = (
        t.accounts.c.sealed,
        t.message_bytes.c.payload,
        t.batches.c.payload,
        t.unread.c.raw,
        t.previews.c.payload,
    )
    with ledger.read() as connection:
        return [bytes(cell) for column in columns for cell in connection.execute(select(column)).scalars()]


def opens(ledger: Ledger, drafts: list[Any]) -> None:
    """Whether everything is read as it was written."""
    assert set(read_payloads(ledger, [one.identity.key for one in drafts]).values()) == {SECRET}
    message, _, carrier = claims.sent_with(ledger, drafts[0].identity.key)
    assert carrier is not None
    assert (message.payload, carrier.payload) == (SECRET, SECRET * 2)
    assert [one.payload for one in read_previews(ledger, "kk-tk-hkr")] == [SECRET]
    [odd] = history.read_unread(ledger, "antraege-tk", PROCESS)
    assert (odd.body, odd.secrets) == ({"row": 9, "iban": IBAN, "kontoinhaber": HOLDER}, {"iban", "kontoinhaber"})
    with ledger.read() as connection:
        marks = connection.execute(select(t.accounts.c.mark)).scalars().all()
        assert {payees(connection, [mark])[mark].iban for mark in marks} == {IBAN}


def test_they_lie_sealed_and_are_read_as_they_were(book: Ledger) -> None:
    drafts = everything_sealed(book)
    cells = stored(book)

    assert len(cells) == 3 + 3 + 1 + 1 + 1
    assert all(cell.startswith(MAGIC) and IBAN.encode() not in cell for cell in cells)
    opens(book, drafts)


def test_no_account_stands_in_the_database_s_files(book: Ledger) -> None:
    """No table, no free page, no log of writes; before and after a rotation, and after everything was deleted."""
    log = new_log(book)
    drafts = everything_sealed(book)
    assert found_in_files(book, log) == set()
    book.vault.__dict__.update(keys=KEYS.with_another())
    book.vault.__dict__.pop("_sealing", None)
    assert rotation.seal_anew(book) == 9
    opens(book, drafts)
    assert found_in_files(book, log) == set()


def new_log(ledger: Ledger) -> str:
    """The file of PostgreSQL's log of writes that begins here; those before belong to other tests' databases."""
    if not ledger.postgresql:
        return ""
    with ledger.engine.connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT").exec_driver_sql("SELECT pg_switch_wal()")
        return str(connection.exec_driver_sql("SELECT pg_walfile_name(pg_current_wal_lsn() + 1)").scalar_one())


def found_in_files(ledger: Ledger, log: str) -> set[str]:
    """Account data in the files of the database as they lie on the disk, and in every cell as it is read.

    `log` is the first file of PostgreSQL's log that is looked at; what lies behind the last write is an old file's.
    """
    written = b""
    with ledger.engine.connect() as connection:
        if ledger.postgresql:
            connection.execution_options(isolation_level="AUTOCOMMIT").exec_driver_sql("CHECKPOINT")
            folder = Path(connection.exec_driver_sql("SHOW data_directory").scalar_one())
            base = connection.exec_driver_sql("SELECT oid FROM pg_database WHERE datname = current_database()")
            files = files_of(folder / "base" / str(base.scalar_one()))
            end = connection.exec_driver_sql("SELECT * FROM pg_walfile_name_offset(pg_current_wal_lsn())").one()
            segments = [file for file in files_of(folder / "pg_wal") if log <= file.name <= end.file_name]
            assert segments
            written = b"".join(file.read_bytes() for file in segments[:-1])
            written += segments[-1].read_bytes()[: end.file_offset if segments[-1].name == end.file_name else None]
        else:
            file = Path(str(ledger.engine.url.database))
            files = [file, file.with_name(f"{file.name}-wal")]
        cells = [row for table in t.metadata.sorted_tables for row in connection.execute(select(table))]
    assert any(MAGIC in file.read_bytes() for file in files)
    words = (IBAN, HOLDER, "99999999000000")
    found = {word for file in files for word in hits_in_file(file, words)}
    return found | hits(written, words) | hits(repr(cells).encode(), words)


def test_digests_are_of_the_plain_bytes(book: Ledger) -> None:
    """A mark of a person belongs to them, and they do not change when a key does."""
    [one, *_] = everything_sealed(book)
    with book.read() as connection:
        query = select(t.messages.c.sha256).where(t.messages.c.key == one.identity.key)
        assert connection.execute(query).scalar_one() == hashlib.sha256(SECRET).hexdigest()
        assert connection.execute(select(t.batches.c.sha256)).scalar_one() == hashlib.sha256(SECRET * 2).hexdigest()


def test_what_is_not_confidential_stays_plain_and_needs_no_key(url: str) -> None:
    """Other routes are undisturbed by keys that are not there."""
    with closing(Ledger(make_engine(url))) as ledger:
        desk = Desk(ledger)
        filed = draft(desk.decide())
        desk.prepare(filed)
        [(message, _)] = claims.claim(ledger, desk.run(FILES))

        assert message.payload == filed.payload
        assert not [cell for cell in stored(ledger) if cell.startswith(MAGIC)]


def test_rotating_seals_everything_anew_and_nothing_twice(book: Ledger, url: str) -> None:
    drafts = everything_sealed(book)
    with closing(at(url, KEYS.with_another())) as later:
        assert rotation.count_sealed(later)["accounts"] == {"1": 3}
        assert rotation.seal_anew(later) == 9
        assert rotation.seal_anew(later) == 0
        assert {key_of(cell) for cell in stored(later)} == {"2"}
        opens(later, drafts)
        assert evidence.verify(later).broken == ()
    without_the_old = Keys("a test", KEYS.mark, {"2": later.vault.keys.sealing["2"]})
    with closing(at(url, without_the_old)) as last:
        opens(last, drafts)


def test_rotating_without_the_old_key_changes_nothing(book: Ledger, url: str) -> None:
    everything_sealed(book)
    before, keys = stored(book), KEYS.with_another()
    with (
        closing(at(url, Keys("a test", keys.mark, {"2": keys.sealing["2"]}))) as later,
        pytest.raises(ConfigurationError, match="the vault has no key '1'; expected 2; put the lost key back"),
    ):
        rotation.seal_anew(later)

    assert stored(book) == before


_KILLED = """
import os, signal, sys
from pathlib import Path
from kiezbruecke.ledger import Ledger, rotation
from kiezbruecke.ledger.database import make_engine
from kiezbruecke.vault import Vault, read_keys

url, keys, after = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
rotation.CHUNK = 2
seal, done = Vault.seal, []

def counted(vault, plain, about):
    done.append(about)
    if len(done) == after:
        os.kill(os.getpid(), signal.SIGKILL)
    return seal(vault, plain, about)

Vault.seal = counted
rotation.seal_anew(Ledger(make_engine(url), Vault(lambda: read_keys(keys))))
"""


@pytest.mark.parametrize("after", [1, 2, 4, 6, 8, 9])
def test_a_rotation_killed_in_the_middle_goes_on(book: Ledger, url: str, tmp_path: Path, after: int) -> None:
    """SIGKILL between any two rows: what is sealed opens, what was done stays, the rest is done by the next call."""
    drafts = everything_sealed(book)
    file = tmp_path / "vault.keys"
    make_private(file)
    file.write_text(KEYS.with_another().text())
    killed = subprocess.run([sys.executable, "-c", _KILLED, url, str(file), str(after)], check=False)

    assert killed.returncode == -signal.SIGKILL
    with closing(at(url, read_keys(file))) as later:
        opens(later, drafts)
        assert evidence.verify(later).broken == ()
        left = sum(key_of(cell) == "1" for cell in stored(later))
        assert 0 < left <= 9
        assert rotation.seal_anew(later) == left
        opens(later, drafts)
