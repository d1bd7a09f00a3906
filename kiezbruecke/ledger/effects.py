"""What the ledger asks of an effect. The effects stand above it and are found by name; it imports none of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy import Connection, Row

from kiezbruecke import plugins
from kiezbruecke.errors import ConfigurationError
from kiezbruecke.ledger.draft import Draft
from kiezbruecke.ledger.states import MessageState
from kiezbruecke.records.views import StoryKind

Hold = Callable[[Connection, Sequence[Draft]], Mapping[UUID, str]]
"""Hold back what drafts ask for, in their order; per key of a draft that finds no money, the German reason."""

Follow = Callable[[Connection, Sequence[tuple[Row[Any], MessageState]]], None]
"""What the steps of messages mean for what is held, inside the same transaction."""

LetGo = Callable[[Connection, Iterable[UUID]], None]
"""A rebuilt destination knows nothing of these cases: nothing is held for it any more."""


Hear = Callable[[Connection, Sequence[UUID]], None]
"""Words about these messages were stored; what they mean beyond the messages' states, inside the same transaction."""


class Booked(Protocol):
    """The ledger's half of an effect (`kiezbruecke.effects.Effect`)."""

    @property
    def once(self) -> bool: ...
    @property
    def informs(self) -> bool: ...
    @property
    def confidential(self) -> bool: ...
    @property
    def partner(self) -> str: ...
    @property
    def happened(self) -> tuple[StoryKind, str] | None: ...
    @property
    def hold(self) -> Hold | None: ...
    @property
    def follow(self) -> Follow | None: ...
    @property
    def let_go(self) -> LetGo | None: ...
    @property
    def hear(self) -> Hear | None: ...


def booked(name: str) -> Booked:
    """The effect of this name; raises ConfigurationError for one whose file is gone."""
    found: Booked | None = plugins.effects().get(name)
    if found is None:
        raise ConfigurationError(
            f"the ledger holds messages of an effect '{name}' that is not installed",
            where="kiezbruecke/effects",
            expected=", ".join(sorted(plugins.effects())),
        )
    return found
