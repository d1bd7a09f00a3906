"""Finds the content: mappings, schemas, routes. Code is installed, content is bundled with the DAGs."""

from __future__ import annotations

import os
from pathlib import Path

from kiezbruecke.errors import ConfigurationError

VARIABLE = "KIEZBRUECKE_CONTENT"


def find_content(given: Path | None = None) -> Path:
    """The folder that holds `mappings/` and `schemas/`: given, else the variable, else upwards from here."""
    if given is not None:
        return _checked(given, "--content")
    if value := os.environ.get(VARIABLE):
        return _checked(Path(value), VARIABLE)
    here = Path.cwd()
    for folder in (here, *here.parents):
        if _is_content(folder):
            return folder
    raise ConfigurationError(
        "no folder with mappings/ and schemas/ found here or above",
        where=str(here),
        helps=f"go to the checkout, or set {VARIABLE} or --content",
    )


def find_state(content: Path) -> Path:
    """The folder for local state (`var/`): ledger, connections, sandboxes. Beside the content."""
    return Path(os.environ.get("KIEZBRUECKE_STATE", content / "var"))


def _checked(folder: Path, where: str) -> Path:
    if not _is_content(folder):
        raise ConfigurationError(
            f"{folder} holds no content", where=where, expected="a folder with mappings/ and schemas/"
        )
    return folder.resolve()


def _is_content(folder: Path) -> bool:
    return (folder / "mappings").is_dir() and (folder / "schemas").is_dir()
