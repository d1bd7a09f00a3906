"""What texts our records hold where their type says no more than 'text': one or two that show the form of a field.

They are probes: a target that refuses one of them will refuse such a text some day.
"""

from __future__ import annotations

from uuid import UUID

from kiezbruecke.mapping.language.paths import SourcePath
from kiezbruecke.mapping.schema.models import OPEN_ROOTS, Type
from kiezbruecke.mapping.schema.pattern_example import example_of
from kiezbruecke.mapping.schema.tree import Leaf
from kiezbruecke.mapping.values import Kind

PROSE = ("Sommerfest am Wasser", "Müggelheim: Bänke, 2. Teil")
_UUID = "4c760250-54b9-51da-b98d-115d22133b41"
_REFERENCES = ("2026-00001", "P-1")
_MARKS = ("KK26-090517-00001-F1",)
# By root and field where fields of one name differ, else by the field's name.
_FORMS: dict[str, tuple[str, ...]] = {
    "area.id": ("090416",),
    "area_id": ("090416",),
    "area_list": ("bezirksregionen-tk",),
    "bezirk_id": ("09",),
    "bic": ("COBADEFFXXX",),
    "budget.title": ("68406",),
    "case.reference": _REFERENCES,
    "chapter": ("2729",),
    "commitment.reference": _MARKS,
    "commitment_reference": _MARKS,
    "created_at": ("2026-04-24T08:30:00+02:00",),
    "effect": ("file.create", "commitment.book"),
    "email": ("verein@example.org",),
    "external_id": ("4711",),
    "file": (f"{_UUID}_Antrag.pdf",),
    "iban": ("DE89370400440532013000",),
    "lor_version": ("2021",),
    "media_type": ("application/pdf",),
    "message.reference": _MARKS,
    "modified_at": ("2026-04-24T08:30:00+02:00",),
    "origin": (f"{'0' * 64}:2",),
    "payment.reference": _MARKS,
    "pdf_version": ("1.4",),
    "phone": ("030 1234567",),
    "process.id": ("kk-tk-2026",),
    "process_id": ("kk-tk-2026",),
    "protocol_ref": ("BVV 4/26",),
    "reference_number": _REFERENCES,
    "reference_prefix": ("KK26",),
    "related_reference": _MARKS,
    "sha512": ("0" * 128,),
    "sheet": ("beschluesse.xlsx",),
    "slug": ("baeume-am-ufer",),
    "source": ("meinberlin",),
    "source_status": ("ACCEPTED",),
    "url": ("https://mein.example.org/vorschlaege/2026-00001/",),
    "voucher": ("00000001",),
}
_WRITTEN: dict[Kind, tuple[str, ...]] = {  # as XML and JSON write what they hold as texts
    "boolean": ("true", "false", "1", "0"),
    "date": ("2026-04-24", "2026-12-01"),
    "decimal": ("1", "0.5", "850.50", "12345.67"),
    "integer": ("1", "26", "2026"),
    "moment": ("2026-04-24T08:30:00Z", "2026-04-24T08:30:00+02:00", "2026-04-24T08:30:00"),
}
_UUID_LENGTH = 36
_SURE = frozenset(  # every value of these looks like the ones above, so a step that reads none of them reads nothing
    {"area.id", "area_id", "bezirk_id", "case.reference", "reference_number", "sha512", "voucher"}
)
_COUNTS = (0, 12)
_NUMBERS: dict[str, tuple[int, ...]] = {
    "abstain": _COUNTS,
    "comments": _COUNTS,
    "contra": _COUNTS,
    "fiscal_year": (2026, 2027),
    "index": (1, 12),
    "no": _COUNTS,
    "number": (1, 12),
    "pro": _COUNTS,
    "rank": (1, 12),
    "row": (2, 345),
    "votes": _COUNTS,
    "yes": _COUNTS,
}


def texts_of(path: SourcePath, found: Type) -> tuple[str, ...]:
    """Texts such as a record holds at a path; nothing for what is open, whose texts nobody here knows."""
    if found.leaf is not None:
        return _of_shape(found.leaf) if found.kind == "text" else ()
    if path.root in OPEN_ROOTS or path.root == "envelope" or found.kind != "text":
        return ()
    if found.max_length == _UUID_LENGTH:
        return (_UUID,)
    last = path.steps[-1].name if path.steps else ""
    return _FORMS.get(f"{path.root}.{last}") or _FORMS.get(last, PROSE)


def _of_shape(leaf: Leaf) -> tuple[str, ...]:
    """Texts that the schema of a source takes."""
    patterns = [example_of(pattern) for step in leaf.patterns[-1:] for pattern in step]
    given = _WRITTEN.get(leaf.kind, (*filter(None, patterns), *PROSE))
    texts = (text[: leaf.max_length].strip() for text in given)
    return tuple(dict.fromkeys(text for text in texts if not leaf.refusal(text)))


def is_sure(path: SourcePath, found: Type, texts: tuple[str, ...]) -> bool:
    """Whether every text at a path has the form of these."""
    if found.leaf is not None:
        return bool(texts) and found.means in _WRITTEN
    last = path.steps[-1].name if path.steps else ""
    return bool(texts) and (texts == (_UUID,) or f"{path.root}.{last}" in _SURE or last in _SURE)


def numbers_of(path: SourcePath, found: Type) -> tuple[int, ...]:
    """Whole numbers such as a record holds at a path; nothing where nobody knows."""
    if found.kind != "integer" or not path.steps:
        return ()
    last = path.steps[-1].name
    of_others = found.leaf is not None or path.root in OPEN_ROOTS
    return () if of_others and last != "row" else _NUMBERS.get(last, ())


def is_uuid(text: str) -> bool:
    """Whether a text is a UUID as our records write it."""
    try:
        return str(UUID(text)) == text.lower()
    except ValueError:
        return False
