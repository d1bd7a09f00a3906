"""What of the sources no rule reads though it must travel, what is declared in vain, and what no example holds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from kiezbruecke.mapping.bind import UnknownPath, type_at
from kiezbruecke.mapping.check.conditions import always_there
from kiezbruecke.mapping.check.example_paths import Bodies, form_of, read_bodies, seen_paths
from kiezbruecke.mapping.check.report import CheckReport
from kiezbruecke.mapping.language.definition import Definition
from kiezbruecke.mapping.language.findings import meant, nearest
from kiezbruecke.mapping.language.paths import SourcePath, SourceStep
from kiezbruecke.mapping.plan import Plan
from kiezbruecke.mapping.schema.models import LOST, Type
from kiezbruecke.mapping.schema.sources import own_root

ONLY_INBOUND = frozenset({"item", "envelope"})
_DEEP = 6
_INSTEAD = {
    "XML": "source: xml, or <standard> <version> <element>",
    "lines of a sheet": "source: table <name>",
    "JSON": "source: json, or json <name>",
}
_SHOWN = 12


def check_sources(
    definition: Definition, plan: Plan, types: Mapping[str, Type], report: CheckReport, lacking: int = 0
) -> None:
    """Warnings about sources as a whole. `lacking` counts the rules that are not there, or could not be read: each of
    them may be the one that was to read what nobody reads; so may each that is wrong, but its root is known.
    """
    wrong = len({one.rule for one in report.findings if one.severity == "error" and one.rule})
    found = plan.reads
    read = {one.path.names for one in found}
    unknown = {one.place for one in plan.findings if one.code == "KB-M08"}
    astray = [one.path.names for one in found if one.place in unknown]
    left_out = _left_out(definition, types, read, {one.path.root for one in found}, report)
    if not definition.abstract:
        roots = {one.path.root for one in found} | {meant(path.partition(".")[0], types) for path in astray}
        _unused_roots(definition, types, roots, report, lacking)
        _must_travel(definition, types, read, left_out, report, lacking + wrong)


def check_against_examples(
    definition: Definition, plan: Plan, types: Mapping[str, Type], content: Path, report: CheckReport
) -> None:
    """What an open source holds is known by its examples, and by the answers that `drift accept` has looked at."""
    own = read_bodies(definition, content, [definition.name])
    bodies = own + read_bodies(definition, content, definition.bases)
    for root in (own_root(definition), "route"):
        if (known := types.get(root)) and known is not LOST and known.below is None:
            _unseen(plan, root, seen_paths(definition, content, bodies, root), report)
    _form(definition, own, report)


def always_read(definition: Definition, types: Mapping[str, Type]) -> str:
    """A path of the mapping's own roots that is always there, for a condition that always holds; "" for none."""
    roots = sorted(definition.roots, key=lambda root: root != "message")
    for root in roots:
        fields = types[root].below if root in types and not types[root].nullable else None
        for name in fields.names() if fields else ():
            found = fields.field(name) if fields else None
            if found and found.kind in {"text", "any"} and found.whole is None and always_there(found):
                return f"{root}.{name}"
    return ""


def _left_out(
    definition: Definition, types: Mapping[str, Type], read: set[str], roots: set[str], report: CheckReport
) -> set[str]:
    """The fields that the header names as unused; one that is not there, or that a rule reads, is a mistake.

    A root that is missing is a rule's mistake first, where one reads it.
    """
    for text in definition.unused:
        place = definition.places.get(f"unused.{text}", definition.places.get("unused", definition.places["name"]))
        root, *below = text.split(".")
        try:
            type_at(SourcePath(root, tuple(map(SourceStep, below)), text), types)
        except UnknownPath as unknown:
            if root in types or root not in roots:
                report.error(place, "KB-M08", unknown.message, unknown.expected, unknown.helps)
            continue
        if text in read and place.file == definition.file:  # an overlay may well read what its base leaves out
            message = f"'{text}' is named as unused, but a rule reads it"
            report.warning(place, "KB-M19", message, "one of the two", "leave it out here, or drop the rule")
    return set(definition.unused)


def _unused_roots(
    definition: Definition, types: Mapping[str, Type], read: set[str], report: CheckReport, lacking: int
) -> None:
    idle = [root for root in definition.roots if root in types and root not in read]
    for root in idle if len(idle) > lacking else ():
        place = definition.places.get(f"roots.{root}", definition.places["roots"])
        told = any(one.place == place for one in report.findings)
        if place.file == definition.file and not told:
            report.warning(place, "KB-M19", f"no rule reads the root '{root}'", "a rule that reads it, or no such root")


def _must_travel(
    definition: Definition,
    types: Mapping[str, Type],
    spoken: set[str],
    left_out: set[str],
    report: CheckReport,
    lacking: int,
) -> None:
    """Mandatory fields of a typed item, and the marked ones of our records."""
    for root in definition.roots:
        if root not in types or not _touched(root, spoken | left_out):
            continue
        place = definition.places.get(f"roots.{root}", definition.places["roots"])
        lost = list(_lost(types[root], root, spoken, left_out))
        if len(lost) > lacking:
            shown = ", ".join(lost[:_SHOWN]) + (", …" if len(lost) > _SHOWN else "")
            message = f"no rule reads {shown}, which must not be lost"
            helps = f"or leave out on purpose: unused: [{shown}]"
            report.warning(place, "KB-M20", message, f"from: {lost[0]}", helps)


def _lost(owner: Type, path: str, spoken: set[str], left_out: set[str], depth: int = 0) -> Iterator[str]:
    """What must travel and nobody speaks about; a branch that nobody speaks about is named as a whole."""
    fields = owner.below
    if fields is None or depth > _DEEP:
        return
    for name in fields.names():
        found, below = fields.field(name), f"{path}.{name}"
        if found is None or below in left_out or not (found.must_travel or found.sure):
            continue
        if below in spoken and found.whole is None:  # who goes through a list has not read what its members hold
            continue
        if not _touched(below, spoken | left_out):  # who leaves all its fields out, leaves it out
            yield below
        elif found.whole is not None:
            yield from _lost(found, below, spoken, left_out, depth + 1)


def _touched(path: str, spoken: set[str]) -> bool:
    """Whether something below a path is read."""
    return any(one == path or one.startswith(f"{path}.") for one in spoken)


def _form(definition: Definition, bodies: Bodies, report: CheckReport) -> None:
    """A mapping that reads JSON or a sheet's line where XML arrives, or the other way round, reads nothing."""
    place = definition.places.get("source", definition.places["roots"])
    own = own_root(definition)
    if not own or place.file != definition.file:
        return
    forms = {form_of(body[own]) for body in bodies if body.get(own) is not None}
    if forms == {"JSON"} and definition.source.shape:  # what is known to be XML may be written shorter
        return
    if len(forms) == 1 and (definition.source.kind == "xml") != (forms == {"XML"}):
        [given] = forms
        message = f"the source is {definition.source.kind}, but what the examples give it is {given}"
        report.error(place, "KB-M03", message, _INSTEAD[given])


def _unseen(plan: Plan, root: str, held: set[str], report: CheckReport) -> None:
    """A path that none of them holds gives nothing, for ever."""
    # a line of a group reads several paths, and no example is as deep as a group may go: one of them is enough
    proven = {read.place for read in plan.reads if read.path.root == root and read.path.names in held}
    for one, read in [(bound, read) for bound in plan.rules for read in bound.reads]:
        text = read.path.names
        told = not read.path.steps or text in held or read.place in proven
        if held and read.path.root == root and not told:
            report.rule = one.target
            expected = f"one of {', '.join(sorted(held)[:_SHOWN])}"
            helps = nearest(text, held) or 'give an example this value, or say accept: {KB-M21: "why"}'
            report.error(read.place, "KB-M21", f"no example holds '{text}'", expected, helps)
    report.rule = ""
