"""By hand with lxml: SubElement after SubElement, tags made once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lxml.etree import Element, SubElement, _Element, tostring

from benchmarks.peers.values import HASHES, PAIN, XDOMEA, moment, money, squeezed

_X = f"{{{XDOMEA}}}"
_P = f"{{{PAIN}}}"


def xdomea(roots: Mapping[str, Any]) -> bytes:
    """The 0401 of one case."""
    case, message, route = roots["case"], roots["message"], roots["route"]
    root = Element(f"{_X}Abgabe.Abgabe.0401", nsmap={"xdomea": XDOMEA})
    root.set("produkt", "Kiezbrücke")
    root.set("produkthersteller", "Projekt Kiezbrücke")
    root.set("standard", "xdomea")
    if message.test:
        root.set("test", "Testnachricht")
    root.set("version", "4.0.0")

    head = SubElement(root, f"{_X}nachrichtenkopf")
    identification = SubElement(head, f"{_X}identifikation.nachricht")
    SubElement(identification, "nachrichtenUUID").text = str(message.id)
    _code(
        identification, "nachrichtentyp", "urn:xoev-de:xdomea:codeliste:nachrichtentyp", "3.0", "0401", "Abgabe.Abgabe"
    )
    SubElement(identification, "erstellungszeitpunkt").text = moment(message.created_at)
    _contact(head, f"{_X}leser", route["receiver"])
    _contact(head, f"{_X}autor", route["sender"])
    SubElement(head, f"{_X}ProzessID").text = str(message.process_id)

    for name in ("Importbestaetigung", "Empfangsbestaetigung", "LfdNrNachrichtProTyp", "GesamtanzahlNachrichtenProTyp"):
        SubElement(root, f"{_X}{name}").text = "1"

    file = SubElement(SubElement(root, f"{_X}Schriftgutobjekt"), f"{_X}Vorgang")
    SubElement(SubElement(file, f"{_X}Identifikation"), f"{_X}xdomeaUUID").text = str(case.id)
    metadata = SubElement(file, f"{_X}AllgemeineMetadaten")
    SubElement(metadata, f"{_X}Betreff").text = squeezed(case.title, 200)
    SubElement(metadata, f"{_X}Federfuehrung").text = route["unit"]
    _code(metadata, f"{_X}Medium", "urn:xoev-de:xdomea:codeliste:medium", "1.0", "001")
    unit = SubElement(metadata, f"{_X}Aktenplaneinheit")
    SubElement(unit, f"{_X}Kennzeichen").text = route["filing"]["key"]
    SubElement(unit, f"{_X}Inhaltsangabe").text = route["filing"]["title"]
    SubElement(file, f"{_X}Typ").text = "Kiezkassenvorschlag"
    for document in case.documents:
        _document(file, document)
    _extension(file, roots)
    return tostring(root, xml_declaration=True, encoding="UTF-8")


def payments(roots: Mapping[str, Any]) -> bytes:
    """The pain.001 of one block."""
    message, route = roots["message"], roots["route"]
    debtor, total = route["debtor"], money(roots["commitment"].amount)
    root = Element(f"{_P}Document", nsmap={None: PAIN})
    initiation = SubElement(root, f"{_P}CstmrCdtTrfInitn")
    head = SubElement(initiation, f"{_P}GrpHdr")
    SubElement(head, f"{_P}MsgId").text = message.reference
    SubElement(head, f"{_P}CreDtTm").text = moment(message.created_at)
    SubElement(head, f"{_P}NbOfTxs").text = str(route["count"])
    SubElement(head, f"{_P}CtrlSum").text = total
    SubElement(SubElement(head, f"{_P}InitgPty"), f"{_P}Nm").text = debtor["name"]
    block = SubElement(initiation, f"{_P}PmtInf")
    SubElement(block, f"{_P}PmtInfId").text = roots["case"].reference
    SubElement(block, f"{_P}PmtMtd").text = "TRF"
    SubElement(block, f"{_P}NbOfTxs").text = str(route["count"])
    SubElement(block, f"{_P}CtrlSum").text = total
    SubElement(SubElement(SubElement(block, f"{_P}PmtTpInf"), f"{_P}SvcLvl"), f"{_P}Cd").text = "SEPA"
    SubElement(SubElement(block, f"{_P}ReqdExctnDt"), f"{_P}Dt").text = route["execution_date"].isoformat()
    SubElement(SubElement(block, f"{_P}Dbtr"), f"{_P}Nm").text = debtor["name"]
    SubElement(SubElement(SubElement(block, f"{_P}DbtrAcct"), f"{_P}Id"), f"{_P}IBAN").text = debtor["iban"]
    SubElement(SubElement(SubElement(block, f"{_P}DbtrAgt"), f"{_P}FinInstnId"), f"{_P}BICFI").text = debtor["bic"]
    SubElement(block, f"{_P}ChrgBr").text = "SLEV"
    for payment in route["payments"]:
        _transfer(block, payment)
    return tostring(root, xml_declaration=True, encoding="UTF-8")


_ENTRY, _PMT_ID, _END_TO_END = f"{_P}CdtTrfTxInf", f"{_P}PmtId", f"{_P}EndToEndId"
_AMT, _INSTD_AMT, _CDTR, _NM = f"{_P}Amt", f"{_P}InstdAmt", f"{_P}Cdtr", f"{_P}Nm"
_PSTL_ADR, _STRT_NM, _PST_CD = f"{_P}PstlAdr", f"{_P}StrtNm", f"{_P}PstCd"
_TWN_NM, _CTRY, _CDTR_ACCT = f"{_P}TwnNm", f"{_P}Ctry", f"{_P}CdtrAcct"
_ID, _IBAN, _RMT_INF, _USTRD = f"{_P}Id", f"{_P}IBAN", f"{_P}RmtInf", f"{_P}Ustrd"


def _transfer(block: _Element, payment: Mapping[str, Any]) -> None:
    entry = SubElement(block, _ENTRY)
    SubElement(SubElement(entry, _PMT_ID), _END_TO_END).text = payment["reference"]
    amount = SubElement(SubElement(entry, _AMT), _INSTD_AMT)
    amount.set("Ccy", "EUR")
    amount.text = money(payment["amount"])
    payee = SubElement(entry, _CDTR)
    SubElement(payee, _NM).text = squeezed(payment["payee"], 140)
    address = SubElement(payee, _PSTL_ADR)
    if payment["street"]:
        SubElement(address, _STRT_NM).text = payment["street"]
    SubElement(address, _PST_CD).text = payment["postcode"]
    SubElement(address, _TWN_NM).text = payment["town"]
    SubElement(address, _CTRY).text = "DE"
    SubElement(SubElement(SubElement(entry, _CDTR_ACCT), _ID), _IBAN).text = payment["iban"]
    SubElement(SubElement(entry, _RMT_INF), _USTRD).text = squeezed(payment["purpose"], 140)


def _code(parent: _Element, tag: str, uri: str, version: str, code: str, name: str = "") -> None:
    element = SubElement(parent, tag)
    element.set("listURI", uri)
    element.set("listVersionID", version)
    SubElement(element, "code").text = code
    if name:
        SubElement(element, "name").text = name


def _contact(parent: _Element, tag: str, party: Mapping[str, str]) -> None:
    contact = SubElement(parent, tag)
    SubElement(SubElement(contact, f"{_X}NameInstitution"), f"{_X}Name").text = party["institution"]
    if party.get("unit"):
        SubElement(SubElement(contact, f"{_X}NameOrganisationseinheit"), f"{_X}Name").text = party["unit"]


def _document(file: _Element, document: Any) -> None:
    element = SubElement(SubElement(file, f"{_X}DokumentOderDokumentMitSchriftstueck"), f"{_X}Dokument")
    identification = SubElement(element, f"{_X}Identifikation")
    SubElement(identification, f"{_X}xdomeaUUID").text = str(document.id)
    SubElement(identification, f"{_X}NummerImUebergeordnetenContainer").text = str(document.index)
    SubElement(SubElement(element, f"{_X}AllgemeineMetadaten"), f"{_X}Betreff").text = document.title
    version = SubElement(element, f"{_X}Version")
    SubElement(version, f"{_X}Nummer").text = "1"
    form = SubElement(version, f"{_X}Format")
    uri = "urn:xoev-de:xdomea:codeliste:dateiformat"
    _code(form, f"{_X}Name", uri, "2.0", "044", "Portable Document Format (Archival)")
    SubElement(form, f"{_X}Version").text = document.pdf_version
    primary = SubElement(form, f"{_X}Primaerdokument")
    SubElement(primary, f"{_X}Dateiname").text = document.file
    SubElement(primary, f"{_X}DateinameOriginal").text = document.original
    digest = SubElement(primary, f"{_X}Hash")
    SubElement(digest, f"{_X}Wert").text = document.sha512
    _code(digest, f"{_X}Algorithmus", HASHES, "1.0.0", "SHA-512")


def _extension(file: _Element, roots: Mapping[str, Any]) -> None:
    case, decision = roots["case"], roots["decision"]
    extension = SubElement(file, f"{_X}AnwendungsspezifischeErweiterung")
    SubElement(extension, f"{_X}Kennung").text = "kiezbruecke.felder.1"
    SubElement(extension, f"{_X}Name").text = "Kiezkasse"
    _field(extension, "BewilligterBetragEUR", money(decision.approved_amount))
    _field(extension, "Referenznummer", case.reference)
    _field(extension, "Bezirksregion", case.area_name)
    _field(extension, "SitzungAm", decision.decided_on.isoformat())
    if roots["proposal"] and roots["proposal"].url:
        _field(extension, "QuelleURI", roots["proposal"].url)


def _field(extension: _Element, name: str, value: str) -> None:
    field = SubElement(extension, f"{_X}Feld")
    SubElement(field, f"{_X}Name").text = name
    SubElement(field, f"{_X}Wert").text = value
