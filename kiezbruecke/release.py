"""Four eyes: who may release what leaves a route with `release: four_eyes`, and what exactly they were shown.

    show ─▶ certify (sachlich, rechnerisch) ─▶ order (angeordnet) ─▶ a run sends it
              └────────────┴─▶ hold_back

Command line, Airflow's required action and the page call these functions and nothing else. Each act names the token of
the view that the person has seen (`ReleaseView.shown`); where anything of it stands otherwise by now, nothing happens.
Whoever calls says who acts (`Approver`), as Airflow's log-in vouches for it; nobody is guessed.
"""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import StrEnum
from functools import cached_property
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict
from sqlalchemy import Connection, Row

from kiezbruecke import clock, german
from kiezbruecke.connector import MarkKind
from kiezbruecke.content.processes import read_process
from kiezbruecke.content.roles import Role, read_roles
from kiezbruecke.content.routes import SendingRoute, find_route
from kiezbruecke.errors import ConfigurationError, InputError
from kiezbruecke.german import BERLIN
from kiezbruecke.house import House
from kiezbruecke.ledger import accounts, releases
from kiezbruecke.ledger.chains import altered
from kiezbruecke.ledger.database import now
from kiezbruecke.ledger.dialects import one_at_a_time
from kiezbruecke.ledger.money import cents, euros
from kiezbruecke.ledger.people import How, Person, Signed, signed
from kiezbruecke.ledger.seals import APPROVAL, BUDGET, BYTES, MESSAGE, ORDER, Key
from kiezbruecke.ledger.todo import Answer, Kind, Point
from kiezbruecke.records import SEPA, Payments, Process

SAME_PAYMENT = timedelta(days=60)
NEARLY = Decimal("0.8")  # of the limit: worth a second look
NAMED = 20  # Fremdkennzeichen that a warning names
AS_SHOWN = re.compile(r"(\d+)-(\d+)-([0-9a-f]{8})([0-9a-f]{8})([0-9a-f]{8})([0-9a-f]{8})-([0-9a-f]{32})")
_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue"})
_NOTHING = "Es ist nichts geschehen"


class ActKind(StrEnum):
    """What a person does, as it is typed and kept."""

    CERTIFY = "bescheinigen"  # both marks of the certifier at once
    FACTUAL = "sachlich"
    ARITHMETICAL = "rechnerisch"
    ORDER = "anordnen"
    HOLD_BACK = "zurueckhalten"

    @property
    def marks(self) -> tuple[MarkKind, ...]:
        """The marks that it gives."""
        return _GIVES[self]


_GIVES: Mapping[ActKind, tuple[MarkKind, ...]] = {
    ActKind.CERTIFY: (MarkKind.FACTUAL, MarkKind.ARITHMETICAL),
    ActKind.FACTUAL: (MarkKind.FACTUAL,),
    ActKind.ARITHMETICAL: (MarkKind.ARITHMETICAL,),
    ActKind.ORDER: (MarkKind.ORDERED,),
    ActKind.HOLD_BACK: (),
}
_ORDER_ONLY = frozenset({ActKind.ORDER})

Holders = Callable[[Connection, Collection[str]], Mapping[str, str]]
"""Whose the accounts of these marks are: the vault's answer. A mark that is missing in it cannot be read here."""


def from_the_vault(connection: Connection, marks: Collection[str]) -> Mapping[str, str]:
    """Whose the accounts are, as the vault says; without its key no account has a known holder."""
    try:
        return {mark: payee.holder for mark, payee in accounts.payees(connection, marks).items()}
    except ConfigurationError:
        return {}


@dataclass(frozen=True)
class Approver:
    """Who acts, and the roles that Airflow has said this log-in has; made where Airflow was asked, nowhere else."""

    person: Person
    roles: frozenset[str]


class _Shown(BaseModel):
    model_config = ConfigDict(frozen=True)


class ReleasedArea(_Shown):
    """What of a release is one area's, beside the last release of the same kind."""

    area: str
    name: str
    count: int
    sum: Decimal
    last_count: int
    last_sum: Decimal


class Caution(_Shown):
    """Something that a person should look at before they sign. It names no person and no account."""

    kind: str
    text: str
    count: int
    references: tuple[str, ...]
    """At most twenty Fremdkennzeichen"""


class Line(_Shown):
    """One message of a release."""

    reference: str
    area: str
    sum: Decimal
    due_on: date | None


class ReleaseView(_Shown):
    """What a person is shown before an act, and `shown`, which they give back with it."""

    route: str
    process: str
    kind: ActKind
    count: int
    sum: Decimal
    areas: tuple[ReleasedArea, ...]
    last_at: datetime | None
    """When the last act of this kind was"""
    last_count: int
    last_sum: Decimal
    cautions: tuple[Caution, ...]
    obstacles: tuple[str, ...]
    """Why nobody can do it now"""
    holds_days: int
    """So long an order holds"""
    lines: tuple[Line, ...]
    shown: str = ""


def show(
    house: House, route: str, kind: ActKind, *, only: Collection[str] = (), holders: Holders = from_the_vault
) -> ReleaseView:
    """What waits for an act on a route; `only` these Fremdkennzeichen. Changes nothing. Raises InputError."""
    desk = _desk(house, route)
    with house.ledger.read() as connection:
        return _Look(connection, desk, kind, frozenset(only), holders).view


def certify(
    house: House,
    route: str,
    shown: str,
    approver: Approver,
    reason: str,
    *,
    kind: ActKind = ActKind.CERTIFY,
    only: Collection[str] = (),
    holders: Holders = from_the_vault,
) -> int:
    """Certify what was shown (sachlich, rechnerisch, both); how many messages. Raises InputError with what changed."""
    if kind not in (ActKind.CERTIFY, ActKind.FACTUAL, ActKind.ARITHMETICAL):
        raise InputError("Das ist keine Bescheinigung", where=kind)
    return _act(house, route, shown, approver, reason, kind, only, holders)


def order(
    house: House,
    route: str,
    shown: str,
    approver: Approver,
    reason: str = "angeordnet",
    *,
    only: Collection[str] = (),
    holders: Holders = from_the_vault,
) -> int:
    """Order what was shown, so that a run may send it; how many messages. Raises InputError with what changed."""
    return _act(house, route, shown, approver, reason, ActKind.ORDER, only, holders)


def may_act(house: House, route: str, kind: ActKind, names: frozenset[str]) -> bool:
    """Whether one of these roles may do this on a route; what it may not sign is said when somebody tries."""
    desk = _desk(house, route)
    return bool(_allowed(desk, names, _roles_for(desk, kind)))


def hold_back(house: House, route: str, reference: str, approver: Approver, reason: str) -> None:
    """Keep one waiting message back for good: it is refused, and its owner hears so. Raises InputError."""
    desk = _desk(house, route)
    by = signed(approver.person, reason, f"release hold-back {route}")
    _refuse_stranger(desk, approver, (*desk.payments.certifiers, *desk.payments.orderers))
    with house.ledger.write() as connection:
        one_at_a_time(connection)
        row = next((row for row in releases.held(connection, route) if row.reference == reference), None)
        if row is None:
            raise InputError(f"Auf Freigabe wartet hier keine solche Nachricht. {_NOTHING}", where=reference)
        if row.batch_id is not None:
            what = f"Sie steht schon in der Lieferung {row.batch_id}, die vielleicht angekommen ist. {_NOTHING}"
            raise InputError(what, where=reference)
        _refuse_altered(connection, [row])
        act = releases.Act(route, ActKind.HOLD_BACK, "", {}, 1, row.amount_cents or 0)
        releases.refuse_one(connection, act, by, row, _held_back_point(desk, row))


@dataclass(frozen=True)
class _Desk:
    """A route that needs four eyes, with what its process says of payments and what the roles may."""

    route: SendingRoute
    process: Process
    payments: Payments
    roles: Mapping[str, Role]

    def area(self, number: str) -> str:
        """An area's name."""
        return next((area.name for area in self.process.areas if area.id == number), number)


def _desk(house: House, name: str) -> _Desk:
    route = find_route(house.content, name)
    if not isinstance(route, SendingRoute) or route.release != "four_eyes":
        raise InputError("Diese Strecke verlangt keine Freigabe", where=name)
    process = read_process(house.content, route.process)
    if process.payments is None:
        raise ConfigurationError("the process says nothing of payments", where=process.id, expected="payments: …")
    return _Desk(route, process, process.payments, read_roles(house.content))


@dataclass
class _Look:
    """What waits on a route at this moment, as this connection sees it."""

    connection: Connection
    desk: _Desk
    kind: ActKind
    only: frozenset[str]
    holders: Holders

    @cached_property
    def rows(self) -> list[Row[Any]]:
        """The messages that the act would be about."""
        waiting = releases.held(self.connection, self.desk.route.name)
        return [row for row in waiting if self._lacks_it(row) and (not self.only or row.reference in self.only)]

    @cached_property
    def view(self) -> ReleaseView:
        """All that the person is shown."""
        last = releases.last_act(self.connection, self.desk.route.name, self.kind)
        view = ReleaseView(
            route=self.desk.route.name,
            process=self.desk.process.name,
            kind=self.kind,
            count=len(self.rows),
            sum=euros(self.cents),
            areas=tuple(self._areas(last.numbers["areas"] if last else {})),
            last_at=last.at if last else None,
            last_count=last.count if last else 0,
            last_sum=euros(last.sum_cents if last else 0),
            cautions=tuple(self._cautions()),
            obstacles=tuple(self._obstacles()),
            holds_days=self.desk.payments.release_days,
            lines=tuple(
                Line(reference=row.reference, area=row.area_id or "", sum=euros(_cents(row)), due_on=row.due_on)
                for row in self.rows
            ),
        )
        return view.model_copy(update={"shown": self._token(view)})

    @property
    def cents(self) -> int:
        """Of all of it."""
        return sum(map(_cents, self.rows))

    @cached_property
    def by_area(self) -> Mapping[str, tuple[int, int]]:
        """Count and cents per area."""
        found: dict[str, tuple[int, int]] = defaultdict(lambda: (0, 0))
        for row in self.rows:
            count, total = found[row.area_id or ""]
            found[row.area_id or ""] = count + 1, total + _cents(row)
        return dict(found)

    @cached_property
    def applicants(self) -> Mapping[UUID, str]:
        """Per case the name of who has applied; it is compared and shown to nobody."""
        bodies = releases.applied(self.connection, (row.case_id for row in self.rows if row.payee))
        return {case: json.loads(body).get("applicant_name") or "" for case, body in bodies.items()}

    @cached_property
    def known_holders(self) -> Mapping[str, str]:
        """Per account's mark the name of its holder, where the vault can be read."""
        return self.holders(self.connection, {row.payee for row in self.rows} - {""})

    @property
    def numbers(self) -> dict[str, Any]:
        """What is kept of it: nothing in it is about a person."""
        return {"areas": self.by_area, "cautions": {one.kind: one.count for one in self.view.cautions}}

    def _lacks_it(self, row: Row[Any]) -> bool:
        certified = bool(row.factual_account and row.arithmetical_account)
        if self.kind is ActKind.ORDER:
            return certified
        missing = {MarkKind.FACTUAL: not row.factual_account, MarkKind.ARITHMETICAL: not row.arithmetical_account}
        return any(missing[mark] for mark in self.kind.marks)

    def _areas(self, last: Mapping[str, Sequence[int]]) -> Iterator[ReleasedArea]:
        for area in sorted({*self.by_area, *last}):
            (count, total), (before, sum_before) = self.by_area.get(area, (0, 0)), last.get(area, (0, 0))
            yield ReleasedArea(
                area=area,
                name=self.desk.area(area),
                count=count,
                sum=euros(total),
                last_count=before,
                last_sum=euros(sum_before),
            )

    def _obstacles(self) -> Iterator[str]:
        frozen = sorted({self.desk.area(row.area_id or "") for row in self.rows if row.frozen})
        if frozen:
            yield f"Kein freigegebenes Budget: {', '.join(frozen)}"
        day, until = clock.today(), self.desk.payments.order_until
        if self.kind in _ORDER_ONLY and until is not None and day > until:
            yield f"Der Kassenschluss war am {german.day(until)}; danach wird nichts mehr angeordnet"
        if self.kind in _ORDER_ONLY and day.year != self.desk.process.fiscal_year:
            year = self.desk.process.fiscal_year
            yield f"Das Haushaltsjahr {year} läuft heute nicht; über seine Grenzen geht nichts hinaus"

    def _cautions(self) -> Iterator[Caution]:
        found: list[tuple[str, str, list[str]]] = [
            ("same_payment", "Gleiches Konto und gleicher Betrag innerhalb von 60 Tagen", self._same_payments()),
            ("new_account", "Schon einmal auf ein anderes Konto bezahlt", self._new_accounts()),
            ("other_name", "Kontoinhaber und Antragsteller heißen verschieden", self._other_names()),
            ("unread_holder", "Kontoinhaber hier nicht lesbar, also nicht verglichen", self._unread()),
            ("near_limit", "Mehr als 80 Prozent der Höchstgrenze", self._near_limit()),
            ("after_cut_off", "Fällig erst nach dem Kassenschluss", self._after_cut_off()),
            ("single_payment", "Eine einzelne Zahlung als Datei: die VoP-Prüfung ist Pflicht", self._single()),
        ]
        for kind, text, references in found:
            if references:
                yield Caution(kind=kind, text=text, count=len(references), references=tuple(references[:NAMED]))

    def _same_payments(self) -> list[str]:
        since = now() - SAME_PAYMENT
        others = releases.same_payee(self.connection, {row.payee for row in self.rows} - {""}, since)
        times = Counter((one.account, one.amount_cents) for one in others)
        return [row.reference for row in self.rows if row.payee and times[row.payee, row.amount_cents] > 1]

    def _new_accounts(self) -> list[str]:
        """Applicants are the same where their names are: nothing else is known of them in every process."""
        if not any(self.applicants.values()):
            return []
        ours = {row.key for row in self.rows}
        paid: dict[tuple[str, ...], set[str]] = defaultdict(set)
        for one in releases.paid_accounts(self.connection):
            if one.key not in ours and (name := _folded(json.loads(one.body).get("applicant_name") or "")):
                paid[name].add(one.account)
        names = {row.key: _folded(self.applicants.get(row.case_id, "")) for row in self.rows if row.payee}
        return [
            row.reference for row in self.rows if row.key in names and paid.get(names[row.key], set()) - {row.payee}
        ]

    def _other_names(self) -> list[str]:
        return [
            row.reference
            for row in self.rows
            if (holder := self.known_holders.get(row.payee))
            and (name := self.applicants.get(row.case_id))
            and _folded(holder) != _folded(name)
        ]

    def _unread(self) -> list[str]:
        return [row.reference for row in self.rows if row.payee and row.payee not in self.known_holders]

    def _near_limit(self) -> list[str]:
        most = self.desk.payments.most_per_order
        return [] if most is None else [row.reference for row in self.rows if euros(_cents(row)) > most * NEARLY]

    def _after_cut_off(self) -> list[str]:
        until = self.desk.payments.order_until
        return [] if until is None else [row.reference for row in self.rows if row.due_on and row.due_on > until]

    def _single(self) -> list[str]:
        by_file = [row.reference for row in self.rows if row.kind == "payment" and row.channel == SEPA]
        return by_file if len(by_file) == 1 else []

    def _token(self, view: ReleaseView) -> str:
        """Digests of the parts, so that it can be said which of them has changed, and of all that is shown."""
        rows = self.rows
        parts = (
            [str(row.key) for row in rows],
            [row.sha256 for row in rows],
            [f"{row.factual_account}|{row.arithmetical_account}|{row.ordered_account}" for row in rows],
            [str(bool(row.frozen)) for row in rows],
        )
        short = "".join(_digest(part)[:8] for part in parts)
        whole = _digest([short, *(part for some in parts for part in some), view.model_dump_json()])
        return f"{view.count}-{self.cents}-{short}-{whole[:32]}"


def _act(
    house: House,
    route: str,
    shown: str,
    approver: Approver,
    reason: str,
    kind: ActKind,
    only: Collection[str],
    holders: Holders,
) -> int:
    desk = _desk(house, route)
    by = signed(approver.person, reason, f"release {kind} {route}")
    allowed = _refuse_stranger(desk, approver, _roles_for(desk, kind))
    with house.ledger.write() as connection:
        one_at_a_time(connection)
        look = _Look(connection, desk, kind, frozenset(only), holders)
        _refuse_other_view(look.view, shown)
        if look.view.obstacles:
            raise InputError(f"{'; '.join(look.view.obstacles)}. {_NOTHING}", where=route)
        _refuse_payee(look, by.person)
        if kind is ActKind.ORDER:
            _refuse_certifier(look.rows, by)
            _refuse_too_large(look.rows, desk, allowed)
        _refuse_altered(connection, look.rows)
        act = releases.Act(route, kind, shown, look.numbers, len(look.rows), look.cents, _valid_until(desk, kind))
        releases.give_marks(connection, act, by, kind.marks, look.rows)
        return len(look.rows)


def _roles_for(desk: _Desk, kind: ActKind) -> tuple[str, ...]:
    return desk.payments.orderers if kind is ActKind.ORDER else desk.payments.certifiers


def _refuse_stranger(desk: _Desk, approver: Approver, wanted: Collection[str]) -> list[Role]:
    """Those of the person's roles that allow it; raises InputError where there is none, or no log-in of Airflow."""
    route = desk.route.name
    if approver.person.how is not How.AIRFLOW:
        what = "Freigeben kann nur, wer bei Airflow angemeldet ist"
        raise InputError(f"{what}. {_NOTHING}", where=route, helps="kiezbruecke login")
    allowed = _allowed(desk, approver.roles, wanted)
    if not allowed:
        expected = ", ".join(sorted(set(wanted))) or "keine Rolle; sie fehlen in der Verfahrensdatei"
        raise InputError(f"Diese Anmeldung hat dafür keine Rolle. {_NOTHING}", where=route, expected=expected)
    return allowed


def _allowed(desk: _Desk, names: frozenset[str], wanted: Collection[str]) -> list[Role]:
    """Those of these roles that are wanted, and cover the route."""
    known = [desk.roles[name] for name in sorted(names & set(wanted)) if name in desk.roles]
    return [role for role in known if role.covers(desk.route.name)]


def _refuse_other_view(view: ReleaseView, shown: str) -> None:
    """Raises InputError with what has changed since the person has looked."""
    if shown == view.shown and view.count:
        return
    before, after = AS_SHOWN.fullmatch(shown), AS_SHOWN.fullmatch(view.shown)
    if before is None or after is None:
        what = f"Das ist kein Kennwert einer Ansicht. {_NOTHING}"
        raise InputError(what, where=view.route, helps="ihn zeigt kiezbruecke release show")
    if not view.count:
        raise InputError(
            f"Es wartet nichts mehr darauf: schon geschehen, oder zurückgehalten. {_NOTHING}", where=view.route
        )
    changed = "; ".join(_differences(before.groups(), after.groups()))
    what = f"Seit der Ansicht hat sich etwas geändert: {changed}. {_NOTHING}"
    raise InputError(what, where=view.route, helps="bitte neu ansehen (kiezbruecke release show)")


def _differences(before: Sequence[str], after: Sequence[str]) -> Iterator[str]:
    count, total, messages, content, marks, budgets, _ = (a != b for a, b in zip(before, after, strict=True))
    if count:
        yield f"{german.count(int(after[0]), 'Anordnung', 'Anordnungen')} statt {before[0]}"
    if total:
        yield f"{german.euros(euros(int(after[1])))} statt {german.euros(euros(int(before[1])))}"
    if messages and not count:
        yield "andere Anordnungen"
    if content and not messages:
        yield "der Inhalt einer Anordnung"
    if marks and not messages:
        yield "jemand anderes hat inzwischen gezeichnet"
    if budgets and not messages:
        yield "die Freigabe eines Budgets"
    if not (count or total or messages or content or marks or budgets):
        yield "Hinweise oder Zahlen der Ansicht"


def _refuse_certifier(rows: Sequence[Row[Any]], by: Signed) -> None:
    """Who orders has certified nothing of it; the table's constraint says the same of the log-ins."""
    mine = by.person.login.casefold()
    own = [row for row in rows if mine in (row.factual_account.casefold(), row.arithmetical_account.casefold())]
    if own:
        what = (
            f"Wer bescheinigt hat, ordnet nicht an ({german.count(len(own), 'Anordnung', 'Anordnungen')}). {_NOTHING}"
        )
        raise InputError(what, where=own[0].reference)


def _refuse_too_large(rows: Sequence[Row[Any]], desk: _Desk, allowed: Sequence[Role]) -> None:
    """The process's limit, and the largest that one of the person's roles allows."""
    own = None if any(role.most_per_order is None for role in allowed) else max(r.most_per_order for r in allowed)  # type: ignore[type-var]
    limits = [limit for limit in (desk.payments.most_per_order, own) if limit is not None]
    if not limits:
        return
    over = [row for row in rows if _cents(row) > cents(min(limits))]
    if over:
        what = f"Mehr, als diese Anmeldung je Zahlung anordnen darf: {german.euros(min(limits))}. {_NOTHING}"
        raise InputError(what, where=over[0].reference, helps="jemand mit höherer Grenze, oder ohne diese (--only)")


def _refuse_payee(look: _Look, person: Person) -> None:
    """Nobody releases a payment to themselves: neither who has applied nor whose the account is."""
    own = [_folded(person.name), _folded(person.account)]
    for row in look.rows:
        if not row.payee:
            continue
        if row.payee not in look.known_holders:
            what = f"Wem das Konto gehört, ist hier nicht lesbar; so kann niemand freigeben. {_NOTHING}"
            raise InputError(what, where=row.reference, helps="der Schlüssel des Tresors fehlt (IT-Betrieb)")
        names = (look.known_holders[row.payee], look.applicants.get(row.case_id, ""))
        if any(_is_same(mine, _folded(name)) for mine in own for name in names):
            raise InputError(f"Wer Geld bekommt, gibt es nicht selbst frei. {_NOTHING}", where=row.reference)


def _refuse_altered(connection: Connection, rows: Sequence[Row[Any]]) -> None:
    """What somebody has changed behind the software's back is signed by nobody."""
    cases: dict[Key, UUID | None] = {(row.key,): row.case_id for row in rows}
    budgets: dict[Key, UUID | None] = {
        (row.process_id, row.fiscal_year, row.area_id): None for row in rows if row.process_id is not None
    }
    units = {**dict.fromkeys((MESSAGE, BYTES, APPROVAL, ORDER), cases), BUDGET: budgets}
    if changed := altered(connection, units):
        title = min(title for titles in changed.values() for title in titles.values())
        what = f"Was gespeichert ist, wurde an der Software vorbei verändert ({title}). {_NOTHING}"
        raise InputError(what, where="Hauptbuch", helps="kiezbruecke ledger verify (IT-Betrieb)")


def _valid_until(desk: _Desk, kind: ActKind) -> datetime | None:
    """How long an order holds: some days, never beyond the cut-off or the year."""
    if kind is not ActKind.ORDER:
        return None
    at = now()
    last = min(desk.payments.order_until or date.max, date(desk.process.fiscal_year, 12, 31))
    ahead = clock.today() - at.astimezone(BERLIN).date()  # a demonstration plays a year that is over
    return min(at + timedelta(days=desk.payments.release_days), datetime.combine(last - ahead, time.max, BERLIN))


def _held_back_point(desk: _Desk, row: Row[Any]) -> Point:
    text = f"{row.reference}: Bei der Freigabe zurückgehalten; sie geht nicht hinaus"
    answers = (Answer.RESEND, Answer.DONE)
    return Point(Kind.REFUSED, str(row.key), desk.route.name, desk.route.owner, text, answers, row.case_id, row.key)


def _cents(row: Row[Any]) -> int:
    return int(row.amount_cents or 0)


def _folded(name: str) -> tuple[str, ...]:
    """A name's words without case, accents, order and signs: `Müller, Anna` is `anna mueller`."""
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFC", name).casefold().translate(_UMLAUTS))
    return tuple(sorted(re.findall(r"[^\W_]+", "".join(sign for sign in plain if not unicodedata.combining(sign)))))


def _is_same(mine: tuple[str, ...], theirs: tuple[str, ...]) -> bool:
    """The same words; or all of a name of several words among more of them (`Anna Müller und Jo Kunz`)."""
    return bool(mine) and (mine == theirs or (len(mine) > 1 and set(mine) <= set(theirs)))


def _digest(words: Iterable[str]) -> str:
    return hashlib.sha256("\x1f".join(words).encode()).hexdigest()
