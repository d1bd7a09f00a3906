"""Who acts through Airflow: the log-in that Airflow has asked a password of, never a field of a form."""

from __future__ import annotations

from typing import Any

from kiezbruecke.ledger.people import How, Person


def by_user(name: str, user: str | None) -> Person:
    """Whoever is logged in there, or has started the run by hand (`dag_run.triggering_user_name`); nobody may not act.

    `ledger.people.signed` refuses the person whose run was started by the clock.
    """
    return Person(name, user or "", How.AIRFLOW)


def roles_of(user: Any) -> set[str]:
    """The names of a user's roles: the simple auth manager knows one, FAB several with a name each."""
    one = {str(user.role)} if getattr(user, "role", None) else set()
    return one | {str(getattr(role, "name", role)) for role in getattr(user, "roles", None) or ()}
