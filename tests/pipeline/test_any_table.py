"""A table that nobody has heard of, from the folder to the case: two files and a route, no code."""

from __future__ import annotations

import json

from kiezbruecke.ledger.reading import read_process_cases
from tests.world import World

PROCESS = """\
id: wuensche-2026
name: Wünsche 2026
reference_prefix: WU26
bezirk_id: "09"
fiscal_year: 2026
owner: spk-wu
areas: bezirksregionen-tk
references: ["W-#", "P-#"]
"""
TABLE = """\
name: wunschzettel
item: wunsch
id: nummer
columns:
  - {name: Nummer, key: nummer, role: reference, required: true}
  - {name: Wunsch, key: wunsch, aliases: [inhalt/kurz], role: title, required: true}
  - {name: Summe, key: summe, type: money}
"""
MAPPING = """\
name: wunsch
version: 1
direction: inbound
reads: [wunsch]
source: table wunschzettel
roots: [item, envelope, process]
target: record Proposal
rules:
  - {target: source, from: envelope.source}
  - {target: external_id, from: envelope.external_id}
  - {target: reference_number, from: item.nummer}
  - {target: process_id, from: process.id}
  - {target: title, from: item.wunsch}
  - {target: requested_amount, from: item.summe, steps: [german_money]}
"""
ROUTE = "name: wuensche\nprocess: wuensche-2026\ncollect: wuensche-tk\nmapping: wunsch\nowner: spk-wu\noperations: it\n"
FILES = {
    "mappings/processes/wuensche-2026.yaml": PROCESS,
    "schemas/tables/wunschzettel.yaml": TABLE,
    "mappings/inbound/wunsch/mapping.yaml": MAPPING,
    "mappings/routes/wuensche.yaml": ROUTE,
}


def _known(world: World) -> dict[str, tuple[str, str]]:
    cases = read_process_cases(world.ledger, "wuensche-2026").cases
    return {
        case.reference: (case.proposal.title, str(case.proposal.requested_amount)) for case in cases if case.proposal
    }


def test_two_files_and_a_route_bring_a_table_into_the_ledger(odd_world: World) -> None:
    """And a newer file changes what it names, and nothing else; a broken line keeps no other from being read."""
    for name, text in FILES.items():
        file = odd_world.content / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, "utf-8")
    inbox = odd_world.state / "wuensche"
    inbox.mkdir()
    settings = {"path": str(inbox), "profile": "wunschzettel", "settle_seconds": 0}
    odd_world.connections["wuensche-tk"] = {"conn_type": "kb_folder", "extra": settings}
    odd_world.connect()

    (inbox / "a.csv").write_text("Nummer;Wunsch;Summe\nW-1;Bank;850,-\nW-2;Fest;1.000,00 €\nW-0;Odd;1\n", "utf-8")
    (first,) = odd_world.run("wuensche")
    newer = {"Nummer": "W-1", "inhalt": {"kurz": "Bank am See"}, "Summe": 900.5}
    (inbox / "b.jsonl").write_text(f'{json.dumps(newer)}\n{{"Nummer": "W-3"\n', "utf-8")
    (second,) = odd_world.run("wuensche")
    (third,) = odd_world.run("wuensche")

    assert (first["new"], first["set_aside"]) == (2, 1)
    assert (second["updated"], second["set_aside"]) == (1, 1)
    assert not third.get("new")
    assert _known(odd_world) == {"W-1": ("Bank am See", "900.50"), "W-2": ("Fest", "1000.00")}
    assert {point.owner for point in odd_world.points("set_aside")} == {"spk-wu"}
    reports = (path.name for path in (inbox / "done").glob("*.bericht.csv"))
    assert sorted(reports) == ["a.csv.bericht.csv", "b.jsonl.bericht.csv"]
