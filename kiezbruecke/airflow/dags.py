"""Routes become DAGs: data in, DAGs out. Parsing imports no client, no lxml, no pipeline; tasks do.

    collecting route     collect
    sending route        prepare >> deliver >> reconcile
    with four eyes       beside it <route>-freigabe: certify >> order, questions to people (`releasing.py`)
    broken route file    one task that says why; all of them are one import error in the web interface
    broken mapping       the same, with the finding: file, line, column, what helps

A route that brought or sent something says so with an asset event; the routes that name it in `after:` wake
up and ask the ledger what there is to do. Airflow can lose such a wake-up: the clock beside it is the net.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

from airflow.sdk import (
    DAG,
    Asset,
    AssetAny,
    AssetOrTimeSchedule,
    CronTriggerTimetable,
    get_current_context,
    get_parsing_context,
    task,
)
from airflow.sdk.api.datamodels._generated import DagRunType  # the only place from which a DAG file may have it
from airflow.sdk.exceptions import AirflowFailException

from kiezbruecke.airflow import page
from kiezbruecke.airflow.tasks import perform, tell_failure
from kiezbruecke.airflow.verdicts import Verdicts, examine, known, names_of
from kiezbruecke.content.routes import CollectingRoute, Route, RoutePlace, SendingRoute, route_places
from kiezbruecke.errors import ConfigurationError

ZONE = "Europe/Berlin"
HOUSEKEEPING = "kb-housekeeping"
EVENING = "kb-evening"
STEPS = {CollectingRoute: ("collect",), SendingRoute: ("prepare", "deliver", "reconcile")}
KINDS = frozenset(DagRunType) - {DagRunType.BACKFILL}  # no run for a day gone by: the ledger knows what is due
SILENT = frozenset({"prepare"})  # only builds messages; nobody needs to wake up for them
RETRY: dict[str, Any] = {
    "retries": 3,
    "retry_delay": timedelta(seconds=10),
    "retry_exponential_backoff": 2,
    "max_retry_delay": timedelta(minutes=2),
}


class BrokenRoutes(Exception):
    """Some route files cannot be used; the text has one line per file."""


def route_dags(content: Path) -> dict[str, DAG]:
    """One DAG per route file, by id. Inside a worker only the one that runs: the others are not even read."""
    wanted = get_parsing_context().dag_id
    verdicts = known(content)
    places = route_places(content)
    names = frozenset(place.name for place in places)
    dags = [_dag_of(place, content, verdicts, names) for place in places if wanted in (None, _dag_id(place.name))]
    asking = [dag for place in places if wanted in (None, asks(place.name)) and (dag := _asking_dag(place, content))]
    points = [dag for place in places if wanted in (None, answers(place.name)) and (dag := _points_dag(place, content))]
    return {dag.dag_id: dag for dag in (*dags, *asking, *points)}


def asks(route: str) -> str:
    """The DAG that asks people about a route which needs four eyes."""
    return f"{_dag_id(route)}-freigabe"


def answers(route: str) -> str:
    """The DAG that asks people about points which stop a route."""
    return f"{_dag_id(route)}-punkte"


def report_broken_routes(content: Path) -> None:
    """Raise one BrokenRoutes that lists every route file which cannot be used."""
    reasons = []
    verdicts = examine(content, _named_by_routes(content))
    places = route_places(content)
    names = frozenset(place.name for place in places)
    for place in places:
        try:
            _route_dag(place, content, verdicts, names)
            _refuse_unfit_connection(place)
        except Exception as error:  # noqa: BLE001 - whatever is wrong with one file must not hide the others
            reasons.append(_reason(error, content))
    if reasons:
        raise BrokenRoutes("\n".join(["these routes do not run until they are corrected:", *reasons]))


def _refuse_unfit_connection(place: RoutePlace) -> None:
    """Where Airflow knows the connection by now, it must lead to something that the route can be about."""
    from kiezbruecke.airflow.resolver import airflow_connection  # noqa: PLC0415 - only this file's parse asks
    from kiezbruecke.content.parties import refuse_wrong_party  # noqa: PLC0415

    route = place.read()
    key, name = ("destination", route.destination) if isinstance(route, SendingRoute) else ("collect", route.collect)
    try:
        party = airflow_connection(name)
    except Exception:  # noqa: BLE001 - not made yet, or nobody to ask here: a run will say so
        return
    try:
        refuse_wrong_party(route, party)
    except ConfigurationError as error:
        raise ConfigurationError(error.line(), where=place.at(key)) from None


def housekeeping_dag(content: Path) -> DAG:
    """Watches deadlines, closes points that have healed by themselves, and sends the morning's post."""
    title = "Fristen überwachen, erledigte Punkte schließen"
    return _house_dag(HOUSEKEEPING, title, "stündlich", "5 * * * *", ("housekeeping", "morning_post"), content)


def evening_dag(content: Path) -> DAG:
    """Compares both sides' sums of all processes; its run fails where they differ."""
    return _house_dag(EVENING, "Abgleich am Abend", "täglich um 19:30", "30 19 * * *", ("close_the_day",), content)


def _house_dag(dag_id: str, title: str, when: str, cron: str, steps: Sequence[str], content: Path) -> DAG:
    """A DAG of steps that are about the house, and about no route."""
    with DAG(
        dag_id=dag_id,
        dag_display_name=title,
        description=f"{dag_id}: {when}",
        schedule=CronTriggerTimetable(cron, timezone=ZONE),
        max_active_runs=1,
        allowed_run_types=KINDS,
        catchup=False,
        is_paused_upon_creation=False,
        auto_register=False,
        default_args={"owner": "kiezbruecke", **RETRY},
        tags=["kiezbruecke"],
    ) as dag:
        before = None
        for step in steps:
            now = _house_step(step, content)
            if before is not None:
                before >> now
            before = now
    return dag


def _house_step(step: str, content: Path) -> Any:
    """A task of the house. The post goes out also where a deadline could not be looked at."""

    @task(
        task_id=step,
        task_display_name=page.STEPS[step][0],
        doc_md=page.step_page(step),
        multiple_outputs=False,
        trigger_rule="all_done",
    )
    def run() -> dict[str, int]:
        return perform(step, None, content)

    return run()


def pools(content: Path) -> dict[str, int]:
    """The pools of the routes, with their slots. A task whose pool is missing waits for ever, silently."""
    found = set()
    for place in route_places(content):
        try:
            found.add(_pool(place.read()))
        except ConfigurationError:
            continue  # its placeholder needs no pool of its own
    return dict.fromkeys(sorted(found), 2)


def _named_by_routes(content: Path) -> set[str]:
    """What the routes name whose file can be read."""
    found: set[str] = set()
    for place in route_places(content):
        with suppress(ConfigurationError):
            found.update(names_of(place.read()))
    return found


def _dag_of(place: RoutePlace, content: Path, verdicts: Verdicts, names: frozenset[str]) -> DAG:
    try:
        return _route_dag(place, content, verdicts, names)
    except Exception as error:  # noqa: BLE001 - one broken file must not take the other routes away
        return _broken_dag(_dag_id(place.name), _reason(error, content))


def _route_dag(place: RoutePlace, content: Path, verdicts: Verdicts, names: frozenset[str]) -> DAG:
    route, file = place.read(), place.file
    for name in names_of(route):
        if (wrong := verdicts.get(name)) and name.startswith("mapping"):
            raise ConfigurationError(f"mapping: {wrong}", where=str(file))
        if wrong:
            raise ConfigurationError(wrong)  # it names file and line itself
    with DAG(
        dag_id=route.name,
        dag_display_name=route.title or route.name,
        description=page.summary(route),
        schedule=_schedule(route, file, names),
        max_active_runs=1,
        allowed_run_types=KINDS,
        catchup=False,
        is_paused_upon_creation=_is_off(route),
        auto_register=False,  # broken_routes.py builds the same DAGs and must not claim them
        default_args={
            "owner": route.owner,
            "on_failure_callback": lambda context: tell_failure(context, content),
            **RETRY,
        },
        tags=["kiezbruecke", route.process, *(["aus"] if _is_off(route) else [])],
        doc_md=page.route_page(route, {str(one.relative_to(content)): one for one in place.files}),
    ) as dag:
        before = None
        for step in STEPS[type(route)]:
            now = _step(step, route, content)
            if before is not None:
                before >> now
            before = now
    return dag


def _asking_dag(place: RoutePlace, content: Path) -> DAG | None:
    """The questions of a live route with four eyes; none of any other, nor of one whose own DAG says what is wrong."""
    try:
        route = place.read()
    except ConfigurationError:
        return None
    if not _asks_people(route):
        return None
    from kiezbruecke.airflow.releasing import ReleaseOperator  # noqa: PLC0415 - few routes ask anybody

    with DAG(
        dag_id=asks(route.name),
        dag_display_name=f"Freigabe: {route.title or route.name}",
        description=f"Fragt, was auf der Strecke {route.name} freigegeben wird; dasselbe geht mit kiezbruecke release",
        schedule=_asking_times(route, place.file),
        max_active_runs=1,
        allowed_run_types=KINDS,
        catchup=False,
        is_paused_upon_creation=False,
        auto_register=False,
        default_args={"owner": route.owner, **RETRY},
        tags=["kiezbruecke", route.process],
    ) as dag:
        certify, order = (
            ReleaseOperator(
                task_id=act,
                task_display_name=page.STEPS[act][0],
                doc_md=page.step_page(act),
                act=act,
                route=route.name,
                content=content,
                trigger_rule="all_done",  # what was certified earlier can be ordered, whatever became of the rest
            )
            for act in ("certify", "order")
        )
        certify >> order
    return dag


def _points_dag(place: RoutePlace, content: Path) -> DAG | None:
    """The questions about what stops a route, where its file says `ask: true`."""
    try:
        route = place.read()
    except ConfigurationError:
        return None
    if not route.ask or _is_off(route):
        return None
    from kiezbruecke.airflow.answering import PointOperator  # noqa: PLC0415 - few routes ask anybody

    with DAG(
        dag_id=answers(route.name),
        dag_display_name=f"Punkte: {route.title or route.name}",
        description=f"Fragt, was die Strecke {route.name} aufhält; dasselbe geht auf dem Schreibtisch",
        schedule=CronTriggerTimetable("*/15 * * * *", timezone=ZONE),
        max_active_runs=1,
        allowed_run_types=KINDS,
        catchup=False,
        is_paused_upon_creation=False,
        auto_register=False,
        default_args={"owner": route.owner, **RETRY},
        tags=["kiezbruecke", route.process],
    ) as dag:
        PointOperator(
            task_id="answer",
            task_display_name=page.STEPS["answer"][0],
            doc_md=page.step_page("answer"),
            route=route.name,
            content=content,
        )
    return dag


def _asking_times(route: Route, file: Path) -> Any:
    """When the route has prepared something; and by its clock, for a question that nobody has answered."""
    prepared = Asset(_asset(asks(route.name)))
    if route.schedule is None:
        return prepared
    return AssetOrTimeSchedule(timetable=_clock(route.schedule, file), assets=prepared)


def _step(step: str, route: Route, content: Path) -> Any:
    """One task. `content` travels in the closure: an argument would be serialised, and the path changes."""

    @task(
        task_id=step,
        task_display_name=page.STEPS[step][0],
        doc_md=page.step_page(step),
        pool=_pool(route),
        outlets=_outlets(step, route),
        multiple_outputs=False,
    )
    def run(name: str) -> dict[str, int]:
        counts = perform(step, name, content)
        if not counts.get("prepared" if step in SILENT else "changed"):
            _wake_nobody()
        return counts

    return run(route.name)


def _outlets(step: str, route: Route) -> list[Asset]:
    """Whom a step wakes: other routes, and the questions about what it has prepared."""
    if step not in SILENT:
        return [Asset(_asset(route.name))]
    return [Asset(_asset(asks(route.name)))] if _asks_people(route) else []


def _asks_people(route: Route) -> bool:
    return isinstance(route, SendingRoute) and route.release == "four_eyes" and route.mode == "live"


def _wake_nobody() -> None:
    """Take the outlets from this one run of the task: a declared one is an event whenever the task succeeds."""
    get_current_context()["task"].outlets = []


def _schedule(route: Route, file: Path, names: frozenset[str]) -> Any:
    """The clock, the events of other routes, or either of them."""
    if _is_off(route):
        return None
    assets = AssetAny(*(Asset(_asset(name)) for name in _known(route, file, names))) if route.after else None
    if route.schedule is None:
        return assets
    clock = _clock(route.schedule, file)
    return AssetOrTimeSchedule(timetable=clock, assets=assets) if assets else clock


def _clock(cron: str, file: Path) -> CronTriggerTimetable:
    if wrong := _wrong_with(cron):
        raise ConfigurationError(f"schedule: {wrong}", where=str(file), expected="a cron line")
    return CronTriggerTimetable(cron, timezone=ZONE)


@lru_cache(maxsize=256)  # hundreds of routes share a few times of day
def _wrong_with(cron: str) -> str:
    """What croniter says against a cron line; empty for a good one."""
    from croniter import CroniterError, croniter  # type: ignore[import-untyped]  # noqa: PLC0415 - Airflow's

    try:
        croniter(cron)
    except CroniterError as error:
        return str(error)
    return ""


def _known(route: Route, file: Path, names: frozenset[str]) -> tuple[str, ...]:
    """The routes this one waits for; an unknown one would never wake it, and nobody would notice."""
    for name in route.after:
        if name not in names:
            raise ConfigurationError(
                f"after: there is no route '{name}'",
                where=str(file),
                expected="the name of another route",
            )
    return route.after


def _broken_dag(dag_id: str, reason: str) -> DAG:
    """Stands in for a broken route under the same id, so that its history stays and the others go on."""
    with DAG(
        dag_id=dag_id,
        description="Fehlerhafte Streckendatei",
        schedule=None,
        catchup=False,
        is_paused_upon_creation=False,
        auto_register=False,
        tags=["kiezbruecke", "defekt"],
        doc_md=reason,
    ) as dag:

        @task(task_id="broken")
        def run(why: str) -> None:
            raise AirflowFailException(why)

        run(reason)
    return dag


def _reason(error: Exception, content: Path) -> str:
    """What is wrong; paths relative to the content, for the absolute ones change with every version."""
    text = str(error) if isinstance(error, ConfigurationError) else f"{type(error).__name__}: {error}"
    return " ".join(text.replace(f"{content}/", "").split())


def _dag_id(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9_.-]", "_", name)


def _asset(route_name: str) -> str:
    return f"kb-route-{route_name}"


def _pool(route: Route) -> str:
    return f"kb-{route.destination if isinstance(route, SendingRoute) else route.collect}"


def _is_off(route: Route) -> bool:
    return isinstance(route, SendingRoute) and route.mode == "off"
