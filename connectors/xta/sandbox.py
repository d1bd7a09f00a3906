"""An XTA 2.1.1 server with an e-file behind it, small and real, with switches for what goes wrong on the way.

    POST /, /ManagementPort, /SendXtaPort, /MsgBoxPort    SOAP 1.2; the action decides, not the path
    GET  /_sandbox/received                               what arrived (ids and amount, no content)

Options: `content=DIR` (where schemas/ lies), `official=DIR` (official XSDs are used, too), `max_bytes=N`,
`drip=SECONDS` per byte of a slow answer, `receiver=IDENTIFIER` (all others are refused), `mtom=1` (getMessage
answers as MTOM), `flaky=PERCENT:SEED` (so many calls go wrong, each in one of four ways), `quote=TEXT`.
"""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import AsyncIterator, Callable
from copy import deepcopy
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

from lxml import etree
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from connectors.xta import _sandbox_efile
from connectors.xta._sandbox_answers import nothing, pending, write_letter, write_report
from connectors.xta._sandbox_soap import (
    NS,
    Call,
    Quoting,
    Refusal,
    Reply,
    media_type,
    only,
    osci,
    part,
    profile_schema,
    read_call,
    read_container,
    text_of,
    write_envelope,
    write_fault,
    write_mtom,
    wsa,
    xta,
)
from connectors.xta._sandbox_store import Letter, Store, Taken
from connectors.xta.client import OSCI, PROFILE, WSA, XTA
from kiezbruecke.content import find_content
from kiezbruecke.errors import RecordError
from kiezbruecke.records import name_id
from kiezbruecke.sandbox import AnswerLost, Faults
from kiezbruecke.standards import files, store

FAULTS = (
    "create_id_lost",  # createMessageId: the id exists, the answer is lost
    "commit_then_lose",  # sendMessage: taken, the answer is lost
    "lose_before_commit",  # sendMessage: not taken, the answer is lost
    "reset",  # sendMessage: taken, the connection breaks in the middle of the answer
    "slow_drip",  # sendMessage: taken, the answer comes byte by byte
    "truncated_answer",  # sendMessage: taken, half of the answer, as if it were whole
    "html_answer",  # sendMessage: taken, HTTP 200 with a login page
    "empty_202",  # sendMessage: taken, HTTP 202 with an empty body instead of an envelope
    "fault_903x",  # sendMessage: not taken, technical problem 9030
    "transport_red",  # sendMessage: taken, but the transport failed; no receipt comes
    "transport_yellow",  # sendMessage: taken, with a warning
    "refuse_import",  # the e-file refuses: 0402 with Erfolgreich 0
    "duplicate_ack",  # the 0402 lies in the box twice
    "unknown_ack",  # beside the 0402 lies one for a message that nobody sent
    "ack_delayed",  # the receipts are missing from the next list
    "report_lost",  # getTransportReport: the answer is lost
    "getmessage_lost",  # getMessage: the answer is lost
    "close_lost",  # close: closed, the answer is lost
    "answer_in_attachment",  # getMessage: Message is a covering note, the answer lies in Attachment
    "two_answers",  # getMessage: Message holds the next letter's content, Attachment this one's
    "other_message",  # getMessage: the answer says that it is another message
    "other_reader",  # getMessage: the answer is for somebody else
    "other_request",  # getMessage: the answer says that it answers another request
    "twin_parts",  # getMessage: MTOM with two parts of one Content-ID
    "mixed_import",  # the 0402 says that the message was imported and its object was not
    "other_process",  # the 0402 names the process of another message
    "odd_charset",  # the 0402 is declared as UTF-7
    "first_only",  # close: only the first of several is closed, and the answer is yes
    "quoting_fault",  # any call: a fault whose every word is the option `quote`
)

_PORTS = ("/", "/ManagementPort", "/SendXtaPort", "/MsgBoxPort")
_XTA_ACTION = "http://www.xta.de/XTA/"
_BOX_ACTION = "http://www.osci.eu/ws/2008/05/transport/urn/messageTypes/"


def create(state: Path, faults: Faults, options: dict[str, str]) -> Starlette:
    """The sandbox as a Starlette app; see `kiezbruecke.sandbox`."""
    if official := options.get("official"):
        os.environ[files.OFFICIAL] = official
    content = find_content(Path(options["content"]) if "content" in options else None)
    server = Server(Store(state), faults, content, options)

    async def soap(request: Request) -> Response:
        return server.answer(request.headers.get("content-type", ""), await request.body())

    async def received(_: Request) -> JSONResponse:
        return JSONResponse(server.received())

    ports = [Route(path, soap, methods=["POST"]) for path in _PORTS]
    return Starlette(routes=[*ports, Route("/_sandbox/received", received)])


class Server:
    """The operations, each by its action."""

    def __init__(self, memory: Store, faults: Faults, content: Path, options: dict[str, str]) -> None:
        self._store, self._faults, self._content, self._options = memory, faults, content, options
        percent, _, seed = options.get("flaky", "0:0").partition(":")
        self._flaky, self._dice = int(percent) / 100, random.Random(int(seed or 0))
        self._operations: dict[str, Callable[[Call], Reply]] = {
            f"{_XTA_ACTION}CheckAccountActive": lambda _: Reply(),
            f"{_XTA_ACTION}CreateMessageID": self._create_message_id,
            f"{_XTA_ACTION}IsServiceAvailable": self._lookup_service,
            f"{_XTA_ACTION}GetTransportReport": self._transport_report,
            f"{_XTA_ACTION}SendMessage": self._send_message,
            f"{_BOX_ACTION}MsgBoxStatusListRequest": self._status_list,
            f"{_BOX_ACTION}MsgBoxGetNextListRequest": self._next_status_list,
            f"{_BOX_ACTION}MsgBoxFetchRequest": self._get_message,
            f"{_BOX_ACTION}MsgBoxCloseRequest": self._close,
        }

    def answer(self, content_type: str, content: bytes) -> Response:
        """One HTTP exchange: read, check, do, answer – or refuse with a SOAP fault."""
        call, how = None, self._how_it_fails()
        if how == "busy":
            return Response("busy", 503, media_type="text/plain")
        try:
            call = read_call(content_type, content)
            self._check(call)
            self._refuse_if(how)
            reply = self._operations[call.action](call)
        except Refusal as refusal:
            return Response(write_envelope(call, Reply((write_fault(refusal),))), 500, media_type=media_type(call))
        if how == "answer lost":
            raise AnswerLost(how)
        return self._spoiled(write_envelope(call, reply), reply.spoil, call)

    def _refuse_if(self, how: str) -> None:
        if how == "refused":
            raise Refusal("9030")
        if self._faults.take("quoting_fault"):
            raise Quoting(self._options.get("quote", ""))

    def _how_it_fails(self) -> str:
        """Whether this call goes wrong, and how: the same seed gives the same luck."""
        if self._dice.random() >= self._flaky:
            return ""
        how = self._dice.choice(("busy", "refused", "answer lost", "lost"))
        if how == "lost":
            raise AnswerLost(how)
        return how

    def received(self) -> list[dict[str, Any]]:
        """What reached the e-file, in order. A second message with the same nachrichtenUUID names the first."""
        first: dict[str, str] = {}
        rows = []
        for message in self._store.all_taken():
            if message.status != 3:
                rows.append(_public(message) | {"duplicate_of": first.get(message.message_uuid)})
                first.setdefault(message.message_uuid, message.id)
        return rows

    # -- management ------------------------------------------------------------------------------------------

    def _create_message_id(self, call: Call) -> Reply:
        message_id = f"urn:de:xta:messageid:kiezbruecke-sandbox:{uuid4()}"
        self._store.reserve(message_id, call.party)
        self._lose_if("create_id_lost")
        return Reply((wsa.MessageID(message_id),))

    def _lookup_service(self, call: Call) -> Reply:
        result = xta.LookupServiceResult()
        body = only(call, f"{{{XTA}}}LookupServiceRequest")
        asked = body.find(".//xta:LookupService", NS)
        result.extend(deepcopy(child) for child in ([] if asked is None else asked))
        known, reader = self._options.get("receiver"), text_of(body, ".//{*}Reader/{*}Identifier")
        offered = "true" if known in (None, reader) else "false"
        result.append(xta.IsServiceAvailableValue(xta.ServiceIsAvailable(offered)))
        return Reply((xta.LookupServiceResponse(xta.LookupServiceResultList(result)),))

    def _transport_report(self, call: Call) -> Reply:
        message_id = (only(call, f"{{{WSA}}}MessageID").text or "").strip()
        message = self._store.taken(message_id)
        self._lose_if("report_lost")
        if message is None:
            raise Refusal("9070")
        return Reply((write_report(message),))

    # -- sending ---------------------------------------------------------------------------------------------

    def _send_message(self, call: Call) -> Reply:
        self._lose_if("lose_before_commit")
        if self._faults.take("fault_903x"):
            raise Refusal("9030")
        meta = call.header.find("meta:MessageMetaData", NS)
        if meta is None:
            raise Refusal("9020", "MessageMetaData is missing")
        message_id = text_of(meta, "meta:MsgIdentification/wsa:MessageID")
        self._check_id(message_id)
        self._check_receiver(meta)
        content, file_name = read_container(only(call, f"{{{XTA}}}GenericContentContainer"))
        self._check_size(meta, content)
        self._take(meta, message_id, content, file_name)
        self._lose_if("commit_then_lose")
        spoils = ("reset", "slow_drip", "truncated_answer", "html_answer", "empty_202")
        return Reply(spoil=next((name for name in spoils if self._faults.take(name)), ""))

    def _check_id(self, message_id: str) -> None:
        if not self._store.knows(message_id):
            raise Refusal("9070")
        if self._store.taken(message_id) is not None:
            raise Refusal("9024")

    def _check_receiver(self, meta: etree._Element) -> None:
        known = self._options.get("receiver")
        if known and known != text_of(meta, "meta:Destinations/meta:Reader/meta:Identifier"):
            raise Refusal("9022", "the reader is not known here")

    def _check_size(self, meta: etree._Element, content: bytes) -> None:
        if len(content) > int(self._options.get("max_bytes", 50_000_000)):
            raise Refusal("9023")
        said = text_of(meta, "meta:MsgSize")
        if said and int(said) != len(content):
            raise Refusal("9022", "MsgSize is not the size of the message")

    def _take(self, meta: etree._Element, message_id: str, content: bytes, file_name: str) -> None:
        """Hand it to the e-file, and keep it together with the answers: all of it or nothing."""
        try:
            submission = _sandbox_efile.read_submission(content, file_name, self._content)
        except RecordError as error:
            raise Refusal("9050", error.line()) from None
        status, reason = self._transport()
        problems = submission.problems
        if self._faults.take("refuse_import"):
            problems = ("Der Vorgang konnte nicht angelegt werden (Aktenplan unbekannt)",)
        message = Taken(
            id=message_id,
            file=file_name,
            process_id=submission.process_id,
            message_uuid=submission.message_uuid,
            object_uuid=next(iter(submission.object_uuids), ""),
            amount=submission.amount,
            test=meta.get("TestMsg") in ("true", "1"),
            imported=status != 3 and not problems,
            status=status,
            reason=reason,
            meta=etree.tostring(meta),
            at=datetime.now(UTC).isoformat(timespec="milliseconds"),
        )
        self._store.take(message, content, [] if status == 3 else self._letters(submission, meta, problems))

    def _transport(self) -> tuple[int, str]:
        """The light of the transport report, and its reason."""
        if self._faults.take("transport_red"):
            return 3, "Empfänger nicht erreichbar"
        return (2, "Zustellung verzögert") if self._faults.take("transport_yellow") else (1, "")

    def _letters(
        self, submission: _sandbox_efile.Submission, meta: etree._Element, problems: tuple[str, ...]
    ) -> list[Letter]:
        """The answers the e-file owes: 0403 where it was asked for, then 0402."""
        accepted = self._odd(_sandbox_efile.answer(submission, "0402", problems))
        answers = [("0403", _sandbox_efile.answer(submission, "0403"))] if submission.wants_receipt else []
        answers += [("0402", accepted)] * (2 if self._faults.take("duplicate_ack") else 1)
        if self._faults.take("unknown_ack"):
            nobodys = str(name_id("sandbox", "nobody", submission.message_uuid))
            answers.append(("0402", _sandbox_efile.answer(submission, "0402", origin=nobodys)))
        hidden = 2 if self._faults.take("ack_delayed") else 0
        return [write_letter(meta, submission, code, content, hidden) for code, content in answers]

    def _odd(self, packed: bytes) -> bytes:
        """An answer that contradicts itself, or is written as nobody reads it."""
        changes = {
            "mixed_import": _sandbox_efile.contradict,
            "other_process": _sandbox_efile.name_another_process,
            "odd_charset": _sandbox_efile.declare_utf_7,
        }
        for fault, change in changes.items():
            if self._faults.take(fault):
                packed = _sandbox_efile.changed(packed, change)
        return packed

    # -- the box ---------------------------------------------------------------------------------------------

    def _status_list(self, call: Call) -> Reply:
        request = only(call, f"{{{OSCI}}}MsgBoxStatusListRequest")
        self._store.uncover(call.party)
        return self._page(call, f"urn:uuid:{uuid4()}", 0, int(request.get("maxListItems", "100")))

    def _next_status_list(self, call: Call) -> Reply:
        request_id = only(call, f"{{{OSCI}}}MsgBoxGetNextRequest").get("MsgBoxRequestID", "")
        known = self._store.page(request_id)
        if known is None:
            return Reply((osci.MsgStatusList(),), (nothing(request_id, "RequestIdInvalid"),))
        return self._page(call, request_id, *known)

    def _page(self, call: Call, request_id: str, after: int, size: int) -> Reply:
        letters = self._store.open_letters(call.party, after)
        page, rest = letters[:size], letters[size:]
        if not page:
            return Reply((osci.MsgStatusList(),), (nothing(request_id, "NoMatch"),))
        self._store.remember_page(request_id, page[-1][0], size)
        listed = osci.MsgStatusList(*(etree.fromstring(letter.meta) for _, letter in page))
        return Reply((listed,), (pending(request_id, len(rest)),))

    def _get_message(self, call: Call) -> Reply:
        message_id = text_of(only(call, f"{{{OSCI}}}MsgBoxFetchRequest"), "osci:MsgSelector/wsa:MessageID")
        letters = [letter for _, letter in self._store.open_letters(call.party)]
        found = next((letter for letter in letters if message_id in ("", letter.id)), None)
        self._lose_if("getmessage_lost")
        if found is None:
            raise Refusal("9070")
        meta = etree.fromstring(found.meta)
        if self._faults.take("other_message"):
            meta.find("meta:MsgIdentification/wsa:MessageID", NS).text = f"urn:other:{uuid4()}"  # type: ignore[union-attr]
        if self._faults.take("other_reader"):
            meta.find("meta:Destinations/meta:Reader/meta:Identifier", NS).text = "xyz:999999999999"  # type: ignore[union-attr]
        relates = f"urn:uuid:{uuid4()}" if self._faults.take("other_request") else ""
        container = xta.GenericContentContainer(self._content_of(found, letters))
        spoil = "twin_parts" if self._faults.take("twin_parts") else ""
        return Reply((container,), (meta, pending(f"urn:uuid:{uuid4()}", 0)), spoil, relates)

    def _content_of(self, letter: Letter, letters: list[Letter]) -> etree._Element:
        """A letter as Message, or as Attachment behind another one."""
        first = None
        if self._faults.take("answer_in_attachment"):
            first = part("Message", "Ihre Bestätigung liegt in der Anlage.".encode(), "text/plain", "anschreiben.txt")
        elif self._faults.take("two_answers"):
            other = next(one for one in letters if one.id != letter.id)
            first = part("Message", other.content, "application/zip", other.file)
        name = "Message" if first is None else "Attachment"
        answer = part(name, letter.content, "application/zip", letter.file)
        return xta.ContentContainer(*([] if first is None else [first]), answer)

    def _close(self, call: Call) -> Reply:
        request = only(call, f"{{{OSCI}}}MsgBoxCloseRequest")
        ids = [(node.text or "").strip() for node in request.iterfind("osci:LastMsgReceived", NS)]
        if self._faults.take("first_only"):
            ids = ids[:1]
        closed = [self._store.close(call.party, message_id) for message_id in ids]
        self._lose_if("close_lost")
        if not all(closed):
            raise Refusal("9070")
        return Reply()

    # -- what all share --------------------------------------------------------------------------------------

    def _check(self, call: Call) -> None:
        """Header blocks and body must be valid: against our profile, and officially where that is installed."""
        if call.action not in self._operations:
            raise Refusal("", f"no operation has the action {call.action}")
        official = store.validator(self._content, "xta", "2.1.1", official=True)
        blocks = [block for block in call.header if etree.QName(block).namespace != WSA]
        for block in [*blocks, *([] if call.body is None else [call.body])]:
            if not profile_schema(self._content / PROFILE).validate(block) or (official and official.problems(block)):
                raise Refusal("9022", f"{etree.QName(block).localname} is not valid")

    def _lose_if(self, fault: str) -> None:
        if self._faults.take(fault):
            raise AnswerLost(fault)

    def _spoiled(self, content: bytes, how: str, call: Call | None) -> Response:
        kind = media_type(call)
        instead = {
            "html_answer": HTMLResponse("<!DOCTYPE html><html><body><form>Anmeldung</form></body></html>"),
            "empty_202": Response(status_code=202),
            "truncated_answer": Response(content[: len(content) // 2], media_type=kind),
        }
        if how in instead:
            return instead[how]
        if how == "reset":
            return StreamingResponse(_broken(content), headers={"Content-Length": str(len(content))}, media_type=kind)
        if how == "slow_drip":
            return StreamingResponse(_drip(content, float(self._options.get("drip", "1"))), media_type=kind)
        if how == "twin_parts" or (self._options.get("mtom") and b"GenericContentContainer" in content):
            return write_mtom(content, twins=how == "twin_parts")
        return Response(content, media_type=kind)


def _public(message: Taken) -> dict[str, Any]:
    """Ids and the amount: no title, no name."""
    shown = ("file", "process_id", "message_uuid", "object_uuid", "amount", "test", "imported", "at")
    return {"message_id": message.id} | {name: getattr(message, name) for name in shown}


async def _broken(content: bytes) -> AsyncIterator[bytes]:
    yield content[: len(content) // 2]
    await asyncio.sleep(0.05)
    raise AnswerLost("reset")


async def _drip(content: bytes, seconds: float) -> AsyncIterator[bytes]:
    for byte in content:
        yield bytes([byte])
        await asyncio.sleep(seconds)
