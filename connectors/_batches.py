"""Which of our carriers a place has last, told by its file names: all that a system without questions can say of us."""

from __future__ import annotations

import re
from collections.abc import Iterable

_ID = re.compile(r"KB(?P<year>\d\d)-(?P<destination>.+?)-(?:i(?P<incarnation>\d+)-)?(?P<number>\d{6})")


def last_batch(names: Iterable[str], connection: str) -> str:
    """The newest carrier's id among names of files, without endings; empty where none is ours.

    Ids begin with a part of the destination's name; a later incarnation was given after a recovery, so it is newer.
    """
    found = [match for name in names if (match := _ID.match(name.removeprefix("TEST-")))]
    ours = [one for one in found if connection.startswith(one["destination"])]
    newest = max(ours, key=lambda one: (int(one["incarnation"] or 1), one["year"], one["number"]), default=None)
    return newest[0] if newest else ""
