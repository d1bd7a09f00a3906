"""From the mapping to their books and back: what a mapping writes is taken, what they say becomes a receipt."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from connectors.hkr_file.stack import Sender, write_stack
from kiezbruecke.connector import BatchHead, Message
from kiezbruecke.mapping import load_mapping
from kiezbruecke.mapping.schema.tables import read_table

from .conftest import ROOT, WHEN, Desk, order

OUT = ROOT / "mappings" / "outbound"
BOUND, PAID = "KK26-090416-00001-F1", "KK26-090416-00001-Z1"


def written(mapping: str, example: str, like: Message) -> Message:
    """The golden bytes of an example, as a message of the same order."""
    [file] = (OUT / mapping / "examples").glob(f"{example}.expected.[tc]*")
    return replace(like, payload=file.read_bytes())


@pytest.mark.parametrize("layout", ["fixed", "csv"])
def test_what_the_mappings_write_is_booked_and_answered(open_desk: Callable[..., Desk], layout: str) -> None:
    """Commitment, change, payment; then a receipt for each, with the amount to the cent."""
    desk = open_desk("folder").with_(profile=f"kiezbruecke-{layout}")
    end = "" if layout == "fixed" else "-csv"
    change = "KK26-090416-00001-F2"
    messages = [
        written(f"commitment-hkr-file{end}", "full", order(BOUND)),
        written(f"payment-hkr-file{end}", "full", order(PAID, art="20")),
    ]
    desk.send(*messages)
    assert desk.events() == {BOUND: "FESTGELEGT", PAID: "GEBUCHT"}
    desk.send(written(f"commitment-hkr-file{end}", "aenderung", order(change, art="11")), id="KK26-S-0002")
    assert desk.events()[change] == "FESTGELEGT"

    mapping = load_mapping("hkr-file-rueckmeldung", ROOT)
    receipts = [_receipt(mapping, item) for item in desk.fetch()]
    assert [(one.reference, one.event, str(one.amount)) for one in receipts] == [
        (BOUND, "FESTGELEGT", "850.00"),
        (PAID, "GEBUCHT", "850.00"),
        (change, "FESTGELEGT", "700.00"),
    ]


def _receipt(mapping, item):
    envelope = {"source": "hkr-datei", "external_id": item.external_id, "kind": item.kind, "raw_ref": item.raw_ref}
    return mapping.read(item, {"envelope": envelope})


@pytest.mark.parametrize(
    ("mapping", "layout", "art"),
    [("payment-hkr-file-f15z", "f15z-like", "Z"), ("payment-hkr-file-mach", "mach-like", "11")],
)
def test_the_two_examples_of_other_systems_make_a_file(mapping: str, layout: str, art: str) -> None:
    """The layout, and an overlay that says what is different."""
    message = written(mapping, "full", order(PAID, layout=layout, art=art, effect="payment.order"))
    body = write_stack(
        read_table(ROOT, layout),
        BatchHead("KK26-S-0001", "x", WHEN, 2026),
        Sender("BA-TK-SPK", "KIEZBRUECKE"),
        [message],
    )

    assert message.payload in body
