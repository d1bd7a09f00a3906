"""The front door to the standards' files: what we hold, install, and check messages against."""

from kiezbruecke.standards.adding import Origin, add
from kiezbruecke.standards.files import (
    OFFICIAL,
    STORE,
    Held,
    Manifest,
    installed,
    manifest,
    official,
    profile,
)
from kiezbruecke.standards.install import Installation, install
from kiezbruecke.standards.parse import parse
from kiezbruecke.standards.validate import Validator, validate, validator

__all__ = [
    "OFFICIAL",
    "STORE",
    "Held",
    "Installation",
    "Manifest",
    "Origin",
    "Validator",
    "add",
    "install",
    "installed",
    "manifest",
    "official",
    "parse",
    "profile",
    "validate",
    "validator",
]
