"""The ledger: what is known, what was sent, what came back. SQLite or PostgreSQL; one method, one transaction."""

from kiezbruecke.ledger.database import Ledger, open_ledger, upgrade
from kiezbruecke.ledger.runs import Run, begin_run, end_run
from kiezbruecke.ledger.states import MessageState

__all__ = ["Ledger", "MessageState", "Run", "begin_run", "end_run", "open_ledger", "upgrade"]
