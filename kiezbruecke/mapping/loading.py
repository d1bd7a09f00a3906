"""A mapping that is ready for use: read, checked, its code lists and its target's schema at hand."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping as Roots
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Any

from kiezbruecke.connector import Item
from kiezbruecke.errors import ConfigurationError, RecordError
from kiezbruecke.mapping.codelists.reading import code_file, read_codes, read_translation, translation_file
from kiezbruecke.mapping.interpret.draft import Draft
from kiezbruecke.mapping.interpret.interpreter import Lists, make_draft
from kiezbruecke.mapping.interpret.record import make_record
from kiezbruecke.mapping.interpret.sources import Scope
from kiezbruecke.mapping.interpret.table import write_line
from kiezbruecke.mapping.interpret.xml import XmlWriter
from kiezbruecke.mapping.language.definition import Definition, Direction, Rule, all_rules
from kiezbruecke.mapping.language.reading import read_definition
from kiezbruecke.mapping.schema.targets import Target, find_target
from kiezbruecke.records import Record
from kiezbruecke.standards.store import parse

DIRECTIONS: tuple[Direction, ...] = ("inbound", "outbound")


@dataclass(frozen=True, eq=False)
class Mapping:
    """A mapping as `mappings/<direction>/<name>/mapping.yaml` says it.

    `digest` changes with everything that decides what it writes: the file, its code lists, its target's schema.
    """

    definition: Definition
    lists: Lists
    goal: Target
    digest: str
    files: tuple[Path, ...] = field(repr=False)

    @property
    def name(self) -> str:
        """Its name, which is its folder's name."""
        return self.definition.name

    @property
    def version(self) -> int:
        """Its version; it grows with every change of meaning."""
        return self.definition.version

    @property
    def direction(self) -> Direction:
        """Inbound reads items, outbound writes messages."""
        return self.definition.direction

    @property
    def reads(self) -> tuple[str, ...]:
        """The kinds of items that it reads."""
        return self.definition.reads

    @property
    def target(self) -> str:
        """What it makes, as the file says it: `record Proposal`, `xdomea 4.0.0 Abgabe.Abgabe.0401`."""
        return self.definition.target

    def write(self, roots: Scope) -> bytes:
        """The bytes of a message or of a table's line; raises RecordError where a value cannot be used."""
        draft = self.draft(roots)
        if self.goal.table is not None:
            return write_line(self.goal.table, draft)
        if self.goal.kind == "record":
            raise ConfigurationError(f"'{self.name}' makes a {self.target}", where=self.file, helps="use read()")
        return self._writer.write(draft)

    def read(self, item: Item | Roots[str, Any] | bytes, roots: Scope) -> Record:
        """The record of an item (or its body); raises RecordError where a value cannot be used."""
        if self.goal.model is None:
            raise ConfigurationError(f"'{self.name}' makes a {self.target}", where=self.file, helps="use write()")
        return make_record(self.goal.model, self.draft(self.scope(item, roots)), self.file)

    def draft(self, roots: Scope) -> Draft:
        """The target being filled, before it is written: for previews."""
        return make_draft(self.goal.root, self.definition.rules, self.lists, roots)

    @property
    def file(self) -> str:
        """The mapping file, as errors name it."""
        return self.definition.places["name"].file

    @cached_property
    def _writer(self) -> XmlWriter:
        return XmlWriter(self.goal.prefixes, self.file)

    def scope(self, item: Item | Roots[str, Any] | bytes, roots: Scope) -> Scope:
        """The roots with the item among them, its body read."""
        if not isinstance(item, Item):
            return {**roots, "item": self._body(item)}
        known = {"external_id": item.external_id, "kind": item.kind, "raw_ref": item.raw_ref}
        return {**roots, "item": self._body(item.body), "envelope": {**known, **roots.get("envelope", {})}}

    def _body(self, body: Roots[str, Any] | bytes) -> Any:
        if not isinstance(body, bytes):
            return body
        if self.definition.source == "xml":
            return parse(body, "Rückmeldung")
        try:
            return json.loads(body, parse_float=Decimal)
        except ValueError:
            raise RecordError("ist kein lesbares JSON", where="Eintrag") from None


def mapping_file(name: str, content: Path) -> tuple[Path, Direction]:
    """Where a mapping lies, and its direction; raises ConfigurationError."""
    for direction in DIRECTIONS:
        file = content / "mappings" / direction / name / "mapping.yaml"
        if file.is_file() and Path(name).name == name:
            return file, direction
    raise ConfigurationError(
        f"no mapping is called '{name}'", where="mappings", expected=", ".join(mapping_names(content))
    )


def mapping_names(content: Path) -> list[str]:
    """The names of all mappings, sorted."""
    return sorted(file.parent.name for file in (content / "mappings").glob("*bound/*/mapping.yaml"))


def read_mapping_file(name: str, content: Path) -> Definition:
    """The definition alone; raises ConfigurationError or NotAMapping."""
    file, direction = mapping_file(name, content)
    return read_definition(file, file.relative_to(content).as_posix(), direction)


def assemble(definition: Definition, target: Target, content: Path) -> Mapping:
    """Put a checked definition together with its lists and its target."""
    file, _ = mapping_file(definition.name, content)
    rules = list(all_rules(definition.rules))
    files = (file, *target.files, *_list_files(rules, content))
    return Mapping(definition, _lists(rules, content), target, _digest(files, definition), files)


def find_goal(definition: Definition, content: Path) -> Target:
    """The target that the definition names; the error says where the definition names it."""
    try:
        return find_target(definition.target, content)
    except ConfigurationError as error:
        where = str(definition.places["target"])
        helps = error.helps or (f"see {error.where}" if error.where else "")
        raise ConfigurationError(error.what, where=where, expected=error.expected, helps=helps) from None


def _lists(rules: list[Rule], content: Path) -> Lists:
    return Lists(
        {rule.codelist: read_translation(content, rule.codelist) for rule in rules if rule.codelist},
        {rule.code.list: read_codes(content, rule.code.list) for rule in rules if rule.code},
    )


def _list_files(rules: list[Rule], content: Path) -> list[Path]:
    files = {translation_file(content, rule.codelist) for rule in rules if rule.codelist}
    return sorted(files | {code_file(content, rule.code.list) for rule in rules if rule.code})


def _digest(files: tuple[Path, ...], definition: Definition) -> str:
    found = hashlib.sha256(definition.target.encode())
    for file in files:
        found.update(hashlib.sha256(file.read_bytes()).digest())
    return found.hexdigest()
