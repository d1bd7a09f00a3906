"""What a step has in hand: the route, its process, the ledger, the remote party, and the run with its fence."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from pathlib import Path

from kiezbruecke.attention import Answers
from kiezbruecke.code import code_digest
from kiezbruecke.connections import without_environment
from kiezbruecke.connector import (
    BatchTarget,
    Connection,
    Context,
    Item,
    Manifest,
    Source,
    Target,
    close,
    manifest_for,
    open_source,
    open_target,
)
from kiezbruecke.content.processes import read_code_lists
from kiezbruecke.content.routes import CollectingRoute, Route, SendingRoute
from kiezbruecke.content.texts import NO_TEXTS, Texts, texts_of
from kiezbruecke.drift import NAME, Change, Fingerprint, breaking, is_as_accepted, look_at_mapping, read_fingerprint
from kiezbruecke.effects import Lane, effect
from kiezbruecke.errors import AlreadyUsed, ConfigurationError, SourceError
from kiezbruecke.house import House
from kiezbruecke.ledger import Ledger, Run
from kiezbruecke.ledger.database import now
from kiezbruecke.ledger.drafts import generation_of
from kiezbruecke.mapping import Mapping, load_mapping
from kiezbruecke.records import Process
from kiezbruecke.stages.inputs import InputDigests
from kiezbruecke.troubles import Trouble

log = logging.getLogger("kiezbruecke")


class Counts(dict[str, int]):
    """What a step did, by word. `changed` > 0 wakes the routes that come after this one."""

    def more(self, word: str, by: int = 1) -> None:
        """Count one more."""
        self[word] = self.get(word, 0) + by

    def add(self, other: dict[str, int]) -> None:
        """Count all of another's."""
        for word, count in other.items():
            self.more(word, count)

    def __add__(self, other: dict[str, int]) -> Counts:
        total = Counts(self)
        total.add(other)
        return total


@dataclass
class Reach:
    """How far a source was read; committed with the items that were yielded before it moved."""

    value: str
    memory: Callable[[Collection[str]], Collection[str]] = lambda _: ()

    def advance(self, value: str) -> None:
        """Remember how far."""
        self.value = value

    def stored(self, external_ids: Collection[str]) -> Collection[str]:
        """Those of the ids whose items are stored already."""
        return self.memory(external_ids)


@dataclass
class Collecting:
    """A collecting route at work."""

    content: Path
    route: CollectingRoute
    process: Process
    ledger: Ledger
    party: Connection
    run: Run
    everything: bool = False  # read all items, also those that are as before
    at: datetime = field(default_factory=now)  # the run's now: nothing has been decided after it
    spoke: bool = True  # whether the source has answered: a step that has ended well has read it to its end
    house: House | None = None  # who is stopped where an answer tells of what the ledger has forgotten
    archived: bool = False  # and those that the source has handed over before and keeps
    seen: set[str] = field(default_factory=set)  # external ids, also of items that could not be read
    kept: list[Item] = field(default_factory=list)  # that the source has archived: it has heard of them before
    again: list[Item] = field(default_factory=list)  # set aside before, read again from the ledger
    reach: Reach = field(default_factory=lambda: Reach(""))
    stored_reach: str = ""  # as it stands in the ledger
    unheard: list[SourceError] = field(default_factory=list)  # why a source could not be told what is stored
    looked_at: int = 0  # items whose shape was compared with the accepted one
    accepted: dict[str, Fingerprint] = field(default_factory=dict)  # of the loaded mappings that have one, by name

    @cached_property
    def lists(self) -> str:
        """Which code lists of the process stand in the place of the mappings', as JSON."""
        return json.dumps(dict(read_code_lists(self.content, self.route.process)), sort_keys=True)

    @cached_property
    def manifest(self) -> Manifest:
        """What the connector says of itself."""
        return manifest_for(self.party)

    @cached_property
    def inputs(self) -> InputDigests:
        """What the run's items are read from: the code, the process, the route, the areas' shapes decide, too."""
        options = json.dumps(self.route.options, sort_keys=True, default=str)
        shapes = hashlib.sha256(self.polygons.read_bytes()).hexdigest() if self.polygons.exists() else ""
        mappings, process = self.mappings, self.process.model_dump_json()
        accepted = repr(sorted(self.accepted.items()))  # what their shape is held against
        decides = (
            code_digest(),
            process,
            self.lists,
            options,
            self.route.collect,
            str(self.generation),
            shapes,
            accepted,
        )
        return InputDigests(mappings, *decides)

    def close(self) -> None:
        """Give back what the client holds open."""
        close(vars(self).get("source"))

    @cached_property
    def polygons(self) -> Path:
        """The areas' shapes, for proposals whose module names none."""
        return self.content / "mappings" / "codelists" / f"{self.process.area_list}.geojson"

    @cached_property
    def generation(self) -> int:
        """The generation of a box's destination; 1 for other sources."""
        return generation_of(self.ledger, self.route.collect)

    @cached_property
    def source(self) -> Source:
        """The client, opened when it is needed first."""
        return open_source(without_environment(self.party), Context(self.process, self.route.options, self.content))

    @cached_property
    def mappings(self) -> tuple[Mapping, ...]:
        """The route's inbound mappings."""
        found = tuple(_load(name, self.content, self.route) for name in self.route.mapping)
        prints = ((mapping, read_fingerprint(mapping, self.content)) for mapping in found)
        self.accepted = {mapping.name: one for mapping, one in prints if one is not None}
        return found


@dataclass
class Sending:
    """A sending route at work."""

    content: Path
    route: SendingRoute
    process: Process
    ledger: Ledger
    party: Connection
    run: Run
    everything: bool = False  # look at all cases, also at those that have not changed
    failures: int = 0  # in a row
    last_failure: str = ""
    trouble: Trouble | None = None  # what the last failure was about, where that is known
    paced: bool = False  # the route's pace holds back what could go
    spoke: bool = False  # whether the destination has answered anything
    others: list[Target] = field(default_factory=list)  # beside the one target, where the route has more connections
    house: House | None = None  # whom its witnesses and neighbours are asked through
    used: AlreadyUsed | None = None  # a number of ours stands for something else there
    told: bool = False  # the witnesses have heard of this step

    @cached_property
    def lists(self) -> str:
        """Which code lists of the process stand in the place of the mappings', as JSON."""
        return json.dumps(dict(read_code_lists(self.content, self.route.process)), sort_keys=True)

    @cached_property
    def manifest(self) -> Manifest:
        """What the connector says of itself."""
        return manifest_for(self.party)

    @cached_property
    def target(self) -> Target | BatchTarget:
        """The client, opened when it is needed first."""
        return self._open()

    def targets(self, jobs: int) -> Sequence[Target]:
        """A client per connection, no more than there are jobs; opened when they are needed first."""
        wanted = min(jobs, self.route.connections)
        while len(self.others) + 1 < wanted:
            self.others.append(self._single(self._open()))
        return [self._single(self.target), *self.others][:wanted]

    def close(self) -> None:
        """Give back what the clients hold open."""
        for client in (vars(self).get("target"), *self.others):
            close(client)

    @cached_property
    def mapping(self) -> Mapping:
        """The route's outbound mapping."""
        return _load(self.route.mapping, self.content, self.route)

    @cached_property
    def generation(self) -> int:
        """The destination's generation."""
        return generation_of(self.ledger, self.route.destination)

    def _open(self) -> Target | BatchTarget:
        test = self.route.environment == "test"
        return open_target(
            without_environment(self.party), Context(self.process, self.route.options, self.content, test)
        )

    def _single(self, target: Target | BatchTarget) -> Target:
        assert isinstance(target, Target)
        return target


def lane_of(route: Route) -> str:
    """Who fences whom: routes of one process to one destination and family of effects, or from one source.

    Tests have lanes of their own, so that nothing of a test ever travels with live messages.
    """
    if isinstance(route, CollectingRoute):
        return f"{route.collect}|collect|{route.process}"
    return f"{route.destination}|{family_of(route)}|{route.process}{'|test' if route.environment == 'test' else ''}"


def family_of(route: SendingRoute) -> str:
    """The family of effects that a route sends: `commitment`."""
    return effect(route.effect).family


def view_of(route: SendingRoute, generation: int, answers: Answers, content: Path) -> Lane:
    """What the due rules are told about the route's lane."""
    return Lane(
        route.destination,
        generation,
        family_of(route),
        lane_of(route),
        route.start_from,
        route.environment == "test",
        answers.resend,
        answers.blocked,
        texts_for(route, content),
    )


def texts_for(route: SendingRoute, content: Path) -> Texts:
    """What people can be told by the route; nothing where its effect tells nobody."""
    return texts_of(content, route.process) if effect(route.effect).tells else NO_TEXTS


def _load(name: str, content: Path, route: Route) -> Mapping:
    """A mapping of the route, unless what it was built on has changed and the route says stop.

    That is asked of the mapping as it is written; what comes back reads the code lists of the route's process.
    """
    mapping = load_mapping(name, content)
    if not is_as_accepted(mapping, content) and (accepted := read_fingerprint(mapping, content)):
        act_on_drift(route, mapping.name, look_at_mapping(mapping, content, accepted))
    return load_mapping(name, content, read_code_lists(content, route.process))


def act_on_drift(route: Route, mapping: str, changes: Sequence[Change]) -> int:
    """Stop the run or warn, as the route says; returns how many changes break the mapping. Others never stop."""
    broken = breaking(changes)
    for change in broken:
        log.warning("%s: drift: %s: %s", route.name, mapping, change.line())
    if broken and route.drift == "stop":
        more = f", and {len(broken) - 1} more" if len(broken) > 1 else ""
        answers = broken[0].part == "source"
        untouched = "nothing of these answers was stored" if answers else "nothing was written with it"
        raise ConfigurationError(
            f"drift breaks the mapping '{mapping}': {broken[0].part} {broken[0].path} {broken[0].reason}{more}",
            where=f"route {route.name}",
            expected=f"what {NAME} of the mapping says",
            helps=f"{untouched}; change the mapping, or accept: kiezbruecke drift accept {mapping}",
        )
    return len(broken)
