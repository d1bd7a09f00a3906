"""What the sandbox says beyond yes and no: transport reports, pages of the box, letters back."""

from __future__ import annotations

from copy import deepcopy
from uuid import uuid4

from lxml import etree

from connectors.xta import _sandbox_efile
from connectors.xta._sandbox_soap import NS, osci, text_of, xta
from connectors.xta._sandbox_store import Letter, Taken
from connectors.xta.client import META, OSCI

_SERVER = "urn:kiezbruecke:sandbox:xta"


def nothing(request_id: str, why: str) -> etree._Element:
    reason = f"{OSCI}/MsgBox/reasons/{why}"
    empty = etree.Element(f"{{{OSCI}}}NoMessageAvailable", reason=reason)
    return _with(osci.MsgBoxResponse(empty), MsgBoxRequestID=request_id or f"urn:uuid:{uuid4()}")


def pending(request_id: str, count: int) -> etree._Element:
    return _with(osci.MsgBoxResponse(osci.ItemsPending(str(count))), MsgBoxRequestID=request_id)


def _with(node: etree._Element, **attributes: str) -> etree._Element:
    for name, value in attributes.items():
        node.set(name, value)
    return node


def write_report(message: Taken) -> etree._Element:
    meta = etree.fromstring(message.meta)
    times = meta.find("meta:DeliveryAttributes", NS)
    if times is not None and message.status != 3:
        before = [child for child in times if etree.QName(child).localname in ("Origin", "InitialSend", "NotBefore")]
        delivery = etree.Element(f"{{{META}}}Delivery")
        delivery.text = message.at
        times.insert(len(before), delivery)
    status = xta.MessageStatus(xta.Status(str(message.status)))
    if message.status in (2, 3):
        outer, inner = ("ErrorList", "Error") if message.status == 3 else ("WarnList", "Warning")
        code = _with(xta.Code(), listURI="urn:kiezbruecke:sandbox:meldungen", listVersionID="1")
        etree.SubElement(code, "code").text = "zustellung"
        record = xta(inner, xta.Timestamp(message.at), code, xta.Reason(message.reason))
        status.append(xta(outer, record))
    return xta.TransportReport(meta, xta.ReportTime(message.at), xta.XTAServerIdentity(_SERVER), status)


def write_letter(
    meta: etree._Element, submission: _sandbox_efile.Submission, code: str, content: bytes, hidden: int
) -> Letter:
    """A letter back: author and reader change places, and it names the message it answers."""
    message_id = f"urn:de:xta:messageid:kiezbruecke-sandbox:{uuid4()}"
    answer = deepcopy(meta)
    author = answer.find("meta:Originators/meta:Author", NS)
    reader = answer.find("meta:Destinations/meta:Reader", NS)
    identification = answer.find("meta:MsgIdentification", NS)
    assert author is not None and reader is not None and identification is not None  # noqa: PT018
    party = text_of(author, "meta:Identifier")
    author[:], reader[:] = list(reader), list(author)
    etree.SubElement(identification, f"{{{META}}}In-Reply-To").text = identification[0].text
    identification[0].text = message_id
    for named in answer.iterfind("meta:Qualifier/meta:MessageType/code", NS):
        named.text = code
    size = answer.find("meta:MsgSize", NS)
    if size is not None:
        size.text = str(len(content))
    file_name = f"{submission.process_id}_{code}_1.zip"
    return Letter(message_id, party, hidden, code, file_name, etree.tostring(answer), content)
