"""Who uses a code list: rules of mappings, and processes whose areas it holds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from kiezbruecke.errors import ConfigurationError
from kiezbruecke.mapping.language.definition import Definition, Rule
from kiezbruecke.mapping.language.findings import NotAMapping, Place
from kiezbruecke.mapping.language.reading import read_definition
from kiezbruecke.mapping.language.walking import all_rules
from kiezbruecke.plain_yaml import read_yaml


@dataclass(frozen=True, slots=True)
class ListUse:
    """One place that names a code list (the file's name with its ending). `code` is the code that stands there.

    A rule that reads its code from a source has no `code`: which ones come is only known when they come.
    """

    list: str
    user: str
    place: Place
    rule: str = ""
    code: str | None = None
    exact: bool = False  # of a translation: case and blanks matter


def find_uses(content: Path) -> list[ListUse]:
    """All places that name a list. A mapping that cannot be read is left to its own check."""
    return [*_mappings(content), *_processes(content)]


def _mappings(content: Path) -> list[ListUse]:
    found: list[ListUse] = []
    for direction in ("inbound", "outbound"):
        for file in sorted((content / "mappings" / direction).glob("*/mapping.yaml")):
            try:
                definition = read_definition(file, file.relative_to(content).as_posix(), direction)
            except NotAMapping:
                continue
            user = file.parent.name
            for rule in _rules(definition):
                if rule.codelist:
                    place, target = rule.at("codelist"), str(rule.target)
                    found.append(ListUse(f"{rule.codelist}.csv", user, place, target, exact=not rule.fold))
                if rule.code:
                    code = rule.code.value
                    found.append(ListUse(f"{rule.code.list}.yaml", user, rule.code.place, str(rule.target), code))
    return found


def _rules(definition: Definition) -> Iterator[Rule]:
    """Every rule as it is written, those of groups among them."""
    for rules in (definition.rules, *(group.rules for group in definition.groups.values())):
        yield from all_rules(rules)


def _processes(content: Path) -> list[ListUse]:
    found = []
    for file in sorted((content / "mappings" / "processes").glob("*.yaml")):
        try:
            body = read_yaml(file)
        except ConfigurationError:
            continue
        if body.get("areas"):
            place = Place(file.relative_to(content).as_posix())
            own = body.get("codelists")
            names = dict.fromkeys([body["areas"], *(own.values() if isinstance(own, dict) else ())])
            found += [ListUse(f"{name}.csv", file.stem, place) for name in names]
    return found
