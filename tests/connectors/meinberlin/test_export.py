"""The export: description, feedback and contact for an initiator, and nothing lost without one."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from connectors.meinberlin.export import _category_and_labels, _row
from kiezbruecke.connector import Item
from kiezbruecke.errors import ConfigurationError, SourceError
from kiezbruecke.records import Module


def bodies(items: list[Item], kind: str) -> dict[str, dict[str, Any]]:
    return {item.external_id: dict(item.body) for item in items if item.kind == kind}  # type: ignore[arg-type]


def initiator(place: Any, *modules: Module, **extra: Any) -> list[Item]:
    items: list[Item] = place.items(*modules, export_login=place.initiator, export_password=place.password, **extra)
    return items


def test_an_initiator_gets_descriptions_and_contacts(place: Any) -> None:
    """The only place of all three."""
    items = initiator(place)

    proposal, applicant = bodies(items, "proposal")["2"], bodies(items, "applicant")["2"]
    assert proposal["description"].startswith("Eine umgebaute Telefonzelle")
    assert proposal["feedback"].startswith("Bewilligt: 850,00 €.")
    assert (proposal["category"], proposal["labels"]) == ("Kultur und Feste", ["barrierefrei", "Fest"])
    assert (proposal["asked_amount"], proposal["described"]) == (850, True)
    assert applicant == {
        "pk": 2,
        "reference_number": "2026-00002",
        "creator": "Jörg Größer",
        "contact_email": "person01@example.org",
        "contact_phone": "+49 30 1234567",
        "module": proposal["module"],
    }


def test_contact_and_internal_note_are_not_in_a_proposal(place: Any) -> None:
    """Personal data goes with the applicant; the moderators' note goes nowhere."""
    proposals = bodies(initiator(place), "proposal")

    assert not {"contact_email", "contact_phone"} & set(proposals["2"])
    assert "SPK-2026-0017" not in repr(proposals)


def test_the_legacy_export_names_the_own_contribution(place: Any) -> None:
    """It has no contact columns; the creator is all that is known."""
    items = initiator(place, place.altglienicke)

    assert bodies(items, "proposal")["61"]["own_contribution"] == "Ja"
    assert bodies(items, "applicant")["61"]["contact_email"] == ""
    assert bodies(items, "applicant")["61"]["creator"] == "Änne Müßig"


def test_the_account_of_the_api_is_tried_for_the_export(place: Any) -> None:
    """One service account, made an initiator, is enough."""
    assert bodies(place.items(login=place.initiator), "proposal")["1"]["described"] is True


@pytest.mark.parametrize(
    ("extra", "why"),
    [
        ({"export_login": "middleware-kiezkasse@example.org"}, "the account is no initiator of the project"),
        ({"export_login": "niemand@example.org"}, "the platform refuses login and password"),
        ({"export": False, "export_login": "initiative@example.org"}, "switched off"),
    ],
)
def test_where_it_is_not_allowed_proposals_still_come(
    place: Any, caplog: pytest.LogCaptureFixture, extra: dict[str, Any], why: str
) -> None:
    """Without description, and said once, without the account's name."""
    reason = f"(module 1, 2: {why})"
    with caplog.at_level(logging.WARNING):
        items = place.items(place.friedrichshagen, place.altglienicke, export_password=place.password, **extra)

    assert (len(bodies(items, "proposal")), len(bodies(items, "applicant"))) == (84, 0)
    assert [record.getMessage() for record in caplog.records] == [
        f"connection meinberlin-test: proposals come without description, feedback and contact {reason}"
    ]
    assert "example.org" not in caplog.text


def test_a_module_without_slug_comes_without_description(place: Any, caplog: pytest.LogCaptureFixture) -> None:
    """The export is asked for by slug."""
    items = initiator(place, Module(id=1, type="budgeting"))

    assert len(bodies(items, "proposal")) == 60
    assert "names no slug" in caplog.text


def test_a_wrong_slug_is_a_configuration_error(place: Any) -> None:
    """404: that can only be mended in the process."""
    with pytest.raises(ConfigurationError, match="mend the slug of module 1"):
        initiator(place, Module(id=1, type="budgeting", slug="kiezkasse-nirgendwo"))


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("export_broken", "the XLSX is cut or damaged"),
        ("export_html", "answered 200 text/html"),
        ("export_server_error", "answered 503"),
        ("export_column_missing", "column 'Beschreibung' is missing"),
        ("login_locked", "locked the log-in"),
        ("login_down", "answered 503"),
    ],
)
def test_a_tired_server_takes_no_description_away(place: Any, fault: str, words: str) -> None:
    """A description that was there yesterday must not vanish because of a fault: all of it is tried again."""
    place.running.arm(fault)

    with pytest.raises(SourceError, match=words):
        initiator(place)


def test_renamed_columns_are_found_by_their_place() -> None:
    """Modules may call Kategorie and Merkmale as they like."""
    header = ["Referenznr.", "Themenfeld", "Schlagworte", "Anzahl Kommentare"]

    assert _category_and_labels(header, ["2026-00001", "Kultur", "Fest, Ehrenamt", 3]) == (
        "Kultur",
        ["Fest", "Ehrenamt"],
    )


@pytest.mark.parametrize("alias", ["Beschreibung", "Kosten", "budget"])
def test_a_category_called_like_a_column_overwrites_nothing(alias: str) -> None:
    """The platform's own column stands before it."""
    header = ["Referenznr.", "Beschreibung", "Kosten", alias, "Merkmale", "Anzahl Kommentare", "Rückmeldung"]
    row = _row(header, ["2026-00001", "Eine Bank", 850, "Kultur", "Fest", 3, "Gut"])

    assert (row["description"], row["asked_amount"], row["feedback"]) == ("Eine Bank", 850, "Gut")
    assert row["labels"] == ([] if alias == "budget" else ["Fest"])


def test_a_telephone_number_is_never_a_label() -> None:
    """Where the two columns are missing, what stands in their place is left alone."""
    header = ["Referenznr.", "Kontakt E-Mail", "Kontakt Telefon", "Anzahl Kommentare"]

    assert _category_and_labels(header, ["2026-00001", "a@example.org", "+49 30 1", 3]) == ("", [])
