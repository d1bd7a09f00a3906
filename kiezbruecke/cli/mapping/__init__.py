"""`kiezbruecke mapping …`: for integrators – is a mapping right, what does it make, does it still make the same?

One module per task; each adds its commands to the group.
"""

from kiezbruecke.cli.mapping import (
    check,
    compiled,
    diff,
    doc,
    editor,
    examples,
    lineage,
    new,
    run,
    steps,
    trial,
    upgrade,
)
from kiezbruecke.cli.mapping.app import app

# Importing a module adds its commands to the group.
COMMANDS = (check, compiled, diff, doc, editor, examples, lineage, new, run, steps, trial, upgrade)

__all__ = ["COMMANDS", "app"]
