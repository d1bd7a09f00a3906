"""Where the places of one version of a standard stand in another: what people know, and what can be found.

`schemas/<standard>/<version>/moves.yaml` holds what people know:

    from: 3.1.0
    moves:
      Kopf/Absender/Institution: nachrichtenkopf/autor/NameInstitution    from the root
      "*/Identifikation/ID": "*/Identifikation/xdomeaUUID"                anywhere
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from pathlib import Path

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from kiezbruecke.errors import ConfigurationError
from kiezbruecke.mapping.schema.tree import Node

Path_ = tuple[str, ...]  # the names of a target path, without numbers
_MAX_BYTES = 1_000_000
_ALIKE = 0.7  # how much of two documentations must be the same for them to mean the same
_DEPTH, _MOST = 6, 20_000  # how deep, and in how many places, a lost name is looked for


@dataclass(frozen=True)
class Moves:
    """The known moves from an old version to a new one."""

    pairs: tuple[tuple[Path_, Path_], ...] = ()

    def of(self, path: Path_) -> Path_:
        """Where a path stands now: the longest known move first, then what is known of places inside."""
        fixed = [pair for pair in self.pairs if pair[0][0] != "*"]
        for old, new in sorted(fixed, key=lambda pair: -len(pair[0])):
            if path[: len(old)] == old:
                path = new + path[len(old) :]
                break
        for old, new in self.pairs:
            if old[0] == "*":
                path = _replaced(path, old[1:], new[1:])
        return path


def read_moves(content: Path, standard: str, old: str, new: str) -> Moves:
    """The moves that either version's folder knows; a table that leads the other way is turned round."""
    forwards = _read(content / "schemas" / standard / new / "moves.yaml", old)
    backwards = _read(content / "schemas" / standard / old / "moves.yaml", new)
    return Moves((*forwards, *((after, before) for before, after in backwards)))


def place_at(root: Node, path: Path_) -> Node | None:
    """The node at a path, None where there is none."""
    found: Node | None = root
    for name in path:
        found = found.children.get(name) if found is not None else None
    return found


@dataclass
class Search:
    """Looks for a place by its name, kind and documentation; only one that is clearly the best is a match."""

    root: Node
    _known: list[tuple[Path_, Node]] = field(default_factory=list)

    def like(self, path: Path_, node: Node) -> Path_ | None:
        """The one place of the same name that fits best; None where there is none, or two are as good."""
        found = [(self._points(path, node, *other), other[0]) for other in self._places() if other[1].name == path[-1]]
        best = sorted((one for one in found if one[0] > 0), reverse=True)[:2]
        if not best or (len(best) > 1 and best[0][0] == best[1][0]):
            return None
        return best[0][1]

    def _points(self, path: Path_, node: Node, other_path: Path_, other: Node) -> int:
        """Nothing for another kind or another meaning; else the same text, then the parents' names that both have."""
        if (node.leaf is None) != (other.leaf is None):
            return 0
        if node.leaf is not None and other.leaf is not None and node.leaf.kind != other.leaf.kind:
            return 0
        alike = SequenceMatcher(None, node.documentation, other.documentation).ratio()
        if alike < _ALIKE and (node.documentation or other.documentation):
            return 0  # a name alone proves nothing: every standard has a `Wert`
        return 1 + int(100 * alike) + 10 * len(set(path[:-1]) & set(other_path[:-1]))

    def _places(self) -> list[tuple[Path_, Node]]:
        if not self._known:
            for found, _ in zip(_all(self.root), range(_MOST), strict=False):
                self._known.append(found)
        return self._known


def _all(root: Node) -> Iterator[tuple[Path_, Node]]:
    """Every place, the nearest first; a name inside itself is a recursion and is not opened."""
    waiting: list[tuple[Path_, Node]] = [((), root)]
    while waiting:
        deeper: list[tuple[Path_, Node]] = []
        for path, node in waiting:
            for name, child in node.children.items():
                yield (*path, name), child
                if len(path) + 1 < _DEPTH and name not in path:
                    deeper.append(((*path, name), child))
        waiting = deeper


def _replaced(path: Path_, old: Path_, new: Path_) -> Path_:
    """Every occurrence of some names in a row replaced by others."""
    found: list[str] = []
    at = 0
    while at < len(path):
        if path[at : at + len(old)] == old:
            found += new
            at += len(old)
        else:
            found.append(path[at])
            at += 1
    return tuple(found)


def _read(file: Path, wanted: str) -> list[tuple[Path_, Path_]]:
    try:
        if not file.is_file():
            return []
        text = file.read_text("utf-8") if file.stat().st_size <= _MAX_BYTES else ""
        body = YAML(typ="safe", pure=True).load(text)
        if str(body["from"]) != wanted:
            return []
        pairs = [(_names(old), _names(new)) for old, new in body["moves"].items()]
    except (OSError, ValueError, YAMLError, TypeError, KeyError, AttributeError):
        raise ConfigurationError(
            "the moves cannot be read", where=str(file), expected="from: VERSION, moves: {old path: new path}"
        ) from None
    if any((old[0] == "*") != (new[0] == "*") or len(old) < 1 + (old[0] == "*") for old, new in pairs):
        raise ConfigurationError("a move begins with * on one side only", where=str(file), expected="both or none")
    return pairs


def _names(text: object) -> Path_:
    return tuple(str(text).split("/"))
