"""The front door to the standards' files: what we hold, install, and check messages against."""

from kiezbruecke.standards.adding import SchemaOrigin, add
from kiezbruecke.standards.files import (
    Held,
    SchemaManifest,
    installed,
    manifest,
    official,
    profile,
)
from kiezbruecke.standards.install import Installation, install
from kiezbruecke.standards.parse import parse
from kiezbruecke.standards.validate import Checker, NotValid, Validator, checker, validate, validator

__all__ = [
    "Checker",
    "Held",
    "Installation",
    "NotValid",
    "SchemaManifest",
    "SchemaOrigin",
    "Validator",
    "add",
    "checker",
    "install",
    "installed",
    "manifest",
    "official",
    "parse",
    "profile",
    "validate",
    "validator",
]
