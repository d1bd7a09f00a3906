"""collect: items become records or receipts; what cannot is set aside; the source hears of it after the commit."""

from __future__ import annotations

import logging
import re
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from collections.abc import Mapping as Fields
from dataclasses import replace
from itertools import chain, islice
from pathlib import Path
from traceback import extract_tb
from typing import Any

from kiezbruecke.cases.applications import faults_of
from kiezbruecke.cases.areas import place
from kiezbruecke.cases.join import impossible_day
from kiezbruecke.connector import Archiving, Gap, Gapped, Handled, Item
from kiezbruecke.drift import SAMPLE, Change, Fingerprint, look_at_answers
from kiezbruecke.effects import effect
from kiezbruecke.errors import ConfigurationError, RecordError, SourceError
from kiezbruecke.ledger import history
from kiezbruecke.ledger.history import Stored, Taken
from kiezbruecke.ledger.reading import last_runs, read_said
from kiezbruecke.ledger.runs import stop_if_overtaken
from kiezbruecke.mapping import Mapping
from kiezbruecke.mapping.for_clerks import for_clerks
from kiezbruecke.records import Account, Application, Decision, Proposal, Receipt, Record, Settlement
from kiezbruecke.stages import witnessing
from kiezbruecke.stages.inputs import same_rest, without_rest
from kiezbruecke.stages.work import Collecting, Counts, Reach, act_on_drift

log = logging.getLogger("kiezbruecke")
_FIELD = re.compile(r"\(Quelle: item\.(?P<name>\w+)\)")  # as a rule's problem names its source
_OF_ACCOUNTS = f"record {Account.__name__}"  # the target of a mapping that reads account data
_IN_THE_CLEAR = "Kontodaten kommen nur aus Tabellen, deren Spalten dafür als geheim gekennzeichnet sind (secret: true)"
CHUNK = {"full": 500, "new": 100}  # items at a time: a listing is mostly as before, a box holds whole letters


def chunks(work: Collecting) -> Iterator[list[Item]]:
    """What was set aside before and is read again, then the source's items, some hundred at a time.

    The first chunk of the source's is the sample that `watch` looks at, whole, before any of it is stored.
    A source that fails on the way, however it fails, keeps what it has yielded: that is stored before the error goes
    on. So does one that could not be told what is stored; what lies behind is read all the same.
    """
    work.stored_reach = history.read_cursor(work.ledger, work.route.collect)
    work.reach = Reach(work.stored_reach, lambda ids: _stored(work, ids))
    work.again = history.read_unread(work.ledger, work.route.collect, work.process.id)
    if work.again:
        yield work.again
    items = chain(_archived(work), work.source.fetch(work.reach))
    failure: Exception | None = None
    size = SAMPLE
    while failure is None:
        chunk: list[Item] = []
        try:
            for item in islice(items, size):
                chunk.append(item)  # noqa: PERF402 - what came before an error must be kept
        except Exception as error:  # noqa: BLE001 - whatever it is, it goes on below
            failure = error
        if not chunk:
            break
        yield chunk
        size = CHUNK[work.manifest.listing]
    if failure is not None or work.unheard:
        raise failure or work.unheard[0]


def _archived(work: Collecting) -> Iterator[Item]:
    """After a restored backup: what the source has handed over before; a problem that was told is not told again."""
    if not work.archived or not isinstance(work.source, Archiving):
        return
    told = history.ever_set_aside(work.ledger, work.route.collect)
    for item in work.source.archived():
        if item.problem is None or f"{work.route.collect}:{item.kind}:{item.external_id}" not in told:
            work.kept.append(item)
            yield item


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
        if broken := act_on_drift(work.route, mapping.name, _changes(mapping, accepted, taken)):
            counts.more("drift", broken)


def _changes(mapping: Mapping, accepted: Fingerprint, taken: list[Taken]) -> list[Change]:
    """What changed in the answers. Fields that were not asked for, or could not be had, have not vanished."""
    bodies: dict[frozenset[str], list[Any]] = defaultdict(list)
    for one in taken:
        if one.item.kind in mapping.reads and (body := _body(mapping, one.item)) is not None:
            bodies[one.absent].append(body)
    found = [
        change
        for absent, some in bodies.items()
        for change in look_at_answers(mapping, _without(accepted, absent), some)
    ]
    return list(dict.fromkeys(found))


def _without(accepted: Fingerprint, absent: frozenset[str]) -> Fingerprint:
    source = {path: field for path, field in accepted.source.items() if path.partition("/")[0] not in absent}
    return replace(accepted, source=source)


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
    if item.secrets:  # a digest of account data could be guessed back: such lines are read anew, and known as records
        return _read(work, item)
    try:
        made_of, readers = work.inputs.of(item), work.inputs.readers(item.kind)
    except ValueError as error:  # a text that cannot be written down
        return _odd(work, item, error)
    as_before = [gone for before, gone in known if before == made_of]  # never one of another kind: it is in the digest
    if as_before and len(as_before) == readers and item.problem is None:
        return Taken(item, input=made_of, unchanged=True, gone=any(as_before))
    if item.rest is None or item.problem is not None:
        return replace(_read(work, item), input=made_of)
    if sum(same_rest(made_of, before) for before, _ in known) == readers:
        return replace(_read(work, item, item.rest.fields), input=made_of)
    return _read_with_rest(work, item, made_of)


def _read_with_rest(work: Collecting, item: Item, made_of: str) -> Taken:
    """The item with its further fields; what of them cannot be had now is asked for again in the next run."""
    assert item.rest is not None
    assert not isinstance(item.body, bytes)
    brought = {name: value for name, value in item.rest.fetch().items() if name in item.rest.fields}
    absent = item.rest.fields.difference(brought)
    taken = _read(work, replace(item, body={**item.body, **brought}), absent)
    return replace(taken, input=without_rest(made_of) if absent else made_of)


def _read(work: Collecting, item: Item, absent: frozenset[str] = frozenset()) -> Taken:
    """The records that the route's mappings make of an item, or the one line why not; of `absent` they know nothing."""
    if item.problem is not None:
        besides = tuple(_besides(work, item))
        problem = "; ".join((item.problem.removesuffix(".") if besides else item.problem, *besides))
        return Taken(item, problem=problem, heals=item.raw is not None)
    mappings = [mapping for mapping in work.mappings if item.kind in mapping.reads and not _says_nothing(mapping, item)]
    if not mappings:
        return Taken(item, problem=f"Keine Zuordnung dieser Strecke liest ein Element der Art „{item.kind}“")
    if not item.secrets and any(mapping.target == _OF_ACCOUNTS for mapping in mappings):
        return Taken(item, problem=_IN_THE_CLEAR, heals=False)  # such an item would be kept as it is
    try:
        return _mapped(work, item, mappings, absent)
    except ConfigurationError:
        raise  # a mapping or a code list is broken, for all items
    except Exception as error:  # noqa: BLE001 - one odd item must not keep the others from being read
        return _odd(work, item, error)


def _mapped(work: Collecting, item: Item, mappings: Sequence[Mapping], absent: frozenset[str]) -> Taken:
    place = f"{item.raw_ref}: " if item.raw_ref else ""
    try:
        records = tuple(_enrich(work, mapping.read(item, _roots(work, item))) for mapping in mappings)
    except RecordError as error:
        faults = [fault for mapping in mappings for fault in mapping.faults(item, _roots(work, item))] or [error]
        return Taken(item, problem=f"{place}{'; '.join(dict.fromkeys(map(for_clerks, faults)))}")
    lines = [one for one in records if isinstance(one, Decision | Application | Settlement)]
    if any(not work.process.numbers(one.reference_number) for one in lines):
        expected = " oder ".join(work.process.example_numbers)
        told = f"Die Referenznummer gehört nicht zum Verfahren; erwartet: eine wie {expected}"
        return Taken(item, problem=f"{place}{told}")
    if found := [fault for one in lines for fault in faults_of(work.process, one, work.at)]:
        return Taken(item, problem=f"{place}Die Zeile {'; '.join(found)}", heals=False)  # only its author mends it
    decisions = (one for one in lines if isinstance(one, Decision))
    days = [why for one in decisions if (why := impossible_day(work.process, one, work.at))]
    if days:  # never read again by itself: a day that is still to come does come, and by then another line may count
        return Taken(item, problem=f"{place}Die Zeile {days[0]}", heals=False)
    if not absent:
        return Taken(item, records)
    keeps = {record.identity: mapping.filled_from(absent) for mapping, record in zip(mappings, records, strict=True)}
    return Taken(item, records, absent=absent, keeps=keeps)


def _says_nothing(mapping: Mapping, item: Item) -> bool:
    """A line without account data makes no account: that may come later, in a line of its own."""
    if mapping.target != _OF_ACCOUNTS or not item.secrets or not isinstance(item.body, Fields):
        return False
    return not any(item.body.get(name) for name in item.secrets)


def _odd(work: Collecting, item: Item, error: Exception) -> Taken:
    """An item that nobody had thought of. The error's text may quote it: told are only its name and where it arose."""
    frame = extract_tb(error.__traceback__)[-1]
    where = f"{Path(frame.filename).name}:{frame.lineno}"
    log.error("%s: item of kind %s: %s in %s", work.route.name, item.kind, type(error).__name__, where)
    place = f"{item.raw_ref}: " if item.raw_ref else ""
    why = f"damit hat das Programm nicht gerechnet ({where})"
    return Taken(item, problem=f"{place}lässt sich nicht lesen, {why}; bitte dem IT-Betrieb melden")


def _besides(work: Collecting, item: Item) -> list[str]:
    """What the mappings refuse of the fields that the connector could read: all faults of a line are told at once."""
    read = item.as_read
    if read is None or not isinstance(read.body, Fields):
        return []
    mappings = [mapping for mapping in work.mappings if read.kind in mapping.reads]
    faults = [for_clerks(fault) for mapping in mappings for fault in mapping.faults(read, _roots(work, read))]
    fields = ((fault, found["name"]) for fault in faults if (found := _FIELD.search(fault)))
    return [fault for fault, name in fields if read.body.get(name)]


def keep(work: Collecting, taken: list[Taken]) -> Stored:
    """Store a chunk with its cursor, in one transaction; nothing is written where all is as it was."""
    if work.reach.value == work.stored_reach and all(one.unchanged and not one.gone for one in taken):
        stop_if_overtaken(work.ledger, work.run)  # nothing is written here that would say so
        return Stored([Handled(one.item, known=True) for one in taken])
    source = history.Origin(
        work.route.collect, work.process.id, work.route.owner, keeps_unread=work.manifest.listing == "new"
    )
    stored = history.store(work.ledger, work.run, source, _with_echoes(work, taken), work.reach.value)
    if work.house is not None:
        receipts = [record for one in taken for record in one.records if isinstance(record, Receipt)]
        witnessing.look_at_answers(work.house, work.route.collect, work.process, receipts)
    work.stored_reach = work.reach.value
    return stored


def _with_echoes(work: Collecting, taken: Sequence[Taken]) -> list[Taken]:
    """Marks what has changed only by our own word at the source, where it is a destination as well."""
    changed = {record.identity: record for one in taken for record in one.records if isinstance(record, Proposal)}
    said = read_said(work.ledger, work.route.collect, changed) if changed else {}
    ours = {
        identity
        for identity, (before, name, payload) in said.items()
        if effect(name).echoes(payload, before, changed[identity])
    }
    return [replace(one, echo=True) if any(record.identity in ours for record in one.records) else one for one in taken]


def acknowledge(work: Collecting, stored: Stored) -> None:
    """Tell the source what is stored; what was read again from the ledger it has heard of before."""
    # an equal item of the source was never acknowledged: it is fresh
    again = {id(item) for item in (*work.again, *work.kept)}
    fresh = [handled for handled in stored.handled if id(handled.item) not in again]
    if not fresh:
        return
    try:
        work.source.acknowledge(fresh)
    except SourceError as error:  # it is stored; the source hears of it in a later run
        log.warning("%s: %s", work.route.name, error.line())
        work.unheard.append(error)


def tell_gaps(work: Collecting, counts: Counts) -> None:
    """What the source could not have this time goes on the list; what it has again leaves it."""
    if not isinstance(work.source, Gapped):
        return
    gaps = work.source.gaps()
    history.tell_gaps(work.ledger, work.run, _origin(work), gaps)
    if gaps:
        counts["gaps"] = len(gaps)


def mark_gone(work: Collecting, counts: Counts) -> None:
    """What a source with a full listing does not show any more is gone, and who asked for it – never deleted."""
    if work.manifest.listing == "full":
        unread = {gap.module_id for gap in _gaps(work) if gap.module_id is not None}
        counts["gone"] = history.mark_gone(
            work.ledger, work.run, _origin(work), ("proposal", "applicant"), work.seen, unread
        )
    counts["changed"] = sum(counts.get(word, 0) for word in ("new", "updated", "receipts", "gone"))


def _gaps(work: Collecting) -> Sequence[Gap]:
    return work.source.gaps() if isinstance(work.source, Gapped) else ()


def _origin(work: Collecting) -> history.Origin:
    return history.Origin(work.route.collect, work.process.id, work.route.owner)


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
    return f"{_prefix(work.generation)}{receipt.external_id}"


def _prefix(generation: int) -> str:
    return "" if generation == 1 else f"g{generation}:"


def _body(mapping: Mapping, item: Item) -> Any:
    """The item's body as rules read it; None where it cannot be read, which `read` will say."""
    if item.problem is not None:
        return None
    try:
        return mapping.scope(item, {})["item"]
    except ConfigurationError:
        raise
    except Exception:  # noqa: BLE001 - `read` says what it is
        return None


def _stored(work: Collecting, external_ids: Collection[str]) -> Collection[str]:
    """What a box need not hand over again, unless everything is to be read."""
    if work.everything:
        return ()
    return history.stored_answers(
        work.ledger, work.route.collect, work.process.id, external_ids, prefix=_prefix(work.generation)
    )
