"""A standard packs its own messages; the engine asks by its name and knows nothing of ZIPs."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest

from kiezbruecke.errors import RecordError
from kiezbruecke.mapping import load_mapping
from kiezbruecke.records.views import MessageView
from kiezbruecke.standards import xdomea
from kiezbruecke.standards.packers import PACKERS, xml_of

ROOT = Path(__file__).parents[2]
PROCESS = UUID("0b0c5d0e-0000-5000-8000-000000000002")
XML = f'<x:Abgabe.Abgabe.0401 xmlns:x="{xdomea.NAMESPACE}"/>'.encode()
PDF = ("0b0c5d0e-0000-5000-8000-000000000005_Vorschlag.pdf", b"%PDF-1.7 a")
MESSAGE = MessageView(
    id=UUID(int=1),
    process_id=PROCESS,
    created_at=datetime(2026, 4, 27, tzinfo=UTC),
    effect="file.create",
    number=1,
    reference="KK26-090517-P0001-E1",
    voucher="",
)


def test_xdomea_packs_its_message_with_its_documents() -> None:
    """Names as the specification asks; what XTA must know beside the bytes is told."""
    made = PACKERS["xdomea"].pack(MESSAGE, XML, [PDF])
    unpacked = xdomea.unpack(made.payload)

    assert made.file_name == f"{PROCESS}_0401_1.zip"
    assert made.media_type == "application/zip"
    assert made.facts == {"message_type": {"code": "0401"}, "process_id": str(PROCESS), "objects": []}
    assert (unpacked.xml_name, unpacked.xml) == (f"{PROCESS}_0401_1.xml", XML)
    assert list(unpacked.files.items()) == [PDF]


@pytest.mark.parametrize("name", sorted(PACKERS))
def test_the_xml_comes_out_as_it_went_in(name: str) -> None:
    """The workbench looks into stored messages, whatever their standard."""
    made = PACKERS[name].pack(MESSAGE, XML, [PDF])

    assert xml_of(made.payload, made.media_type) == XML
    assert made.payload == PACKERS[name].pack(MESSAGE, XML, [PDF]).payload


def test_what_nobody_packs_is_as_it_is() -> None:
    """XML travels as it was written; a table's line holds none."""
    assert xml_of(b"<a/>", "application/xml") == b"<a/>"
    assert xml_of(b"a;b", "text/csv") is None
    with pytest.raises(RecordError):
        xml_of(b"PK", "application/zip")


@pytest.mark.parametrize(
    ("name", "reads"), [("case-xdomea-0401", True), ("commitment-hkr", False), ("case-statusliste", False)]
)
def test_documents_are_made_for_mappings_that_read_them(name: str, reads: bool) -> None:
    """They cost more than all the rest of a message."""
    mapping = load_mapping(name, ROOT)

    assert mapping.uses("case.documents") is reads
    assert mapping.uses("case")
    assert not mapping.uses("case.document")
