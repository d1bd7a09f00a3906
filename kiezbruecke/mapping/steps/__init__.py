"""Steps: the closed list of small named functions between a source and its target.

Each step's examples are its tests and its page in the reference (`docs/reference/steps.md`). A step that
needs a second meaning is a second step; a translation that only one list needs is a code list.
"""

from __future__ import annotations

from kiezbruecke.mapping.steps import address, dates, ids, latin, lists, markup, numbers, text
from kiezbruecke.mapping.steps.registry import STEPS, Argument, Step, StepExample

_MODULES = (text, lists, numbers, dates, ids, latin, address, markup)  # in the order of the reference page
TOPICS = tuple(module.__name__.rpartition(".")[2] for module in _MODULES)

__all__ = ["STEPS", "TOPICS", "Argument", "Step", "StepExample"]
