"""From the idea in Decidim to the answer in Decidim: a district's two routes, a decision sheet, one mail."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from kiezbruecke.ledger import MessageState
from tests.home.conftest import content_with_answers
from tests.world import World, budget, found, line

from .conftest import ACCOUNT, SECRET, Site

__all__ = ["content_with_answers"]

READ = """\
name: kk-tk-decidim
process: kk-tk-2026
collect: decidim-tk
mapping: [decidim-proposal, decidim-project]
owner: it-betrieb-tk
with:
  components: [{id: 9, area: "090416"}]
"""
TELL = """\
name: kk-tk-antworten-decidim
process: kk-tk-2026
title: Rückmeldungen an die Vorschlagenden in Decidim schreiben
due: answer
effect: status.write
mapping: answer-decidim
destination: decidim-tk
environment: live
mode: live
start_from: 2026-01-01
pace: {per_hour: 1000, quiet: ""}
owner: spk-tk
"""


@pytest.fixture
def district(
    begin: Callable[..., Site], content_with_answers: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[World, Site]]:
    """A district with a Decidim and two proposals that nobody has answered."""
    site = begin("extra=2")
    routes = content_with_answers / "mappings/routes"
    (routes / "kk-tk-decidim.yaml").write_text(READ, "utf-8")
    (routes / "kk-tk-antworten-decidim.yaml").write_text(TELL, "utf-8")
    with closing(found(tmp_path / "var", {}, content_with_answers, monkeypatch)) as world:
        account = {"login": ACCOUNT, "password": SECRET, "extra": {}}
        world.connections["decidim-tk"] = {"conn_type": "kb_decidim", "host": site.running.url, **account}
        world.connect()
        world.drop_budget(budget("5.000,00 €"))
        world.run("kk-tk-budgets", "kk-tk-decidim")
        yield world, site


def tell(world: World) -> dict[str, int]:
    return dict(world.run("kk-tk-antworten-decidim")[0])


def test_a_decision_is_told_once_in_decidim(district: tuple[World, Site]) -> None:
    """Granted and rejected; further runs find nothing to say, and our own words that come back are no news."""
    world, site = district
    world.drop(line("2026-01001"), line("2026-01002", "", "abgelehnt"))
    world.run("kk-tk-beschluesse")
    first = tell(world)
    world.run("kk-tk-decidim")
    second = tell(world)

    rows = {row["id"]: row for row in site.state()["proposals"]}
    assert (first["delivered"], second.get("delivered", 0)) == (2, 0)
    assert (rows["1001"]["state"], rows["1002"]["state"]) == ("accepted", "rejected")
    assert "<p>wird umgesetzt – bewilligt: 850,00 €</p>" in rows["1001"]["answer"]["de"]
    assert rows["1001"]["cost"] == 850.0
    assert sorted(mail["proposal"] for mail in site.state()["mails"]) == ["1001", "1002"]
    assert {head.state for head in world.messages("decidim-tk")} == {MessageState.CONFIRMED}


def test_an_answer_that_got_lost_is_found_in_the_next_run(district: tuple[World, Site]) -> None:
    """The mutation has happened, and nothing came back: looked up, and nobody is told twice."""
    world, site = district
    world.drop(line("2026-01001"))
    world.run("kk-tk-beschluesse")
    site.running.arm("commit_then_lose")
    with pytest.raises(Exception, match="left"):
        tell(world)
    tell(world)

    assert len(site.state()["answers"]) == len(site.state()["mails"]) == 1
    assert [head.state for head in world.messages("decidim-tk")] == [MessageState.CONFIRMED]


def test_what_a_moderator_wrote_there_meanwhile_holds(district: tuple[World, Site]) -> None:
    """A person on our side sees it on the list."""
    world, site = district
    world.drop(line("2026-01001"))
    world.run("kk-tk-beschluesse")
    site.change(
        "proposals",
        {"id": "1001", "state": "evaluating", "state_published": True, "answered_at": "2026-05-01T10:00:00+02:00"},
    )
    counts = tell(world)

    assert counts["refused"] == 1
    assert next(row for row in site.state()["proposals"] if row["id"] == "1001")["state"] == "evaluating"
    assert any("MODERATED" in point.reason or "geändert" in point.reason for point in world.points("refused"))
