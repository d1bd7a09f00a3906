"""After `collect`: those who filled in a sheet hear what follows from its lines, now and whenever that changes.

What follows hangs on the platform, the budget, other sheets and the destinations' answers; so a run looks at the cases
that have changed since this route looked last, as a sending route does. Killed anywhere it looks again.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from kiezbruecke import attention
from kiezbruecke.attention import read_answers
from kiezbruecke.cases.join import Standing
from kiezbruecke.code import code_digest
from kiezbruecke.connector import Reporting
from kiezbruecke.content.routes import SendingRoute, route_places
from kiezbruecke.effects import effect
from kiezbruecke.effects.effect import digest
from kiezbruecke.effects.outlook import Way, what_follows, what_follows_for_budgets
from kiezbruecke.errors import ConfigurationError
from kiezbruecke.ledger import changes
from kiezbruecke.ledger.drafts import generation_of
from kiezbruecke.ledger.reading import read_budget_lines
from kiezbruecke.stages.work import Collecting, view_of


def tell(work: Collecting) -> None:
    """Hand the source the words for every line of which something may have changed."""
    if not isinstance(work.source, Reporting):
        return
    routes, process, ledger = live_routes(work.content, work.process.id), work.process, work.ledger
    budgets, verdicts = attention.read_verdicts(ledger, process)
    areas = [f"{area} {one.text if one else ''}" for area, one in sorted(verdicts.items())]
    inputs = digest(code_digest(), process.model_dump_json(), *(one.model_dump_json() for one in routes), *areas)
    look = changes.begin_look(ledger, work.route.name, process.id, inputs, everything=work.everything)
    cases = changes.cases_to_look_at(ledger, work.route.name, process.id, look)
    if look.nothing_new and not cases:
        return
    with ledger.read() as connection:
        told = what_follows_for_budgets(process, read_budget_lines(connection, process.id))
    for standings in attention.read_some_standings(ledger, process, cases, budgets, verdicts):
        told |= _of_cases(work, routes, standings)
    work.source.tell_what_follows(told)
    changes.remember_look(ledger, work.run, look)


def _of_cases(work: Collecting, routes: Sequence[SendingRoute], standings: Sequence[Standing]) -> dict[str, str]:
    ways = ways_of(work, routes, standings)
    return {line.origin: what_follows(one, line, ways) for one in standings for line in one.case.decisions}


def ways_of(work: Collecting, routes: Sequence[SendingRoute], standings: Sequence[Standing]) -> list[Way]:
    """The ways of these cases, with what people have answered about them."""
    answers = read_answers(work.ledger, [one.case.id for one in standings])
    return [
        Way(effect(one.effect), view_of(one, generation_of(work.ledger, one.destination), answers, work.content))
        for one in routes
    ]


def live_routes(content: Path, process_id: str) -> list[SendingRoute]:
    """The process's live routes; one that is broken says so itself."""
    found = []
    for place in route_places(content):
        try:
            route = place.read()
        except ConfigurationError:
            continue
        ours = isinstance(route, SendingRoute) and route.process == process_id
        if isinstance(route, SendingRoute) and ours and route.mode == "live" and route.environment == "live":
            found.append(route)
    return found
