"""`kiezbruecke mapping …`: for integrators – is a mapping right, what does it make, does it still make the same?

One module per task; importing it adds its commands to the group.
"""

from importlib import import_module

from kiezbruecke.cli.mapping.app import app

TASKS = {
    "check": "check",
    "compile": "compiled",
    "diff": "diff",
    "doc": "doc",
    "editor": "editor",
    "lineage": "lineage",
    "new": "new",
    "preview": "examples",
    "run": "run",
    "steps": "steps",
    "test": "examples",
    "try": "trial",
    "upgrade": "upgrade",
}


def load(verb: str = "") -> None:
    """Add the command of this name to the group, else all: each imports what only it needs."""
    for task in [TASKS[verb]] if verb in TASKS else sorted(set(TASKS.values())):
        import_module(f"{__name__}.{task}")


__all__ = ["TASKS", "app", "load"]
