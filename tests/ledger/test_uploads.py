"""Lists between looking and taking over: for their sender alone, sealed, for an hour, on both databases."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from kiezbruecke.ledger import Ledger, uploads
from kiezbruecke.ledger import tables as t
from kiezbruecke.ledger.uploads import LASTS, MOST, drop_old_uploads, find_upload, keep_upload
from kiezbruecke.vault import Keys, Vault

PAGE, OTHER = (Vault(lambda key=key: Keys("page", key, {"1": key})) for key in (b"a" * 32, b"b" * 32))  # type: ignore[misc]
KLARA, KARL, NAME = "airflow:klara", "airflow:karl", "Antrag Müller.xlsx"
BODY = b"Fr\xc3\xa4ulein Sparstrumpf;DE23999999990000000000\0"
DIGEST = hashlib.sha256(BODY).hexdigest()


def rows(ledger: Ledger) -> list[Any]:
    with ledger.read() as connection:
        return list(connection.execute(select(t.uploads)).all())


def age(ledger: Ledger, by: timedelta) -> None:
    """As if it had been sent so long ago."""
    with ledger.write() as connection:
        connection.execute(update(t.uploads).values(at=uploads.now() - by))


def test_the_same_bytes_come_back_to_who_sent_them_and_to_nobody_else(ledger: Ledger) -> None:
    """Sent twice is kept once, with the name that it had last."""
    for name in ("x.xlsx", NAME):
        keep_upload(ledger, PAGE, KLARA, DIGEST, name, BODY)

    assert find_upload(ledger, PAGE, KLARA, DIGEST) == (NAME, BODY)
    assert find_upload(ledger, PAGE, KARL, DIGEST) is None
    assert find_upload(ledger, PAGE, KLARA, "0" * 64) is None
    assert len(rows(ledger)) == 1


def test_nothing_of_it_can_be_read_in_the_database(ledger: Ledger) -> None:
    """Whether account data stands in it nobody knows before it is read."""
    keep_upload(ledger, PAGE, KLARA, DIGEST, NAME, BODY)
    (row,) = rows(ledger)

    for needle in (b"Sparstrumpf", b"DE2399", "Müller".encode()):
        assert needle not in b"".join(str(one).encode() if not isinstance(one, bytes) else one for one in row)


def test_bytes_in_another_row_or_under_another_key_do_not_open(ledger: Ledger) -> None:
    """Whoever writes another log-in beside them gains nothing; after a new key the file is chosen again."""
    keep_upload(ledger, PAGE, KLARA, DIGEST, NAME, BODY)
    assert find_upload(ledger, OTHER, KLARA, DIGEST) is None
    with ledger.write() as connection:
        connection.execute(update(t.uploads).values(login=KARL))

    assert find_upload(ledger, PAGE, KARL, DIGEST) is None


@pytest.mark.parametrize("sweeper", ["housekeeping", "the next who sends a file"])
def test_after_an_hour_it_is_gone(ledger: Ledger, sweeper: str) -> None:
    """Not shown any more at once, and erased by whoever clears away first."""
    keep_upload(ledger, PAGE, KLARA, DIGEST, NAME, BODY)
    age(ledger, LASTS - timedelta(minutes=1))
    drop_old_uploads(ledger)
    assert find_upload(ledger, PAGE, KLARA, DIGEST) is not None
    age(ledger, LASTS)
    assert find_upload(ledger, PAGE, KLARA, DIGEST) is None
    if sweeper == "housekeeping":
        drop_old_uploads(ledger)
        assert rows(ledger) == []
    else:
        keep_upload(ledger, PAGE, KARL, DIGEST, NAME, BODY)
        assert [row.login for row in rows(ledger)] == [KARL]


def test_nobody_fills_the_ledger(ledger: Ledger) -> None:
    """The newest of a log-in stay; those of others are not touched."""
    keep_upload(ledger, PAGE, KARL, DIGEST, NAME, BODY)
    for number in range(MOST + 2):
        body = b"%d" % number
        keep_upload(ledger, PAGE, KLARA, hashlib.sha256(body).hexdigest(), NAME, body)
    newest = hashlib.sha256(b"%d" % (MOST + 1)).hexdigest()

    assert len(rows(ledger)) == MOST + 1
    assert find_upload(ledger, PAGE, KLARA, newest) == (NAME, b"%d" % (MOST + 1))
    assert find_upload(ledger, PAGE, KLARA, hashlib.sha256(b"0").hexdigest()) is None
    assert find_upload(ledger, PAGE, KARL, DIGEST) is not None
