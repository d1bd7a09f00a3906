"""An anchor that was carried out of the database shows what a whole recomputed chain cannot hide."""

from __future__ import annotations

from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from sqlalchemy import delete, update

from kiezbruecke.errors import ConfigurationError
from kiezbruecke.ledger import Ledger, evidence
from kiezbruecke.ledger import tables as t
from kiezbruecke.ledger.anchors import Anchor, differs_from, drop_anchor
from kiezbruecke.ledger.chains import link_hash

from .conftest import Desk, draft


def test_a_link_says_one_thing() -> None:
    """Seen: body and rows moved one place on, behind the kind, under the same hash – no anchor could tell."""
    first = ("", str(UUID(int=1)), 1, "2026-04-24T00:00:00+00:00")

    assert link_hash(*first, "rows", "{}", '{"a": "b"}') != link_hash(*first, "rows\x1f{}", '{"a": "b"}', "")


@pytest.fixture
def anchor(desk: Desk) -> Anchor:
    """Of a ledger with a case."""
    desk.prepare(draft(desk.decide()))
    found = drop_anchor(desk.ledger)
    assert found is not None
    return found


def test_an_anchor_holds_what_has_grown(desk: Desk, anchor: Anchor) -> None:
    """A quiet hour drops none; a new one rests on the one before it."""
    again = drop_anchor(desk.ledger)
    desk.decide("P-2", 2)
    newer = drop_anchor(desk.ledger)

    assert again == anchor
    assert newer is not None
    assert newer.seq == 2
    assert evidence.verify(desk.ledger).broken == ()
    assert _differs(desk.ledger, anchor) == ""


@pytest.mark.tampers
def test_a_whole_case_taken_away_is_named(desk: Desk, anchor: Anchor) -> None:
    """Row for row with its chain, nothing in the case's own tables tells that it was there."""
    with desk.ledger.write() as connection:
        for table in (t.record_history, t.records, t.message_bytes, t.messages, t.attention, t.events, t.cases):
            connection.execute(delete(table))

    assert any("das Anker 1 festhält" in line for line in evidence.verify(desk.ledger).broken)


@pytest.mark.tampers
def test_a_chain_computed_anew_is_named(desk: Desk, anchor: Anchor) -> None:
    """Whoever may write can compute hashes as well as we do."""
    _compute_anew(desk.ledger)

    assert any("das Anker 1 festhält" in line for line in evidence.verify(desk.ledger).broken)


@pytest.mark.tampers
def test_a_database_without_its_anchors_differs_from_the_one_outside(desk: Desk, anchor: Anchor) -> None:
    """Anchors can be rewritten as well; the one in the file cannot."""
    _compute_anew(desk.ledger)
    with desk.ledger.write() as connection:
        connection.execute(delete(t.anchored))
        connection.execute(delete(t.anchors))
    inside = evidence.verify(desk.ledger).broken
    missing = _differs(desk.ledger, anchor)
    drop_anchor(desk.ledger)

    assert inside == ()
    assert "fehlt" in missing
    assert "ein anderer" in _differs(desk.ledger, anchor)


def test_a_signature_is_only_its_keys(anchor: Anchor) -> None:
    """Whoever can write the file cannot sign it."""
    ours, others = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
    signed = anchor.signed(ours.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    read = Anchor.of(signed.text(), "file")
    forged = Anchor(read.seq, read.at, "0" * 64, read.signature)

    assert read == signed
    assert read.is_signed_by(_public(ours))
    assert not read.is_signed_by(_public(others))
    assert not forged.is_signed_by(_public(ours))
    assert not anchor.is_signed_by(_public(ours))


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"anchor": "x", "at": "", "hash": ""}'])
def test_what_is_no_anchor_is_refused(text: str) -> None:
    """In one line."""
    with pytest.raises(ConfigurationError, match="not an anchor"):
        Anchor.of(text, "file")


def _public(key: Ed25519PrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def _differs(ledger: Ledger, anchor: Anchor) -> str:
    with ledger.read() as connection:
        return differs_from(connection, anchor)


def _compute_anew(ledger: Ledger) -> None:
    """A chain with another first link, all hashes right."""
    with ledger.write() as connection:
        [case] = connection.execute(t.cases.select()).all()
        previous = ""
        for row in connection.execute(t.events.select().where(t.events.c.case_id == case.id)).all():
            kind = "decision.forged" if row.seq == 1 else row.kind
            link = link_hash(previous, str(row.case_id), row.seq, row.at.isoformat(), kind, row.body, row.rows)
            this = (t.events.c.case_id == row.case_id) & (t.events.c.seq == row.seq)
            connection.execute(update(t.events).where(this).values(kind=kind, previous=previous, hash=link))
            previous = link
        connection.execute(update(t.cases).values(last_hash=previous))
