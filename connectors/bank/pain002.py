"""Reads pain.002.001.10: what became of a file, of its blocks, of its payments.

A word about the whole file or block that is final for all – refused, accepted – is a word about each payment in it that
the report does not name. Which these are says our own note of the file; where there is none, a person must look.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import BinaryIO

from lxml import etree

from connectors.bank.stream import ISO, elements
from connectors.bank.words import STATUS, BankWord, code, ours, word

MESSAGE = "pain.002.001.10"
_S = f"{{{ISO}{MESSAGE}}}"
_PARTLY = ("PART", "RVCM", "RVNM", "RVMC", "RVNA")  # of a file or block: its lines say more

Payments = Callable[[str], Mapping[str, Sequence[str]]]
"""By MsgId of a file of ours: the Fremdkennzeichen in it, by PmtInfId; empty where nobody knows."""


def read(file: BinaryIO, payments: Payments, where: str) -> Iterator[BankWord]:
    """Every word of the report; raises RecordError where it cannot be read to its end."""
    batch, day, group, reason, named = "", "", "", "", set[str]()
    blocks: dict[str, tuple[str, str]] = {}
    names = ("GrpHdr", "OrgnlGrpInfAndSts", "TxInfAndSts", "OrgnlPmtInfAndSts")
    for name, element in elements(file, MESSAGE, names, where):
        if name == "GrpHdr":
            day = element.findtext(f"{_S}CreDtTm", "")[:10]
        elif name == "OrgnlGrpInfAndSts":
            batch = element.findtext(f"{_S}OrgnlMsgId", "").strip()
            group, reason = code(element.findtext(f"{_S}GrpSts")), _reason(element)
        elif name == "TxInfAndSts":
            reference = ours(element.findtext(f"{_S}OrgnlEndToEndId"))
            named.add(reference)
            yield _word(batch, reference, code(element.findtext(f"{_S}TxSts")), _reason(element), day)
        elif status := code(element.findtext(f"{_S}PmtInfSts")):
            blocks[element.findtext(f"{_S}OrgnlPmtInfId", "").strip()] = status, _reason(element)
    yield from _about_the_rest(batch, (group, reason), blocks, named, payments, day)


def _about_the_rest(
    batch: str,
    group: tuple[str, str],
    blocks: Mapping[str, tuple[str, str]],
    named: set[str],
    payments: Payments,
    day: str,
) -> Iterator[BankWord]:
    """What the whole file or a whole block was told, for each payment of it that was not named."""
    said = {block: told for block, told in blocks.items() if told[0] not in _PARTLY}
    whole = group if group[0] and group[0] not in _PARTLY else None
    if not said and whole is None:
        return
    known = payments(batch)
    heard = {block: said.get(block, whole) for block in known}
    for block, told in heard.items():
        if told is not None:
            yield from (_word(batch, one, *told, day) for one in known[block] if one not in named)
    if not named:
        strange = {block: told for block, told in said.items() if block not in known}
        if whole is not None and not known:
            strange[""] = whole
        yield from (_word(f"{batch}/{block}", "", *told, day) for block, told in strange.items())


def _word(batch: str, reference: str, status: str, reason: str, day: str) -> BankWord:
    about = (batch, reference, status, reason)
    return word(STATUS, about, EndToEndId=reference, Status=status, Grundcode=reason, Tag=day)


def _reason(element: etree._Element) -> str:
    return code(element.findtext(f"{_S}StsRsnInf/{_S}Rsn/{_S}Cd"))
