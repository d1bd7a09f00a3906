"""A verb of `mapping` imports what it needs, and all of them stand in the help."""

from __future__ import annotations

import subprocess
import sys

from kiezbruecke.cli.mapping import TASKS, app, load

ASKED = """
import sys
from kiezbruecke.cli.main import application
application("mapping", "preview")
print(*sys.modules)
"""


def test_the_list_of_verbs_is_whole() -> None:
    """A command that the list does not have would be there in the help alone."""
    load()

    assert {command.name for command in app.registered_commands} == set(TASKS)


def test_a_preview_imports_no_other_verb() -> None:
    """Half of what the group imports is for verbs that are not called; a preview is waited for."""
    asked = subprocess.run([sys.executable, "-c", ASKED], capture_output=True, text=True, check=True)
    imported = set(asked.stdout.split())

    assert "kiezbruecke.cli.mapping.examples" in imported
    assert not {"kiezbruecke.workbench.scaffold", "kiezbruecke.workbench.run_file", "kiezbruecke.ledger"} & imported
    assert "schwifty" not in imported
