"""The rules of a scaffold: a walk through a target's tree in document order, with a guess or a TODO for each place."""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass, field

from kiezbruecke.errors import ConfigurationError
from kiezbruecke.mapping.codelists.reading import CodeList
from kiezbruecke.mapping.schema.tree import Group, Node, can_be_empty, can_hold, nodes
from kiezbruecke.workbench.described import described, some
from kiezbruecke.workbench.guessing import Guess, Guesser
from kiezbruecke.workbench.scaffold_limits import (
    DEEPEST,
    MOST_PLACES,
    MOST_TIMES,
    holds_elements,
    recursive,
    signature,
    too_many,
    writes_itself,
)

TODO = "TODO"
_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_./-]*")
_WIDTH = 100


@dataclass(frozen=True)
class _Place:
    """Where the writer stands: the whole path for people and guesses, the path below the block for the rule."""

    path: str = ""
    below: str = ""
    indent: int = 2
    above: tuple[tuple[str, ...], ...] = ()

    def at(self, node: Node, number: int = 1) -> _Place:
        name = node.name if number == 1 else f"{node.name}[{number}]"
        path, below = (f"{one}/{name}" if one else name for one in (self.path, self.below))
        return _Place(path, below, self.indent, (*self.above, signature(node)))

    def in_block(self) -> _Place:
        return _Place(self.path, "", self.indent + 4, self.above)


@dataclass
class RuleWriter:
    """Goes through the tree in document order and collects the lines of the rules."""

    opened: frozenset[str]
    lists: tuple[CodeList, ...]
    optional: bool = False
    lines: list[str] = field(default_factory=list)
    places: int = 0

    def whole(self, root: Node, guesser: Guesser) -> None:
        place = _Place()
        if root.leaf is not None and root.leaf.kind != "any" and root.fixed is None:
            self._leaf(root, _Place(below="."), guesser)
        self._content(root, place, guesser)

    def _content(self, node: Node, place: _Place, guesser: Guesser) -> None:
        if len(place.above) > DEEPEST:
            raise ConfigurationError(f"'{place.path}' has no end", expected="a schema whose mandatory elements end")
        for attribute in node.content.attributes:
            self._node(attribute, place, guesser)
        self._group(node.content.group, place, guesser)

    def _group(self, group: Group, place: _Place, guesser: Guesser) -> None:
        open_here = any(_path(place, node) in self.opened for node in nodes(group))
        if group.minimum == 0 and not open_here:
            self._optional(list(nodes(group)), place)
        elif group.kind == "choice":
            self._choice(group, place, guesser, open_here=open_here)
        else:
            for part in group.parts:
                self._part(part, place, guesser)

    def _part(self, part: Node | Group, place: _Place, guesser: Guesser, *, wanted: bool = False) -> None:
        if isinstance(part, Group):
            self._group(part, place, guesser)
        else:
            self._node(part, place, guesser, wanted=wanted)

    def _choice(self, group: Group, place: _Place, guesser: Guesser, *, open_here: bool) -> None:
        """The opened branch, else the first that comes to an end; one that needs nothing needs no rule."""
        if not open_here and any(can_be_empty(part) for part in group.parts):
            self._optional(list(nodes(group)), place)
            return
        opened = [part for part in group.parts if any(_path(place, node) in self.opened for node in nodes(part))]
        ending = [part for part in group.parts if not recursive(part, place.above)]
        chosen = (opened or ending or list(group.parts))[0]
        others = [" + ".join(node.name for node in nodes(part)) for part in group.parts if part is not chosen]
        if others:
            here = " + ".join(node.name for node in nodes(chosen))
            self._comment(place, f"A choice: {here} – or {some(others)}")
        self._part(chosen, place, guesser, wanted=True)

    def _node(self, node: Node, place: _Place, guesser: Guesser, *, wanted: bool = False) -> None:
        open_here = _path(place, node) in self.opened
        if writes_itself(node) and not open_here and not (wanted and node.minimum):
            self._optional([node], place)
            return
        if node.minimum > MOST_TIMES:
            what = f"'{_path(place, node)}' must stand {node.minimum:,} times"
            raise ConfigurationError(
                f"too many mandatory places to write them down: {what}", expected=f"at most {MOST_TIMES}"
            )
        for number in range(1, max(node.minimum, 1) + 1):
            here = place.at(node, number)
            self.places += 1
            if self.places > MOST_PLACES:
                raise too_many(here.path.split("/")[0])
            if (codes := self._codes(node)) is not None:
                self._code(codes, node, here)
            elif node.leaf is not None and not holds_elements(node):
                self._leaf(node, here, guesser)
            else:
                self._inner(node, here, guesser)

    def _inner(self, node: Node, place: _Place, guesser: Guesser) -> None:
        """A place that holds others. One that repeats becomes a block where a list of that name is read."""
        members = guesser.members(node.name) if node.repeats else None
        self._heading(node, place)
        if node.abstract:
            self._derived(node, place, guesser)
        elif members is None:
            if node.repeats and not place.below.endswith("]"):
                self._comment(
                    place, f"{place.path} may repeat: a block with each and as writes one per member of a list"
                )
            self._filled(node, place, guesser)
        else:
            each = f"each: {scalar(members.path)}  # TODO guess: please check"
            self._block(place, [each, f"as: {members.name}"], node, guesser.inside(members))

    def _derived(self, node: Node, place: _Place, guesser: Guesser) -> None:
        """An abstract type: the first of those that may stand for it."""
        kinds = dict(node.derived())
        if not kinds:
            raise ConfigurationError(f"'{place.path}' is abstract and no type stands for it")
        name = next(iter(kinds))
        if len(kinds) > 1:
            self._comment(place, f"A choice of type: {name} – or {some(list(kinds)[1:])}")
        self._block(place, [f"type: {scalar(name)}"], kinds[name], guesser)

    def _block(self, place: _Place, keys: list[str], node: Node, guesser: Guesser) -> None:
        inner = place.in_block()
        head = [f"- target: {scalar(place.below)}", *(f"  {key}" for key in keys), "  rules:"]
        self.lines += [" " * place.indent + line for line in head]
        self._filled(node, inner, guesser)

    def _filled(self, node: Node, place: _Place, guesser: Guesser) -> None:
        """The content; where nothing in it is mandatory, a rule for the first place that takes a text: a place in which
        nothing stands is not written.
        """
        before = len(self.lines)
        self._content(node, place, guesser)
        if can_hold(node) and not any(line.lstrip().startswith("- ") for line in self.lines[before:]):
            self._first(node, place, guesser)

    def _first(self, node: Node, place: _Place, guesser: Guesser) -> None:
        below = [child for child in nodes(node.content.group) if not recursive(child, place.above)]
        leaf = next((child for child in below if child.leaf is not None and not holds_elements(child)), None)
        if leaf is not None:
            self._leaf(leaf, place.at(leaf), guesser)
        elif below:
            self._inner(below[0], place.at(below[0]), guesser)
        else:
            raise ConfigurationError(f"nothing in '{place.path}' takes a value", helps=f"--open {place.path}/…")

    def _leaf(self, node: Node, place: _Place, guesser: Guesser) -> None:
        assert node.leaf is not None
        self._heading(node, place)
        self._comment(place, described(node.leaf))
        target = f"target: {scalar(place.below)}"
        allowed = node.leaf.enumeration
        if node.fixed is not None:
            self._rule(place, f"{target}, const: {scalar(node.fixed)}")
        elif allowed and (word := guesser.guess_word(place.path, node.leaf)):
            self._guess(place, target, word)
        elif allowed:
            self._rule(place, f"{target}, const: {scalar(allowed[0]) if len(allowed) == 1 else TODO}")
        else:
            self._guess(place, target, guesser.guess(place.path, node.leaf))
        if place.path:
            for attribute in node.content.attributes:
                self._node(attribute, place, guesser)

    def _guess(self, place: _Place, target: str, guess: Guess | None) -> None:
        if guess is None:
            self._rule(place, f"{target}, from: {TODO}")
            return
        steps = f", steps: [collapse_space, {{clip: {guess.clip}}}]" if guess.clip else ""
        required = ", required: true" if guess.required else ""
        self._rule(place, f"{target}, from: {scalar(guess.path)}{steps}{required}", "  # TODO guess: please check")

    def _code(self, codes: CodeList, node: Node, place: _Place) -> None:
        self._heading(node, place)
        shown = [f"{code} {text}".strip() for code, text in codes.codes.items()]
        self._comment(place, f"one of: {some(shown)}")
        self._rule(place, f"target: {scalar(place.below)}, code: {{list: {codes.name}, value: {TODO}}}")

    def _codes(self, node: Node) -> CodeList | None:
        """The code list whose address the schema fixes here, in the version that it fixes."""
        if "code" not in node.children:
            return None
        uri, version = (_fixed(node, name) for name in ("@listURI", "@listVersionID"))
        fitting = (one for one in self.lists if uri and one.uri == uri and version in ("", one.version))
        return next(fitting, None)

    def _optional(self, found: list[Node], place: _Place) -> None:
        if not self.optional:
            return
        for node in found:
            if node.fixed is None or node.optional:
                here = place.at(node)
                what = described(node.leaf) if node.leaf is not None else "a block; open it with --open"
                text = f"# optional: - {{target: {scalar(here.below)}, from: {TODO}}}  # {what}"
                self.lines.append(" " * place.indent + text)

    def _heading(self, node: Node, place: _Place) -> None:
        if node.documentation:
            name = "" if node.leaf is not None else f"{place.path}: "
            self._comment(place, f"{name}{node.documentation}")

    def _comment(self, place: _Place, text: str) -> None:
        """A schema's text as comment lines; what YAML cannot carry becomes a blank."""
        width = _WIDTH - place.indent - 2
        readable = "".join(sign if sign.isprintable() else " " for sign in text)
        self.lines += [
            f"{' ' * place.indent}# {line}" for line in textwrap.wrap(readable, width, break_long_words=False)
        ]

    def _rule(self, place: _Place, keys: str, comment: str = "") -> None:
        self.lines.append(f"{' ' * place.indent}- {{{keys}}}{comment}")


def _fixed(node: Node, name: str) -> str:
    """The text that the schema fixes for a child; nothing where it fixes none."""
    child = node.children.get(name)
    return (child.fixed or "") if child is not None else ""


def _path(place: _Place, node: Node) -> str:
    """The path without numbers, as `--open` names it."""
    plain = re.sub(r"\[[0-9]+\]", "", place.path)
    return f"{plain}/{node.name}" if plain else node.name


def scalar(text: str) -> str:
    """A text as YAML: plain where it can be, else in quotes."""
    if _PLAIN.fullmatch(text) and text.lower() not in {"true", "false", "yes", "no", "null", "on", "off"}:
        return text
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
