"""What things are: the canonical model. Changing a record is an architecture decision."""

from kiezbruecke.records.base import CENT, Moment, Money, Record, Text, name_id
from kiezbruecke.records.money import (
    SEPA,
    Account,
    Application,
    Channel,
    Commitment,
    CommitmentState,
    GrantState,
    OrderState,
    Payments,
    Settlement,
)
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
    for record in (
        Account,
        Applicant,
        Application,
        Area,
        Budget,
        Commitment,
        Decision,
        Paper,
        Process,
        Proposal,
        Receipt,
        Settlement,
    )
}

__all__ = [
    "CENT",
    "RECORDS",
    "SEPA",
    "Account",
    "Applicant",
    "Application",
    "Area",
    "Assemblies",
    "Budget",
    "BudgetStatus",
    "Channel",
    "Commitment",
    "CommitmentState",
    "Counts",
    "Decision",
    "GrantState",
    "Module",
    "Moment",
    "Money",
    "OrderState",
    "Outcome",
    "Paper",
    "Part",
    "Payments",
    "Point",
    "Process",
    "Proposal",
    "ProposalStatus",
    "Receipt",
    "ReceiptOutcome",
    "Record",
    "Settlement",
    "Text",
    "Votes",
    "name_id",
]
