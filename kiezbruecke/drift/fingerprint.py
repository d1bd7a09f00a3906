"""The accepted fingerprint: a small reviewed file beside its mapping, one place a line, the same for the same parts."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from kiezbruecke.drift.answers import Field, learn, read_paths
from kiezbruecke.drift.lists import ListPrint, list_prints
from kiezbruecke.drift.places import SchemaPlace, find_places, used_places
from kiezbruecke.drift.records import RecordPlace, record_places
from kiezbruecke.drift.services import Service, read_service
from kiezbruecke.errors import ConfigurationError
from kiezbruecke.mapping import Mapping as RuleMapping
from kiezbruecke.mapping.codelists.reading import code_file, translation_file
from kiezbruecke.mapping.codelists.writing import flow
from kiezbruecke.plain_yaml import read_yaml

NAME = "fingerprint.yaml"
MAX_BYTES = 2 * 1024 * 1024
_HEAD = "# What this mapping was built on, as accepted by 'kiezbruecke drift accept'. Names and kinds, no values.\n"


@dataclass(frozen=True)
class Fingerprint:
    """What a mapping relies on. `built_on` is one digest over the files that decide target, service and code lists."""

    built_on: str = ""
    target: str = ""
    places: Mapping[str, SchemaPlace] = field(default_factory=dict)
    service: Service | None = None
    lists: Mapping[str, ListPrint] = field(default_factory=dict)
    samples: int = 0  # how many items the source's shape was learnt from
    source: Mapping[str, Field] = field(default_factory=dict)
    record: Mapping[str, RecordPlace] = field(default_factory=dict)  # of one's own, as its schema has it


def fingerprint_file(mapping: RuleMapping, content: Path) -> Path:
    """Where a mapping's accepted fingerprint lies."""
    return content / "mappings" / mapping.direction / mapping.name / NAME


def take(mapping: RuleMapping, content: Path, bodies: Iterable[Any] = ()) -> Fingerprint:
    """The fingerprint of what is there now. `bodies` are items' bodies as rules read them: JSON, rows, XML roots."""
    items = list(bodies)
    own = mapping.goal.kind != "record"  # what a record is, our own code decides
    wsdl = service_file(mapping, content)
    return Fingerprint(
        built_on(mapping, content),
        mapping.target,
        find_places(mapping.goal.root, used_places(mapping)) if own else {},
        read_service(wsdl) if wsdl else None,
        list_prints(mapping, content),
        len(items),
        learn(items, list(read_paths(mapping.plan))),
        record_places(mapping),
    )


def built_on(mapping: RuleMapping, content: Path) -> str:
    """One digest over the files that decide the target's shape, its service, its code lists, a record of one's own."""
    wsdl = service_file(mapping, content)
    lists = [translation_file(content, name) for name in sorted({one.list for one in mapping.lists.translations})]
    lists += [code_file(content, name) for name in sorted(mapping.lists.codes)]
    own = mapping.shape.files if mapping.direction == "outbound" else ()
    found = hashlib.sha256(mapping.target.encode())
    for file in (*mapping.goal.files, *((wsdl,) if wsdl else ()), *lists, *own):
        found.update(hashlib.sha256(file.read_bytes()).digest())
    return found.hexdigest()


def is_as_accepted(mapping: RuleMapping, content: Path) -> bool:
    """Whether the files are those that were accepted, or nothing was accepted: two lines are read, in every run."""
    wanted = f"built_on: {flow(built_on(mapping, content))}\n"
    try:
        with fingerprint_file(mapping, content).open(encoding="utf-8") as handle:
            return wanted in islice(handle, 2)
    except FileNotFoundError:
        return True
    except (OSError, UnicodeDecodeError):
        return False  # `read_fingerprint` says what is wrong with it


def service_file(mapping: RuleMapping, content: Path) -> Path | None:
    """The WSDL beside the target's profile, if there is one."""
    words = mapping.target.split()
    if mapping.goal.kind != "standard" or len(words) < 2:
        return None
    return next(iter(sorted((content / "schemas" / words[0] / words[1]).glob("*.wsdl"))), None)


def read_fingerprint(mapping: RuleMapping, content: Path) -> Fingerprint | None:
    """The accepted fingerprint, None where nothing was accepted yet; raises ConfigurationError."""
    file = fingerprint_file(mapping, content)
    try:
        size = file.stat().st_size
    except FileNotFoundError:
        return None
    if size > MAX_BYTES:
        raise ConfigurationError("the fingerprint is too large", where=str(file), expected=f"{MAX_BYTES} bytes")
    try:
        return _read(read_yaml(file))
    except (ConfigurationError, OSError, TypeError, KeyError, AttributeError, ValueError):
        helps = f"kiezbruecke drift accept {mapping.name}"
        raise ConfigurationError("the fingerprint cannot be read", where=str(file), helps=helps) from None


def render(fingerprint: Fingerprint) -> str:
    """The file's text: sorted, one place a line, so that a difference can be read."""
    lines = [_HEAD.rstrip(), f"built_on: {flow(fingerprint.built_on)}"]
    if fingerprint.places:
        lines += ["target:", f"  of: {flow(fingerprint.target)}", "  places:", *_lines(fingerprint.places, 4)]
    if fingerprint.service:
        service = fingerprint.service
        lines += ["service:", f"  digest: {flow(service.digest)}", "  operations:"]
        lines += [f"    {flow(name)}: {flow(dict(parts))}" for name, parts in sorted(service.operations.items())]
        lines += ["  places:", *_lines(service.places, 4)]
    if fingerprint.lists:
        lines.append("lists:")
        for name, one in fingerprint.lists.items():
            body = one.as_dict()
            entries = body.pop("entries")
            lines += [f"  {flow(name)}:", *(f"    {key}: {flow(body[key])}" for key in body), "    entries:"]
            lines += [f"      {flow(key)}: {flow(text)}" for key, text in entries.items()]
    if fingerprint.record:
        lines += ["record:", *_lines(fingerprint.record, 2)]
    if fingerprint.source:
        lines += ["source:", f"  samples: {fingerprint.samples}", "  fields:", *_lines(fingerprint.source, 4)]
    return "\n".join(lines) + "\n"


def _lines(
    parts: Mapping[str, SchemaPlace] | Mapping[str, Field] | Mapping[str, RecordPlace], indent: int
) -> list[str]:
    return [f"{' ' * indent}{flow(path)}: {flow(parts[path].as_dict())}" for path in sorted(parts)]


def _read(body: Any) -> Fingerprint:
    target, source = body.get("target", {}), body.get("source", {})
    service = body.get("service")
    return Fingerprint(
        body["built_on"],
        target.get("of", ""),
        _places(target.get("places", {})),
        Service(service["digest"], service["operations"], _places(service["places"])) if service else None,
        {name: ListPrint(**{**one, "entries": one["entries"] or {}}) for name, one in body.get("lists", {}).items()},
        int(source.get("samples", 0)),
        {path: Field(**{**one, "kinds": tuple(one["kinds"])}) for path, one in source.get("fields", {}).items()},
        {
            path: RecordPlace(**{**one, "values": tuple(one.get("values", ()))})
            for path, one in body.get("record", {}).items()
        },
    )


def _places(body: Mapping[str, Any]) -> dict[str, SchemaPlace]:
    return {path: SchemaPlace(**{**one, "values": tuple(one.get("values", ()))}) for path, one in body.items()}
