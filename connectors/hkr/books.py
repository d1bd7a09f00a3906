"""The sandbox's own books in SQLite: what arrived and what was said of it. They survive a restart.

batch ──▶ whole-batch checks ──▶ line checks ──▶ booking ──▶ Rueckmeldung with the next running number
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from lxml import etree

from connectors.hkr import contract
from connectors.hkr.bookings import TAKEN, Bookings, Verdict
from connectors.hkr.contract import Order, tag, text

_TABLES = """
create table if not exists batches (
  id text primary key, digest text not null, remote_id text not null, status text not null,
  code text not null default '', text text not null default '');
create table if not exists lines (
  batch_id text not null, position integer not null, reference text not null, cents integer not null,
  code text not null default '', text text not null default '', primary key (batch_id, position));
create table if not exists orders (
  reference text primary key, digest text not null, year text not null, voucher text not null,
  unique (year, voucher));
create table if not exists received (
  reference text not null, kind text not null, cents integer not null, area text not null,
  times integer not null default 1, unique (reference, kind, cents, area));
create table if not exists commitments (
  reference text primary key, year text not null, chapter text not null, title text not null,
  area text not null, cents integer not null);
create table if not exists answers (
  number integer primary key, reference text not null, event text not null, cents integer not null,
  day text not null, voucher text not null, code text not null default '', text text not null default '');
create table if not exists stands (vorverfahren text primary key, last_batch text not null);
create table if not exists contents (
  reference text primary key, batch_id text not null, kind text not null, cents integer not null,
  related text not null, voucher text not null, year text not null, chapter text not null, title text not null,
  area text not null, test integer not null, code text not null);
"""


@dataclass(frozen=True)
class Result:
    """What the books say of a batch; `lines` are (reference, cents, verdict)."""

    batch_id: str
    status: str
    remote_id: str = ""
    reason: Verdict = TAKEN
    lines: tuple[tuple[str, int, Verdict], ...] = ()

    @property
    def accepted(self) -> list[int]:
        """The amounts that were accepted, in cents."""
        return [cents for _, cents, verdict in self.lines if not verdict.code]


class Books:
    """One file, one transaction per call. `take` asks whether a fault is armed, and uses it up."""

    def __init__(
        self,
        file: Path,
        take: Callable[[str], bool],
        *,
        limits: Mapping[str, int],
        today: Callable[[], date],
        production: bool = False,
    ) -> None:
        self._file, self._take, self._production = file, take, production
        self._bookings = Bookings(take, limits, today)
        self.today = today

    def submit(self, root: etree._Element) -> Result:
        """Take a batch: new – book it; the same again – answer the same; another under its id – refuse."""
        batch_id, digest = text(root, "Kopf/StapelId"), _digest(root)
        orders = [Order.of(element) for element in root.findall(tag("Anordnung"))]
        with self._open() as db:
            for order in orders:
                _note_received(db, order)
            known = db.execute("select digest from batches where id = ?", (batch_id,)).fetchone()
            if known is None:
                return self._take_in(db, root, digest, orders)
            if known[0] != digest:
                return _refused(batch_id, "STAPEL", "Unter dieser StapelId kam ein anderer Stapel an", orders)
            return _repeated(_result(db, batch_id))

    def status(self, batch_id: str) -> Result:
        """What became of a batch; UNBEKANNT if it never arrived."""
        with self._open() as db:
            return _result(db, batch_id)

    def answers(self, after: int, limit: int) -> tuple[list[sqlite3.Row], int]:
        """The answers after a number, and the highest number there is."""
        with self._open() as db:
            rows = db.execute(
                "select * from answers where number > ? order by number limit ?", (after, limit)
            ).fetchall()
            return rows, int(db.execute("select coalesce(max(number), 0) from answers").fetchone()[0])

    def stand(self, vorverfahren: str) -> tuple[str, int]:
        """The last batch that arrived from somebody, empty if none did, and the highest number of an answer."""
        with self._open() as db:
            row = db.execute("select last_batch from stands where vorverfahren = ?", (vorverfahren,)).fetchone()
            highest = int(db.execute("select coalesce(max(number), 0) from answers").fetchone()[0])
            return (row["last_batch"] if row else "", highest)

    def orders(self, beginning: str) -> list[tuple[sqlite3.Row, sqlite3.Row | None]]:
        """What arrived under Fremdkennzeichen that begin so, each with its last answer."""
        with self._open() as db:
            rows = db.execute(
                "select * from contents where substr(reference, 1, ?) = ? order by reference",
                (len(beginning), beginning),
            ).fetchall()
            last = "select * from answers where reference = ? order by number desc limit 1"
            return [(row, db.execute(last, (row["reference"],)).fetchone()) for row in rows]

    def balances(self, year: int) -> list[sqlite3.Row]:
        """Committed cents per budget address of a year."""
        with self._open() as db:
            return db.execute(
                "select chapter, title, area, sum(cents) as cents from commitments where year = ?"
                " group by chapter, title, area order by chapter, title, area",
                (str(year),),
            ).fetchall()

    def received(self) -> list[dict[str, str | int]]:
        """Every order that ever arrived: how often, how often booked, and what was answered."""
        with self._open() as db:
            rows = db.execute(
                "select r.*, (select count(*) from orders o where o.reference = r.reference) as accepted,"
                " (select group_concat(event) from (select event from answers a"
                "   where a.reference = r.reference order by number)) as events"
                " from received r order by r.rowid"
            ).fetchall()
        return [
            {
                "Fremdkennzeichen": row["reference"],
                "Art": row["kind"],
                "Betrag": contract.euros(row["cents"]),
                "Unterkonto": row["area"],
                "received": row["times"],
                "accepted": row["accepted"],
                "answers": row["events"] or "",
            }
            for row in rows
        ]

    # -- taking a batch in -----------------------------------------------------------------------------------

    def _take_in(self, db: sqlite3.Connection, root: etree._Element, digest: str, orders: list[Order]) -> Result:
        batch_id = text(root, "Kopf/StapelId")
        number = int(db.execute("select count(*) + 1 from batches").fetchone()[0])
        remote_id = f"HKR-{number:08d}"
        reason = self._whole_batch(root, orders)
        verdicts = [reason if reason.code else self._line(db, root, order) for order in orders]
        status = _status(verdicts, reason)
        db.execute(
            "insert into batches values (?, ?, ?, ?, ?, ?)",
            (batch_id, digest, remote_id, status, reason.code, reason.text),
        )
        sender = text(root, "Kopf/Vorverfahren")
        db.execute("insert or replace into stands values (?, ?)", (sender, batch_id))
        for position, (order, verdict) in enumerate(zip(orders, verdicts, strict=True)):
            _keep_content(db, root, order, verdict)
            db.execute(
                "insert into lines values (?, ?, ?, ?, ?, ?)",
                (batch_id, position, order.reference, order.cents, verdict.code, verdict.text),
            )
        return _result(db, batch_id)

    def _whole_batch(self, root: etree._Element, orders: list[Order]) -> Verdict:
        if self._production and text(root, "Kopf/Test") in ("true", "1"):
            return Verdict("TEST", "Ein Teststapel an ein produktives Verfahren")
        sums = contract.totals(orders)
        if text(root, "Kopf/Anzahl") != str(sums.count):
            return Verdict("ANZAHL", "Die Anzahl im Kopf ist nicht die der Anordnungen")
        named = [text(root, f"Kopf/Summe{name}") for name in ("Auszahlung", "Annahme", "Festlegung")]
        if [contract.cents(value) for value in named] != [sums.payments, sums.receipts, sums.commitments]:
            return Verdict("SUMME", "Eine Summe im Kopf ist nicht die der Anordnungen")
        if len({order.reference for order in orders}) != len(orders):
            return Verdict("FREMDKENNZEICHEN", "Ein Fremdkennzeichen steht zweimal im Stapel")
        return TAKEN

    def _line(self, db: sqlite3.Connection, root: etree._Element, order: Order) -> Verdict:
        """Accept and book one order, or say why not."""
        year = text(order.element, "Buchungsstelle/Haushaltsjahr")
        voucher = text(order.element, "Belegnummer")
        if self._take("reject_line"):
            return Verdict("SACHBEARBEITUNG", "Die Anordnung wurde bei der Eingangsprüfung zurückgewiesen")
        if name := contract.missing_duty(order):
            return Verdict("PFLICHTFELD", f"{name} fehlt")
        if year != text(root, "Kopf/Haushaltsjahr"):
            return Verdict("HAUSHALTSJAHR", "Die Anordnung gehört nicht in das Haushaltsjahr des Stapels")
        known = db.execute("select digest from orders where reference = ?", (order.reference,)).fetchone()
        if known is not None:
            return _twin(same=known[0] == _digest(order.element))
        if db.execute("select 1 from orders where year = ? and voucher = ?", (year, voucher)).fetchone():
            return Verdict("BELEGNUMMER", "Die Belegnummer ist in diesem Haushaltsjahr schon vergeben")
        db.execute(
            "insert into orders values (?, ?, ?, ?)",
            (order.reference, _digest(order.element), year, voucher),
        )
        self._bookings.book(db, order)
        return TAKEN

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        """One transaction, on the disk before the answer leaves."""
        with closing(sqlite3.connect(self._file, isolation_level=None)) as db:
            db.row_factory = sqlite3.Row
            db.executescript(_TABLES)
            db.execute("pragma synchronous = full")
            db.execute("begin immediate")
            try:
                yield db
            except BaseException:
                db.rollback()
                raise
            db.commit()


def _digest(element: etree._Element) -> str:
    return hashlib.sha256(etree.tostring(element, method="c14n", exclusive=True)).hexdigest()


def _note_received(db: sqlite3.Connection, order: Order) -> None:
    area = text(order.element, "Buchungsstelle/Unterkonto")
    db.execute(
        "insert into received (reference, kind, cents, area) values (?, ?, ?, ?)"
        " on conflict (reference, kind, cents, area) do update set times = times + 1",
        (order.reference, order.kind, order.cents, area),
    )


def _keep_content(db: sqlite3.Connection, root: etree._Element, order: Order, verdict: Verdict) -> None:
    """What was accepted stands for good; what was refused until something is accepted under its Fremdkennzeichen."""
    known = db.execute("select code from contents where reference = ?", (order.reference,)).fetchone()
    if known is not None and known["code"] == "":
        return
    names = ("Haushaltsjahr", "Kapitel", "Titel", "Unterkonto")
    place = [text(order.element, f"Buchungsstelle/{name}") for name in names]
    batch_id, test = text(root, "Kopf/StapelId"), text(root, "Kopf/Test") in ("true", "1")
    related, voucher = text(order.element, "BezugFremdkennzeichen"), text(order.element, "Belegnummer")
    values = (order.reference, batch_id, order.kind, order.cents, related, voucher, *place, test, verdict.code)
    db.execute(f"insert or replace into contents values ({', '.join('?' * len(values))})", values)  # noqa: S608


def _twin(*, same: bool) -> Verdict:
    if same:
        return Verdict("DOPPELT", "Dieselbe Anordnung ist aus einem anderen Stapel schon da")
    return Verdict("ABWEICHEND", "Unter diesem Fremdkennzeichen ist eine andere Anordnung da")


def _status(verdicts: list[Verdict], reason: Verdict) -> str:
    if reason.code:
        return "ABGEWIESEN"
    return "TEILWEISE" if any(verdict.code for verdict in verdicts) else "ANGENOMMEN"


def _refused(batch_id: str, code: str, why: str, orders: list[Order]) -> Result:
    reason = Verdict(code, why)
    lines = tuple((order.reference, order.cents, reason) for order in orders)
    return Result(batch_id, "ABGEWIESEN", "HKR-00000000", reason, lines)


def _repeated(result: Result) -> Result:
    return result if result.status == "ABGEWIESEN" else replace(result, status="BEREITS_VORHANDEN")


def _result(db: sqlite3.Connection, batch_id: str) -> Result:
    row = db.execute("select * from batches where id = ?", (batch_id,)).fetchone()
    if row is None:
        return Result(batch_id, "UNBEKANNT")
    lines = db.execute("select * from lines where batch_id = ? order by position", (batch_id,)).fetchall()
    return Result(
        batch_id,
        row["status"],
        row["remote_id"],
        Verdict(row["code"], row["text"]),
        tuple((line["reference"], line["cents"], Verdict(line["code"], line["text"])) for line in lines),
    )
