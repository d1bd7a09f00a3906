"""What a task does: open the house with Airflow's connections, call the pipeline, translate errors.

The class of an error answers who must act; here it answers whether Airflow tries again. A text that is not
ours may quote what a person wrote: of an unexpected error only its kind and its place reach Airflow's log.
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from airflow.sdk.exceptions import AirflowException, AirflowFailException, AirflowSkipException

from kiezbruecke.airflow.page import STEPS
from kiezbruecke.airflow.resolver import airflow_connection
from kiezbruecke.errors import ConfigurationError, Differing, KiezbrueckeError, Overtaken, Recovering
from kiezbruecke.privacy import keep_private

if TYPE_CHECKING:
    from kiezbruecke.house import House

log = logging.getLogger("kiezbruecke")


def perform(step: str, route: str | None, content: Path) -> dict[str, int]:
    """Run one step of the pipeline; the result is counts only, for Airflow keeps it."""
    keep_private()
    try:
        return _call(step, route, content)
    except Exception as error:  # noqa: BLE001 - translated, and raised below
        translated = translate(error)
    raise translated  # outside the handler: the original, with its text, must not hang on it


def tell_failure(context: dict[str, object], content: Path) -> None:
    """Airflow's callback when the last try of a task has failed: operations gets a letter, once a day and step."""
    ti = context.get("task_instance") or context.get("ti")
    dag = context["dag"]
    step = getattr(ti, "task_id", "")
    _tell(getattr(dag, "dag_id", ""), f"Der Schritt „{STEPS.get(step, (step,))[0]}“ ist fehlgeschlagen.", content)


def _tell(route: str, what: str, content: Path) -> None:
    from kiezbruecke import mailing  # noqa: PLC0415 - as below

    keep_private()
    try:
        with house_of_task(content) as house:
            mailing.alarm(house, route, what)
    except KiezbrueckeError as error:  # the failure itself stands in Airflow already
        log.warning("no letter about %s: %s %s", route, error.code, error.line())


def _call(step: str, route: str | None, content: Path) -> dict[str, int]:
    from kiezbruecke import pipeline  # noqa: PLC0415 - parsing stays light: the clients come with the pipeline

    with house_of_task(content) as house:
        counts: dict[str, int] = getattr(pipeline, step)(house, *([route] if route else []))
    if counts.get("overtaken") and not counts.get("changed"):
        raise Overtaken("a newer run has taken over", where=f"route {route}")  # and what follows is that one's
    return dict(counts)


@contextmanager
def house_of_task(content: Path) -> Iterator[House]:
    """The house of a task. `content` is the bundle of this very run, not where the worker happens to stand."""
    from kiezbruecke.airflow.witness import VariableWitness  # noqa: PLC0415
    from kiezbruecke.edge import open_house  # noqa: PLC0415

    with closing(open_house(content, airflow_connection, [VariableWitness()])) as house:
        yield house


def translate(error: Exception) -> AirflowException:
    """What Airflow is told of an error, and so whether it tries again."""
    match error:
        case ConfigurationError() | Recovering() | Differing():  # a person acts; trying again changes nothing
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
