"""The export: contact data for an initiator, and what is known stays where there is none."""

from __future__ import annotations

from typing import Any

import pytest

from connectors.meinberlin.export import COLUMNS, _row
from connectors.meinberlin.gaps import AGAIN, MEND
from kiezbruecke.connector import Item
from kiezbruecke.records import Module

from .conftest import with_rest

PAGES = "Die Angaben zur Antragstellung bleiben, wie sie bekannt sind."
CONTACT = {"contact_email", "contact_phone"}


def bodies(items: list[Item], kind: str) -> dict[str, dict[str, Any]]:
    return {item.external_id: dict(item.body) for item in items if item.kind == kind}  # type: ignore[arg-type]


def initiator(place: Any, *modules: Module, **extra: Any) -> Any:
    given = {"export_login": place.initiator, "export_password": place.password, **extra}
    return place.source(*modules, **given)


def test_an_initiator_gets_contacts(place: Any) -> None:
    """The only place of them."""
    applicants = bodies(with_rest(initiator(place)), "applicant")

    assert applicants["2"] == {
        "pk": 2,
        "reference_number": "2026-00002",
        "creator": "Jörg Größer",
        "contact_email": "person01@example.org",
        "contact_phone": "+49 30 1234567",
        "module": {"id": 1, "type": "budgeting", "slug": "kiezkasse-friedrichshagen-2026", "area": "090517"},
    }


def test_contact_and_internal_note_are_not_in_a_proposal(place: Any) -> None:
    """Personal data goes with the applicant; the moderators' note goes nowhere."""
    proposals = bodies(with_rest(initiator(place)), "proposal")

    assert not CONTACT & set(proposals["2"])
    assert "SPK-2026-0017" not in repr(proposals)


def test_the_legacy_export_names_the_own_contribution(place: Any) -> None:
    """It has no contact columns; the creator is all that is known."""
    items = with_rest(initiator(place, place.altglienicke))

    assert bodies(items, "proposal")["61"]["own_contribution"] == "Ja"
    assert bodies(items, "applicant")["61"]["creator"] == "Änne Müßig"


def test_the_account_of_the_api_is_tried_for_the_export(place: Any) -> None:
    """One service account, made an initiator, is enough."""
    applicants = bodies(place.whole(login=place.initiator), "applicant")

    assert applicants["2"]["contact_email"] == "person01@example.org"


def test_one_log_in_and_one_export_are_enough_for_a_run(place: Any) -> None:
    """Sixty proposals, one workbook."""
    before = len(place.asked())
    with_rest(initiator(place))

    asked = [one for one in place.asked()[before:] if "/budgeting/20" not in one]
    assert asked == [
        "GET /api/modules/1/proposals/",
        "GET /accounts/login/",
        "POST /accounts/login/",
        "GET /dashboard/modules/kiezkasse-friedrichshagen-2026/export/budgeting/ideas/",
    ]


@pytest.mark.parametrize("extra", [{"export": False}, {"export_login": ""}])
def test_where_no_contacts_are_wanted_nobody_is_an_applicant(place: Any, extra: dict[str, Any]) -> None:
    """Off, or without an account: nothing is missing then, and descriptions come all the same."""
    source = initiator(place, **extra)
    items = with_rest(source)

    assert bodies(items, "applicant") == {}
    assert bodies(items, "proposal")["2"]["description"].startswith("Eine umgebaute Telefonzelle")
    assert list(source.gaps()) == []


@pytest.mark.parametrize(
    ("login", "fault", "why"),
    [
        ("middleware-kiezkasse@example.org", "", "das Konto gehört nicht zur Initiative des Projekts"),
        ("niemand@example.org", "", "die Plattform weist Anmeldename oder Kennwort ab"),
        ("unbestaetigt@example.org", "", "die E-Mail-Adresse des Kontos ist nicht bestätigt"),
        ("initiative@example.org", "login_back", "die Plattform verlangt für das Konto weitere Schritte"),
        ("initiative@example.org", "login_locked", "die Plattform hat die Anmeldung dieses Kontos nach zu vielen"),
        ("initiative@example.org", "login_down", "er war nicht zu laden oder nicht zu lesen"),
        ("initiative@example.org", "export_broken", "er war nicht zu laden oder nicht zu lesen"),
        ("initiative@example.org", "export_html", "er war nicht zu laden oder nicht zu lesen"),
        ("initiative@example.org", "export_server_error", "er war nicht zu laden oder nicht zu lesen"),
        ("initiative@example.org", "export_column_missing", "er war nicht zu laden oder nicht zu lesen"),
    ],
)
def test_an_export_that_cannot_be_had_is_a_gap(
    place: Any, caplog: pytest.LogCaptureFixture, login: str, fault: str, why: str
) -> None:
    """Proposals and applicants come, without a word about contacts: absent is not empty."""
    if fault:
        place.running.arm(fault)
    source = initiator(place, export_login=login)
    items = with_rest(source)

    [gap] = source.gaps()
    assert gap.problem.startswith(f"Der Export von Modul 1 („kiezkasse-friedrichshagen-2026“) fehlt: {why}")
    assert PAGES in gap.problem
    passes = fault not in ("", "login_back")  # those are the account's own
    assert (AGAIN in gap.problem, MEND in gap.problem) == (passes, not passes)
    assert gap.module_id is None
    assert len(bodies(items, "proposal")) == len(bodies(items, "applicant")) == 60
    assert not any(CONTACT & set(body) for body in bodies(items, "applicant").values())
    assert "example.org" not in caplog.text + gap.problem


def test_a_wrong_log_in_is_tried_once_in_a_run(place: Any) -> None:
    """Five of them lock the account, for everybody who works with it."""
    before = len(place.asked())
    with_rest(initiator(place, place.friedrichshagen, place.altglienicke, export_login="niemand@example.org"))

    assert place.asked()[before:].count("POST /accounts/login/") == 1


def test_a_wrong_slug_is_a_gap_for_it_operations(place: Any) -> None:
    """404: that can only be mended in the process."""
    source = initiator(place, Module(id=1, type="budgeting", slug="kiezkasse-nirgendwo"))
    with_rest(source)

    [gap] = source.gaps()
    assert "Bitte den IT-Betrieb das Konto und das Modul" in gap.problem


@pytest.mark.parametrize(("fault", "missing"), [("export_short", 30), ("export_of_another_module", 60)])
def test_a_row_that_the_export_lacks_is_a_gap(place: Any, fault: str, missing: int) -> None:
    """A workbook of another module says nothing about this one, and nothing of it is taken."""
    place.running.arm(fault)
    source = initiator(place)
    applicants = bodies(with_rest(source), "applicant")

    [gap] = source.gaps()
    assert f"Die Liste zeigt {missing} Vorschläge mehr als er." in gap.problem
    assert sum(not CONTACT & set(body) for body in applicants.values()) == missing


def test_the_first_column_of_a_name_counts() -> None:
    """A module may call its category like a column of the platform, which stands before it."""
    header = ["Referenznr.", "Kontakt E-Mail", "Kontakt Telefon", "Kontakt E-Mail"]

    row = _row(header, ["2026-00001", "a@example.org", "", "Kultur"], COLUMNS["budgeting"])

    assert row == {"contact_email": "a@example.org", "contact_phone": ""}
