"""The sandbox's bank: its own accounts, its own checks, its own files. It shares no code with the client.

file ─▶ taken | refused (pain.002) ─▶ a day passes ─▶ booked (camt.054, camt.053) ─▶ some come back (camt.054)
"""

from __future__ import annotations

import hashlib
import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation
from pathlib import Path

from lxml import etree

from connectors.bank import reports

_SPACE = "urn:iso:std:iso:20022:tech:xsd:pain.001.001.09"
_P = f"{{{_SPACE}}}"
_PARSER = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
_TEXT = re.compile(r"[A-Za-z0-9/\-?:().,'+ \xc4\xd6\xdc\xe4\xf6\xfc\xdf&]+")
_ID = re.compile(r"[A-Za-z0-9\-?:().,'+/ ]{1,35}")
_OPENING = 100_000_000  # cents on the account on the first day

_TABLES = """
create table if not exists orders (
    msg_id text primary key, sha256 text not null, arrivals integer not null, verdict text not null);
create table if not exists payments (
    msg_id text not null, block text not null, reference text not null, cents integer not null, due text not null,
    name text not null, iban text not null, state text not null, reason text not null default '',
    primary key (msg_id, reference));
create table if not exists movements (
    number integer primary key, day text not null, cents integer not null, sign integer not null, block text not null,
    reference text not null, reason text not null);
create table if not exists files (
    number integer primary key, name text not null, body blob not null, fetched integer not null default 0);
create table if not exists returns (reference text primary key, days integer not null, reason text not null);
create table if not exists calendar (one integer primary key check (one = 1), today text not null);
"""


@dataclass(frozen=True)
class Refused(Exception):
    """The whole file is not taken; `code` is ISO's reason."""

    code: str


class Books:
    """One account at the bank. `take` asks whether a fault is armed, and uses it up."""

    def __init__(self, file: Path, take: Callable[[str], bool], today: date, *, at_once: bool = False) -> None:
        self._file, self._take, self._at_once = file, take, at_once
        with self._open() as db:
            db.executescript(_TABLES)
            db.execute("insert or ignore into calendar values (1, ?)", (today.isoformat(),))

    # -- orders ----------------------------------------------------------------------------------------------------

    def submit(self, msg_id: str, body: bytes) -> tuple[int, str]:
        """HTTP's status for a file, and its digest; the status report goes into the box. Raises Refused."""
        digest = hashlib.sha256(body).hexdigest()
        with self._open() as db:
            known = db.execute("select * from orders where msg_id = ?", (msg_id,)).fetchone()
            if known is not None:
                if known["sha256"] != digest:
                    return 409, digest
                db.execute("update orders set arrivals = arrivals + 1 where msg_id = ?", (msg_id,))
                return 200, digest
            rows = list(_read(body, msg_id))
            if self._take("reject_file"):
                verdict = "RJCT"
                rows = [{**row, "state": "rejected", "reason": "AM10"} for row in rows]
            else:
                verdict, rows = self._judged(rows)
            db.execute("insert into orders values (?, ?, 1, ?)", (msg_id, digest, verdict))
            db.executemany(
                "insert into payments values"
                " (:msg_id, :block, :reference, :cents, :due, :name, :iban, :state, :reason)",
                rows,
            )
            self._report(db, msg_id, verdict, rows)
            if self._at_once:
                self._book(db, rows)
        return 201, digest

    def last(self) -> str:
        """The MsgId of the last file that was taken."""
        with self._open() as db:
            row = db.execute("select msg_id from orders order by rowid desc limit 1").fetchone()
        return "" if row is None else str(row["msg_id"])

    def note(self, msg_id: str) -> dict[str, object] | None:
        """What was taken under a MsgId."""
        with self._open() as db:
            known = db.execute("select * from orders where msg_id = ?", (msg_id,)).fetchone()
            if known is None:
                return None
            blocks: dict[str, list[str]] = {}
            for row in db.execute("select block, reference from payments where msg_id = ? order by rowid", (msg_id,)):
                blocks.setdefault(row["block"], []).append(row["reference"])
            return {"sha256": known["sha256"], "zahlungen": blocks}

    # -- days ------------------------------------------------------------------------------------------------------

    def end_day(self) -> str:
        """Book what is due, send back what was armed, write the day's statement; the new day."""
        with self._open() as db:
            today = self._today(db)
            due = db.execute("select * from payments where state = 'accepted' and due <= ?", (today.isoformat(),))
            returned = self._come_back(db, today)
            statement_first = self._take("reordered")
            before = len(self._names(db))
            self._book(db, [dict(row) for row in due])
            if returned:
                self._notify(db, returned)
            self._statement(db, today)
            if statement_first:
                self._turn_around(db, before)
            db.execute("update calendar set today = ?", ((today + timedelta(days=1)).isoformat(),))
            return (today + timedelta(days=1)).isoformat()

    def send_back(self, reference: str, days: int, reason: str) -> None:
        """Arm a return: so many days after it was booked it comes back."""
        with self._open() as db:
            db.execute("insert or replace into returns values (?, ?, ?)", (reference, days, reason))

    def recall(self, reference: str) -> bool:
        """Somebody has called: a payment that is taken and not booked yet is not carried out, and a report says so."""
        with self._open() as db:
            query = "select * from payments where reference = ? and state = 'accepted'"
            row = db.execute(query, (reference,)).fetchone()
            if row is None:
                return False
            db.execute("update payments set state = 'cancelled' where reference = ?", (reference,))
            lines = [(dict(row), "CANC", "CUST")]
            body = reports.status(f"S{len(self._names(db))}", self._today(db), row["msg_id"], "PART", lines)
            self._put(db, "pain002", body)
            return True

    # -- what can be asked -------------------------------------------------------------------------------------------

    def files(self) -> list[dict[str, object]]:
        """The files that nobody has fetched."""
        with self._open() as db:
            rows = db.execute("select * from files where not fetched order by number").fetchall()
        return [
            {
                "nummer": row["number"],
                "name": row["name"],
                "sha256": hashlib.sha256(row["body"]).hexdigest(),
                "bytes": len(row["body"]),
            }
            for row in rows
        ]

    def file(self, number: int) -> bytes | None:
        """One of them, or one that was fetched."""
        with self._open() as db:
            row = db.execute("select body from files where number = ?", (number,)).fetchone()
        return None if row is None else bytes(row["body"])

    def fetched(self, number: int) -> None:
        """It is offered no more."""
        with self._open() as db:
            db.execute("update files set fetched = 1 where number = ?", (number,))

    def received(self) -> list[dict[str, object]]:
        """Every payment of every file that was taken: how often it arrived, and what became of it."""
        query = (
            "select p.*, o.arrivals, (select count(*) from movements m where m.reference = p.reference and m.sign = -1)"
            " as booked from payments p join orders o using (msg_id) order by p.rowid"
        )
        with self._open() as db:
            return [dict(row) for row in db.execute(query)]

    def balance(self) -> int:
        """What is on the account, in cents."""
        with self._open() as db:
            return _OPENING + int(db.execute("select coalesce(sum(sign * cents), 0) from movements").fetchone()[0])

    # -- inside --------------------------------------------------------------------------------------------------------

    def _judged(self, rows: list[dict[str, object]]) -> tuple[str, list[dict[str, object]]]:
        """Each payment by itself: an account that cannot be is refused, the others go on."""
        judged = [
            {**row, "state": "accepted", "reason": ""} if _iban(str(row["iban"])) else {**row, **_no("AC01")}
            for row in rows
        ]
        if judged and self._take("reject_one"):
            judged[0] |= _no("AC04")
        refused = sum(row["state"] == "rejected" for row in judged)
        return ("ACTC" if not refused else "RJCT" if refused == len(judged) else "PART"), judged

    def _report(self, db: sqlite3.Connection, msg_id: str, verdict: str, rows: list[dict[str, object]]) -> None:
        today = self._today(db)
        if self._take("vop"):
            words = ["RVNM", "RVMC", "RVNA"]
            lines = [(row, words[place] if place < len(words) else "RCVC", "") for place, row in enumerate(rows)]
            self._put(db, "vop", reports.status(f"V{len(self._names(db))}", today, msg_id, "RVCM", lines))
        lines = [(row, "RJCT" if row["state"] == "rejected" else "ACTC", str(row["reason"])) for row in rows]
        if lines and self._take("unknown_status"):
            verdict, lines[0] = "PART", (lines[0][0], "XYZ1", "")
        whole = verdict == "RJCT" and all(row["reason"] == "AM10" for row in rows)
        body = reports.status(f"S{len(self._names(db))}", today, msg_id, verdict, [] if whole else lines)
        self._put(db, "pain002", body)

    def _book(self, db: sqlite3.Connection, rows: list[dict[str, object]]) -> None:
        booked = [row for row in rows if row["state"] == "accepted"]
        if not booked:
            return
        wrong, foreign = self._take("wrong_amount"), self._take("foreign_entries")
        added = list[int]()
        for place, row in enumerate(booked):
            if foreign:
                added.append(self._move(db, 4_200 + place, -1 if place % 2 else 1, "", "RE 2026/17 Musterfrau", ""))
            cents = int(str(row["cents"])) + (1 if wrong and place == 0 else 0)
            added.append(self._move(db, cents, -1, str(row["block"]), str(row["reference"]), ""))
            query = "update payments set state = 'paid' where msg_id = ? and reference = ?"
            db.execute(query, (row["msg_id"], row["reference"]))
        self._notify(db, added)

    def _come_back(self, db: sqlite3.Connection, today: date) -> list[int]:
        query = (
            "select m.*, r.days, r.reason as why from returns r join movements m on m.reference = r.reference"
            " and m.sign = -1 order by m.number"
        )
        back = list[int]()
        for row in db.execute(query).fetchall():
            if date.fromisoformat(row["day"]) + timedelta(days=row["days"]) <= today:
                back.append(self._move(db, row["cents"], 1, row["block"], row["reference"], row["why"]))
                db.execute("delete from returns where reference = ?", (row["reference"],))
                db.execute("update payments set state = 'returned' where reference = ?", (row["reference"],))
        return back

    def _move(self, db: sqlite3.Connection, cents: int, sign: int, block: str, reference: str, reason: str) -> int:
        day = self._today(db).isoformat()
        row = db.execute(
            "insert into movements (day, cents, sign, block, reference, reason) values (?, ?, ?, ?, ?, ?)",
            (day, cents, sign, block, reference, reason),
        )
        assert row.lastrowid is not None
        return row.lastrowid

    def _notify(self, db: sqlite3.Connection, numbers: list[int]) -> None:
        marks = ", ".join("?" * len(numbers))
        rows = db.execute(f"select * from movements where number in ({marks}) order by number", numbers).fetchall()  # noqa: S608
        body = reports.notification(f"N{numbers[0]}", self._today(db), rows)
        for _ in range(2 if self._take("duplicate_camt") else 1):
            self._put(db, "camt054", body)

    def _statement(self, db: sqlite3.Connection, day: date) -> None:
        rows = db.execute("select * from movements where day = ? order by number", (day.isoformat(),)).fetchall()
        query = "select coalesce(sum(sign * cents), 0) from movements where day < ?"
        opened = _OPENING + int(db.execute(query, (day.isoformat(),)).fetchone()[0])
        self._put(db, "camt053", reports.statement(f"T{day:%Y%m%d}", day, opened, rows))

    def _turn_around(self, db: sqlite3.Connection, before: int) -> None:
        """The files of this day in the opposite order."""
        rows = db.execute("select number, name, body from files where number > ? order by number", (before,)).fetchall()
        for row, other in zip(rows, reversed(rows), strict=True):
            changed = (other["name"], other["body"], row["number"])
            db.execute("update files set name = ?, body = ? where number = ?", changed)

    def _put(self, db: sqlite3.Connection, kind: str, body: bytes) -> None:
        number = len(self._names(db)) + 1
        db.execute(
            "insert into files (number, name, body) values (?, ?, ?)", (number, f"{number:05d}-{kind}.xml", body)
        )

    def _names(self, db: sqlite3.Connection) -> list[str]:
        return [row["name"] for row in db.execute("select name from files order by number")]

    def _today(self, db: sqlite3.Connection) -> date:
        return date.fromisoformat(db.execute("select today from calendar").fetchone()["today"])

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        db = sqlite3.connect(self._file)
        db.row_factory = sqlite3.Row
        try:
            with db:
                db.execute("begin immediate")
                yield db
        finally:
            db.close()


def _no(reason: str) -> dict[str, object]:
    return {"state": "rejected", "reason": reason}


# -- what this bank checks of a file ---------------------------------------------------------------------------------


def _read(body: bytes, msg_id: str) -> Iterator[dict[str, object]]:
    """The payments of a file; raises Refused where the file as a whole is wrong."""
    try:
        root = etree.fromstring(body, _PARSER)
    except etree.XMLSyntaxError:
        raise Refused("FF01") from None
    head, blocks = root.find(f"{_P}CstmrCdtTrfInitn/{_P}GrpHdr"), root.findall(f"{_P}CstmrCdtTrfInitn/{_P}PmtInf")
    if root.tag != f"{_P}Document" or head is None or not blocks or head.findtext(f"{_P}MsgId") != msg_id:
        raise Refused("FF01")
    rows = [row for block in blocks for row in _block(block, msg_id)]
    _refuse_sums(head, rows)
    references = [row["reference"] for row in rows]
    if len({*references}) != len(references):
        raise Refused("AM05")
    yield from rows


def _block(block: etree._Element, msg_id: str) -> list[dict[str, object]]:
    expected = {"PmtMtd": "TRF", f"PmtTpInf/{_P}SvcLvl/{_P}Cd": "SEPA", "ChrgBr": "SLEV"}
    if any(block.findtext(f"{_P}{path}") != value for path, value in expected.items()):
        raise Refused("FF01")
    if not _iban(block.findtext(f"{_P}DbtrAcct/{_P}Id/{_P}IBAN", "")) or block.find(f".//{_P}AdrLine") is not None:
        raise Refused("FF01")
    number, due = block.findtext(f"{_P}PmtInfId", ""), block.findtext(f"{_P}ReqdExctnDt/{_P}Dt", "")
    rows = [_transfer(one, msg_id, number, due) for one in block.findall(f"{_P}CdtTrfTxInf")]
    _refuse_sums(block, rows)
    return rows


def _transfer(one: etree._Element, msg_id: str, block: str, due: str) -> dict[str, object]:
    amount, name = one.find(f"{_P}Amt/{_P}InstdAmt"), one.findtext(f"{_P}Cdtr/{_P}Nm", "")
    reference, purpose = one.findtext(f"{_P}PmtId/{_P}EndToEndId", ""), one.findtext(f"{_P}RmtInf/{_P}Ustrd", "")
    cents = _cents("" if amount is None else amount.text or "")
    fine = (
        amount is not None and amount.get("Ccy") == "EUR" and 0 < cents < 100_000_000_000 and _ID.fullmatch(reference)
    )
    if not fine or not _TEXT.fullmatch(name) or not _TEXT.fullmatch(purpose) or len(name) > 70 or len(purpose) > 140:
        raise Refused("FF01")
    iban = one.findtext(f"{_P}CdtrAcct/{_P}Id/{_P}IBAN", "")
    return {
        "msg_id": msg_id,
        "block": block,
        "reference": reference,
        "cents": cents,
        "due": due,
        "name": name,
        "iban": iban,
    }


def _refuse_sums(place: etree._Element, rows: list[dict[str, object]]) -> None:
    count, total = place.findtext(f"{_P}NbOfTxs", ""), _cents(place.findtext(f"{_P}CtrlSum", ""))
    if count != str(len(rows)) or total != sum(int(str(row["cents"])) for row in rows):
        raise Refused("AM10")


def _cents(text: str) -> int:
    try:
        return int(Decimal(text) * 100) if re.fullmatch(r"[0-9]{1,15}\.[0-9]{2}", text) else -1
    except InvalidOperation:
        return -1


def _iban(text: str) -> bool:
    """ISO 13616: the first four characters to the end, letters as numbers, modulo 97."""
    if not re.fullmatch(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}", text) or (text.startswith("DE") and len(text) != 22):
        return False
    return int("".join(str(int(one, 36)) for one in text[4:] + text[:4])) % 97 == 1
