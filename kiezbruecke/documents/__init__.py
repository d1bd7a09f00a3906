"""The documents of a case: what a proposal and its decision look like on paper, the same bytes every time."""

from kiezbruecke.documents.case import PDF_VERSION, Document, documents_for
from kiezbruecke.documents.drafts import NOTICE, ORDER, GrantedProject, PaymentOrder, values_of_notice, values_of_order
from kiezbruecke.documents.sheets import Setting
from kiezbruecke.documents.templates import DEFAULT, PARTS, Templates, find_templates

__all__ = [
    "DEFAULT",
    "NOTICE",
    "ORDER",
    "PARTS",
    "PDF_VERSION",
    "Document",
    "GrantedProject",
    "PaymentOrder",
    "Setting",
    "Templates",
    "documents_for",
    "find_templates",
    "values_of_notice",
    "values_of_order",
]
