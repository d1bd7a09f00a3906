"""The source `decidim`: hands over proposals and budget projects of the components that the route names.

    schema of the server ─▶ what may be asked
    lists of all components ─▶ items `proposal`, `budget-project`; `proposal-problem`

All lists are read to their end before the first item is handed over: what a list does not name any more counts as
gone. A component that cannot be read, or hides something, is a gap, and nothing of it is gone. One odd node stops no
other.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeVar

from pydantic import ValidationError

from connectors.decidim.api import CALL_FAILED, Api
from connectors.decidim.capability import capability_of
from connectors.decidim.gaps import Gaps
from connectors.decidim.items import BudgetNode, Manner, ProjectNode, ProposalNode, flaw_of, project_body, proposal_body
from connectors.decidim.listing import Listed, Listing
from connectors.decidim.options import ComponentOption, Options
from connectors.decidim.settings import Settings
from kiezbruecke.connector import Connection, Context, Cursor, Gap, Handled, Item
from kiezbruecke.errors import ConfigurationError, KiezbrueckeError, SourceError
from kiezbruecke.troubles import Cause, trouble_of

Model = TypeVar("Model", ProposalNode, ProjectNode, BudgetNode)
PASSWORDS = (Cause.PASSWORD, Cause.FORBIDDEN)


class Decidim:
    """Reads what the route names; writes nothing."""

    def __init__(self, connection: Connection, context: Context) -> None:
        self._settings = Settings.from_connection(connection)
        self._options = Options.of(context.options, f"connection {connection.id}")
        self._api = Api(self._settings)
        self._gaps = Gaps(connection.id)

    def close(self) -> None:
        """Give the connections back."""
        self._api.close()

    def fetch(self, cursor: Cursor) -> Iterator[Item]:  # noqa: ARG002 - a full list needs none
        """All of all components at every call; equal bodies are nothing new to the engine."""
        self.close()
        self._api, self._gaps = Api(self._settings), Gaps(self._settings.connection)
        for items in self._read_components():
            yield from items

    def gaps(self) -> Sequence[Gap]:
        """Components that could not be read or hide something, and sums that cannot be meant."""
        return self._gaps.told()

    def acknowledge(self, handled: Sequence[Handled]) -> None:
        """Nothing: the platform does not know that it is read."""

    def _read_components(self) -> list[list[Item]]:
        """What of the components can be read; raises the first fault where none can."""
        read: list[list[Item]] = []
        faults: list[tuple[ComponentOption, KiezbrueckeError]] = []
        try:
            listing = Listing(self._api, self._settings, capability_of(self._api))
            components = self._options.components or tuple(
                ComponentOption(id=number) for number in listing.components(self._options.participatory_process)
            )
        except CALL_FAILED as error:
            raise self._broken(error) from error
        for component in components:
            try:
                read.append(list(self._items(component, listing.read(component.id))))
            except (*CALL_FAILED, SourceError, ConfigurationError) as error:
                faults.append((component, self._broken(error)))
        if not read:
            raise faults[0][1]
        for component, why in faults:
            self._gaps.unread(component.id, why)
        return read

    def _items(self, component: ComponentOption, listed: Listed) -> Iterator[Item]:
        manner = Manner(
            component.id,
            listed.kind,
            self._settings.locale,
            self._settings.address,
            self._options.participatory_process,
            component.area,
            component.budgets,
            component.taxonomies,
        )
        if listed.hidden:
            self._gaps.hidden(component.id, listed.hidden)
        if listed.kind == "Proposals":
            yield from self._proposals(listed, manner)
        else:
            yield from self._projects(listed, manner)

    def _proposals(self, listed: Listed, manner: Manner) -> Iterator[Item]:
        for node, read in self._read(ProposalNode, listed.nodes, manner):
            key, raw_ref = self._names(node, manner)
            if isinstance(read, str):
                yield _problem(key, "Der Vorschlag", node, read)
            else:
                yield Item("proposal", key, proposal_body(read, manner), raw_ref=raw_ref)

    def _projects(self, listed: Listed, manner: Manner) -> Iterator[Item]:
        budgets = [read for _, read in self._read(BudgetNode, listed.nodes, manner) if not isinstance(read, str)]
        hidden = sum(not isinstance(node, dict) for budget in budgets for node in budget.projects)
        if unseen := hidden + len(listed.nodes) - len(budgets):
            self._gaps.hidden(manner.component, unseen)
        for budget in budgets:
            nodes = [node for node in budget.projects if isinstance(node, dict)]
            for node, read in self._read(ProjectNode, nodes, manner):
                yield self._project(budget, node, read, manner)

    def _project(self, budget: BudgetNode, node: Mapping[str, Any], read: ProjectNode | str, manner: Manner) -> Item:
        key, raw_ref = self._names(node, manner)
        if isinstance(read, str):
            return _problem(key, "Das Projekt", node, read)
        body = project_body(read, budget, manner)
        if read.budget_amount is not None and body["budget_amount"] is None:
            self._gaps.odd_sum(key, body["number"])
        return Item("budget-project", key, body, raw_ref=raw_ref)

    def _names(self, node: Mapping[str, Any], manner: Manner) -> tuple[str, str]:
        """External id and raw_ref: keys count for proposals and for projects, so the component belongs to them."""
        key = f"{manner.component}/{node.get('id')}"
        return key, f"{self._settings.endpoint}#{manner.kind}/{key}"

    def _read(
        self, model: type[Model], nodes: Sequence[Mapping[str, Any]], manner: Manner
    ) -> list[tuple[Mapping[str, Any], Model | str]]:
        """Each node as we know it, or the name of the field that is not as it should be; raises SourceError where
        none is: one odd node is a problem of its own, nothing but odd ones is another schema."""
        pairs = [(node, _as_known(model, node)) for node in nodes]
        flaws = [read for _, read in pairs if isinstance(read, str)]
        if flaws and len(flaws) == len(nodes) > 1:
            raise SourceError(
                f"field '{flaws[0]}' of {model.__name__} has another form than before",
                where=f"connection {self._settings.connection}, component {manner.component}",
                expected="the schema of Decidim 0.30 to 0.32",
                helps="nothing was taken over; has Decidim been updated?",
            )
        return pairs

    def _broken(self, error: Exception) -> KiezbrueckeError:
        if isinstance(error, SourceError | ConfigurationError):
            return error
        what = error.what if isinstance(error, KiezbrueckeError) else _words(error)
        trouble = trouble_of(error)
        where = f"connection {self._settings.connection}, POST /api"
        if trouble is not None and trouble.cause in PASSWORDS:
            return ConfigurationError(what, where=where, helps="mend the API credentials", trouble=trouble)
        return SourceError(what, where=where, helps="nothing was taken over; tried again", trouble=trouble)


def _words(error: Exception) -> str:
    """Of our own exceptions their words, of the system's only their name."""
    own = type(error).__module__.startswith("connectors.")
    return f"no whole answer ({error if own else type(error).__name__})"


def _as_known(model: type[Model], node: Mapping[str, Any]) -> Model | str:
    try:
        return model.model_validate(node)
    except ValidationError as error:
        return flaw_of(error)


def _problem(key: str, what: str, node: Mapping[str, Any], field: str) -> Item:
    name = f"{what} {node['id']}" if str(node.get("id", "")).isdecimal() else what
    problem = (
        f"{name} ist nicht lesbar: Das Feld „{field}“ hat eine andere Form als sonst. Bitte auf der Plattform "
        "nachsehen oder den IT-Betrieb fragen"
    )
    return Item("proposal-problem", key, {}, problem=problem)
