"""What a task does: find the content, ask Airflow for connections, call the pipeline, translate errors.

The class of an error answers who must act; here it answers whether Airflow tries again. A text that is not
ours may quote what a person wrote: of an unexpected error only its kind and its place reach Airflow's log.
"""

from __future__ import annotations

import os
import traceback
from pathlib import Path

from airflow.sdk.exceptions import AirflowException, AirflowFailException, AirflowSkipException

from kiezbruecke import connections
from kiezbruecke.airflow.resolver import airflow_connection
from kiezbruecke.content import VARIABLE
from kiezbruecke.errors import ConfigurationError, KiezbrueckeError, Overtaken


def perform(step: str, route: str | None, content: Path) -> dict[str, int]:
    """Run one step of the pipeline; the result is counts only, for Airflow keeps it."""
    os.environ[VARIABLE] = str(content)  # the bundle of this very run, not where the worker happens to stand
    connections.use(airflow_connection)
    try:
        return _call(step, route)
    except Exception as error:  # noqa: BLE001 - translated, and raised below
        translated = _translate(error)
    raise translated  # outside the handler: the original, with its text, must not hang on it


def _call(step: str, route: str | None) -> dict[str, int]:
    from kiezbruecke import pipeline  # noqa: PLC0415 - parsing stays light: the clients come with the pipeline

    counts: dict[str, int] = getattr(pipeline, step)(*([route] if route else []))
    return dict(counts)


def _translate(error: Exception) -> AirflowException:
    match error:
        case ConfigurationError():
            return AirflowFailException(f"{error.code} {error}")
        case Overtaken():
            return AirflowSkipException(f"{error.code} {error}")
        case KiezbrueckeError():
            return AirflowException(f"{error.code} {error}")
    return AirflowException(f"unexpected {type(error).__name__}, text withheld, at {_place(error)}")


def _place(error: Exception) -> str:
    """The last places in the code, newest first: file:line function."""
    frames = reversed(traceback.extract_tb(error.__traceback__))
    short = (f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in frames)
    return " < ".join(list(short)[:8])
