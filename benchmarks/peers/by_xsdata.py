"""With xsdata: the dataclasses that its generator would write, texts as str, and its fastest writer.

Typed as text on purpose: XmlDateTime, Decimal and UUID would cost the peer more than str does.
"""

# ruff: noqa: RUF009 - xsdata's fields are described by a function, never shared

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any

from xsdata.formats.dataclass.context import XmlContext
from xsdata.formats.dataclass.serializers import XmlSerializer
from xsdata.formats.dataclass.serializers.writers import LxmlEventWriter, XmlEventWriter

from benchmarks.peers.values import HASHES, PAIN, XDOMEA, moment, money, squeezed

Writer = Callable[[Mapping[str, Any]], bytes]
WRITERS = {"LxmlEventWriter": LxmlEventWriter, "XmlEventWriter": XmlEventWriter}
_CONTEXT = XmlContext()


def writer_of(build: Callable[[Mapping[str, Any]], Any], prefixes: dict[str | None, str], name: str) -> Writer:
    """A writer of messages with one of xsdata's event writers."""
    serializer = XmlSerializer(context=_CONTEXT, writer=WRITERS[name])

    def write(roots: Mapping[str, Any]) -> bytes:
        return serializer.render(build(roots), ns_map=dict(prefixes)).encode()

    return write


def fastest(
    build: Callable[[Mapping[str, Any]], Any], prefixes: dict[str | None, str], roots: Any
) -> tuple[str, Writer]:
    """The faster of xsdata's writers for this message, by the best of some tries; its name and the writer."""
    found: dict[str, tuple[float, Writer]] = {}
    for name in WRITERS:
        write = writer_of(build, prefixes, name)
        write(roots)
        times = []
        for _ in range(9):
            began = perf_counter()
            write(roots)
            times.append(perf_counter() - began)
        found[name] = min(times), write
    name = min(found, key=lambda one: found[one][0])
    return name, found[name][1]


def _element(name: str, default: Any = None, *, namespace: str = XDOMEA, many: bool = False) -> Any:
    metadata = {"type": "Element", "name": name, "namespace": namespace}
    return field(default_factory=list, metadata=metadata) if many else field(default=default, metadata=metadata)


def _attribute(name: str, default: str | None = None) -> Any:
    return field(default=default, metadata={"type": "Attribute", "name": name})


@dataclass
class Code:
    list_uri: str | None = _attribute("listURI")
    list_version_id: str | None = _attribute("listVersionID")
    code: str | None = _element("code", namespace="")
    name: str | None = _element("name", namespace="")


@dataclass
class Identification:
    nachrichten_uuid: str | None = _element("nachrichtenUUID", namespace="")
    nachrichtentyp: Code | None = _element("nachrichtentyp", namespace="")
    erstellungszeitpunkt: str | None = _element("erstellungszeitpunkt", namespace="")


@dataclass
class Named:
    name: str | None = _element("Name")


@dataclass
class Contact:
    institution: Named | None = _element("NameInstitution")
    unit: Named | None = _element("NameOrganisationseinheit")


@dataclass
class Head:
    identification: Identification | None = _element("identifikation.nachricht")
    leser: Contact | None = _element("leser")
    autor: Contact | None = _element("autor")
    prozess_id: str | None = _element("ProzessID")


@dataclass
class Ids:
    uuid: str | None = _element("xdomeaUUID")
    number: str | None = _element("NummerImUebergeordnetenContainer")


@dataclass
class PlanUnit:
    kennzeichen: str | None = _element("Kennzeichen")
    inhaltsangabe: str | None = _element("Inhaltsangabe")


@dataclass
class Metadata:
    betreff: str | None = _element("Betreff")
    federfuehrung: str | None = _element("Federfuehrung")
    medium: Code | None = _element("Medium")
    aktenplaneinheit: PlanUnit | None = _element("Aktenplaneinheit")


@dataclass
class Digest:
    wert: str | None = _element("Wert")
    algorithmus: Code | None = _element("Algorithmus")


@dataclass
class Primary:
    dateiname: str | None = _element("Dateiname")
    original: str | None = _element("DateinameOriginal")
    hash: Digest | None = _element("Hash")


@dataclass
class Format:
    name: Code | None = _element("Name")
    version: str | None = _element("Version")
    primary: Primary | None = _element("Primaerdokument")


@dataclass
class Version:
    nummer: str | None = _element("Nummer")
    format: Format | None = _element("Format")


@dataclass
class Document:
    identification: Ids | None = _element("Identifikation")
    metadata: Metadata | None = _element("AllgemeineMetadaten")
    version: Version | None = _element("Version")


@dataclass
class DocumentOr:
    document: Document | None = _element("Dokument")


@dataclass
class OurField:
    name: str | None = _element("Name")
    value: str | None = _element("Wert")


@dataclass
class Extension:
    kennung: str | None = _element("Kennung")
    name: str | None = _element("Name")
    fields: list[OurField] = _element("Feld", many=True)


@dataclass
class CaseFile:
    identification: Ids | None = _element("Identifikation")
    metadata: Metadata | None = _element("AllgemeineMetadaten")
    typ: str | None = _element("Typ")
    documents: list[DocumentOr] = _element("DokumentOderDokumentMitSchriftstueck", many=True)
    extension: Extension | None = _element("AnwendungsspezifischeErweiterung")


@dataclass
class Filed:
    vorgang: CaseFile | None = _element("Vorgang")


@dataclass
class Abgabe0401:
    class Meta:
        name = "Abgabe.Abgabe.0401"
        namespace = XDOMEA

    produkt: str | None = _attribute("produkt")
    produkthersteller: str | None = _attribute("produkthersteller")
    standard: str | None = _attribute("standard", "xdomea")
    test: str | None = _attribute("test")
    version: str | None = _attribute("version", "4.0.0")
    head: Head | None = _element("nachrichtenkopf")
    importbestaetigung: str | None = _element("Importbestaetigung", "1")
    empfangsbestaetigung: str | None = _element("Empfangsbestaetigung", "1")
    number: str | None = _element("LfdNrNachrichtProTyp", "1")
    count: str | None = _element("GesamtanzahlNachrichtenProTyp", "1")
    filed: Filed | None = _element("Schriftgutobjekt")


def abgabe(roots: Mapping[str, Any]) -> Abgabe0401:
    """The dataclasses of a 0401."""
    case, message, route = roots["case"], roots["message"], roots["route"]
    kind = Code("urn:xoev-de:xdomea:codeliste:nachrichtentyp", "3.0", "0401", "Abgabe.Abgabe")
    return Abgabe0401(
        produkt="Kiezbrücke",
        produkthersteller="Projekt Kiezbrücke",
        test="Testnachricht" if message.test else None,
        head=Head(
            Identification(str(message.id), kind, moment(message.created_at)),
            _contact(route["receiver"]),
            _contact(route["sender"]),
            str(message.process_id),
        ),
        filed=Filed(
            CaseFile(
                Ids(str(case.id)),
                Metadata(
                    squeezed(case.title, 200),
                    route["unit"],
                    Code("urn:xoev-de:xdomea:codeliste:medium", "1.0", "001"),
                    PlanUnit(route["filing"]["key"], route["filing"]["title"]),
                ),
                "Kiezkassenvorschlag",
                [DocumentOr(_document(document)) for document in case.documents],
                Extension("kiezbruecke.felder.1", "Kiezkasse", list(_fields(roots))),
            )
        ),
    )


def _contact(party: Mapping[str, str]) -> Contact:
    return Contact(Named(party["institution"]), Named(party["unit"]) if party.get("unit") else None)


def _document(document: Any) -> Document:
    form = Code("urn:xoev-de:xdomea:codeliste:dateiformat", "2.0", "044", "Portable Document Format (Archival)")
    digest = Digest(document.sha512, Code(HASHES, "1.0.0", "SHA-512"))
    return Document(
        Ids(str(document.id), str(document.index)),
        Metadata(document.title),
        Version("1", Format(form, document.pdf_version, Primary(document.file, document.original, digest))),
    )


def _fields(roots: Mapping[str, Any]) -> list[OurField]:
    case, decision, proposal = roots["case"], roots["decision"], roots["proposal"]
    found = [
        OurField("BewilligterBetragEUR", money(decision.approved_amount)),
        OurField("Referenznummer", case.reference),
        OurField("Bezirksregion", case.area_name),
        OurField("SitzungAm", decision.decided_on.isoformat()),
    ]
    if proposal and proposal.url:
        found.append(OurField("QuelleURI", proposal.url))
    return found


def _pain(name: str, default: Any = None, *, many: bool = False) -> Any:
    return _element(name, default, namespace=PAIN, many=many)


@dataclass
class Address:
    street: str | None = _pain("StrtNm")
    postcode: str | None = _pain("PstCd")
    town: str | None = _pain("TwnNm")
    country: str | None = _pain("Ctry")


@dataclass
class Party:
    name: str | None = _pain("Nm")
    address: Address | None = _pain("PstlAdr")


@dataclass
class AccountId:
    iban: str | None = _pain("IBAN")


@dataclass
class Account:
    id: AccountId | None = _pain("Id")


@dataclass
class PaymentId:
    end_to_end: str | None = _pain("EndToEndId")


@dataclass
class Amount:
    value: str | None = field(default=None)
    currency: str | None = _attribute("Ccy")


@dataclass
class Amounts:
    instructed: Amount | None = _pain("InstdAmt")


@dataclass
class Remittance:
    text: str | None = _pain("Ustrd")


@dataclass
class Transfer:
    id: PaymentId | None = _pain("PmtId")
    amounts: Amounts | None = _pain("Amt")
    creditor: Party | None = _pain("Cdtr")
    account: Account | None = _pain("CdtrAcct")
    remittance: Remittance | None = _pain("RmtInf")


@dataclass
class Header:
    id: str | None = _pain("MsgId")
    created: str | None = _pain("CreDtTm")
    count: str | None = _pain("NbOfTxs")
    total: str | None = _pain("CtrlSum")
    initiator: Party | None = _pain("InitgPty")


@dataclass
class Level:
    code: str | None = _pain("Cd")


@dataclass
class Kind:
    level: Level | None = _pain("SvcLvl")


@dataclass
class Day:
    day: str | None = _pain("Dt")


@dataclass
class Institution:
    bic: str | None = _pain("BICFI")


@dataclass
class Agent:
    institution: Institution | None = _pain("FinInstnId")


@dataclass
class Block:
    id: str | None = _pain("PmtInfId")
    method: str | None = _pain("PmtMtd", "TRF")
    count: str | None = _pain("NbOfTxs")
    total: str | None = _pain("CtrlSum")
    kind: Kind | None = _pain("PmtTpInf")
    day: Day | None = _pain("ReqdExctnDt")
    debtor: Party | None = _pain("Dbtr")
    account: Account | None = _pain("DbtrAcct")
    agent: Agent | None = _pain("DbtrAgt")
    charges: str | None = _pain("ChrgBr", "SLEV")
    transfers: list[Transfer] = _pain("CdtTrfTxInf", many=True)


@dataclass
class Initiation:
    head: Header | None = _pain("GrpHdr")
    block: Block | None = _pain("PmtInf")


@dataclass
class PainDocument:
    class Meta:
        name = "Document"
        namespace = PAIN

    initiation: Initiation | None = _pain("CstmrCdtTrfInitn")


def pain(roots: Mapping[str, Any]) -> PainDocument:
    """The dataclasses of a pain.001."""
    message, route = roots["message"], roots["route"]
    debtor, total, count = route["debtor"], money(roots["commitment"].amount), str(route["count"])
    return PainDocument(
        Initiation(
            Header(message.reference, moment(message.created_at), count, total, Party(debtor["name"])),
            Block(
                id=roots["case"].reference,
                count=count,
                total=total,
                kind=Kind(Level("SEPA")),
                day=Day(route["execution_date"].isoformat()),
                debtor=Party(debtor["name"]),
                account=Account(AccountId(debtor["iban"])),
                agent=Agent(Institution(debtor["bic"])),
                transfers=[_transfer(payment) for payment in route["payments"]],
            ),
        )
    )


def _transfer(payment: Mapping[str, Any]) -> Transfer:
    address = Address(payment["street"] or None, payment["postcode"], payment["town"], "DE")
    return Transfer(
        PaymentId(payment["reference"]),
        Amounts(Amount(money(payment["amount"]), "EUR")),
        Party(squeezed(payment["payee"], 140), address),
        Account(AccountId(payment["iban"])),
        Remittance(squeezed(payment["purpose"], 140)),
    )
