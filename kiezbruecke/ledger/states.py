"""The states of a message, a grant and an order, and the steps between them (design: docs/explanation/ledger.md).

waiting ─▶ claimed ─▶ sending ─▶ delivered ─▶ confirmed | refused
   ▲          │          │
   └──────────┴──────────┼─▶ refused           (the target said no)
   └─────────────────────┼─▶ in_doubt ─▶ delivered | waiting | refused | confirmed
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from kiezbruecke.records import GrantState, OrderState

WITHDRAWN = "überholt: der Beschluss wurde berichtigt"  # the note of a message that was taken back before it left
IS_IT_THERE = "nach Sicherung: liegt es vor?"  # of one that a person is asked about after a restored backup


class MessageState(StrEnum):
    """Where a message is; the comment says what is certain."""

    HELD = "held"  # waits for a person's release, or for a person who looks whether it is there already
    WAITING = "waiting"  # has never left, has not arrived, or may go again with the same bytes and the same id
    CLAIMED = "claimed"  # a run has it in hand; nothing has left
    SENDING = "sending"  # committed before the first byte; after a crash nobody knows
    DELIVERED = "delivered"  # the destination has it; what became of it comes later
    CONFIRMED = "confirmed"  # the effect happened
    REFUSED = "refused"  # the effect will not happen; a person decides
    IN_DOUBT = "in_doubt"  # nobody knows: the destination is asked, or the same bytes go again with the same id


@dataclass(frozen=True)
class Machine:
    """A small table of states: which event leads from one to which other. What is not in it does not happen."""

    name: str
    steps: Mapping[str, Mapping[str, str]]  # {state: {event: state}}

    def may_follow(self, state: str, after: str) -> bool:
        """Whether some event leads from one state to the other."""
        return after in self.steps[state].values()


MESSAGE = Machine(
    "message",
    {
        MessageState.HELD: {
            "release": MessageState.WAITING,
            "ask": MessageState.HELD,  # after a restored backup: the order may have been given, and sent, since
            "refuse": MessageState.REFUSED,
            "deliver": MessageState.DELIVERED,
            "confirm": MessageState.CONFIRMED,
        },
        MessageState.WAITING: {
            "hold": MessageState.HELD,
            "claim": MessageState.CLAIMED,
            "deliver": MessageState.DELIVERED,
            "confirm": MessageState.CONFIRMED,
            "refuse": MessageState.REFUSED,
        },
        MessageState.CLAIMED: {
            "hold": MessageState.HELD,
            "let go": MessageState.WAITING,
            "send": MessageState.SENDING,
            "deliver": MessageState.DELIVERED,
            "confirm": MessageState.CONFIRMED,
            "refuse": MessageState.REFUSED,
        },
        MessageState.SENDING: {
            "deliver": MessageState.DELIVERED,
            "not sent": MessageState.WAITING,
            "refuse": MessageState.REFUSED,
            "doubt": MessageState.IN_DOUBT,
            "confirm": MessageState.CONFIRMED,
        },
        MessageState.IN_DOUBT: {
            "find": MessageState.DELIVERED,
            "send again": MessageState.WAITING,
            "hold": MessageState.HELD,
            "refuse": MessageState.REFUSED,
            "confirm": MessageState.CONFIRMED,
        },
        MessageState.DELIVERED: {"confirm": MessageState.CONFIRMED, "refuse": MessageState.REFUSED},
        MessageState.CONFIRMED: {},
        MessageState.REFUSED: {},
    },
)

BY_A_PERSON = Machine(  # steps that no run and no answer takes: somebody has looked there, and signs for it
    "message, as a person says",
    {
        MessageState.DELIVERED: {"send once more": MessageState.WAITING},  # the same bytes and id; never as a new one
        MessageState.CONFIRMED: {"has not happened": MessageState.REFUSED},
        MessageState.REFUSED: {"has happened": MessageState.CONFIRMED},
    },
)

GRANT = Machine(
    "grant",
    {
        "": {"vote": GrantState.VOTED},
        GrantState.VOTED: {"issue the Bescheid": GrantState.GRANTED, "withdraw": GrantState.CANCELLED},
        GrantState.GRANTED: {"become final": GrantState.FINAL, "withdraw": GrantState.CANCELLED},
        GrantState.FINAL: {"prove": GrantState.SETTLED, "withdraw": GrantState.CANCELLED},
        GrantState.SETTLED: {},
        GrantState.CANCELLED: {},
    },
)
_ENDS = {"refuse": OrderState.REJECTED, "cancel": OrderState.CANCELLED}
_ARRIVES = {"take": OrderState.SENT, "book": OrderState.BOOKED, "pay": OrderState.PAID, "receive": OrderState.RECEIVED}
ORDER = Machine(
    "order",
    {
        OrderState.ORDERED: {**_ENDS, **_ARRIVES, "doubt": OrderState.IN_DOUBT, "return": OrderState.BOUNCED},
        OrderState.IN_DOUBT: {**_ENDS, **_ARRIVES, "is not there": OrderState.ORDERED, "return": OrderState.BOUNCED},
        OrderState.SENT: {
            **_ENDS,
            "book": OrderState.BOOKED,
            "pay": OrderState.PAID,
            "receive": OrderState.RECEIVED,
            "return": OrderState.BOUNCED,
            "send once more": OrderState.ORDERED,
        },
        OrderState.BOOKED: {
            **_ENDS,
            "pay": OrderState.PAID,
            "receive": OrderState.RECEIVED,
            "return": OrderState.BOUNCED,
        },
        OrderState.PAID: {"return": OrderState.BOUNCED},
        OrderState.REJECTED: {"pay": OrderState.PAID, "book": OrderState.BOOKED, "take": OrderState.SENT},
        OrderState.CANCELLED: {"pay": OrderState.PAID},  # they have paid all the same: nobody pays a second time
        OrderState.BOUNCED: {},
        OrderState.RECEIVED: {},
    },
)

UNSETTLED = frozenset(
    {
        MessageState.HELD,
        MessageState.WAITING,
        MessageState.CLAIMED,
        MessageState.SENDING,
        MessageState.IN_DOUBT,
        MessageState.DELIVERED,
    }
)


def may_follow(state: MessageState, after: MessageState, *, by_a_person: bool = False) -> bool:
    """Whether `after` is a legal next state of a message; only the steps drawn above are, and a person's."""
    if by_a_person and after in BY_A_PERSON.steps.get(state, {}).values():
        return True
    return MESSAGE.may_follow(state, after)
