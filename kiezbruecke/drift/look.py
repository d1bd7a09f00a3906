"""Looks at what is there with the accepted fingerprint in hand: digests first, places only where those differ."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from kiezbruecke.drift.answers import compare_answers, learn, read_paths
from kiezbruecke.drift.changes import Change
from kiezbruecke.drift.fingerprint import Fingerprint, built_on, service_file
from kiezbruecke.drift.lists import compare_lists, list_prints
from kiezbruecke.drift.places import find_places, used_places
from kiezbruecke.drift.records import compare_records
from kiezbruecke.drift.schemas import compare_places
from kiezbruecke.drift.services import compare_services, read_service
from kiezbruecke.mapping import Mapping as RuleMapping
from kiezbruecke.mapping.bind import bind
from kiezbruecke.mapping.loading import assemble, find_goal, read_mapping_file
from kiezbruecke.mapping.schema.sources import find_shape, source_types

SAMPLE = 200  # so many items of a run are looked at: enough to see a shape, cheap enough for every run


def as_written(name: str, content: Path) -> RuleMapping:
    """A mapping that its check would refuse, so that it can be said what became of its target; ConfigurationError."""
    definition = read_mapping_file(name, content)
    goal, shape = find_goal(definition, content), find_shape(definition.source, content)
    plan = bind(definition.rules, goal.root, source_types(definition, shape))
    return assemble(definition, goal, content, shape, plan)


def look_at_mapping(mapping: RuleMapping, content: Path, accepted: Fingerprint) -> list[Change]:
    """What changed in the schemas of target and record, service and code lists; raises ConfigurationError."""
    if accepted.built_on == built_on(mapping, content):
        return []
    return [
        *_target(mapping, accepted),
        *_service(mapping, content, accepted),
        *compare_lists(accepted.lists, list_prints(mapping, content)),
        *compare_records(accepted.record, mapping),
    ]


def look_at_answers(mapping: RuleMapping, accepted: Fingerprint, bodies: Iterable[Any]) -> list[Change]:
    """What changed in a source's answers, seen in the first items' bodies; nothing where none were accepted."""
    items = [body for body, _ in zip(bodies, range(SAMPLE), strict=False)]
    if not items or not accepted.source:
        return []
    read = read_paths(mapping.plan)
    return list(compare_answers(accepted.source, learn(items, list(read)), read))


def _target(mapping: RuleMapping, accepted: Fingerprint) -> list[Change]:
    if not accepted.places or mapping.goal.kind == "record":
        return []
    used = used_places(mapping)
    only_text = mapping.goal.kind == "standard"
    return list(compare_places(accepted.places, find_places(mapping.goal.root, used), used, only_text=only_text))


def _service(mapping: RuleMapping, content: Path, accepted: Fingerprint) -> list[Change]:
    file = service_file(mapping, content)
    if accepted.service is None:
        return []
    if file is None:
        return [Change("breaking", "service", mapping.target, "the WSDL is gone")]
    now = read_service(file)
    if now.digest == accepted.service.digest:
        return []
    return list(compare_services(accepted.service, now))
