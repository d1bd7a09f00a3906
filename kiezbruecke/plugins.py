"""Finds what stands above its users: the effects, one file each in `kiezbruecke/effects`. Nothing knows them by name.

The ledger, the mappings and the routes ask here, so that none of them imports an effect.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from typing import Any

EFFECTS = "kiezbruecke.effects"


@cache
def effects() -> Mapping[str, Any]:
    """Every effect by its name (`kiezbruecke.effects.Effect`): what the files of the folder list under `EFFECTS`."""
    names = sorted(module.name for module in pkgutil.iter_modules(import_module(EFFECTS).__path__))
    modules = [import_module(f"{EFFECTS}.{name}") for name in names]
    return {effect.name: effect for module in modules for effect in getattr(module, "EFFECTS", ())}
