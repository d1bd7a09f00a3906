"""What a file of the bank says, in one form for all three messages: one word about one payment or one movement."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass, field
from typing import Self

from kiezbruecke.errors import shown

STATUS, MOVEMENT = "zahlungsstatus", "umsatz"

_FORM = r"[A-Z0-9]{2,6}-[0-9A-Z]{1,6}-[A-Za-z0-9][A-Za-z0-9.-]{0,15}-[A-Z][0-9]{1,3}"
_OURS = re.compile(rf"(?=.{{1,25}}\Z){_FORM}")
_IN_A_TEXT = re.compile(rf"(?<![A-Za-z0-9.-]){_FORM}(?![A-Za-z0-9.-])")


@dataclass(frozen=True, slots=True)
class BankWord:
    """`body` is what the mapping reads. No name, no account and no free text of anybody is in it."""

    kind: str
    external_id: str
    body: dict[str, str] = field(repr=False)

    def as_json(self) -> bytes:
        """One line."""
        return json.dumps((self.kind, self.external_id, self.body)).encode() + b"\n"

    @classmethod
    def from_json(cls, line: bytes) -> Self:
        """The same, read back."""
        return cls(*json.loads(line))


def word(kind: str, about: tuple[str, ...], **fields: str) -> BankWord:
    """`about` is what makes it this word and no other: the same said twice, or in two files, has the same id."""
    digest = hashlib.sha256("\n".join((kind, *about)).encode()).hexdigest()[:32]
    return BankWord(kind, f"{kind}:{digest}", {name: value for name, value in fields.items() if value})


def code(text: str | None) -> str:
    """A code of theirs; anything that is none is not kept."""
    return shown((text or "").strip())


def ours(text: str | None) -> str:
    """What has the form of our Fremdkennzeichen; the rest is not ours to keep. Whether it is ours, the ledger knows."""
    given = (text or "").strip()
    return given if _OURS.fullmatch(given) else ""


def named_in(texts: list[str]) -> str:
    """The one Fremdkennzeichen that a purpose names; nothing where it names none, or two."""
    found = {one for text in texts for one in _IN_A_TEXT.findall(text) if ours(one)}
    return found.pop() if len(found) == 1 else ""
