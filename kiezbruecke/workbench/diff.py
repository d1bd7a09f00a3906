"""What a changed mapping would change: both versions run on the same input, and their outputs are compared.

examples of both ─┐            ┌─▶ OLD ─▶ output ─┐
                  ├─▶ roots ──▶┤                  ├─▶ same | changed fields | set aside
stored messages ──┘            └─▶ NEW ─▶ output ─┘
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from kiezbruecke.errors import RecordError
from kiezbruecke.mapping.lineage import RuleLine
from kiezbruecke.mapping.loading import Mapping
from kiezbruecke.workbench.examples import find_examples, read_roots
from kiezbruecke.workbench.versions import Version

Verdict = Literal["same", "changed", "now set aside", "no longer set aside"]
_Place = tuple[str, int]  # a target path, and which of several values of that path


@dataclass(frozen=True)
class Case:
    """One input for both: an example, or a stored message with the bytes that were written then."""

    name: str
    roots: dict[str, Any] = field(repr=False)
    written: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True)
class FieldChange:
    """One place whose value differs; the rules are those that gave it, None where none did."""

    target: str
    old: str = field(repr=False)
    new: str = field(repr=False)
    old_rule: RuleLine | None = None
    new_rule: RuleLine | None = None

    @property
    def kind(self) -> str:
        """changed, new (only the new one writes it), gone (only the old one did)."""
        return "changed" if self.old and self.new else "new" if self.new else "gone"

    def as_dict(self, *, values: bool) -> dict[str, Any]:
        """The change for `--json`; values only where they are asked for."""
        rules = {"old_rule": _where(self.old_rule), "new_rule": _where(self.new_rule)}
        shown = {"old": self.old, "new": self.new} if values else {}
        return {"target": self.target, "kind": self.kind, **rules, **shown}


@dataclass(frozen=True)
class CaseDiff:
    """What became of one input. `reason` is the error's line where one version refuses; `exact` says whether OLD made
    the stored bytes again, None for examples."""

    case: str
    verdict: Verdict
    fields: tuple[FieldChange, ...] = ()
    reason: str = ""
    exact: bool | None = None

    def as_dict(self, *, values: bool) -> dict[str, Any]:
        """The case for `--json`."""
        fields = [one.as_dict(values=values) for one in self.fields]
        return {
            "case": self.case,
            "verdict": self.verdict,
            "reason": self.reason,
            "exact": self.exact,
            "fields": fields,
        }


@dataclass(frozen=True)
class _Output:
    """What one version made: its bytes and values by place, or why it set the record aside."""

    payload: bytes = b""
    values: dict[_Place, tuple[str, RuleLine | None]] = field(default_factory=dict)
    refused: str = ""


def example_cases(old: Version, new: Version) -> Iterator[Case]:
    """The examples of both; where both have one of a name, the new one's."""
    seen: set[str] = set()
    for version in (new, old):
        for example in find_examples(version.mapping.name, version.content):
            if example.name not in seen:
                seen.add(example.name)
                yield Case(example.name, read_roots(version.mapping, version.content, example))


def diff(old: Version, new: Version, cases: Iterable[Case]) -> list[CaseDiff]:
    """Both versions on every case."""
    return [_compare(case, _run(old, case), _run(new, case)) for case in cases]


def fields_changed(diffs: list[CaseDiff]) -> list[tuple[FieldChange, int]]:
    """Each place that changes anywhere, with the number of cases; the first case's rules stand for all."""
    first: dict[str, FieldChange] = {}
    count: Counter[str] = Counter()
    for one in diffs:
        for target, change in {change.target: change for change in reversed(one.fields)}.items():
            count[target] += 1
            first.setdefault(target, change)
    return [(first[target], count[target]) for target in first]


def _compare(case: Case, old: _Output, new: _Output) -> CaseDiff:
    exact = None if case.written is None else old.payload == case.written
    verdict = _verdict(old, new)
    if old.refused or new.refused:
        return CaseDiff(case.name, verdict, (), new.refused or old.refused, exact)
    return CaseDiff(case.name, verdict, tuple(_changes(old, new)), "", exact)


def _verdict(old: _Output, new: _Output) -> Verdict:
    if bool(old.refused) != bool(new.refused):
        return "now set aside" if new.refused else "no longer set aside"
    return "same" if (old.payload, old.refused) == (new.payload, new.refused) else "changed"


def _changes(old: _Output, new: _Output) -> Iterator[FieldChange]:
    changed = False
    for place in dict.fromkeys([*new.values, *old.values]):
        before, after = old.values.get(place, ("", None)), new.values.get(place, ("", None))
        if before[0] != after[0]:
            changed = True
            shown = place[0] if place[1] == 1 else f"{place[0]} (value {place[1]})"
            yield FieldChange(shown, before[0], after[0], before[1], after[1])
    if not changed and old.payload != new.payload:
        yield FieldChange("(order, names or fixed values of the schema)", "old", "new")


def _run(version: Version, case: Case) -> _Output:
    mapping, roots = version.mapping, _declared(version.mapping, case.roots)
    try:
        return _record(mapping, roots) if mapping.goal.model is not None else _message(mapping, roots)
    except RecordError as error:
        return _Output(refused=error.what)


def _declared(mapping: Mapping, roots: dict[str, Any]) -> dict[str, Any]:
    """Only the roots that the mapping names: the others are not its business."""
    return {name: value for name, value in roots.items() if name in mapping.definition.roots}


def _message(mapping: Mapping, roots: dict[str, Any]) -> _Output:
    values: dict[_Place, tuple[str, RuleLine | None]] = {}
    seen: Counter[str] = Counter()
    for one in mapping.lineage_of(roots):
        seen[one.target] += 1
        values[one.target, seen[one.target]] = one.text, mapping.rule_lines[one.rule - 1]
    return _Output(mapping.write(roots), values)


def _record(mapping: Mapping, roots: dict[str, Any]) -> _Output:
    record = mapping.read(roots.get("item", {}), roots).model_dump(mode="json")
    rules = {line.target: line for line in mapping.rule_lines if not line.block}
    values = {(path, 1): (text, rules.get(path)) for path, text in _flat(record, "")}
    return _Output(repr(record).encode(), values)


def _flat(value: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for name, part in value.items():
            yield from _flat(part, f"{path}/{name}" if path else name)
    elif isinstance(value, list):
        for number, part in enumerate(value, 1):
            yield from _flat(part, path if number == 1 else f"{path}[{number}]")
    elif value is not None:
        yield path, str(value)


def _where(rule: RuleLine | None) -> dict[str, Any] | None:
    return None if rule is None else {"rule": rule.rule, "file": rule.file, "line": rule.line, "source": rule.source}
