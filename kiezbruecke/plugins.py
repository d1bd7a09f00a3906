"""Finds what stands above its users: the effects, a file each in `kiezbruecke/effects`. Nothing knows them by name.

The ledger, the mappings and the routes ask here, so that none of them imports an effect.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from typing import Any

from kiezbruecke.errors import ConfigurationError

EFFECTS = "kiezbruecke.effects"


def effect_folders() -> list[str]:
    """Where effects lie."""
    return list(import_module(EFFECTS).__path__)


@cache
def effects() -> Mapping[str, Any]:
    """Every effect by its name (`kiezbruecke.effects.Effect`): what the files of the folder list under `EFFECTS`."""
    names = sorted(module.name for module in pkgutil.iter_modules(effect_folders()))
    modules = [import_module(f"{EFFECTS}.{name}") for name in names]
    found = [effect for module in modules for effect in getattr(module, "EFFECTS", ())]
    _refuse_twins("name", [effect.name for effect in found])
    _refuse_twins("letter", [letter for _, letter in {(effect.family, effect.letter) for effect in found}])
    return {effect.name: effect for effect in found}


def _refuse_twins(what: str, given: list[str]) -> None:
    """Two effects of one name, or two families with one letter, would be taken for each other."""
    twice = sorted({one for one in given if given.count(one) > 1})
    if twice:
        raise ConfigurationError(f"the {what} '{twice[0]}' stands for two effects", where=EFFECTS, expected="one")
