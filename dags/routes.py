"""Every route in mappings/routes/ becomes an Airflow DAG (both words must stand in this file)."""

from pathlib import Path

from kiezbruecke.airflow.dags import route_dags

globals().update(route_dags(Path(__file__).resolve().parents[1]))
