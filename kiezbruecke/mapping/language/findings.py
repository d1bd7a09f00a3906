"""Findings: what is wrong with a mapping, where exactly, and what helps – known before anything is sent."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Literal

from kiezbruecke.errors import ConfigurationError
from kiezbruecke.printable import spelled_out

if TYPE_CHECKING:
    from collections.abc import Iterable

Severity = Literal["error", "warning", "note"]

CODES = {
    "KB-M01": "the file cannot be read as a mapping",
    "KB-M02": "unknown key",
    "KB-M03": "a value has the wrong form",
    "KB-M04": "name, folder and direction do not agree",
    "KB-M05": "an overlay that does not fit its base",
    "KB-M06": "unknown target",
    "KB-M07": "unknown target path",
    "KB-M08": "unknown source path",
    "KB-M09": "unknown step, or its argument does not fit",
    "KB-M10": "unknown code list or code",
    "KB-M11": "more values than the target can hold",
    "KB-M12": "mandatory target without a rule",
    "KB-M13": "a source that may be empty fills a mandatory target",
    "KB-M14": "the source's type does not fit the target",
    "KB-M15": "constants that will never be written",
    "KB-M16": "a condition that is always or never true",
    "KB-M17": "several branches of a choice",
    "KB-M18": "a text that may be too long",
    "KB-M19": "something without effect",
    "KB-M20": "a source field that must travel is read by no rule",
    "KB-M21": "a source path that no example holds",
    "KB-M22": "values without a partner, or with two",
    "KB-M23": "numbers with a gap",
    "KB-M24": "the mapping refuses its own example",
    "KB-M25": "a case that no branch is for",
    "KB-M26": "a group of rules that is not there, or has no end",
}


# What a rule may say is meant: warnings that stand at a rule, and the one error that a person may know better.
ACCEPTABLE = frozenset(f"KB-M{number}" for number in (10, 11, 13, 14, 15, 16, 17, 18, 19, 21, 22, 23, 25))


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A position in a file, counted from 1 as editors do."""

    file: str
    line: int = 1
    column: int = 1

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to mend. `code` is stable; `rule` is the full target path of the rule, where there is one."""

    place: Place
    code: str
    message: str
    rule: str = ""
    expected: str = ""
    helps: str = ""
    severity: Severity = "error"

    def as_dict(self) -> dict[str, str | int]:
        """The finding for `--json`."""
        return {
            "file": self.place.file,
            "line": self.place.line,
            "column": self.place.column,
            "rule": self.rule,
            "code": self.code,
            "severity": self.severity,
            "message": self.message,
            "expected": self.expected,
            "helps": self.helps,
        }

    def refusal(self) -> ConfigurationError:
        """The error of whoever takes no mapping that has this finding."""
        what = f"{self.code} {self.message}"
        return ConfigurationError(what, where=str(self.place), expected=self.expected, helps=self.helps)

    def line(self) -> str:
        """The finding in one line: `file:line:column: code message; expected …; helps`."""
        what = f"{self.place}: {self.code} {self.message}"
        parts = (what, self.expected and f"expected {self.expected}", self.helps)
        return spelled_out("; ".join(part for part in parts if part))


class NotAMapping(ConfigurationError):
    """The file is not well-formed; `findings` say where."""

    def __init__(self, findings: list[Finding]) -> None:
        self.findings = findings
        super().__init__(findings[0].line())


def nearest(word: str, known: Iterable[str]) -> str:
    """`did you mean 'x'?`, or nothing where no known word is near."""
    close = meant(word, known)
    return f"did you mean '{close}'?" if close else ""


def meant(word: str, known: Iterable[str]) -> str:
    """The known word that is nearest, or nothing where none is near."""
    return next(iter(get_close_matches(word, list(known), n=1, cutoff=0.6)), "")
