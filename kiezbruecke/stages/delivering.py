"""deliver: what is prepared goes out, at most `window` messages in doubt at once.

claimed ─▶ (reserve an id of theirs) ─▶ sending ─▶ send ─▶ delivered | refused | waiting | in doubt
           committed                    committed          committed

With several `connections` reserving and sending go side by side (`at_once.py`); what stands beside the calls does not.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from kiezbruecke.connector import (
    Answer,
    Batch,
    BatchTarget,
    CannotTell,
    Found,
    Message,
    NotThere,
    Target,
    Ticket,
)
from kiezbruecke.errors import AlreadyUsed, KiezbrueckeError, NotSent, Rejected
from kiezbruecke.ledger import MessageState, claims
from kiezbruecke.ledger.database import now
from kiezbruecke.records import Receipt, ReceiptOutcome
from kiezbruecke.stages import witnessing
from kiezbruecke.stages.at_once import attempt
from kiezbruecke.stages.work import Counts, Sending, family_of
from kiezbruecke.troubles import trouble_of

log = logging.getLogger("kiezbruecke")
BREAKER = 3  # so many failures in a row, and the destination is left alone until the next run


@dataclass(frozen=True)
class Parcel:
    """What goes out in one step: a few single messages, or one carrier of many."""

    messages: Sequence[tuple[Message, Ticket | None]]
    batch: Batch | None = None


def parcels(work: Sending) -> Iterator[Parcel]:
    """What waits in this lane, claimed as it is handed out; ends early where the destination is unreachable."""
    if isinstance(work.target, BatchTarget):
        yield from _batches(work, work.target)
    else:
        yield from _groups(work)


def send(work: Sending, parcel: Parcel, counts: Counts) -> None:
    """Send a parcel and write down what became of it."""
    witnessing.before_first_send(work)  # and before an id of theirs is kept: it must not look as if it were an old one
    if parcel.batch is not None:
        assert isinstance(work.target, BatchTarget)
        _send_batch(work, work.target, parcel, counts)
    else:
        _send_group(work, parcel, counts)
    counts["changed"] = counts.get("delivered", 0) + counts.get("refused", 0)


def stop_if_something_is_left(work: Sending, counts: Counts) -> None:
    """A run ends well only if all went that could go: else the scheduler tries again soon, and people see it."""
    left = claims.left(work.ledger, work.run)
    if left and work.paced and not work.failures:
        counts["paced"] = left
        return
    if left:
        counts["left"] = left
    if left or work.failures:
        last = f"the last reason was {work.last_failure}; " if work.last_failure else ""
        raise NotSent(
            f"{left} message(s) are left that could have gone" if left else "the destination does not answer",
            where=f"destination {work.route.destination}",
            helps=f"{last}the route tries again by itself",
            trouble=work.trouble,
        )


def ask_about_doubts(work: Sending, counts: Counts) -> None:
    """What an ended or overtaken run was sending: the destination is asked, or the same bytes may go again."""
    claims.take_over(work.ledger, work.run)
    doubts = claims.in_doubt(work.ledger, work.run)
    if not doubts:
        return
    target = work.target
    if isinstance(target, BatchTarget):
        answers = _ask_batches(work, target, doubts)
    else:
        answers = {message.key: ask(work, target, message, ticket) for message, ticket, _ in doubts}
    for message, _, _ in doubts:
        _resolve(work, message, answers.get(message.key, CannotTell()), counts)


def _groups(work: Sending) -> Iterator[Parcel]:
    while (
        work.failures < BREAKER
        and (room := _room(work))
        and (claimed := claims.claim(work.ledger, work.run, min(room, work.route.window)))
    ):
        yield Parcel(claimed)  # claimed no earlier: what this run does not come to is no failure of its own


def _batches(work: Sending, target: BatchTarget) -> Iterator[Parcel]:
    while work.failures < BREAKER and (room := _room(work)):
        claimed = claims.claim_batch(
            work.ledger,
            work.run,
            target.compose,
            year=work.process.fiscal_year,
            test=work.route.environment == "test",
            full_list=work.manifest.can.full_list,
            limit=min(room, work.route.window),
        )
        if claimed is None:
            return
        batch, messages = claimed
        yield Parcel([(message, None) for message in messages], batch)


def _room(work: Sending) -> int:
    """How many messages the route's pace lets go now; what it holds back waits for a later run, and is no failure.

    What has gone in the last hour stands in the ledger: a restart forgets nothing, and a process's neighbours count.
    """
    pace, at = work.route.pace, now()
    room = work.route.window
    if pace.is_quiet(at):
        room = 0
    elif pace.per_hour is not None:
        began = claims.begun_since(work.ledger, work.route.destination, family_of(work.route), at - timedelta(hours=1))
        room = max(pace.per_hour - began, 0)
    work.paced = not room
    return room


def _send_group(work: Sending, parcel: Parcel, counts: Counts) -> None:
    ready = _reserve(work, parcel, counts)
    jobs = [ready[key] for key in _begin_sending(work, list(ready))]
    attempts = attempt(work.targets(len(jobs)), jobs, lambda target, job: target.send(*job))
    results = {message.key: _result(work, message.key, said) for (message, _), said in attempts.known}
    try:
        claims.settle_all(work.ledger, work.run, results)
        _count(results, counts)
    finally:
        if attempts.broken is not None:
            raise attempts.broken
    _stop_where_a_number_was_used(work)


def _begin_sending(work: Sending, keys: Sequence[UUID], carrier: str = "") -> list[UUID]:
    """Committed in the ledger, then known outside it, then the first byte may leave."""
    sending = claims.begin_sending(work.ledger, work.run, keys, carrier)
    if sending:
        witnessing.tell(work)
    return sending


def _reserve(work: Sending, parcel: Parcel, counts: Counts) -> dict[UUID, tuple[Message, Ticket | None]]:
    """Ids of theirs, committed before the first send. A lost answer leaves an orphan id, which is harmless."""
    tickets = {message.key: ticket for message, ticket in parcel.messages if ticket is not None}
    jobs = [message for message, ticket in parcel.messages if ticket is None]
    attempts = attempt(work.targets(len(jobs)), jobs, lambda target, message: target.reserve(message))
    reserved: dict[UUID, Ticket | None] = {}
    for message, said in attempts.known:
        if isinstance(said, Exception):  # nothing has left yet, whatever went wrong
            _failed(work, said)
            counts.more("not_sent")
        else:
            reserved[message.key] = said
    if fresh := {key: ticket for key, ticket in reserved.items() if ticket is not None}:
        claims.keep_tickets(work.ledger, work.run, fresh)
    if attempts.broken is not None:
        raise attempts.broken
    ours = tickets | reserved
    return {message.key: (message, ours[message.key]) for message, _ in parcel.messages if message.key in ours}


def _result(work: Sending, key: UUID, said: Receipt | Exception) -> tuple[Receipt | MessageState, str]:
    """What is written down of one message; failures count in the order in which they became known."""
    if isinstance(said, Exception):
        return _outcome(work, said, [key])[key]
    work.failures, work.spoke = 0, True
    return said, ""


def _send_batch(work: Sending, target: BatchTarget, parcel: Parcel, counts: Counts) -> None:
    assert parcel.batch is not None
    messages = [message for message, _ in parcel.messages]
    keys = [message.key for message in messages]
    sending = _begin_sending(work, keys, parcel.batch.head.id)
    if not sending:
        return
    results: dict[UUID, tuple[Receipt | MessageState, str]] = {}
    try:
        receipts: Mapping[UUID, Receipt] = target.send(parcel.batch, messages)
    except Exception as error:  # noqa: BLE001 - here not knowing has a meaning
        results = _outcome(work, error, sending)
    else:
        work.failures, work.spoke = 0, True
        for key in sending:
            results[key] = (receipts[key], "") if key in receipts else (MessageState.IN_DOUBT, "ohne Antwort")
    claims.settle_all(work.ledger, work.run, results)
    _count(results, counts)
    _stop_where_a_number_was_used(work)


def _stop_where_a_number_was_used(work: Sending) -> None:
    """Ours are unique: who has something else under one knows more than the ledger."""
    if work.used is not None and work.house is not None:
        raise witnessing.stop(work.house, work.route.destination, "eine Nummer des Hauptbuchs ist dort schon vergeben")


def _outcome(work: Sending, error: Exception, keys: Sequence[UUID]) -> dict[UUID, tuple[Receipt | MessageState, str]]:
    """What an exception proves of each message: never left, refused for certain, or nobody knows."""
    if isinstance(error, AlreadyUsed):
        work.used = error
        return dict.fromkeys(keys, (MessageState.WAITING, type(error).__name__))
    if isinstance(error, Rejected):
        work.spoke = True
        text = error.line()[:500]
        refused = Receipt(outcome=ReceiptOutcome.REFUSED, event="Ablehnung", code=error.receipt_code, text=text)
        return dict.fromkeys(keys, (refused, ""))
    _failed(work, error)
    if isinstance(error, NotSent):
        return dict.fromkeys(keys, (MessageState.WAITING, type(error).__name__))
    if permanent := str(getattr(error, "permanent", "")):
        return _turned_away(work, keys, permanent)
    return dict.fromkeys(keys, (MessageState.IN_DOUBT, type(error).__name__))


def _turned_away(work: Sending, keys: Sequence[UUID], note: str) -> dict[UUID, tuple[Receipt | MessageState, str]]:
    """A server that refuses a request as such is doubt at first. Said of the same bytes again, they wait to be taken.

    `note` is its client's word for it. IT operations has the reason on its list; where a repetition is harmless nobody
    need guess anything.
    """
    before = claims.noted_before(work.ledger, keys, note) if work.manifest.can.dedupes else set()
    states = {key: MessageState.WAITING if key in before else MessageState.IN_DOUBT for key in keys}
    return {key: (state, note) for key, state in states.items()}


def _failed(work: Sending, error: Exception) -> None:
    work.failures += 1
    # the text of a foreign exception may hold content: only ours are shown
    trouble = trouble_of(error)
    work.trouble = trouble or work.trouble
    known = f" – {trouble.english}; {trouble.english_helps}" if trouble else ""
    work.last_failure = error.line() if isinstance(error, KiezbrueckeError) else f"{type(error).__name__}{known}"
    log.warning("%s: %s", work.route.name, work.last_failure)


def _count(results: Mapping[UUID, tuple[Receipt | MessageState, str]], counts: Counts) -> None:
    words = {MessageState.WAITING: "not_sent", MessageState.IN_DOUBT: "in_doubt"}
    for result, _ in results.values():
        if isinstance(result, Receipt):
            counts.more("refused" if result.outcome is ReceiptOutcome.REFUSED else "delivered")
        else:
            counts.more(words[result])


def ask(work: Sending, target: Target, message: Message, ticket: Ticket | None) -> Answer:
    """Ask a destination after one message."""
    try:
        answer = target.look_up(message, ticket)
    except Exception as error:  # noqa: BLE001 - a question that fails answers nothing
        _failed(work, error)
        return CannotTell("das Ziel antwortet nicht")
    work.spoke = work.spoke or not isinstance(answer, CannotTell)  # a client may take a failed call for CannotTell
    return answer


def _ask_batches(
    work: Sending, target: BatchTarget, doubts: Sequence[tuple[Message, Ticket | None, Batch | None]]
) -> dict[UUID, Answer]:
    answers: dict[UUID, Answer] = {}
    batches = {batch.head.id: batch for _, _, batch in doubts if batch is not None}
    for batch in batches.values():
        messages = [message for message, _, other in doubts if other == batch]
        try:
            said = target.look_up(batch, messages)
            work.spoke = work.spoke or not all(isinstance(one, CannotTell) for one in said.values())
            answers.update(said)
        except Exception as error:  # noqa: BLE001 - a question that fails answers nothing
            _failed(work, error)
            answers.update({message.key: CannotTell("das Ziel antwortet nicht") for message in messages})
    return answers


def _resolve(work: Sending, message: Message, answer: Answer, counts: Counts) -> None:
    ledger, run = work.ledger, work.run
    if isinstance(answer, Found):
        claims.settle(ledger, run, message.key, answer.receipt)
        counts.more("found")
    elif isinstance(answer, NotThere):
        claims.settle_doubt(ledger, run, message.key, "nicht angekommen")
        counts.more("not_there")
    elif work.manifest.can.dedupes:
        claims.settle_doubt(ledger, run, message.key, "dieselben Bytes noch einmal")
        counts.more("again")
    else:
        why = f": {answer.why}" if answer.why else ""
        claims.open_doubt(ledger, run, message, work.route.owner, why)
        counts.more("in_doubt")
