"""The Airflow DAG that watches deadlines and closes points that have healed."""

from pathlib import Path

from kiezbruecke.airflow.dags import housekeeping_dag

dag = housekeeping_dag(Path(__file__).resolve().parents[1])
