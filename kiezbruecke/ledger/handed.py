"""Who has handed a sheet over: a chain of its own per connection and content, before the file lies in its folder.

A sheet that somebody has dropped into the folder has no such chain: nobody knows who that was.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from kiezbruecke.ledger import tables as t
from kiezbruecke.ledger.chains import journal_of
from kiezbruecke.ledger.database import Ledger
from kiezbruecke.ledger.dialects import one_at_a_time
from kiezbruecke.ledger.events import Told, append
from kiezbruecke.ledger.people import How, Person
from kiezbruecke.ledger.sets import among, rows_among

HANDED = "sheet.handed_over"
_LINKS = (
    select(t.events.c.case_id, t.events.c.at, t.events.c.body)
    .where(among(t.events.c.case_id), t.events.c.kind == HANDED)
    .order_by(t.events.c.case_id, t.events.c.seq)
)


@dataclass(frozen=True)
class HandedOver:
    """Who has handed a sheet over, and when."""

    person: Person
    at: datetime


def write_down(ledger: Ledger, connection_name: str, route: str, digest: str, person: Person) -> None:
    """Before the bytes are put into the folder: what lies there has somebody who brought it."""
    title = _title(connection_name, digest)
    body = {"route": route, "sha256": digest, **person.told}
    with ledger.write() as connection:
        one_at_a_time(connection)
        append(connection, [Told(journal_of(title), HANDED, body)], {}, {journal_of(title): title})


def who_handed_over(ledger: Ledger, connection_name: str, digests: Iterable[str]) -> Mapping[str, HandedOver]:
    """By SHA-256 who was the first; nothing for what was dropped into the folder; one statement for some hundred."""
    chains = {journal_of(_title(connection_name, digest)): digest for digest in digests}
    with ledger.read() as connection:
        rows = rows_among(connection, _LINKS, chains)
    found: dict[str, HandedOver] = {}
    for row in rows:
        body = json.loads(row.body)
        person = Person(body["person"], body["account"], How(body["how"]))
        found.setdefault(chains[row.case_id], HandedOver(person, row.at))
    return found


def _title(connection_name: str, digest: str) -> str:
    return f"sheet:{connection_name}|{digest}"
