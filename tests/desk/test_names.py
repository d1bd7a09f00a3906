"""What people read in the place of ids – and that a broken file costs its names, never the table."""

from __future__ import annotations

from pathlib import Path

from kiezbruecke.desk.names import Names


def test_what_has_a_name_is_called_by_it(root: Path) -> None:
    """A process, a route, an office by its pattern, a role without what its title explains."""
    names = Names(root)

    assert names.process("kk-tk-2026") == "Kiezkassen Treptow-Köpenick 2026"
    assert names.route("kk-tk-zahlungen") == "Auszahlungen anordnen"
    assert names.owner("it-betrieb-tk") == "IT-Betrieb"
    assert names.role("fachverwaltung") == "Fachverwaltung"
    assert names.with_id(names.route, "kk-tk-zahlungen") == "Auszahlungen anordnen (kk-tk-zahlungen)"


def test_what_has_none_keeps_its_id(content: Path) -> None:
    """Also where the file that would say it cannot be read."""
    (content / "mappings/owners.yaml").write_text("a: [", "utf-8")
    (content / "mappings/processes/kk-tk-2026.yaml").write_text("a: [", "utf-8")
    names = Names(content)

    assert names.owner("spk-tk") == "spk-tk"
    assert names.process("kk-tk-2026") == "kk-tk-2026"
    assert names.route("kk-tk-zahlungen") == "kk-tk-zahlungen"
    assert names.with_id(names.owner, "spk-tk") == "spk-tk"
