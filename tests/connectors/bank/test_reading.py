"""What comes back: each word once, whatever is doubled, turned around or spoiled, and never more than was said."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from connectors.bank import reports
from kiezbruecke.connector import CannotTell, Found, Handled, Item, NotThere
from kiezbruecke.errors import AlreadyUsed, SourceError
from kiezbruecke.mapping import load_mapping
from kiezbruecke.records import Receipt, ReceiptOutcome

from .conftest import ACCOUNT, CONTEXT, ROOT, Bookmark, Counter, make_folder, message, reference, told

DAY = date(2026, 11, 25)
ONE, TWO, THREE = map(reference, (1, 2, 3))
THREE_PAYMENTS = (message(ONE, "850.00"), message(TWO, "499.99"), message(THREE, "0.01"))


def receipt(item: Item) -> Receipt:
    """What the shipped mapping makes of an item."""
    name = {"zahlungsstatus": "bank-zahlungsstatus", "umsatz": "bank-umsatz"}[item.kind]
    envelope = {"source": "bank-tk", "external_id": item.external_id, "kind": item.kind, "raw_ref": item.raw_ref}
    read = load_mapping(name, ROOT).read(item, {"envelope": envelope})
    assert isinstance(read, Receipt)
    return read


def said(items: list[Item]) -> list[tuple[str | None, str, str, bool]]:
    """Reference, event, outcome and whether a person should look."""
    return [(one.reference, one.event, one.outcome.value, one.warning) for one in map(receipt, items)]


def test_from_the_order_to_the_paid_cent(bank: Counter) -> None:
    """Accepted, paid, come back: each said once, though camt.054 and camt.053 both say it."""
    bank.send(*THREE_PAYMENTS)
    bank.ask("returns", "PUT", {TWO: 2})
    assert said(bank.fetch()) == [(one, "ANGENOMMEN", "delivered", False) for one in (ONE, TWO, THREE)]

    bank.day()
    paid = bank.fetch()
    assert said(paid) == [(one, "BEZAHLT", "confirmed", False) for one in (ONE, TWO, THREE)]
    assert [str(receipt(one).amount) for one in paid] == ["850.00", "499.99", "0.01"]
    assert {receipt(one).occurred_on for one in paid} == {DAY}

    bank.day()
    assert bank.fetch() == []
    bank.day()
    (back,) = bank.fetch()
    assert said([back]) == [(TWO, "RUECKLAEUFER", "noted", False)]
    assert (receipt(back).code, str(receipt(back).amount)) == ("AC04", "499.99")
    assert bank.received()[TWO]["state"] == "returned"
    assert bank.ask("balance") == {"cents": 100_000_000 - 85_000 - 1}


def test_a_part_that_is_refused(bank: Counter) -> None:
    """The others go on."""
    bank.arm("reject_one")
    bank.send(*THREE_PAYMENTS)

    words = bank.fetch()
    assert said(words)[0] == (ONE, "ABGEWIESEN", "refused", False)
    assert receipt(words[0]).code == "AC04"
    assert [one[1] for one in said(words)[1:]] == ["ANGENOMMEN", "ANGENOMMEN"]


def test_a_file_that_is_refused_is_all_its_payments(bank: Counter) -> None:
    """The report names none of them; our note of the file does."""
    bank.arm("reject_file")
    bank.send(*THREE_PAYMENTS)

    words = bank.fetch()
    assert said(words) == [(one, "ABGEWIESEN", "refused", False) for one in (ONE, TWO, THREE)]
    assert {receipt(one).code for one in words} == {"AM10"}


def test_what_the_bank_says_of_the_names(bank: Counter) -> None:
    """It changes no state; a name that is not confirmed is for a person."""
    bank.arm("vop")
    bank.send(*THREE_PAYMENTS, message(reference(4)))

    assert said(bank.fetch())[:4] == [
        (ONE, "PRUEFUNG", "noted", True),
        (TWO, "PRUEFUNG", "noted", True),
        (THREE, "PRUEFUNG", "noted", True),
        (reference(4), "PRUEFUNG", "noted", False),
    ]


def test_a_status_that_nobody_knows_is_never_a_success(bank: Counter) -> None:
    """A person must look, and sees the code."""
    bank.arm("unknown_status")
    bank.send(*THREE_PAYMENTS)

    words = bank.fetch()
    assert said(words)[0] == (ONE, "PRUEFUNG", "noted", True)
    assert receipt(words[0]).code == "XYZ1"


@pytest.mark.parametrize("fault", ["duplicate_camt", "reordered"])
def test_doubled_and_turned_around_files_say_the_same(bank: Counter, fault: str) -> None:
    """One movement is one event, from whichever file it is read first."""
    bank.send(*THREE_PAYMENTS)
    bank.fetch()
    bank.arm(fault)
    bank.day()

    assert sorted(bank.words()) == [(ONE, "DBIT", "850.00"), (TWO, "DBIT", "499.99"), (THREE, "DBIT", "0.01")]


def test_the_same_file_again_later_says_the_same_under_the_same_ids(tmp_path: Path) -> None:
    """Replayed from a backup, under another name: the ledger knows the words."""
    counter = Counter(None, make_folder(tmp_path / "bank"))  # type: ignore[arg-type]  # nobody is there but the folder
    ids = []
    for name in ("a.xml", "b.xml"):
        put(counter, name, notification(movement(1, 850_00, ONE)))
        ids.append([item.external_id for item in counter.fetch()])

    assert ids[0] == ids[1] != []


def test_a_wrong_amount_is_told_as_it_is(bank: Counter) -> None:
    """The ledger compares it with the order, to the cent."""
    bank.send(*THREE_PAYMENTS)
    bank.fetch()
    bank.arm("wrong_amount")
    bank.day()

    assert bank.words()[0] == (ONE, "DBIT", "850.01")


def test_entries_of_others_keep_no_name_no_account_no_purpose(bank: Counter) -> None:
    """They are for the clearing list, with what the bank calls them; or are passed over where that is set."""
    bank.send(*THREE_PAYMENTS)
    bank.fetch()
    bank.arm("foreign_entries")
    bank.day()
    bank.extra["skip_unmatched"] = True
    ignoring = bank.source
    assert [told(item)[0] for item in ignoring.fetch(Bookmark())] == [ONE, TWO, THREE]
    bank.extra["skip_unmatched"] = False

    items = bank.fetch()
    foreign = [item for item in items if not told(item)[0]]
    assert len(foreign) >= 3
    assert len({item.external_id for item in items}) == len(items)
    assert {receipt(one).reference for one in foreign} == {None}
    assert all(receipt(one).remote_id.startswith("BANK6-") for one in foreign)
    assert not [word for word in ("Musterfrau", "Erika", "RE 2026/17") if word in repr([vars(one) for one in items])]


# -- files that nobody should believe ------------------------------------------------------------------------------


def movement(
    number: int, cents: int, ref: str, sign: int = -1, reason: str = "", day: str = "2026-11-25"
) -> dict[str, Any]:
    return {
        "number": number,
        "cents": cents,
        "sign": sign,
        "block": "",
        "reference": ref,
        "reason": reason,
        "day": day,
    }


def notification(*rows: dict[str, Any]) -> bytes:
    return reports.notification("N1", DAY, rows)


def statement(*rows: dict[str, Any]) -> bytes:
    return reports.statement("T1", DAY, 1_000_00, rows)


@pytest.fixture
def box(tmp_path: Path) -> Counter:
    """A folder, and nobody behind it."""
    return Counter(None, make_folder(tmp_path / "bank"))  # type: ignore[arg-type]  # no server


def put(box: Counter, name: str, body: bytes) -> None:
    assert box.folder is not None
    (box.folder / "in" / name).write_bytes(body)


GOOD = statement(movement(1, 850_00, ONE), movement(2, 499_99, TWO))
BOMB = b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "&c;&c;"><!ENTITY c "x">]>'


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (GOOD[: len(GOOD) // 2], "kein vollständiges XML"),
        (GOOD.replace(b"850.00", b"851.00", 1), "geht nicht auf"),
        (GOOD.replace(b">850.00</Amt><CdtDbtInd>DBIT", b">-850.00</Amt><CdtDbtInd>DBIT"), "geht nicht auf"),
        (GOOD.replace(b"<NbOfNtries>2", b"<NbOfNtries>3"), "nicht so viele Umsätze"),
        (GOOD.replace(ACCOUNT.encode(), b"DE02120300000000202051"), "ein anderes Konto"),
        (GOOD.replace(b">499.99<", b">NaN<"), "keinen Eurobetrag"),
        (GOOD.replace(b"camt.053.001.08", b"camt.053.001.02"), "keine Nachricht, die hier gelesen wird"),
        (GOOD.replace(b"UTF-8", b"UTF-7"), "nicht in UTF-8"),
        (BOMB + GOOD.partition(b"?>")[2], "keine Nachricht nach ISO 20022"),
        (b"", "keine Nachricht nach ISO 20022"),
        (b"%PDF-1.7", "keine Nachricht nach ISO 20022"),
        (GOOD.replace(b"<Stmt>", b"<Stmt>&lol;"), "kein vollständiges XML"),
    ],
)
def test_a_file_that_is_not_whole_is_one_line_and_nothing_else(box: Counter, body: bytes, why: str) -> None:
    """Nothing of it is believed, it is put aside, and the files beside it are read."""
    assert box.folder is not None
    put(box, "a.xml", body)
    put(box, "b.xml", notification(movement(7, 100, THREE)))

    items = {item.kind: item for item in box.fetch()}
    assert why in str(items["bankdatei"].problem)
    assert str(items["bankdatei"].problem).startswith("Datei a.xml")
    assert told(items["umsatz"]) == (THREE, "DBIT", "1.00")
    assert not [word for word in (ACCOUNT, "850.00", "Musterfrau") if word in str(items["bankdatei"].problem)]
    assert (box.folder / "in" / "failed" / "a.xml").read_bytes() == body
    assert (box.folder / "in" / "done" / "b.xml").is_file()


def test_a_file_beyond_the_limit_is_not_read(box: Counter) -> None:
    """As set in the connection."""
    box.extra["max_bytes"] = 100
    put(box, "a.xml", GOOD)

    (item,) = box.fetch()
    assert "ist zu groß" in str(item.problem)


def test_a_file_of_a_depth_beyond_reason_is_refused(box: Counter) -> None:
    """libxml2's own limits hold."""
    put(box, "a.xml", GOOD.replace(b"<Stmt>", b"<Stmt>" + b"<x>" * 5_000))

    (item,) = box.fetch()
    assert "kein vollständiges XML" in str(item.problem)


@pytest.mark.parametrize(
    ("change", "art"),
    [
        ((b'Ccy="EUR">850.00', b'Ccy="CHF">850.00'), "WIDERSPRUCH"),
        ((b"<TxDtls>", b"<TxDtls><!-- -->"), "DBIT"),
        ((b"<BookgDt>", b"<!-- --><BookgDt>"), "DBIT"),
        ((b"<Cd>BOOK</Cd>", b"<Cd>XXXX</Cd>"), "WIDERSPRUCH"),
    ],
)
def test_what_is_no_plain_debit_is_not_paid(box: Counter, change: tuple[bytes, bytes], art: str) -> None:
    """Another currency, another state of the entry: a person must look, and no sum is told."""
    put(box, "a.xml", notification(movement(1, 850_00, ONE)).replace(*change))

    ((ref, kind, amount),) = box.words()
    assert (ref, kind) == (ONE, art)
    assert bool(amount) == (art == "DBIT")


def test_an_entry_that_is_not_booked_says_nothing_yet(box: Counter) -> None:
    """It comes again when it is."""
    put(box, "a.xml", notification(movement(1, 850_00, ONE)).replace(b">BOOK<", b">PDNG<"))

    assert box.words() == []


def test_a_collective_entry_is_its_transactions(box: Counter) -> None:
    """Where their sums are the entry's; where not, none of them is believed."""
    sample = ROOT.parent / "shared" / "samples" / "sample_camt054.xml"
    if not sample.is_file():
        pytest.skip("no samples here")
    body = sample.read_bytes().replace(b"KK2026-09-0000", b"KK26-09-0000").replace(b"-A1<", b"-Z1<")
    put(box, "a.xml", body)
    assert box.words() == [
        ("KK26-09-00001-Z1", "DBIT", "2600.00"),
        ("KK26-09-00002-Z1", "DBIT", "499.99"),
        ("KK26-09-00003-Z1", "DBIT", "0.01"),
    ]

    put(box, "b.xml", body.replace(b">0.01<", b">0.02<"))
    assert {kind for _, kind, _ in box.words()} == {"WIDERSPRUCH"}


def test_a_debit_that_is_taken_back_is_no_income(box: Counter) -> None:
    """RvslInd: the bank corrects itself; the money is here again, and a person should look."""
    body = notification(movement(1, 850_00, ONE, 1)).replace(
        b"</CdtDbtInd><Sts>", b"</CdtDbtInd><RvslInd>true</RvslInd><Sts>"
    )
    put(box, "a.xml", body)

    assert said(box.fetch()) == [(ONE, "RUECKLAEUFER", "noted", True)]


@pytest.mark.parametrize(
    ("purpose", "ref"),
    [
        (f"Rest {reference(1)[:-2]}R1 danke", f"{reference(1)[:-2]}R1"),
        (f"{ONE} {TWO}", None),
        ("Spende", None),
    ],
)
def test_who_pays_back_is_known_by_the_purpose(box: Counter, purpose: str, ref: str | None) -> None:
    """If it names one Fremdkennzeichen; the purpose itself is not kept."""
    body = notification(movement(1, 37_60, "NOTPROVIDED", 1))
    body = body.replace(b"</RltdPties>", f"</RltdPties><RmtInf><Ustrd>{purpose}</Ustrd></RmtInf>".encode())
    put(box, "a.xml", body)

    (item,) = box.fetch()
    assert said([item]) == [(ref, "EINGEGANGEN", "noted", False)]
    assert "danke" not in repr(vars(item))


def test_a_report_about_a_file_that_is_not_ours_goes_to_a_person(box: Counter) -> None:
    """Refused as a whole, and nobody here knows what was in it."""
    put(box, "a.xml", reports.status("S1", DAY, "FREMD-1", "RJCT", []))
    put(box, "b.xml", reports.status("S2", DAY, "../../etc/passwd", "RJCT", []))

    assert said(box.fetch()) == [(None, "ABGEWIESEN", "refused", False)] * 2


def test_a_block_that_is_refused_is_its_payments(gateway: Counter) -> None:
    """And no payment of another block."""
    gateway.send(*THREE_PAYMENTS[:2], message(THREE, due="2026-11-26"))
    gateway.fetch()
    body = reports.status("S9", DAY, "KK26-S-0001", "PART", []).replace(
        b"</CstmrPmtStsRpt>",
        b"<OrgnlPmtInfAndSts><OrgnlPmtInfId>KK26-S-0001-2</OrgnlPmtInfId><PmtInfSts>RJCT</PmtInfSts>"
        b"<StsRsnInf><Rsn><Cd>DT01</Cd></Rsn></StsRsnInf></OrgnlPmtInfAndSts></CstmrPmtStsRpt>",
    )
    with sqlite3.connect(gateway.running.state / "books.sqlite3") as db:
        db.execute("insert into files (number, name, body) values (99, 'x.xml', ?)", (body,))
    db.close()

    (word,) = gateway.fetch()
    assert said([word]) == [(THREE, "ABGEWIESEN", "refused", False)]
    assert receipt(word).code == "DT01"


# -- until it is stored ----------------------------------------------------------------------------------------------


def test_a_file_waits_until_all_of_it_is_stored(box: Counter) -> None:
    """Killed after half: it is read again, and says the same."""
    assert box.folder is not None
    put(box, "a.xml", GOOD)
    source = box.source
    first, second = source.fetch(Bookmark())
    source.acknowledge([Handled(first)])
    assert (box.folder / "in" / "a.xml").is_file()

    again = box.source
    assert [item.external_id for item in again.fetch(Bookmark())] == [first.external_id, second.external_id]
    again.acknowledge([Handled(first, known=True)])
    again.acknowledge([Handled(second)])
    assert (box.folder / "in" / "done" / "a.xml").is_file()


def test_two_files_of_one_name_are_both_kept(box: Counter) -> None:
    """A bank may begin anew with its numbers."""
    assert box.folder is not None
    for body in (GOOD, notification(movement(5, 1, THREE))):
        put(box, "a.xml", body)
        box.fetch()

    assert sorted(file.name for file in (box.folder / "in" / "done").iterdir()) == ["a-2.xml", "a.xml"]


def test_a_file_that_is_still_written_is_not_read(box: Counter) -> None:
    """Hidden, unfinished, no XML, or a link that could lead anywhere."""
    assert box.folder is not None
    for name in (".a.xml", "a.xml.part", "a.txt"):
        put(box, name, GOOD)
    (box.folder / "in" / "link.xml").symlink_to(box.folder / "in" / "a.txt")

    assert box.fetch() == []


def test_a_folder_that_is_gone_is_an_error(box: Counter) -> None:
    """An empty list would mean that the bank has said nothing."""
    assert box.folder is not None
    (box.folder / "in").rmdir()

    with pytest.raises(SourceError) as raised:
        box.fetch()
    assert str(box.folder) not in str(raised.value)


# -- through a folder, killed anywhere ---------------------------------------------------------------------------------


def test_the_cash_office_takes_a_file_once(box: Counter) -> None:
    """It has taken it away; the same bytes again out of doubt put no second one there."""
    assert box.folder is not None
    target, batch = box.target, box.batch(*THREE_PAYMENTS)
    target.send(batch, THREE_PAYMENTS)
    for file in (box.folder / "out").iterdir():
        file.unlink()

    assert target.send(batch, THREE_PAYMENTS)
    assert list((box.folder / "out").iterdir()) == []
    assert {type(one) for one in target.look_up(batch, THREE_PAYMENTS).values()} == {Found}


def test_what_was_never_released_is_proven_not_to_be_there(box: Counter, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed before the note: without its `.ok` nobody takes the file, and sending again completes it."""
    assert box.folder is not None
    target, batch = box.target, box.batch(*THREE_PAYMENTS)
    assert {type(one) for one in target.look_up(batch, THREE_PAYMENTS).values()} == {CannotTell}  # no share mounted?
    (box.folder / "sent").mkdir()

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("connectors.bank.folder.FolderWay._write_note", killed)
        with pytest.raises(KeyboardInterrupt):
            target.send(batch, THREE_PAYMENTS)
    assert [file.name for file in (box.folder / "out").iterdir()] == ["KK26-S-0001.xml"]
    assert {type(one) for one in target.look_up(batch, THREE_PAYMENTS).values()} == {NotThere}

    with monkeypatch.context() as patched:
        patched.setattr("connectors.folder.outbox.files.replace", killed)
        with pytest.raises(KeyboardInterrupt):
            target.send(batch, THREE_PAYMENTS)
    assert {type(one) for one in target.look_up(batch, THREE_PAYMENTS).values()} == {NotThere}

    target.send(batch, THREE_PAYMENTS)
    assert {type(one) for one in target.look_up(batch, THREE_PAYMENTS).values()} == {Found}
    marker = (box.folder / "out" / "KK26-S-0001.xml.ok").read_text()
    assert marker.split()[0] == hashlib.sha256(batch.payload).hexdigest()


def test_another_file_under_a_name_that_was_used_stops_everything(bank: Counter) -> None:
    """Our names are unique: so the ledger has forgotten one."""
    bank.send(*THREE_PAYMENTS)
    other = bank.batch(message(reference(9)))
    with pytest.raises(AlreadyUsed):
        bank.target.send(other, [message(reference(9))])

    answers = bank.target.look_up(other, [message(reference(9))])
    assert {type(one) for one in answers.values()} == {CannotTell}


def test_our_note_of_a_file_holds_no_account_no_name_no_sum(box: Counter) -> None:
    """It lies there for as long as the folder does."""
    assert box.folder is not None
    box.target.send(box.batch(*THREE_PAYMENTS), THREE_PAYMENTS)

    note = (box.folder / "sent" / "KK26-S-0001.json").read_text()
    assert not [word for word in ("DE02", "Heimat", "850") if word in note]
    assert ONE in note


@pytest.mark.official
def test_the_sandbox_writes_what_banks_write(gateway: Counter, official: Callable[[str], etree.XMLSchema]) -> None:
    """Every file that it writes on good and bad days is valid by the official schemas."""
    for number, fault in enumerate(("", "reject_one", "reject_file", "vop", "unknown_status", "foreign_entries")):
        if fault:
            gateway.arm(fault)
        ref = f"KK26-090416-{number:05d}-Z1"
        gateway.send(message(ref), message(f"{ref[:-2]}Z2"), id=f"KK26-S-{number}")
        gateway.ask("returns", "PUT", {ref: 0})
        gateway.day()
    gateway.day()
    way = gateway.source._way
    seen = set()
    for arrival in way.arrivals():
        with way.open(arrival) as file:
            root = etree.parse(file).getroot()
        name = etree.QName(root).namespace.rpartition(":")[2]  # type: ignore[union-attr]
        official(name).assertValid(root)
        seen.add(name)

    assert seen == {"pain.002.001.10", "camt.053.001.08", "camt.054.001.08"}


def test_the_mappings_know_every_outcome_of_the_lists() -> None:
    """Only a debit confirms, only a refusal or a recall refuses; VoP and what nobody knows change nothing."""
    lists = {name: load_list(name) for name in ("bank-status-wirkung", "bank-umsatz-wirkung")}

    assert {key for key, to in lists["bank-umsatz-wirkung"].items() if to == "confirmed"} == {"DBIT"}
    assert {key for key, to in lists["bank-status-wirkung"].items() if to == "refused"} == {"RJCT", "CANC"}
    assert "confirmed" not in lists["bank-status-wirkung"].values()
    assert {*lists["bank-status-wirkung"].values()} <= {one.value for one in ReceiptOutcome}


def load_list(name: str) -> dict[str, str]:
    rows = (CONTEXT.content / "mappings" / "codelists" / f"{name}.csv").read_text("utf-8").splitlines()[2:]
    return dict(row.split(";") for row in rows)  # type: ignore[misc]
