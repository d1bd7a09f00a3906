"""One destination's view of a case: which messages are its own, and what may be sent beside them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import date

from kiezbruecke import clock
from kiezbruecke.cases.join import Standing
from kiezbruecke.content.texts import NO_TEXTS, Texts
from kiezbruecke.ledger import MessageState
from kiezbruecke.ledger.reading import MessageHead
from kiezbruecke.ledger.states import WITHDRAWN


@dataclass(frozen=True)
class Lane:
    """A destination and a family of effects, from when on, and what people have answered."""

    destination: str
    generation: int
    family: str
    name: str
    start_from: date
    test: bool = False
    resend: Collection[str] = ()  # keys of refused messages that a person wants sent anew
    blocked: Collection[str] = ()  # keys of messages whose answers contradict each other
    texts: Texts = NO_TEXTS  # what people can be told here
    today: date = field(default_factory=clock.today)

    def sent(self, standing: Standing) -> list[MessageHead]:
        """The lane's own messages about a case, by number; those of a test are another story."""
        return [message for message in self._there(standing) if message.test == self.test]

    def next_number(self, standing: Standing) -> int:
        """One more than the last; the numbers of tests are used up too, because a message's key does not say test."""
        return max((message.number for message in self._there(standing)), default=0) + 1

    def may_begin(self, standing: Standing) -> bool:
        """A new effect needs a granting decision since the go-live line that nothing contradicts."""
        if standing.decision is None or not standing.grants or standing.disagreements:
            return False
        return standing.decision.decided_on >= self.start_from and self.name not in standing.case.baselines

    def passes_over(self, standing: Standing) -> bool:
        """A sound granting decision from before the go-live line: nothing will ever be sent, and nobody has said that
        it was typed by hand."""
        decision = standing.decision
        if decision is None or not standing.grants or standing.disagreements or self.test or self._there(standing):
            return False
        return decision.decided_on < self.start_from and self.name not in standing.case.baselines

    def last_there(self, standing: Standing, before: int | None = None) -> MessageHead | None:
        """The last message of the lane that the destination has; `before`: of those with a smaller number."""
        there = (MessageState.DELIVERED, MessageState.CONFIRMED)
        sent = [one for one in self.sent(standing) if before is None or one.number < before]
        return next((one for one in reversed(sent) if one.state in there), None)

    def is_refused(self, sent: list[MessageHead], basis: str) -> bool:
        """Just this was refused, and nobody asked to send it anew. What was taken back here was refused by nobody."""
        if not sent or sent[-1].state is not MessageState.REFUSED or str(sent[-1].key) in self.resend:
            return False
        return sent[-1].note != WITHDRAWN and sent[-1].basis == basis

    def _there(self, standing: Standing) -> list[MessageHead]:
        found = (
            message
            for message in standing.case.messages
            if message.family == self.family
            and message.destination == self.destination
            and message.generation == self.generation
        )
        return sorted(found, key=lambda message: message.number)
