"""A point that stops a route, as Airflow's required action: it shows what the list shows and calls the same function.

    <route>-punkte:  answer (asks about the oldest such point, waits) ─▶ attention.decide

The ledger closes a point once. Whoever answers on the desk's page or by command writes there first; a question that was
still open in Airflow then changes nothing, and its task says whose answer holds. An answer of Airflow's is taken only
where its auth manager can prove who gave it, with the roles of that log-in at this moment (`releasing.approver`): else
nobody is recorded and the point stays open.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from airflow.providers.standard.operators.hitl import HITLOperator
from airflow.sdk import Param
from airflow.sdk.exceptions import AirflowException, AirflowSkipException, TaskAwaitingInput

from kiezbruecke.airflow.releasing import LATER, approver
from kiezbruecke.airflow.tasks import house_of_task, translate
from kiezbruecke.content.roles import Right, read_roles
from kiezbruecke.errors import InputError
from kiezbruecke.privacy import keep_private

if TYPE_CHECKING:
    from airflow.sdk.definitions.context import Context

    from kiezbruecke.house import House
    from kiezbruecke.ledger.todo import OpenPoint
    from kiezbruecke.release import Approver

T = TypeVar("T")
REASON = "begruendung"
ANSWERED = "in Airflow beantwortet"


class PointOperator(HITLOperator):
    """Asks about one point of a route. What was shown goes with the question, where nobody can edit it."""

    def __init__(self, *, route: str, content: Path, **given: Any) -> None:
        self.route, self.content = route, content
        reason = {REASON: Param("", type="string", maxLength=500, title="Begründung")}
        super().__init__(subject=route, options=[LATER], params=reason, response_timeout=timedelta(hours=6), **given)

    def execute(self, context: Context) -> None:
        """Show and wait; no point is no question."""
        point = self._at_work(lambda house: oldest(house, self.route))
        if point is None:
            raise AirflowSkipException("no point stops the route")
        self.subject, self.body = f"Punkt {point.id}: {self.route}", point.reason
        self.options = [*_answers(point), LATER]
        try:
            super().execute(context)
        except TaskAwaitingInput as waits:
            method, timeout = waits.method_name, waits.timeout
        raise TaskAwaitingInput(
            method_name=method,
            kwargs={"number": point.id, "shown": shown(point), "offered": self.options},
            timeout=timeout,
        )

    def execute_complete(
        self, context: Context, event: dict[str, Any], number: int = 0, shown: str = "", offered: Sequence[str] = ()
    ) -> dict[str, int]:
        """Carry out the answer as whoever gave it; the result is a count only, for Airflow keeps it."""
        if event.get("error_type") == "timeout":
            raise AirflowSkipException("nobody has answered; the next run asks again")
        self.options = [*offered]  # of the question; this object was made anew
        answer = super().execute_complete(context, event)
        (chosen,) = answer["chosen_options"]
        if chosen == LATER:
            raise AirflowSkipException("nothing was answered")
        user, why = answer["responded_by_user"], str((answer.get("params_input") or {}).get(REASON) or ANSWERED)
        return {"answered": self._at_work(lambda house: decide(house, number, shown, chosen, why, approver(user)))}

    def _at_work(self, work: Callable[[House], T]) -> T:
        keep_private()
        try:
            with house_of_task(self.content) as house:
                return work(house)
        except AirflowSkipException:
            raise
        except InputError as error:
            refused = AirflowException(f"{error.code} {error}")
        except Exception as error:  # noqa: BLE001 - translated, and raised below
            refused = translate(error)
        raise refused


def oldest(house: House, route: str) -> OpenPoint | None:
    """The point that has stopped something of this route for longest and may be answered."""
    from kiezbruecke.ledger.todo import open_points  # noqa: PLC0415 - parsing stays light

    return next((one for one in open_points(house.ledger) if one.route == route and _answers(one)), None)


def shown(point: OpenPoint) -> str:
    """Digest of what a person decides upon."""
    return sha256("\0".join((str(point.id), point.reason, *point.answers)).encode()).hexdigest()[:32]


def decide(house: House, number: int, seen: str, answer: str, reason: str, who: Approver) -> int:
    """The answer into the ledger, if the point still stands as it was shown and this log-in may answer it.

    Raises AirflowSkipException where somebody else's answer holds, InputError where it is asked anew.
    """
    from kiezbruecke import attention  # noqa: PLC0415
    from kiezbruecke.ledger.todo import find_point  # noqa: PLC0415

    point = find_point(house.ledger, number)
    if point is None or point.closed_at is not None:
        raise _settled(point)
    if shown(point) != seen:
        raise InputError("Der Punkt hat sich geändert und wird neu gefragt; es ist nichts geschehen", where=str(number))
    _refuse_stranger(house, point, who)
    try:
        attention.decide(house.ledger, point, answer, person=who.person, reason=" ".join(reason.split()))
    except InputError:
        if (after := find_point(house.ledger, number)) is not None and after.closed_at is not None:
            raise _settled(after) from None
        raise
    return 1


def _answers(point: OpenPoint) -> list[str]:
    """What can be said without more words than the answer itself; to assign a case needs its area."""
    from kiezbruecke.ledger.todo import Answer, Kind  # noqa: PLC0415

    stops = {Kind.VANISHED, Kind.IN_DOUBT, Kind.REFUSED, Kind.CONTRADICTION, Kind.DIFFERENCE, Kind.PRESENT}
    return [one.value for one in point.answers if one is not Answer.ASSIGN] if point.kind in stops else []


def _settled(point: OpenPoint | None) -> AirflowSkipException:
    by = point.answered_account.partition(":")[2] if point else ""
    return AirflowSkipException(f"already settled{f' by {by}' if by else ''}; this answer changes nothing")


def _refuse_stranger(house: House, point: OpenPoint, who: Approver) -> None:
    """The same rule as the desk's page has (`page/visitor.py`)."""
    known = read_roles(house.content)
    roles = [known[name] for name in who.roles & known.keys()]
    if not any(Right.ANSWER in role.desk and role.covers(point.route) and role.owns(point.owner) for role in roles):
        raise InputError(
            "Diese Anmeldung darf den Punkt nicht beantworten; es ist nichts geschehen", where=f"Punkt {point.id}"
        )
