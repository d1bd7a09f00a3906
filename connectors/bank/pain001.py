"""Writes pain.001.001.09 as a stream, and reads back which payments a file holds.

    GrpHdr ─ PmtInf (one per execution day) ─ CdtTrfTxInf …      the same arguments give the same bytes

Count and sum stand before what they count. So a block says both beforehand and hands its payments over one by one, in
the order of their Fremdkennzeichen: a twin stands beside its twin, and no file is too large to be written.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date
from io import BytesIO
from itertools import groupby
from typing import BinaryIO
from xml.sax.saxutils import escape

from lxml import etree

from connectors.bank.characters import Characters, written
from connectors.bank.payment import LONGEST_NAME, NAMESPACE, Payment, Words, checked, euros
from kiezbruecke.connector import BatchHead
from kiezbruecke.errors import RecordError
from kiezbruecke.german import BERLIN

_AT_ONCE = 500  # payments in one write


@dataclass(frozen=True)
class Debtor:
    """Whose account is debited, and in which characters the bank wants it."""

    name: str
    iban: str
    bic: str = ""
    characters: Characters = "latin"


@dataclass(frozen=True)
class Block:
    """The payments of one execution day, ordered by Fremdkennzeichen; how many, and their sum in cents."""

    due_on: date
    count: int
    cents: int
    payments: Iterable[Payment]


def blocks_of(head: BatchHead, payments: Iterable[Payment]) -> list[Block]:
    """One block per execution day, the earliest first; no day lies before the file's own, which banks refuse.

    Raises RecordError where a payment is there twice, in whatever blocks.
    """
    made_on = head.created_at.astimezone(BERLIN).date()
    by_day: dict[date, list[Payment]] = defaultdict(list)
    for _, twins in groupby(sorted(payments, key=_reference), key=_reference):
        one, *others = twins
        if others:
            raise _twice(one)
        by_day[max(one.due_on, made_on)].append(one)
    days = sorted(by_day.items())
    return [Block(day, len(some), sum(one.cents for one in some), some) for day, some in days]


def write(out: BinaryIO, head: BatchHead, debtor: Debtor, blocks: Sequence[Block]) -> None:
    """Write the whole file; raises RecordError naming the first payment that a bank would refuse: then it is none."""
    out.write(_beginning(head, debtor, blocks))
    for number, block in enumerate(blocks, 1):
        out.write(_head_of(block, f"{head.id}-{number}", debtor))
        out.writelines(_pieces(block, debtor.characters))
        out.write(b"</PmtInf>\n")
    out.write(b"</CstmrCdtTrfInitn></Document>\n")


def payments_of(body: bytes) -> dict[str, tuple[str, ...]]:
    """The Fremdkennzeichen in a file of ours, by PmtInfId."""
    found: dict[str, tuple[str, ...]] = {}
    for _, block in etree.iterparse(
        BytesIO(body), tag=f"{{{NAMESPACE}}}PmtInf", resolve_entities=False, no_network=True
    ):
        ids = block.iterfind(f"{{{NAMESPACE}}}CdtTrfTxInf/{{{NAMESPACE}}}PmtId/{{{NAMESPACE}}}EndToEndId")
        found[block.findtext(f"{{{NAMESPACE}}}PmtInfId", "")] = tuple(one.text or "" for one in ids)
        block.clear()
    return found


def _beginning(head: BatchHead, debtor: Debtor, blocks: Sequence[Block]) -> bytes:
    count, total = sum(block.count for block in blocks), sum(block.cents for block in blocks)
    created = head.created_at.astimezone(UTC)
    return (
        "<?xml version='1.0' encoding='UTF-8'?>\n"
        f'<Document xmlns="{NAMESPACE}"><CstmrCdtTrfInitn>\n<GrpHdr><MsgId>{escape(head.id)}</MsgId>'
        f"<CreDtTm>{created:%Y-%m-%dT%H:%M:%SZ}</CreDtTm><NbOfTxs>{count}</NbOfTxs><CtrlSum>{euros(total)}</CtrlSum>"
        f"<InitgPty><Nm>{_name(debtor)}</Nm></InitgPty></GrpHdr>\n"
    ).encode()


def _head_of(block: Block, block_id: str, debtor: Debtor) -> bytes:
    """Booked one by one (BtchBookg false): each payment then stands in the statement with its EndToEndId."""
    agent = f"<BICFI>{debtor.bic}</BICFI>" if debtor.bic else "<Othr><Id>NOTPROVIDED</Id></Othr>"
    return (
        f"<PmtInf><PmtInfId>{escape(block_id)}</PmtInfId><PmtMtd>TRF</PmtMtd><BtchBookg>false</BtchBookg>"
        f"<NbOfTxs>{block.count}</NbOfTxs><CtrlSum>{euros(block.cents)}</CtrlSum>"
        "<PmtTpInf><SvcLvl><Cd>SEPA</Cd></SvcLvl></PmtTpInf>"
        f"<ReqdExctnDt><Dt>{block.due_on.isoformat()}</Dt></ReqdExctnDt><Dbtr><Nm>{_name(debtor)}</Nm></Dbtr>"
        f"<DbtrAcct><Id><IBAN>{debtor.iban}</IBAN></Id></DbtrAcct>"
        f"<DbtrAgt><FinInstnId>{agent}</FinInstnId></DbtrAgt><ChrgBr>SLEV</ChrgBr>\n"
    ).encode()


def _pieces(block: Block, characters: Characters) -> Iterator[bytes]:
    """The block's payments, some at a time; raises RecordError where they are not what the block said."""
    last, count, total, some = "", 0, 0, list[str]()
    for payment in block.payments:
        words = checked(payment, characters)
        if payment.reference <= last:
            raise _twice(payment)
        last, count, total = payment.reference, count + 1, total + payment.cents
        some.append(_transfer(payment, words))
        if len(some) == _AT_ONCE:
            yield "".join(some).encode()
            some.clear()
    if (count, total) != (block.count, block.cents):
        raise RecordError("Anzahl oder Summe der Zahlungen ist nicht die angekündigte", where=f"Tag {block.due_on}")
    yield "".join(some).encode()


def _transfer(payment: Payment, words: Words) -> str:
    place = f"<TwnNm>{escape(words.town)}</TwnNm><Ctry>{payment.country}</Ctry>"
    return (
        f"<CdtTrfTxInf><PmtId><EndToEndId>{payment.reference}</EndToEndId></PmtId>"
        f'<Amt><InstdAmt Ccy="EUR">{euros(payment.cents)}</InstdAmt></Amt><Cdtr><Nm>{escape(words.name)}</Nm>'
        f"{f'<PstlAdr>{place}</PstlAdr>' if words.town else ''}</Cdtr>"
        f"<CdtrAcct><Id><IBAN>{payment.iban}</IBAN></Id></CdtrAcct>"
        f"<RmtInf><Ustrd>{escape(words.purpose)}</Ustrd></RmtInf></CdtTrfTxInf>\n"
    )


def _twice(payment: Payment) -> RecordError:
    return RecordError("steht zweimal in der Datei", where=f"Zahlung {payment.reference}")


def _reference(payment: Payment) -> str:
    return payment.reference


def _name(debtor: Debtor) -> str:
    return escape(written(debtor.name, debtor.characters, LONGEST_NAME))
