"""One change between what was accepted and what is there, and whether the mapping can live with it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Severity = Literal["breaking", "compatible"]
Part = Literal["target", "service", "list", "source"]


@dataclass(frozen=True, slots=True)
class Change:
    """What became of one place. `path` is a path of the target or source, a list, or an operation; never a value."""

    severity: Severity
    part: Part
    path: str
    reason: str

    def as_dict(self) -> dict[str, str]:
        """The change for `--json`."""
        return {"severity": self.severity, "part": self.part, "path": self.path, "reason": self.reason}

    def line(self) -> str:
        """The change in one line."""
        return f"{self.severity}: {self.part} {self.path}: {self.reason}"


def breaking(changes: Iterable[Change]) -> list[Change]:
    """Those that a mapping cannot live with."""
    return [change for change in changes if change.severity == "breaking"]
