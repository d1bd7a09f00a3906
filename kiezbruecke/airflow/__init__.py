"""Airflow's side of the house: routes become DAGs, tasks call the pipeline; nothing here decides anything.

    dags/*.py ──▶ dags.py ──▶ tasks.py ──▶ kiezbruecke.pipeline
                                 └────────▶ resolver.py (Airflow's connections become ours)

This file stays empty on purpose: `provider.py` beside it is imported by every `import airflow.sdk`.
"""
