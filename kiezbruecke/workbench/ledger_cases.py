"""Real cases for the workbench: what a mapping would read of a case, or could read of a stored message.

Nothing is written here. The values are personal: they are shown only to whoever asks for this very case.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from kiezbruecke import attention
from kiezbruecke.cases.join import Standing
from kiezbruecke.content.processes import read_process
from kiezbruecke.content.routes import SendingRoute, find_route, routes
from kiezbruecke.effects import Due, effect, rule_of
from kiezbruecke.errors import ConfigurationError
from kiezbruecke.ledger import Ledger
from kiezbruecke.ledger.claims import find_message
from kiezbruecke.ledger.database import now
from kiezbruecke.ledger.drafts import generation_of
from kiezbruecke.ledger.reading import MessageHead, list_messages, read_payloads
from kiezbruecke.mapping.loading import Mapping
from kiezbruecke.stages.composing import Workshop, roots_of_due, roots_of_stored
from kiezbruecke.stages.work import view_of
from kiezbruecke.standards.packers import xml_of
from kiezbruecke.workbench.diff import Case
from kiezbruecke.workbench.versions import Version


def roots_of_case(mapping: Mapping, content: Path, ledger: Ledger, reference: str, route: str) -> dict[str, Any]:
    """What the mapping reads of a case: for the route's newest message about it, else for what is due now."""
    workshop = _workshop(mapping, content, ledger, _sending(content, route))
    standing = next((one for one in _standings(ledger, workshop) if one.case.reference == reference), None)
    if standing is None:
        raise ConfigurationError(f"the process has no case '{reference}'", where=f"route {route}")
    if sent := [head for head in standing.case.messages if head.route == route]:
        return roots_of_stored(workshop, standing, sent[-1], _last_words(ledger, workshop, standing, sent[-1].number))
    lane = view_of(workshop.route, workshop.generation, attention.read_answers(ledger), content)
    due = rule_of(workshop.route)(standing, lane)
    if not isinstance(due, Due):
        raise ConfigurationError(f"nothing is due for case '{reference}', and nothing was sent", where=f"route {route}")
    return roots_of_due(workshop, standing, due, now(), _last_words(ledger, workshop, standing, due.number))


def message_cases(old: Version, new: Version, content: Path, ledger: Ledger) -> Iterator[Case]:
    """The stored messages of the routes that use either mapping, oldest first, as cases for both.

    What the message says of itself is as it was; the case is as it stands now.
    """
    if new.mapping.direction != "outbound":
        raise ConfigurationError(f"'{new.mapping.name}' writes no messages", helps="--examples")
    for route in routes(content).values():
        if not isinstance(route, SendingRoute) or route.mapping not in {old.mapping.name, new.mapping.name}:
            continue
        workshop = _workshop(new.mapping, content, ledger, route)
        standings = {standing.case.id: standing for standing in _standings(ledger, workshop)}
        for head, _ in list_messages(ledger, route=route.name):
            if standing := standings.get(head.case_id):
                last = _last_words(ledger, workshop, standing, head.number)
                yield Case(head.reference, roots_of_stored(workshop, standing, head, last), _written(ledger, head))


def _last_words(ledger: Ledger, workshop: Workshop, standing: Standing, number: int) -> bytes:
    """What the destination had of us before this message, where its effect goes back to that."""
    if not effect(workshop.route.effect).recalls:
        return b""
    lane = view_of(workshop.route, workshop.generation, attention.Answers(), workshop.content)
    last = lane.last_there(standing, number)
    return read_payloads(ledger, [last.key])[last.key] if last else b""


def _written(ledger: Ledger, head: MessageHead) -> bytes:
    message = find_message(ledger, head.key)
    assert message is not None
    return xml_of(message.payload, message.media_type) or message.payload


def _sending(content: Path, name: str) -> SendingRoute:
    route = find_route(content, name)
    if not isinstance(route, SendingRoute):
        raise ConfigurationError(f"route '{name}' sends nothing", where="--route", expected="a sending route")
    return route


def _workshop(mapping: Mapping, content: Path, ledger: Ledger, route: SendingRoute) -> Workshop:
    process = read_process(content, route.process)
    return Workshop(content, process, route, mapping, generation_of(ledger, route.destination))


def _standings(ledger: Ledger, workshop: Workshop) -> list[Standing]:
    return attention.read_standings(ledger, workshop.process)
