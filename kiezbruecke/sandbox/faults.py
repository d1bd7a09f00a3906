"""Fault switches: what a sandbox does wrong on purpose, a number of times."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from kiezbruecke.errors import ConfigurationError


@dataclass
class Faults:
    """Armed faults, kept in a file so that they survive a restart of the sandbox.

    `known` are the switches this sandbox has; `arm(name, times)` sets one, `take(name)` uses one up.
    """

    file: Path
    known: tuple[str, ...]

    def armed(self) -> dict[str, int]:
        """The faults still to come, by name."""
        if not self.file.exists():
            return {}
        body: dict[str, int] = json.loads(self.file.read_text("utf-8"))
        return body

    def arm(self, name: str, times: int = 1) -> None:
        """Let the next `times` matching calls go wrong; 0 disarms."""
        if name not in self.known:
            raise ConfigurationError(f"no fault is called '{name}'", where="sandbox", expected=", ".join(self.known))
        self._write({**self.armed(), name: times})

    def take(self, name: str) -> bool:
        """True if the fault was armed; it is then one less."""
        armed = self.armed()
        if armed.get(name, 0) <= 0:
            return False
        self._write({**armed, name: armed[name] - 1})
        return True

    def _write(self, armed: dict[str, int]) -> None:
        self.file.parent.mkdir(parents=True, exist_ok=True)
        part = self.file.with_suffix(".part")
        part.write_text(json.dumps({key: value for key, value in armed.items() if value > 0}), "utf-8")
        part.replace(self.file)
