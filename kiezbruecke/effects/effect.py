"""An effect as one frozen value: everything that the engine asks about it, from the due rule to the German words."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from operator import attrgetter
from uuid import UUID

from pydantic import BaseModel

from kiezbruecke import plugins
from kiezbruecke.cases.join import Standing
from kiezbruecke.cases.publishing import public_of
from kiezbruecke.cases.timeline import status_of
from kiezbruecke.content.routes import SendingRoute
from kiezbruecke.content.texts import NO_TEXTS, Texts
from kiezbruecke.effects.lane import Lane
from kiezbruecke.errors import ConfigurationError
from kiezbruecke.ledger import MessageState
from kiezbruecke.ledger.draft import OrderTerms
from kiezbruecke.ledger.effects import Follow, Hear, Hold, LetGo
from kiezbruecke.ledger.money import cents
from kiezbruecke.ledger.reading import MessageHead
from kiezbruecke.ledger.todo import Answer
from kiezbruecke.records import Process, Record
from kiezbruecke.records.views import MessageView, PayeeView, PublicView, StatusView, StoryKind


@dataclass(frozen=True)
class FollowUp:
    """Something a person must do at the destination, because no message can.

    `message`: whose state an answer changes, where one is about a message (`ledger.todo.MEANS`).
    """

    text: str
    basis: str
    answers: tuple[Answer, ...] = (Answer.DONE,)
    message: UUID | None = None


@dataclass(frozen=True)
class Waits:
    """Something would be due and must not be done now; one German sentence says why. It heals by itself."""

    text: str


@dataclass(frozen=True)
class Due:
    """The next effect for a case."""

    effect: Effect
    number: int
    basis: str
    amount: Decimal | None = None
    related_reference: str | None = None
    order: OrderTerms | None = None  # of an effect that makes an order
    seen: bool = False  # a person has looked at what stands at the destination now, and wants this to stand there


@dataclass(frozen=True)
class DueCase:
    """What an effect's views are made of: the case as it stands, what is due, and the message that is being written.

    `texts` and `last` only where the effect `tells` or `recalls`.
    """

    process: Process
    standing: Standing
    due: Due
    message: MessageView
    texts: Texts = NO_TEXTS
    last: bytes = b""  # of the lane's last message that the destination has; empty where there is none
    payee: PayeeView | None = None  # whom an order pays, where the effect is `confidential` and the vault was asked


Rule = Callable[[Standing, Lane], Due | FollowUp | Waits | None]


def waits_or_is_held(route: SendingRoute) -> MessageState:
    """The first state of a message: it waits to be sent, or for a second person where the route asks for one."""
    return MessageState.HELD if route.release == "four_eyes" else MessageState.WAITING


def is_held(_route: SendingRoute) -> MessageState:
    """The first state of what nobody may send alone, whatever the route says."""
    return MessageState.HELD


def never(_standing: Standing, _message: MessageHead, _lane: Lane) -> bool:
    """What waits stays good, whatever becomes of its decision."""
    return False


def no_views(_of: DueCase) -> Mapping[str, BaseModel]:
    """The mapping reads what every mapping may read."""
    return {}


def no_words(_payload: bytes) -> Sequence[str]:
    """Programs read it, not people."""
    return ()


def no_echo(_payload: bytes, _before: Record, _after: Record) -> bool:
    """Nothing of it ever comes back from a source."""
    return False


@dataclass(frozen=True, eq=False)
class Effect:
    """What happens at a destination. Two effects are the same only if they are one value.

    `basis` names the fields that the effect rests on, as paths from `standing`, `effect` and `amount`; only when one of
    their values changes is something due again.
    """

    name: str  # 'file.create': family and what is done
    letter: str  # of the Fremdkennzeichen
    title: str  # German, as it stands in tables
    basis: tuple[str, ...]
    place: str = ""  # where to, for whoever filled in the sheet: „ins HKR“
    partner: str = ""  # who answers, German with its article, as a sentence begins with it
    will: str = ""  # what it will do with money, German, for whoever looks ahead; `{amount}` is the sum
    happened: tuple[StoryKind, str] | None = None  # what its confirmation is to everyone; `{amount}` is the sum
    rule: str = ""  # what a route calls the rule under `due:`; empty where another effect of the family begins
    due: Rule | None = None
    once: bool = False  # per case and generation at most one that is not refused, wherever it was sent
    informs: bool = False  # it only tells: a case it was sent for is still as good as unsent
    tells: bool = False  # people read the process's texts (`content/texts.py`)
    recalls: bool = False  # its views read the bytes of the lane's last message that the destination has
    read_as: Callable[[bytes], Sequence[str]] = no_words  # its bytes, in the lines that people will read
    echoes: Callable[[bytes, Record, Record], bool] = no_echo  # whether a record changed only by what its bytes say
    in_list: bool = False  # its bytes are a line: worth nothing but in a list that is always whole
    must_be_released: bool = False  # its routes say `release: four_eyes`: money leaves
    confidential: bool = False  # its bytes hold account data: they are kept sealed, and shown to nobody
    takes_voucher: bool = False  # a Belegnummer, unique per destination and year
    first_state: Callable[[SendingRoute], MessageState] = waits_or_is_held
    outdated: Callable[[Standing, MessageHead, Lane], bool] = never  # what waits untouched is taken back
    hold: Hold | None = field(default=None, repr=False)  # money held back when messages are stored
    follow: Follow | None = field(default=None, repr=False)  # what their word does to that money
    hear: Hear | None = field(default=None, repr=False)  # what words about its messages mean beyond their states
    let_go: LetGo | None = field(default=None, repr=False)  # the destination was rebuilt and knows nothing of it
    views: Callable[[DueCase], Mapping[str, BaseModel]] = no_views
    view_models: Mapping[str, type[BaseModel]] = field(
        default_factory=dict
    )  # the roots that `views` gives, for the check

    @property
    def family(self) -> str:
        """What one lane carries: `commitment` for `commitment.book`."""
        return self.name.partition(".")[0]

    def basis_of(self, standing: Standing, amount: Decimal | None = None) -> str:
        """The digest of what the effect rests on (SHA-256, hex); the only place where one is made."""
        ground = _Ground(standing, self, standing.amount if amount is None else amount)
        return digest(*(str(attrgetter(path)(ground)) for path in self.basis))


@dataclass(frozen=True)
class _Ground:
    """Where the paths of a basis begin."""

    standing: Standing
    effect: Effect
    amount: Decimal

    @property
    def cents(self) -> int:
        return cents(self.amount)

    @property
    def status(self) -> StatusView:
        return status_of(self.standing)

    @property
    def public(self) -> PublicView | None:
        return public_of(self.standing)


def effect(name: str) -> Effect:
    """The effect of this name; raises ConfigurationError."""
    known = plugins.effects()
    if name not in known:
        raise ConfigurationError(f"no effect is called '{name}'", where="effect", expected=", ".join(sorted(known)))
    found: Effect = known[name]
    return found


def rule_of(route: SendingRoute) -> Rule:
    """The due rule of a route. Raises ConfigurationError where it is not that of the effect the route begins with."""
    return rule_for(route.effect, route.due, f"route {route.name}")


def rule_for(name: str, due: str, where: str) -> Rule:
    """The due rule of an effect, as a route calls both."""
    begins = effect(name)
    if begins.due is None or due != begins.rule:
        expected = begins.rule or "an effect that begins something"
        raise ConfigurationError(f"due: {due} does not lead to {name}", where=where, expected=expected)
    return begins.due


def no_views_yet() -> dict[str, None]:
    """The roots that only some effects give, empty: a mapping may be used for several."""
    return {name: None for one in plugins.effects().values() for name in one.view_models}


def digest(*parts: str) -> str:
    """SHA-256 of texts, hex; no text of one part can be taken for another's."""
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()
