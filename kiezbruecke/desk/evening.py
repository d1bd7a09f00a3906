"""Every evening: both sides' sums of all processes into files of that day, and a loud failure where they differ."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from kiezbruecke.desk.sums import Reconciliation, reconciliation
from kiezbruecke.errors import Differing
from kiezbruecke.german import BERLIN, count
from kiezbruecke.house import House
from kiezbruecke.machine import write_file

_MOST = 3  # sentences in the error; the files have the rest


def close_the_day(house: House, at: datetime) -> Mapping[str, int]:
    """Write `abgleich-<day>.csv`, `.xlsx`, `.html`, `.txt` into the house's folder, in place of an earlier run's.

    Then raise Differing where a sum differs or a budget is not what its cases add up to; the files are there by then.
    Gives counts only.
    """
    from kiezbruecke.desk.sums_files import FORMS  # noqa: PLC0415 - openpyxl takes its time

    found = reconciliation(house, (), at)
    if house.reports is not None:
        for ending, form in FORMS.items():
            write_file(house.reports / f"abgleich-{at.astimezone(BERLIN):%Y-%m-%d}{ending}", form(found))
    _refuse_difference(found)
    return {
        "areas": sum(1 for one in found.areas if one.area),
        "hanging": len(found.hanging),
        "late": len(found.late),
        "unmatched": len(found.unmatched),
    }


def _refuse_difference(found: Reconciliation) -> None:
    wrong = [*found.broken, *(text for one in found.differing for text in one.sentences())]
    if wrong:
        more = len(wrong) - _MOST
        rest = [f"und {count(more, 'weiterer', 'weitere')}"] if more > 0 else []
        raise Differing(
            "Beim Abgleich stimmen Summen nicht: " + "; ".join([*wrong[:_MOST], *rest]),
            helps="die Dateien des Tages und kiezbruecke reconcile zeigen alles",
        )
