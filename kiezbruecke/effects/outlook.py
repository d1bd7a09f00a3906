"""What follows from a line of a sheet, in German, for whoever filled it in: the report says it, and so may a page.

Pure: the same standing, line and ways give the same words.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from kiezbruecke.cases.join import (
    Disagreement,
    Reason,
    Standing,
    budget_lines_of,
    budgets_that_count,
    is_repeated,
    place_of,
    said_by,
    unexplained_budget_lines,
)
from kiezbruecke.cases.timeline import status_of
from kiezbruecke.effects.effect import Due, Effect, FollowUp, Waits
from kiezbruecke.effects.lane import Lane
from kiezbruecke.german import day, euros
from kiezbruecke.ledger import MessageState
from kiezbruecke.records import Budget, BudgetStatus, Decision, Process

_BUDGET_WORDS = {
    BudgetStatus.PLANNED: "geplant",
    BudgetStatus.RELEASED: "freigegeben",
    BudgetStatus.BLOCKED: "gesperrt",
    BudgetStatus.REVOKED: "widerrufen",
}


HELPS: Mapping[Reason, str] = {  # for whoever filled in the line
    Reason.UNKNOWN_REFERENCE: "die Nummer prüfen; steht der Vorschlag auf der Plattform, genügt es, zu warten",
    Reason.TWICE: "eine der beiden Zeilen löschen",
    Reason.UNEXPLAINED_CHANGE: "wenn die Zeile berichtigen soll: Korrektur „ja“ und eine Begründung eintragen",
    Reason.OTHER_AREA: "die Bezirksregion prüfen; berichtigen: Korrektur „ja“ und eine Begründung eintragen",
    Reason.IMPOSSIBLE_DATE: "den Tag der Sitzung prüfen",
    Reason.NO_REASON: "die Begründung der Korrektur eintragen",
    Reason.NO_SUM: "den bewilligten Betrag eintragen",
    Reason.SUM_WITHOUT_GRANT: "den Betrag löschen, oder das Ergebnis berichtigen",
    Reason.MORE_THAN_ASKED: "den Betrag prüfen; stimmt er, auf der Zu-tun-Liste freigeben",
    Reason.PLATFORM_CONTRADICTS: "das Ergebnis prüfen; stimmt es, die Plattform berichtigen oder freigeben",
    Reason.GONE: "prüfen, ob der Vorschlag zurückgezogen ist; wenn nicht, auf der Zu-tun-Liste freigeben",
    Reason.AREA_DIFFERS: "die Bezirksregion der Zeile prüfen",
    Reason.ASSIGNED_DIFFERS: "die Bezirksregion prüfen; stimmt sie, auf der Zu-tun-Liste freigeben",
    Reason.AREA_UNKNOWN: "die Bezirksregion prüfen; sonst den IT-Betrieb fragen",
    Reason.NO_BUDGET: "eine Budgetliste mit dem Budget dieser Bezirksregion abgeben",
    Reason.NOT_RELEASED: "eine Budgetliste mit dem Status „freigegeben“ abgeben",
    Reason.OVER_BUDGET: "einen Betrag kürzen, oder das Budget mit einer Budgetliste erhöhen",
}
_GOES, _GONE = "geht", "gesendet"
_UNSENT = (MessageState.HELD, MessageState.WAITING, MessageState.CLAIMED)


@dataclass(frozen=True)
class Way:
    """A live sending route: what it does, and its view of the cases."""

    effect: Effect
    lane: Lane


def what_follows(standing: Standing, line: Decision, ways: Sequence[Way]) -> str:
    """`geht in die E-Akte und ins HKR`, `wartet: …`, `gilt nicht: …`; `standing` is the line's case."""
    if line.origin in standing.dismissed:
        return "gilt nicht: von Hand verworfen"
    decision = standing.decision
    own = [one for one in standing.disagreements if one.line == line.origin]
    if own and line != decision:
        word = "gilt nicht" if all(one.reason.is_stray for one in own) else "wartet"
        return f"{word}: {_reasons(line, own)}"
    if decision is None or (standing.disagreements and (line == decision or not decision.outcome.final)):
        return f"wartet: {_reasons(line, standing.disagreements)}"
    if line == decision:
        return _counts(standing, ways)
    place = f"{place_of(decision)}: {said_by(decision)}"
    return f"gilt schon, aus {place}" if is_repeated(decision, line) else f"gilt nicht mehr; es gilt {place}"


def what_moves(standing: Standing, ways: Sequence[Way]) -> str:
    """`850,00 € werden festgelegt`: what becomes of money now; empty where none is moved."""
    answers = (way.effect.due(standing, way.lane) for way in ways if way.effect.due)
    due = (one for one in answers if isinstance(one, Due) and one.effect.will)
    return "; ".join(one.effect.will.format(amount=euros(one.amount)) for one in due)


def what_follows_for_money(standing: Standing, ways: Sequence[Way]) -> str:
    """The same for the lines of application and settlement sheets: where the grant of their case stands then."""
    why, _ = _without_grant(standing)
    if why:
        return f"wartet: {why}"
    told = [text for way in ways if way.effect.must_be_released and (text := _of_money(way, standing))]
    return "; ".join(told) or f"gilt: {status_of(standing).state}"


def _without_grant(standing: Standing) -> tuple[str, str]:
    """Why a case has no money to speak of, and what helps; both empty where it has."""
    decision = standing.decision
    if decision is None:
        what = "zu dieser Referenznummer gibt es noch keinen Beschluss"
        return what, "die Nummer prüfen; kommt der Beschluss noch, genügt es, zu warten"
    if standing.grants or standing.case.orders:
        return "", ""
    what = f"bewilligt ist hier nichts; es gilt {place_of(decision)}: {said_by(decision)}"
    return what, "die Nummer prüfen; ist der Beschluss falsch, ihn mit einer Beschlussliste berichtigen"


def _of_money(way: Way, standing: Standing) -> str:
    answer = way.effect.due(standing, way.lane) if way.effect.due else None
    match answer:
        case Due():
            return answer.effect.will.format(amount=euros(answer.amount))
        case Waits():
            return f"wartet: {answer.text}"
        case FollowUp():
            return f"von Hand: {answer.text}"
    return ""


def what_helps(standing: Standing, line: Decision) -> str:
    """How to mend what keeps this line back; empty where nothing does."""
    about = (line.origin, "") if line == standing.decision or standing.decision is None else (line.origin,)
    found = (HELPS.get(one.reason, "") for one in standing.disagreements if one.line in about)
    return "; ".join(filter(None, dict.fromkeys(found)))


def what_helps_for_money(standing: Standing) -> str:
    """The same for the lines of application and settlement sheets, where their case has no grant."""
    return _without_grant(standing)[1]


def what_follows_for_budgets(process: Process, lines: Iterable[Budget]) -> dict[str, str]:
    """The same for the lines of budget sheets, by their origin."""
    lines = list(lines)
    own = budget_lines_of(process, lines)
    counting = {line.origin for line in budgets_that_count(own).values()}
    unexplained = {line.origin for line in unexplained_budget_lines(own)}
    return {line.origin: _budget(process, line, counting, unexplained) for line in lines}


def _budget(process: Process, line: Budget, counting: set[str], unexplained: set[str]) -> str:
    if line.fiscal_year != process.fiscal_year:
        return f"gilt nicht: das Verfahren ist das von {process.fiscal_year}"
    if line.origin in counting:
        return f"gilt: {euros(line.amount)}, {_BUDGET_WORDS[line.status]}"
    if line.origin in unexplained:
        return "gilt nicht: ändert das Budget ohne Grund"
    return "gilt nicht mehr: eine andere Zeile gilt"


def _reasons(line: Decision, found: Iterable[Disagreement]) -> str:
    """The reasons; what is about the line itself need not name it again."""
    here = f"{line.reference_number} ({place_of(line)}) "
    return "; ".join(dict.fromkeys(one.text.removeprefix(here) for one in found))


def _counts(standing: Standing, ways: Sequence[Way]) -> str:
    """What a sound decision leads to: where something goes, has gone or does not go."""
    found = [_on(way, standing) for way in ways if not (way.effect.informs or way.effect.must_be_released)]
    told = [text for word, text in found if not word and text]
    goes, gone = ([text for word, text in found if word == wanted] for wanted in (_GOES, _GONE))
    said = "; ".join([*_listed(_GOES, goes), *_listed(_GONE, gone), *told])
    if not standing.grants:
        return f"gilt: {status_of(standing).state}; {said or 'gesendet wird nichts'}"
    return said or "gilt; gesendet wird nichts, denn keine Strecke ist in Betrieb"


def _on(way: Way, standing: Standing) -> tuple[str, str]:
    """What happens on one way: a place that something goes or has gone to, or a text without such a word."""
    place, sent = way.effect.place or f"als {way.effect.title}", way.lane.sent(standing)
    answer = way.effect.due(standing, way.lane) if way.effect.due else None
    if isinstance(answer, FollowUp | Waits):
        return "", f"{place}: {'wartet' if isinstance(answer, Waits) else 'von Hand'}, siehe Zu-tun-Liste"
    if isinstance(answer, Due):
        return (_GOES, place) if answer.effect == way.effect else ("", f"{place}: {answer.effect.title}")
    if sent:
        if sent[-1].state is MessageState.REFUSED:
            return "", f"{place}: abgewiesen, siehe Zu-tun-Liste"
        return (_GOES if sent[-1].state in _UNSENT else _GONE), place
    if way.lane.passes_over(standing):
        return "", f"{place} geht nichts: vor dem Beginn am {day(way.lane.start_from)}"
    return "", f"{place} geht nichts: von Hand erfasst" if standing.grants else ""


def _listed(word: str, places: Sequence[str]) -> list[str]:
    """`geht in die E-Akte und ins HKR`; nothing for no place."""
    before = ", ".join(places[:-1])
    return [f"{word} {' und '.join(filter(None, (before, places[-1])))}"] if places else []
