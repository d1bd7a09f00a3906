"""The desk as a page: what `desk/` shows and what commands do, for people who never see a command line.

    request ──▶ admission.py (who, forged?, the form) ──▶ a page: desk views ──▶ rendering.py (templates)
                                                            └─ POST: the function that the command calls, then redirect

No SQL, no rule of the administration, no script: forms and links. Airflow is not imported here; who is logged in says
a function that whoever opens the app brings (`airflow/plugin.py`). How to add a page: docs/how-to/page.md.
This file stays empty on purpose: a worker imports nothing of FastAPI.
"""
