"""collect: items become records or receipts; what cannot is set aside; the source hears of it after the commit."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

from kiezbruecke.cases.areas import place
from kiezbruecke.connector import Item
from kiezbruecke.errors import RecordError
from kiezbruecke.ledger import history
from kiezbruecke.ledger.history import Stored, Taken
from kiezbruecke.records import Proposal, Receipt, Record
from kiezbruecke.stages.work import Collecting, Counts, Reach

CHUNK = 100


def chunks(work: Collecting) -> Iterator[list[Item]]:
    """The source's items, a hundred at a time."""
    work.reach = Reach(history.read_cursor(work.ledger, work.route.collect))
    items = work.source.fetch(work.reach)
    while chunk := list(islice(items, CHUNK)):
        yield chunk


def read(work: Collecting, item: Item) -> Taken:
    """The records that the route's mappings make of an item, or the one line why not."""
    mappings = [mapping for mapping in work.mappings if item.kind in mapping.reads]
    if not mappings:
        return Taken(item, problem=_unread(item))
    try:
        records = tuple(_enrich(work, mapping.read(item, _roots(work, item))) for mapping in mappings)
    except RecordError as error:
        place = f"{item.raw_ref}: " if item.raw_ref else ""
        return Taken(item, problem=f"{place}{error.line()}")
    work.seen.update(record.identity for record in records)
    return Taken(item, records)


def keep(work: Collecting, taken: list[Taken]) -> Stored:
    """Store a chunk with its cursor, in one transaction."""
    owner = work.route.owner
    return history.store(work.ledger, work.run, work.route.collect, work.process.id, owner, taken, work.reach.value)


def acknowledge(work: Collecting, stored: Stored) -> None:
    """Tell the source what is stored."""
    work.source.acknowledge(stored.handled)


def mark_gone(work: Collecting, counts: Counts) -> None:
    """What a source with a full listing does not show any more is gone – never deleted."""
    if work.manifest.listing == "full":
        kinds = ("proposal",)
        gone = history.mark_gone(work.ledger, work.run, work.route.collect, work.route.owner, kinds, work.seen)
        counts["gone"] = gone
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
        return place(
            record,
            work.process,
            work.content / "mappings" / "codelists" / f"{work.process.area_list}.geojson",
        )
    if isinstance(record, Receipt) and record.source != work.route.collect:
        return record.model_copy(update={"source": work.route.collect})
    return record


def _unread(item: Item) -> str:
    if not isinstance(item.body, bytes) and "problem" in item.body:
        return str(item.body["problem"])
    return f"Keine Zuordnung dieser Route liest ein Element der Art „{item.kind}“"
