"""The way over HTTP: our own small contract with whatever takes payment files and gives the bank's out.

PUT  /auftraege/<MsgId>            the file; 201 new, 200 the same again, 409 another content, 422 {"code"} refused
GET  /auftraege/<MsgId>            200 {"sha256", "zahlungen": {PmtInfId: [EndToEndId]}}, 404 {"unbekannt": MsgId}
GET  /auftraege                    200 {"letzter": MsgId of the last file taken, "" where none was}
GET  /auszuege                     200 {"dateien": [{"nummer", "name", "sha256", "bytes"}]}, those not yet fetched
GET  /auszuege/<nummer>            200, the file
POST /auszuege/<nummer>/abgeholt   200 {}
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from io import BytesIO
from typing import Any, BinaryIO
from urllib.parse import quote

from connectors._http import HttpSettings
from connectors._json import object_in
from connectors._line import Line, NoAnswer, Response
from connectors.bank.ways import Arrival, Note
from kiezbruecke.errors import AlreadyUsed, Rejected, shown

_XML = {"Content-Type": "application/xml"}


class GatewayWay:
    """One account at one gateway."""

    def __init__(self, settings: HttpSettings) -> None:
        self._line, self._base = Line(settings.wire), settings.address
        self._digests: dict[str, str] = {}

    def close(self) -> None:
        """Give the connections back."""
        self._line.close()

    def hand_over(self, batch_id: str, file_name: str, payload: bytes) -> None:
        """Put the file under its MsgId; the gateway's word must be about these very bytes."""
        response = self._line.call("PUT", self._order(batch_id), payload, _XML)
        if response.status_code == 409:
            _json(response, 409)
            raise AlreadyUsed("another file was handed over under this MsgId", where=file_name, expected="a new MsgId")
        if response.status_code == 422:
            code = shown(str(_json(response, 422).get("code", "")))
            raise Rejected("Die Bank hat die Datei abgewiesen", receipt_code=code, where=file_name)
        body = _json(response, 201 if response.status_code == 201 else 200)
        if body.get("sha256") != hashlib.sha256(payload).hexdigest():
            raise NoAnswer("an answer about another file", response.status_code)

    def note_of(self, batch_id: str) -> Note | None:
        """404 that names the MsgId is the proof; any other 404 is a wrong address."""
        response = self._line.get(self._order(batch_id))
        if response.status_code == 404 and _json(response, 404).get("unbekannt") == batch_id:
            return None
        _json(response, 200)
        try:
            return Note.from_json(response.content)
        except ValueError:
            raise NoAnswer("a note in another form than agreed", response.status_code) from None

    def last_batch(self) -> str:
        """As the gateway says; one that does not know the question cannot say it."""
        last = _json(self._line.get(f"{self._base}/auftraege"), 200).get("letzter")
        if not isinstance(last, str):
            raise NoAnswer("a last file in another form than agreed")
        return last

    def arrivals(self) -> Sequence[Arrival]:
        """Those that nobody has fetched yet."""
        body = _json(self._line.get(f"{self._base}/auszuege"), 200)
        try:
            files = [(str(int(one["nummer"])), one) for one in body["dateien"]]
            self._digests = {number: str(one["sha256"]) for number, one in files}
            return [Arrival(number, f"Auszug {number}", int(one["bytes"])) for number, one in files]
        except (KeyError, TypeError, ValueError):
            raise NoAnswer("a list in another form than agreed") from None  # the library's text may quote content

    @contextmanager
    def open(self, arrival: Arrival) -> Iterator[BinaryIO]:
        """The file whole, or not at all."""
        response = self._line.get(f"{self._base}/auszuege/{arrival.id}")
        digest = hashlib.sha256(response.content).hexdigest()
        if response.status_code != 200 or digest != self._digests.get(arrival.id):
            raise NoAnswer("a file that is not the one of the list", response.status_code)
        yield BytesIO(response.content)

    def done(self, arrival: Arrival, *, failed: bool) -> None:  # noqa: ARG002 - the gateway keeps them all
        """Say that it need not be offered again."""
        _json(self._line.post(f"{self._base}/auszuege/{arrival.id}/abgeholt", b"", {}), 200)

    def _order(self, batch_id: str) -> str:
        return f"{self._base}/auftraege/{quote(batch_id, safe='')}"


def _json(response: Response, status: int) -> Mapping[str, Any]:
    """The object in an answer; raises NoAnswer for a log-in page, half a document, another status."""
    if response.status_code != status or not response.headers.get("Content-Type", "").startswith("application/json"):
        raise NoAnswer(f"expected {status} and JSON", response.status_code)
    return object_in(response)
