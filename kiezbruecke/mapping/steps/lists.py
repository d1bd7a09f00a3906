"""Steps between one text and a list of several."""

from __future__ import annotations

from kiezbruecke.mapping.steps.registry import StepExample, step
from kiezbruecke.mapping.values import Unusable, is_nothing, to_text


@step(
    StepExample("Kultur, Sport", ["Kultur", "Sport"], ","),
    StepExample("Kultur", ["Kultur"], ","),
    StepExample("Kultur;; ;Sport", ["Kultur", "Sport"], ";"),
    StepExample(["Kultur", "Sport"], Unusable, ","),
    gives="list",
    argument=str,
)
def split(value: object, separator: str) -> list[str]:
    """Cut at a separator into a list without blanks and empty parts."""
    given = to_text(value)
    return [part.strip() for part in (given.split(separator) if separator else [given]) if part.strip()]


@step(
    StepExample(["Kultur", "Sport"], "Kultur, Sport", ", "),
    StepExample(["Kultur", "", "Sport"], "Kultur; Sport", "; "),
    StepExample("Kultur", "Kultur", ", "),
    takes="list",
    argument=str,
)
def join(value: object, separator: str) -> str:
    """Write a list as one text."""
    return separator.join(to_text(part) for part in _as_list(value) if not is_nothing(part))


@step(
    StepExample(["Kultur", "Sport"], "Kultur"),
    StepExample("Kultur", "Kultur"),
    StepExample([], None),
    takes="list",
    gives="any",
)
def first(value: object) -> object:
    """Take the first value of a list."""
    return _as_list(value)[0]


def _as_list(value: object) -> list[object]:
    return list(value) if isinstance(value, list | tuple) else [value]
