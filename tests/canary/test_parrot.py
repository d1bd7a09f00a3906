"""The places of a sandbox's answers say her name, one after the other, and nobody hears it but the records."""

from __future__ import annotations

from importlib import import_module

import pytest

from kiezbruecke.connector import manifests
from tests.canary.conftest import MAIL, NAME, PHONE, Aviary
from tests.canary.parrot import Parrot
from tests.world import line

QUOTE = f"{NAME}, {MAIL}, {PHONE}"
CONNECTIONS = {"meinberlin": "meinberlin-tk", "hkr": "hkr-tk"}
ROUTES = {
    "meinberlin": ("kk-tk-meinberlin",),
    "hkr": ("kk-tk-hkr", "kk-tk-hkr-rueckmeldungen"),
}
ELSEWHERE = {
    "xta": "a fault at every call, and each of its switches: test_everywhere.py; a round here takes seconds",
    "decidim": "not spoiled place by place yet: its route is off; its own tests look at what errors quote",
    "consul": "the same: no shipped route reads from it",
    "hkr_file": "it says nothing over HTTP to us; what its files say is read by tests/connectors/hkr_file",
    "oparl": "the same: no shipped route reads from it",
    "bank": "the same; its files hold names of strangers: tests/connectors/bank/test_reading.py looks for these",
}
SLOW = {"slow_drip"}  # the same words, slowly
ROUNDS = {"hkr": 400, "meinberlin": 45}  # the large one: every fault, and most of its places


def test_every_sandbox_is_here() -> None:
    """A new sandbox gets its routes here, or nobody knows what its answers do."""
    assert {name for name, one in manifests().items() if one.sandbox} == CONNECTIONS.keys() | ELSEWHERE.keys()
    assert CONNECTIONS.keys() == ROUTES.keys() == ROUNDS.keys()


@pytest.mark.parametrize("name", CONNECTIONS)
def test_whatever_an_answer_says_is_heard_without_her(aviary: Aviary, name: str) -> None:
    """With every fault of the sandbox armed in turn, so that the answers of bad days are spoiled, too.

    Each round begins with the same ledger and empty books: what one spoiled answer stops, the next finds going.
    """
    world, sandbox = aviary.world, aviary.world.sandboxes[name]
    world.drop(*(line(f"P-{number}", "100,00 €", area="Johannisthal") for number in range(1, 4)), name="mai.csv")
    aviary.go("kk-tk-budgets", "kk-tk-beschluesse", *(() if name == "meinberlin" else ("kk-tk-meinberlin",)))
    begin = aviary.keep()
    faults = ["", *(one for one in import_module(f"connectors.{name}.sandbox").FAULTS if one not in SLOW)]
    with Parrot(sandbox.url, QUOTE) as parrot:
        world.connections[CONNECTIONS[name]]["host"] = parrot.url
        world.connect()
        for number in range(ROUNDS[name]):
            if number >= len(faults) and not parrot.left():
                break
            begin()
            parrot.fault = faults[number] if number < len(faults) else parrot.left()[0][2]
            if parrot.fault:
                sandbox.arm(parrot.fault)
            for route in ROUTES[name]:
                aviary.run(route)
            if number < len(faults):
                aviary.call("todo", "list", "--json")

    assert {call: len(places) for call, places in parrot.seen.items() if len(places) < 4} == {}
    assert sum(map(len, parrot.spoiled.values())) > 60
    assert parrot.left() == [] or ROUNDS[name] < 400
    assert aviary.leaks() == {}
