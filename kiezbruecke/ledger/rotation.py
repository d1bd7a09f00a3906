"""What lies sealed in the ledger, by key, and sealing it anew with the newest: in chunks, stopped and called again.

Of a chunk either all rows are sealed anew or none; what is done is not done twice. Marks stay: records name them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import Column, ColumnElement, Connection, LargeBinary, Row, Select, and_, func, literal, select, update

from kiezbruecke.ledger import tables as t
from kiezbruecke.ledger.accounts import about_account, about_carrier, about_message, about_preview, about_unread
from kiezbruecke.ledger.database import Ledger
from kiezbruecke.ledger.dialects import one_at_a_time
from kiezbruecke.ledger.events import touch
from kiezbruecke.ledger.seals import ACCOUNT, BATCH, BYTES, UNREAD, Unit
from kiezbruecke.ledger.sets import slices
from kiezbruecke.vault import MAGIC, head_of, key_of

CHUNK = 100
_m = t.messages.c


@dataclass(frozen=True, eq=False)
class _Place:
    """A column that may hold sealed bytes. `unit`: how its rows are sealed in the chains; previews are not."""

    column: Column[Any]
    about: Callable[..., str]
    unit: Unit | None = None
    case: Select[Any] | None = field(default=None, repr=False)  # whose chain, by key
    more: Callable[[str], Mapping[str, Any]] = lambda _: {}

    @property
    def key(self) -> tuple[Column[Any], ...]:
        return tuple(self.column.table.primary_key)

    def sealed_but(self, head: bytes) -> ColumnElement[bool]:
        """What is sealed, and does not begin like this."""
        return and_(_begins(self.column, MAGIC), ~_begins(self.column, head))

    def keys(self, connection: Connection, newest: str) -> Sequence[Row[Any]]:
        """The rows that another key than the newest has sealed."""
        return connection.execute(select(*self.key).where(self.sealed_but(head_of(newest)))).all()

    def heads(self, connection: Connection) -> Iterator[bytes]:
        """The beginnings of all that is sealed: enough to know the key."""
        size = len(head_of("9999"))
        begun = select(func.substr(self.column, 1, size, type_=LargeBinary())).where(_begins(self.column, MAGIC))
        return (bytes(one) for one in connection.execute(begun).scalars())

    def row(self, key: Row[Any]) -> ColumnElement[bool]:
        return and_(*(column == value for column, value in zip(self.key, key, strict=True)))


def _begins(column: Column[Any], head: bytes) -> ColumnElement[bool]:
    return func.substr(column, 1, len(head), type_=LargeBinary()) == literal(head, LargeBinary())


_PLACES = (
    _Place(t.accounts.c.sealed, about_account, ACCOUNT, more=lambda key: {"key_id": key}),
    _Place(t.message_bytes.c.payload, about_message, BYTES, select(_m.key, _m.case_id)),
    _Place(t.batches.c.payload, about_carrier, BATCH),
    _Place(t.unread.c.raw, about_unread, UNREAD),
    _Place(t.previews.c.payload, about_preview),
)


def count_sealed(ledger: Ledger) -> dict[str, Counter[str]]:
    """How many rows each key has sealed, by table: a key that has sealed nothing may be thrown away."""
    with ledger.read() as connection:
        found = {place.column.table.name: Counter(map(key_of, place.heads(connection))) for place in _PLACES}
    return {table: keys for table, keys in found.items() if keys}


def seal_anew(ledger: Ledger) -> int:
    """Seal with the newest key what older ones have sealed; how many rows. Raises ConfigurationError where one is lost.

    A row that does not open stops it: what was sealed anew before stays so.
    """
    newest, done = ledger.vault.keys.newest, 0
    for place in _PLACES:
        with ledger.read() as connection:
            keys = place.keys(connection, newest)
        for some in slices(keys, CHUNK):
            with ledger.write() as connection:
                one_at_a_time(connection)
                done += sum(_seal_anew(connection, ledger, place, key) for key in some)
    return done


def _seal_anew(connection: Connection, ledger: Ledger, place: _Place, key: Row[Any]) -> bool:
    newest = ledger.vault.keys.newest
    query = select(place.column).where(place.row(key), place.sealed_but(head_of(newest))).with_for_update()
    stored = connection.execute(query).scalar_one_or_none()
    if stored is None:  # another call was first
        return False
    about = place.about(*key)
    plain = ledger.vault.open(bytes(stored), about)
    values = {place.column.name: ledger.vault.seal(plain, about), **place.more(newest)}
    connection.execute(update(place.column.table).where(place.row(key)).values(**values))
    if place.unit is not None:
        touch(connection, place.unit, *key, case=_case_of(connection, place, key))
    return True


def _case_of(connection: Connection, place: _Place, key: Row[Any]) -> UUID | None:
    if place.case is None:
        return None
    case: UUID = connection.execute(place.case.where(_m.key == key[0])).one().case_id
    return case
