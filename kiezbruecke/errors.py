"""One tree of errors; the class answers who must act.

    KiezbrueckeError
    ├── CallError             a command was called with words it does not know
    ├── ConfigurationError    the run stops, IT operations mends a manifest, mapping, setting
    │   └── InputError        what a person asked for is not possible; nothing has happened, whoever asked acts
    ├── RecordError           this record cannot become a message: set aside, the administration acts
    ├── DeliveryError
    │   ├── NotSent           certain: it never left; tried again
    │   └── Rejected          certain: the target refused; final until a person decides
    │       └── AlreadyUsed   its number stands for something else there: the ledger is old
    ├── SourceError           a source could not be read to the end; nothing is lost, tried again
    ├── LedgerError           the ledger refuses (schema too old, overtaken by a newer run)
    │   ├── Overtaken         a newer run of the same lane has taken over; this one stops quietly
    │   ├── Recovering        the destination knows more than the ledger: nothing goes out until a person ends that
    │   └── Differing         both sides' sums are not equal, or a budget is not what its cases add up to
    └── MachineError          the machine refuses (disk full, folder not to be written); tried again

Anything else that is raised while sending means that nobody knows: the message is in doubt.
A text says what, where, what was expected, what helps – never a person's data, never a secret.
"""

from __future__ import annotations

import re

from kiezbruecke.printable import spelled_out
from kiezbruecke.troubles import Trouble

_CODE = re.compile(r"[A-Z0-9_.-]{1,20}")


def shown(word: str) -> str:
    """What of a stranger's word may stand in our lines: a short code in capitals as it is, anything else not at all.

    Faults, statuses and reasons from outside may quote what people wrote; they belong into the ledger's content.
    """
    return word if _CODE.fullmatch(word) else ""


class KiezbrueckeError(Exception):
    """The root: a stable `code`, one line of text, no personal data; `trouble`, where something outside fails us."""

    code = "KB-000"
    expected_word = "expected"

    def __init__(
        self, what: str, *, where: str = "", expected: str = "", helps: str = "", trouble: Trouble | None = None
    ) -> None:
        self.what, self.where, self.expected, self.helps = what, where, expected, helps
        self.trouble = trouble
        super().__init__(self.line())

    def line(self) -> str:
        """The error in one line: `where: what; expected …; helps`."""
        parts = [f"{self.where}: {self.what}" if self.where else self.what]
        if self.expected:
            parts.append(f"{self.expected_word} {self.expected}")
        if self.helps:
            parts.append(self.helps)
        return spelled_out(" ".join("; ".join(parts).split()))


class CallError(KiezbrueckeError):
    """A command was called with words it does not know; nothing has happened, whoever typed it acts. German."""

    code = "KB-001"
    expected_word = "erwartet:"


class ConfigurationError(KiezbrueckeError):
    """A manifest, mapping or setting is wrong: the run stops, IT operations acts."""

    code = "KB-100"


class InputError(ConfigurationError):
    """What a person asked a command for is not possible: nothing has happened. Its text is German."""

    code = "KB-101"
    expected_word = "möglich:"


class RecordError(KiezbrueckeError):
    """This record cannot become a message: it is set aside, the administration acts. Its text is German."""

    code = "KB-200"
    expected_word = "erwartet"


class DeliveryError(KiezbrueckeError):
    """Something certain is known about one delivery."""

    code = "KB-300"


class NotSent(DeliveryError):
    """Certain: the message never left. It is tried again."""

    code = "KB-301"


class Rejected(DeliveryError):
    """Certain: the target refused the message. Final until a person decides.

    `receipt_code` is what is kept of the refusal in events and lists: a code of theirs, never their text.
    """

    code = "KB-302"

    def __init__(
        self, what: str, *, receipt_code: str = "", where: str = "", expected: str = "", helps: str = ""
    ) -> None:
        self.receipt_code = receipt_code
        super().__init__(what, where=where, expected=expected, helps=helps)


class AlreadyUsed(Rejected):
    """Certain: not taken, because its id or file name stands for another content there. The ledger has forgotten."""

    code = "KB-303"


class SourceError(KiezbrueckeError):
    """A source could not be read to the end. What was read is kept, the rest is tried again."""

    code = "KB-400"


class LedgerError(KiezbrueckeError):
    """The ledger refuses, for instance because its schema is too old."""

    code = "KB-500"


class Overtaken(LedgerError):
    """A newer run of the same lane has taken over; this run changes nothing any more."""

    code = "KB-501"


class Recovering(LedgerError):
    """The destination knows more than the ledger (a restored backup): nothing goes out until a person ends that."""

    code = "KB-502"
    expected_word = "erwartet"


class Differing(LedgerError):
    """Both sides' sums differ, or a budget is not what its cases add up to. Nothing was changed; a person looks."""

    code = "KB-503"
    expected_word = "erwartet"


class MachineError(KiezbrueckeError):
    """The machine refuses: the disk is full, a folder cannot be written. Nothing half stays; IT operations acts."""

    code = "KB-600"
