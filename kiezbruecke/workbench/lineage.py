"""Where the values of a stored message came from, and whether its bytes still carry them."""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

from lxml import etree

from kiezbruecke.ledger import Ledger
from kiezbruecke.ledger.lineage import Lineage, read_lineage
from kiezbruecke.mapping.language.paths import without_numbers
from kiezbruecke.mapping.lineage import matches
from kiezbruecke.standards.packers import xml_of
from kiezbruecke.standards.store import parse

_Texts = Callable[[int], Iterable[str]]  # the texts that stand at the place of a rule
_UNKNOWN: Mapping[str, Any] = {"target": "", "source": "", "file": "", "line": 0}


@dataclass(frozen=True)
class StoredValue:
    """One value of a stored message, without the value. `held`: whether the bytes still carry it at this place."""

    rule: int
    target: str
    source: str
    file: str
    line: int
    held: bool

    def as_dict(self) -> dict[str, Any]:
        """The value's origin for `--json`."""
        return asdict(self)


def stored_lineage(ledger: Ledger, key: UUID) -> list[StoredValue]:
    """The origins of a message's values in the order of writing; empty for messages from before lineage was kept."""
    found = read_lineage(ledger, key)
    if found is None or not found.sealed:
        return []
    rules = {rule["rule"]: rule for rule in found.version.rules} if found.version else {}
    texts = _texts_by_rule(found, rules)
    return [
        StoredValue(number, **{name: rules.get(number, _UNKNOWN)[name] for name in _UNKNOWN}, held=held)
        for number, held in matches(found.sealed, found.payload, texts)
    ]


def _texts_by_rule(found: Lineage, rules: Mapping[int, Mapping[str, Any]]) -> _Texts:
    xml = xml_of(found.payload, found.media_type)
    return _Cells(found.payload) if xml is None else _Places(parse(xml, "Nachricht"), rules)


class _Cells:
    """A table's line: its cells; which column is whose is not looked up, the hash knows the rule."""

    def __init__(self, payload: bytes) -> None:
        text = payload.decode("utf-8", errors="replace")
        self._cells = {
            cell for mark in ";,\t|" for row in csv.reader(io.StringIO(text), delimiter=mark) for cell in row
        }

    def __call__(self, rule: int) -> Iterable[str]:  # noqa: ARG002
        return self._cells


class _Places:
    """An XML message: texts and attributes by their path of plain names, without numbers and prefixes."""

    def __init__(self, root: etree._Element, rules: Mapping[int, Mapping[str, Any]]) -> None:
        self._rules = rules
        self._texts: dict[str, set[str]] = defaultdict(set)
        for path, text in _walk(root, ""):
            self._texts[path].add(text)
            self._texts[path.rpartition("/")[0]].add(text)  # a rule for a code fills the children of its place

    def __call__(self, rule: int) -> Iterable[str]:
        target = self._rules.get(rule, _UNKNOWN)["target"]
        return self._texts.get("/".join(_plain(step) for step in target.split("/") if step != "."), ())


def _walk(element: etree._Element, path: str) -> Iterator[tuple[str, str]]:
    yield path, element.text or ""
    for name, value in element.attrib.items():
        yield _below(path, f"@{etree.QName(name).localname}"), str(value)
    for child in element:
        if isinstance(child.tag, str):
            yield from _walk(child, _below(path, etree.QName(child).localname))


def _below(path: str, name: str) -> str:
    return f"{path}/{name}" if path else name


def _plain(step: str) -> str:
    """`ds:Name[2]` → `Name`, `@xlink:href` → `@href`."""
    name = without_numbers(step)
    mark = "@" if name.startswith("@") else ""
    return mark + name.removeprefix("@").rpartition(":")[2]
