"""Is the ledger as old as a restored backup? Asked where a run begins, before its first send, and of every answer.

witness > ledger          somebody has sent what this ledger does not know     docs/adr/0014
their last batch unknown  the same, in their words
their answer unknown      the same, as soon as it is read
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Sequence

from kiezbruecke.connections import without_environment
from kiezbruecke.connector import Connection, Context, HasStand, close, manifest_for, open_target
from kiezbruecke.content.processes import read_process
from kiezbruecke.content.routes import SendingRoute, route_places
from kiezbruecke.errors import ConfigurationError, Recovering
from kiezbruecke.house import House
from kiezbruecke.ledger import recoveries
from kiezbruecke.ledger.people import Person
from kiezbruecke.ledger.witness import Tally, Witness
from kiezbruecke.records import Process, Receipt
from kiezbruecke.stages.work import Sending

log = logging.getLogger("kiezbruecke")


def refuse_while_recovering(house: House, destination: str) -> None:
    """Raise Recovering where a person has not ended it yet."""
    if recoveries.is_recovering(house.ledger, destination):
        raise recoveries.refuse(destination)


def compare(house: House, destination: str) -> None:
    """Raise Recovering where a witness knows of more sends than the ledger, or where none knows of any it has made."""
    refuse_while_recovering(house, destination)
    seen = highest(house.witnesses, destination)  # before the ledger: another run may send meanwhile
    known = recoveries.mark_of(house.ledger, destination)
    if seen is not None and seen.sends > known.sends:
        raise stop(house, destination, f"{seen.sends} Sendungen wurden begonnen, das Hauptbuch kennt {known.sends}")
    if seen is None and known.sends and house.witnesses:
        names = ", ".join(witness.name for witness in house.witnesses)
        raise stop(house, destination, f"kein Zeuge kennt die Sendungen des Hauptbuchs ({names})")


def before_first_send(work: Sending) -> None:
    """Ask the destination what it has of us last; where no witness speaks for the ledger, ask its neighbours too."""
    if work.told or work.house is None:
        return
    _write(work.house, work.route.destination, costly=False)  # a kill before the first `tell` must leave it known
    _ask(work.house, work.route.destination, work.target)
    if not _is_proven(work.house, work.route.destination):
        for name, party, context in _neighbours(work.house, work.route.destination):
            _ask_neighbour(work.house, name, party, context)
        if recoveries.is_recovering(work.ledger, work.route.destination):
            raise recoveries.refuse(work.route.destination)


def tell(work: Sending) -> None:
    """After the ledger has committed a begin of sending, and before the first byte: the witnesses keep its number."""
    if work.house is not None:
        _write(work.house, work.route.destination, costly=not work.told)
        work.told = True


def tell_at_the_end(work: Sending) -> None:
    """The witnesses that are not written with every send hear of the step's last one."""
    if work.house is not None and work.told:
        _write(work.house, work.route.destination, costly=True)


def stop(
    house: House, destination: str, evidence: str, seen: Tally | None = None, by: Person | None = None
) -> Recovering:
    """Stop this destination, and all others that the old ledger could send to twice: every one, if a person says so."""
    others = (name for name in _destinations(house) if by is not None or not _is_proven(house, name))
    names = {destination, *others}
    marks = {name: highest(house.witnesses, name) or Tally() for name in names}
    if seen is not None:
        marks[destination] = Tally(marks[destination].sends, max(marks[destination].incarnation, seen.incarnation))
    for name in recoveries.notice(house.ledger, marks, evidence, by):
        log.error("%s: recovering, nothing goes out; why: kiezbruecke recover show", name)  # it may be a person's words
    return recoveries.refuse(destination)


def look_at_answers(house: House, destination: str, process: Process, receipts: Sequence[Receipt]) -> None:
    """Stop a destination that answers to a message which only this ledger could have sent, and does not know.

    That is one under our prefix, or under the key that a case of ours would give to its next messages. Any other answer
    to nothing is a stray one: a point for a person, as before.
    """
    if not receipts or destination not in _destinations(house) or recoveries.is_recovering(house.ledger, destination):
        return
    ours = re.compile(rf"{re.escape(process.reference_prefix)}-[0-9A-Z]+-[0-9A-Za-z.-]+-[A-Z][0-9]+")
    named = [one.reference for one in receipts if one.key is None and one.reference and ours.fullmatch(one.reference)]
    keys = [one.key for one in receipts if one.key is not None]
    effects = {route.effect for route in _live(house) if route.destination == destination}
    lost = recoveries.forgotten(house.ledger, destination, process.id, named, keys, effects)
    if lost:
        stop(house, destination, f"dort kam eine Antwort auf {lost}, das Hauptbuch kennt diese Nachricht nicht")


def highest(witnesses: Sequence[Witness], destination: str) -> Tally | None:
    """The highest mark of all witnesses; None where none knows of the destination."""
    marks = [mark for witness in witnesses if (mark := _read(witness, destination)) is not None]
    if not marks:
        return None
    return Tally(max(mark.sends for mark in marks), max(mark.incarnation for mark in marks))


def _write(house: House, destination: str, *, costly: bool) -> None:
    mark = recoveries.mark_of(house.ledger, destination)
    for witness in house.witnesses:
        if not witness.costly:
            witness.write(destination, mark)
        elif costly:
            _write_elsewhere(witness, destination, mark)


def _write_elsewhere(witness: Witness, destination: str, mark: Tally) -> None:
    """One behind a service may be out of reach: it lags behind then, which raises no alarm."""
    try:
        witness.write(destination, mark)
    except Exception as error:  # noqa: BLE001 - see above
        log.warning("%s: %s was not told (%s)", destination, witness.name, type(error).__name__)


def _read(witness: Witness, destination: str) -> Tally | None:
    """One that cannot be asked is missing."""
    try:
        return witness.read(destination)
    except Exception as error:  # noqa: BLE001 - see above
        log.warning("%s: %s cannot be asked (%s)", destination, witness.name, type(error).__name__)
        return None


def _is_proven(house: House, destination: str) -> bool:
    """A witness holds exactly the ledger's number: nothing was sent that the ledger does not know."""
    seen = highest(house.witnesses, destination)
    return seen is not None and 0 < seen.sends == recoveries.mark_of(house.ledger, destination).sends


def _ask(house: House, destination: str, target: object) -> None:
    """An old contract, or no answer: this witness is missing, which proves nothing."""
    if not isinstance(target, HasStand):
        return
    try:
        last = target.stand().last_batch
    except Exception as error:  # noqa: BLE001 - see above
        log.warning("%s: cannot be asked for its stand (%s)", destination, type(error).__name__)
        return
    if last and not recoveries.knows_batch(house.ledger, destination, last):
        seen = Tally(0, recoveries.incarnation_in(last))
        raise stop(house, destination, f"dort liegt der Stapel {last}, den das Hauptbuch nicht kennt", seen)


def _ask_neighbour(house: House, name: str, party: Connection, context: Context) -> None:
    target = open_target(without_environment(party), context)
    try:
        _ask(house, name, target)
    except Recovering:
        pass  # written down; whoever asks looks whether it concerns himself
    finally:
        close(target)


def _neighbours(house: House, but: str) -> Iterator[tuple[str, Connection, Context]]:
    """Other destinations of live routes that take carriers, once each: these may have a stand."""
    seen = {but}
    for route in _live(house):
        if route.destination in seen or recoveries.is_recovering(house.ledger, route.destination):
            continue
        seen.add(route.destination)
        try:
            party = house.connect(route.destination)
            if manifest_for(party).can.batch:
                process = read_process(house.content, route.process)
                yield route.destination, party, Context(process, route.options, house.content)
        except ConfigurationError as error:
            log.warning("%s: cannot be asked for its stand (%s)", route.destination, error.line())


def _destinations(house: House) -> set[str]:
    return {route.destination for route in _live(house)}


def _live(house: House) -> Iterator[SendingRoute]:
    for place in route_places(house.content):
        try:
            route = place.read()
        except ConfigurationError:
            continue  # a broken file disturbs no other
        if isinstance(route, SendingRoute) and route.mode == "live":
            yield route
