"""Housekeeping carries the ends of the chains out of the database, signed where there is a key."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from sqlalchemy import select

from kiezbruecke import pipeline
from kiezbruecke.ledger import events
from kiezbruecke.ledger import tables as t
from kiezbruecke.ledger.anchors import Anchor, differs_from
from kiezbruecke.stages import anchoring
from tests.builders import by
from tests.world import COLLECT, World, line


def test_housekeeping_keeps_every_anchor_outside(world: World) -> None:
    """One line each; an hour in which nothing happens adds none."""
    file, key = world.state / "elsewhere" / "anchors.jsonl", Ed25519PrivateKey.generate()
    pem = world.state / "key.pem"
    pem.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    house = replace(world.house, anchors=file, anchor_key=pem)
    for number in (1, 2):
        world.drop(line(f"P-{number}"), name=f"{number}.csv")
        world.run(*COLLECT)
        pipeline.housekeeping(house)
        pipeline.housekeeping(house)

    kept = [Anchor.of(text, "file") for text in file.read_text("utf-8").splitlines()]
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

    assert [one.seq for one in kept] == [1, 2]
    assert all(one.is_signed_by(public) for one in kept)
    with world.ledger.read() as connection:
        assert [differs_from(connection, one) for one in kept] == ["", ""]


def test_two_who_carry_out_at_once_lose_no_anchor(world: World) -> None:
    """A person's command and the clock's: whoever read the file before the other has written it would drop a line."""
    file = world.state / "anchors.jsonl"
    house = replace(world.house, anchors=file)
    world.drop(line("P-1"))
    world.run(*COLLECT)
    with world.ledger.read() as connection:
        case = connection.execute(select(t.cases.c.id)).scalar_one()

    def grow_and_carry_out(_: int) -> None:
        events.note_opening(house.ledger, by("A. Muster"), case, "Bescheid")
        anchoring.carry_out(house)

    with ThreadPoolExecutor(4) as people:
        list(people.map(grow_and_carry_out, range(40)))
    kept = [Anchor.of(text, "file").seq for text in file.read_text("utf-8").splitlines()]

    assert kept == list(range(1, kept[-1] + 1))
