"""The source `consul`: hands over the investments of a budget, as far as CONSUL lets them be told apart.

    budgets ─▶ the one that is meant, and whether it is the only one
    investments (of all budgets) ─▶ those whose numbers are the budget's ─▶ items `proposal`, `proposal-problem`

All lists are read to their end before the first item is handed over: what a list does not name any more counts as gone,
but where something in it is hidden. One odd node stops no other.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from connectors.consul.items import Investment, as_known, body_of, has_odd_price
from connectors.consul.listing import CALL_FAILED, Listed, Listing, Node, refuse_missing
from connectors.consul.options import Options
from connectors.consul.settings import Settings
from kiezbruecke import german
from kiezbruecke.connector import Connection, Context, Cursor, Gap, Handled, Item
from kiezbruecke.errors import ConfigurationError, KiezbrueckeError, SourceError
from kiezbruecke.troubles import Cause, trouble_of

AGAIN = "Der nächste Lauf versucht es wieder; hält es an, bitte den IT-Betrieb fragen"


class Consul:
    """Reads one budget; writes nothing, for CONSUL takes nothing."""

    def __init__(self, connection: Connection, context: Context) -> None:
        self._settings = Settings.from_connection(connection)
        self._where = f"connection {connection.id}"
        self._options = Options.of(context.options, self._where)
        self._listing = Listing(self._settings)
        self._gaps: list[Gap] = []

    def close(self) -> None:
        """Give the connections back."""
        self._listing.close()

    def fetch(self, cursor: Cursor) -> Iterator[Item]:  # noqa: ARG002 - a full list needs none
        """All investments of the budget at every call; equal bodies are nothing new to the engine."""
        self._gaps = []
        try:
            self._refuse_guessing(self._listing.budgets())
            listed = self._listing.investments(self._options.budget)
        except CALL_FAILED as error:
            raise self._broken(error) from error
        if listed.hidden:
            self._gaps.append(self._hidden(listed.hidden))
        yield from [self._item(node, read) for node, read in self._own(listed)]

    def gaps(self) -> Sequence[Gap]:
        """Something hidden, and sums that cannot be meant."""
        return self._gaps

    def acknowledge(self, handled: Sequence[Handled]) -> None:
        """Nothing: the platform does not know that it is read."""

    def _refuse_guessing(self, budgets: Listed) -> None:
        refuse_missing(budgets, self._options.budget, self._where)
        if len(budgets.nodes) + budgets.hidden > 1 and not self._options.has_range:
            raise ConfigurationError(
                f"CONSUL has {len(budgets.nodes)} budgets and shows the investments of all under each",
                where=self._where,
                expected="`with: {first_id: …, last_id: …}`: which numbers are this budget's",
                helps="they rise with time; or read its CSV as a table",
            )

    def _own(self, listed: Listed) -> list[tuple[Node, Investment | str]]:
        """The budget's nodes, each as we know it or with the field that is odd; raises SourceError where all are."""
        pairs = [(node, as_known(node)) for node in listed.nodes]
        flaws = [read for _, read in pairs if isinstance(read, str)]
        if flaws and len(flaws) == len(pairs) > 1:
            raise SourceError(
                f"field '{flaws[0]}' of an investment has another form than before",
                where=self._where,
                expected="the schema of CONSUL Democracy 2.2",
                helps="nothing was taken over; has CONSUL been updated?",
            )
        return [(node, read) for node, read in pairs if isinstance(read, str) or self._options.holds(read.id)]

    def _item(self, node: Node, read: Investment | str) -> Item:
        key = str(read.id) if isinstance(read, Investment) else str(node.get("id"))
        raw_ref = f"{self._settings.endpoint}#investment/{key}"
        if isinstance(read, str):
            return Item("proposal-problem", key, {}, raw_ref=raw_ref, problem=_problem(key, read))
        if has_odd_price(read):
            self._gaps.append(_odd_price(key))
        return Item("proposal", key, body_of(read, self._options, self._settings.address), raw_ref=raw_ref)

    def _hidden(self, many: int) -> Gap:
        """`module_id` is the budget's: nothing of it is gone."""
        what = german.count(many, "Vorschlag ist", "Vorschläge sind")
        problem = (
            f"CONSUL zeigt eine unvollständige Liste: {what} verborgen. Was bekannt ist, bleibt, wie es war, und "
            f"nichts gilt als verschwunden. {AGAIN}"
        )
        return Gap(f"haushalt-{self._options.budget}", problem, self._options.budget)

    def _broken(self, error: Exception) -> KiezbrueckeError:
        if isinstance(error, SourceError | ConfigurationError):
            return error
        own = type(error).__module__.startswith("connectors.")
        what = f"no whole answer ({error if own else type(error).__name__})"
        if isinstance(error, KiezbrueckeError):
            what = error.what
        trouble = trouble_of(error)
        refused = trouble is not None and trouble.cause in (Cause.PASSWORD, Cause.FORBIDDEN)
        kind = ConfigurationError if refused else SourceError
        where = f"{self._where}, POST /graphql"
        return kind(what, where=where, helps="nothing was taken over; tried again", trouble=trouble)


def _problem(key: str, name: str) -> str:
    which = f"Der Vorschlag {key}" if key.isdecimal() else "Ein Vorschlag"
    return (
        f"{which} ist nicht lesbar: Das Feld „{name}“ hat eine andere Form als sonst. Bitte auf der Plattform "
        "nachsehen oder den IT-Betrieb fragen"
    )


def _odd_price(key: str) -> Gap:
    problem = (
        f"Vorschlag {key}: Als Preis steht auf der Plattform eine Summe, die nicht gemeint sein kann; der Vorschlag "
        "kommt ohne Betrag. Bitte die Angabe auf der Plattform berichtigen lassen"
    )
    return Gap(f"vorschlag-{key}-preis", problem)
