"""What is read of CONSUL within its limits, and what it does not say is not guessed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from graphql import parse, validate

from connectors.consul.listing import document
from connectors.consul.options import Options
from connectors.consul.sandbox import beyond_limits, schema
from connectors.consul.settings import MOST
from kiezbruecke.connector import Connection, probe
from kiezbruecke.errors import ConfigurationError, SourceError

from .conftest import PROCESS, NoCursor, Town


def body(town: Town, number: str, **options: Any) -> Any:
    return town.items({"budget": 1, **options})[number].body


# Its limits


@pytest.mark.parametrize("name", ["budgets", "investments"])
def test_our_queries_are_within_schema_and_limits(name: str) -> None:
    """Depth 8, two collections, fields that the excerpt has: CONSUL refuses the rest."""
    query = parse(document(name))

    assert validate(schema(), query) == []
    assert beyond_limits(query) == ""


def test_the_sandbox_holds_to_the_limits(town: Town) -> None:
    """Else our queries would be tried against a server that takes anything."""
    three = "{budgets{nodes{investments{nodes{milestones{nodes{id}}}}}}}"
    deep = "{a:budgets{nodes{investments{edges{node{milestones{edges{node{id}}}}}}}}}"

    assert "collections" in town.ask(three)["errors"][0]["message"]
    assert "depth" in town.ask(deep)["errors"][0]["message"]
    nodes = town.ask("{budget(id: 1){investments(first: 100){nodes{id}}}}")["data"]["budget"]["investments"]["nodes"]
    assert len(nodes) == MOST


def test_all_pages_are_read_and_agree(town: Town) -> None:
    """63 investments at 25 a page; cursors are offsets, so one pass proves nothing."""
    assert len(town.items()) == 63


@pytest.mark.parametrize("fault", ["vanish_between_pages", "appear_between_pages"])
def test_a_list_that_moves_is_read_again(town: Town, fault: str) -> None:
    """What slipped over the edge of a page would be gone."""
    town.running.arm(fault)
    items = town.items()

    assert len(items) == (62 if fault.startswith("vanish") else 64)
    assert {"102", "103", "260"} <= items.keys()


def test_a_list_that_goes_in_a_circle_is_an_error(town: Town) -> None:
    town.running.arm("circle", 100)
    with pytest.raises(SourceError, match="changed in each"):
        town.items(passes=2)


# What it says


def test_an_investment_as_everybody_sees_it(town: Town) -> None:
    """Price is a text of whole euros, the description HTML, an author may be nobody."""
    first, last = body(town, "101"), body(town, "103")

    assert (first["price"], first["feasibility"], first["author"]) == ("850", "feasible", "anna")
    assert first["description"] == "Sommerfest für alle.\n\nMit Musik."
    assert first["url"] == f"{town.running.url}/budgets/1/investments/101"
    assert (last["price"], last["author"], last["location"]) == ("0", "", "")
    assert body(town, "102")["price"] is None


def test_a_price_that_cannot_be_meant_is_told(town: Town) -> None:
    """BigInt holds more than any budget."""
    town.change("investments", {"id": "101", "price": 10**15})
    source = town.source()
    items = {item.external_id: item for item in source.fetch(NoCursor())}

    assert isinstance(items["101"].body, dict)
    assert items["101"].body["price"] is None
    assert [gap.subject for gap in source.gaps()] == ["vorschlag-101-preis"]


def test_what_is_hidden_makes_nothing_gone(town: Town) -> None:
    """A list with a null in it does not name all there is; `module_id` keeps the budget's proposals."""
    town.running.arm("null_node", 10)
    source = town.source()
    items = list(source.fetch(NoCursor()))

    assert len(items) < 63
    assert [(gap.subject, gap.module_id) for gap in source.gaps()] == [("haushalt-1", 1)]


def test_one_odd_investment_stops_no_other(town: Town) -> None:
    town.change("investments", {"id": "102", "title": ""})
    items = town.items()

    assert items["102"].kind == "proposal-problem"
    assert items["102"].problem
    assert "Vorschlag 102" in items["102"].problem
    assert len(items) == 63


def test_nothing_but_odd_ones_is_another_schema(town: Town) -> None:
    town.running.arm("field_retyped", 20)
    with pytest.raises(SourceError, match="'price'"):
        town.items()


def test_an_older_consul_is_named(town: Town) -> None:
    """Budgets came with 2.2; its CSV can still be read."""
    town.running.arm("schema_changed")
    with pytest.raises(SourceError, match=r"2\.2 or newer"):
        town.items()


# What it does not say


def test_with_several_budgets_nobody_guesses_whose_an_investment_is(begin: Callable[..., Town]) -> None:
    """CONSUL shows the investments of all budgets under each: the other budget's money would be ours."""
    town = begin("budgets=2")
    with pytest.raises(ConfigurationError, match="2 budgets"):
        town.items()

    assert set(town.items({"budget": 1, "last_id": 300})) == {"101", "102", "103"}
    assert set(town.items({"budget": 2, "first_id": 301})) == {"301"}


def test_a_second_budget_that_appears_stops_the_route(begin: Callable[..., Town]) -> None:
    """It was the only one when the route was written."""
    town = begin()
    assert len(town.items()) == 3
    town.change("budgets", {"id": "2", "name": "Neu", "phase": "drafting"})

    with pytest.raises(ConfigurationError):
        town.items()


def test_a_budget_that_is_not_there_is_named(town: Town) -> None:
    with pytest.raises(ConfigurationError, match="no budget 7"):
        town.items({"budget": 7})


def test_a_route_must_name_its_budget(town: Town) -> None:
    with pytest.raises(ConfigurationError, match="budget"):
        town.source({})


def test_areas_come_from_words_of_the_place_that_name_one() -> None:
    """Two names, or none, and the proposal has no area: a person looks."""
    options = Options(budget=1, areas={"Müggelheim": "090416", "Grünau": "090311", "Mügge": "090999"})

    assert options.area_of("müggelheim, Dorfplatz") == "090416"
    assert options.area_of("zwischen Müggelheim und Grünau") is None
    assert options.area_of("") is None


def test_the_probe_counts_the_budgets(begin: Callable[..., Town]) -> None:
    town = begin("budgets=2")
    said = probe(Connection("consul-test", "kb_consul", town.running.url), Path(), [PROCESS])

    assert said.startswith("2 Haushalte lesbar; die Strecke muss")
