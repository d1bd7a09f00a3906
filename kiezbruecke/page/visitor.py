"""Who looks at the page, and what they may do: rights per route (`mappings/roles.yaml`), a person by log-in."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from starlette.requests import Request

from kiezbruecke.content.roles import Right, Role
from kiezbruecke.ledger.people import Person


@dataclass(frozen=True)
class Visitor:
    """Somebody who has logged in."""

    person: Person
    """Whoever acts here acts as this person; no form has a field for a name"""
    roles: tuple[Role, ...] = ()
    names: frozenset[str] = frozenset()
    """What the roles are called, as a process names those who certify and order"""

    def may(self, right: Right, about: str | None = None) -> bool:
        """Whether this is allowed at a route or process; without one: at any."""
        return any(right in role.desk and (about is None or role.covers(about)) for role in self.roles)

    def may_answer(self, about: str, owner: str) -> bool:
        """Whether points of this owner may be answered at this route or process."""
        return any(Right.ANSWER in role.desk and role.covers(about) and role.owns(owner) for role in self.roles)

    def owns(self, owner: str) -> bool:
        """Whether points of this owner are those of the visitor's own office."""
        return any(role.owns(owner) for role in self.roles)


Who = Callable[[Request], Awaitable[Visitor | None]]  # None: nobody is logged in, or not any more
