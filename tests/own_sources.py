"""Schemas that nobody has seen, mappings upon them, and records: JSON, XML and the line of a sheet."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from shutil import copyfile
from typing import Any

DATA = Path(__file__).parent / "mapping" / "data" / "own"
MAPPINGS = ("rechnung", "lieferung", "bestellung")
PLACES = {
    "invoice.schema.json": "schemas/json/invoice.schema.json",
    "beleg.xsd": "schemas/beleg/1/profile.xsd",
    "lieferung.xsd": "schemas/lieferung/1/profile.xsd",
    "bestellungen.yaml": "schemas/tables/bestellungen.yaml",
    **{f"{name}.yaml": f"mappings/outbound/{name}/mapping.yaml" for name in MAPPINGS},
}
INVOICE: dict[str, Any] = {
    "number": "R-0001",
    "issued": "2026-04-24",
    "sent_at": "2026-04-24T08:30:00Z",
    "currency": "EUR",
    "paid": True,
    "total": Decimal("850.50"),
    "reminders": 2,
    "buyer": {
        "name": "Verein Beispiel",
        "address": {"street": "Musterweg 1", "city": "Musterort", "country": "DE"},
    },
    "notes": ["eins", "zwei & drei"],
    "batches": [
        {
            "label": "vorn",
            "lines": [
                {"article": "Holz", "quantity": 1.125, "price": Decimal("2.50"), "taxes": [{"rate": 19}, {"rate": 7}]},
                {"article": "Leim", "quantity": 3, "price": 4},
            ],
        },
        {"label": "hinten", "lines": [{"article": "Nägel", "quantity": 100, "price": Decimal("0.02"), "taxes": []}]},
    ],
}
DELIVERY = """\
<l:Lieferung xmlns:l="urn:beispiel:lieferung" nr="{nr}"><l:Tag>{tag}</l:Tag><l:Wert>850.5</l:Wert><l:Geld>EUR</l:Geld>\
<l:Bezahlt>true</l:Bezahlt><l:Empfaenger>{an}</l:Empfaenger>\
<l:Kiste name="A"><l:Ware menge="3" preis="2.5">Holz</l:Ware><l:Ware menge="{menge}" preis="1">Leim</l:Ware></l:Kiste>\
<l:Kiste name="B"><l:Ware menge="1" preis="0.125">Nägel</l:Ware></l:Kiste></l:Lieferung>
"""
ORDER = {
    "Nr.": "B-7",
    "Bestellt am": "24.4.2026",
    "Betrag (€)": "1.000,50 €",
    "Bezahlt": "ja",
    "Name": "Verein Beispiel",
    "Artikel": "Zelt",
    "Anzahl": "3",
}


def furnish(root: Path) -> Path:
    """Put the schemas and the mappings into a content root."""
    for folder in ("mappings/routes", "mappings/codelists"):
        (root / folder).mkdir(parents=True, exist_ok=True)
    for name, place in PLACES.items():
        (root / place).parent.mkdir(parents=True, exist_ok=True)
        copyfile(DATA / name, root / place)
    return root


def delivery(**other: str) -> bytes:
    """A record in XML, with something else in a few places."""
    return DELIVERY.format(**{"nr": "L-1", "tag": "2026-04-24", "an": "Verein Beispiel", "menge": "2"} | other).encode()
