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
from kiezbruecke.mapping.check.whole import check_mapping
from kiezbruecke.mapping.codelists.reading import read_codes
from kiezbruecke.mapping.language.definition import Direction
from kiezbruecke.mapping.language.findings import Finding, nearest
from kiezbruecke.mapping.language.paths import TargetPath
from kiezbruecke.mapping.language.walking import all_rules
from kiezbruecke.mapping.loading import mapping_names, read_mapping_file
from kiezbruecke.mapping.schema.models import known_roots
from kiezbruecke.mapping.schema.targets import TargetSchema, find_target
from kiezbruecke.workbench.editor import editor_line
from kiezbruecke.workbench.guessing import Guesser
from kiezbruecke.workbench.invented import input_text
from kiezbruecke.workbench.scaffold_rules import TODO, RuleWriter, scalar

ROOTS: dict[Direction, tuple[str, ...]] = {
    "inbound": ("item", "envelope", "process"),
    "outbound": ("case", "decision", "message", "route"),
}
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,79}")
_SHOWN = 12


@dataclass(frozen=True)
class ScaffoldRequest:
    """What is asked for. `opened`: optional places to be written too; `optional`: list the others."""

    name: str
    target: str
    roots: tuple[str, ...] = ()
    direction: Direction | None = None
    opened: tuple[str, ...] = ()
    optional: bool = False


def new_mapping(request: ScaffoldRequest, content: Path) -> Path:
    """Write the mapping and its examples; returns the mapping's file.

    Raises ConfigurationError where the name is taken or unfit, or the target, a root or an opened place unknown.
    """
    target = find_target(request.target, content)
    direction: Direction = "inbound" if target.kind == "record" else "outbound"
    _refuse(request, content, direction)
    roots = request.roots or ROOTS[direction]
    folder = content / "mappings" / direction / request.name
    text = _header(request, direction, roots, target) + _rules(request, content, target, roots)
    with whole_folder(folder):  # half a mapping would be loaded by the next run
        _write_whole(folder, f"{editor_line(folder, content)}\n{text}", roots, content)
    return folder / "mapping.yaml"


def _write_whole(folder: Path, text: str, roots: tuple[str, ...], content: Path) -> None:
    write_file(folder / "mapping.yaml", text)
    rules_read = all_rules(read_mapping_file(folder.name, content).rules)
    read = [path.text for rule in rules_read for path in (rule.source, rule.each) if path]
    for case in ("full", "minimal"):
        write_file(folder / "examples" / case / "input.yaml", input_text(roots, read, full=case == "full"))
    _mark_roots(folder / "mapping.yaml", check_mapping(folder.name, content))


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
    for root in request.roots:
        if root not in known_roots():
            helps = nearest(root, known_roots())
            raise ConfigurationError(f"there is no root '{root}'", expected=", ".join(known_roots()), helps=helps)


def _header(request: ScaffoldRequest, direction: Direction, roots: tuple[str, ...], target: TargetSchema) -> str:
    reads = f"reads: [{target.model.kind}]\n" if target.model is not None else ""
    return (
        f"# Written by `kiezbruecke mapping new`. What is left to do: kiezbruecke mapping check {request.name}\n"
        f"name: {request.name}\nversion: 1\ntitle: {scalar(request.name)}\ndirection: {direction}\n{reads}"
        f"roots: [{', '.join(roots)}]\ntarget: {request.target}\nrules:\n"
    )


def _rules(request: ScaffoldRequest, content: Path, target: TargetSchema, roots: tuple[str, ...]) -> str:
    opened = _opened(request.opened, target)
    lists = [read_codes(content, file.stem) for file in sorted((content / "mappings/codelists").glob("*.yaml"))]
    writer = RuleWriter(opened, tuple(lists), optional=request.optional)
    writer.whole(target.root, Guesser(roots))
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
