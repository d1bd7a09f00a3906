"""A mapping that is ready for use: read, checked, its code lists and its target's schema at hand."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterable, Iterator
from collections.abc import Mapping as Roots
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import cached_property, reduce
from operator import itemgetter
from pathlib import Path
from typing import Any

from kiezbruecke.connector import Item
from kiezbruecke.errors import ConfigurationError, RecordError
from kiezbruecke.foreign_json import read_json
from kiezbruecke.mapping.bind import bind
from kiezbruecke.mapping.codelists.reading import code_file, read_codes, read_translation, translation_file
from kiezbruecke.mapping.compile import (
    Compiled,
    CompiledRecord,
    Declined,
    compile_mapping,
    compile_record,
    straight,
    straight_record,
)
from kiezbruecke.mapping.interpret.draft import NodeDraft, placed
from kiezbruecke.mapping.interpret.interpreter import Lists, make_draft
from kiezbruecke.mapping.interpret.json import JsonWriter
from kiezbruecke.mapping.interpret.namespaces import with_prefixes
from kiezbruecke.mapping.interpret.record import make_record
from kiezbruecke.mapping.interpret.sources import Scope
from kiezbruecke.mapping.interpret.table import write_line, written_cells
from kiezbruecke.mapping.interpret.xml import XmlWriter
from kiezbruecke.mapping.language.composing import MAX_BYTES
from kiezbruecke.mapping.language.definition import Definition, Direction, Lookup, Rule
from kiezbruecke.mapping.language.findings import NotAMapping
from kiezbruecke.mapping.language.groups import expand
from kiezbruecke.mapping.language.overlay import broken_chain, merge, unknown_base
from kiezbruecke.mapping.language.reading import Reading, examine_definition
from kiezbruecke.mapping.lineage import RuleLine, Trace, Written, rule_lines
from kiezbruecke.mapping.plan import Plan
from kiezbruecke.mapping.schema.sources import ItemShape, find_shape, fraction, own_root, roots_of, source_types
from kiezbruecke.mapping.schema.targets import TargetSchema, find_target
from kiezbruecke.mapping.wording import Why
from kiezbruecke.records import Record
from kiezbruecke.standards import store
from kiezbruecke.standards.store import NotValid, parse

_ABSTRACT = re.compile(rb"^abstract:[ \t]*[\"']?true\b", re.MULTILINE)
DIRECTIONS: tuple[Direction, ...] = ("inbound", "outbound")
_BESIDE_A_CODE = frozenset({"@listURI", "@listVersionID", "name"})


@dataclass(frozen=True, eq=False)
class Mapping:
    """A mapping as `mappings/<direction>/<name>/mapping.yaml` says it.

    `digest` changes with everything that decides what it writes: the file, its code lists, its target's schema.
    """

    definition: Definition
    lists: Lists
    goal: TargetSchema
    digest: str
    files: tuple[Path, ...] = field(repr=False)
    content: Path = field(repr=False)
    shape: ItemShape = field(repr=False)
    plan: Plan = field(repr=False)

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
        """The bytes of a valid message, or of a table's line; raises RecordError where a value cannot be used."""
        try:
            return self._judged(self.compiled.write(roots))
        except (Declined, NotValid):
            return self.interpreted(roots)

    def interpreted(self, roots: Scope) -> bytes:
        """The same bytes by the interpreter's hand alone, who finds the words for what cannot be written."""
        return self._traced(roots)[0]

    def write_traced(self, roots: Scope) -> tuple[bytes, Trace]:
        """The same bytes, and what was read for them: rule numbers and texts by rule; raises RecordError."""
        trace: list[tuple[int, str]] = []
        try:
            return self._judged(self._compiled_traced.write(roots, trace)), _by_rule(trace)
        except (Declined, NotValid):
            payload, written = self._traced(roots)
            return payload, _by_rule((one.rule, one.text) for one in written if one.read)

    def lineage_of(self, roots: Scope) -> list[Written]:
        """Every text of the message with its rule and its place, in the order of writing; raises RecordError."""
        return self._traced(roots)[1]

    def read(self, item: Item | Roots[str, Any] | bytes, roots: Scope) -> Record:
        """The record of an item (or its body); raises RecordError where a value cannot be used."""
        if self.goal.model is None:
            raise ConfigurationError(f"'{self.name}' makes a {self.target}", where=self.file, helps="use write()")
        scope = self.scope(item, roots)
        try:
            return self._straight_record.read(scope)
        except Declined:
            return make_record(self.goal.model, self.draft(scope), self.file)

    def faults(self, item: Item | Roots[str, Any] | bytes, roots: Scope) -> list[RecordError]:
        """Everything for which `read` would refuse an item, not only the first; empty where it would not."""
        found: list[RecordError] = []
        try:
            scope = self.scope(item, roots)
            make_draft(self.plan, self.lists, scope, lambda _, error: found.append(error))
            if not found:
                self.read(item, roots)
        except RecordError as error:
            found.append(error)
        return found

    def draft(self, roots: Scope) -> NodeDraft:
        """The target being filled, before it is written: for previews."""
        return make_draft(self.plan, self.lists, roots)

    @cached_property
    def rule_lines(self) -> tuple[RuleLine, ...]:
        """What the numbers of the rules mean."""
        return rule_lines(self.plan)

    def uses(self, path: str) -> bool:
        """Whether a rule reads this path (`case.documents`), or one below it."""
        wanted = tuple(path.split("."))
        return any(names[: len(wanted)] == wanted for names in self._read)

    def filled_from(self, fields: Collection[str]) -> frozenset[str]:
        """The target's fields (of its first level) that rules fill from these fields of an item."""
        return frozenset(
            one.steps[0].name
            for one in self.plan.rules
            for read in one.reads
            if read.path.root == "item" and read.path.steps and read.path.steps[0].name in fields
        )

    @cached_property
    def _read(self) -> frozenset[tuple[str, ...]]:
        return frozenset(tuple(read.path.names.split(".")) for read in self.plan.reads)

    @property
    def file(self) -> str:
        """The mapping file, as errors name it."""
        return self.definition.places["name"].file

    def _traced(self, roots: Scope) -> tuple[bytes, list[Written]]:
        if self.goal.kind == "record":
            raise ConfigurationError(f"'{self.name}' makes a {self.target}", where=self.file, helps="use read()")
        written: list[Written] = []

        def wrote(draft: NodeDraft, text: str) -> None:
            if draft.by is not None and draft.value is not None:  # else the schema's own: fixed, or empty
                rule = draft.by.rule
                read = rule.source is not None and not (rule.code and draft.node.name in _BESIDE_A_CODE)
                written.append(Written(draft.by.number, draft.path, text, read=read))

        draft = self.draft(roots)
        if self.goal.table is None:
            return self._named(replace(self._writer, wrote=wrote).write(draft), draft), written
        line = write_line(self.goal.table, draft)
        for cell, text in written_cells(self.goal.table, draft):
            wrote(cell, text)
        return line, written

    def _judged(self, payload: bytes) -> bytes:
        """The message, asked of its schemas; raises NotValid. JSON and tables were judged while they were written."""
        if self.checker is not None:
            self.checker.check(payload)
        return payload

    def _named(self, payload: bytes, draft: NodeDraft) -> bytes:
        """The same; what no rule alone could know – a key that stands twice – is said of the rule that wrote it."""
        try:
            return self._judged(payload)
        except NotValid as error:
            why = Why.REFUSED(error.rule, error.where)
            raise placed(draft, error.steps).problem(why, file=self.file) from None

    def explain(self) -> str:
        """The generated code; raises Uncompilable where only the interpreter knows a way."""
        if self.goal.model is not None:
            return compile_record(self.definition, self.plan, self.goal, self.lists).source
        return compile_mapping(self.definition, self.plan, self.goal, self.lists).source

    @cached_property
    def compiled(self) -> Compiled:
        """The compiled form. What it writes is a message only once the schema has seen it: see `write`."""
        return straight(self.definition, self.plan, self.goal, self.lists, self.digest)

    @cached_property
    def _straight_record(self) -> CompiledRecord:
        return straight_record(self.definition, self.plan, self.goal, self.lists, self.digest)

    @cached_property
    def _compiled_traced(self) -> Compiled:
        return straight(self.definition, self.plan, self.goal, self.lists, self.digest, traced=True)

    @cached_property
    def checker(self) -> store.Checker | None:
        """What an XML message is checked against: our profile and the official schema, as far as they are there."""
        return store.checker(self.content, *self._standard) if self._standard else None

    @property
    def official(self) -> Path | None:
        """Where the official schema lies now."""
        return store.official(self.content, *self._standard) if self._standard else None

    @property
    def _standard(self) -> tuple[str, str] | None:
        standard, version = self.target.split()[:2]
        return (standard, version) if self.goal.kind == "standard" else None

    @cached_property
    def _writer(self) -> XmlWriter | JsonWriter:
        if self.goal.json is not None:
            return JsonWriter(self.goal.json, self.file)
        return XmlWriter(self.goal.prefixes, self.file)

    def scope(self, item: Item | Roots[str, Any] | bytes, roots: Scope) -> Scope:
        """The roots with the item among them, its body read."""
        if not isinstance(item, Item):
            return {**roots, "item": self._body(item)}
        known = {"external_id": item.external_id, "kind": item.kind, "raw_ref": item.raw_ref}
        return {**roots, "item": self._body(item.body), "envelope": {**known, **roots.get("envelope", {})}}

    def roots_of(self, record: Any, *, number: int = 1) -> dict[str, Any]:
        """What an outbound mapping with a source of its own reads of a record; bytes are read. Raises RecordError."""
        body = self._body(record) if isinstance(record, bytes) else record
        return roots_of(body, self.definition, self.shape, number=number)

    @property
    def own(self) -> str:
        """The root that its source speaks of; empty where it reads our cases alone."""
        return own_root(self.definition)

    def _body(self, body: Roots[str, Any] | bytes) -> Any:
        if not isinstance(body, bytes):
            return self.shape.keyed(body)
        if self.definition.source.kind == "xml":
            return parse(body, "Rückmeldung" if self.direction == "inbound" else "Satz")
        number = Decimal if self.direction == "inbound" else fraction
        try:
            return self.shape.keyed(read_json(body, number=number))
        except ValueError:
            raise RecordError("ist kein lesbares JSON", where="Eintrag") from None


def _by_rule(pairs: Iterable[tuple[int, str]]) -> Trace:
    """A trace in the rules' order; both ways of writing give the same."""
    return tuple(sorted(pairs, key=itemgetter(0)))


def mapping_file(name: str, content: Path) -> tuple[Path, Direction]:
    """Where a mapping lies, and its direction; raises ConfigurationError."""
    for direction in DIRECTIONS:
        file = content / "mappings" / direction / name / "mapping.yaml"
        if Path(name).name == name and file.exists():  # a folder of this name is a finding, not an unknown name
            return file, direction
    raise ConfigurationError(
        f"no mapping is called '{name}'", where="mappings", expected=", ".join(mapping_names(content))
    )


def mapping_names(content: Path, *, abstract: bool = False) -> list[str]:
    """The names of all mappings, sorted; `abstract` – also of bases that are no whole mappings."""
    files = (content / "mappings").glob("*bound/*/mapping.yaml")
    return sorted(file.parent.name for file in files if abstract or not _is_abstract(file))


def _is_abstract(file: Path) -> bool:
    """Whether the header says so; a file that is too large or no file is some finding's matter."""
    if not file.is_file() or file.stat().st_size > MAX_BYTES:
        return False
    return _ABSTRACT.search(file.read_bytes()) is not None


def read_mapping_file(name: str, content: Path) -> Definition:
    """The definition alone, upon its bases; raises ConfigurationError or NotAMapping."""
    reading = examine_mapping_file(name, content)
    if reading.findings:
        raise NotAMapping(reading.findings)
    return reading.definition


def examine_mapping_file(name: str, content: Path) -> Reading:
    """A mapping upon its bases, as far as all of them can be understood; raises ConfigurationError or NotAMapping."""
    chain = list(_chain(name, content, ()))
    groups = {key: group for reading in chain for key, group in reading.definition.groups.items()}
    roots = frozenset(root for reading in chain for root in reading.definition.roots)
    return reduce(merge, (expand(reading, groups, roots) for reading in chain))


def _chain(name: str, content: Path, above: tuple[str, ...]) -> Iterator[Reading]:
    """The mapping as it was read, its bases before it."""
    file, direction = mapping_file(name, content)
    own = examine_definition(file, file.relative_to(content).as_posix(), direction)
    base = own.definition.extends
    if not base:
        yield own
        return
    if base in (*above, name):
        raise NotAMapping([broken_chain(own.definition, (*above, name))])
    known = mapping_names(content, abstract=True)
    if base not in known:
        raise NotAMapping([*own.findings, unknown_base(own.definition, known)])
    yield from _chain(base, content, (*above, name))
    yield own


def assemble(definition: Definition, target: TargetSchema, content: Path, shape: ItemShape, plan: Plan) -> Mapping:
    """Put a checked definition together with its plan, its lists and its target."""
    file, _ = mapping_file(definition.name, content)
    rules = [one.rule for one in plan.rules]
    bases = (mapping_file(base, content)[0] for base in definition.bases)
    files = (file, *bases, *target.files, *shape.files, *_list_files(rules, content))
    lists, digest = _lists(rules, content), _digest(files, definition)
    return Mapping(definition, lists, target, digest, files, content, shape, plan)


def with_lists(mapping: Mapping, lists: Roots[str, str]) -> Mapping:
    """The same mapping with other code lists in the place of those that it names; itself if it names none of them."""
    rules = _renamed(mapping.definition.rules, lists)
    if rules == mapping.definition.rules:
        return mapping
    return bound_anew(replace(mapping.definition, rules=rules), mapping.goal, mapping.content)


def bound_anew(definition: Definition, target: TargetSchema, content: Path) -> Mapping:
    """A definition with its plan, whatever a check would say of it."""
    shape = find_shape(definition.source, content)
    plan = bind(definition.rules, target.root, source_types(definition, shape))
    return assemble(definition, target, content, shape, plan)


def _renamed(rules: tuple[Rule, ...], lists: Roots[str, str]) -> tuple[Rule, ...]:
    return tuple(
        replace(rule, codelist=lists.get(rule.codelist or "", rule.codelist), rules=_renamed(rule.rules, lists))
        for rule in rules
    )


def find_goal(definition: Definition, content: Path) -> TargetSchema:
    """The target that the definition names; the error says where the definition names it."""
    try:
        return with_prefixes(find_target(definition.target, content), definition)
    except ConfigurationError as error:
        where = str(definition.places["target"])
        helps = error.helps or (f"see {error.where}" if error.where else "")
        raise ConfigurationError(error.what, where=where, expected=error.expected, helps=helps) from None


def _lists(rules: list[Rule], content: Path) -> Lists:
    return Lists(
        {one: read_translation(content, one.list, one.column, folds=one.fold) for one in _lookups(rules)},
        {rule.code.list: read_codes(content, rule.code.list) for rule in rules if rule.code},
    )


def _lookups(rules: list[Rule]) -> set[Lookup]:
    return {rule.lookup for rule in rules if rule.lookup}


def _list_files(rules: list[Rule], content: Path) -> list[Path]:
    files = {translation_file(content, rule.codelist) for rule in rules if rule.codelist}
    return sorted(files | {code_file(content, rule.code.list) for rule in rules if rule.code})


def _digest(files: tuple[Path, ...], definition: Definition) -> str:
    found = hashlib.sha256(definition.target.encode())
    for file in files:
        found.update(hashlib.sha256(file.read_bytes()).digest())
    return found.hexdigest()
