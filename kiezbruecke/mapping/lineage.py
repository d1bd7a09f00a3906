"""Lineage: which rule gave which value – told without the values.

    write ──▶ trace: (rule number, text) …  ──seal──▶  bytes for the ledger: (rule number, hash) …
                                                          │ matches? ◀── texts of the stored message

The hashes are keyed with the message's own bytes. Whoever holds the bytes can verify a value; once the bytes are
erased, nobody can try values against a hash any more (ADR 0009).
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from hashlib import blake2b
from typing import Any

from kiezbruecke.mapping.language.definition import Rule
from kiezbruecke.mapping.plan import Bound, Plan

Trace = tuple[tuple[int, str], ...]
"""What was read for a message, by rule: the rule's number, and the text as it was written. Constants are left out."""

_HASH_BYTES = 8  # a chance of 2⁻⁶⁴ that another text of the same message and rule looks the same
_ENTRY = struct.Struct(f">I{_HASH_BYTES}s")


@dataclass(frozen=True, slots=True)
class Written:
    """One text as it was written: its rule's number, the full path of its place, whether it was read or is fixed."""

    rule: int
    target: str
    text: str
    read: bool = True


@dataclass(frozen=True, slots=True)
class RuleLine:
    """What the number of a rule means: full target path, source, and where the rule stands. No values."""

    rule: int
    target: str
    source: str
    file: str
    line: int
    steps: tuple[str, ...] = ()
    codelist: str = ""
    when: str = ""
    each: str = ""
    required: bool = False
    pii: bool = False
    legal_basis: str = ""
    note: str = ""
    block: bool = False
    at_least: int = 0
    one_of: bool = False
    nil: bool = False

    @property
    def decides(self) -> bool:
        """Whether it has a value, or says what becomes of the record that has not what it asks for."""
        return not self.block or bool(self.at_least) or self.one_of or self.nil

    def as_dict(self) -> dict[str, Any]:
        """The line as plain JSON."""
        return {**asdict(self), "steps": list(self.steps)}


def rule_lines(plan: Plan) -> tuple[RuleLine, ...]:
    """Every rule with its number, blocks before what stands in them."""
    return tuple(map(_line, plan.rules))


def seal(trace: Trace, payload: bytes) -> bytes:
    """The trace for the ledger: rule numbers and keyed hashes, 12 bytes a value, nothing that can be read."""
    keyed = _keyed(payload)
    return b"".join([_ENTRY.pack(number, _hash(keyed, number, text)) for number, text in trace])


def opened(sealed: bytes) -> list[tuple[int, bytes]]:
    """Rule numbers and hashes of a sealed trace, by rule; raises ValueError."""
    if len(sealed) % _ENTRY.size:
        raise ValueError("not a sealed trace")
    return list(_ENTRY.iter_unpack(sealed))


def matches(sealed: bytes, payload: bytes, texts: Callable[[int], Iterable[str]]) -> list[tuple[int, bool]]:
    """For every sealed value, whether one of the texts that stand at its rule's place now is the one it was."""
    keyed = _keyed(payload)
    return [
        (number, any(_hash(keyed, number, text) == wanted for text in texts(number)))
        for number, wanted in opened(sealed)
    ]


def _keyed(payload: bytes) -> blake2b:
    """The key goes first: BLAKE2 cannot be extended, and its own keyed mode costs a second block a value.

    It is not the digest that the ledger keeps of a message for good: with that, hashes could be tried for ever.
    """
    key = blake2b(payload, digest_size=32, person=b"kb-lineage").digest()
    return blake2b(key, digest_size=_HASH_BYTES)


def _hash(keyed: blake2b, number: int, text: str) -> bytes:
    one = keyed.copy()
    one.update(f"{number}\n{text}".encode())
    return one.digest()


def _line(one: Bound) -> RuleLine:
    rule = one.rule
    return RuleLine(
        rule=one.number,
        target=one.target,
        source=_source(rule),
        file=rule.place.file,
        line=rule.place.line,
        steps=tuple(_step(use.name, use.argument) for use in rule.steps),
        codelist=f"{rule.codelist}.{rule.column}".rstrip(".") if rule.codelist else rule.code.list if rule.code else "",
        when=_when(rule),
        each=rule.each.text if rule.each else "",
        required=rule.required,
        pii=rule.pii,
        legal_basis=rule.legal_basis,
        note=rule.note,
        block=rule.is_block,
        at_least=rule.at_least,
        one_of=rule.one_of,
        nil=rule.nil,
    )


def _source(rule: Rule) -> str:
    return "" if rule.is_block else rule.origin


def _step(name: str, argument: str | None) -> str:
    return name if argument is None else f"{name}: {argument}"


def _when(rule: Rule) -> str:
    return "otherwise" if rule.otherwise else " and ".join(map(str, rule.asked))
