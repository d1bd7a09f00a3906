"""From CONSUL into the ledger: what a district's route makes of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from kiezbruecke import pipeline
from kiezbruecke.ledger import tables as t
from tests.world import World, found

from .conftest import Town

ROUTE = """\
name: bh-consul
process: bh-2027
collect: consul-tk
mapping: consul-graphql-investment
owner: it-betrieb-tk
with: {budget: 1, areas: {Müggelheim: "090416"}}
"""
PROCESS = """\
id: bh-2027
name: Bürgerhaushalt 2027
reference_prefix: BH27
bezirk_id: "09"
fiscal_year: 2027
owner: spk-tk
areas: bezirksregionen-tk
references: ["#+", "P-#"]
"""


@pytest.fixture
def district(
    begin: Callable[..., Town], content: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[World, Town]]:
    """A district with a CONSUL, and a ledger of its own."""
    town = begin()
    (content / "mappings/routes/bh-consul.yaml").write_text(ROUTE, "utf-8")
    (content / "mappings/processes/bh-2027.yaml").write_text(PROCESS, "utf-8")
    with closing(found(tmp_path / "var", {}, content, monkeypatch)) as world:
        world.connections["consul-tk"] = {"conn_type": "kb_consul", "host": town.running.url, "extra": {}}
        world.connect()
        yield world, town


def proposals(world: World) -> dict[str, dict[str, Any]]:
    """The ledger's proposals by their external id."""
    with world.ledger.read() as connection:
        rows = connection.execute(select(t.records.c.external_id, t.records.c.body, t.records.c.gone_at))
        return {row.external_id: {**json.loads(row.body), "gone": row.gone_at is not None} for row in rows}


def test_every_investment_becomes_a_proposal_and_the_same_again_is_nothing(district: tuple[World, Town]) -> None:
    """With CONSUL's number, its area by the words of its place, and a status that moves no money."""
    world, _ = district
    first, second = (pipeline.run(world.house, "bh-consul") for _ in range(2))

    known = proposals(world)
    assert {key: (one["status"], one["area_id"], one["requested_amount"]) for key, one in known.items()} == {
        "101": ("under_review", "090416", "850.00"),
        "102": ("submitted", None, None),
        "103": ("not_eligible", None, None),
    }
    assert first["new"] == 3
    assert second.get("changed", 0) == 0


def test_what_vanishes_is_gone_but_not_while_something_is_hidden(district: tuple[World, Town]) -> None:
    world, town = district
    pipeline.run(world.house, "bh-consul")
    town.change("investments", {"id": "102", "hidden": True})
    town.running.arm("null_node")
    pipeline.run(world.house, "bh-consul")
    while_hidden = [key for key, one in proposals(world).items() if one["gone"]]
    pipeline.run(world.house, "bh-consul")

    assert while_hidden == []
    assert [key for key, one in proposals(world).items() if one["gone"]] == ["102"]
