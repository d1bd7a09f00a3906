"""Who acts at a command: the log-in of this process, which nobody can choose by typing a name."""

from __future__ import annotations

import os
import pwd

from kiezbruecke.ledger.people import How, Person


def by_login(name: str) -> Person:
    """Whoever calls a command, under the name that was typed."""
    return Person(name, account(), How.OS)


def account() -> str:
    """The operating system's user, by number and not by environment: LOGNAME may be anybody."""
    number = os.getuid()
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return f"uid {number}"
