"""Keeps what sources say: records with their history, receipts, and how far a source was read – in one transaction."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, bindparam, delete, insert, select, update

from kiezbruecke import german
from kiezbruecke.connector import UNREAD, Gap, Handled, Item
from kiezbruecke.ledger import seals
from kiezbruecke.ledger import tables as t
from kiezbruecke.ledger.accounts import about_unread, keep_accounts, sealed
from kiezbruecke.ledger.chains import altered
from kiezbruecke.ledger.changes import raise_numbers
from kiezbruecke.ledger.database import Ledger, now, write_last
from kiezbruecke.ledger.dialects import insert_or_ignore, one_at_a_time
from kiezbruecke.ledger.events import append_event, touch
from kiezbruecke.ledger.receipts import store_receipts
from kiezbruecke.ledger.runs import Run, guard
from kiezbruecke.ledger.seals import CASE, CURSOR, POINT, RECORD, Key
from kiezbruecke.ledger.sets import among, rows_among, write_all, write_among
from kiezbruecke.ledger.todo import (
    MENDED,
    Answer,
    Kind,
    Point,
    close_point,
    close_points,
    ever_mended,
    raise_point,
    raise_points,
    replace_points,
    set_aside_about,
)
from kiezbruecke.records import Applicant, Application, Decision, Paper, Proposal, Receipt, Record, Settlement
from kiezbruecke.records.base import digest_of, name_id
from kiezbruecke.records.identity import case_id, case_key
from kiezbruecke.vault import Vault

_r, _u = t.records.c, t.unread.c
_OF_ITEMS = (_r.source == bindparam("of_source"), among(_r.external_id), _r.process_id == bindparam("process"))
_INPUTS = select(_r.external_id, _r.input, _r.gone_at).where(*_OF_ITEMS)
_FORGET_INPUT = update(t.records).where(*_OF_ITEMS, _r.input != "").values(input="")
_WERE_GONE = select(_r.id, _r.kind, _r.case_id).where(*_OF_ITEMS, _r.gone_at.is_not(None)).order_by(_r.seq)
_KNOWN = select(_r.id, _r.digest, _r.version, _r.input, _r.gone_at).where(among(_r.id))
_ADD_RECORD, _ADD_VERSION = insert(t.records).inline(), insert(t.record_history)
_THIS = _r.id == bindparam("record")
_CHANGE_RECORD = (
    update(t.records)
    .where(_THIS)
    .values(
        version=bindparam("number"),
        digest=bindparam("sum"),
        body=bindparam("text"),
        input=bindparam("read_from"),
        gone_at=None,
    )
)
_SEE_RECORD = update(t.records).where(_THIS).values(input=bindparam("read_from"), gone_at=None)
_SET_GONE = update(t.records).where(_THIS).values(gone_at=bindparam("moment"))
_HERE = (
    _r.source == bindparam("of_source"),
    _r.process_id == bindparam("process"),
    _r.kind.in_(bindparam("kinds", expanding=True)),
    _r.gone_at.is_(None),
)
_LISTED = select(_r.kind, _r.external_id).where(*_HERE)
_MISSING = (
    select(_r.id, _r.kind, _r.case_id, _r.external_id, _r.body).where(*_HERE, among(_r.external_id)).order_by(_r.seq)
)
_BODIES = select(_r.id, _r.body).where(among(_r.id))
_KNOWN_CASES = select(t.cases.c.id).where(among(t.cases.c.id))
_ADD_CASE = insert(t.cases)
_a = t.attention.c
_OPEN_OF_ROUTE = (
    select(_a.subject)
    .where(_a.kind == Kind.SET_ASIDE, _a.route == bindparam("of_route"), _a.closed_at.is_(None))
    .order_by(_a.id)
)
_UNREAD = select(_u.subject).where(among(_u.subject))
_KEPT = select(_u.external_id).where(
    _u.source == bindparam("of_source"), _u.process_id == bindparam("process"), among(_u.external_id)
)
_HEARD = select(t.receipts.c.id).where(among(t.receipts.c.id))
_ADD_UNREAD = insert(t.unread)
_FORGET = delete(t.unread).where(among(_u.subject))


@dataclass(frozen=True)
class Taken:
    """An item with the records a mapping made of it, or the one German line why it could not."""

    item: Item
    records: tuple[Record, ...] = ()
    problem: str | None = None
    heals: bool = True  # a mended mapping or code list could read it; False where the source itself says it is broken
    input: str = ""  # digest of all that the records were read from
    unchanged: bool = False  # known from that same input: nothing was mapped, the item was only seen
    gone: bool = False  # and was gone until now
    absent: frozenset[str] = frozenset()  # fields of the item that did not come: absent is not empty
    keeps: Mapping[UUID, frozenset[str]] = field(default_factory=dict)  # so these fields stay as they are
    echo: bool = False  # it only repeats what we have written there: stored, but news to nobody


@dataclass
class Stored:
    """What one `store` did."""

    handled: list[Handled] = field(default_factory=list)
    new: int = 0
    kinds: Counter[str] = field(default_factory=Counter)  # a proposal and who asks for it are two records
    updated: int = 0
    receipts: int = 0
    set_aside: int = 0  # that were not yet

    @property
    def counts(self) -> dict[str, int]:
        """The same, by word."""
        words = ("new", "updated", "receipts", Kind.SET_ASIDE)
        return {"items": len(self.handled), **{word: getattr(self, word) for word in words}, **+self.kinds}


@dataclass(frozen=True)
class Origin:
    """Where a chunk comes from, and for whom. `keeps_unread`: the source will not say these things again."""

    source: str
    process_id: str
    owner: str
    keeps_unread: bool = False

    def subject(self, item: Item) -> str:
        """The name of an item on the attention list."""
        return f"{self.source}:{item.kind}:{item.external_id}"

    def names(self, item: Item) -> list[str]:
        """What the item is about, as digests: a name may hold content."""
        return [digest_of("\x1f".join((self.source, self.process_id, name))) for name in item.names]


def read_cursor(ledger: Ledger, source: str) -> str:
    """How far a source was read; empty at the beginning."""
    with ledger.read() as connection:
        query = select(t.cursors.c.value).where(t.cursors.c.source == source)
        return connection.execute(query).scalar_one_or_none() or ""


def read_unread(ledger: Ledger, source: str, process_id: str) -> list[Item]:
    """What could not be read before and the source will not repeat, oldest first."""
    query = select(t.unread).where(t.unread.c.source == source, t.unread.c.process_id == process_id)
    with ledger.read() as connection:
        rows = connection.execute(query.order_by(t.unread.c.at, t.unread.c.subject)).all()
        keys: dict[Key, None] = dict.fromkeys((row.subject,) for row in rows)
        changed = altered(connection, {seals.UNREAD: keys}).get(seals.UNREAD, {})  # its point stays open
    rows = [row for row in rows if (row.subject,) not in changed]
    return [_item(ledger.vault, row) for row in rows]


def _item(vault: Vault, row: Row[Any]) -> Item:
    """What could not be read, as it came: bytes, or fields, which are sealed where they hold account data."""
    if row.body is None and row.text is None:
        held = json.loads(vault.open(bytes(row.raw), about_unread(row.subject)))
        secrets = frozenset(held["secrets"])
        return Item(row.kind, row.external_id, held["body"], None, row.raw_ref, row.problem, secrets=secrets)
    body = row.body if row.text is None else json.loads(row.text)
    return Item(row.kind, row.external_id, body, row.raw, row.raw_ref, row.problem)


def ever_set_aside(ledger: Ledger, source: str) -> frozenset[str]:
    """The subjects of a source's items about which there has been a point, open or closed."""
    a = t.attention.c
    query = select(a.subject).where(a.kind == Kind.SET_ASIDE, a.subject.startswith(f"{source}:", autoescape=True))
    with ledger.read() as connection:
        return frozenset(connection.execute(query).scalars())


def known_inputs(
    ledger: Ledger, source: str, process_id: str, external_ids: Iterable[str]
) -> dict[str, list[tuple[str, bool]]]:
    """Per external id, for each of its records: the digest of what it was read from, and whether it is gone."""
    inputs: dict[str, list[tuple[str, bool]]] = defaultdict(list)
    with ledger.read() as connection:
        for row in rows_among(connection, _INPUTS, external_ids, of_source=source, process=process_id):
            inputs[row.external_id].append((row.input, row.gone_at is not None))
    return dict(inputs)


def stored_answers(
    ledger: Ledger, source: str, process_id: str, external_ids: Collection[str], prefix: str = ""
) -> set[str]:
    """Those of a box's ids that became receipts, or are kept unread; `prefix` is that of receipts' ids."""
    ids = {name_id("receipt", source, f"{prefix}{external_id}"): external_id for external_id in external_ids}
    with ledger.read() as connection:
        heard = {ids[row.id] for row in rows_among(connection, _HEARD, ids)}
        kept = rows_among(connection, _KEPT, external_ids, of_source=source, process=process_id)
        return heard | {row.external_id for row in kept}


def store(ledger: Ledger, run: Run, origin: Origin, taken: Sequence[Taken], cursor: str) -> Stored:
    """Store a chunk of what a source said, with the cursor that stands for it."""
    stored = Stored()
    with ledger.write() as connection:
        one_at_a_time(connection)
        guard(connection, run)
        new_words = _new_words(connection, origin, taken)
        read = _with_marks(connection, [one for one in new_words if one.problem is None])
        problems = [one.item for one in new_words if one.problem is not None]
        mended = _mended(connection, origin, new_words)
        stored.set_aside = _list_problems(connection, run, origin, new_words, mended)
        _keep_or_forget(connection, origin, new_words, mended)
        _forget_inputs(connection, origin, problems)
        new = _store_records(connection, origin, read, stored)
        new |= _store_receipts(connection, run, origin, read, stored)
        seen_again = _see_again(connection, origin, [one.item for one in taken if one.unchanged])
        stored.updated += seen_again
        stored.kinds["back"] += seen_again
        _set_cursor(connection, origin.source, cursor)
    stored.handled = [Handled(one.item, one.problem, known=one.problem is None and id(one) not in new) for one in taken]
    return stored


def _with_marks(connection: Connection, read: Sequence[Taken]) -> list[Taken]:
    """The door to the records: no account passes it."""
    lines = keep_accounts(connection, [one.records for one in read])
    return [replace(one, records=records) for one, records in zip(read, lines, strict=True)]


def tell_gaps(ledger: Ledger, run: Run, origin: Origin, gaps: Iterable[Gap]) -> None:
    """Make the open points about what the source could not have equal to `gaps`."""
    about = f"{origin.source}:{origin.process_id}"
    points = [Point(Kind.INCOMPLETE, f"{about}:{gap.subject}", run.route, origin.owner, gap.problem) for gap in gaps]
    with ledger.write() as connection:
        one_at_a_time(connection)
        guard(connection, run)
        replace_points(connection, Kind.INCOMPLETE, run.route, points)


def mark_gone(
    ledger: Ledger,
    run: Run,
    origin: Origin,
    kinds: Sequence[str],
    seen: Collection[str],
    unread: Collection[int] = (),
) -> int:
    """Mark as gone what a source with a full listing does not have any more; nothing is deleted. `seen`: external ids.

    The first of `kinds` is what the listing is about, and counted; the others go with it. Nothing is gone in modules
    that were `unread`. Where more than half would vanish at once, a person is asked first: an empty answer is no proof.
    """
    source, subject = origin.source, f"{origin.source}:{origin.process_id}"
    given: dict[str, Any] = {"of_source": source, "process": origin.process_id, "kinds": sorted(kinds)}
    with ledger.write() as connection:
        one_at_a_time(connection)
        guard(connection, run)
        listed = connection.execute(_LISTED, given).all()
        missing = {row.external_id for row in listed if row.external_id not in seen}
        rows = rows_among(connection, _MISSING, missing, **given)
        spared = {row.external_id for row in rows if unread and json.loads(row.body).get("module_id") in unread}
        gone = [row for row in rows if row.external_id not in spared]
        count = sum(row.kind == kinds[0] for row in gone)
        known = sum(row.kind == kinds[0] and row.external_id not in spared for row in listed)
        if count > 5 and count * 2 > known and not _confirmed_gone(connection, subject):
            raise_point(connection, _vanished(run, subject, origin.owner, count))
            return 0
        close_point(connection, Kind.VANISHED, subject)
        if not unread:  # what stands in a list that was not read may still be there
            _close_what_is_not_there(connection, run, origin, seen)
        write_all(connection, _SET_GONE, [{"record": row.id, "moment": now()} for row in gone])
        for row in gone:
            touch(connection, RECORD, row.id, case=row.case_id)
            if row.case_id is not None:
                append_event(connection, row.case_id, f"{row.kind}.gone", {"source": source})
    return int(count)


def _new_words(connection: Connection, origin: Origin, taken: Iterable[Taken]) -> list[Taken]:
    """Without what is as before, and without what could not be read and was mended by another item since."""
    words = [one for one in taken if not one.unchanged]  # what is as before has no problem that could heal
    settled = ever_mended(connection, (origin.subject(one.item) for one in words if one.problem is not None))
    return [one for one in words if one.problem is None or origin.subject(one.item) not in settled]


def _mended(connection: Connection, origin: Origin, taken: Iterable[Taken]) -> set[str]:
    """The subjects of what could not be read, and has come as another item that can: the last word counts."""
    good: dict[str, int] = {}
    later: set[str] = set()
    words = list(enumerate(taken))
    for index, one in words:
        if one.problem is None:
            good |= dict.fromkeys(origin.names(one.item), index)
    for index, one in words:
        if one.problem is not None and good.get(_about(origin, one.item), -1) < index:
            later.add(origin.subject(one.item))
    mended = {origin.subject(one.item) for _, one in words if one.problem is not None} - later
    return (set_aside_about(connection, good) | mended) - later


def _about(origin: Origin, item: Item) -> str:
    return next(iter(origin.names(item)), "")


def _close_what_is_not_there(connection: Connection, run: Run, origin: Origin, seen: Collection[str]) -> None:
    """What could not be read and is not shown any more asks for nothing: its author has taken it back."""
    open_ones = connection.execute(_OPEN_OF_ROUTE, {"of_route": run.route}).scalars().all()
    ours = [subject for subject in open_ones if subject.startswith(f"{origin.source}:")]
    gone = [subject for subject in ours if subject.removeprefix(f"{origin.source}:").partition(":")[2] not in seen]
    close_points(connection, [(Kind.SET_ASIDE, subject) for subject in gone])


def _list_problems(
    connection: Connection, run: Run, origin: Origin, taken: Iterable[Taken], mended: Collection[str]
) -> int:
    """The last word about an item counts: what cannot be read is a point, what was read is none any more.

    How many points are new. Of what is mended at once a closed point stays: by it a repetition is known.
    """
    last: dict[str, Point | None] = {}
    for one in taken:
        subject = origin.subject(one.item)
        if one.problem is not None:
            about = _about(origin, one.item)
            last[subject] = Point(Kind.SET_ASIDE, subject, run.route, origin.owner, one.problem, about=about)
        else:
            not_had = replace(one.item, kind="unknown", external_id=f"{one.item.external_id}{UNREAD}")
            for item in (one.item, replace(one.item, kind=f"{one.item.kind}-problem"), not_had):
                last[origin.subject(item)] = None
    points = [point for point in last.values() if point is not None]
    raise_points(connection, (point for point in points if point.subject in mended))
    close_points(connection, ((Kind.SET_ASIDE, subject) for subject in mended), answer=MENDED)
    close_points(connection, [(Kind.SET_ASIDE, subject) for subject, point in last.items() if point is None])
    return raise_points(connection, (point for point in points if point.subject not in mended))


def _keep_or_forget(connection: Connection, origin: Origin, taken: Iterable[Taken], mended: Collection[str]) -> None:
    """What the source will not say again stays here until it can be read, or is mended."""
    if not origin.keeps_unread:
        return
    last: dict[str, Item | None] = {}
    for one in taken:
        last[origin.subject(one.item)] = one.item if one.problem is not None and one.heals else None
    last |= dict.fromkeys(mended)
    kept = {row.subject for row in rows_among(connection, _UNREAD, last)}
    new = [
        _unread(connection, origin, item) for subject, item in last.items() if item is not None and subject not in kept
    ]
    write_all(connection, _ADD_UNREAD, new)
    for values in new:
        touch(connection, seals.UNREAD, values["subject"])
    _forget(connection, [subject for subject, item in last.items() if item is None and subject in kept])


def _forget_inputs(connection: Connection, origin: Origin, items: Iterable[Item]) -> None:
    """What a record was read from before a problem must be read again, even if it comes back just as it was."""
    ids = (item.external_id for item in items)
    write_among(connection, _FORGET_INPUT, ids, of_source=origin.source, process=origin.process_id)


def _store_records(connection: Connection, origin: Origin, taken: Sequence[Taken], stored: Stored) -> set[int]:
    """New and changed records with their history; the ids (`id`) of what brought one."""
    found = [(one, record) for one in taken for record in one.records if not isinstance(record, Receipt)]
    book = _Book(connection, origin, found)
    new = {id(one) for one, record in found if book.enter(one, record, stored)}
    book.close()
    return new


def _store_receipts(
    connection: Connection, run: Run, origin: Origin, taken: Sequence[Taken], stored: Stored
) -> set[int]:
    """New receipts, each with what it means; the ids (`id`) of what brought one."""
    found = [(one, record) for one in taken for record in one.records if isinstance(record, Receipt)]
    items = [(one.item, receipt) for one, receipt in found]
    new = store_receipts(connection, items, route=run.route, owner=origin.owner)
    stored.receipts += sum(new)
    return {id(one) for (one, _), is_new in zip(found, new, strict=True) if is_new}


def _see_again(connection: Connection, origin: Origin, items: Iterable[Item]) -> int:
    """What was gone and is there just as it was; how many records."""
    ids = (item.external_id for item in items)
    gone = rows_among(connection, _WERE_GONE, ids, of_source=origin.source, process=origin.process_id)
    write_all(connection, _SET_GONE, [{"record": row.id, "moment": None} for row in gone])
    for row in gone:
        touch(connection, RECORD, row.id, case=row.case_id)
        if row.case_id is not None:
            append_event(connection, row.case_id, f"{row.kind}.back", {"source": origin.source})
    return len(gone)


@dataclass
class _Entry:
    """A record as the ledger holds it; its body only if it came with this chunk."""

    digest: str
    version: int
    input: str
    gone: bool
    body: str = ""


class _Book:
    """The records of a chunk: what is known of them is read once, what is new is written at the end."""

    def __init__(self, connection: Connection, origin: Origin, found: Sequence[tuple[Taken, Record]]) -> None:
        self._connection, self._origin, self._at = connection, origin, now()
        rows = rows_among(connection, _KNOWN, (record.identity for _, record in found))
        kept = rows_among(connection, _BODIES, (identity for one, _ in found for identity in one.keeps))
        self._standing = {row.id: row.body for row in kept}
        self._entries = {row.id: _Entry(row.digest, row.version, row.input, row.gone_at is not None) for row in rows}
        self._cases: dict[UUID, dict[str, Any]] = {}
        self._new: dict[UUID, dict[str, Any]] = {}
        self._changed: dict[UUID, _Entry] = {}
        self._seen_anew: dict[UUID, _Entry] = {}  # as before, but gone until now or read from something else
        self._versions: list[dict[str, Any]] = []
        self._touched: dict[UUID, UUID | None] = {}  # records to be sealed anew, with their cases

    def enter(self, taken: Taken, record: Record, stored: Stored) -> bool:
        """Put a record in; False if it was known just so."""
        record = self._with_what_stands(record, taken.keeps.get(record.identity, frozenset()))
        identity, body, case = record.identity, record.canonical(), self._case(record)
        entry, digest = self._entries.get(identity), digest_of(body)
        if entry is None:
            entry = self._entries[identity] = _Entry("", 0, "", gone=False)
            self._new[identity] = self._first(taken, record, case)
        back, renewed = entry.gone, entry.input != taken.input
        entry.gone, entry.input = False, taken.input
        if back:
            self._tell(record, case, "back", {})
        if entry.digest == digest:
            if back or renewed:
                self._seen_anew[identity] = entry
            if back:
                self._touched[identity] = case
            stored.updated += back
            stored.kinds["back"] += back
            return False
        entry.digest, entry.body, entry.version = digest, body, entry.version + 1
        self._changed[identity], self._touched[identity] = entry, case
        self._versions.append(
            {"record_id": identity, "version": entry.version, "digest": digest, "body": body, "at": self._at}
        )
        word = "recorded" if entry.version == 1 else "changed"
        self._tell(record, case, word, {"version": entry.version, "digest": digest})
        if taken.echo and entry.version > 1:
            stored.kinds["echo"] += 1
            return True
        stored.new += entry.version == 1
        stored.kinds[f"{'new' if entry.version == 1 else 'changed'}_{record.kind}"] += 1
        stored.updated += entry.version > 1
        return True

    def close(self) -> None:
        """Write it all down."""
        known = {row.id for row in rows_among(self._connection, _KNOWN_CASES, self._cases)}
        opened = [case for id_, case in self._cases.items() if id_ not in known]
        write_all(self._connection, _ADD_CASE, opened)
        for case in opened:
            touch(self._connection, CASE, case["id"], case=case["id"])
        new = [{**first, **_values(self._entries[id_])} for id_, first in self._new.items()]
        write_all(self._connection, _ADD_RECORD, new)
        changed = [_renamed(id_, entry) for id_, entry in self._changed.items() if id_ not in self._new]
        write_all(self._connection, _CHANGE_RECORD, changed)
        seen = [(id_, entry) for id_, entry in self._seen_anew.items() if id_ not in self._new]
        write_all(
            self._connection,
            _SEE_RECORD,
            [{"record": id_, "read_from": entry.input} for id_, entry in seen if id_ not in self._changed],
        )
        write_all(self._connection, _ADD_VERSION, self._versions)
        for identity, its_case in self._touched.items():
            touch(self._connection, RECORD, identity, case=its_case)

    def _with_what_stands(self, record: Record, fields: frozenset[str]) -> Record:
        """What did not come this time is as it was known last."""
        entry = self._entries.get(record.identity)
        body = (entry.body if entry else "") or self._standing.get(record.identity, "")
        if not fields or not body:
            return record
        standing = type(record).model_validate_json(body)
        return record.model_copy(update={name: getattr(standing, name) for name in fields})

    def _case(self, record: Record) -> UUID | None:
        """The case a record belongs to, made if it is the first word about it."""
        if not isinstance(record, Proposal | Applicant | Decision | Application | Settlement):
            return None
        process_id, reference, area_id = case_key(record)
        identity = case_id(process_id, reference, area_id)
        values = {"process_id": process_id, "reference": reference, "area_id": area_id}
        self._cases.setdefault(identity, {"id": identity, **values, "created_at": self._at})
        return identity

    def _first(self, taken: Taken, record: Record, case: UUID | None) -> dict[str, Any]:
        return {
            "id": record.identity,
            "kind": record.kind,
            "process_id": self._origin.process_id,
            "case_id": case,
            "source": self._origin.source,
            "external_id": taken.item.external_id,
            "first_seen": self._at,
            "gone_at": None,
        }

    def _tell(self, record: Record, case: UUID | None, word: str, body: Mapping[str, Any]) -> None:
        if case is not None:
            append_event(self._connection, case, f"{record.kind}.{word}", {**body, "source": self._origin.source})
        elif not isinstance(record, Paper):  # a budget line belongs to no case, and every case hears of it
            write_last(self._connection, raise_numbers, self._origin.process_id)


def _values(entry: _Entry) -> dict[str, Any]:
    return {"version": entry.version, "digest": entry.digest, "body": entry.body, "input": entry.input}


def _renamed(identity: UUID, entry: _Entry) -> dict[str, Any]:
    values = {"number": entry.version, "sum": entry.digest, "text": entry.body}
    return {"record": identity, "read_from": entry.input, **values}


def _unread(connection: Connection, origin: Origin, item: Item) -> dict[str, Any]:
    """The bytes stay here: the source forgets them, and a mended mapping must be able to read them."""
    fields = None if isinstance(item.body, bytes) else json.dumps(dict(item.body), default=str)
    raw = item.raw
    if item.secrets and fields is not None:  # sealed, with what of it is secret
        held = json.dumps({"body": json.loads(fields), "secrets": sorted(item.secrets)})
        fields, raw = None, sealed(connection, held.encode(), about_unread(origin.subject(item)))
    return {
        "subject": origin.subject(item),
        "source": origin.source,
        "process_id": origin.process_id,
        "kind": item.kind,
        "external_id": item.external_id,
        "body": item.body if isinstance(item.body, bytes) else None,
        "text": fields,
        "raw": raw,
        "raw_ref": item.raw_ref,
        "problem": item.problem,
        "at": now(),
    }


def forget_unread(connection: Connection, subject: str) -> None:
    """It was read at last, or a person has settled it."""
    if rows_among(connection, _UNREAD, [subject]):
        _forget(connection, [subject])


def _forget(connection: Connection, subjects: Sequence[str]) -> None:
    write_among(connection, _FORGET, subjects)
    for subject in subjects:
        touch(connection, seals.UNREAD, subject)


def _set_cursor(connection: Connection, source: str, value: str) -> None:
    if not value:
        return
    insert_or_ignore(connection, t.cursors, {"source": source, "value": value, "at": now()})
    connection.execute(update(t.cursors).where(t.cursors.c.source == source).values(value=value, at=now()))
    touch(connection, CURSOR, source)


def _confirmed_gone(connection: Connection, source: str) -> bool:
    """Whether a person has said within the last day that what is missing is really gone."""
    query = select(t.attention.c.id).where(
        t.attention.c.kind == Kind.VANISHED,
        t.attention.c.subject == source,
        t.attention.c.answer == Answer.REALLY_GONE,
        t.attention.c.closed_at > now() - timedelta(days=1),
    )
    answer = connection.execute(query.limit(1)).scalar_one_or_none()
    return answer is not None and not altered(connection, {POINT: {(answer,): None}})


def _vanished(run: Run, source: str, owner: str, count: int) -> Point:
    return Point(
        Kind.VANISHED,
        source,
        run.route,
        owner,
        f"Die Quelle zeigt {german.count(count, 'Vorschlag', 'Vorschläge')} nicht mehr, mehr als die Hälfte: "
        "bitte prüfen, ob sie alles zeigt",
        (Answer.REALLY_GONE, Answer.DONE),
    )
