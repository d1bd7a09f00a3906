"""The client reads all proposals of a process, and never a part of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from kiezbruecke.connector import Connection, Context, Item
from kiezbruecke.errors import ConfigurationError, SourceError
from kiezbruecke.records import Module


def keys(items: list[Item]) -> list[str]:
    return [item.external_id for item in items if item.kind == "proposal"]


def by_key(items: list[Item], key: str, kind: str = "proposal") -> dict[str, Any]:
    return dict(next(item.body for item in items if (item.kind, item.external_id) == (kind, key)))  # type: ignore[arg-type]


def test_all_proposals_come_archived_ones_too(place: Any) -> None:
    """is_archived is hidden by default: 55 of 60 would look complete."""
    items = place.items()

    assert len(items) == len(set(keys(items))) == 60
    assert by_key(items, "6")["is_archived"] is True


def test_a_proposal_comes_with_its_quirks_resolved(place: Any) -> None:
    """The budget is a badge, the point a feature, the address relative: a mapping need not know."""
    body = by_key(place.items(), "31")

    assert body["reference_number"] == "2026-00031"
    assert body["asked_text"] == "1.100€"
    assert body["point"] == {"lon": 13.614061, "lat": 52.454687}
    assert body["detail_url"] == f"{place.url}/budgeting/2026-00031/"
    assert body["module"] == {
        "id": 1,
        "type": "budgeting",
        "slug": "kiezkasse-friedrichshagen-2026",
        "area": "090517",
    }
    assert body["modified"] is None


def test_a_legacy_module_is_read_at_its_own_endpoint(place: Any) -> None:
    """Type kiezkasse has no archive flag and no votes."""
    items = place.items(place.altglienicke)

    assert len(items) == 24
    assert "is_archived" not in by_key(items, "70")


def test_titles_pass_unchanged(place: Any) -> None:
    """Tabs, emoji, wide letters, Arabic: the platform's text is evidence."""
    names = {item.external_id: by_key([item], item.external_id)["name"] for item in place.items()}

    assert names["57"] == "Zeilenumbruch\tTab"
    assert names["44"] == "Emoji 🎉🎪 Kiezfest 👨\u200d👩\u200d👧\u200d👦"
    assert names["39"] == "  Leerzeichen   am Rand  "
    assert names["40"].startswith("=HYPERLINK(")


def test_more_than_a_page_is_asked_for_as_one(place: Any) -> None:
    """What two pages say is two snapshots, and the platform knows no largest page."""
    everything, before = keys(place.items()), len(place.asked())

    assert keys(place.items(page_size=13)) == everything
    assert len(place.asked()) == before + 2


def test_what_has_equal_times_comes_once(begin: Callable[..., Any]) -> None:
    """An import: the order has no second key, so pages repeat some proposals and never name others (r09, r10)."""
    place = begin()
    place.put(*({"module": 1, "name": f"Vorschlag {number}"} for number in range(90)))

    assert len(set(keys(place.items(page_size=25)))) == 150


def test_small_pages_are_read_one_after_the_other(place: Any) -> None:
    """Where a proxy allows no large ones; page_size in the answer lies."""
    everything = keys(place.items())
    place.running.arm("page_capped", 99)

    assert keys(place.items()) == everything


def test_what_small_pages_repeat_or_omit_is_not_handed_over(place: Any) -> None:
    """Equal times on small pages: nobody can tell which proposals are missing."""
    place.put(*({"module": 1, "name": f"Vorschlag {number}"} for number in range(90)))
    place.running.arm("page_capped", 99)

    with pytest.raises(SourceError, match="changed in each of 3 passes"):
        place.items(passes=3)


def test_next_is_never_followed_to_another_host(begin: Callable[..., Any]) -> None:
    """Behind a proxy `next` may name an inner host; pages are asked for by number."""
    place = begin("next_host=http://192.0.2.1:1")

    place.running.arm("page_capped", 99)

    assert len(place.items()) == 60


def test_a_proposal_without_a_place_or_a_budget_comes(place: Any) -> None:
    """Both are optional on the platform."""
    [key] = place.put({"module": 1, "name": "Ohne Ort", "budget": 0, "point": None})

    body = by_key(place.items(), str(key))

    assert (body["point"], body["asked_text"]) == (None, "Kosten: keine Angabe")


@pytest.mark.parametrize("fault", ["page_shift", "page_growth"])
def test_a_list_that_moves_is_read_again(place: Any, fault: str) -> None:
    """A proposal that slips to the page before would be marked as gone."""
    place.running.arm(fault)
    place.running.arm("page_capped", 99)

    items = place.items()

    expected = {"page_shift": 59, "page_growth": 61}[fault]
    assert len(keys(items)) == len(set(keys(items))) == expected


@pytest.mark.parametrize("fault", ["page_growth", "count_wrong", "empty_page"])
def test_a_list_that_never_rests_is_not_handed_over(place: Any, fault: str) -> None:
    """Rather nothing than half of it."""
    place.running.arm(fault, 99)
    place.running.arm("page_capped", 99)

    with pytest.raises(SourceError, match="changed in each of 3 passes"):
        place.items(passes=3)


def test_two_passes_that_look_whole_must_agree(place: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """One proposal leaves and another comes between two pages: count and length fit, and one is missing."""
    source = place.source()
    place.running.arm("page_capped", 99)
    from connectors.meinberlin.listing import Listing

    ask, asked = Listing._page, []

    def shifting(listing: Listing, *arguments: Any) -> Any:
        asked.append(arguments)
        if len(asked) == 3:
            place.delete(57)
            place.put({"module": 1, "name": "Neu", "created": "2026-05-01T12:00:00+02:00"})
        return ask(listing, *arguments)

    monkeypatch.setattr(Listing, "_page", shifting)
    items = list(source.fetch(None))

    assert len(keys(items)) == 60
    assert "57" not in keys(items)
    assert len(asked) == 9


@pytest.mark.parametrize(("module", "wrong", "right"), [(1, "kiezkasse", "budgeting"), (2, "budgeting", "kiezkasse")])
def test_the_wrong_module_type_is_a_configuration_error(place: Any, module: int, wrong: Any, right: str) -> None:
    """The wrong endpoint answers 200 with an empty list: all proposals would be gone."""
    with pytest.raises(ConfigurationError, match=rf"module {module}.*set type: {right} for module {module}"):
        place.items(Module(id=module, type=wrong))


def test_an_empty_module_is_empty(begin: Callable[..., Any]) -> None:
    """Nothing there of either type: that is a young process, no error."""
    place = begin()
    for row in place.items(place.altglienicke):
        place.delete(int(row.external_id))

    assert place.items(place.altglienicke) == []


@pytest.mark.parametrize("module", [4, 5, 4711])
def test_a_module_that_may_not_be_read_is_a_configuration_error(place: Any, module: int) -> None:
    """Private, draft, unknown: nobody but IT operations can mend that."""
    with pytest.raises(ConfigurationError, match=rf"module {module}"):
        place.items(Module(id=module, type="budgeting"))


def test_a_private_module_is_read_with_an_account(place: Any) -> None:
    """HTTP Basic works under /api/."""
    assert len(place.items(Module(id=4, type="budgeting"), login=place.moderator, export=False)) == 2


def test_a_wrong_password_is_told_from_a_missing_right(place: Any) -> None:
    """Both are 403; the text tells them apart, and neither login nor password is named."""
    source = place.source(login=place.moderator, password="geheim-falsch")

    with pytest.raises(ConfigurationError, match="refuses login and password") as caught:
        list(source.fetch(None))

    assert "geheim-falsch" not in str(caught.value)
    assert place.moderator not in str(caught.value)


def test_a_module_that_cannot_be_read_stops_no_other(place: Any) -> None:
    """It is a gap, and the engine lets nothing of it be gone."""
    source = place.source(Module(id=4711, type="budgeting", slug="kiezkasse-weit-weg"), place.friedrichshagen)
    items = list(source.fetch(None))

    [gap] = source.gaps()
    assert len(items) == 60
    assert (gap.module_id, gap.problem) == (
        4711,
        (
            "Die Vorschläge von Modul 4711 („kiezkasse-weit-weg“) waren nicht zu lesen. Alles, was davon bekannt ist, "
            "bleibt, wie es war, und keiner gilt als verschwunden. Bitte den IT-Betrieb das Konto und das Modul in der "
            "Verbindung und im Verfahren prüfen lassen"
        ),
    )


def test_a_tired_server_costs_only_the_module_that_it_was_asked_for(place: Any) -> None:
    """And the next run has no gap any more."""
    source = place.source(place.friedrichshagen, place.altglienicke)
    place.running.arm("server_error")
    first = list(source.fetch(None)), [gap.module_id for gap in source.gaps()]
    second = list(source.fetch(None)), source.gaps()

    assert (len(first[0]), first[1]) == (24, [1])
    assert (len(second[0]), list(second[1])) == (84, [])


def test_a_process_without_modules_is_refused(place: Any) -> None:
    """An empty list of modules would make every proposal vanish."""
    from connectors.meinberlin.client import MeinBerlin

    process = place.source()._process.model_copy(update={"modules": ()})

    with pytest.raises(ConfigurationError, match="names no module"):
        MeinBerlin(Connection(id="x", type="kb_meinberlin", host=place.url), Context(process))


def test_the_same_proposal_in_two_modules_is_refused(place: Any) -> None:
    """Keys are unique over the platform: one of the two lists is the answer of the other, nobody knows which."""
    with pytest.raises(SourceError, match="stands in module 1 and in module 1"):
        place.items(place.friedrichshagen, place.friedrichshagen)
    source = place.source(place.friedrichshagen, place.altglienicke, place.friedrichshagen)

    assert len(list(source.fetch(None))) == 24


def test_a_sum_that_no_budget_has_is_a_point_and_no_sum(place: Any) -> None:
    """The legacy type has no maximum (r03): the proposal comes, and a sentence names its number."""
    place.put({"pk": 61, "budget": 2147483647})
    source = place.source(place.altglienicke)
    items = list(source.fetch(None))

    assert by_key(items, "61")["asked_text"] is None
    assert [(gap.subject, gap.problem) for gap in source.gaps()] == [
        (
            "vorschlag-61-kosten",
            (
                "Vorschlag 2023-00061: Auf der Plattform stehen 2.147.483.647 € als Kosten. Das kann nicht gemeint "
                "sein; der Vorschlag kommt ohne Betrag. Bitte die Angabe auf der Plattform berichtigen lassen"
            ),
        )
    ]


def test_a_deleted_proposal_is_not_yielded_any_more(place: Any) -> None:
    """That is how the engine learns that it is gone."""
    before = keys(place.items())
    place.delete(57)

    assert set(before) - set(keys(place.items())) == {"57"}


def test_the_connection_test_says_what_it_found(place: Any) -> None:
    """For the button in Airflow's form."""
    assert place.source().check() == "module 1: 60 proposals"
