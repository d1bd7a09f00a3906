"""What every step is given: the content, the ledger, and a way to ask for connections. Made once, at the edge."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from kiezbruecke.connector import Connection
from kiezbruecke.ledger import Ledger
from kiezbruecke.ledger.witness import Witness
from kiezbruecke.vault import Vault

Connect = Callable[[str], Connection]  # by name; raises ConfigurationError where there is none


@dataclass(frozen=True)
class House:
    """One house at work. Whoever opened it (`kiezbruecke.edge`) closes it."""

    content: Path
    ledger: Ledger
    connect: Connect
    witnesses: Sequence[Witness] = ()  # outside the ledger: how often it has begun to send
    anchors: Path | None = None  # the file to which housekeeping carries the ends of the chains of evidence
    anchor_key: Path | None = None  # an Ed25519 private key (PEM) that signs them
    page: str = ""  # base address of the desk's pages, for links in letters
    post: Path | None = None  # the folder for letters where no server takes them
    reports: Path | None = None  # the folder into which the evening's reconciliation writes its files

    @property
    def vault(self) -> Vault:
        """What seals account data and opens it; without keys it says so when it is needed, and not before."""
        return self.ledger.vault

    def close(self) -> None:
        """Give the ledger's connections back."""
        self.ledger.close()
