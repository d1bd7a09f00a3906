"""Which of our carriers a place has last, told by its file names: all that a system without questions can say of us."""

from __future__ import annotations

import re
from collections.abc import Iterable

CARRIER = re.compile(  # the id of a carrier: KB26-hkr-tk-000008, after a recovery KB26-hkr-tk-i2-000008
    r"KB(?P<year>[0-9]{2})-(?P<destination>[A-Za-z0-9._-]+?)-(?:i(?P<incarnation>[0-9]+)-)?(?P<number>[0-9]{6,})"
)


def last_batch(names: Iterable[str], connection: str) -> str:
    """The newest carrier's id among names of files, without endings; empty where none is ours.

    Ids begin with a part of the destination's name; a later incarnation was given after a recovery, so it is newer.
    """
    found = [match for name in names if (match := CARRIER.match(name.removeprefix("TEST-")))]
    ours = [one for one in found if connection.startswith(one["destination"])]
    newest = max(ours, key=lambda one: (incarnation_of(one), one["year"], int(one["number"])), default=None)
    return newest[0] if newest else ""


def incarnation_of(carrier: re.Match[str]) -> int:
    """The incarnation that a carrier's id says; before any recovery it is the first."""
    return int(carrier["incarnation"] or 1)
