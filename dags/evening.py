"""The Airflow DAG that compares both sides' sums every evening."""

from pathlib import Path

from kiezbruecke.airflow.dags import evening_dag

dag = evening_dag(Path(__file__).resolve().parents[1])
