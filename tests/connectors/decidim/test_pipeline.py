"""From the platform into the ledger: what a district's route makes of it."""

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
from kiezbruecke.ledger.todo import Kind, open_points
from tests.world import World, found

from .conftest import Site

ROUTE = """\
name: kk-tk-decidim
process: kk-tk-2026
title: Vorschläge und Projekte aus Decidim abholen
collect: decidim-tk
mapping: [decidim-proposal, decidim-project]
owner: it-betrieb-tk
with:
  participatory_process: kiezkasse-2026
  components: [{id: 9, taxonomies: {"31": "090517"}}, {id: 12, budgets: {"3": "090517"}}]
"""


@pytest.fixture
def district(
    begin: Callable[..., Site], content: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[World, Site]]:
    """A district with a Decidim, and a ledger of its own."""
    site = begin()
    (content / "mappings/routes/kk-tk-decidim.yaml").write_text(ROUTE, "utf-8")
    with closing(found(tmp_path / "var", {}, content, monkeypatch)) as world:
        world.connections["decidim-tk"] = {"conn_type": "kb_decidim", "host": site.running.url, "extra": {}}
        world.connect()
        yield world, site


def collect(world: World) -> dict[str, int]:
    return dict(pipeline.run(world.house, "kk-tk-decidim"))


def proposals(world: World) -> dict[str, dict[str, Any]]:
    """The ledger's proposals by their external id."""
    with world.ledger.read() as connection:
        rows = connection.execute(select(t.records.c.external_id, t.records.c.body, t.records.c.gone_at))
        return {row.external_id: {**json.loads(row.body), "gone": row.gone_at is not None} for row in rows}


def test_everything_becomes_a_proposal_and_the_same_again_is_nothing(district: tuple[World, Site]) -> None:
    """A case each; a custom state that no list knows waits for a person, and stops no other."""
    world, _ = district
    first, second = collect(world), collect(world)

    known = proposals(world)
    assert {key: one["status"] for key, one in known.items()} == {
        "9/101": "accepted",
        "9/102": "rejected",
        "9/103": "under_review",
        "9/104": "withdrawn",
        "12/41": "accepted",
        "12/42": "shortlisted",
    }
    assert {one["area_id"] for one in known.values()} == {"090517"}
    assert known["12/41"]["requested_amount"] == "850.00"
    assert [point.subject for point in open_points(world.ledger) if point.kind == Kind.SET_ASIDE]
    assert first["new"] == 6
    assert second.get("changed", 0) == 0


def test_what_vanishes_is_gone_and_what_is_hidden_is_not(district: tuple[World, Site]) -> None:
    """A null among the nodes may be anything: nothing of its component is gone, and a point says so."""
    world, site = district
    collect(world)
    site.change("proposals", {"id": "102", "published": False}, {"id": "103", "hidden": True})
    collect(world)
    while_hidden = {key for key, one in proposals(world).items() if one["gone"]}
    told = [point.reason for point in open_points(world.ledger) if point.kind == Kind.INCOMPLETE]
    site.change("proposals", {"id": "103", "hidden": False})
    collect(world)

    assert while_hidden == set()
    assert len(told) == 1
    assert "1 Eintrag verborgen" in told[0]
    assert {key for key, one in proposals(world).items() if one["gone"]} == {"9/102"}
    assert [point for point in open_points(world.ledger) if point.kind == Kind.INCOMPLETE] == []
