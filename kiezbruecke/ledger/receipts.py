"""What a receipt means for its message. It is matched by ids only, and by all that it names.

names nothing we know ─▶ clearing      names this and that ─▶ clearing      says yes and no ─▶ contradiction
names one message, says one thing ─▶ its next state
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, bindparam, insert, select, update

from kiezbruecke.connector import Item
from kiezbruecke.errors import shown
from kiezbruecke.ledger import tables as t
from kiezbruecke.ledger.database import Ledger, now
from kiezbruecke.ledger.effects import booked
from kiezbruecke.ledger.events import append_event, touch
from kiezbruecke.ledger.money import cents
from kiezbruecke.ledger.moves import Move, message_rows, move_all
from kiezbruecke.ledger.seals import RECEIPT
from kiezbruecke.ledger.sets import among, in_turns, rows_among, write_all
from kiezbruecke.ledger.states import MessageState
from kiezbruecke.ledger.todo import Answer, Kind, Name, Point, close_points, ever_raised, raise_points
from kiezbruecke.records import Receipt, ReceiptOutcome

_m = t.messages.c
_KNOWN = select(t.receipts.c.id).where(among(t.receipts.c.id))
_ADD = insert(t.receipts)
_MATCHES = {
    how: select(_m.key, _m[how].label("wanted"))
    .where(among(_m[how]), _m.destination == bindparam("source"))
    .order_by(_m.generation)
    for how in ("key", "reference", "ticket")
}
_IDS = select(_m.key, _m.case_id, _m.reference, _m.ticket, _m.facts).where(among(_m.key))
_TRUTHS = (Answer.HAS_HAPPENED, Answer.HAS_NOT_HAPPENED, Answer.DONE)  # what a person may say of two words at once
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:/#-]{0,79}")
_NAME = update(t.receipts).where(t.receipts.c.id == bindparam("this")).values(message_key=bindparam("found"))


def store_receipts(
    connection: Connection, receipts: Sequence[tuple[Item, Receipt]], *, route: str, owner: str
) -> list[bool]:
    """Keep receipts and apply them; which of them were new. Reading the same answer twice is harmless."""
    fresh = _unknown(connection, receipts)
    named = _match(connection, [receipt for _, receipt in fresh.values()])
    keys = {identity: row.key for identity, (row, ours) in named.items() if ours}
    write_all(connection, _ADD, [_values(item, one, keys.get(one.identity)) for item, one in fresh.values()])
    strange = [receipt for _, receipt in fresh.values() if receipt.identity not in keys]
    for receipt in strange:
        touch(connection, RECEIPT, receipt.identity)
    raise_points(connection, [_clearing(one, route, owner, named.get(one.identity)) for one in strange])
    known = [receipt for _, receipt in fresh.values() if receipt.identity in keys]
    _apply_stored(connection, [(keys[receipt.identity], receipt) for receipt in known])
    return [index in fresh for index in range(len(receipts))]


def _apply_stored(connection: Connection, words: Sequence[tuple[UUID, Receipt]]) -> None:
    rows = message_rows(connection, (key for key, _ in words))  # all at once, so that nobody locks them crosswise
    cases, moved = {key: row.case_id for key, row in rows.items()}, set[UUID]()
    for turn in in_turns(words, lambda word: [cases[word[0]]]):
        rows |= message_rows(connection, {key for key, _ in turn} & moved)
        for key, receipt in turn:
            body = {"reference": rows[key].reference, "digest": receipt.digest()}
            touch(connection, RECEIPT, receipt.identity, case=rows[key].case_id)
            append_event(connection, rows[key].case_id, f"receipt.{receipt.event}", body)
        _apply_turn(connection, [Word(rows[key], receipt) for key, receipt in turn])
        moved |= {key for key, _ in turn}
    _hear(connection, rows)


def _hear(connection: Connection, rows: Mapping[UUID, Row[Any]]) -> None:
    """What the stored words mean beyond the messages' states, such as that money has left."""
    by_effect: dict[str, list[UUID]] = defaultdict(list)
    for key, row in rows.items():
        if not row.test:
            by_effect[row.effect].append(key)
    for name, keys in by_effect.items():
        if (hear := booked(name).hear) is not None:
            hear(connection, keys)


@dataclass(frozen=True)
class Word:
    """A message, as it was locked in this transaction, and what its destination says about it."""

    row: Row[Any]
    said: Receipt


def apply_receipts(connection: Connection, words: Sequence[Word]) -> None:
    """Move messages as far as the receipts prove, and put on the list what needs a person. Each message once."""
    _keep_refusals(connection, words)
    for turn in in_turns(words, lambda word: [word.row.case_id]):
        _apply_turn(connection, turn)


def _keep_refusals(connection: Connection, words: Sequence[Word]) -> None:
    """Why they refuse, said in the very answer to a call, is kept as a letter of theirs would be: a person will ask."""
    told = {
        receipt.identity: (Item(receipt.event, receipt.external_id, {}), receipt, word.row.key)
        for word in words
        if word.said.text and (word.said.warning or word.said.outcome is ReceiptOutcome.REFUSED)
        for receipt in [_as_a_letter(word)]
    }
    known = {row.id for row in rows_among(connection, _KNOWN, told)} if told else set()
    new = {identity: one for identity, one in told.items() if identity not in known}
    write_all(connection, _ADD, [_values(*one) for one in new.values()])
    cases = {word.row.key: word.row.case_id for word in words}
    for identity, (_, _, key) in new.items():
        touch(connection, RECEIPT, identity, case=cases[key])


def _as_a_letter(word: Word) -> Receipt:
    """An answer to a call has no id of theirs: it is named after the message and the run that sent it."""
    name = f"answer:{word.row.key}:{word.row.fence}:{word.said.outcome.value}"
    return word.said.model_copy(update={"source": word.row.destination, "external_id": name})


def words_about(connection: Connection, key: UUID) -> list[str]:
    """What the destination has said about a message in its own words, oldest first: content."""
    r = t.receipts.c
    rows = connection.execute(select(r.body).where(r.message_key == key).order_by(r.at, r.id)).scalars()
    said = [Receipt.model_validate_json(body).text.strip() for body in rows]
    return list(dict.fromkeys(text for text in said if text))


@dataclass(frozen=True)
class Heard:
    """A word that came back about a message of a case."""

    reference: str  # Fremdkennzeichen of the message
    source: str
    event: str
    outcome: ReceiptOutcome
    at: datetime
    code: str
    words: tuple[str, ...] = field(repr=False)  # content: their own text


def heard_of(ledger: Ledger, case_id: UUID) -> list[Heard]:
    """All words that came back about a case's messages, oldest first; one statement."""
    r, m = t.receipts.c, t.messages.c
    query = (
        select(m.reference, r.source, r.event, r.outcome, r.at, r.body)
        .join_from(t.receipts, t.messages, m.key == r.message_key)
        .where(m.case_id == case_id)
        .order_by(r.at, r.id)
    )
    with ledger.read() as connection:
        rows = connection.execute(query).all()
    return [_heard(row, Receipt.model_validate_json(row.body)) for row in rows]


def _heard(row: Any, receipt: Receipt) -> Heard:
    said = (receipt.complaint, receipt.text, *(part.complaint for part in receipt.parts))
    words = tuple(dict.fromkeys(text.strip() for text in said if text.strip()))
    return Heard(row.reference, row.source, row.event, ReceiptOutcome(row.outcome), row.at, receipt.code, words)


def words_of(connection: Connection, source: str, external_id: str) -> list[str]:
    """The same of a receipt that belongs to no message."""
    r = t.receipts.c
    query = select(r.body).where(r.source == source, r.external_id == external_id)
    return [text for body in connection.execute(query).scalars() if (text := Receipt.model_validate_json(body).text)]


def _apply_turn(connection: Connection, words: Sequence[Word]) -> None:
    """In this order the same links are told as for one after the other, since no case has two of these words."""
    meanings = [_meaning(word) for word in words]
    close_points(connection, [name for meaning in meanings for name in meaning.closes_first])
    move_all(connection, [meaning.step for meaning in meanings if meaning.step is not None])
    close_points(connection, [name for meaning in meanings for name in meaning.closes_then])
    warnings = [_warning(word) for word in words if word.said.warning]
    before = ever_raised(connection, Kind.WARNING, warnings) if warnings else set()
    new = [point for point in warnings if point.subject not in before]
    raise_points(connection, [*(point for meaning in meanings for point in meaning.raises), *new])
    close_points(connection, [(kind, str(word.row.key)) for word in words for kind in _settles(word.said)])


@dataclass(frozen=True)
class _Meaning:
    """What a receipt does to its message and to the list of what needs a person, in the order of doing it."""

    closes_first: Sequence[Name] = ()
    step: Move | None = None
    closes_then: Sequence[Name] = ()
    raises: Sequence[Point] = ()


def _meaning(word: Word) -> _Meaning:
    row, receipt = word.row, word.said
    match receipt.verdict:
        case None:
            return _ambiguous(row, receipt)
        case ReceiptOutcome.CONFIRMED:
            return _confirmed(row, receipt)
        case ReceiptOutcome.REFUSED:
            return _refused(row, receipt)
        case ReceiptOutcome.DELIVERED:
            return _Meaning(step=Move(row, MessageState.DELIVERED, _note(receipt)))
        case _:
            return _Meaning()


def _warning(word: Word) -> Point:
    """What is only noted warns by itself, once per code: an earlier warning must not swallow it."""
    text = f"{word.row.reference}: Zugestellt, aber mit einem Hinweis{_code(word.said)}"
    point = _point(word.row, Kind.WARNING, text)
    if word.said.verdict is not ReceiptOutcome.NOTED:
        return point
    return replace(point, subject=":".join((point.subject, *_codes(word.said))))


def _settles(receipt: Receipt) -> Sequence[Kind]:
    """The kinds of points that a receipt answers: whatever they say, they have it or will not have it."""
    match receipt.verdict:
        case ReceiptOutcome.NOTED:
            return ()
        case ReceiptOutcome.DELIVERED | None:
            return (Kind.IN_DOUBT, Kind.PRESENT)
        case _:
            return (Kind.IN_DOUBT, Kind.PRESENT, Kind.OVERDUE)


def _ambiguous(row: Row[Any], receipt: Receipt) -> _Meaning:
    """Who answers has received it; what became of it, nobody knows."""
    reason = (
        f"Die Rückmeldung {_note(receipt)} zu {row.reference} meldet Erfolg und Fehler zugleich; "
        f"sie gilt nicht als Bestätigung. Bitte bei {row.destination} nachsehen, was dort angelegt ist"
    )
    step = Move(row, MessageState.DELIVERED, _note(receipt))
    return _Meaning(step=step, raises=[_point(row, Kind.CONTRADICTION, reason, _TRUTHS)])


def _confirmed(row: Row[Any], receipt: Receipt) -> _Meaning:
    subject = str(row.key)
    if _amount_differs(row, receipt):
        reason = f"{row.reference}: Gebucht ist ein anderer Betrag, als angeordnet war"
        point = _point(row, Kind.DIFFERENCE, reason, (Answer.CORRECTED, Answer.TAKEN_BACK))
        return _Meaning(step=Move(row, MessageState.DELIVERED, _note(receipt)), raises=[point])
    if row.state == MessageState.REFUSED:
        point = _contradiction(row, f"{_who(row)} hat erst abgewiesen, dann bestätigt")
        refused = (Kind.REFUSED, subject)  # nothing may be sent anew before this is settled
        return _Meaning(closes_first=[refused], raises=[point])
    step = Move(row, MessageState.CONFIRMED, _note(receipt), receipt.remote_id[:80] or None)
    return _Meaning(closes_first=[(Kind.DIFFERENCE, subject)], step=step)


def _refused(row: Row[Any], receipt: Receipt) -> _Meaning:
    if row.state == MessageState.CONFIRMED:
        return _Meaning(raises=[_contradiction(row, f"{_who(row)} hat erst bestätigt, dann abgewiesen")])
    step, note = Move(row, MessageState.REFUSED, _note(receipt)), _code(receipt)
    if not step.is_legal:
        return _Meaning()
    return _Meaning(step=step, closes_then=[(Kind.DIFFERENCE, str(row.key))], raises=[refused_point(row, note)])


def _amount_differs(message: Row[Any], receipt: Receipt) -> bool:
    if receipt.amount is None or message.amount_cents is None:
        return False
    return cents(receipt.amount) != int(message.amount_cents)


def _unknown(connection: Connection, receipts: Sequence[tuple[Item, Receipt]]) -> dict[int, tuple[Item, Receipt]]:
    """Those that the ledger does not hold yet, each once, by their place."""
    known = {row.id for row in rows_among(connection, _KNOWN, (receipt.identity for _, receipt in receipts))}
    fresh: dict[int, tuple[Item, Receipt]] = {}
    for place, (item, receipt) in enumerate(receipts):
        if receipt.identity not in known:
            known.add(receipt.identity)
            fresh[place] = (item, receipt)
    return fresh


def _match(connection: Connection, receipts: Sequence[Receipt]) -> dict[UUID, tuple[Row[Any], bool]]:
    """By the receipts' identities: the message that each names, and whether all that it names is of this message.

    Only ids count, and only messages of the party that speaks.
    """
    found: dict[UUID, UUID] = {}
    for (source, how), some in _by_source_and_id(receipts).items():
        rows = rows_among(connection, _MATCHES[how], some, source=source)
        keys = {row.wanted: row.key for row in rows}  # of several generations the newest
        found |= {one.identity: keys[wanted] for wanted, each in some.items() if wanted in keys for one in each}
    ids = {row.key: row for row in rows_among(connection, _IDS, set(found.values()))}
    said = {receipt.identity: receipt for receipt in receipts}
    return {identity: (ids[key], _is_about(said[identity], ids[key])) for identity, key in found.items()}


def _is_about(receipt: Receipt, row: Row[Any]) -> bool:
    """Whether everything that a receipt names is the message's own; what the message does not know, nobody compares."""
    facts = row.facts or {}
    pairs: list[tuple[set[Any], set[Any]]] = [
        ({receipt.reference}, {row.reference}),
        ({receipt.ticket}, {row.ticket}),
        ({receipt.process_id}, _uuids([facts.get("process_id")])),
        ({part.id for part in receipt.parts}, _uuids(facts.get("objects"))),
    ]
    return all(theirs - {None} <= ours for theirs, ours in pairs if ours - {None})


def _uuids(texts: Iterable[str | None] | None) -> set[UUID]:
    return {UUID(text) for text in texts or () if text}


def _by_source_and_id(receipts: Iterable[Receipt]) -> dict[tuple[str, str], dict[Any, list[Receipt]]]:
    sorted_out: dict[tuple[str, str], dict[Any, list[Receipt]]] = defaultdict(lambda: defaultdict(list))
    for receipt in receipts:
        for how in ("key", "reference", "ticket"):
            if wanted := getattr(receipt, how):
                sorted_out[receipt.source, how][wanted].append(receipt)
                break
    return sorted_out


def _values(item: Item, receipt: Receipt, key: UUID | None) -> dict[str, Any]:
    return {
        "id": receipt.identity,
        "source": receipt.source,
        "external_id": receipt.external_id,
        "message_key": key,
        "event": receipt.event,
        "outcome": (receipt.verdict or ReceiptOutcome.NOTED).value,  # what says yes and no changes nothing
        "body": receipt.canonical(),
        "raw": item.raw,
        "at": now(),
    }


def _note(receipt: Receipt) -> str:
    """Event and code, as they enter lists and evidence: a code is short and upper case, everything else is left out."""
    return " ".join((receipt.event, *_codes(receipt)))


def _codes(receipt: Receipt) -> list[str]:
    return list(filter(None, map(shown, receipt.code.replace(",", " ").split())))[:3]


def _code(receipt: Receipt) -> str:
    """Where they have a code for it: ` (Meldung STAPEL)`. Their own words are content, shown by right."""
    return f" (Meldung {' '.join(codes)})" if (codes := _codes(receipt)) else ""


def _clearing(receipt: Receipt, route: str, owner: str, named: tuple[Row[Any], bool] | None) -> Point:
    """A point about a receipt that is about no message of ours, or about this one and another."""
    row = None if named is None else named[0]
    reason = f"Eine Rückmeldung von {receipt.source}{_named(receipt)} gehört zu keiner hier bekannten Nachricht"
    if row is not None:
        reason = (
            f"Rückmeldung {receipt.event} nennt die Nachricht {row.reference}, dazu aber einen Prozess, "
            "ein Objekt oder ein Kennzeichen einer anderen; sie gilt für keine von beiden"
        )
    return Point(
        kind=Kind.CLEARING,
        subject=f"{receipt.source}:{receipt.external_id}",
        route=route,
        owner=owner,
        reason=reason,
        answers=(Answer.DONE,),
        case_id=None if row is None else row.case_id,
        message_key=None if row is None else row.key,
    )


def contradiction_point(message: Row[Any], why: str) -> Point:
    """What a person is told where two words about a message do not go together."""
    return _point(message, Kind.CONTRADICTION, f"{message.reference}: {why}")


def difference_point(message: Row[Any]) -> Point:
    """What a person is told where they have booked another sum."""
    reason = "Der gebuchte Betrag ist nicht der angeordnete"
    return _point(message, Kind.DIFFERENCE, reason, (Answer.CORRECTED, Answer.TAKEN_BACK))


def found_point(message: Row[Any]) -> Point:
    """What a person is told who wanted a message sent anew that is there already."""
    text = f"{message.reference} liegt bei {message.destination} schon; es ging nicht noch einmal hinaus"
    return _point(message, Kind.WARNING, text)


def apply_again(connection: Connection, kept: Sequence[tuple[UUID, Receipt]]) -> int:
    """Match stored receipts that matched nothing when they came; how many have their message now."""
    named = _match(connection, [receipt for _, receipt in kept])
    keys = {identity: row.key for identity, (row, ours) in named.items() if ours}
    found = [(row, receipt) for row, receipt in kept if receipt.identity in keys]
    write_all(connection, _NAME, [{"this": row, "found": keys[receipt.identity]} for row, receipt in found])
    for row, _ in found:
        touch(connection, RECEIPT, row, left=True)
    close_points(connection, [(Kind.CLEARING, f"{one.source}:{one.external_id}") for _, one in found])
    _apply_stored(connection, [(keys[receipt.identity], receipt) for _, receipt in found])
    return len(found)


def refused_point(message: Row[Any], why: str) -> Point:
    """What a person is told about a refused message."""
    text = f"{message.reference}: {_who(message)} hat die Nachricht abgewiesen{why}"
    return _point(message, Kind.REFUSED, text, (Answer.RESEND, Answer.DONE))


def _contradiction(message: Row[Any], what: str) -> Point:
    return _point(message, Kind.CONTRADICTION, f"{message.reference}: {what}", _TRUTHS)


def _who(message: Row[Any]) -> str:
    """Who speaks, in a clerk's words; an effect without one is called after its destination."""
    return booked(message.effect).partner or f"Das Ziel {message.destination}"


def _named(receipt: Receipt) -> str:
    """Which one: its kind, and the id by which it names its message, if that looks like one."""
    wanted = str(receipt.reference or receipt.ticket or receipt.key or "")
    about = f", zu {wanted}" if _ID.fullmatch(wanted) else ""
    number = f", dort {receipt.external_id}" if _ID.fullmatch(receipt.external_id) else ""
    return f" ({receipt.event if _ID.fullmatch(receipt.event) else 'ohne Art'}{about}{number})"


def _point(message: Row[Any], kind: Kind, reason: str, answers: tuple[Answer, ...] = (Answer.DONE,)) -> Point:
    return Point(
        kind=kind,
        subject=str(message.key),
        route=message.route,
        owner=message.owner,
        reason=reason,
        answers=answers,
        case_id=message.case_id,
        message_key=message.key,
    )
