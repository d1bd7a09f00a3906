"""The work that all ways do: generated cases like mein.berlin's, and blocks of payments. Same number, same record.

case_roots(i)      what case-xdomea-0401 reads: a decided proposal with its documents, a message of about 7 kB
payment_roots(i)   what payment-batch reads: one pain.001 of BLOCK entries
proposal_json(i)   the canonical proposal as JSON bytes; platform_json(i) the same as the platform shows it
"""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from kiezbruecke.records import (
    Budget,
    BudgetStatus,
    Commitment,
    CommitmentState,
    Decision,
    Outcome,
    Process,
    Proposal,
    ProposalStatus,
)
from kiezbruecke.records.base import name_id
from kiezbruecke.records.identity import case_id
from kiezbruecke.records.views import CaseView, DocumentView, MessageView

ROOT = Path(__file__).resolve().parents[1]
CONTENT = ROOT / "benchmarks" / "content"
RECORDS = 10_000
BLOCK = 100  # entries of one pain.001
PROCESS = "kk-tk-2026"

_OF_PROCESS = Process(id=PROCESS, name="Kiezkassen 2026", reference_prefix="KK26", bezirk_id="09", fiscal_year=2026)
_BEGAN = datetime(2026, 2, 3, 9, 0, tzinfo=UTC)
_AREAS = (("090416", "Müggelheim"), ("090311", "Grünau"), ("090207", "Adlershof"), ("090517", "Friedrichshagen"))
AREA_IDS = tuple(sorted(area for area, _ in _AREAS))
_WHAT = (
    "Sommerfest",
    "Bänke",
    "Lesepatenschaften",
    "Hochbeete & Werkzeug",
    "Trikots",
    'Chor "Die Möwen"',
    "Spielgeräte",
)
_WHERE = (
    "am Müggelseedamm: Bühne & <Musik>",
    "für die Grundschule an der Dahme",
    "im Kiezklub  Rathaus Johannisthal",
    "auf dem Bölscheplatz (Süßes, Kaffee, Flohmarkt)",
    "– Verein „Änne & Søren“ e. V.",
)
_ROUTE = {
    "sender": {"institution": "Bezirksamt Treptow-Köpenick von Berlin (Testdaten)", "unit": "Kiezbrücke"},
    "receiver": {"institution": "Bezirksamt Treptow-Köpenick von Berlin (Testdaten)", "unit": "E-Akte, Poststelle"},
    "unit": "Sozialraumorientierte Planungskoordination (SPK)",
    "filing": {"key": "TEST-0815", "title": "Bürgerbeteiligung, Kiezkassen"},
}
_DEBTOR = {"name": "Bezirksamt Treptow-Köpenick von Berlin", "iban": "DE02100500000054540402", "bic": "BELADEBEXXX"}
_IBANS = ("DE02500105170137075030", "DE02120300000000202051", "DE02300209000106531065")


def reference(i: int) -> str:
    """The reference number of proposal `i`."""
    return f"2026-{i + 1:05d}"


def title(i: int) -> str:
    """A title as residents write them: umlauts, quotes, ampersands, doubled blanks."""
    return f"{_WHAT[i % len(_WHAT)]} {_WHERE[i % len(_WHERE)]} Nr. {i + 1}"


def proposal(i: int) -> Proposal:
    """Proposal `i` as our record."""
    return Proposal.model_validate(_proposal(i))


def proposal_json(i: int) -> bytes:
    """Proposal `i` as JSON, in the form of `schemas/canonical/Proposal.json`."""
    return json.dumps(_proposal(i), ensure_ascii=False).encode()


def platform_json(i: int) -> bytes:
    """Proposal `i` as the mein.berlin connector hands it over."""
    area, _ = _AREAS[i % len(_AREAS)]
    known = _proposal(i)
    body = {
        "pk": i + 1,
        "reference_number": reference(i),
        "name": known["title"],
        "detail_url": known["url"],
        "creator": known["creator_name"],
        "created": known["created_at"],
        "modified": known["modified_at"],
        "moderator_status": "ACCEPTED",
        "get_moderator_status_display": "wird umgesetzt",
        "comment_count": 2,
        "positive_rating_count": 14,
        "negative_rating_count": 1,
        "vote_count": 3,
        "is_archived": False,
        "point": known["point"],
        "point_label": known["point_label"],
        "asked_text": f"{1 + i % 2}.{100 + i % 900}€",
        "category": known["category"],
        "labels": known["labels"],
        "module": {"id": 11, "type": "budgeting", "area": area},
        "description": known["description_text"],
        "feedback": "",
    }
    return json.dumps(body, ensure_ascii=False).encode()


def case_roots(i: int, given: Proposal | None = None) -> dict[str, Any]:
    """Everything an e-file message reads of case `i`; `given` takes the place of its proposal."""
    area, area_name = _AREAS[i % len(_AREAS)]
    case = case_id(PROCESS, reference(i))
    decided = _decided_on(i)
    return {
        "case": CaseView(
            id=case,
            process_id=PROCESS,
            area_id=area,
            area_name=area_name,
            reference=reference(i),
            title=title(i),
            documents=tuple(_document(i, index, decided) for index in (1, 2, 3)),
        ),
        "proposal": given or proposal(i),
        "decision": decision(i),
        "message": _message(i, f"KK26-{area}-{i + 1:05d}-E1", "file.create"),
        "process": _OF_PROCESS,
        "route": _ROUTE,
    }


def decision(i: int) -> Decision:
    """The line of a decision sheet that accepts proposal `i`."""
    return Decision(
        origin=f"sheet:{i + 2}",
        sheet="beschluesse.xlsx",
        row=i + 2,
        process_id=PROCESS,
        area_id=_AREAS[i % len(_AREAS)][0],
        decided_on=_decided_on(i),
        reference_number=reference(i),
        title=title(i),
        outcome=Outcome.ACCEPTED,
        approved_amount=Decimal(10000 + i * 7 % 90000) / 100,
    )


def budgets() -> list[Budget]:
    """A budget for each area, large enough for all."""
    return [_budget(row, area) for row, area in enumerate(AREA_IDS, 2)]


def payment_roots(i: int) -> dict[str, Any]:
    """Everything a block of BLOCK credit transfers reads."""
    payments = [_payment(i * BLOCK + entry) for entry in range(BLOCK)]
    area, area_name = _AREAS[i % len(_AREAS)]
    case = case_id(PROCESS, reference(i))
    name = f"KK26-{i + 1:05d}-F1"
    return {
        "case": CaseView(
            id=case, process_id=PROCESS, area_id=area, area_name=area_name, reference=reference(i), title=title(i)
        ),
        "commitment": Commitment(
            case_id=case,
            process_id=PROCESS,
            area_id=area,
            fiscal_year=2026,
            amount=sum((payment["amount"] for payment in payments), Decimal(0)),
            state=CommitmentState.REQUESTED,
            reference=name,
        ),
        "message": _message(i, name, "commitment.book"),
        "route": {
            "count": len(payments),
            "execution_date": date(2026, 11, 25),
            "debtor": _DEBTOR,
            "payments": payments,
        },
    }


def _decided_on(i: int) -> date:
    return date(2026, 4, 24) + timedelta(days=i % 60)


def _budget(row: int, area: str) -> Budget:
    return Budget(
        origin=f"budgets:{row}",
        process_id=PROCESS,
        fiscal_year=2026,
        area_id=area,
        amount=Decimal("99999999.00"),
        chapter="5950",
        title="97113",
        status=BudgetStatus.RELEASED,
        valid_from=date(2026, 1, 1),
    )


def _proposal(i: int) -> dict[str, Any]:
    area, area_name = _AREAS[i % len(_AREAS)]
    created = _BEGAN + timedelta(minutes=i)
    return {
        "source": "meinberlin-tk",
        "external_id": str(i + 1),
        "reference_number": reference(i),
        "process_id": PROCESS,
        "module_id": 11,
        "area_id": area,
        "area_origin": "module",
        "url": f"https://mein.example/budgeting/{reference(i)}/?a=1&b=2" if i % 10 else "",
        "title": title(i),
        "description_text": f"Wir möchten in {area_name} etwas bewegen. Kosten: Material 900 €, Werkzeug 200 €.",
        "category": "Kultur und Feste",
        "labels": ["Ehrenamt", "Fest"],
        "requested_amount": f"{1000 + i % 900}.00",
        "point": {"lon": 13.6 + i % 100 / 1000, "lat": 52.4},
        "point_label": "S-Bhf Friedrichshagen",
        "created_at": created.isoformat(),
        "modified_at": (created + timedelta(days=3)).isoformat(),
        "source_status": "ACCEPTED",
        "source_status_label": "wird umgesetzt",
        "status": ProposalStatus.ACCEPTED.value,
        "counts": {"pro": 14, "contra": 1, "comments": 2, "votes": 3},
        "creator_name": "Änne Müßig",
    }


def _document(i: int, index: int, decided: date) -> DocumentView:
    kind = ("Vorschlag", "Beschluss", "Protokoll")[index - 1]
    name = f"{kind}-{reference(i)}.pdf"
    return DocumentView(
        id=name_id("document", str(i), str(index)),
        index=index,
        title=f"{kind} vom {decided:%d.%m.%Y} zu {reference(i)}",
        file=f"{name_id('file', str(i), str(index))}_{name}",
        original=name,
        media_type="application/pdf",
        pdf_version="2a",
        sha512=hashlib.sha512(f"{i}:{index}".encode()).hexdigest(),
    )


def _message(i: int, name: str, effect: str) -> MessageView:
    return MessageView(
        id=name_id("message", effect, str(i)),
        process_id=name_id("process", str(i)),
        created_at=datetime(2026, 5, 4, 4, 15, tzinfo=UTC) + timedelta(milliseconds=i),
        effect=effect,
        number=1,
        reference=name,
        voucher=f"{i + 1:08d}",
    )


def _payment(i: int) -> dict[str, Any]:
    return {
        "reference": f"KK26-{i + 1:06d}-A1",
        "amount": Decimal(100 + i * 37 % 250_000) / 100,
        "payee": f"Verein {_WHAT[i % len(_WHAT)]} e. V.",
        "street": f"Bölschestraße {1 + i % 200}" if i % 7 else "",
        "postcode": f"12{555 + i % 40}",
        "town": "Berlin",
        "iban": _IBANS[i % len(_IBANS)],
        "purpose": f"Kiezkasse 2026  {_WHERE[i % len(_WHERE)]}",
    }
