"""The command line `kiezbruecke`: human tables, `--json`, exit codes, errors in one line."""

from kiezbruecke.cli.main import main

__all__ = ["main"]
