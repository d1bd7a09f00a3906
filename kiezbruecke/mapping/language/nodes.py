"""Reads texts, lists and keys from positioned nodes, and collects findings instead of stopping at the first."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from kiezbruecke.mapping.language.composing import NULL, place_of
from kiezbruecke.mapping.language.findings import Finding, Place, meant, nearest

_TRUE = frozenset({"true", "yes", "on", "ja", "1"})  # how it is meant; but for the first it is a finding
_Parsed = TypeVar("_Parsed")


class NodeReader:
    """What every part of a mapping file needs; `shown` is the file as findings name it."""

    def __init__(self, shown: str) -> None:
        self.shown = shown
        self.findings: list[Finding] = []

    def keys(self, node: Node | None, known: tuple[str, ...], *, quiet: bool = False) -> dict[str, Node]:
        """The entries of a mapping node; unknown and repeated keys become findings unless `quiet`.

        What is misspelt is read as what is meant: one typing error is one finding.
        """
        if not isinstance(node, MappingNode):
            if node is not None and not quiet:
                self.wrong(self.place(node), "no keys here", f"{{{known[0]}: …}}")
            return {}
        found: dict[str, Node] = {}
        misspelt: dict[str, Node] = {}
        for key, value in node.value:
            name = str(key.value) if isinstance(key, ScalarNode) else "?"
            if not quiet:
                self._known(key, name, known, found)
            (found if name in known else misspelt)[name] = value
        for name, value in misspelt.items():
            found.setdefault(meant(name, known), value)
        return {name: value for name, value in found.items() if name in known}

    def _known(self, key: Node, name: str, known: tuple[str, ...], found: Mapping[str, Node]) -> None:
        if name not in known:
            self.add(key, "KB-M02", f"unknown key '{name}'", ", ".join(known), nearest(name, known))
        elif name in found:
            self.add(key, "KB-M02", f"the key '{name}' stands twice", "each key once")

    def parsed(self, node: Node, parse: Callable[[str], _Parsed], expected: str) -> _Parsed | None:
        text = self.text(node, expected=expected)
        try:
            return parse(text) if text else None
        except ValueError as error:
            self.wrong(self.place(node), f"'{text}' is {error}", expected)
            return None

    def truth(self, node: Node | None) -> bool:
        text = self.text(node, expected="true or false")
        if node is not None and text and text not in {"true", "false"}:
            self.wrong(self.place(node), f"'{text}' is neither true nor false", "true or false")
        return text.lower() in _TRUE

    def each_once(self, keys: Mapping[str, Node], key: str) -> tuple[str, ...]:
        """The texts of a list in which each stands once."""
        node = keys.get(key)
        texts = self.texts(node)
        for number, text in enumerate(texts):
            if text and text in texts[:number] and isinstance(node, SequenceNode):
                self.wrong(self.place(node.value[number]), f"'{text}' stands twice under '{key}'", "each once")
        return tuple(dict.fromkeys(texts))

    def texts(self, node: Node | None) -> tuple[str, ...]:
        if node is None:
            return ()
        parts = node.value if isinstance(node, SequenceNode) else [node]
        return tuple(self.text(part) for part in parts)

    def optional(self, node: Node | None) -> str | None:
        return None if node is None else self.text(node, blank=True)

    def text(self, node: Node | None, *, blank: bool = False, of: str = "", expected: str = "a text") -> str:
        """The text of a scalar exactly as it stands there; `blank` allows blanks alone, `of` says what it is."""
        if node is None:
            return ""
        if not isinstance(node, ScalarNode):
            stands = "a list stands" if isinstance(node, SequenceNode) else "keys stand"
            self.wrong(self.place(node), f"{of or 'this'} is no text: {stands} here", expected)
            return ""
        if node.tag == NULL or not (node.value if blank else node.value.strip()):
            self.wrong(self.place(node), f"{of or 'a text'} is missing", expected)
            return ""
        return str(node.value)

    def place(self, node: Node) -> Place:
        return place_of(self.shown, node)

    def add(self, node: Node, code: str, message: str, expected: str, helps: str = "") -> None:
        self.findings.append(Finding(self.place(node), code, message, expected=expected, helps=helps))

    def wrong(self, place: Place, message: str, expected: str, rule: str = "") -> None:
        self.findings.append(Finding(place, "KB-M03", message, rule, expected))
