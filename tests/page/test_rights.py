"""Every address of the page: strangers, people without a role, forged forms; what each right shows and does."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

import httpx
import pytest
from fastapi.routing import APIRoute

from benchmarks.desk import no_connection
from kiezbruecke.content.roles import Right, read_roles
from kiezbruecke.house import House
from kiezbruecke.ledger import Ledger, evidence, finding
from kiezbruecke.ledger.events import OPENED, events_of
from kiezbruecke.ledger.todo import Answer, Kind, Point, find_point, raise_point
from kiezbruecke.page.admission import COOKIE as BROWSER
from kiezbruecke.page.app import page_app
from tests.builders import ROOT
from tests.page.conftest import COOKIE, Site, who

ADDRESSES: dict[str, tuple[str, ...]] = {  # how each is called; `{case}` and `{message}` are made up
    "/": ("GET",),
    "/punkte/antwort": ("GET", "POST"),
    "/punkte/ergebnis": ("GET",),
    "/faelle": ("GET", "POST"),
    "/faelle/{case}": ("GET",),
    "/faelle/{case}/dokumente/{message}": ("GET",),
    "/faelle/{case}/konto": ("GET", "POST"),
    "/listen": ("GET",),
    "/listen/vorlage": ("GET",),
    "/listen/{route}": ("GET",),
    "/listen/{route}/ansehen": ("GET", "POST"),
    "/listen/{route}/uebernehmen": ("POST",),
    "/listen/{route}/bericht": ("GET",),
    "/nachrichten": ("GET",),
    "/nachrichten/{key}": ("GET", "POST"),
    "/betrieb": ("GET",),
    "/betrieb/strecke": ("GET", "POST"),
    "/betrieb/verbindung": ("GET", "POST"),
    "/zuordnungen": ("GET",),
    "/zuordnungen/{name}": ("GET",),
    "/freigaben": ("GET",),
    "/freigaben/{route}": ("GET", "POST"),
    "/abgleich": ("GET",),
    "/abgleich/datei": ("GET",),
    "/barrierefreiheit": ("GET",),
    "/abmelden": ("GET",),
}
ROUTE = "kk-tk-beschluesse"
CALLS = [(path, method) for path, methods in ADDRESSES.items() for method in methods]
TOKEN = re.compile(r'name="_token" value="([0-9a-f]{64})"')


@contextmanager
def client(site: Site, name: str = "") -> Iterator[httpx.Client]:
    """A browser of somebody, without script and pictures."""
    cookies = {COOKIE: name} if name else {}
    with httpx.Client(base_url=site.address, cookies=cookies, trust_env=False, timeout=30) as found:
        yield found


def token(opened: httpx.Client, path: str = "/faelle") -> str:
    """The token of a form that this browser has been shown."""
    found = TOKEN.search(opened.get(path).text)
    assert found
    return found[1]


def test_the_list_of_addresses_is_whole(ledger: Ledger) -> None:
    """A new page is called by a stranger and by a forged form before it is called by anybody."""
    app = page_app(lambda: House(ROOT, ledger, no_connection), who, secret=b"x")
    known = {
        (route.path, method) for route in app.routes if isinstance(route, APIRoute) for method in sorted(route.methods)
    }

    assert known == set(CALLS)


def test_no_page_lets_a_body_be_read_before_it_is_known_whose_it_is(ledger: Ledger) -> None:
    """FastAPI reads a body that a handler declares before it asks who is there."""
    app = page_app(lambda: House(ROOT, ledger, no_connection), who, secret=b"x")

    assert not [one.path for one in app.routes if isinstance(one, APIRoute) and one.body_field is not None]


@pytest.mark.parametrize(("path", "method"), CALLS)
def test_a_stranger_sees_nothing(site: Site, path: str, method: str) -> None:
    """Neither what is there nor which addresses there are."""
    here = path.format(case=site.desk.decide(), message=uuid4(), route=ROUTE, key=uuid4(), name="commitment-hkr")
    with client(site) as nobody:
        said = nobody.request(method, here, data={"text": "x"} if method == "POST" else None)
        nowhere = nobody.request(method, "/gibt/es/nicht")

    assert (said.status_code, nowhere.status_code) == (401, 401)
    assert "Bitte melden Sie sich an" in said.text
    assert "Schreibtisch" not in said.text
    assert "P-1" not in said.text


@pytest.mark.parametrize(("path", "method"), CALLS)
def test_whoever_has_no_role_sees_nothing(site: Site, path: str, method: str) -> None:
    """A log-in alone is no right."""
    here = path.format(case=site.desk.decide(), message=uuid4(), route=ROUTE, key=uuid4(), name="commitment-hkr")
    with client(site, "fremd") as stranger:
        said = stranger.request(method, here, data={"text": "x"} if method == "POST" else None)

    assert said.status_code == 403
    assert "hat hier keine Rolle" in said.text
    assert "P-1" not in said.text


@pytest.mark.parametrize("path", [path for path, method in CALLS if method == "POST"])
@pytest.mark.parametrize("forged", ["none", "another's", "other browser", "other site", "huge", "garbage"])
def test_a_forged_form_does_nothing(site: Site, path: str, forged: str) -> None:
    """A form of another site, of another log-in, of another browser; one that is too large or not to be read."""
    number = a_point(site)
    with client(site, "karl") as karl, client(site, "klara") as klara:
        stolen, own = token(karl), token(klara)
        data = {"nr": str(number), "answer": "freigeben", "text": "Grund"}
        headers: dict[str, str] = {}
        match forged:
            case "another's":
                data["_token"] = stolen
            case "other browser":
                data["_token"] = own
                klara.cookies.delete(BROWSER)
                klara.cookies.set(BROWSER, "z" * 43)
            case "other site":
                data["_token"], headers = own, {"Sec-Fetch-Site": "cross-site"}
            case "huge":
                data["_token"], data["text"] = own, "x" * 11_000_000
            case "garbage":
                headers = {"Content-Type": "multipart/form-data; boundary=x"}
        body = {"content": b"--x\r\nno headers\r\n"} if forged == "garbage" else {"data": data}
        here = path.format(case=uuid4(), route=ROUTE, key=uuid4(), name="commitment-hkr")
        said = klara.post(here, headers=headers, **body)  # type: ignore[arg-type]

    assert said.status_code in (400, 403, 413), said.text
    found = find_point(site.ledger, number)
    assert found is not None
    assert found.closed_at is None


def test_nobody_makes_the_server_read_much(site: Site) -> None:
    """A stranger's ten megabytes are not parsed; what somebody can have typed is given back."""
    with client(site) as nobody:
        large = nobody.post("/punkte/antwort", data={"text": "x" * 300_000})
        typed = nobody.post("/punkte/antwort", data={"text": "lange überlegt"})

    assert (large.status_code, typed.status_code) == (413, 401)
    assert "lange überlegt" in typed.text


def test_a_form_of_another_site_is_not_shown_again(site: Site) -> None:
    """Else somebody could put words into another person's form."""
    with client(site) as nobody, client(site, "klara") as klara:
        for one in (nobody, klara):
            said = one.post("/punkte/antwort", data={"text": "fremd"}, headers={"Sec-Fetch-Site": "cross-site"})
            assert "fremd" not in said.text


def test_whoever_logs_out_is_a_stranger_again(site: Site) -> None:
    """From every page, by a link; another site's link logs nobody out."""
    with client(site) as klara:
        klara.cookies.set(COOKIE, "klara", domain="127.0.0.1")  # one that the server's answer can take away
        for path in ("/", "/faelle", "/listen", "/betrieb", "/barrierefreiheit", "/gibt/es/nicht"):
            shown = klara.get(path).text
            assert "Angemeldet: Klara Beispiel" in shown
            assert 'href="/abmelden"' in shown
        foreign = klara.get("/abmelden", headers={"Sec-Fetch-Site": "cross-site"})
        assert (foreign.status_code, klara.get("/").status_code) == (403, 200)
        gone = klara.get("/abmelden")
        assert (gone.status_code, gone.headers["location"]) == (303, "/")
        after = klara.get("/")
    assert after.status_code == 401
    assert "Abmelden" not in after.text


def test_every_answer_may_be_kept_by_nobody_and_runs_nothing(site: Site) -> None:
    """Also what goes wrong, and what a stranger is told."""
    with client(site, "klara") as klara, client(site) as nobody:
        answers = [*(klara.get(one) for one in ("/", "/faelle", "/x", "/punkte/antwort?nr=9")), nobody.get("/")]
        static = klara.get("/static/kern/kern.min.css")

    for said in answers:
        assert said.headers["cache-control"] == "no-store"
        assert "default-src 'self'" in said.headers["content-security-policy"]
        assert said.headers["x-content-type-options"] == "nosniff"
        assert not re.search(r"<script|\son\w+=|style=", said.text)
    assert (static.status_code, static.headers["cache-control"]) == (200, "max-age=3600")
    with client(site, "klara") as klara:
        first = klara.get("/").headers["set-cookie"]
    assert {"HttpOnly", "SameSite=strict"} <= set(first.split("; "))


@pytest.mark.parametrize("path", ["../app.py", "..%2fapp.py", "page/../../app.py", "kern/js/x.js", "kern/", "page/%00"])
def test_static_files_are_those_alone(site: Site, path: str) -> None:
    with client(site) as nobody:
        assert nobody.get(f"/static/{path}").status_code in (401, 404)


def test_who_operates_sees_that_there_is_a_case_and_no_content(site: Site) -> None:
    """Title, sums, their words and the documents are the department's."""
    case = site.desk.decide("P-1", title="Bank am See")
    with client(site, "otto") as otto, client(site, "klara") as klara:
        shown, whole = otto.get(f"/faelle/{case}").text, klara.get(f"/faelle/{case}").text
        files = otto.get(f"/faelle/{case}/dokumente/{uuid4()}").status_code

    assert "P-1" in shown
    assert "Bank am See" in whole
    assert "Bank am See" not in shown
    assert "850,00" in whole
    assert "850,00" not in shown
    assert files == 403


def test_a_point_of_another_office_is_answered_by_that_one(site: Site) -> None:
    """Operations sees what waits for the department, and cannot decide it."""
    number = a_point(site)
    with client(site, "otto") as otto:
        page = otto.get(f"/punkte/antwort?nr={number}").text
        seen = re.search(rf'name="seen-{number}" value="(\w+)"', page)
        assert seen
        data = {"nr": str(number), "answer": "freigeben", "text": "x", f"seen-{number}": seen[1]}
        said = otto.post("/punkte/antwort", data={**data, "_token": token(otto)})

    assert (said.status_code, "fehlt Ihnen das Recht" in said.text) == (403, True)


def test_a_case_without_an_area_gets_one(site: Site) -> None:
    """Which one is chosen from the process's own; without one nothing happens."""
    number, case = a_point(site, "area", answers=(Answer.ASSIGN,)), site.desk.decide("P-1")
    with client(site, "klara") as klara:
        page = klara.get(f"/punkte/antwort?nr={number}").text
        seen = re.search(rf'name="seen-{number}" value="(\w+)"', page)
        assert seen
        data = {"nr": str(number), "answer": "zuordnen", "text": "x", f"seen-{number}": seen[1], "_token": token(klara)}
        without = klara.post("/punkte/antwort", data=data)
        chosen = klara.post("/punkte/antwort", data={**data, "area": "090416"})

    assert (without.status_code, "Bitte wählen Sie die Bezirksregion" in without.text) == (422, True)
    assert chosen.status_code == 303
    found = find_point(site.ledger, number)
    assert found is not None
    assert (found.case_id, found.answer) == (case, "zuordnen:090416")


@pytest.mark.parametrize(("typed", "shown"), [("2026-00042", True), ("kk26-090416-00001-f1", True), ("Meier2", False)])
def test_only_a_number_gets_an_address(site: Site, typed: str, shown: bool) -> None:
    """Addresses are logged, here and by whatever stands before Airflow: words stand there sealed."""
    with client(site, "klara") as klara:
        said = klara.post("/faelle", data={"text-suche": typed, "_token": token(klara)})
        assert said.status_code == 303
        found = klara.get(said.headers["location"])

    assert (typed.lower() in said.headers["location"].lower()) == shown
    assert f'value="{typed.upper() if shown else typed}"' in found.text


def test_a_search_says_what_it_does_not_know_yet(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """After an upgrade a clerk is answered at once, and told why a case may be missing."""
    site.desk.decide("P-1", title="Bank am See")
    monkeypatch.setattr(finding, "AT_ONCE", 0)
    with client(site, "klara") as klara:
        form = {"text-suche": "bank", "_token": token(klara)}
        found = klara.post("/faelle", data=form).headers["location"]
        early = klara.get(found).text
        finding.keep_findable(site.ledger)
        late = klara.get(found).text

    assert "Die Suche kennt 0 von 1 Fall;" in early
    assert "Bank am See" not in early
    assert "Die Suche kennt" not in late
    assert "Bank am See" in late


def test_points_are_sorted_by_their_cases(site: Site) -> None:
    """Only so much of ten thousand points is read as sorts them; what is shown of fifty is read then."""
    for row, number in enumerate(("P-2", "P-3", "P-1"), 1):
        case = site.desk.decide(number, row)
        with site.ledger.write() as connection:
            raise_point(connection, Point(Kind.SET_ASIDE, number, "kk-tk-2026", "spk-tk", "Grund", (), case))
    with client(site, "klara") as klara:
        pages = [klara.get(f"/?wer=alle&sort={sort}").text for sort in ("fall", "-fall", "seit")]
    orders = [re.findall(r">(P-\d)</a>", page) for page in pages]

    assert orders == [["P-1", "P-2", "P-3"], ["P-3", "P-2", "P-1"], ["P-2", "P-3", "P-1"]]


def test_nobody_sees_another_district(site: Site) -> None:
    """A point or case that the role does not cover is not there, whatever its number."""
    with site.ledger.write() as connection:
        raise_point(connection, Point(Kind.FOLLOW_UP, "x", "kf-li-2026", "spk-li", "Lichtenberg"))
    with client(site, "klara") as klara, client(site, "chefin") as chefin:
        assert "Lichtenberg" not in klara.get("/?wer=alle").text
        assert klara.get("/punkte/antwort?nr=1").status_code == 404
        assert "Lichtenberg" in chefin.get("/?wer=alle").text


def test_who_reads_a_case_is_in_its_evidence_once_a_day(site: Site) -> None:
    """Reloading fills nothing, and no route looks at the case again because of it."""
    case = site.desk.decide("P-1")
    before = number_of(site)
    with client(site, "klara") as klara, client(site, "karl") as karl, client(site, "otto") as otto:
        for one in (klara, klara, karl, otto):
            assert one.get(f"/faelle/{case}").status_code == 200
        shown = klara.get(f"/faelle/{case}").text

    opened = [one.body["account"] for one in events_of(site.ledger, case) if one.kind == OPENED]
    assert opened == ["klara", "karl"]
    assert number_of(site) == before
    assert "Einsicht" in shown
    assert "Karl Muster" in shown
    assert evidence.verify(site.ledger).broken == ()


def test_rights_on_the_desk_are_said_by_the_file_alone() -> None:
    """Whoever sets Airflow up reads no content and releases no money."""
    roles = read_roles(ROOT)

    assert roles["administration"].desk == {Right.SEE}
    assert Right.READ not in roles["betrieb"].desk
    assert roles["fachverwaltung"].owns("spk-tk")
    assert not roles["fachverwaltung"].owns("it-betrieb")


def a_point(
    site: Site,
    subject: str = "x",
    reason: str = "Bewilligt ist mehr als beantragt",
    answers: tuple[Answer, ...] = (Answer.RELEASE, Answer.DISMISS),
) -> int:
    """A point of the department's; its number."""
    case = site.desk.decide("P-1")
    with site.ledger.write() as connection:
        raise_point(connection, Point(Kind.SET_ASIDE, subject, "kk-tk-2026", "spk-tk", reason, answers, case))
    return next(one.id for one in site.desk.points() if one.subject == subject)


def number_of(site: Site) -> int:
    """The process's change number."""
    with site.ledger.read() as connection:
        return int(connection.exec_driver_sql("SELECT max(number) FROM changes").scalar_one())
