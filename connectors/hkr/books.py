"""The sandbox's own books in SQLite: what arrived and what was said of it. They survive a restart.

batch ──▶ whole-batch checks ──▶ line checks ──▶ booking ──▶ Rueckmeldung with the next running number
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path

from lxml import etree

from connectors.hkr import papers, payments
from connectors.hkr.bookings import Bookings
from connectors.hkr.papers import TAKEN, Arrived, Verdict, tag, text

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
create index if not exists answers_by_reference on answers (reference);
create table if not exists stands (vorverfahren text primary key, last_batch text not null);
create table if not exists contents (
  reference text primary key, batch_id text not null, kind text not null, cents integer not null,
  related text not null, voucher text not null, year text not null, chapter text not null, title text not null,
  area text not null, test integer not null, code text not null);
"""
_MOMENTS = ("received", "accepted", "paid", "returned", "refunded", "cancelled")
_TURNOVER = """(
  select year, chapter, title, area, cents as committed, 0 as ordered, 0 as paid, 0 as returned, 0 as refunded
    from commitments
  union all
  select year, chapter, title, area, 0,
    case when kind = 'AUSZAHLUNG' and state = 'booked' then cents else 0 end,
    case when kind = 'AUSZAHLUNG' and state = 'paid' then cents else 0 end,
    case when kind = 'AUSZAHLUNG' and state = 'returned' then cents else 0 end,
    case when kind = 'ANNAHME' and state = 'refunded' and substr(changed_on, 1, 4) = year then cents else 0 end
    from payments)"""
_BALANCES = f"""select chapter, title, area, sum(committed) as committed, sum(paid) as paid, sum(refunded) as refunded
  from {_TURNOVER} where year = ? group by chapter, title, area order by chapter, title, area"""  # noqa: S608 - ours
_SUMS = f"""select year, area, sum(committed) as committed, sum(ordered) as ordered, sum(paid) as paid,
  sum(returned) as returned, sum(refunded) as refunded from {_TURNOVER} group by year, area order by year, area"""  # noqa: S608 - ours


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
        cutoff: date | None = None,
        auto_pay: bool = False,
    ) -> None:
        self._file, self._take, self._production, self._cutoff = file, take, production, cutoff
        self._bookings = Bookings(take, limits, today, auto_pay=auto_pay)
        self.today = today

    def submit(self, root: etree._Element) -> Result:
        """Take a batch: new – book it; the same again – answer the same; another under its id – refuse."""
        batch_id, digest = text(root, "Kopf/StapelId"), papers.digest(root)
        orders = [Arrived.of(element) for element in root.findall(tag("Anordnung"))]
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
                "select * from contents where reference >= ? and reference < ? order by reference",
                (beginning, f"{beginning}~"),  # no Fremdkennzeichen holds a letter behind it
            ).fetchall()
            last = "select * from answers where reference = ? order by number desc limit 1"
            return [(row, db.execute(last, (row["reference"],)).fetchone()) for row in rows]

    def balances(self, year: int) -> list[sqlite3.Row]:
        """Committed, paid and received cents per budget address of a year."""
        with self._open() as db:
            return db.execute(_BALANCES, (str(year),)).fetchall()

    def day(self, on: date) -> dict[str, int]:
        """One day of the cash office; how many orders were paid, came back, were received."""
        with self._open() as db:
            return self._bookings.day(db, on)

    def arm_bounces(self, references: Sequence[str], ibans: Sequence[str]) -> None:
        """What is paid so comes back on a later day."""
        with self._open() as db:
            payments.arm_bounces(db, references, ibans)

    def received(self) -> list[dict[str, str | int]]:
        """Every order that ever arrived: how often, how often booked, what was answered, and when what happened."""
        with self._open() as db:
            rows = db.execute(
                "select r.*, (select count(*) from orders o where o.reference = r.reference) as accepted,"
                " (select group_concat(event) from (select event from answers a"
                "   where a.reference = r.reference order by number)) as events"
                " from received r order by r.rowid"
            ).fetchall()
            moments = {(row["reference"], row["what"]): row["at"] for row in db.execute("select * from moments")}
        return [
            {
                "Fremdkennzeichen": row["reference"],
                "Art": row["kind"],
                "Betrag": papers.euros(row["cents"]),
                "Unterkonto": row["area"],
                "received": row["times"],
                "accepted": row["accepted"],
                "answers": row["events"] or "",
                **{f"{what}_at": moments.get((row["reference"], what), "") for what in _MOMENTS},
            }
            for row in rows
        ]

    def sums(self) -> list[dict[str, str]]:
        """Per year and area in euros: committed, ordered and not paid yet, paid, come back, received."""
        with self._open() as db:
            rows = db.execute(_SUMS).fetchall()
        names = ("committed", "ordered", "paid", "returned", "refunded")
        return [
            {
                "Haushaltsjahr": row["year"],
                "Unterkonto": row["area"],
                **{name: papers.euros(row[name]) for name in names},
            }
            for row in rows
        ]

    # -- taking a batch in -----------------------------------------------------------------------------------

    def _take_in(self, db: sqlite3.Connection, root: etree._Element, digest: str, orders: list[Arrived]) -> Result:
        head = root[0]  # a search through a whole batch for each of its orders would be a long one
        batch_id = text(head, "StapelId")
        number = int(db.execute("select count(*) + 1 from batches").fetchone()[0])
        remote_id = f"HKR-{number:08d}"
        reason = self._whole_batch(root, orders)
        verdicts = [reason if reason.code else self._line(db, text(head, "Haushaltsjahr"), order) for order in orders]
        status = _status(verdicts, reason)
        db.execute(
            "insert into batches values (?, ?, ?, ?, ?, ?)",
            (batch_id, digest, remote_id, status, reason.code, reason.text),
        )
        sender = text(head, "Vorverfahren")
        db.execute("insert or replace into stands values (?, ?)", (sender, batch_id))
        for position, (order, verdict) in enumerate(zip(orders, verdicts, strict=True)):
            _keep_content(db, head, order, verdict)
            db.execute(
                "insert into lines values (?, ?, ?, ?, ?, ?)",
                (batch_id, position, order.reference, order.cents, verdict.code, verdict.text),
            )
        return _result(db, batch_id)

    def _whole_batch(self, root: etree._Element, orders: list[Arrived]) -> Verdict:
        if self._production and text(root, "Kopf/Test") in ("true", "1"):
            return Verdict("TEST", "Ein Teststapel an ein produktives Verfahren")
        return papers.head_refusal(root, orders)

    def _line(self, db: sqlite3.Connection, batch_year: str, order: Arrived) -> Verdict:
        """Accept and book one order, or say why not."""
        year = order.place.year
        if self._take("reject_line"):
            return Verdict("SACHBEARBEITUNG", "Die Anordnung wurde bei der Eingangsprüfung zurückgewiesen")
        if (lacks := papers.missing(order, batch_year)).code:
            return lacks
        digest = order.digest
        known = db.execute("select digest from orders where reference = ?", (order.reference,)).fetchone()
        if known is not None:
            return _twin(same=known[0] == digest)
        if (wrong := papers.wrong(order, self.today(), self._cutoff)).code:
            return wrong
        if db.execute("select 1 from orders where year = ? and voucher = ?", (year, order.voucher)).fetchone():
            return Verdict("BELEGNUMMER", "Die Belegnummer ist in diesem Haushaltsjahr schon vergeben")
        db.execute("insert into orders values (?, ?, ?, ?)", (order.reference, digest, year, order.voucher))
        payments.note(db, order.reference, "accepted", _now())
        self._bookings.book(db, order)
        return TAKEN

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        """One transaction, on the disk before the answer leaves."""
        with closing(sqlite3.connect(self._file, isolation_level=None)) as db:
            db.row_factory = sqlite3.Row
            db.executescript(_TABLES + payments.TABLES)
            db.execute("pragma synchronous = full")
            db.execute("begin immediate")
            try:
                yield db
            except BaseException:
                db.rollback()
                raise
            db.commit()


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def _note_received(db: sqlite3.Connection, order: Arrived) -> None:
    db.execute(
        "insert into received (reference, kind, cents, area) values (?, ?, ?, ?)"
        " on conflict (reference, kind, cents, area) do update set times = times + 1",
        (order.reference, order.kind, order.cents, order.place.area),
    )
    payments.note(db, order.reference, "received", _now())


def _keep_content(db: sqlite3.Connection, head: etree._Element, order: Arrived, verdict: Verdict) -> None:
    """What was accepted stands for good; what was refused until something is accepted under its Fremdkennzeichen."""
    known = db.execute("select code from contents where reference = ?", (order.reference,)).fetchone()
    if known is not None and known["code"] == "":
        return
    place = (order.place.year, order.place.chapter, order.place.title, order.place.area)
    batch_id, test = text(head, "StapelId"), text(head, "Test") in ("true", "1")
    about = (order.reference, batch_id, order.kind, order.cents, order.related, order.voucher)
    values = (*about, *place, test, verdict.code)
    db.execute(f"insert or replace into contents values ({', '.join('?' * len(values))})", values)  # noqa: S608


def _twin(*, same: bool) -> Verdict:
    if same:
        return Verdict("DOPPELT", "Dieselbe Anordnung ist aus einem anderen Stapel schon da")
    return Verdict("ABWEICHEND", "Unter diesem Fremdkennzeichen ist eine andere Anordnung da")


def _status(verdicts: list[Verdict], reason: Verdict) -> str:
    if reason.code:
        return "ABGEWIESEN"
    return "TEILWEISE" if any(verdict.code for verdict in verdicts) else "ANGENOMMEN"


def _refused(batch_id: str, code: str, why: str, orders: list[Arrived]) -> Result:
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
