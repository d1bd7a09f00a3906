"""Our sums against theirs, per area of a process, in euros."""

from __future__ import annotations

from decimal import Decimal

from kiezbruecke.content.processes import read_process
from kiezbruecke.desk.view import DeskView
from kiezbruecke.house import House
from kiezbruecke.ledger import money


class AreaSums(DeskView):
    """An area's money; all sums in euros."""

    area: str
    """Number of the Bezirksregion"""
    name: str
    budget: Decimal
    committed: Decimal
    """Bound of the budget: booked, or asked for"""
    free: Decimal
    ours: Decimal
    """Booked, by what the budget system has confirmed"""
    theirs: Decimal
    """Booked, by the budget system's own sums as it told them last"""

    @property
    def equal(self) -> bool:
        """Whether both sides say the same."""
        return self.ours == self.theirs


def sums(house: House, process_id: str) -> list[AreaSums]:
    """Every area that has a budget, by its number; three statements."""
    process = read_process(house.content, process_id)
    names = {area.id: area.name for area in process.areas}
    theirs = {area: one.committed for area, one in money.theirs(house.ledger, process.fiscal_year).items()}
    return [
        AreaSums(
            area=one.area_id,
            name=names.get(one.area_id, one.area_id),
            budget=money.euros(one.amount),
            committed=money.euros(one.committed),
            free=money.euros(one.amount - one.committed),
            ours=money.euros(one.booked),
            theirs=money.euros(theirs.get(one.area_id, 0)),
        )
        for one in money.balances(house.ledger, process_id)
    ]
