"""The draft's 49 rules, in our language, give the sample message of xdomea 4.0.0 to the canonical byte."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from lxml import etree

from kiezbruecke.mapping import load_mapping

DATA = Path(__file__).parent / "data"
PARTY = "Bezirksamt Muster von Berlin (Testdaten)"


def _document(number: int, identity: str, title: str, file: str, original: str, sha512: str) -> dict[str, Any]:
    return {"id": identity, "title": title, "file": file, "original": original, "sha512": sha512}


ROOTS: dict[str, Any] = {
    "message": {
        "id": "cd3066f3-3ca7-5606-bf70-fe9e20052407",
        "process_id": "ca9d500c-8f17-560b-bb69-9b532de788d6",
        "created_at": datetime(2026, 11, 23, 8, tzinfo=UTC),
    },
    "route": {
        "receiver": {"institution": PARTY, "unit": "E-Akte Poststelle"},
        "sender": {"institution": PARTY, "unit": "Integrationsmiddleware Buergerhaushalt"},
        "unit": "Sozialraumorientierte Planungskoordination (Testdaten)",
        "filing": {"key": "TEST-0815", "title": "Bürgerbeteiligung, Kiezkassen"},
    },
    "proposal": {
        "title": "Kiezkasse 2026: Vorschlag 4711 Baumscheiben begrünen",
        "url": "https://mein.example/vorschlag/4711",
    },
    "decision": {"approved_amount": Decimal("1500.00")},
    "case": {
        "id": "f1b114ab-d841-5699-93b9-d84b27de3438",
        "documents": [
            _document(
                1,
                "fa0c43c3-0590-554f-b262-c14e09b6485d",
                "Beschlussprotokoll der Bürgerversammlung",
                "8b26ea67-4651-5edb-a789-7346a690662c_Beschlussprotokoll.pdf",
                "protokoll.pdf",
                "77aea1f1da7e1d01eed85a67b6e70c7f26232bed259dd5bca2d7f349ca8c3cd1"
                "79700ffc4f10f9dd7de0edff11704257e681700c9117851a5e3e3fe96fd8df11",
            ),
            _document(
                2,
                "f63dd9f9-75b7-5fc9-95ec-b81e549f3b04",
                "Vorschlag 4711 aus mein.berlin",
                "cf8d0021-30b0-572c-b73d-49c9fc0fb45f_Vorschlag-4711.pdf",
                "vorschlag-4711.pdf",
                "d02f152bbd89854fb99c0e96d59adc14a47f14d345616e4a5275678a92cf08e2"
                "1237fd0e59e5562ed5658073fc680fde8e27cddab22265324b9c7195b20c59bd",
            ),
        ],
    },
}


def _canonical(source: bytes) -> bytes:
    return etree.tostring(etree.fromstring(source, etree.XMLParser(remove_blank_text=True)), method="c14n2")


def test_the_rules_reproduce_the_sample_message(content: Path) -> None:
    """The language is rich enough for a real message, and the schema supplies what no rule says."""
    folder = content / "mappings/outbound/case-xdomea-0401"
    folder.mkdir(parents=True)
    (folder / "mapping.yaml").write_bytes((DATA / "mapping-0401.yaml").read_bytes())

    written = load_mapping("case-xdomea-0401", content).write(ROOTS)

    assert _canonical(written) == _canonical((DATA / "sample-0401.xml").read_bytes())
    assert b"<xdomea:Abgabe.Abgabe.0401 " in written
