"""What a step is, and the list of all: a topic module registers its steps as it is imported."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from kiezbruecke.mapping.values import Kind, Unusable, is_nothing
from kiezbruecke.mapping.wording import Instead, Why

Argument = str | int | None


@dataclass(frozen=True, slots=True)
class StepExample:
    """What a step makes of a value. `gives` is the class Unusable where it refuses."""

    given: Any
    gives: Any
    argument: Argument = None


@dataclass(frozen=True, slots=True)
class Step:
    """A named function, the kinds it takes and gives, its argument's type and its examples.

    `takes`: `text` is any single value, read as the text that a target would get; `list` also takes a single value;
    a kind such as `decimal` or `date` also takes the text that machines write for it (XML Schema's).
    `gives`: what comes out if anything does. `choices`: the only arguments there are, where they are a closed set.
    """

    name: str
    function: Callable[..., Any]
    takes: Kind
    gives: Kind
    argument: type[int | str] | None
    choices: tuple[str, ...]
    reads_nothing: bool
    examples: tuple[StepExample, ...]

    @property
    def summary(self) -> str:
        """The first line of the function's documentation."""
        return (self.function.__doc__ or "").strip().splitlines()[0]

    @property
    def details(self) -> str:
        """The rest of the function's documentation: where its rule comes from, what it does not do."""
        lines = (self.function.__doc__ or "").strip().splitlines()[1:]
        return " ".join(line.strip() for line in lines).strip()

    @property
    def topic(self) -> str:
        """The module that holds it: text, numbers, dates …"""
        return self.function.__module__.rpartition(".")[2]

    def apply(self, value: Any, argument: Argument = None) -> Any:
        """The value after this step; nothing stays nothing. Raises Unusable."""
        if is_nothing(value) and not self.reads_nothing:
            return None
        if self.choices and argument not in self.choices:
            raise Unusable(Why.NO_ARGUMENT(self.name), Instead.THESE(", ".join(self.choices)))
        return self.function(value) if self.argument is None else self.function(value, argument)


STEPS: dict[str, Step] = {}


def step(
    *examples: StepExample,
    takes: Kind = "text",
    gives: Kind = "text",
    argument: type[int | str] | None = None,
    choices: tuple[str, ...] = (),
    reads_nothing: bool = False,
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Register a function as the step of its name, with the examples that are its tests and its reference."""

    def register(function: Callable[..., Any]) -> Callable[..., Any]:
        name = function.__name__.rstrip("_")
        STEPS[name] = Step(name, function, takes, gives, argument, choices, reads_nothing, examples)
        return function

    return register
