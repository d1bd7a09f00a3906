"""Sends what people are told without being asked: the morning's post per owner, and a route that has failed.

    points, messages ─▶ desk/morning.py ─▶ a letter per owner ─▶ SMTP (connection smtp_default), else a file in var/post

The connection is Airflow's own, with the fields of its SMTP form; TLS unless both kinds are switched off there. Each
letter is begun in the ledger before the first byte leaves (`ledger/mails.py`): a restart or a second run sends it once.
"""

from __future__ import annotations

import logging
import smtplib
import ssl
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.message import EmailMessage
from email.policy import SMTP as POLICY
from email.utils import formatdate

from kiezbruecke.connector import Connection
from kiezbruecke.content.owners import Owner, owner_of, read_owners
from kiezbruecke.content.routes import find_route, route_places
from kiezbruecke.desk.morning import Morning, letter, mornings, point_list
from kiezbruecke.errors import ConfigurationError, MachineError, NotSent
from kiezbruecke.german import BERLIN, count
from kiezbruecke.house import House
from kiezbruecke.ledger import mails
from kiezbruecke.ledger.database import now
from kiezbruecke.ledger.reading import unended
from kiezbruecke.machine import write_file
from kiezbruecke.records.base import name_id

log = logging.getLogger("kiezbruecke")
CONNECTION = "smtp_default"  # Airflow's own name for it
FROM_HOUR = 5  # Berlin; before that nobody reads
OPERATIONS = "it-betrieb"
_SUBJECT = "Kiezbrücke: {what}"
_XLSX = ("application", "vnd.openxmlformats-officedocument.spreadsheetml.sheet")
LATE = timedelta(hours=4)  # a step that takes longer is told
_DAY = timedelta(days=1)

Send = Callable[[EmailMessage], None]


@dataclass(frozen=True)
class _Letter:
    """One letter before it is addressed; `about` names it among all of its owner's."""

    owner: str
    about: str
    subject: str
    text: str
    table: bytes | None = None


def morning_post(house: House, at: datetime | None = None) -> dict[str, int]:
    """Send everybody what is theirs, once a day, from five o'clock in Berlin; `mails` is how many went out.

    Raises ConfigurationError where IT operations itself has no address, when all others have theirs.
    """
    at = at or now()
    local = at.astimezone(BERLIN)
    if local.hour < FROM_HOUR:
        return {}
    owners, about = read_owners(house.content), f"morning {local.date().isoformat()}"
    found = mornings(house, at - _DAY, at)
    nameless = [one for one in found if owner_of(owners, one.owner) is None]
    letters = [_morning_letter(house, one, about, owners) for one in found if one not in nameless]
    sent = _send_all(house, owners, [*letters, *_about_nameless(nameless, about)])
    return {"mails": sent} if sent else {}


def alarm(house: House, route: str, what: str, at: datetime | None = None) -> bool:
    """Tell a route's operations that it has failed or is late, once a day and kind; False where they know already.

    `what`: one German line without content.
    """
    found = find_route(house.content, route)
    day = (at or now()).astimezone(BERLIN).date().isoformat()
    name = found.title or found.name
    text = (
        f"{name} ({found.name}): {what}\n\nWas hilft: kiezbruecke route runs {found.name}, oder in Airflow nachsehen.\n"
    )
    one = _Letter(found.operations, f"alarm {day} {route} {what}"[:200], f"{found.name}: {what}", text)
    return _send_all(house, read_owners(house.content), [one]) == 1


def tell_late(house: House, at: datetime | None = None) -> int:
    """Tell operations of steps that have not ended in hours: they hang, or were killed and nobody has gone on."""
    at = at or now()
    known = {place.name for place in route_places(house.content)}
    late = unended(house.ledger, at - LATE)
    hours = count(LATE // timedelta(hours=1), "Stunde", "Stunden")
    what = f"Ein Schritt läuft länger als {hours}, oder er wurde abgebrochen."
    return sum(alarm(house, route, what, at) for route in sorted(late.keys() & known))


def _morning_letter(house: House, one: Morning, about: str, owners: dict[str, Owner]) -> _Letter:
    what = f"{count(len(one.points), 'Punkt', 'Punkte')} zu tun" if one.points else one.line
    owner = owner_of(owners, one.owner)
    wants = owner is not None and owner.list and one.points
    return _Letter(one.owner, about, what, letter(one, house.page), point_list(one.points) if wants else None)


def _about_nameless(nameless: Sequence[Morning], about: str) -> list[_Letter]:
    """Whose post nobody gets: IT operations hears of it, or nobody would ever notice."""
    if not nameless:
        return []
    lines = [f"{one.owner}: {count(len(one.points), 'Punkt', 'Punkte')}" for one in nameless]
    helps = "Was hilft: die Stelle in mappings/owners.yaml eintragen."
    text = "\n".join(
        ["Für diese Stellen steht nirgends eine Adresse; ihre Post bekommt niemand:", "", *lines, "", helps, ""]
    )
    return [_Letter(OPERATIONS, f"nameless {about}", "Stellen ohne Adresse", text)]


def _send_all(house: House, owners: dict[str, Owner], letters: Sequence[_Letter]) -> int:
    """Each on its own: one that cannot be sent keeps no other back. Raises the first reason when all were tried."""
    sent, failed = 0, None
    for one in letters:
        try:
            sent += _send(house, owners, one)
        except (ConfigurationError, NotSent, MachineError) as error:
            log.warning("post for %s: %s", one.owner, error.line())
            failed = failed or error
    if failed is not None:
        raise failed
    return sent


def _send(house: House, owners: dict[str, Owner], one: _Letter) -> bool:
    owner = owner_of(owners, one.owner)
    if owner is None:
        raise ConfigurationError("has no address", where=f"mappings/owners.yaml, {one.owner}", expected="to: [address]")
    party = _party(house)
    if not mails.begin(house.ledger, one.owner, one.about):
        return False
    message = _message(one, owner, str(party.extra.get("from_email") or "kiezbruecke@localhost") if party else "")
    try:
        if party is None:
            _put_down(house, one, message)
        else:
            _over_smtp(party, message)
    except (ConfigurationError, NotSent, MachineError):
        mails.end(house.ledger, one.owner, one.about, sent=False)
        raise
    except (OSError, smtplib.SMTPException) as error:
        log.warning("post for %s: nobody knows whether it arrived (%s)", one.owner, type(error).__name__)
        return False
    mails.end(house.ledger, one.owner, one.about, sent=True)
    return True


def _party(house: House) -> Connection | None:
    """The way out; None where nobody has made one: then letters are files."""
    try:
        return house.connect(CONNECTION)
    except ConfigurationError as error:
        if error.trouble is None:
            raise
        return None


def _message(one: _Letter, owner: Owner, sender: str) -> EmailMessage:
    message = EmailMessage(policy=POLICY)
    message["Subject"] = _SUBJECT.format(what=one.subject)
    message["From"] = sender or "kiezbruecke@localhost"
    message["To"] = ", ".join(owner.to)
    message["Date"] = formatdate()
    message["Message-ID"] = f"<{name_id('mail', one.owner, one.about)}@kiezbruecke>"
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no out-of-office answers
    message.set_content(one.text)
    if one.table is not None:
        message.add_attachment(one.table, maintype=_XLSX[0], subtype=_XLSX[1], filename="zu-tun.xlsx")
    return message


def _put_down(house: House, one: _Letter, message: EmailMessage) -> None:
    if house.post is None:
        raise ConfigurationError("there is no way out", where=f"connection {CONNECTION}", expected="an SMTP connection")
    name = "".join(sign if sign.isalnum() or sign in "-_." else "-" for sign in f"{one.about}-{one.owner}")
    write_file(house.post / f"{name[:150]}.eml", message.as_bytes())


def _over_smtp(party: Connection, message: EmailMessage) -> None:
    """Raises NotSent where it is certain that no server has taken it; anything else means that nobody knows."""
    try:
        with _open(party) as client:
            client.send_message(message)
    except (smtplib.SMTPConnectError, smtplib.SMTPHeloError, smtplib.SMTPNotSupportedError) as error:
        raise _not_sent(party, type(error).__name__) from None
    except smtplib.SMTPAuthenticationError:
        raise _not_sent(party, "the server refuses the log-in") from None
    except (smtplib.SMTPRecipientsRefused, smtplib.SMTPSenderRefused) as error:
        raise _not_sent(party, f"the server refuses an address ({type(error).__name__})") from None
    except smtplib.SMTPDataError as error:
        raise _not_sent(party, f"the server refuses the letter ({error.smtp_code})") from None


@contextmanager
def _open(party: Connection) -> Iterator[smtplib.SMTP]:
    """A session, with the fields of Airflow's SMTP connection; what fails before it stands was certainly not sent."""
    extra, context = party.extra, ssl.create_default_context()
    timeout = float(extra.get("timeout") or 30)
    if file := extra.get("ca_file"):
        context.load_verify_locations(str(file))
    try:
        if extra.get("disable_ssl"):
            client = smtplib.SMTP(party.host, party.port or 25, timeout=timeout)
            if not extra.get("disable_tls"):
                client.starttls(context=context)
        else:
            client = smtplib.SMTP_SSL(party.host, party.port or 465, timeout=timeout, context=context)
    except (OSError, smtplib.SMTPException) as error:
        raise _not_sent(party, f"not reached ({type(error).__name__})") from None
    with client:
        if party.login:
            client.login(party.login, party.password)
        yield client


def _not_sent(party: Connection, why: str) -> NotSent:
    return NotSent(
        f"the letter was not sent: {why}", where=f"connection {party.id}", helps="it is tried again in an hour"
    )
