"""What the source hands over: proposals and projects, in every version, language and state."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from connectors.decidim.settings import Settings
from connectors.decidim.source import Decidim
from kiezbruecke.connector import Context
from kiezbruecke.errors import ConfigurationError

from .conftest import ACCOUNT, PROCESS, NoCursor, Site

EVERY = pytest.mark.parametrize("version", ["0.30", "0.31", "0.32"], indirect=True)


def body(site: Site, key: str, *components: Any, **extra: Any) -> dict[str, Any]:
    """The body of one item."""
    (found,) = [item for item in site.items(*components, **extra) if item.external_id == key]
    assert isinstance(found.body, dict)
    return found.body


@EVERY
def test_all_proposals_of_a_component_come(site: Site) -> None:
    """Withdrawn ones and custom states are among them; a status that is none is none."""
    items = site.items()

    assert [item.external_id for item in items] == ["9/101", "9/102", "9/103", "9/104", "9/105"]
    assert {item.kind for item in items} == {"proposal"}
    assert [item.body["status"] for item in items] == [
        "accepted",
        "rejected",
        "evaluating",
        "withdrawn",
        "bewilligt_gekuerzt",
    ]


@EVERY
def test_all_projects_of_a_component_come(site: Site) -> None:
    """Whole euros, and numbers that no proposal has."""
    items = site.items(12)

    assert [(item.kind, item.external_id) for item in items] == [
        ("budget-project", "12/41"),
        ("budget-project", "12/42"),
    ]
    assert [item.body["budget_amount"] for item in items] == [850, 1200]
    assert [item.body["number"] for item in items] == ["2026-9000041", "2026-9000042"]


@pytest.mark.parametrize(
    ("version", "url"), [("0.30", ""), ("0.31", "https://beteiligung.example")], indirect=["version"]
)
def test_a_page_is_named_where_the_platform_names_it(site: Site, url: str) -> None:
    """0.30 says no address, and none is guessed without the process's slug."""
    assert body(site, "9/101")["url"].startswith(url)
    assert bool(body(site, "9/101")["url"]) == bool(url)


@pytest.mark.parametrize("version", ["0.30"], indirect=True)
def test_the_process_gives_the_address_where_the_platform_does_not(site: Site) -> None:
    found = body(site, "9/101", options={"participatory_process": "kiezkasse-2026"})["url"]

    assert found == f"{site.running.url}/processes/kiezkasse-2026/f/9/proposals/101"


@EVERY
def test_a_process_alone_means_all_its_proposals_and_budgets(site: Site) -> None:
    """And none of its meetings."""
    source = Decidim(site.connection(), Context(PROCESS, {"participatory_process": "kiezkasse-2026"}))
    kinds = [item.external_id.partition("/")[0] for item in source.fetch(NoCursor())]

    assert {*kinds} == {"9", "12"}


def test_related_proposals_are_named_by_their_reference(site: Site) -> None:
    """How a project relates to what residents wrote."""
    site.change("projects", {"id": "41", "related": ["101", "105"]})

    assert body(site, "12/41", 12)["related"] == ["TK-PROP-2026-01-101", "TK-PROP-2026-01-105"]


@pytest.mark.parametrize(
    ("component", "area"),
    [
        ({"id": 9, "area": "090416"}, "090416"),
        ({"id": 9, "taxonomies": {"31": "090517"}}, "090517"),
        ({"id": 9, "area": "090416", "taxonomies": {"99": "090517"}}, "090416"),
        (9, None),
    ],
    ids=["component", "mark", "another mark", "none"],
)
def test_the_route_says_what_belongs_to_which_area(site: Site, component: Any, area: str | None) -> None:
    assert body(site, "9/101", component)["component"]["area"] == area


def test_a_budget_can_be_an_area(site: Site) -> None:
    assert body(site, "12/41", {"id": 12, "budgets": {"3": "090517"}})["component"]["area"] == "090517"


# -- texts -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("texts", "machine", "said"),
    [
        ({"en": "Bench", "de": "Bank"}, {}, "Bank"),
        ({"en": "Bench", "de-AT": "Bankerl"}, {}, "Bankerl"),
        ({"tr": "Bank (tr)", "en": "Bench"}, {}, "Bank (tr)"),
        ({"tr": "Tezgâh"}, {"de": "Bank (Maschine)"}, "Bank (Maschine)"),
        ({"tr": "Tezgâh"}, {"en": "Bench (machine)"}, "Tezgâh"),
        ({"de": " ", "en": "Bench"}, {}, "Bench"),
        ({"de": "  🎪 مهرجان  "}, {}, "🎪 مهرجان"),
        ({}, {}, ""),
    ],
)
def test_a_title_comes_in_the_language_that_is_asked_for(
    site: Site, texts: dict[str, str], machine: dict[str, str], said: str
) -> None:
    """Else in the one it was written in; a machine's translation only into the language that is asked for."""
    site.change("proposals", {"id": "101", "title": texts, "machine": {"title": machine}})

    assert body(site, "9/101")["title"] == said


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("<p>Erstens.</p><ul><li>Bank</li><li>Tisch</li></ul>", "Erstens.\n\n– Bank\n– Tisch"),
        ("Getippt\nin zwei Zeilen & mehr", "Getippt\nin zwei Zeilen & mehr"),
        ("<p>Kosten &lt; 500&nbsp;€ 🎉👨‍👩‍👧</p>", "Kosten < 500\xa0€ 🎉👨‍👩‍👧"),
        ("<p>حديقة للجميع</p>", "حديقة للجميع"),
        ("<p>mehr: <a href='/pages/kiez'>hier</a></p>", "mehr: hier ({}/pages/kiez)"),
        ("<p><script>alert(1)</script></p>", ""),
        ("ä" * 10_000, "ä" * 10_000),
        ("\x00\x0bSteuerzeichen\ud800".encode("utf-8", "ignore").decode(), "Steuerzeichen"),
    ],
    ids=["html", "typed", "entities", "rtl", "link", "script", "10,000 signs", "control"],
)
def test_a_text_becomes_plain(site: Site, text: str, plain: str) -> None:
    site.change("proposals", {"id": "101", "body": {"de": text}})

    assert body(site, "9/101")["description"] == plain.format(site.running.url)


def test_a_deleted_account_has_no_name(site: Site) -> None:
    """The platform shows a text of its own in its place."""
    assert body(site, "9/104")["authors"] == []


def test_the_same_again_is_the_same(site: Site) -> None:
    """Bodies are compared: a clock in them would make everything new every half hour."""
    first, second = ([(item.external_id, item.body) for item in site.items(9, 12)] for _ in range(2))

    assert first == second


# -- what is asked, and how often ------------------------------------------------------------------------------------


def test_a_run_costs_a_few_calls(site: Site) -> None:
    """100 a minute and address are allowed."""
    before = len(site.asked())
    site.items(9, 12)

    assert site.asked()[before:] == ["Schema", "Kind", "Proposals", "Kind", "Projects"]


def test_pages_are_read_until_two_passes_agree(site: Site) -> None:
    before = len(site.asked())
    items = site.items(page_size=2)

    assert len(items) == 5
    assert site.asked()[before:].count("Proposals") == 6


@pytest.mark.parametrize("version", ["0.31", "0.32"], indirect=True)
def test_an_account_signs_in_once(site: Site) -> None:
    before = len(site.asked())
    site.items(9, 12, login=ACCOUNT)

    assert site.asked()[before:].count("sign_in") == 1


@pytest.mark.parametrize("version", ["0.30"], indirect=True)
def test_an_account_at_a_decidim_without_sign_in_is_told(site: Site) -> None:
    """Reading as everybody sees it works there."""
    with pytest.raises(ConfigurationError, match="no sign-in for programs"):
        site.items(login=ACCOUNT)

    assert len(site.items()) == 5


@pytest.mark.parametrize("fault", ["token_expired", "token_refused"])
def test_a_token_that_runs_out_while_reading_is_renewed(
    site: Site, fault: str, behind_the_first: Callable[[Callable[[], None]], None]
) -> None:
    """Whoever is nobody sees less, and what is not seen would be gone."""
    behind_the_first(lambda: site.running.arm(fault))
    before = len(site.asked())

    assert len(site.items(9, 12, login=ACCOUNT)) == 7
    assert site.asked()[before:].count("sign_in") == 2


# -- settings --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, "nothing says what is to be read"),
        ({"components": "9"}, "components"),
        ({"components": ["neun"]}, "components"),
        ({"components": [{"id": 9, "gebiet": "x"}]}, "gebiet"),
        ({"participatory_process": "a/b"}, "participatory_process"),
        ({"components": [9, {"id": 9}]}, "twice"),
    ],
)
def test_a_wrong_option_is_named(site: Site, options: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        Decidim(site.connection(), Context(PROCESS, options))


@pytest.mark.parametrize(
    ("extra", "words"),
    [({"locale": "deutsch!"}, "locale"), ({"page_size": 0}, "page_size"), ({"sprache": "de"}, "sprache")],
)
def test_a_wrong_setting_is_named(site: Site, extra: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        Settings.from_connection(site.connection(**extra))
