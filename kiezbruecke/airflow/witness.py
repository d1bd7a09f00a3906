"""Airflow's Variables as a witness: they lie in Airflow's database, which is not restored with the ledger.

A Variable per destination, `kiezbruecke_witness_hkr-tk`, so that two tasks never write the same one's neighbour.
"""

from __future__ import annotations

import json

from airflow.sdk import Variable

from kiezbruecke.ledger.witness import Tally

PREFIX = "kiezbruecke_witness_"


class VariableWitness:
    """Only inside a task, where Airflow answers; a call to it costs more than a send, so it is not made for each."""

    name = "Airflow-Variable"
    costly = True

    def read(self, destination: str) -> Tally | None:
        """See `Witness`. A text that somebody else has written knows nothing."""
        text = Variable.get(PREFIX + destination, default=None)
        try:
            found = json.loads(text) if text else None
            return Tally(int(found["sends"]), int(found["incarnation"])) if found else None
        except (ValueError, KeyError, TypeError):
            return None

    def write(self, destination: str, mark: Tally) -> None:
        """See `Witness`."""
        known = self.read(destination) or Tally(0, 0)
        highest = Tally(max(known.sends, mark.sends), max(known.incarnation, mark.incarnation))
        if highest != known:
            body = json.dumps({"sends": highest.sends, "incarnation": highest.incarnation})
            Variable.set(PREFIX + destination, body, description="Kiezbrücke: wie oft gesendet wurde; nicht ändern")
