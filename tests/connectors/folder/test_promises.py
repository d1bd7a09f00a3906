"""A folder keeps what every source and target of carriers promises; what needs a line is left out."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

from kiezbruecke.connector import Connection, Message
from kiezbruecke.records import Process
from kiezbruecke.testing import Counterpart, Stand, check_batch_target, check_source, check_target, sample_message

ROOT = Path(__file__).parents[3]
PROCESS = Process(id="kk-tk-2026", name="Test", reference_prefix="KK26", bezirk_id="09", fiscal_year=2026)
SHEET = (
    "Verfahren;Bezirksregion;Sitzung am;Referenznummer;Titel;Ergebnis;Bewilligt (€);Ja;Nein;Enthaltung;Rang;Auflagen;"
    "Protokoll;Erfasst von;Korrektur;Begründung\r\n"
    "kk-tk-2026;Müggelheim;24.04.2026;P-1;Bank;angenommen;850,00;12;3;1;;;Protokoll 1;SPK 1;;\r\n"
    "kk-tk-2026;Müggelheim;24.04.2026;P-2;Fest;angenommen;100,00;12;3;1;;;Protokoll 1;SPK 1;;\r\n"
)


def a_counterpart(folder: Path, profile: str) -> Counterpart:
    extra = {"path": str(folder), "profile": profile, "settle_seconds": 0}
    return Counterpart(Connection("stand", "kb_folder", extra=extra), arm=lambda _: None)


def folder_of(counterpart: Counterpart) -> Path:
    return Path(counterpart.connection.extra["path"])


def gone(counterpart: Counterpart) -> Counterpart:
    """The share is not mounted."""
    extra = {**counterpart.connection.extra, "path": str(folder_of(counterpart) / "missing")}
    return replace(counterpart, connection=replace(counterpart.connection, extra=extra))


def fill(counterpart: Counterpart) -> None:
    (folder_of(counterpart) / "beschluesse.csv").write_text(SHEET, "utf-8")


def a_message(number: int) -> Message:
    reference = f"KK26-090416-{number:05d}-S1"
    return Message(
        key=uuid5(NAMESPACE_URL, reference),
        destination="statusliste",
        generation=1,
        case_id=uuid5(NAMESPACE_URL, str(number)),
        effect="status.list",
        number=1,
        reference=reference,
        payload=f"{reference};bewilligt\r\n".encode(),
        file_name=f"{reference}.csv",
        media_type="text/csv",
        created_at=datetime(2026, 11, 23, tzinfo=UTC),
        test=False,
    )


def copies(counterpart: Counterpart, message: Message) -> int:
    """In how many files that somebody may read the message stands."""
    readable = (marker.with_suffix("") for marker in folder_of(counterpart).glob("*.ok"))
    return sum(message.payload.rstrip() in one.read_bytes() for one in readable)


SHEETS = Stand("folder", PROCESS, ROOT, begin=lambda folder: a_counterpart(folder, "decision-sheet"), gone=gone)
LISTS = Stand("folder", PROCESS, ROOT, begin=lambda folder: a_counterpart(folder, "status-list"), gone=gone)

FILES = Stand(
    "folder",
    PROCESS,
    ROOT,
    extra={"profile": "files"},
    begin=lambda folder: a_counterpart(folder, "files"),
    gone=gone,
)

TestSource = check_source(SHEETS, fill=fill)
TestTarget = check_batch_target(LISTS, message=a_message, copies=copies)
TestFiles = check_target(FILES, message=sample_message, copies=copies)
