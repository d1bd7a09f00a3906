"""Hands over what landed, oldest state first; a state that a newer one has overtaken is passed by."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from connectors.webhook.delivery import Delivery, NotADeliveryError
from connectors.webhook.landing import Landed, Landing
from connectors.webhook.settings import Settings
from kiezbruecke.connector import Connection, Context, Cursor, Handled, Item
from kiezbruecke.errors import SourceError
from kiezbruecke.troubles import trouble_of

PROBLEM = "webhook-problem"


class WebhookSource:
    """The deliveries of one connection as items (Source, Archiving)."""

    def __init__(self, connection: Connection, _context: Context) -> None:
        settings = Settings.from_connection(connection)
        self._where = f"connection {connection.id}"
        self._landing = Landing(settings.path, settings.max_bytes, settings.max_waiting)
        self._handed_over: dict[str, list[tuple[str, Delivery | None]]] = {}

    def fetch(self, cursor: Cursor) -> Iterator[Item]:  # noqa: ARG002 - moving a delivery away is the cursor
        """Every delivery that waits. Of one thing the newest state comes last, and stays."""
        self._handed_over = {}
        try:
            readable, broken = _read(self._landing.waiting())
            for name, landed, delivery in readable:
                if self._landing.is_overtaken(delivery):
                    self._landing.take(name, None)
                    continue
                item = _item(landed, delivery)
                self._handed_over.setdefault(_key(item), []).append((name, delivery))
                yield item
            for name in broken:
                item = _problem(name)
                self._handed_over.setdefault(_key(item), []).append((name, None))
                yield item
        except OSError as error:
            raise self._unreadable(error) from None

    def acknowledge(self, handled: Sequence[Handled]) -> None:
        """Move what the ledger has to the archive."""
        try:
            for one in handled:
                for name, delivery in self._handed_over.pop(_key(one.item), ()):
                    self._landing.take(name, delivery)
        except OSError as error:
            raise self._unreadable(error) from None

    def archived(self) -> Iterator[Item]:
        """The deliveries that were taken before, with their old ids."""
        try:
            readable, _ = _read(self._landing.taken())
        except OSError as error:
            raise self._unreadable(error) from None
        for _, landed, delivery in readable:
            yield _item(landed, delivery)

    def _unreadable(self, error: OSError) -> SourceError:
        why = error.strerror or type(error).__name__
        return SourceError("the landing folder cannot be used", where=self._where, helps=why, trouble=trouble_of(error))


def _read(files: Iterable[tuple[str, bytes]]) -> tuple[list[tuple[str, Landed, Delivery]], list[str]]:
    """What is a delivery, in the order of its states; and the names of files that are none."""
    readable, broken = [], []
    for name, raw in files:
        try:
            landed = Landed.read(raw)
            readable.append((name, landed, Delivery.read(landed.body)))
        except (ValueError, NotADeliveryError):
            broken.append(name)
    return sorted(readable, key=lambda one: (one[2].happened_at, one[1].arrived, one[0])), broken


def _item(landed: Landed, delivery: Delivery) -> Item:
    external_id = delivery.name or landed.event
    return Item(delivery.type, external_id, delivery.values, raw=landed.body, raw_ref=landed.event)


def _problem(name: str) -> Item:
    problem = "Eine Lieferung in der Ablage ist beschädigt; bitte die Gegenstelle bitten, sie noch einmal zu senden."
    return Item(PROBLEM, name, {}, problem=problem)


def _key(item: Item) -> str:
    return f"{item.kind} {item.external_id} {item.raw_ref}"
