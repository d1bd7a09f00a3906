"""The documents of a case: what a proposal and its decision look like on paper, the same bytes every time."""

from kiezbruecke.documents.case import Document, documents_for
from kiezbruecke.documents.pdf import PDF_VERSION
from kiezbruecke.documents.sheets import decision_pdf, paper_proposal_pdf, proposal_pdf

__all__ = [
    "PDF_VERSION",
    "Document",
    "decision_pdf",
    "documents_for",
    "paper_proposal_pdf",
    "proposal_pdf",
]
