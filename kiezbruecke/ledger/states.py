"""The states of a message and the steps between them (design: docs/explanation/ledger.md).

waiting ─▶ claimed ─▶ sending ─▶ delivered ─▶ confirmed | refused
   ▲          │          │
   └──────────┴──────────┼─▶ refused           (the target said no)
   └─────────────────────┼─▶ in_doubt ─▶ delivered | waiting | refused | confirmed
"""

from __future__ import annotations

from enum import StrEnum


class MessageState(StrEnum):
    """Where a message is; the comment says what is certain."""

    HELD = "held"  # waits for a person's release
    WAITING = "waiting"  # has never left, has not arrived, or may go again with the same bytes and the same id
    CLAIMED = "claimed"  # a run has it in hand; nothing has left
    SENDING = "sending"  # committed before the first byte; after a crash nobody knows
    DELIVERED = "delivered"  # the destination has it; what became of it comes later
    CONFIRMED = "confirmed"  # the effect happened
    REFUSED = "refused"  # the effect will not happen; a person decides
    IN_DOUBT = "in_doubt"  # nobody knows: the destination is asked, or the same bytes go again with the same id


_NEXT: dict[MessageState, frozenset[MessageState]] = {
    MessageState.HELD: frozenset({MessageState.WAITING, MessageState.REFUSED}),
    MessageState.WAITING: frozenset(
        {MessageState.CLAIMED, MessageState.DELIVERED, MessageState.CONFIRMED, MessageState.REFUSED}
    ),
    MessageState.CLAIMED: frozenset(
        {
            MessageState.WAITING,
            MessageState.SENDING,
            MessageState.DELIVERED,
            MessageState.CONFIRMED,
            MessageState.REFUSED,
        }
    ),
    MessageState.SENDING: frozenset(
        {
            MessageState.DELIVERED,
            MessageState.WAITING,
            MessageState.REFUSED,
            MessageState.IN_DOUBT,
            MessageState.CONFIRMED,
        }
    ),
    MessageState.IN_DOUBT: frozenset(
        {MessageState.DELIVERED, MessageState.WAITING, MessageState.REFUSED, MessageState.CONFIRMED}
    ),
    MessageState.DELIVERED: frozenset({MessageState.CONFIRMED, MessageState.REFUSED}),
    MessageState.CONFIRMED: frozenset(),
    MessageState.REFUSED: frozenset(),
}

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


def may_follow(state: MessageState, after: MessageState) -> bool:
    """Whether `after` is a legal next state; only the steps drawn above are."""
    return after in _NEXT[state]
