"""The ledger's tables. Invariants are constraints and partial unique indexes, not `if`s.

Money is integer cents. Times are UTC. No table but `records`, `record_history`, `findable`, `receipts`, `unread`,
`messages`, `message_bytes`, `batches`, `previews` and `uploads` holds content; none of these columns is ever logged.
Account data stands in `accounts` and in the bytes of what is confidential, sealed by the vault (`ledger/accounts.py`),
for an hour in `uploads`, sealed by the page, and nowhere else.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    Uuid,
    false,
    text,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class Moment(TypeDecorator[datetime]):
    """An aware time, stored as UTC on both databases."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)  # type: ignore[no-any-return]


_BIG = BigInteger().with_variant(Integer, "sqlite")  # SQLite counts only INTEGER PRIMARY KEY by itself

lanes = Table(  # one per (destination, family of effects) or source: whoever has the newest fence may write
    "lanes",
    metadata,
    Column("name", String(160), primary_key=True),
    Column("fence", Integer, nullable=False),
)

runs = Table(
    "runs",
    metadata,
    Column("id", _BIG, primary_key=True),
    Column("lane", String(160), nullable=False),
    Column("fence", Integer, nullable=False),
    Column("route", String(60), nullable=False),
    Column("step", String(20), nullable=False),
    Column("started_at", Moment, nullable=False),
    Column("ended_at", Moment),
    Column("counts", JSON),
    Column("error", Text),
    Index("ix_runs_route", "route", "id"),
    Index("ix_runs_step", "route", "step", "id"),
)

route_flags = Table(
    "route_flags",
    metadata,
    Column("route", String(60), primary_key=True),
    Column("paused", Boolean, nullable=False),
    Column("person", String(80), nullable=False),
    Column("account", String(160), nullable=False, server_default=""),  # the log-in that gave the name (people.py)
    Column("reason", Text, nullable=False),
    Column("at", Moment, nullable=False),
)

destinations = Table(
    "destinations",
    metadata,
    Column("name", String(60), primary_key=True),
    Column("generation", Integer, nullable=False),  # raised only by a person, when the destination was really reset
    Column("person", String(80), nullable=False, server_default=""),
    Column("account", String(160), nullable=False, server_default=""),
    Column("reason", Text, nullable=False, server_default=""),
    Column("at", Moment),
    Column("paused_at", Moment),  # nothing goes there and nothing is fetched there until a person says so
    Column("paused_by", String(80), nullable=False, server_default=""),
    Column("paused_account", String(160), nullable=False, server_default=""),
    Column("paused_because", Text, nullable=False, server_default=""),
    Column("sends", BigInteger, nullable=False, server_default="0"),  # begins of sending (witness.py)
    Column("incarnation", Integer, nullable=False, server_default="1"),  # in batch ids and vouchers; recovery raises it
    Column("recovering", Boolean, nullable=False, server_default=false()),  # nothing goes out
)

recovery_steps = Table(  # what was noticed, asked, taken over, compared and decided after a restored backup
    "recovery_steps",
    metadata,
    Column("id", _BIG, primary_key=True),
    Column("destination", String(60), nullable=False),
    Column("at", Moment, nullable=False),
    Column("kind", String(20), nullable=False),
    Column("person", String(80), nullable=False, server_default=""),
    Column("account", String(160), nullable=False, server_default=""),
    Column("body", JSON, nullable=False),  # counts, ids, a reason – no content
    Index("ix_recovery_steps_destination", "destination", "id"),
)

serials = Table(  # Belegnummern: unique per destination and year
    "serials",
    metadata,
    Column("destination", String(60), primary_key=True),
    Column("year", Integer, primary_key=True),
    Column("last", Integer, nullable=False),
)

cursors = Table(
    "cursors",
    metadata,
    Column("source", String(60), primary_key=True),
    Column("value", Text, nullable=False),
    Column("at", Moment, nullable=False),
)

cases = Table(
    "cases",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("process_id", String(60), nullable=False),
    Column("reference", String(40), nullable=False),
    Column("area_id", String(20), nullable=False, server_default=""),  # part of the key for paper proposals only
    Column("created_at", Moment, nullable=False),
    Column("last_event", Integer, nullable=False, server_default="0"),
    Column("last_hash", String(64), nullable=False, server_default=""),
    Column("changed", BigInteger, nullable=False, server_default="0"),  # the process's number of its last change
    Column("counted_area", String(20), nullable=False, server_default=""),  # what it takes of which area's budget,
    Column("counted_cents", BigInteger, nullable=False, server_default="0"),  # as it was joined last
    Column("wakes_on", Date),  # from this day on it stands otherwise, though nothing has been heard of it
    UniqueConstraint("process_id", "reference", "area_id"),
    Index("ix_cases_changed", "process_id", "changed", "id"),
    Index("ix_cases_wakes", "process_id", "wakes_on"),
    Index("ix_cases_counted", "process_id", "counted_area", "counted_cents"),
    Index("ix_cases_reference", "reference"),
)

changes = Table(  # one number per process; whatever a due rule could see raises it, in its own transaction
    "changes",
    metadata,
    Column("process_id", String(60), primary_key=True),
    Column("number", BigInteger, nullable=False),
    Column("counted", BigInteger, nullable=False, server_default="-1"),  # up to here `counted_cents` of cases are right
    Column("found", BigInteger, nullable=False, server_default="-1"),  # and up to here their words in `findable`,
    Column("found_case", Uuid, nullable=False, server_default="f" * 32),  # of those with this number up to this case
)

findable = Table(  # what people find a case by: numbers, titles, Fremdkennzeichen; derived (`finding.py`)
    "findable",
    metadata,
    Column("case_id", Uuid, ForeignKey(cases.c.id), primary_key=True),
    Column("process_id", String(60), nullable=False),  # with its order beside it, a search reads this table alone
    Column("reference", String(40), nullable=False),
    Column("words", Text, nullable=False),  # folded, one per line
)

looks = Table(  # up to which number a route has looked, and with which files and versions
    "looks",
    metadata,
    Column("route", String(60), primary_key=True),
    Column("number", BigInteger, nullable=False),
    Column("inputs", String(64), nullable=False),
    Column("at", Moment, nullable=False),
    Column("day", Date),  # of the look, in Berlin: what a day changes by itself is looked at once
)

verdicts = Table(  # what an area's budget and the sum of its votes mean for its cases; when that changed last
    "verdicts",
    metadata,
    Column("process_id", String(60), primary_key=True),
    Column("area_id", String(20), primary_key=True),
    Column("digest", String(64), nullable=False),
    Column("changed", BigInteger, nullable=False),
)

journals = Table(  # the chains of rows that belong to no case, one each: a budget, a carrier, a destination …
    "journals",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("name", String(400), nullable=False),
    Column("last_event", Integer, nullable=False, server_default="0"),
    Column("last_hash", String(64), nullable=False, server_default=""),
)

events = Table(  # evidence: hash-chained per case, or per journal
    "events",
    metadata,
    Column("case_id", Uuid, primary_key=True),  # or a journal's id
    Column("seq", Integer, primary_key=True),
    Column("at", Moment, nullable=False),
    Column("kind", String(60), nullable=False),
    Column("body", Text, nullable=False),  # canonical JSON: ids, sums, digests – no content
    Column("rows", Text, nullable=False, server_default=""),  # JSON: the digests of the rows that it changed (`seals`)
    Column("previous", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
)

anchors = Table(  # one chain over all chains: which ends they had at a moment
    "anchors",
    metadata,
    Column("seq", Integer, primary_key=True),
    Column("at", Moment, nullable=False),
    Column("digest", String(64), nullable=False),  # of its `anchored` rows
    Column("previous", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
)

anchored = Table(  # the ends that an anchor holds: of the chains that had grown since the anchor before it
    "anchored",
    metadata,
    Column("anchor", Integer, ForeignKey(anchors.c.seq), primary_key=True),
    Column("chain", Uuid, primary_key=True),  # a case or a journal
    Column("seq", Integer, nullable=False),
    Column("hash", String(64), nullable=False),
    Index("ix_anchored_chain", "chain", "anchor"),
)

records = Table(
    "records",
    metadata,
    Column("seq", _BIG, primary_key=True),  # the order in which records became known
    Column("id", Uuid, nullable=False, unique=True),
    Column("kind", String(20), nullable=False),
    Column("process_id", String(60), nullable=False),
    Column("case_id", Uuid, ForeignKey(cases.c.id)),
    Column("source", String(60), nullable=False),
    Column("external_id", String(200), nullable=False),
    Column("version", Integer, nullable=False),
    Column("digest", String(64), nullable=False),
    Column("body", Text, nullable=False),
    Column("first_seen", Moment, nullable=False),
    Column("gone_at", Moment),
    Column("input", String(64), nullable=False, server_default=""),  # digest of all that it was read from
    Index("ix_records_item", "source", "process_id", "external_id"),
    Index("ix_records_case", "case_id"),
    Index("ix_records_process_kind", "process_id", "kind"),
    Index("ix_records_listed", "source", "process_id", "kind", "gone_at", "external_id"),
)

record_history = Table(
    "record_history",
    metadata,
    Column("record_id", Uuid, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("digest", String(64), nullable=False),
    Column("body", Text, nullable=False),
    Column("at", Moment, nullable=False),
)

unread = Table(  # what no mapping could read and the source will not say again; read again in every run
    "unread",
    metadata,
    Column("subject", String(300), primary_key=True),
    Column("source", String(60), nullable=False),
    Column("process_id", String(60), nullable=False),
    Column("kind", String(60), nullable=False),
    Column("external_id", String(200), nullable=False),
    Column("body", LargeBinary),
    Column("text", Text),
    Column("raw", LargeBinary),
    Column("raw_ref", String(300), nullable=False),
    Column("problem", Text),
    Column("at", Moment, nullable=False),
    Index("ix_unread_source", "source", "process_id"),
)

accounts = Table(  # whom grants are paid to, sealed by the vault: the only place where account data stands
    "accounts",
    metadata,
    Column("mark", String(64), primary_key=True),  # of IBAN and holder (keyed): by it applications name the account
    Column("key_id", String(4), nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("hint", String(12), nullable=False),  # DE89…3000
    Column("at", Moment, nullable=False),
)

batches = Table(
    "batches",
    metadata,
    Column("id", String(35), primary_key=True),
    Column("destination", String(60), nullable=False),
    Column("file_name", String(200), nullable=False),
    Column("payload", LargeBinary, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("fiscal_year", Integer, nullable=False),
    Column("test", Boolean, nullable=False),
    Column("created_at", Moment, nullable=False),
)

CLAIMABLE = "state IN ('waiting', 'claimed')"  # as it stands in the indexes and in the questions that use them

messages = Table(
    "messages",
    metadata,
    Column("key", Uuid, primary_key=True),
    Column("destination", String(60), nullable=False),
    Column("generation", Integer, nullable=False),
    Column("case_id", Uuid, ForeignKey(cases.c.id), nullable=False),
    Column("effect", String(30), nullable=False),
    Column("number", Integer, nullable=False),
    Column("once", Boolean, nullable=False, server_default=false()),  # one per case and generation not refused
    Column("reference", String(25), nullable=False),  # Fremdkennzeichen
    Column("related_reference", String(25)),
    Column("voucher", String(8), nullable=False, server_default=""),
    Column("lane", String(160), nullable=False),
    Column("route", String(60), nullable=False),
    Column("owner", String(80), nullable=False),
    Column("state", String(12), nullable=False),
    Column("fence", Integer, nullable=False, server_default="0"),
    Column("basis", String(64), nullable=False),
    Column("amount_cents", BigInteger),
    Column("sha256", String(64), nullable=False),
    Column("file_name", String(200), nullable=False),
    Column("media_type", String(80), nullable=False),
    Column("facts", JSON, nullable=False),
    Column("mapping", String(80), nullable=False),
    Column("mapping_digest", String(64), nullable=False),
    Column("test", Boolean, nullable=False),
    Column("ticket", String(200)),
    Column("batch_id", String(35), ForeignKey(batches.c.id)),
    Column("remote_id", String(80), nullable=False, server_default=""),
    Column("asked", Integer, nullable=False, server_default="0"),  # how often its transport was asked after
    Column("ask_after", Moment),  # and not before this moment again
    Column("note", Text, nullable=False, server_default=""),  # last word about it, no content
    Column("created_at", Moment, nullable=False),
    Column("updated_at", Moment, nullable=False),
    UniqueConstraint("destination", "generation", "case_id", "effect", "number"),
    UniqueConstraint("destination", "generation", "reference"),
    Index("ix_messages_lane_state", "lane", "state", "test", "effect"),  # counted without reading a message
    Index("ix_messages_case", "case_id"),
    Index("ix_messages_ticket", "ticket"),
    Index("ix_messages_reference", "reference"),
    Index("ix_messages_states", "route", "state", "updated_at", "destination"),  # counted, and the newest of them found
    Index("ix_messages_batch", "batch_id"),
    Index(  # in the order in which they are claimed
        "ix_messages_claimable",
        "lane",
        "fence",
        "created_at",
        "reference",
        sqlite_where=text(CLAIMABLE),
        postgresql_where=text(CLAIMABLE),
    ),
    Index(  # those that have their carrier already
        "ix_messages_carried",
        "lane",
        "fence",
        sqlite_where=text(f"{CLAIMABLE} AND batch_id IS NOT NULL"),
        postgresql_where=text(f"{CLAIMABLE} AND batch_id IS NOT NULL"),
    ),
    Index(
        "uq_messages_once",
        "case_id",
        "effect",
        "generation",
        unique=True,
        sqlite_where=text("once AND state <> 'refused' AND NOT test"),
        postgresql_where=text("once AND state <> 'refused' AND NOT test"),
    ),
)

message_bytes = Table(  # apart from the messages, so that nobody reads bytes who does not need them
    "message_bytes",
    metadata,
    Column("key", Uuid, ForeignKey(messages.c.key), primary_key=True),
    Column("payload", LargeBinary, nullable=False),
    Column("lineage", LargeBinary, nullable=False),  # which rule gave which value: numbers and keyed hashes, no content
)

mapping_versions = Table(  # what the numbers in a message's lineage mean, once per digest
    "mapping_versions",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("name", String(80), nullable=False),
    Column("version", Integer, nullable=False),
    Column("rules", JSON, nullable=False),  # target, source, file and line of each rule – no content
    Column("at", Moment, nullable=False),
)

attempts = Table(  # every step of every message
    "attempts",
    metadata,
    Column("id", _BIG, primary_key=True),
    Column("message_key", Uuid, ForeignKey(messages.c.key), nullable=False),
    Column("at", Moment, nullable=False),
    Column("fence", Integer, nullable=False),
    Column("before", String(12), nullable=False),
    Column("after", String(12), nullable=False),
    Column("note", Text, nullable=False),
    Index("ix_attempts_message", "message_key"),
)

receipts = Table(
    "receipts",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("source", String(60), nullable=False),
    Column("external_id", String(200), nullable=False),
    Column("message_key", Uuid, ForeignKey(messages.c.key)),
    Column("event", String(60), nullable=False),
    Column("outcome", String(12), nullable=False),
    Column("body", Text, nullable=False),
    Column("raw", LargeBinary),
    Column("at", Moment, nullable=False),
    UniqueConstraint("source", "external_id"),
    Index("ix_receipts_message", "message_key"),
)

attention = Table(  # one list of all that needs a person
    "attention",
    metadata,
    Column("id", _BIG, primary_key=True),
    Column("kind", String(20), nullable=False),
    Column("subject", String(300), nullable=False),
    Column("about", String(64), nullable=False, server_default=""),  # digest of a name: what bears it mends the point
    Column("case_id", Uuid, ForeignKey(cases.c.id)),
    Column("message_key", Uuid, ForeignKey(messages.c.key)),
    Column("route", String(60), nullable=False),
    Column("owner", String(80), nullable=False),
    Column("reason", Text, nullable=False),
    Column("answers", JSON, nullable=False),
    Column("opened_at", Moment, nullable=False),
    Column("closed_at", Moment),
    Column("answer", String(30), nullable=False, server_default=""),
    Column("answered_by", String(80), nullable=False, server_default=""),
    Column("answered_account", String(160), nullable=False, server_default=""),
    Column("answer_reason", Text, nullable=False, server_default=""),
    Index("ix_attention_case", "case_id"),
    Index("ix_attention_route_kind", "route", "kind"),
    Index(
        "uq_attention_open",
        "kind",
        "subject",
        unique=True,
        sqlite_where=text("closed_at IS NULL"),
        postgresql_where=text("closed_at IS NULL"),
    ),
    Index("ix_attention_answer", "answer"),
    Index(  # in their order, past all that are closed
        "ix_attention_open",
        "id",
        sqlite_where=text("closed_at IS NULL"),
        postgresql_where=text("closed_at IS NULL"),
    ),
)

budgets = Table(  # what may be committed per process, year and area
    "budgets",
    metadata,
    Column("process_id", String(60), primary_key=True),
    Column("fiscal_year", Integer, primary_key=True),
    Column("area_id", String(20), primary_key=True),
    Column("amount_cents", BigInteger, nullable=False),
    Column("status", String(12), nullable=False),
    Column("chapter", String(4), nullable=False),
    Column("title", String(5), nullable=False),
    Column("committed_cents", BigInteger, nullable=False, server_default="0"),  # held: what is bound and what is paid
    Column("paid_cents", BigInteger, nullable=False, server_default="0"),
    Column("refunded_cents", BigInteger, nullable=False, server_default="0"),  # came back in the same year
    Column(
        "limit_cents", BigInteger, nullable=False
    ),  # the amount, or more where a budget was cut below its commitments
    Column("at", Moment, nullable=False),
    CheckConstraint("committed_cents >= 0", name="committed_not_negative"),
    CheckConstraint("paid_cents >= 0", name="paid_not_negative"),
    CheckConstraint("refunded_cents >= 0", name="refunded_not_negative"),
    CheckConstraint("committed_cents - refunded_cents <= limit_cents", name="never_exceeded"),
)

commitments = Table(  # one per case; it carries totals
    "commitments",
    metadata,
    Column("case_id", Uuid, ForeignKey(cases.c.id), primary_key=True),
    Column("process_id", String(60), nullable=False),
    Column("fiscal_year", Integer, nullable=False),
    Column("area_id", String(20), nullable=False),
    Column("state", String(20), nullable=False),
    Column("booked_cents", BigInteger, nullable=False),  # what HKR has confirmed
    Column("held_cents", BigInteger, nullable=False),  # what is held back of the budget: the larger of booked and asked
    Column("reference", String(25), nullable=False),  # of the first, booking message
    Column("at", Moment, nullable=False),
    CheckConstraint("held_cents >= booked_cents", name="held_covers_booked"),
    Index(
        "ix_commitments_area", "process_id", "fiscal_year", "area_id", "held_cents", "booked_cents"
    ),  # added up alone
)

OPEN_ORDERS = "state IN ('ordered', 'sent', 'in_doubt', 'booked', 'bounced')"  # whose money is not where it belongs

orders = Table(  # to pay or to collect; one per message. Its state follows from the message and from what came back
    "orders",
    metadata,
    Column("key", Uuid, ForeignKey(messages.c.key, deferrable=True, initially="DEFERRED"), primary_key=True),
    Column("case_id", Uuid, ForeignKey(cases.c.id), nullable=False),
    Column("kind", String(10), nullable=False),  # payment, refund
    Column("instalment", Integer, nullable=False),
    Column("channel", String(10), nullable=False),  # one per order, fixed when it is made
    Column("process_id", String(60), nullable=False),
    Column("fiscal_year", Integer, nullable=False),
    Column("area_id", String(20), nullable=False),
    Column("state", String(12), nullable=False),
    Column("amount_cents", BigInteger, nullable=False),
    Column("moved_cents", BigInteger, nullable=False, server_default="0"),  # that has left us, or come to us
    Column("moved_on", Date),
    Column("due_on", Date, nullable=False),
    Column("account", String(64), nullable=False, server_default=""),  # mark of the payee's account in the vault
    Column("at", Moment, nullable=False),
    CheckConstraint("amount_cents > 0", name="amount_positive"),
    CheckConstraint("moved_cents IN (0, amount_cents)", name="moved_whole_or_not"),
    CheckConstraint("kind IN ('payment', 'refund')", name="kind_known"),
    CheckConstraint("kind <> 'payment' OR account <> ''", name="payment_has_account"),
    Index("ix_orders_case", "case_id"),
    Index(  # added up without reading an order
        "ix_orders_area",
        *("process_id", "fiscal_year", "area_id", "kind", "state", "amount_cents", "moved_cents", "moved_on"),
    ),
    Index("ix_orders_open", "state", "key", sqlite_where=text(OPEN_ORDERS), postgresql_where=text(OPEN_ORDERS)),
    Index("ix_orders_account", "account"),
    Index(  # whatever the channel: nobody is paid twice
        "uq_orders_live",
        "case_id",
        "kind",
        "instalment",
        unique=True,
        sqlite_where=text("state NOT IN ('rejected', 'bounced', 'cancelled')"),
        postgresql_where=text("state NOT IN ('rejected', 'bounced', 'cancelled')"),
    ),
)

releases = Table(  # every act of a person about what needs four eyes: who, under which log-in, and what was shown
    "releases",
    metadata,
    Column("id", _BIG, primary_key=True),
    Column("route", String(60), nullable=False),
    Column("kind", String(20), nullable=False),
    Column("shown", String(160), nullable=False),  # digests of all that the person was shown
    Column("numbers", JSON, nullable=False),  # the numbers of it: no name, no account
    Column("count", Integer, nullable=False),
    Column("sum_cents", BigInteger, nullable=False),
    Column("person", String(80), nullable=False),
    Column("account", String(160), nullable=False),
    Column("reason", Text, nullable=False),
    Column("at", Moment, nullable=False),
    Column("valid_until", Moment),  # of an order: what has not begun to leave by then does not leave
    Index("ix_releases_route", "route", "kind", "id"),
)

approvals = Table(  # three marks on the bytes of one message; who has such a row leaves with all three or not at all
    "approvals",
    metadata,
    Column("key", Uuid, ForeignKey(messages.c.key), primary_key=True),
    Column("sha256", String(64), nullable=False),  # of the bytes that the marks are on
    Column("factual", _BIG, ForeignKey(releases.c.id)),
    Column("factual_account", String(160), nullable=False, server_default=""),
    Column("arithmetical", _BIG, ForeignKey(releases.c.id)),
    Column("arithmetical_account", String(160), nullable=False, server_default=""),
    Column("ordered", _BIG, ForeignKey(releases.c.id)),
    Column("ordered_account", String(160), nullable=False, server_default=""),
    CheckConstraint("(factual IS NULL) = (factual_account = '')", name="factual_by_somebody"),
    CheckConstraint("(arithmetical IS NULL) = (arithmetical_account = '')", name="arithmetical_by_somebody"),
    CheckConstraint("(ordered IS NULL) = (ordered_account = '')", name="ordered_by_somebody"),
    CheckConstraint(
        "ordered IS NULL OR (factual IS NOT NULL AND arithmetical IS NOT NULL)", name="certified_before_ordered"
    ),
    CheckConstraint(
        "ordered IS NULL OR (lower(ordered_account) <> lower(factual_account)"
        " AND lower(ordered_account) <> lower(arithmetical_account))",
        name="four_eyes",
    ),
)

balances = Table(  # their own sums, from the last HoleSalden
    "balances",
    metadata,
    Column("destination", String(60), primary_key=True),
    Column("fiscal_year", Integer, primary_key=True),
    Column("area_id", String(20), primary_key=True),
    Column("committed_cents", BigInteger, nullable=False),
    Column("paid_cents", BigInteger, nullable=False),
    Column("refunded_cents", BigInteger, nullable=False, server_default="0"),
    Column("at", Moment, nullable=False),
)

previews = Table(  # dry runs: without identity, replaced at every run
    "previews",
    metadata,
    Column("route", String(60), primary_key=True),
    Column("case_id", Uuid, ForeignKey(cases.c.id), primary_key=True),
    Column("effect", String(30), nullable=False),
    Column("file_name", String(200), nullable=False),
    Column("payload", LargeBinary, nullable=False),
    Column("at", Moment, nullable=False),
)

baselines = Table(  # cases that were typed by hand before a route went live
    "baselines",
    metadata,
    Column("case_id", Uuid, ForeignKey(cases.c.id), primary_key=True),
    Column("lane", String(160), primary_key=True),
    Column("person", String(80), nullable=False),
    Column("account", String(160), nullable=False, server_default=""),
    Column("reason", Text, nullable=False),
    Column("at", Moment, nullable=False),
)

uploads = Table(  # lists that somebody looks at before they count: sealed, for an hour, for who has sent them alone
    "uploads",
    metadata,
    Column("login", String(160), primary_key=True),
    Column("sha256", String(64), primary_key=True),  # of the bytes as they were sent
    Column("sealed", LargeBinary, nullable=False),  # with the file's name
    Column("at", Moment, nullable=False),
    Index("ix_uploads_at", "at"),
)
