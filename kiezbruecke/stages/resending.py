"""resend: a person wants one message to go once more – with the same bytes and the same id, or not at all.

The destination is asked first. What it has does not go again; what it cannot tell goes only where it recognises a
repetition.
"""

from __future__ import annotations

from dataclasses import dataclass

from kiezbruecke.connector import Answer, Batch, BatchTarget, CannotTell, Found, Message, NotThere, Ticket
from kiezbruecke.effects import effect
from kiezbruecke.ledger import MessageState, claims
from kiezbruecke.ledger.drafts import generation_of
from kiezbruecke.ledger.people import Signed
from kiezbruecke.ledger.reading import MessageHead
from kiezbruecke.stages.work import Counts, Sending

AGAIN = "resent"
_WAITS = "Sie ist noch gar nicht hinausgegangen; der nächste Lauf der Strecke sendet sie"
WHY_NOT = {  # by the state that the message is in
    MessageState.HELD: "Sie wartet auf Freigabe",
    MessageState.WAITING: _WAITS,
    MessageState.CLAIMED: _WAITS,
    MessageState.SENDING: "Sie wird gerade gesendet, oder der Lauf wurde dabei abgebrochen; der nächste fragt nach",
    MessageState.CONFIRMED: "Sie ist bestätigt; was dort steht, ändert sie nicht noch einmal",
    MessageState.REFUSED: "Sie ist abgewiesen; neu geht sie nur über die Zu-tun-Liste hinaus (Antwort neu_senden)",
}


@dataclass
class Resending:
    """The step for one message. `why_not` is empty where it goes again: a refusal is no failure of the route."""

    head: MessageHead
    signed: Signed
    why_not: str = ""

    def __call__(self, work: Sending, counts: Counts) -> None:
        """Ask, then let the same bytes wait again."""
        self.why_not = _why_not(work, self.head) or self._ask_and_send(work)
        counts.more("kept" if self.why_not else AGAIN)

    def _ask_and_send(self, work: Sending) -> str:
        message, ticket, batch = claims.sent_with(work.ledger, self.head.key)
        answer = _ask(work, message, ticket, batch)
        if isinstance(answer, Found):
            claims.note_receipts(work.ledger, work.run, {message.key: answer.receipt})
            return "Das Ziel hat sie; noch einmal gesendet würde sie nichts bewirken"
        if not isinstance(answer, NotThere) and not work.manifest.can.dedupes:
            return "Das Ziel kann nicht sagen, ob es sie hat, und würde eine Wiederholung nicht erkennen"
        note = f"geht mit denselben Bytes noch einmal, veranlasst von {self.signed.person}: {self.signed.reason}"
        moved = claims.send_again(work.ledger, work.run, message.key, note, self.signed.person)
        return "" if moved else "Sie ist inzwischen weiter"


def _why_not(work: Sending, head: MessageHead) -> str:
    """What needs no question."""
    if head.generation < generation_of(work.ledger, head.destination):
        return "Das Ziel wurde seitdem neu aufgebaut; was gilt, geht ohnehin neu hinaus"
    if effect(head.effect).in_list:
        return "Sie ist eine Zeile einer Liste; die nächste Liste enthält sie wieder"
    return WHY_NOT.get(head.state, "")


def _ask(work: Sending, message: Message, ticket: Ticket | None, batch: Batch | None) -> Answer:
    target = work.target
    try:
        if not isinstance(target, BatchTarget):
            return target.look_up(message, ticket)
        return target.look_up(batch, [message]).get(message.key, CannotTell()) if batch else NotThere()
    except Exception:  # noqa: BLE001 - a question that fails answers nothing
        return CannotTell()
