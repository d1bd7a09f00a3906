"""The documents of a case: what a proposal and its decision look like on paper, the same bytes every time."""

from kiezbruecke.documents.case import PDF_VERSION, Document, documents_for
from kiezbruecke.documents.sheets import Setting
from kiezbruecke.documents.templates import DEFAULT, PARTS, Templates, find_templates

__all__ = [
    "DEFAULT",
    "PARTS",
    "PDF_VERSION",
    "Document",
    "Setting",
    "Templates",
    "documents_for",
    "find_templates",
]
