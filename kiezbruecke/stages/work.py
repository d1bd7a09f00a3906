"""What a step has in hand: the route, its process, the ledger, the remote party, and the run with its fence."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from functools import cached_property, wraps
from pathlib import Path

from kiezbruecke.attention import Answers
from kiezbruecke.connections import connection
from kiezbruecke.connector import (
    BatchTarget,
    Connection,
    Context,
    Item,
    Manifest,
    Source,
    Target,
    manifest_for,
    open_source,
    open_target,
)
from kiezbruecke.content import find_content
from kiezbruecke.drift import NAME, Change, Fingerprint, breaking, is_as_accepted, look_at_mapping, read_fingerprint
from kiezbruecke.effects import Lane, effect, rule_of
from kiezbruecke.errors import ConfigurationError, KiezbrueckeError, Overtaken
from kiezbruecke.ledger import Ledger, Run, begin_run, end_run, open_ledger
from kiezbruecke.ledger.drafts import generation_of
from kiezbruecke.ledger.runs import paused
from kiezbruecke.mapping import Mapping, load_mapping
from kiezbruecke.records import Process
from kiezbruecke.routes import CollectingRoute, SendingRoute, find_route, read_process

log = logging.getLogger("kiezbruecke")
ENVIRONMENT = "environment"  # of a connection's extra: what kind of destination it is; clients do not know it


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

    def advance(self, value: str) -> None:
        """Remember how far."""
        self.value = value


@dataclass
class Collecting:
    """A collecting route at work."""

    content: Path
    route: CollectingRoute
    process: Process
    ledger: Ledger
    party: Connection
    run: Run
    seen: set[str] = field(default_factory=set)  # external ids, also of items that could not be read
    again: list[Item] = field(default_factory=list)  # set aside before, read again from the ledger
    reach: Reach = field(default_factory=lambda: Reach(""))
    looked_at: int = 0  # items whose shape was compared with the accepted one
    accepted: dict[str, Fingerprint] = field(default_factory=dict)  # of the loaded mappings that have one, by name

    @cached_property
    def manifest(self) -> Manifest:
        """What the connector says of itself."""
        return manifest_for(self.party)

    @cached_property
    def generation(self) -> int:
        """The generation of a box's destination; 1 for other sources."""
        return generation_of(self.ledger, self.route.collect)

    @cached_property
    def source(self) -> Source:
        """The client, opened when it is needed first."""
        return open_source(_for_client(self.party), Context(self.process, self.route.options, self.content))

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
    failures: int = 0
    last_failure: str = ""

    @cached_property
    def manifest(self) -> Manifest:
        """What the connector says of itself."""
        return manifest_for(self.party)

    @cached_property
    def target(self) -> Target | BatchTarget:
        """The client, opened when it is needed first."""
        test = self.route.environment == "test"
        return open_target(_for_client(self.party), Context(self.process, self.route.options, self.content, test))

    @cached_property
    def mapping(self) -> Mapping:
        """The route's outbound mapping."""
        return _load(self.route.mapping, self.content, self.route)

    @cached_property
    def generation(self) -> int:
        """The destination's generation."""
        return generation_of(self.ledger, self.route.destination)


def lane_of(route: CollectingRoute | SendingRoute) -> str:
    """Who fences whom: routes of one process to one destination and family of effects, or from one source.

    Tests have lanes of their own, so that nothing of a test ever travels with live messages.
    """
    if isinstance(route, CollectingRoute):
        return f"{route.collect}|collect|{route.process}"
    return f"{route.destination}|{family_of(route)}|{route.process}{'|test' if route.environment == 'test' else ''}"


def family_of(route: SendingRoute) -> str:
    """The family of effects that a route sends: `commitment`."""
    return effect(route.effect).family


def view_of(route: SendingRoute, generation: int, answers: Answers) -> Lane:
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
    )


def is_collecting(name: str) -> bool:
    """Whether a route collects; raises ConfigurationError if there is none of this name."""
    return isinstance(find_route(find_content(), name), CollectingRoute)


def collecting_stage(step: Callable[[Collecting, Counts], None]) -> Callable[[str], Counts]:
    """Make a step of a collecting route callable by the route's name."""

    @wraps(step)
    def stage(name: str) -> Counts:
        content, ledger = find_content(), open_ledger()
        route = find_route(content, name)
        if not isinstance(route, CollectingRoute):
            raise ConfigurationError(f"route '{name}' does not collect", where=step.__name__)
        counts = Counts()
        if paused(ledger, name):
            return counts
        process, party = read_process(content, route.process), connection(route.collect)
        with _running(ledger, lane_of(route), name, step.__name__, counts) as run:
            step(Collecting(content, route, process, ledger, party, run), counts)
        return counts

    return stage


def sending_stage(step: Callable[[Sending, Counts], None]) -> Callable[[str], Counts]:
    """Make a step of a sending route callable by the route's name. A dry run prepares and sends nothing."""

    @wraps(step)
    def stage(name: str) -> Counts:
        content, ledger = find_content(), open_ledger()
        route = find_route(content, name)
        if not isinstance(route, SendingRoute):
            raise ConfigurationError(f"route '{name}' does not send", where=step.__name__)
        counts = Counts()
        idle = route.mode == "off" or (route.mode == "dry_run" and step.__name__ != "prepare")
        if idle or paused(ledger, name):
            return counts
        process, party = read_process(content, route.process), connection(route.destination)
        _refuse_wrong_environment(route, party)
        _refuse_wrong_effect(route, party)
        with _running(ledger, lane_of(route), name, step.__name__, counts) as run:
            step(Sending(content, route, process, ledger, party, run), counts)
        return counts

    return stage


@contextmanager
def _running(ledger: Ledger, lane: str, route: str, step: str, counts: Counts) -> Iterator[Run]:
    run = begin_run(ledger, lane, route, step)
    try:
        yield run
    except Overtaken:
        log.warning("%s %s: overtaken by a newer run", route, step)
        counts.more("overtaken")
        end_run(ledger, run, counts, "overtaken by a newer run")
    except KiezbrueckeError as error:
        end_run(ledger, run, counts, f"{error.code} {error.line()}")
        raise
    except Exception as error:
        # the text of a foreign exception may hold content: only its name is kept
        end_run(ledger, run, counts, type(error).__name__)
        raise
    else:
        end_run(ledger, run, counts)
        log.info("%s %s: %s", route, step, dict(counts))


def _load(name: str, content: Path, route: CollectingRoute | SendingRoute) -> Mapping:
    """A mapping of the route, unless what it was built on has changed and the route says stop."""
    mapping = load_mapping(name, content)
    if not is_as_accepted(mapping, content) and (accepted := read_fingerprint(mapping, content)):
        act_on_drift(route, mapping.name, look_at_mapping(mapping, content, accepted))
    return mapping


def act_on_drift(route: CollectingRoute | SendingRoute, mapping: str, changes: Sequence[Change]) -> int:
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


def _for_client(party: Connection) -> Connection:
    return replace(party, extra={name: value for name, value in party.extra.items() if name != ENVIRONMENT})


def _refuse_wrong_effect(route: SendingRoute, party: Connection) -> None:
    """The rule, the destination and the window must fit the effect, or a run could do what nobody meant."""
    where, manifest = f"route {route.name}", manifest_for(party)
    rule_of(route)
    if not any(fnmatchcase(route.effect, known) for known in manifest.effects):
        known = ", ".join(manifest.effects)
        raise ConfigurationError(f"{manifest.title} cannot do {route.effect}", where=where, expected=known)
    if route.window > 1 and not (manifest.can.dedupes or manifest.can.look_up):
        raise ConfigurationError(
            f"window: {route.window} would leave so many messages in doubt after a crash",
            where=where,
            expected="1, because the destination neither recognises a repetition nor can be asked",
        )


def _refuse_wrong_environment(route: SendingRoute, party: Connection) -> None:
    """A test route refuses every destination whose connection does not call itself a test."""
    environment = str(party.extra.get(ENVIRONMENT, "production"))
    if route.environment == "test" and environment != "test":
        raise ConfigurationError(
            "a test route may not send to a production destination",
            where=f"route {route.name}",
            expected=f"connection {party.id} with extra environment: test",
        )
