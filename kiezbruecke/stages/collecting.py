"""collect: items become records or receipts; what cannot is set aside; the source hears of it after the commit."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from typing import Any

from kiezbruecke.cases.areas import place
from kiezbruecke.connector import Handled, Item
from kiezbruecke.drift import SAMPLE, look_at_answers
from kiezbruecke.errors import RecordError, SourceError
from kiezbruecke.ledger import history
from kiezbruecke.ledger.history import Stored, Taken
from kiezbruecke.ledger.reading import last_runs
from kiezbruecke.ledger.runs import stop_if_overtaken
from kiezbruecke.mapping import Mapping
from kiezbruecke.records import Proposal, Receipt, Record
from kiezbruecke.stages.work import Collecting, Counts, Reach, act_on_drift

CHUNK = {"full": 500, "new": 100}  # items at a time: a listing is mostly as before, a box holds whole letters


def chunks(work: Collecting) -> Iterator[list[Item]]:
    """What was set aside before and is read again, then the source's items, some hundred at a time.

    The first chunk of the source's is the sample that `watch` looks at, whole, before any of it is stored.
    A source that fails on the way keeps what it has yielded: that is stored before the error goes on.
    """
    work.stored_reach = history.read_cursor(work.ledger, work.route.collect)
    work.reach = Reach(work.stored_reach)
    work.again = history.read_unread(work.ledger, work.route.collect, work.process.id)
    if work.again:
        yield work.again
    items = work.source.fetch(work.reach)
    failure: SourceError | None = None
    size = SAMPLE
    while failure is None:
        chunk: list[Item] = []
        try:
            for item in islice(items, size):
                chunk.append(item)  # noqa: PERF402 - what came before an error must be kept
        except SourceError as error:
            failure = error
        if not chunk:
            break
        yield chunk
        size = CHUNK[work.manifest.listing]
    if failure is not None:
        raise failure


def watch(work: Collecting, taken: list[Taken], counts: Counts) -> None:
    """Compare the shape of the first items with the accepted one: warn, or stop the route before they are stored.

    The same items against the same fingerprint have the verdict that the last run wrote down.
    """
    items = [one.item for one in taken]
    if work.looked_at or (work.again and items[0] is work.again[0]):
        return  # what was set aside is old and odd by itself
    work.looked_at = len(items)
    if all(one.unchanged for one in taken) and _was_sound(work):
        return
    for mapping in work.mappings:
        if not work.accepted or (accepted := work.accepted.get(mapping.name)) is None:
            continue
        bodies = [body for item in items if item.kind in mapping.reads and (body := _body(mapping, item)) is not None]
        changes = look_at_answers(mapping, accepted, bodies)
        if broken := act_on_drift(work.route, mapping.name, changes):
            counts.more("drift", broken)


def _was_sound(work: Collecting) -> bool:
    """Whether the route's last run that ended found no drift; one that failed or saw nothing has found nothing out."""
    ended = (run for run in last_runs(work.ledger, work.route.name, 3) if run.id != work.run.id and run.ended_at)
    last = next(ended, None)
    counts = (last.counts or {}) if last is not None and last.error is None else {}
    return bool(counts.get("items")) and not counts.get("drift")


def read(work: Collecting, items: list[Item]) -> list[Taken]:
    """What the route's mappings make of items; what is as it was under the same mappings is not read again."""
    work.seen |= {item.external_id for item in items}
    if items is work.again:
        return [_read(work, item) for item in items]
    ids = [] if work.everything else [item.external_id for item in items]
    known = history.known_inputs(work.ledger, work.route.collect, work.process.id, ids)
    return [_read_if_new(work, item, known.get(item.external_id, [])) for item in items]


def _read_if_new(work: Collecting, item: Item, known: list[tuple[str, bool]]) -> Taken:
    made_of = work.inputs.of(item)
    as_before = len(known) == work.inputs.readers(item.kind) and all(made_of == before for before, _ in known)
    if known and as_before and item.problem is None:
        return Taken(item, input=made_of, unchanged=True, gone=any(gone for _, gone in known))
    return replace(_read(work, item), input=made_of)


def _read(work: Collecting, item: Item) -> Taken:
    """The records that the route's mappings make of an item, or the one line why not."""
    if item.problem is not None:
        return Taken(item, problem=item.problem, heals=item.raw is not None)
    mappings = [mapping for mapping in work.mappings if item.kind in mapping.reads]
    if not mappings:
        return Taken(item, problem=f"Keine Zuordnung dieser Route liest ein Element der Art „{item.kind}“")
    try:
        records = tuple(_enrich(work, mapping.read(item, _roots(work, item))) for mapping in mappings)
    except RecordError as error:
        place = f"{item.raw_ref}: " if item.raw_ref else ""
        return Taken(item, problem=f"{place}{error.line()}")
    return Taken(item, records)


def keep(work: Collecting, taken: list[Taken]) -> Stored:
    """Store a chunk with its cursor, in one transaction; nothing is written where all is as it was."""
    if work.reach.value == work.stored_reach and all(one.unchanged and not one.gone for one in taken):
        stop_if_overtaken(work.ledger, work.run)  # nothing is written here that would say so
        return Stored([Handled(one.item, known=True) for one in taken])
    source = history.Origin(
        work.route.collect, work.process.id, work.route.owner, keeps_unread=work.manifest.listing == "new"
    )
    stored = history.store(work.ledger, work.run, source, taken, work.reach.value)
    work.stored_reach = work.reach.value
    return stored


def acknowledge(work: Collecting, stored: Stored) -> None:
    """Tell the source what is stored; what was read again from the ledger it has heard of before."""
    again = {id(item) for item in work.again}  # an equal item of the source was never acknowledged: it is fresh
    fresh = [handled for handled in stored.handled if id(handled.item) not in again]
    if fresh:
        work.source.acknowledge(fresh)


def mark_gone(work: Collecting, counts: Counts) -> None:
    """What a source with a full listing does not show any more is gone – never deleted."""
    if work.manifest.listing == "full":
        source = history.Origin(work.route.collect, work.process.id, work.route.owner)
        counts["gone"] = history.mark_gone(work.ledger, work.run, source, ("proposal",), work.seen)
    counts["changed"] = sum(counts.get(word, 0) for word in ("new", "updated", "receipts", "gone"))


def _roots(work: Collecting, item: Item) -> dict[str, Any]:
    envelope = {
        "external_id": item.external_id,
        "kind": item.kind,
        "source": work.route.collect,
        "raw_ref": item.raw_ref,
    }
    return {"envelope": envelope, "process": work.process, "route": work.route.options}


def _enrich(work: Collecting, record: Record) -> Record:
    if isinstance(record, Proposal):
        return place(record, work.process, work.polygons)
    if isinstance(record, Receipt):
        return record.model_copy(update={"source": work.route.collect, "external_id": _receipt_id(work, record)})
    return record


def _receipt_id(work: Collecting, receipt: Receipt) -> str:
    """A destination that was rebuilt counts its answers from the beginning again."""
    return receipt.external_id if work.generation == 1 else f"g{work.generation}:{receipt.external_id}"


def _body(mapping: Mapping, item: Item) -> Any:
    """The item's body as rules read it; None where it cannot be read, which `read` will say."""
    if item.problem is not None:
        return None
    try:
        return mapping.scope(item, {})["item"]
    except RecordError:
        return None
