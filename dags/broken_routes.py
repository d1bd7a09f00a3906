"""No DAG here: Airflow shows what this file raises, one import error that lists every broken route file."""

from pathlib import Path

from kiezbruecke.airflow.dags import report_broken_routes

report_broken_routes(Path(__file__).resolve().parents[1])
