"""Why something outside this program cannot be used: one list of reasons, and which of them an error is.

    any error ──trouble_of──▶ Trouble ──▶ an English line for errors, a German one for the list

IT operations acts on all of them. An error of ours may carry its trouble; that of others is found by type and number,
never by a text that might quote content. What is in no row of the table is no trouble that we know.
"""

from __future__ import annotations

import errno
import re
import socket
import sqlite3
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum


class Cause(StrEnum):
    """What is the matter, by a name that stays."""

    UNREACHABLE = "unreachable"
    NAME = "name"
    SILENT = "silent"
    CUT = "cut"
    TLS_NONE = "tls_none"
    TLS_VERSION = "tls_version"
    TLS_HOST = "tls_host"
    TLS_EXPIRED = "tls_expired"
    TLS_EARLY = "tls_early"
    TLS_UNKNOWN = "tls_unknown"
    TLS_REVOKED = "tls_revoked"
    TLS = "tls"
    CERTIFICATE_MISSING = "certificate_missing"
    CERTIFICATE_REFUSED = "certificate_refused"
    CERTIFICATE_EXPIRED = "certificate_expired"
    FILE = "file"
    PASSWORD = "password"  # noqa: S105 - a name, no password
    FORBIDDEN = "forbidden"
    ADDRESS = "address"
    FORMAT = "format"
    TOO_LARGE = "too_large"
    NOT_ACCEPTED = "not_accepted"
    BUSY = "busy"
    SERVER = "server"
    NO_SERVICE = "no_service"
    DISK = "disk"
    FOLDER = "folder"
    RIGHTS = "rights"
    CONNECTION = "connection"
    DATABASE_LOGIN = "database_login"
    DATABASE = "database"


@dataclass(frozen=True)
class _Words:
    """One reason for both readers: what it is and what helps, in English for errors, in German for people."""

    english: str
    english_helps: str
    german: str
    german_helps: str
    joint: str = " ({})"  # how a detail follows


_WORDS: Mapping[Cause, _Words] = {
    Cause.UNREACHABLE: _Words(
        "nobody answers at the address",
        "is the address right, the server up?",
        "Adresse nicht erreichbar",
        "Adresse, Netz und Firewall prüfen; läuft die Gegenstelle?",
    ),
    Cause.NAME: _Words(
        "the name of the host is unknown",
        "is the address right, does the name service answer?",
        "Name der Gegenstelle unbekannt",
        "Adresse der Verbindung und Namensdienst (DNS) prüfen",
    ),
    Cause.SILENT: _Words(
        "no answer in time",
        "is the server overloaded, or a firewall between?",
        "Gegenstelle antwortet nicht rechtzeitig",
        "Gegenstelle, Netz und Firewall prüfen; dauert es an, die Fristen der Verbindung erhöhen",
    ),
    Cause.CUT: _Words(
        "the connection was cut",
        "is the server restarting, or a proxy between?",
        "Verbindung abgebrochen",
        "Gegenstelle und Netz prüfen; der nächste Lauf versucht es von selbst",
    ),
    Cause.TLS_NONE: _Words(
        "nobody speaks TLS at the address",
        "is the port right, or does the server speak http only?",
        "an der Adresse spricht niemand TLS",
        "Adresse und Port der Verbindung prüfen",
    ),
    Cause.TLS_VERSION: _Words(
        "no common version of TLS",
        "the server must offer TLS 1.2 or newer",
        "keine gemeinsame TLS-Version",
        "die Gegenstelle muss mindestens TLS 1.2 anbieten",
    ),
    Cause.TLS_HOST: _Words(
        "the server's certificate is for another name",
        "set host to the name in the certificate, or let the operator of the server renew it",
        "Zertifikat der Gegenstelle gilt für einen anderen Namen",
        "als Adresse den Namen aus dem Zertifikat eintragen, oder die Gegenstelle lässt es berichtigen",
    ),
    Cause.TLS_EXPIRED: _Words(
        "the server's certificate has expired",
        "the operator of the server must renew it; is the clock of this machine right?",
        "Zertifikat der Gegenstelle abgelaufen",
        "der Betreiber der Gegenstelle muss es erneuern; stimmt die Uhr dieses Rechners?",
        " am {}",
    ),
    Cause.TLS_EARLY: _Words(
        "the server's certificate is not valid yet",
        "is the clock of this machine right?",
        "Zertifikat der Gegenstelle noch nicht gültig",
        "stimmt die Uhr dieses Rechners?",
    ),
    Cause.TLS_UNKNOWN: _Words(
        "the server's certificate is from an authority that is not trusted here",
        "set ca_file to the certificate of the authority",
        "Zertifizierungsstelle der Gegenstelle unbekannt",
        "das Zertifikat der Stelle als PEM-Datei unter ca_file eintragen",
    ),
    Cause.TLS_REVOKED: _Words(
        "the server's certificate was revoked",
        "the operator of the server must renew it",
        "Zertifikat der Gegenstelle gesperrt",
        "der Betreiber der Gegenstelle muss es erneuern",
    ),
    Cause.TLS: _Words(
        "the TLS handshake failed",
        "what do the logs of the server say?",
        "TLS-Verbindung nicht zustande gekommen",
        "die Protokolle der Gegenstelle ansehen lassen",
    ),
    Cause.CERTIFICATE_MISSING: _Words(
        "the server wants a certificate of ours",
        "set client_cert and client_key",
        "Gegenstelle verlangt ein eigenes Zertifikat",
        "client_cert und client_key der Verbindung eintragen",
    ),
    Cause.CERTIFICATE_REFUSED: _Words(
        "the server does not accept our certificate",
        "client_cert must be the one that the operator of the server knows, not expired, with its whole chain",
        "eigenes Zertifikat abgewiesen",
        "client_cert mit dem Betreiber der Gegenstelle abgleichen: ist es das vereinbarte, gültig und vollständig?",
    ),
    Cause.CERTIFICATE_EXPIRED: _Words(
        "our certificate has expired",
        "renew it and put it where client_cert says",
        "eigenes Zertifikat abgelaufen",
        "erneuern und dort ablegen, wo client_cert es erwartet",
        " am {}",
    ),
    Cause.FILE: _Words(
        "a file of the connection cannot be used",
        "put it there, readable for the account of Airflow, as PEM without password",
        "Datei der Verbindung nicht brauchbar",
        "dort ablegen, als PEM ohne Kennwort, lesbar für das Konto von Airflow",
    ),
    Cause.PASSWORD: _Words(
        "login and password are refused",
        "mend the connection's account",
        "Kennwort abgewiesen",
        "Anmeldung und Kennwort der Verbindung berichtigen",
    ),
    Cause.FORBIDDEN: _Words(
        "the account may not do this",
        "the operator of the server must give the account its rights",
        "Zugang verweigert",
        "der Betreiber der Gegenstelle prüft Konto, Zertifikat und Rechte",
    ),
    Cause.ADDRESS: _Words(
        "the service is not at this address",
        "is the path of the address right?",
        "unter der Adresse gibt es diesen Dienst nicht",
        "Adresse und Pfad der Verbindung prüfen",
    ),
    Cause.FORMAT: _Words(
        "the server does not take this format",
        "does it want MTOM? See the connection's option mtom",
        "Format wird nicht angenommen",
        "verlangt die Gegenstelle MTOM? Dann in der Verbindung „Als MTOM senden“ einschalten",
    ),
    Cause.TOO_LARGE: _Words(
        "the message is too large for the server",
        "the operator of the server must raise the limit, or the attachments must become smaller",
        "Nachricht ist der Gegenstelle zu groß",
        "der Betreiber der Gegenstelle muss die Grenze erhöhen",
    ),
    Cause.NOT_ACCEPTED: _Words(
        "the server does not accept the request",
        "the same request will be refused again: what do the logs of the server say?",
        "Anfrage wird nicht angenommen",
        "dieselbe Anfrage wird wieder abgewiesen: die Protokolle der Gegenstelle ansehen lassen",
    ),
    Cause.BUSY: _Words(
        "the server wants to be called less often",
        "the next run tries again",
        "Gegenstelle ist überlastet",
        "abwarten; der nächste Lauf versucht es von selbst",
    ),
    Cause.SERVER: _Words(
        "the server has an error of its own",
        "the operator of the server must look after it",
        "Gegenstelle meldet einen eigenen Fehler",
        "dauert es an, den Betreiber der Gegenstelle fragen",
    ),
    Cause.NO_SERVICE: _Words(
        "something else answers at the address",
        "is there a log-in page or a proxy between?",
        "die Antwort stammt nicht von diesem Dienst",
        "steht eine Anmeldeseite oder ein Proxy dazwischen? Adresse prüfen",
    ),
    Cause.DISK: _Words(
        "the disk is full",
        "make room; nothing is lost",
        "Platte voll",
        "Platz schaffen; verloren ist nichts",
    ),
    Cause.FOLDER: _Words(
        "the folder is missing",
        "is the share mounted, the path right?",
        "Ordner fehlt",
        "ist die Freigabe eingehängt, stimmt der Pfad der Verbindung?",
    ),
    Cause.RIGHTS: _Words(
        "the folder may not be read or written",
        "give the account of Airflow its rights there",
        "keine Berechtigung im Ordner",
        "dem Konto von Airflow dort das Recht zum Lesen und Schreiben geben",
    ),
    Cause.CONNECTION: _Words(
        "there is no connection of this name",
        "make it under Admin > Connections, or in the secrets backend",
        "Verbindung ist nicht angelegt",
        "in Airflow unter „Admin“ oder im Secrets-Backend anlegen",
    ),
    Cause.DATABASE_LOGIN: _Words(
        "the database refuses user and password",
        "mend KIEZBRUECKE_LEDGER_URL",
        "Datenbank: Anmeldung abgewiesen",
        "Benutzer und Kennwort in KIEZBRUECKE_LEDGER_URL berichtigen",
    ),
    Cause.DATABASE: _Words(
        "the database cannot be used",
        "is it running, is KIEZBRUECKE_LEDGER_URL right?",
        "Datenbank nicht erreichbar",
        "läuft die Datenbank, stimmt KIEZBRUECKE_LEDGER_URL?",
    ),
}

_VERIFIED: Mapping[int, Cause] = {  # X509_V_ERR_…, OpenSSL
    9: Cause.TLS_EARLY,
    10: Cause.TLS_EXPIRED,
    23: Cause.TLS_REVOKED,
    62: Cause.TLS_HOST,
    63: Cause.TLS_HOST,
    64: Cause.TLS_HOST,
}
_ALERTS: Mapping[str, Cause] = {  # OpenSSL's name of what the handshake ended with
    "HTTP_REQUEST": Cause.TLS_NONE,
    "WRONG_VERSION_NUMBER": Cause.TLS_NONE,
    "RECORD_LAYER_FAILURE": Cause.TLS_NONE,
    "UNSUPPORTED_PROTOCOL": Cause.TLS_VERSION,
    "NO_PROTOCOLS_AVAILABLE": Cause.TLS_VERSION,
    "TLSV1_ALERT_PROTOCOL_VERSION": Cause.TLS_VERSION,
    "TLSV13_ALERT_CERTIFICATE_REQUIRED": Cause.CERTIFICATE_MISSING,
    "SSLV3_ALERT_HANDSHAKE_FAILURE": Cause.CERTIFICATE_MISSING,
    "SSLV3_ALERT_BAD_CERTIFICATE": Cause.CERTIFICATE_REFUSED,
    "SSLV3_ALERT_CERTIFICATE_UNKNOWN": Cause.CERTIFICATE_REFUSED,
    "SSLV3_ALERT_UNSUPPORTED_CERTIFICATE": Cause.CERTIFICATE_REFUSED,
    "SSLV3_ALERT_CERTIFICATE_REVOKED": Cause.CERTIFICATE_REFUSED,
    "SSLV3_ALERT_CERTIFICATE_EXPIRED": Cause.CERTIFICATE_REFUSED,
    "TLSV1_ALERT_UNKNOWN_CA": Cause.CERTIFICATE_REFUSED,
    "TLSV1_ALERT_ACCESS_DENIED": Cause.CERTIFICATE_REFUSED,
}
_STATUSES: Mapping[int, Cause] = {
    401: Cause.PASSWORD,
    403: Cause.FORBIDDEN,
    404: Cause.ADDRESS,
    405: Cause.ADDRESS,
    407: Cause.PASSWORD,
    408: Cause.SILENT,
    410: Cause.ADDRESS,
    413: Cause.TOO_LARGE,
    415: Cause.FORMAT,
    425: Cause.BUSY,
    429: Cause.BUSY,
}
_NUMBERS: Mapping[int, Cause] = {
    errno.ECONNREFUSED: Cause.UNREACHABLE,
    errno.EHOSTUNREACH: Cause.UNREACHABLE,
    errno.ENETUNREACH: Cause.UNREACHABLE,
    errno.ENETDOWN: Cause.UNREACHABLE,
    errno.EADDRNOTAVAIL: Cause.UNREACHABLE,
    errno.ETIMEDOUT: Cause.SILENT,
    errno.ECONNRESET: Cause.CUT,
    errno.ECONNABORTED: Cause.CUT,
    errno.EPIPE: Cause.CUT,
    errno.ENOSPC: Cause.DISK,
    errno.EDQUOT: Cause.DISK,
    errno.ENOENT: Cause.FOLDER,
    errno.ENOTDIR: Cause.FOLDER,
    errno.ESTALE: Cause.FOLDER,
    errno.EACCES: Cause.RIGHTS,
    errno.EPERM: Cause.RIGHTS,
    errno.EROFS: Cause.RIGHTS,
}
_AGAIN = (408, 425, 429)  # of 4xx: the same request may be taken later
_LOGIN = re.compile(r"28P01|28000|password|Passwor|authenti|no pg_hba", re.IGNORECASE)  # libpq gives no number here


@dataclass(frozen=True)
class Trouble:
    """Why something cannot be used; `detail` is a day, a number, a file of ours – never what somebody else said."""

    cause: Cause
    detail: str = ""

    @property
    def english(self) -> str:
        """What is the matter, for an error."""
        return _WORDS[self.cause].english + (f" ({self.detail})" if self.detail else "")

    @property
    def english_helps(self) -> str:
        """What helps, for an error."""
        return _WORDS[self.cause].english_helps

    @property
    def german(self) -> str:
        """What is the matter, for the list."""
        words = _WORDS[self.cause]
        return words.german + (words.joint.format(self.detail) if self.detail else "")

    @property
    def german_helps(self) -> str:
        """What helps, for the list: a whole sentence with its end."""
        helps = _WORDS[self.cause].german_helps
        return helps if helps.endswith("?") else f"{helps}."


def trouble_of(error: BaseException) -> Trouble | None:
    """The trouble behind an error, or behind what caused it; None where there is none that we know."""
    for one in _behind(error):
        if isinstance(said := getattr(one, "trouble", None), Trouble):
            return said
    return next((found for one in _behind(error) if (found := _foreign(one)) is not None), None)


def of_status(status: int) -> Trouble | None:
    """What an HTTP status tells by itself; None for one that is no refusal."""
    if reason := _STATUSES.get(status):
        return Trouble(reason, f"HTTP {status}")
    if 300 <= status < 400:
        return Trouble(Cause.ADDRESS, f"HTTP {status}")
    if 400 <= status < 500:
        return Trouble(Cause.NOT_ACCEPTED, f"HTTP {status}")
    return Trouble(Cause.SERVER, f"HTTP {status}") if status >= 500 else None


def is_permanent(status: int) -> bool:
    """Whether the same request can never succeed: the server has looked at it and does not take it."""
    return 400 <= status < 500 and status not in _AGAIN


def _behind(error: BaseException) -> Iterator[BaseException]:
    seen: BaseException | None = error
    while seen is not None:
        yield seen
        seen = seen.__cause__ or (None if seen.__suppress_context__ else seen.__context__)


def _foreign(error: BaseException) -> Trouble | None:
    if isinstance(error, OSError):
        reason = _tls(error) if isinstance(error, ssl.SSLError) else _system(error)
        return Trouble(reason) if reason else None
    if isinstance(error, sqlite3.Error):
        return _sqlite(error)
    return _postgresql(error) if type(error).__module__.partition(".")[0] == "psycopg" else None


def _tls(error: ssl.SSLError) -> Cause:
    if isinstance(error, ssl.SSLCertVerificationError):
        return _VERIFIED.get(error.verify_code, Cause.TLS_UNKNOWN)
    if isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError):
        return Cause.CUT
    return _ALERTS.get(error.reason or "", Cause.TLS)


def _system(error: OSError) -> Cause | None:
    if isinstance(error, socket.gaierror):
        return Cause.NAME
    return Cause.SILENT if isinstance(error, TimeoutError) else _NUMBERS.get(error.errno or 0)


def _sqlite(error: sqlite3.Error) -> Trouble | None:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code == sqlite3.SQLITE_FULL:
        return Trouble(Cause.DISK)
    broken = (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_BUSY)
    return Trouble(Cause.DATABASE) if code in (*broken, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB) else None


def _postgresql(error: BaseException) -> Trouble | None:
    """By SQLSTATE; where a connection was refused libpq knows only a text, and no user's content is in it."""
    state = str(getattr(error, "sqlstate", None) or "")
    if state.startswith("28") or (not state and _LOGIN.search(str(error))):
        return Trouble(Cause.DATABASE_LOGIN)
    if state == "53100":
        return Trouble(Cause.DISK)
    if state[:2] in ("08", "53", "57", "58") or (not state and type(error).__name__ == "OperationalError"):
        return Trouble(Cause.DATABASE)
    return None
