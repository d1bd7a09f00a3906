"""Real cases: lineage in the ledger, previews of a case, differences in stored messages."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from sqlalchemy import select, update

from kiezbruecke.cli import main
from kiezbruecke.ledger import tables as t
from kiezbruecke.workbench.lineage import stored_lineage
from tests.world import ROOT, World, line


def call(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    """Run a command as the console script does."""
    monkeypatch.setattr(sys, "argv", ["kiezbruecke", *words])
    with pytest.raises(SystemExit) as ended:
        main()
    said = capsys.readouterr()
    return int(ended.value.code or 0), said.out + said.err


@pytest.fixture
def sent(world: World) -> World:
    """One case whose three messages are written."""
    world.drop(line("P-1"))
    world.run()
    return world


def test_every_value_of_a_stored_message_has_a_rule_and_stands_in_its_bytes(sent: World) -> None:
    """For a ZIP with XML, for XML, and for a table's line."""
    for head in sent.messages():
        found = stored_lineage(sent.ledger, head.key)

        assert len(found) > 3, head.reference
        assert all(one.held and one.target and one.line and one.file.endswith("mapping.yaml") for one in found)


def test_the_ledger_keeps_no_value_in_its_lineage(sent: World) -> None:
    """Numbers and hashes only (ADR 0009); what the numbers mean holds no value either."""
    with sent.ledger.read() as connection:
        sealed = b"".join(connection.execute(select(t.message_bytes.c.lineage)).scalars())
        meaning = json.dumps(connection.execute(select(t.mapping_versions.c.rules)).scalars().all())

    for value in ("850.00", "P-1", "Bank am See", "SPK 1"):
        assert value.encode() not in sealed
        assert value not in meaning


def test_what_the_numbers_mean_is_written_once_per_digest(sent: World) -> None:
    """Ten thousand messages of one mapping share one table of rules."""
    sent.drop(line("P-2"), name="mai.csv")
    sent.run()
    with sent.ledger.read() as connection:
        versions = connection.execute(select(t.mapping_versions.c.name)).scalars().all()

    assert sorted(versions) == ["case-statusliste", "case-xdomea-0401", "commitment-hkr"]


def test_changed_bytes_are_told(
    sent: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The seal is keyed with the bytes: a byte more, and no value is vouched for."""
    head = next(head for head in sent.messages() if head.effect == "commitment.book")
    before = call(monkeypatch, capsys, "message", "lineage", head.reference)
    with sent.ledger.write() as connection:
        payload = t.message_bytes.c.payload
        old = connection.execute(select(payload).where(t.message_bytes.c.key == head.key)).scalar_one()
        connection.execute(update(t.message_bytes).where(t.message_bytes.c.key == head.key).values(payload=old + b"\n"))
    after = call(monkeypatch, capsys, "message", "lineage", head.reference)

    assert before[0] == 0
    assert "commitment.amount" in before[1]
    assert "850" not in before[1]
    assert (after[0], "NEIN" in after[1]) == (1, True)


def test_a_real_case_is_previewed(
    sent: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the message's own number and reference, not new ones."""
    head = next(head for head in sent.messages() if head.effect == "commitment.book")
    words = ("mapping", "preview", "commitment-hkr", "--case", "P-1", "--route", "kk-tk-hkr", "--json")
    code, out = call(monkeypatch, capsys, *words)

    rows = {row["target"]: row["value"] for row in json.loads(out)}
    assert code == 0
    assert (rows["Fremdkennzeichen"], rows["Belegnummer"], rows["Betrag"]) == (head.reference, head.voucher, "850.00")


@pytest.mark.parametrize("name", ["case-xdomea-0401", "commitment-hkr", "case-statusliste"])
def test_the_same_mapping_makes_the_stored_bytes_again(
    sent: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    """So a difference over stored messages is the mapping's and nothing else's."""
    code, out = call(monkeypatch, capsys, "mapping", "diff", name, name, "--messages", "--json")

    found = json.loads(out)
    assert code == 0
    assert [(one["verdict"], one["exact"]) for one in found] in ([("same", True)], [("same", False)])
    if name != "case-statusliste":  # its line says how the case stood then; it stands otherwise now
        assert found[0]["exact"] is True


def test_a_changed_mapping_is_compared_over_stored_messages_without_values(
    sent: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """How many, which field, which rule; the values only where somebody asks for them."""
    new = tmp_path / "commitment-hkr" / "mapping.yaml"
    new.parent.mkdir()
    text = (ROOT / "mappings/outbound/commitment-hkr/mapping.yaml").read_text("utf-8")
    new.write_text(
        text.replace("from: commitment.purpose\n", "from: commitment.purpose\n    steps: [upper]\n"), "utf-8"
    )
    words = ("mapping", "diff", "commitment-hkr", str(new), "--messages")
    code, out = call(monkeypatch, capsys, *words)
    _, told = call(monkeypatch, capsys, *words, "--values")

    assert code == 1
    assert "1 of 1 changed" in out
    assert "Verwendungszweck" in out
    assert "KIEZKASSE KK26" not in out
    assert "→ KIEZKASSE KK26" in told
