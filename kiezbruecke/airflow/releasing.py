"""Four eyes as Airflow's required action: it shows what `kiezbruecke release show` shows, and calls the same functions.

    <route>-freigabe:  certify (asks, waits) ─▶ order (asks, waits)

Airflow's API server takes an answer only of somebody who is logged in and may edit this DAG's required actions, and
keeps who that was in its own database; nothing of it travels through an XCom, which others may write. Which roles the
log-in has says the configured auth manager, here, at the moment of the act. Only ours (`roles.py`) can say so without
its server; with another one nothing is released this way, and people use `kiezbruecke release`.

Whatever became of the question – answered elsewhere meanwhile, cleared, run again, too late –, the function decides
under its lock: what was shown still stands, or nothing happens and the question is asked anew.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from airflow.providers.standard.operators.hitl import HITLOperator
from airflow.sdk.exceptions import AirflowException, AirflowSkipException, TaskAwaitingInput

from kiezbruecke.airflow.tasks import house_of_task, translate
from kiezbruecke.errors import ConfigurationError, InputError
from kiezbruecke.privacy import keep_private

if TYPE_CHECKING:
    from airflow.sdk.definitions.context import Context

    from kiezbruecke.house import House
    from kiezbruecke.release import ActKind, Approver

T = TypeVar("T")
LATER = "Jetzt nicht"
OPTIONS = {"certify": "Sachlich und rechnerisch richtig", "order": "Anordnen"}


class ReleaseOperator(HITLOperator):
    """Asks for one act about a route. What was shown goes with the question, where nobody can edit it."""

    def __init__(self, *, act: str, route: str, content: Path, **given: Any) -> None:
        self.act, self.route, self.content = act, route, content
        super().__init__(subject=route, options=[OPTIONS[act], LATER], response_timeout=timedelta(days=1), **given)

    def execute(self, context: Context) -> None:
        """Show and wait; nothing to do is no question."""
        question = self._at_work(lambda house: _question(house, self.route, self.act))
        if question is None:
            raise AirflowSkipException("nothing waits for it")
        self.subject, self.body, shown = question
        try:
            super().execute(context)
        except TaskAwaitingInput as waits:
            method, timeout = waits.method_name, waits.timeout
        raise TaskAwaitingInput(method_name=method, kwargs={"shown": shown}, timeout=timeout)

    def execute_complete(self, context: Context, event: dict[str, Any], shown: str = "") -> dict[str, int]:
        """Act as whoever has answered; the result is a count only, for Airflow keeps it."""
        if event.get("error_type") == "timeout":
            raise AirflowSkipException("nobody has answered; the next run asks again")
        answer = super().execute_complete(context, event)
        if answer["chosen_options"] != [OPTIONS[self.act]]:
            raise AirflowSkipException("nothing was released")
        user = answer["responded_by_user"]
        return {"released": self._at_work(lambda house: _act(house, self.route, self.act, shown, approver(user)))}

    def _at_work(self, work: Callable[[House], T]) -> T:
        """What a person may not do, or what has changed, is asked again: the task has retries."""
        keep_private()
        try:
            with house_of_task(self.content) as house:
                return work(house)
        except InputError as error:
            refused = AirflowException(f"{error.code} {error}")
        except Exception as error:  # noqa: BLE001 - translated, and raised below
            refused = translate(error)
        raise refused


def approver(user: Any) -> Approver:
    """Whoever has answered, with the roles that the auth manager gives to this log-in now."""
    from airflow.api_fastapi.app import get_auth_manager_cls  # noqa: PLC0415 - only where somebody has answered

    from kiezbruecke.airflow.people import by_user, roles_of  # noqa: PLC0415
    from kiezbruecke.airflow.roles import RolesAuthManager  # noqa: PLC0415
    from kiezbruecke.release import Approver  # noqa: PLC0415

    manager = get_auth_manager_cls()
    if not user or not issubclass(manager, RolesAuthManager):
        raise ConfigurationError(
            "who has answered cannot be proven here", where="[core] auth_manager", helps="use kiezbruecke release"
        )
    known = manager().deserialize_user({"sub": user["id"]})
    return Approver(by_user(user["name"] or user["id"], user["id"]), frozenset(roles_of(known)))


def _question(house: House, route: str, act: str) -> tuple[str, str, str] | None:
    """Subject, text and token of the question; None where nothing waits for it."""
    from kiezbruecke import german, release  # noqa: PLC0415 - parsing stays light
    from kiezbruecke.desk import releases  # noqa: PLC0415

    view = release.show(house, route, _kind(act))
    if not view.count:
        return None
    areas = "\n".join(
        f"| {one.name} | {one.count} | {german.euros(one.sum)} | {releases.difference(one)} |" for one in view.areas
    )
    lines = "\n".join(f"* {line}" for line in releases.headlines(view))
    table = f"| Bezirksregion | Nachrichten | Summe | gegenüber dem letzten Mal |\n|---|---|---|---|\n{areas}"
    return f"{view.process}: {OPTIONS[act]}?", f"{lines}\n\n{table}\n\nKennwert: `{view.shown}`", view.shown


def _act(house: House, route: str, act: str, shown: str, who: Approver) -> int:
    from kiezbruecke import release  # noqa: PLC0415

    reason = "in Airflow beantwortet"
    if act == "order":
        return release.order(house, route, shown, who, reason)
    return release.certify(house, route, shown, who, reason)


def _kind(act: str) -> ActKind:
    from kiezbruecke.release import ActKind  # noqa: PLC0415

    return ActKind.ORDER if act == "order" else ActKind.CERTIFY
