"""Why a mapping refuses a value, in the words of whoever has written the value.

A pattern and the name of a code list are for who writes mappings: the commands of the workbench show them, and
`todo show` names the rule that has them. A clerk gets what is possible, or a text that would be right.
"""

from __future__ import annotations

import re

from kiezbruecke.errors import RecordError
from kiezbruecke.mapping.schema.pattern_example import example_of

_LISTED = re.compile(r"der (?:Wert|Code) steht nicht in der Codeliste „[^“]*“; erwartet: ")
_FORMED = re.compile(r"; erwartet: das Muster (?P<pattern>.*)", re.DOTALL)


def for_clerks(error: RecordError) -> str:
    """The error's line; where a pattern is all that it expects, an example of it instead."""
    return _FORMED.sub(_such_as, _LISTED.sub("dieser Wert ist nicht möglich; möglich sind: ", error.line()))


def _such_as(found: re.Match[str]) -> str:
    example = example_of(found["pattern"])
    return f"; richtig ist z. B. {example}" if example else ""
