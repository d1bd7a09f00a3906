"""A destination as people look at it: what it can do, what lies there."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from kiezbruecke.connector import manifest_for
from kiezbruecke.desk.view import DeskView
from kiezbruecke.house import House
from kiezbruecke.ledger import MessageState
from kiezbruecke.ledger.drafts import generation_of
from kiezbruecke.ledger.pauses import read_pauses
from kiezbruecke.ledger.reading import count_states
from kiezbruecke.ledger.recoveries import is_recovering, mark_of


class DestinationView(DeskView):
    """A connection that messages go to."""

    destination: str
    connector: str
    address: str
    generation: int
    """How often it was rebuilt, plus one"""
    recovering: bool
    """Whether nothing goes out until a person has ended the recovery after a restored backup"""
    incarnation: int
    """In the numbers that are given away there; a recovery raises it"""
    dedupes: bool
    """Whether it recognises a repetition"""
    look_up: bool
    """Whether it can be asked what became of a message"""
    batch: bool
    """Whether it takes many messages in one carrier"""
    messages: Mapping[MessageState, int]
    """How many are in which state"""
    paused_by: str
    """Who has stopped all that is about it; empty where nobody has"""
    paused_account: str
    """The log-in that gave this name"""
    paused_because: str
    paused_at: datetime | None


def destination(house: House, name: str) -> DestinationView:
    """One destination, five statements; raises ConfigurationError if no connection is called so."""
    party = house.connect(name)
    manifest = manifest_for(party)
    with house.ledger.read() as connection:
        pause = read_pauses(connection).connections.get(name)
    return DestinationView(
        destination=name,
        connector=manifest.title,
        address=f"{party.host}:{party.port}" if party.port else party.host,
        generation=generation_of(house.ledger, name),
        recovering=is_recovering(house.ledger, name),
        incarnation=mark_of(house.ledger, name).incarnation,
        dedupes=manifest.can.dedupes,
        look_up=manifest.can.look_up,
        batch=manifest.can.batch,
        messages=count_states(house.ledger, name),
        paused_by=pause.person.name if pause else "",
        paused_account=pause.person.account if pause else "",
        paused_because=pause.reason if pause else "",
        paused_at=pause.at if pause else None,
    )
