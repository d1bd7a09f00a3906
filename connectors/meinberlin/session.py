"""The platform's pages as an account sees them: HTTP Basic works under /api/ only, everything else wants a log-in.

One attempt per run, never two: five wrong log-ins of anybody within five minutes lock the account's form.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html.parser import HTMLParser

from connectors.meinberlin.settings import Settings
from connectors.meinberlin.web import Reply, Web, split
from kiezbruecke.errors import SourceError

LOGIN = "/accounts/login/"
ACCOUNTS = "/accounts/"  # a log-in that leads to another page of the account is none
CONFIRM = "/accounts/confirm-email/"
TOO_MANY = "Zu viele gescheiterte Anmeldeversuche"


class NotAllowedError(Exception):
    """This account may not. `why` is for the log; `german` for the list, a half sentence. Both hold no name.

    `passes`: by itself, nobody need do anything.
    """

    def __init__(self, why: str, german: str, *, passes: bool = False) -> None:
        self.why, self.german, self.passes = why, german, passes
        super().__init__(why)


class Session:
    """Pages of the platform, anonymous until somebody logs in."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._web = Web(settings, basic=False)
        self._refusal: NotAllowedError | SourceError | None = None
        self._logged_in = False

    def close(self) -> None:
        """Give the connections back."""
        self._web.close()

    def get(self, path: str, accept: str) -> Reply:
        """A page, whatever its status."""
        return self._web.get(path, accept=accept)

    def post(self, path: str, form: Sequence[tuple[str, str]]) -> Reply:
        """Send a form of the platform; the caller says what the answer means."""
        return self._web.post_form(path, form)

    def refuse_redirect(self, reply: Reply) -> None:
        """As `Web` does."""
        self._web.refuse_redirect(reply)

    def log_in(self) -> None:
        """Log in, if nobody has; raises NotAllowedError or SourceError, the same one for the rest of the run."""
        if self._refusal is not None:
            raise self._refusal
        if self._logged_in:
            return
        try:
            self._log_in()
        except (NotAllowedError, SourceError) as refusal:
            self._refusal = refusal
            raise
        self._logged_in = True

    def _log_in(self) -> None:
        account = self._settings.account
        if account is None:
            raise NotAllowedError("no account for it", "es ist kein Konto dafür eingetragen")
        page = self._web.get(LOGIN, accept="text/html")
        if page.status != 200:
            raise page.broken(f"answered {page.status}", "the log-in form")
        token = _csrf_token(page.text()) or self._web.cookie("csrftoken")
        if not token:
            raise page.broken("the log-in form holds no csrfmiddlewaretoken", "one")
        form = {"login": account[0], "password": account[1], "csrfmiddlewaretoken": token}
        self._refuse(self._web.post_form(LOGIN, form))

    def _refuse(self, reply: Reply) -> None:
        """Not every 302 with a session is a log-in, and a failed one is no error to the platform."""
        if TOO_MANY in reply.text() or reply.status == 429:
            raise NotAllowedError(
                "the platform has locked the log-in of this account for some minutes",
                "die Plattform hat die Anmeldung dieses Kontos nach zu vielen Fehlversuchen gesperrt",
                passes=True,
            )
        if reply.status == 200:
            raise NotAllowedError(
                "the platform refuses login and password", "die Plattform weist Anmeldename oder Kennwort ab"
            )
        where = split(reply.location).path
        if reply.status == 302 and where.startswith(CONFIRM):
            raise NotAllowedError(
                "the account's e-mail address is not confirmed", "die E-Mail-Adresse des Kontos ist nicht bestätigt"
            )
        if reply.status == 302 and where.startswith(ACCOUNTS):
            raise NotAllowedError(
                "the log-in leads back to the account's pages", "die Plattform verlangt für das Konto weitere Schritte"
            )
        if reply.status != 302 or not self._web.cookie("sessionid"):
            raise reply.broken(f"answered {reply.status}", "302 and a session")


@dataclass
class _Token(HTMLParser):
    """Finds the hidden field of Django's CSRF protection."""

    value: str = ""

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        fields = dict(attrs)
        if tag == "input" and fields.get("name") == "csrfmiddlewaretoken":
            self.value = self.value or fields.get("value") or ""


def _csrf_token(page: str) -> str:
    parser = _Token()
    parser.feed(page)
    return parser.value
