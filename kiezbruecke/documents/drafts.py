"""The papers that people sign when money is granted and paid, as drafts: Zuwendungsbescheid and Auszahlungsanordnung.

Nothing is decided here: what the ledger knows is set into a template, and the page says that it is a draft. A Bescheid
goes to the applicant and names them; of an account only the masked IBAN is ever known here.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Final

from kiezbruecke import german
from kiezbruecke.documents.sheets import Setting, decision_title, euro, german_date, proposal_title, values_of
from kiezbruecke.records import Application, Decision, Payments, Proposal

NOTICE: Final = "bescheid"
ORDER: Final = "anordnung"


@dataclass(frozen=True)
class GrantedProject:
    """What was decided and applied for."""

    proposal: Proposal | None
    decision: Decision
    application: Application
    amount: Decimal
    """Euros that the decision grants"""
    fiscal_year: int
    budget_line: str
    """Kapitel/Titel"""
    legal_basis: tuple[str, ...]
    payments: Payments


@dataclass(frozen=True)
class PaymentOrder:
    """An order as it was written: what will be paid, when, under which numbers."""

    amount: Decimal
    due_on: date
    voucher: str
    commitment: str
    """Fremdkennzeichen of the Festlegung"""
    purpose: str
    state: str
    """In German"""


def values_of_notice(grant: GrantedProject, setting: Setting) -> dict[str, Any]:
    """`data.…` of a Bescheid: all that a document of the case knows, and `data.grant`."""
    application, terms = grant.application, grant.payments
    return _values(grant, setting) | {
        "grant": {
            "applicant": application.applicant_name,
            "applied_on": _day(application.applied_on),
            "notice_on": _day(application.notice_on),
            "amount": euro(grant.amount),
            "expected_costs": euro(application.expected_costs),
            "starts_on": _day(application.starts_on),
            "account": application.account_hint,
            "fiscal_year": str(grant.fiscal_year),
            "budget_line": grant.budget_line,
            "legal_basis": "; ".join(grant.legal_basis),
            "use_by": f"innerhalb von {german.count(terms.use_by_months, 'Monat', 'Monaten')}",
            "proof_by": f"innerhalb von {german.count(terms.proof_months, 'Monat', 'Monaten')}",
        }
    }


def values_of_order(grant: GrantedProject, order: PaymentOrder, setting: Setting) -> dict[str, Any]:
    """`data.…` of an Anordnung: all that a document of the case knows, and `data.order`."""
    application = grant.application
    return _values(grant, setting) | {
        "order": {
            "amount": euro(order.amount),
            "due_on": german_date(order.due_on),
            "voucher": order.voucher,
            "commitment": order.commitment,
            "purpose": order.purpose,
            "state": order.state,
            "payee": application.applicant_name,
            "account": application.account_hint,
            "notice_on": _day(application.notice_on),
            "fiscal_year": str(grant.fiscal_year),
            "budget_line": grant.budget_line,
        }
    }


def _values(grant: GrantedProject, setting: Setting) -> dict[str, Any]:
    title = proposal_title(grant.proposal, grant.decision) if grant.proposal else decision_title(grant.decision)
    return {**values_of(grant.proposal, grant.decision, setting), "title": title}


def _day(given: date | None) -> str:
    return german_date(given) if given else ""
