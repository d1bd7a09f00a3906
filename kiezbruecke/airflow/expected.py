"""Did the demonstration come out as it must? The expectation was computed from the story, not by this software."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

from kiezbruecke.airflow.table import area_of, is_filed
from kiezbruecke.ledger import Ledger
from kiezbruecke.ledger.reading import StoredCase, read_process_cases
from kiezbruecke.records import CommitmentState

Case = tuple[str, str]  # reference number, area: a paper proposal's number is unique in its area only


def differences(ledger: Ledger, file: Path, process_id: str) -> list[str]:
    """What is missing, too much or of another sum; German, one line each, no titles.

    Cases that a sheet of the visitor's own speaks about are left out: of them nothing is expected.
    """
    expected = {
        (line["reference"], line["area"]): Decimal(line["amount"])
        for line in json.loads(file.read_text("utf-8"))["accepted"]
    }
    sheets = {sheet.name for sheet in (file.parent / "beschluesse").iterdir()}
    cases = []
    for case in read_process_cases(ledger, process_id, 0).cases:
        if all(decision.sheet in sheets for decision in case.decisions):
            cases.append(case)
        else:
            expected.pop(_case(case), None)
    filed = {_case(case) for case in cases if is_filed(case)}
    booked = {
        _case(case): case.commitment.amount
        for case in cases
        if case.commitment and case.commitment.state is CommitmentState.BOOKED
    }
    return [
        *(f"{_name(case)} fehlt in der E-Akte" for case in sorted(expected.keys() - filed)),
        *(f"{_name(case)} gehört nicht in die E-Akte" for case in sorted(filed - expected.keys())),
        *_sums(expected, booked),
    ]


def _sums(expected: dict[Case, Decimal], booked: dict[Case, Decimal]) -> list[str]:
    return [
        f"{_name(case)}: festgelegt {booked.get(case, 'nichts')}, erwartet {expected.get(case, 'nichts')}"
        for case in sorted(expected.keys() | booked.keys())
        if expected.get(case) != booked.get(case)
    ]


def _case(case: StoredCase) -> Case:
    return case.reference, area_of(case)


def _name(case: Case) -> str:
    return f"{case[0]} ({case[1]})"
