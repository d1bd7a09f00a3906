"""Airflow's Variables as a witness outside the ledger: they are not restored together with it."""

from __future__ import annotations

import json
import os
from contextlib import closing
from pathlib import Path

import pytest
from airflow.dag_processing.dagbag import BundleDagBag
from airflow.models.variable import Variable
from airflow.utils import db
from airflow.utils.state import DagRunState

from kiezbruecke import ledger
from kiezbruecke.edge import ledger_url
from kiezbruecke.ledger import recoveries
from tests.world import DECISION_HEADER, line

KEPT, SETTLED = "kiezbruecke_witness_statusliste-tk", {"settle_seconds": 0}


@pytest.mark.airflow
def test_a_variable_alone_shows_that_the_ledger_is_old(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file went away with the ledger; a task asks Airflow, stops, and is not tried again."""
    monkeypatch.setenv("KIEZBRUECKE_STATE", str(tmp_path))
    monkeypatch.setenv("KIEZBRUECKE_LEDGER_URL", f"sqlite:///{tmp_path}/ledger.sqlite3")
    for name, profile, more in (("statusliste", "status-list", {}), ("beschluesse", "decision-sheet", SETTLED)):
        (tmp_path / name).mkdir()
        extra = {"path": str(tmp_path / name), "profile": profile, **more}
        connection = json.dumps({"conn_type": "kb_folder", "extra": extra})
        monkeypatch.setitem(os.environ, f"AIRFLOW_CONN_{name.upper()}-TK", connection)
    sheet = "\n".join((DECISION_HEADER, line("P-1")))
    (tmp_path / "beschluesse" / "april.csv").write_text(sheet, "utf-8-sig")
    ledger.upgrade(ledger_url())
    db.initdb()
    bag = BundleDagBag(dag_folder=root, bundle_path=root, bundle_name="kiezbruecke", known_pools=None)
    for route in ("kk-tk-beschluesse", "kk-tk-statusliste"):
        assert bag.dags[route].test().state == DagRunState.SUCCESS
    assert json.loads(Variable.get(KEPT)) == {"sends": 1, "incarnation": 1}

    (tmp_path / "witness.json").unlink()
    Variable.set(KEPT, '{"sends": 9, "incarnation": 4}')
    run = bag.dags["kk-tk-statusliste"].test()

    Variable.delete(KEPT)
    assert run.state == DagRunState.FAILED
    with closing(ledger.open_ledger(ledger_url())) as opened:
        assert "statusliste-tk" in recoveries.recovering(opened)
        assert recoveries.mark_of(opened, "statusliste-tk").incarnation == 5
