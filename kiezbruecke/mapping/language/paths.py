"""Paths: `case.documents` and `item.A.@x` name sources, `Feld[2]/Wert` and `Medium/@listURI` name targets."""

from __future__ import annotations

import re
from dataclasses import dataclass

_SOURCE = re.compile(r"(?P<root>[A-Za-z_][A-Za-z0-9_]*)(?:\.(?P<rest>.+))?", re.DOTALL)
_STEP = re.compile(r"(?P<name>[^\[\]]*)(?:\[(?P<number>[1-9][0-9]{0,4})\])?")
_PREFIX = re.compile(r"(?!xml)[^\W\d][\w.\-]*", re.IGNORECASE)
_NUMBER = re.compile(r"\[\d+\]")
_TARGET_STEP = re.compile(r"(?P<name>@?[^/@\[\]]+)(?:\[(?P<number>[1-9][0-9]{0,4})\])?")


@dataclass(frozen=True, slots=True)
class SourceStep:
    """One name of a source path; `number` chooses from a list, counted from 1."""

    name: str
    number: int | None = None


INDEX = (SourceStep("index"),)
"""Behind the name of a member: its number in the list, unless it has a field of this name."""


@dataclass(frozen=True, slots=True)
class SourcePath:
    """Where a value comes from: a root and names below it. Always absolute."""

    root: str
    steps: tuple[SourceStep, ...]
    text: str

    @classmethod
    def parse(cls, text: str) -> SourcePath:
        """Read `root.name.name[2].@attribute`; raises ValueError."""
        found = _SOURCE.fullmatch(text)
        if not found:
            raise ValueError("not a source path")
        rest = found["rest"]
        return cls(found["root"], tuple(map(_source_step, rest.split("."))) if rest else (), text)

    @property
    def names(self) -> str:
        """The path without numbers: `case.documents.name`, whichever of the documents it is."""
        return ".".join([self.root, *(step.name for step in self.steps)])


@dataclass(frozen=True, slots=True)
class TargetStep:
    """One name of a target path; `number` tells repeated elements apart, counted from 1."""

    name: str
    number: int = 1

    def __str__(self) -> str:
        return self.name if self.number == 1 else f"{self.name}[{self.number}]"


@dataclass(frozen=True, slots=True)
class TargetPath:
    """Where a value goes, relative to the enclosing block. `.` is the block's own text."""

    steps: tuple[TargetStep, ...]

    @classmethod
    def parse(cls, text: str) -> TargetPath:
        """Read `A/B[2]/@x`; raises ValueError."""
        if text == ".":
            return cls(())
        return cls(tuple(_target_step(part) for part in text.split("/")))

    def __str__(self) -> str:
        return "/".join(map(str, self.steps)) or "."


def is_name(text: str) -> bool:
    """Whether a source path may begin with a text: the name of a root, or of a member."""
    return (found := _SOURCE.fullmatch(text)) is not None and found["rest"] is None


def is_step(text: str) -> bool:
    """Whether a target path may name an element, property or column of this name."""
    found = _TARGET_STEP.fullmatch(text)
    return found is not None and not found["number"] and text.isprintable() and text.strip() not in {"", "."}


def without_numbers(path: str) -> str:
    """A target path as the schema knows it: `A[2]/B` is `A/B`."""
    return _NUMBER.sub("", path)


def is_prefix(text: str) -> bool:
    """Whether XML allows a text as a namespace's prefix."""
    return _PREFIX.fullmatch(text) is not None


def _source_step(text: str) -> SourceStep:
    found = _STEP.fullmatch(text)
    if not found:
        raise ValueError("not a source path")
    return SourceStep(found["name"], int(found["number"]) if found["number"] else None)


def _target_step(text: str) -> TargetStep:
    found = _TARGET_STEP.fullmatch(text)
    if not found:
        raise ValueError("not a target path")
    return TargetStep(found["name"], int(found["number"] or 1))
