"""The files that the sandbox's bank writes: pain.002.001.10, camt.053.001.08, camt.054.001.08."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from xml.sax.saxutils import escape

ACCOUNT = "DE02100500000054540402"
_HEAD = "<?xml version='1.0' encoding='UTF-8'?>\n"
_ISO = "urn:iso:std:iso:20022:tech:xsd:"
_KIND = "<BkTxCd><Domn><Cd>PMNT</Cd><Fmly><Cd>{}</Cd><SubFmlyCd>ESCT</SubFmlyCd></Fmly></Domn></BkTxCd>"


def status(
    number: str, day: date, msg_id: str, verdict: str, lines: Sequence[tuple[Mapping[str, Any], str, str]]
) -> bytes:
    """A report about a file; `lines` are payment, status and reason."""
    blocks: dict[str, list[str]] = {}
    for row, word, reason in lines:
        why = f"<StsRsnInf><Rsn><Cd>{reason}</Cd></Rsn></StsRsnInf>" if reason else ""
        blocks.setdefault(row["block"], []).append(
            f"<TxInfAndSts><OrgnlEndToEndId>{escape(row['reference'])}</OrgnlEndToEndId><TxSts>{word}</TxSts>{why}</TxInfAndSts>"
        )
    parts = "".join(
        f"<OrgnlPmtInfAndSts><OrgnlPmtInfId>{escape(block)}</OrgnlPmtInfId>{''.join(some)}</OrgnlPmtInfAndSts>"
        for block, some in blocks.items()
    )
    why = "<StsRsnInf><Rsn><Cd>AM10</Cd></Rsn></StsRsnInf>" if verdict == "RJCT" and not lines else ""
    return (
        f'{_HEAD}<Document xmlns="{_ISO}pain.002.001.10"><CstmrPmtStsRpt><GrpHdr><MsgId>{number}</MsgId>'
        f"<CreDtTm>{day}T12:00:00</CreDtTm></GrpHdr><OrgnlGrpInfAndSts><OrgnlMsgId>{escape(msg_id)}</OrgnlMsgId>"
        f"<OrgnlMsgNmId>pain.001.001.09</OrgnlMsgNmId><GrpSts>{verdict}</GrpSts>{why}</OrgnlGrpInfAndSts>{parts}"
        "</CstmrPmtStsRpt></Document>\n"
    ).encode()


def notification(number: str, day: date, rows: Sequence[Mapping[str, Any]]) -> bytes:
    """camt.054: these movements."""
    return (
        f'{_HEAD}<Document xmlns="{_ISO}camt.054.001.08"><BkToCstmrDbtCdtNtfctn>{_group(number, day)}'
        f"<Ntfctn><Id>{number}</Id>{_account(day)}{''.join(map(entry, rows))}</Ntfctn>"
        "</BkToCstmrDbtCdtNtfctn></Document>\n"
    ).encode()


def statement(number: str, day: date, opened: int, rows: Sequence[Mapping[str, Any]]) -> bytes:
    """camt.053: a day between its two balances."""
    closed = opened + sum(row["sign"] * row["cents"] for row in rows)
    return (
        f'{_HEAD}<Document xmlns="{_ISO}camt.053.001.08"><BkToCstmrStmt>{_group(number, day)}<Stmt><Id>{number}</Id>'
        f"{_account(day)}{_balance('OPBD', opened, day)}{_balance('CLBD', closed, day)}"
        f"<TxsSummry><TtlNtries><NbOfNtries>{len(rows)}</NbOfNtries></TtlNtries></TxsSummry>"
        f"{''.join(map(entry, rows))}</Stmt></BkToCstmrStmt></Document>\n"
    ).encode()


def _group(number: str, day: date) -> str:
    return f"<GrpHdr><MsgId>{number}</MsgId><CreDtTm>{day}T20:00:00</CreDtTm></GrpHdr>"


def _account(day: date) -> str:
    return f"<CreDtTm>{day}T20:00:00</CreDtTm><Acct><Id><IBAN>{ACCOUNT}</IBAN></Id><Ccy>EUR</Ccy></Acct>"


def _balance(kind: str, cents: int, day: date) -> str:
    return (
        f"<Bal><Tp><CdOrPrtry><Cd>{kind}</Cd></CdOrPrtry></Tp>{_amount(abs(cents))}"
        f"<CdtDbtInd>{'CRDT' if cents >= 0 else 'DBIT'}</CdtDbtInd><Dt><Dt>{day}</Dt></Dt></Bal>"
    )


def entry(row: Mapping[str, Any]) -> str:
    """One movement, as both messages hold it."""
    amount = f"{_amount(row['cents'])}<CdtDbtInd>{'CRDT' if row['sign'] > 0 else 'DBIT'}</CdtDbtInd>"
    block = f"<PmtInfId>{escape(row['block'])}</PmtInfId>" if row["block"] else ""
    back = f"<RtrInf><Rsn><Cd>{row['reason']}</Cd></Rsn></RtrInf>" if row["reason"] else ""
    return (
        f"<Ntry>{amount}<Sts><Cd>BOOK</Cd></Sts><BookgDt><Dt>{row['day']}</Dt></BookgDt>"
        f"<ValDt><Dt>{row['day']}</Dt></ValDt><AcctSvcrRef>BANK6-{row['number']:06d}</AcctSvcrRef>"
        f"{_KIND.format('RRCT' if row['reason'] else 'ICDT')}<NtryDtls><TxDtls><Refs>{block}"
        f"<EndToEndId>{escape(row['reference'])}</EndToEndId></Refs>{amount}"
        f"<RltdPties><Cdtr><Pty><Nm>Musterfrau, Erika</Nm></Pty></Cdtr></RltdPties>{back}</TxDtls></NtryDtls></Ntry>"
    )


def _amount(cents: int) -> str:
    return f'<Amt Ccy="EUR">{cents // 100}.{cents % 100:02d}</Amt>'
