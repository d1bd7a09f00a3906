"""The mapping language: reads mapping.yaml into frozen rules; every finding knows file, line and column.

The file is read as a tree of positioned nodes, not as values: a scalar is the text that stands there, so
`0401` stays `0401` and `no` stays `no`. Anchors are refused, so a file cannot grow while it is read.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal, TypeVar

from ruamel.yaml import YAML
from ruamel.yaml.composer import Composer
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from kiezbruecke.mapping.language.definition import CodeUse, Definition, Direction, Rule, StepUse, When
from kiezbruecke.mapping.language.findings import Finding, Place, nearest
from kiezbruecke.mapping.language.paths import SourcePath, TargetPath

MAX_BYTES = 1_000_000
MAX_DEPTH = 60
HEADER = ("name", "version", "title", "note", "direction", "reads", "source", "roots", "target", "rules")
RULE = (
    "target", "from", "const", "code", "codelist", "default", "steps", "when",
    "each", "as", "rules", "required", "note", "pii", "legal_basis",
)  # fmt: skip
_NULL = "tag:yaml.org,2002:null"
_Parsed = TypeVar("_Parsed")


class NotAMapping(Exception):
    """The file is not well-formed; `findings` say where."""

    def __init__(self, findings: list[Finding]) -> None:
        self.findings = findings
        super().__init__(findings[0].line())


def read_definition(file: Path, shown: str, direction: Direction) -> Definition:
    """Read a mapping file; `shown` is its path as findings name it. Raises NotAMapping."""
    raw = _read_bytes(file, shown)
    reader = _Reader(shown)
    definition = reader.definition(_compose(raw, shown), direction, file.parent.name)
    if reader.findings:
        raise NotAMapping(sorted(reader.findings, key=lambda finding: finding.place))
    assert definition is not None
    return definition


def _read_bytes(file: Path, shown: str) -> bytes:
    try:
        if file.stat().st_size > MAX_BYTES:
            raise _not_readable(Place(shown), "the file is too large", f"at most {MAX_BYTES} bytes")
        return file.read_bytes()
    except OSError:
        raise _not_readable(Place(shown), "the file cannot be read", "a mapping.yaml") from None


class _Composer(Composer):
    """Stops at nesting that no rule needs; reading thousands of brackets takes the scanner minutes."""

    depth = 0

    def compose_node(self, parent: Node | None, index: int) -> Any:
        if self.depth > MAX_DEPTH:
            raise MarkedYAMLError(problem="the file is nested too deeply")
        self.depth += 1
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node


def _compose(raw: bytes, shown: str) -> MappingNode:
    yaml = YAML(typ="rt", pure=True)
    yaml.Composer = _Composer
    try:
        root = yaml.compose(raw.decode("utf-8"))
    except UnicodeDecodeError:
        raise _not_readable(Place(shown), "the file is not UTF-8", "UTF-8") from None
    except YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = Place(shown, mark.line + 1, mark.column + 1) if mark else Place(shown)
        raise _not_readable(place, getattr(error, "problem", None) or "not YAML", "YAML") from None
    _refuse_anchors(root, shown)
    if not isinstance(root, MappingNode):
        raise _not_readable(Place(shown), "the file holds no keys", "name, version, direction, …")
    return root


def _refuse_anchors(root: Node | None, shown: str) -> None:
    waiting = [root] if root is not None else []
    while waiting:
        node = waiting.pop()
        if node.anchor:
            raise _not_readable(_place(shown, node), "anchors and aliases are not used here", "the value itself")
        if isinstance(node, MappingNode):
            waiting += [part for pair in node.value for part in pair]
        elif isinstance(node, SequenceNode):
            waiting += node.value


def _not_readable(place: Place, message: str, expected: str) -> NotAMapping:
    return NotAMapping([Finding(place, "KB-M01", message, expected=expected)])


def _place(shown: str, node: Node) -> Place:
    return Place(shown, node.start_mark.line + 1, node.start_mark.column + 1)


class _Reader:
    """Turns nodes into rules and collects findings instead of stopping at the first."""

    def __init__(self, shown: str) -> None:
        self.shown = shown
        self.findings: list[Finding] = []

    def definition(self, root: MappingNode, direction: Direction, folder: str) -> Definition | None:
        keys = self.keys(root, HEADER)
        for missing in ("name", "version", "direction", "roots", "target", "rules"):
            if missing not in keys:
                self.wrong(self.place(root), f"'{missing}' is missing", f"the keys {', '.join(HEADER)}")
        name = self.text(keys.get("name"))
        self._agree(keys.get("name"), name, folder, "the folder's name")
        given = self.text(keys.get("direction"))
        self._agree(keys.get("direction"), given, direction, f"it lies in mappings/{direction}")
        found = Definition(
            name=name,
            version=self.version(keys.get("version")),
            direction=direction,
            reads=self.texts(keys.get("reads")),
            source=self.source(keys.get("source")),
            roots=self.texts(keys.get("roots")),
            target=" ".join(self.text(keys.get("target")).split()),
            rules=self.rules(keys.get("rules")),
            places={key: self.place(node) for key, node in keys.items()},
            title=self.text(keys.get("title")),
            note=self.text(keys.get("note")),
        )
        return None if self.findings else found

    def rules(self, node: Node | None) -> tuple[Rule, ...]:
        if node is None:
            return ()
        if not isinstance(node, SequenceNode) or not node.value:
            self.wrong(self.place(node), "no list of rules", "- {target: …, from: …}")
            return ()
        return tuple(rule for part in node.value if (rule := self.rule(part)))

    def rule(self, node: Node) -> Rule | None:
        keys = self.keys(node, RULE)
        if "target" not in keys:
            self.wrong(self.place(node), "'target' is missing", "target: A/B")
            return None
        self._combination(node, keys)
        target = self.parsed(keys["target"], TargetPath.parse, "a target path such as A/B[2]/@x")
        return Rule(
            target=target or TargetPath(()),
            place=self.place(keys["target"]),
            places={key: self.place(value) for key, value in keys.items()},
            source=self.path(keys.get("from")),
            const=self.optional(keys.get("const")),
            code=self.code(keys.get("code")),
            codelist=self.optional(keys.get("codelist")),
            default=self.optional(keys.get("default")),
            steps=self.steps(keys.get("steps")),
            when=self.when(keys.get("when")),
            each=self.path(keys.get("each")),
            name=self.optional(keys.get("as")),
            rules=self.rules(keys.get("rules")),
            required=self.truth(keys.get("required")),
            note=self.text(keys.get("note")),
            pii=self.truth(keys.get("pii")),
            legal_basis=self.text(keys.get("legal_basis")),
        )

    def _combination(self, node: Node, keys: dict[str, Node]) -> None:
        """A rule takes its value from one place, or is a block of rules."""
        given = [key for key in ("from", "const", "code", "rules") if key in keys]
        if given == ["from", "code"] and "value" in self.keys(keys["code"], ("list", "value"), quiet=True):
            self.wrong(self.place(keys["code"]), "'code' has a value and 'from' gives another", "one of them")
        elif len(given) != 1 and given != ["from", "code"]:
            self.wrong(self.place(node), "a rule needs exactly one origin", "one of from, const, code, rules")
        for key in ("steps", "codelist", "default"):
            if key in keys and "from" not in keys:
                self.wrong(self.place(keys[key]), f"'{key}' needs 'from'", "from: path")
        if ("each" in keys) != ("as" in keys):
            self.wrong(self.place(node), "'each' and 'as' belong together", "each: case.documents, as: document")

    def keys(self, node: Node | None, known: tuple[str, ...], *, quiet: bool = False) -> dict[str, Node]:
        """The entries of a mapping node; unknown and repeated keys become findings unless `quiet`."""
        if not isinstance(node, MappingNode):
            if node is not None and not quiet:
                self.wrong(self.place(node), "no keys here", f"{{{known[0]}: …}}")
            return {}
        found: dict[str, Node] = {}
        for key, value in node.value:
            name = str(key.value) if isinstance(key, ScalarNode) else "?"
            if not quiet:
                self._known(key, name, known, found)
            found[name] = value
        return {name: value for name, value in found.items() if name in known}

    def _known(self, key: Node, name: str, known: tuple[str, ...], found: Mapping[str, Node]) -> None:
        if name == "extends":
            self.add(key, "KB-M05", "'extends' is not available yet", "the rules themselves")
        elif name not in known:
            self.add(key, "KB-M02", f"unknown key '{name}'", ", ".join(known), nearest(name, known))
        elif name in found:
            self.add(key, "KB-M02", f"the key '{name}' stands twice", "each key once")

    def code(self, node: Node | None) -> CodeUse | None:
        if node is None:
            return None
        keys = self.keys(node, ("list", "value"))
        name = self.text(keys.get("list"))
        if not name:
            self.wrong(self.place(node), "'code' names no list", 'code: {list: name, value: "001"}')
        return CodeUse(name, self.optional(keys.get("value")), self.place(keys.get("value", node)))

    def when(self, node: Node | None) -> When | None:
        if node is None:
            return None
        keys = self.keys(node, ("path", "equals")) if isinstance(node, MappingNode) else {"path": node}
        path = self.path(keys.get("path"))
        if path is None or (isinstance(node, MappingNode) and "equals" not in keys):
            self.wrong(self.place(node), "'when' is incomplete", "when: path, or when: {path: …, equals: …}")
            return None
        return When(path, self.optional(keys.get("equals")), self.place(node))

    def steps(self, node: Node | None) -> tuple[StepUse, ...]:
        if node is None:
            return ()
        parts = node.value if isinstance(node, SequenceNode) else [node]
        return tuple(step for part in parts if (step := self.step(part)))

    def step(self, node: Node) -> StepUse | None:
        if isinstance(node, ScalarNode):
            return StepUse(str(node.value), None, self.place(node))
        if isinstance(node, MappingNode) and len(node.value) == 1:
            key, value = node.value[0]
            return StepUse(str(key.value), self.text(value, blank=True), self.place(key))
        self.wrong(self.place(node), "not a step", "trim, or {clip: 200}")
        return None

    def path(self, node: Node | None) -> SourcePath | None:
        return None if node is None else self.parsed(node, SourcePath.parse, "a path such as proposal.title")

    def parsed(self, node: Node, parse: Callable[[str], _Parsed], expected: str) -> _Parsed | None:
        text = self.text(node)
        try:
            return parse(text) if text else None
        except ValueError as error:
            self.wrong(self.place(node), f"'{text}' is {error}", expected)
            return None

    def version(self, node: Node | None) -> int:
        text = self.text(node)
        if text.isascii() and text.isdigit() and int(text[:9]) > 0:
            return int(text[:9])
        if node is not None:
            self.wrong(self.place(node), f"'{text}' is no version", "a number, from 1")
        return 0

    def source(self, node: Node | None) -> Literal["json", "xml"]:
        text = self.text(node) or "json"
        if text == "xml":
            return "xml"
        if text != "json" and node is not None:
            self.wrong(self.place(node), f"'{text}' is no source", "json or xml")
        return "json"

    def truth(self, node: Node | None) -> bool:
        text = self.text(node)
        if node is not None and text not in {"true", "false"}:
            self.wrong(self.place(node), f"'{text}' is neither true nor false", "true or false")
        return text == "true"

    def texts(self, node: Node | None) -> tuple[str, ...]:
        if node is None:
            return ()
        parts = node.value if isinstance(node, SequenceNode) else [node]
        return tuple(self.text(part) for part in parts)

    def optional(self, node: Node | None) -> str | None:
        return None if node is None else self.text(node, blank=True)

    def text(self, node: Node | None, *, blank: bool = False) -> str:
        """The text of a scalar exactly as it stands there; `blank` allows blanks alone."""
        if node is None:
            return ""
        if not isinstance(node, ScalarNode) or node.tag == _NULL or not (node.value if blank else node.value.strip()):
            self.wrong(self.place(node), "a text is missing", "text")
            return ""
        return str(node.value)

    def _agree(self, node: Node | None, given: str, wanted: str, why: str) -> None:
        if node is not None and given and given != wanted:
            self.add(node, "KB-M04", f"'{given}' is not '{wanted}'", f"'{wanted}': {why}")

    def place(self, node: Node) -> Place:
        return _place(self.shown, node)

    def add(self, node: Node, code: str, message: str, expected: str, helps: str = "") -> None:
        self.findings.append(Finding(self.place(node), code, message, expected=expected, helps=helps))

    def wrong(self, place: Place, message: str, expected: str) -> None:
        self.findings.append(Finding(place, "KB-M03", message, expected=expected))
