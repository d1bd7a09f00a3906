"""What things are: the canonical model. Changing a record is an architecture decision."""

from kiezbruecke.records.base import CENT, Moment, Money, Record, Text, name_id
from kiezbruecke.records.money import Commitment, CommitmentState
from kiezbruecke.records.participation import (
    Applicant,
    Area,
    Assemblies,
    Budget,
    BudgetStatus,
    Counts,
    Decision,
    Module,
    Outcome,
    Paper,
    Point,
    Process,
    Proposal,
    ProposalStatus,
    Votes,
)
from kiezbruecke.records.receipt import Part, Receipt, ReceiptOutcome

RECORDS: dict[str, type[Record]] = {
    record.__name__: record
    for record in (Applicant, Area, Budget, Commitment, Decision, Paper, Process, Proposal, Receipt)
}

__all__ = [
    "CENT",
    "RECORDS",
    "Applicant",
    "Area",
    "Assemblies",
    "Budget",
    "BudgetStatus",
    "Commitment",
    "CommitmentState",
    "Counts",
    "Decision",
    "Module",
    "Moment",
    "Money",
    "Outcome",
    "Paper",
    "Part",
    "Point",
    "Process",
    "Proposal",
    "ProposalStatus",
    "Receipt",
    "ReceiptOutcome",
    "Record",
    "Text",
    "Votes",
    "name_id",
]
