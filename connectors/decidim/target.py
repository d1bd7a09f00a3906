"""The target `decidim`: answers a proposal, and reads back what stands there.

    read the proposal ─▶ says it already: nothing is written
                      ─▶ others have changed our words or the status: refused, MODERATED
                      ─▶ the mutation, once ─▶ read again ─▶ confirmed, or delivered where it is published later

Decidim 0.31 answers null and no error where answers are switched off: only what is read back proves anything. An answer
that gets lost is looked up; what stands there is never written again, and the same status again mails nobody.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connectors._graphql import Reply
from connectors._line import NoAnswer
from connectors.decidim.answer import Shown, Wanted, is_said, is_untouched, text_with
from connectors.decidim.api import CALL_FAILED, Api, Throttled, document
from connectors.decidim.capability import Capability, capability_of
from connectors.decidim.settings import Settings
from kiezbruecke.connector import Answer, CannotTell, Connection, Context, Found, Message, NotThere, Ticket
from kiezbruecke.errors import ConfigurationError, NotSent, Rejected
from kiezbruecke.records import Receipt, ReceiptOutcome
from kiezbruecke.troubles import Cause, Trouble

MODERATED = "MODERATED"  # somebody has changed there what we had written
NOT_THERE = "NOT_THERE"  # no such proposal is shown: hidden, unpublished, or a project of a budget
NOT_ALLOWED = "NOT_ALLOWED"  # answers are switched off, or the account may not
NOT_TAKEN = "NOT_TAKEN"  # an attribute that the form for answers does not take
COST = "COST"  # the component asks for costs, and the answer names none
_COSTS = {"cost", "costReport", "cost_report", "executionPeriod", "execution_period"}
_NEVER = ("MUTATION_NOT_AUTHORIZED_ERROR", "UNAUTHORIZED_OBJECT_ERROR", "PERMISSION_NOT_SET_ERROR")


class DecidimTarget:
    """Proposals of a Decidim as a place for answers (Target)."""

    def __init__(self, connection: Connection, context: Context) -> None:
        self._settings = Settings.from_connection(connection)
        self._period = self._settings.execution_period or f"Haushaltsjahr {context.process.fiscal_year}"
        self._api = Api(self._settings)
        self._can: Capability | None = None

    def close(self) -> None:
        """Give the connections back."""
        self._api.close()

    def reserve(self, message: Message) -> Ticket | None:  # noqa: ARG002 - Decidim gives no ids beforehand
        """Sign in and ask what the server can do, before anything is on its way: raises ConfigurationError."""
        self._make_sure_it_answers()
        return None

    def send(self, message: Message, ticket: Ticket | None) -> Receipt:  # noqa: ARG002 - there is none
        """Write what does not stand there yet. Raises NotSent, Rejected, or anything else for doubt."""
        wanted = self._wanted(message)
        try:
            self._make_sure_it_answers()
            shown = self._shown(wanted, message)
        except (ConfigurationError, Throttled) as error:
            raise self._not_sent(error) from error
        said = is_said(wanted, shown, self._settings.locale)
        if said:
            return _receipt(message, shown, "steht dort schon")
        self._refuse_if_moderated(wanted, shown, message)
        sign_ins = self._api.sign_ins
        taken = self._write(wanted, shown, message)
        return self._read_back(wanted, message, taken=taken, sign_ins=sign_ins)

    def look_up(self, message: Message, ticket: Ticket | None) -> Answer:  # noqa: ARG002 - there is none
        """Read the proposal. NotThere only where all stands as it stood before."""
        wanted = self._wanted(message)
        try:
            shown = self._shown(wanted, message)
        except Rejected:
            return CannotTell("der Vorschlag ist nicht zu sehen")
        except (*CALL_FAILED, ConfigurationError) as error:
            return CannotTell(type(error).__name__, reached=isinstance(error, NoAnswer | Throttled))
        said = is_said(wanted, shown, self._settings.locale)
        if said:
            return Found(_receipt(message, shown, "gelesen"))
        if said is None:
            return CannotTell("der Status ist noch nicht veröffentlicht")
        if is_untouched(wanted, shown, self._settings.locale) or not shown.answered:
            return NotThere()
        return CannotTell("dort wurde inzwischen etwas anderes geschrieben")

    def _make_sure_it_answers(self) -> None:
        if not self._settings.login:
            raise ConfigurationError(
                "answers need API credentials",
                where=self._api.where,
                helps="login and password: key and secret from the system panel (Decidim 0.31 and newer)",
                trouble=Trouble(Cause.PASSWORD),
            )
        if self._can is None:
            self._api.sign_in()
            self._can = capability_of(self._api)
        self._can.refuse_unless_it_answers(self._api.where)

    def _wanted(self, message: Message) -> Wanted:
        wanted = Wanted.of(message.payload)
        if wanted is None:
            what = "der Schlüssel des Vorschlags ist keiner von Decidim"
            raise Rejected(what, receipt_code=NOT_TAKEN, where=message.reference, expected="Komponente/Vorschlag")
        return wanted

    def _shown(self, wanted: Wanted, message: Message) -> Shown:
        reply = self._api.read(document("standing"), component=str(wanted.component), proposal=str(wanted.proposal))
        return Shown.of(_proposal_of(reply, message))

    def _refuse_if_moderated(self, wanted: Wanted, shown: Shown, message: Message) -> None:
        if is_untouched(wanted, shown, self._settings.locale):
            return
        what = "dort wurde inzwischen der Status oder unser Text geändert, und das gilt"
        if shown.unpublished:
            what = "dort hat schon jemand eine Antwort vorbereitet, die noch nicht veröffentlicht ist"
        raise Rejected(
            what,
            receipt_code=MODERATED,
            where=message.reference,
            helps="nachsehen; neu_senden ersetzt, was dort jetzt steht",
        )

    def _write(self, wanted: Wanted, shown: Shown, message: Message) -> bool:
        """The mutation; whether they say that it has happened. Where they do not, it is read back all the same."""
        attributes = self._attributes(wanted, shown)
        variables = {"component": str(wanted.component), "proposal": str(wanted.proposal)}
        marked = {"attributes": attributes, "clientMutationId": message.reference}
        try:
            reply = self._api.change(document("answer"), **variables, input=marked)
        except Throttled as error:
            raise self._not_sent(error) from error
        if reply.has("UNDEFINED"):
            raise NotSent("this Decidim knows no answers", where=self._api.where, helps="Decidim 0.31 or newer")
        if reply.has("NOT_FOUND_ERROR"):
            raise _not_there(message)
        if reply.has(*_NEVER):
            return False
        if wrong := [error for error in reply.errors if error.code.endswith("VALIDATION_ERROR")]:
            raise _not_taken(wanted, {name for error in wrong for name in error.about}, message)
        if reply.errors:
            raise NoAnswer(f"the answer came with an error ({reply.codes()})", 200)
        component = reply.data.get("component") or {}
        return bool((component.get("proposal") or {}).get("answer"))

    def _attributes(self, wanted: Wanted, shown: Shown) -> Mapping[str, Any]:
        """All languages go, for what is sent replaces all; costs only where there are some: left out, they stay."""
        locale = self._settings.locale
        text = text_with(wanted, shown, locale)
        assert text is not None
        texts = {name: other for name, other in shown.texts.items() if other} | ({locale: text} if text else {})
        costs = {
            "cost": float(wanted.cost),
            "costReport": {locale: self._settings.cost_report},
            "executionPeriod": {locale: self._period},
        } if wanted.cost is not None else {}  # fmt: skip
        return {"state": wanted.status, "answerContent": texts, **costs}

    def _read_back(self, wanted: Wanted, message: Message, *, taken: bool, sign_ins: int) -> Receipt:
        """What stands there now decides; their word may be null for many reasons. No reading is doubt by now."""
        try:
            shown = self._shown(wanted, message)
        except (NotSent, Rejected) as error:
            raise NoAnswer("what was written cannot be read back") from error
        said = is_said(wanted, shown, self._settings.locale)
        if said or (said is None and taken):
            return _receipt(message, shown, "geschrieben")
        if taken or said is None or not is_untouched(wanted, shown, self._settings.locale):
            raise NoAnswer("the platform does not show what was written", 200)
        if self._api.sign_ins > sign_ins:
            raise NotSent("the token had run out, and nothing was written", where=self._api.where, helps="tried again")
        raise _not_allowed(message)

    def _not_sent(self, error: Exception) -> NotSent:
        if isinstance(error, ConfigurationError):
            return NotSent(
                error.what, where=error.where, expected=error.expected, helps=error.helps, trouble=error.trouble
            )
        return NotSent(str(error), where=self._api.where, helps="tried again", trouble=Throttled.trouble)


def _proposal_of(reply: Reply, message: Message) -> Mapping[str, Any]:
    """The node; raises Rejected where none is shown, NoAnswer where that is not certain."""
    component = reply.data.get("component")
    node = component.get("proposal") if isinstance(component, dict) else None
    if isinstance(node, dict) and not reply.errors:
        return node
    if reply.errors and not reply.has("NOT_FOUND_ERROR", "UNAUTHORIZED_OBJECT_ERROR"):
        raise NoAnswer(f"the proposal cannot be read ({reply.codes()})", 200)
    raise _not_there(message)


def _not_there(message: Message) -> Rejected:
    return Rejected(
        "Decidim zeigt diesen Vorschlag nicht: Er ist verborgen, nicht veröffentlicht, oder er ist ein Projekt eines "
        "Budgets und nimmt keine Antwort an",
        receipt_code=NOT_THERE,
        where=message.reference,
    )


def _not_allowed(message: Message) -> Rejected:
    return Rejected(
        "Decidim nimmt die Antwort nicht an: In der Komponente ist das Beantworten ausgeschaltet, oder das Konto darf "
        "es nicht",
        receipt_code=NOT_ALLOWED,
        where=message.reference,
        helps="beides auf der Plattform prüfen lassen, dann neu_senden",
    )


def _not_taken(wanted: Wanted, about: set[str], message: Message) -> Rejected:
    """What the form for answers does not take, in words for whoever mends it; their own words may quote anything."""
    if about & _COSTS:
        what, code = "die Komponente verlangt zu einer Zusage die Kosten, und die Antwort nennt keine Summe", COST
        return Rejected(what, receipt_code=code, where=message.reference, helps="die Antwort dort von Hand geben")
    if {"internalState", "internal_state", "state"} & about:
        what = f"den Status „{wanted.status}“ gibt es in der Komponente {wanted.component} nicht"
        helps = "in Decidim anlegen, oder die Codeliste der Antworten ändern"
        return Rejected(what, receipt_code=NOT_TAKEN, where=message.reference, helps=helps)
    what = "Decidim nimmt die Antwort so nicht an; eine Ablehnung braucht zum Beispiel einen Text"
    return Rejected(what, receipt_code=NOT_TAKEN, where=message.reference)


def _receipt(message: Message, shown: Shown, event: str) -> Receipt:
    """Confirmed is what everybody reads; what is published later has arrived, and no more is known."""
    seen = not shown.unpublished
    return Receipt(
        source=message.destination,
        external_id=str(message.key),
        outcome=ReceiptOutcome.CONFIRMED if seen else ReceiptOutcome.DELIVERED,
        event=event if seen else f"{event}, noch nicht veröffentlicht",
        key=message.key,
        reference=message.reference,
    )
