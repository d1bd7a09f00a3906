"""Sets of routes: what is the same everywhere stands once, and what is wrong with one route disturbs no other."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from kiezbruecke.content.processes import read_process
from kiezbruecke.content.routes import CollectingRoute, SendingRoute, find_route, places_of, route_places, routes
from kiezbruecke.errors import ConfigurationError
from tests.world import ROOT, change_route

SHIPPED = (
    "antraege",
    "antworten",
    "beschluesse",
    "budgets",
    "eakte",
    "eakte-postfach",
    "erstattungen",
    "hkr",
    "hkr-rueckmeldungen",
    "meinberlin",
    "nachweise",
    "offene-daten",
    "statusliste",
    "zahlungen",
)
OFF = ("kk-tk-antworten", "kk-tk-offene-daten")
BY_NAME = ("kk-tk-erstattungen", "kk-tk-zahlungen")  # shipped off, and turned on in the process's file
PROCESS = "mappings/processes/kk-tk-2026.yaml"


def test_the_shipped_routes_have_the_names_and_parties_they_always_had(root: Path) -> None:
    """A DAG's history, a pause and the lane in the ledger hang on them."""
    found = routes(root)
    parties = {
        name: route.destination if isinstance(route, SendingRoute) else route.collect for name, route in found.items()
    }

    assert parties == {
        "kk-tk-antraege": "antraege-tk",
        "kk-tk-antworten": "meinberlin-tk",
        "kk-tk-beschluesse": "beschluesse-tk",
        "kk-tk-budgets": "budgets-tk",
        "kk-tk-eakte": "eakte-tk",
        "kk-tk-eakte-postfach": "eakte-tk",
        "kk-tk-erstattungen": "hkr-tk",
        "kk-tk-hkr": "hkr-tk",
        "kk-tk-hkr-rueckmeldungen": "hkr-tk",
        "kk-tk-meinberlin": "meinberlin-tk",
        "kk-tk-nachweise": "nachweise-tk",
        "kk-tk-offene-daten": "offene-daten-tk",
        "kk-tk-statusliste": "statusliste-tk",
        "kk-tk-zahlungen": "hkr-tk",
    }
    assert {route.process for route in found.values()} == {"kk-tk-2026"}


def test_a_district_changes_what_differs(content: Path) -> None:
    """Deep by key; the rest of `with` stays as the set says it."""
    change_route(content, "kk-tk-eakte", window=1, **{"with": {"filing": {"key": "B-17"}, "unit": None}})
    route = find_route(content, "kk-tk-eakte")

    assert route.options["filing"] == {"key": "B-17", "title": "Bürgerbeteiligung, Kiezkassen"}
    assert "unit" not in route.options


def test_routes_of_a_set_wake_each_other_under_their_names(content: Path) -> None:
    """Else the wake-up of one district would start another's routes, or nobody's."""
    assert find_route(content, "kk-tk-eakte").after == ("kk-tk-meinberlin", "kk-tk-beschluesse", "kk-tk-budgets")


def test_a_district_without_a_route_waits_for_none(content: Path) -> None:
    """Null removes: no e-file yet, no message box of one."""
    _change(content, lambda body: body["changes"].update({"eakte": None, "eakte-postfach": None}))
    names = [place.name for place in route_places(content)]

    assert names == [f"kk-tk-{short}" for short in SHIPPED if not short.startswith("eakte")]
    assert find_route(content, "kk-tk-statusliste").after == (
        "kk-tk-meinberlin",
        "kk-tk-beschluesse",
        "kk-tk-hkr-rueckmeldungen",
    )


def test_what_is_said_to_sending_routes_is_not_said_to_collecting_ones(content: Path) -> None:
    """A go-live line is no key of a route that empties a folder."""
    _change(content, lambda body: body.update(sending={"start_from": date(2026, 5, 1)}))
    found = routes(content)
    sending = [route for route in found.values() if isinstance(route, SendingRoute)]

    assert {route.start_from for route in sending} == {date(2026, 5, 1)}
    assert {route.mode for route in sending if route.name not in (*OFF, *BY_NAME)} == {"dry_run"}
    assert sum(isinstance(route, CollectingRoute) for route in found.values()) == 7


def test_a_set_is_laid_on_another_one(content: Path) -> None:
    """Its words win, what it leaves out stays, what only it has is a route as well – and who errs hears which file."""
    _change(content, lambda body: body.update(extends=["kiezkasse", "sepa"]))
    found = routes(content)
    pays, hears = found["kk-tk-zahlungen"], found["kk-tk-bank"]

    assert isinstance(pays, SendingRoute)
    assert (pays.destination, pays.mapping, pays.effect) == ("bank-tk", "payment-pain", "payment.order")
    assert pays.after == ("kk-tk-antraege", "kk-tk-bank")
    assert isinstance(hears, CollectingRoute)
    assert found.keys() - {"kk-tk-bank"} == routes(ROOT).keys()
    file = content / "mappings/routes/sepa/zahlungen.yaml"
    file.write_text(file.read_text("utf-8").replace("window: 100", "window: 1000"), "utf-8")
    with pytest.raises(ConfigurationError, match=r"sepa/zahlungen\.yaml:\d+:\d+: window: "):
        find_route(content, "kk-tk-zahlungen")


@pytest.mark.parametrize("off", OFF)
def test_what_the_set_ships_off_is_turned_on_by_name_only(content: Path, off: str) -> None:
    """`sending: {mode: live}` stood there before the set had such a route: an update mails nobody."""
    _change(content, lambda body: body.update(sending={"mode": "live", "start_from": date(2026, 5, 1)}))
    shipped = find_route(content, off)
    change_route(content, off, mode="dry_run")
    named = find_route(content, off)

    assert isinstance(shipped, SendingRoute)
    assert isinstance(named, SendingRoute)
    assert (shipped.mode, named.mode) == ("off", "dry_run")


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ({"windo": 1}, r"kk-tk-2026\.yaml:\d+:\d+: windo: Extra inputs are not permitted"),
        ({"window": 1000}, r"kk-tk-2026\.yaml:\d+:\d+: window: "),
        ({"start_from": None}, r"kk-tk-2026\.yaml:\d+:\d+: start_from: Field required"),
        ({"after": {"eakte": 1}}, r"kk-tk-2026\.yaml:\d+:\d+: after: "),
    ],
)
def test_a_wrong_change_breaks_its_route_alone(content: Path, keys: dict[str, Any], expected: str) -> None:
    """With the file and the line where the district said it."""
    change_route(content, "kk-tk-hkr", **keys)
    broken = _broken(content)

    assert list(broken) == ["kk-tk-hkr"]
    with pytest.raises(ConfigurationError, match=expected):
        find_route(content, "kk-tk-hkr")


def test_a_mistake_in_the_set_is_found_in_the_set(content: Path) -> None:
    """Every district that is made of it has it; it is mended in one place."""
    file = content / "mappings/routes/kiezkasse/hkr.yaml"
    file.write_text(file.read_text("utf-8").replace("due: commitment", "dew: commitment"), "utf-8")

    assert list(_broken(content)) == ["kk-tk-hkr"]
    with pytest.raises(ConfigurationError, match=r"(kiezkasse/hkr\.yaml:2:1: dew|kk-tk-2026\.yaml:\d+:\d+: due)"):
        find_route(content, "kk-tk-hkr")


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("owner: spk-{distrikt}", r"hkr\.yaml:\d+:1: nothing is called '{distrikt}' here; expected {district}"),
        ("owner: spk\nname: hkr", r"hkr\.yaml:\d+:1: 'name' stands in a set of routes"),
        ("owner: spk\nprocess: kk-tk-2026", r"hkr\.yaml:\d+:1: 'process' stands in a set of routes"),
    ],
)
def test_a_set_says_nothing_that_is_a_districts(content: Path, line: str, expected: str) -> None:
    """One placeholder, and neither name nor process: those are what makes two districts two."""
    file = content / "mappings/routes/kiezkasse/hkr.yaml"
    file.write_text(file.read_text("utf-8").replace("owner: spk-{district}", line), "utf-8")

    assert list(_broken(content)) == ["kk-tk-hkr"]
    with pytest.raises(ConfigurationError, match=expected):
        find_route(content, "kk-tk-hkr")


def test_a_change_to_a_route_that_the_set_lacks_is_told(content: Path) -> None:
    """A misspelt name would leave the real route unchanged, and nobody would notice."""
    change_route(content, "kk-tk-eakt", mode="off")

    assert _broken(content) == {"kk-tk-eakt": f"the set 'kiezkasse' has no route 'eakt'; expected {', '.join(SHIPPED)}"}


@pytest.mark.parametrize("key", ["extends", "prefix", "district"])
def test_a_block_that_cannot_be_used_is_one_broken_route(content: Path, key: str) -> None:
    """Its routes cannot be named; it is shown under the file's name."""
    _change(content, lambda body: body.update({key: "Nicht So"}))
    _write(content, "alone")

    assert list(_broken(content)) == ["kk-tk-2026"]
    assert find_route(content, "alone").name == "alone"


def test_a_broken_process_file_takes_no_other_district_away(content: Path) -> None:
    """Twelve districts, one comma."""
    (content / "mappings/processes/kk-xx-2026.yaml").write_text("id: [", "utf-8")

    assert list(_broken(content)) == ["kk-xx-2026"]
    assert len(route_places(content)) == len(SHIPPED) + 1


def test_two_districts_cannot_have_one_name(content: Path) -> None:
    """Neither runs: they would share a DAG, its pauses and its history."""
    text = (content / PROCESS).read_text("utf-8")
    (content / "mappings/processes/kk-tk-2027.yaml").write_text(text.replace("kk-tk-2026", "kk-tk-2027"), "utf-8")

    assert list(_broken(content)) == [f"kk-tk-{short}" for short in SHIPPED]
    with pytest.raises(ConfigurationError, match="the route 'kk-tk-hkr' stands twice"):
        find_route(content, "kk-tk-hkr")


def test_a_file_of_its_own_does_not_hide_a_route_of_a_set(content: Path) -> None:
    """Nobody would see which of both runs."""
    _write(content, "kk-tk-budgets")

    assert list(_broken(content)) == ["kk-tk-budgets"]


def _broken(content: Path) -> dict[str, str]:
    found = {}
    for place in route_places(content):
        try:
            place.read()
        except ConfigurationError as error:
            found[place.name] = error.line().partition(": ")[2]
    return found


def _change(content: Path, change: Any) -> None:
    file, yaml = content / PROCESS, YAML()
    body = yaml.load(file.read_text("utf-8"))
    change(body["routes"])
    with file.open("w", encoding="utf-8") as handle:
        yaml.dump(body, handle)


def _write(content: Path, name: str) -> None:
    keys = f"name: {name}\nprocess: kk-tk-2026\ncollect: budgets-tk\nmapping: budget-sheet\nowner: test\n"
    (content / "mappings/routes" / f"{name}.yaml").write_text(keys, "utf-8")


def test_titles_and_filing_carry_the_procedures_own_word(content: Path) -> None:
    """Whoever reads Airflow or the filing plan looks for the Kiezpott."""
    file = content / PROCESS
    text = file.read_text("utf-8").replace("process_kind: kiezkasse\n", "process_kind: kiezkasse\nlabel: Kiezpott\n")
    file.write_text(text.replace(', title: "Bürgerbeteiligung, Kiezkassen"', ""), "utf-8")
    process = read_process(content, "kk-tk-2026")

    assert (process.label, process.proposal_label) == ("Kiezpott", "Vorschlag (Kiezpott)")
    assert find_route(content, "kk-tk-beschluesse").title == "Beschlusslisten einlesen (Kiezpott)"
    assert find_route(content, "kk-tk-eakte").options["filing"]["title"] == "Bürgerbeteiligung, Kiezpott"


def test_next_years_routes_may_rest_beside_this_years(content: Path) -> None:
    """Of two routes of one name both would be refused; one that is off is nobody's."""
    text = (content / PROCESS).read_text("utf-8").replace("id: kk-tk-2026", "id: kk-tk-2027")
    following = content / "mappings/processes/kk-tk-2027.yaml"
    following.write_text(text.replace("extends: kiezkasse\n", "extends: kiezkasse\n  mode: off\n"), "utf-8")
    before = [place.name for place in route_places(content)]

    assert before == [f"kk-tk-{short}" for short in SHIPPED]
    assert {place.read().process for place in route_places(content)} == {"kk-tk-2026"}
    assert [place.name for place in places_of(content, "kk-tk-2027")] == before


def test_a_mode_that_nobody_knows_is_refused(content: Path) -> None:
    """`of` would have let everything run."""
    file = content / PROCESS
    file.write_text(file.read_text("utf-8").replace("  prefix: kk-tk", "  mode: of\n  prefix: kk-tk"), "utf-8")

    [(_, error)] = _broken(content).items()
    assert "routes.mode" in str(error)
