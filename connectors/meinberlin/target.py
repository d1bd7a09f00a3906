"""The target `meinberlin`: writes an answer into a proposal's moderation form, and reads it back.

    GET the form ─▶ says it already: confirmed, nothing is written
                 ─▶ others have changed our words or the status: refused, MODERATED
                 ─▶ POST it whole, with our status, our lines, our mark ─▶ GET it again ─▶ confirmed

Whatever goes wrong before the POST is certain: nothing was written. After it only the form itself proves anything.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from connectors import _words as words
from connectors._line import shown_type
from connectors.meinberlin.form import FEEDBACK, KNOWN, NEEDED, REMARK, STATUS, Form, find_form
from connectors.meinberlin.remark import has_mark, with_remark
from connectors.meinberlin.session import ACCOUNTS, NotAllowedError, Session
from connectors.meinberlin.settings import Settings
from connectors.meinberlin.web import Reply, Unanswered, split
from kiezbruecke.connector import Answer, CannotTell, Connection, Context, Found, Message, NotThere, Ticket
from kiezbruecke.errors import NotSent, Rejected, SourceError
from kiezbruecke.records import Receipt, ReceiptOutcome
from kiezbruecke.troubles import Cause, Trouble, of_status

MODERATED = "MODERATED"  # somebody has changed there what we had written
GONE = "GONE"
NOT_TAKEN = "NOT_TAKEN"
_FIELD = re.compile(r"[a-z_-]{1,60}")


@dataclass(frozen=True)
class Wish:
    """What a message says (schemas/json/answer.schema.json)."""

    path: str  # of the moderation form
    status: str
    lines: tuple[str, ...]
    remark: str
    status_before: str
    lines_before: tuple[str, ...]

    def is_said(self, form: Form) -> bool:
        """Whether the form says what we want it to say."""
        same = form.value(STATUS) == self.status
        return same and words.says(self.lines, self.lines_before, form.value(FEEDBACK))

    def is_forgotten(self, form: Form) -> bool:
        """Whether we believe that we never wrote, and the note has our mark beside the words of others."""
        return not self.lines_before and has_mark(form.value(REMARK)) and bool(form.value(FEEDBACK).strip())


class MeinBerlinTarget:
    """Proposals of the platform as a place for answers (Target)."""

    def __init__(self, connection: Connection, context: Context) -> None:  # noqa: ARG002 - the message says it all
        self._settings = Settings.from_connection(connection)
        self._session = Session(self._settings)

    def close(self) -> None:
        """Give the connections back."""
        self._session.close()

    def reserve(self, message: Message) -> Ticket | None:
        """The platform gives no ids: the proposal's key is the id, and what stands there is the proof."""

    def send(self, message: Message, ticket: Ticket | None) -> Receipt:  # noqa: ARG002 - there is none
        """Write what is not there yet. Raises NotSent, Rejected, or anything else for doubt."""
        told = _told(message)
        form = self._form_before(told, message)
        if told.is_said(form):
            return _receipt(message, "steht dort schon")
        self._post(told, message, _written(told, form, message))
        if not told.is_said(self._form(told, message)):
            raise SourceError("the platform does not show what was written", where=self._where(told))
        return _receipt(message, "geschrieben")

    def look_up(self, message: Message, ticket: Ticket | None) -> Answer:  # noqa: ARG002 - there is none
        """Read the form: it says what we wrote, or it does not."""
        told = _told(message)
        try:
            form = self._form(told, message)
        except Rejected:
            return NotThere()
        except (SourceError, NotSent, NotAllowedError) as error:
            return CannotTell(type(error).__name__, reached=not isinstance(error, Unanswered))
        if told.is_said(form):
            return Found(_receipt(message, "gelesen"))
        return CannotTell("dort steht unser Zeichen und ein anderer Text") if told.is_forgotten(form) else NotThere()

    def _form_before(self, told: Wish, message: Message) -> Form:
        """The form; before the POST it is certain of every failure that nothing was written."""
        try:
            return self._form(told, message)
        except NotAllowedError as refusal:
            trouble = Trouble(Cause.FORBIDDEN if refusal.passes else Cause.PASSWORD)
            raise NotSent(refusal.why, where=self._where(told), trouble=trouble) from None
        except SourceError as error:
            raise NotSent(error.what, where=error.where, helps=error.helps, trouble=error.trouble) from error

    def _form(self, told: Wish, message: Message) -> Form:
        """The moderation form as it is now; raises SourceError, NotAllowedError, Rejected or NotSent."""
        self._session.log_in()
        reply = self._session.get(told.path, "text/html")
        if reply.status == 404:
            raise _gone(message)
        if reply.status == 403:
            raise reply.broken("the account may not moderate", "a moderator of the project", Trouble(Cause.FORBIDDEN))
        if reply.status != 200 or reply.media_type != "text/html" or b"</html>" not in reply.body[-100:]:
            raise reply.broken(f"answered {reply.status} {shown_type(reply.media_type)}", "200 and a whole page")
        form = find_form(reply.text(), told.path)
        if form is None:
            raise reply.broken("the page holds no moderation form", "one", Trouble(Cause.FORMAT))
        _refuse_other_form(form, reply)
        return form

    def _post(self, told: Wish, message: Message, form: Form) -> None:
        """Send the whole form. Returns where the platform says that it is stored."""
        try:
            reply = self._session.post(told.path, form.values)
        except Unanswered as error:
            if not error.left:
                raise NotSent(error.what, where=error.where, helps=error.helps, trouble=error.trouble) from error
            raise
        there = split(reply.location)
        if reply.status == 302 and there.path.startswith(ACCOUNTS):
            raise NotSent("the session has ended", where=reply.where, helps="nothing was stored; tried again")
        at_home = there.netloc in ("", split(self._settings.address).netloc)
        if reply.status == 302 and at_home and f"{there.path}moderate/" == told.path:
            return
        if reply.status == 403:
            raise NotSent("the platform refuses the form", where=reply.where, trouble=Trouble(Cause.FORBIDDEN))
        if reply.status == 404:
            raise _gone(message)
        if reply.status in (200, 400, 413):
            raise Rejected("mein.berlin nimmt die Antwort nicht an", receipt_code=NOT_TAKEN, where=message.reference)
        raise reply.broken(f"answered {reply.status}", "302 to the proposal", of_status(reply.status))

    def _where(self, told: Wish) -> str:
        return f"connection {self._settings.connection}, {told.path}"


def _told(message: Message) -> Wish:
    body: Mapping[str, Any] = json.loads(message.payload)
    before = body["before"]
    path = split(body["page"]).path
    if not re.fullmatch(rf"/[a-z_-]+/\d{{4}}-0*{re.escape(body['external_id'])}/", path):
        what = "die Adresse des Vorschlags gehört nicht zu seinem Schlüssel"
        raise Rejected(what, receipt_code=NOT_TAKEN, where=message.reference)
    return Wish(
        f"{path}moderate/",
        body["status"],
        tuple(body["lines"]),
        body.get("remark", ""),
        before.get("status", ""),
        tuple(before["lines"]),
    )


def _written(told: Wish, form: Form, message: Message) -> Form:
    """The form with our words in it; raises Rejected where others have changed them, or the status."""
    if told.status not in form.offers.get(STATUS, ()):
        what = "mein.berlin bietet diesen Status nicht an"
        raise Rejected(what, receipt_code=NOT_TAKEN, where=message.reference)
    text = words.replaced(told.lines_before, told.lines, form.value(FEEDBACK))
    if told.is_forgotten(form) and not words.stand(told.lines, form.value(FEEDBACK)):
        text = None  # ours stood there: the answer was lost, or a backup restored, and somebody has changed it since
    if text is None or form.value(STATUS) not in (told.status_before, told.status):
        raise Rejected(
            f"dort wurde inzwischen {'der Status' if text is not None else 'unser Text'} geändert, und das gilt",
            receipt_code=MODERATED,
            where=message.reference,
            helps="dort nachsehen; neu_senden ersetzt, was zuletzt von dort abgeholt wurde",
        )
    values = {STATUS: told.status, FEEDBACK: text}
    if told.remark:
        values[REMARK] = with_remark(form.value(REMARK), told.remark)
    return form.changed(values)


def _refuse_other_form(form: Form, reply: Reply) -> None:
    """Whatever is not known would be emptied, or kept by chance."""
    if unknown := sorted(form.names - KNOWN):
        shown = next((name for name in unknown if _FIELD.fullmatch(name)), "")
        raise reply.broken(
            f"the moderation form has a field that is not known{f': {shown}' if shown else ''}",
            "the form as it was recorded; nothing is written into another one",
            Trouble(Cause.FORMAT),
        )
    if missing := sorted(NEEDED - form.names):
        raise reply.broken(f"the moderation form has no field {missing[0]}", "it", Trouble(Cause.FORMAT))


def _gone(message: Message) -> Rejected:
    return Rejected("den Vorschlag gibt es auf mein.berlin nicht mehr", receipt_code=GONE, where=message.reference)


def _receipt(message: Message, event: str) -> Receipt:
    return Receipt(
        source=message.destination,
        external_id=str(message.key),
        outcome=ReceiptOutcome.CONFIRMED,
        event=event,
        key=message.key,
        reference=message.reference,
    )
