"""Writes a new mapping from its target: every mandatory place, what the schema says about it, and a guess or a TODO.

target ──▶ mandatory places in document order ──▶ mappings/<direction>/<name>/mapping.yaml
                                                  └── examples/full, examples/minimal: invented input

`check` then lists what is left to do: `from: TODO` is an unknown source, `const: TODO` no allowed code.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from kiezbruecke.errors import ConfigurationError
from kiezbruecke.machine import whole_folder, write_file
from kiezbruecke.mapping.bind import bind
from kiezbruecke.mapping.check.whole import check_mapping
from kiezbruecke.mapping.codelists.reading import read_codes
from kiezbruecke.mapping.language.definition import SOURCES, Definition, Direction, ItemSource
from kiezbruecke.mapping.language.findings import Finding, nearest
from kiezbruecke.mapping.language.paths import TargetPath
from kiezbruecke.mapping.loading import find_goal, mapping_names, read_mapping_file
from kiezbruecke.mapping.schema.models import Type, is_root, known_roots, root_types
from kiezbruecke.mapping.schema.sources import find_shape, named_root, own_root, source_types
from kiezbruecke.mapping.schema.targets import TargetSchema, find_target
from kiezbruecke.workbench.editor import editor_line
from kiezbruecke.workbench.editor_sources import told_paths
from kiezbruecke.workbench.guessing import Guesser
from kiezbruecke.workbench.invented import input_text
from kiezbruecke.workbench.invented_records import invented_record
from kiezbruecke.workbench.scaffold_rules import TODO, RuleWriter, scalar

ROOTS: dict[Direction, tuple[str, ...]] = {
    "inbound": ("item", "envelope", "process"),
    "outbound": ("case", "decision", "message", "route"),
}
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,79}")
_SHOWN = 12
_FIELDS = 60  # of a source, above the rules
_WIDTH = 120


@dataclass(frozen=True)
class ScaffoldRequest:
    """What is asked for. `opened`: optional places to be written too; `optional`: list the others."""

    name: str
    target: str
    roots: tuple[str, ...] = ()
    direction: Direction | None = None
    opened: tuple[str, ...] = ()
    optional: bool = False
    source: str = ""  # what a record looks like that is none of ours, as the header says it

    def parsed_source(self) -> ItemSource | None:
        """The source, None where none is asked for; raises ConfigurationError."""
        try:
            return ItemSource.parse(self.source) if self.source else None
        except ValueError:
            raise ConfigurationError(f"'{self.source}' is no source", expected=SOURCES) from None


def new_mapping(request: ScaffoldRequest, content: Path) -> Path:
    """Write the mapping and its examples; returns the mapping's file.

    Raises ConfigurationError where the name is taken or unfit, or the target, a root or an opened place unknown.
    """
    target = find_target(request.target, content)
    direction: Direction = "inbound" if target.kind == "record" else "outbound"
    _refuse(request, content, direction)
    roots = request.roots or _roots(request, direction)
    types = _types(request, direction, roots, content)
    folder = content / "mappings" / direction / request.name
    header = _header(request, direction, roots, target, _fields(request, direction, types))
    text = header + _rules(request, content, target, types)
    with whole_folder(folder):  # half a mapping would be loaded by the next run
        _write_whole(folder, f"{editor_line(folder, content)}\n{text}", roots, content)
    return folder / "mapping.yaml"


def _write_whole(folder: Path, text: str, roots: tuple[str, ...], content: Path) -> None:
    write_file(folder / "mapping.yaml", text)
    definition = read_mapping_file(folder.name, content)
    target = find_goal(definition, content).root
    plan = bind(definition.rules, target, source_types(definition, find_shape(definition.source, content)))
    read = [one.path.names for one in plan.reads]
    for case in ("full", "minimal"):
        _write_example(folder / "examples" / case, definition, roots, read, content)
    _mark_roots(folder / "mapping.yaml", check_mapping(folder.name, content))


def _write_example(
    folder: Path, definition: Definition, roots: tuple[str, ...], read: list[str], content: Path
) -> None:
    """The input with what is read of each root; a record in XML stands in a file of its own."""
    own, full = own_root(definition), folder.name == "full"
    below = [path.removeprefix(f"{own}.") for path in read if path.startswith(f"{own}.")]
    record = invented_record(definition.source, content, below, full=full) if own else None
    if isinstance(record, bytes):
        write_file(folder / f"{own}.xml", record)
    records = {own: None if isinstance(record, bytes) else record} if record is not None else {}
    write_file(folder / "input.yaml", input_text(roots, read, full=full, records=records))


def _roots(request: ScaffoldRequest, direction: Direction) -> tuple[str, ...]:
    """What a mapping reads unless somebody says otherwise; with a source of its own, a record of that."""
    source = request.parsed_source()
    return (named_root(source),) if source is not None and direction == "outbound" else ROOTS[direction]


def _own(request: ScaffoldRequest, direction: Direction, roots: tuple[str, ...]) -> list[str]:
    """The roots that a source may speak of."""
    if direction == "inbound" or not request.source:
        return ["item"] if direction == "inbound" and "item" in roots else []
    return [root for root in roots if root == "item" or not is_root(root)]


def _types(request: ScaffoldRequest, direction: Direction, roots: tuple[str, ...], content: Path) -> dict[str, Type]:
    """The types of the roots, in their order; raises ConfigurationError where there is no such source."""
    types, source = root_types(roots), request.parsed_source()
    if source is not None:
        types |= dict.fromkeys(_own(request, direction, roots), find_shape(source, content).item)
    return {root: types[root] for root in roots}


def _mark_roots(file: Path, findings: list[Finding]) -> None:
    """Roots that no rule reads yet are something to do as well; `check` knows them."""
    lines = file.read_text("utf-8").splitlines()
    for number in {finding.place.line for finding in findings}:
        if lines[number - 1].startswith("roots: "):
            lines[number - 1] += f"  # {TODO}: not all is read that must be, see check"
    write_file(file, "\n".join(lines) + "\n")


def _refuse(request: ScaffoldRequest, content: Path, direction: Direction) -> None:
    if not _NAME.fullmatch(request.name):
        raise ConfigurationError(
            f"'{request.name}' is no name of a mapping", expected="small letters, digits and hyphens"
        )
    if request.name in mapping_names(content) or (content / "mappings" / direction / request.name).exists():
        raise ConfigurationError(f"there is already a mapping '{request.name}'", helps="choose another name")
    if request.direction not in (None, direction):
        raise ConfigurationError(
            f"'{request.target}' is not the target of an {request.direction} mapping", expected=direction
        )
    own = _own(request, direction, request.roots) if direction == "outbound" else []
    for root in request.roots:
        if own and root not in {own[0], "envelope"}:
            what = f"'{root}' is not there beside '{own[0]}', the record that --source speaks of"
            raise ConfigurationError(what, expected=f"--roots {own[0]}, or {own[0]},envelope")
        if not own and root not in known_roots():
            helps = nearest(root, known_roots()) or "--source makes it a record of your own"
            raise ConfigurationError(f"there is no root '{root}'", expected=", ".join(known_roots()), helps=helps)


def _fields(request: ScaffoldRequest, direction: Direction, types: dict[str, Type]) -> str:
    """What a record of the source has, as comment lines: whoever fills in a TODO looks there."""
    own = next(iter(_own(request, direction, tuple(types))), "") if request.source else ""
    paths = list((told_paths(own, types[own]) or {}).items()) if own else []
    lines = [_readable(f"#   {path}: {words}")[:_WIDTH] for path, words in paths[:_FIELDS]]
    rest = [f"#   and {len(paths) - _FIELDS} more, which the editor offers"] if len(paths) > _FIELDS else []
    return "".join(f"{line}\n" for line in (["# What a record has:", *lines, *rest] if lines else []))


def _readable(text: str) -> str:
    """What YAML cannot carry in a comment becomes a blank."""
    return "".join(sign if sign.isprintable() else " " for sign in text)


def _header(
    request: ScaffoldRequest, direction: Direction, roots: tuple[str, ...], target: TargetSchema, fields: str
) -> str:
    reads = f"reads: [{target.model.kind}]\n" if target.model is not None else ""
    source = f"source: {request.parsed_source()}\n" if request.source else ""
    return (
        f"# Written by `kiezbruecke mapping new`. What is left to do: kiezbruecke mapping check {request.name}\n"
        f"name: {request.name}\nversion: 1\ntitle: {scalar(request.name)}\ndirection: {direction}\n{reads}{source}"
        f"roots: [{', '.join(roots)}]\ntarget: {request.target}\n{fields}rules:\n"
    )


def _rules(request: ScaffoldRequest, content: Path, target: TargetSchema, types: dict[str, Type]) -> str:
    opened = _opened(request.opened, target)
    lists = [read_codes(content, file.stem) for file in sorted((content / "mappings/codelists").glob("*.yaml"))]
    writer = RuleWriter(opened, tuple(lists), optional=request.optional)
    writer.whole(target.root, Guesser(types))
    if not any(line.lstrip().startswith("- ") for line in writer.lines):
        raise ConfigurationError(
            f"nothing in '{request.target}' is mandatory",
            helps=f"--open {', '.join(list(target.root.children)[:_SHOWN])}",
        )
    return "\n".join(writer.lines).strip("\n") + "\n"


def _opened(paths: tuple[str, ...], target: TargetSchema) -> frozenset[str]:
    """The opened places with everything above them; raises ConfigurationError for one that the target does not have."""
    found: set[str] = set()
    for path in paths:
        node = target.root
        try:
            steps = TargetPath.parse(path).steps
        except ValueError:
            raise ConfigurationError(f"'{path}' is no target path", expected="A/B/@x") from None
        for number, step in enumerate(steps, 1):
            if step.name not in node.children:
                known = list(node.children)
                expected = ", ".join(known[:_SHOWN])
                raise ConfigurationError(
                    f"'{node.name}' has no '{step.name}'", expected=expected, helps=nearest(step.name, known)
                )
            node = node.children[step.name]
            found.add("/".join(one.name for one in steps[:number]))
    return frozenset(found)
