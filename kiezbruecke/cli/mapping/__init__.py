"""`kiezbruecke mapping …`: for integrators – is a mapping right, what does it make, does it still make the same?

One module per task; each adds its commands to the group.
"""

from kiezbruecke.cli.mapping import check, examples, steps
from kiezbruecke.cli.mapping.app import app

__all__ = ["app", "check", "examples", "steps"]
