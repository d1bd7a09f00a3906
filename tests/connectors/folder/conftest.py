"""A folder as clerks use it, and the engine's part of the bargain: store, then acknowledge."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook

from connectors.folder.source import FolderSource
from kiezbruecke.connector import Connection, Context, Handled, Item, SheetLook
from kiezbruecke.content import find_content
from kiezbruecke.content.processes import read_process
from kiezbruecke.errors import SourceError
from kiezbruecke.records import Process

CANARY = "Erika Kanarienvogel"
DECISION_HEADER = (
    "Verfahren", "Bezirksregion", "Sitzung am", "Referenznummer", "Titel", "Ergebnis", "Bewilligt (€)", "Ja", "Nein",
    "Enthaltung", "Rang", "Auflagen", "Protokoll", "Erfasst von", "Korrektur", "Begründung",
)  # fmt: skip
BUDGET_HEADER = (
    "Verfahren", "Haushaltsjahr", "Bezirksregion", "Betrag (€)", "Kapitel", "Titel", "Status", "Gültig ab", "Grund",
    "Erfasst von",
)  # fmt: skip


class Position:
    """A cursor that a folder does not need."""

    value = ""

    def advance(self, value: str) -> None:
        self.value = value


@pytest.fixture(scope="session")
def content() -> Path:
    return find_content(Path(__file__).parents[3])


@pytest.fixture(scope="session")
def process(content: Path) -> Process:
    return read_process(content, "kk-tk-2026")


class Desk:
    """A folder with its clerk (drop, done, failed, report) and its engine (source, fetch, run)."""

    canary = CANARY
    decision_header = DECISION_HEADER
    budget_header = BUDGET_HEADER

    def __init__(self, path: Path, content: Path, process: Process) -> None:
        self.path, self.done, self.failed = path, path / "done", path / "failed"
        self._context = Context(process=process, content=content)

    def source(self, profile: str = "decision-sheet", **extra: Any) -> FolderSource:
        settings = {"path": str(self.path), "profile": profile, "settle_seconds": 0, **extra}
        return FolderSource(Connection("blaetter", "kb_folder", extra=settings), self._context)

    def drop(self, name: str, body: bytes) -> Path:
        path = self.path / name
        path.write_bytes(body)
        return path

    def fetch(self, source: FolderSource | None = None) -> list[Item]:
        """What a run reads; whatever a test drops, looking at it before says the same."""
        source = source or self.source()
        shown = self._looks(source)
        items = list(source.fetch(Position()))
        for digest, look in shown.items():
            read, seen = (
                [item for item in some if item.external_id.partition(":")[0] == digest] for some in (items, look.items)
            )
            if read:
                assert _told(seen) == _told(read) or (look.problem and look.problem in (read[0].problem or ""))
        return items

    def _looks(self, source: FolderSource) -> dict[str, SheetLook]:
        """Every file that can be read now, looked at as if somebody held it in hand."""
        found: dict[str, SheetLook] = {}
        for file in sorted(self.path.iterdir()) if self.path.is_dir() else []:
            with contextlib.suppress(OSError, SourceError):
                if file.is_file() and not file.is_symlink():
                    look = source.look(file.name, file.read_bytes())
                    found.setdefault(look.digest, look)
        return found

    def run(
        self, source: FolderSource | None = None, problem: Callable[[Item], str | None] = lambda _: None
    ) -> list[Item]:
        """What a run does: fetch, store, acknowledge."""
        source = source or self.source()
        items = self.fetch(source)
        source.acknowledge([Handled(item, problem(item)) for item in items])
        return items

    def read(self, *lines: Sequence[Any], name: str = "liste.csv") -> list[Item]:
        """The items of one CSV decision sheet."""
        self.drop(name, self.decision_csv(*lines))
        return self.fetch()

    def report(self, folder: str = "done") -> str:
        (found,) = (self.path / folder).glob("*.bericht.csv")
        return found.read_text("utf-8-sig")

    def names(self, folder: str = ".") -> list[str]:
        """The files of a folder, hidden ones too."""
        place = self.path / folder
        return sorted(path.name for path in place.iterdir() if path.is_file()) if place.exists() else []

    def decision(self, reference: str = "2026-00001", **values: Any) -> list[Any]:
        """One line of a decision sheet in the header's order."""
        line: dict[str, Any] = dict.fromkeys(DECISION_HEADER, "")
        line |= {
            "Verfahren": "kk-tk-2026",
            "Bezirksregion": "Müggelheim",
            "Sitzung am": "12.03.2026",
            "Referenznummer": reference,
            "Titel": "Sommerfest am Müggelseedamm",
            "Ergebnis": "angenommen (gekürzt)",
            "Bewilligt (€)": "850,00",
            "Erfasst von": CANARY,
        }
        return list((line | values).values())

    def budget(self, **values: Any) -> list[Any]:
        """One line of a budget sheet in the header's order."""
        usual = (
            "kk-tk-2026", "2026", "090416", "3.000,00", "3300", "68569", "freigegeben", "01.01.2026", "", CANARY
        )  # fmt: skip
        return list((dict(zip(BUDGET_HEADER, usual, strict=True)) | values).values())

    def decision_csv(self, *lines: Sequence[Any], **options: Any) -> bytes:
        return self.csv([DECISION_HEADER, *lines], **options)

    def csv(self, rows: Iterable[Sequence[Any]], delimiter: str = ";", encoding: str = "utf-8") -> bytes:
        """Rows as an office program writes them, without quoting what needs none."""
        lines = (delimiter.join(_quoted(str(cell), delimiter) for cell in row) for row in rows)
        return "".join(f"{line}\r\n" for line in lines).encode(encoding)

    def xlsx(self, rows: Iterable[Sequence[Any]], change: Callable[[Workbook], None] | None = None) -> bytes:
        """Rows as a workbook; `change` may do more to it."""
        workbook = Workbook()
        sheet = workbook.active
        assert sheet is not None
        for row in rows:
            sheet.append(list(row))
        if change:
            change(workbook)
        out = io.BytesIO()
        workbook.save(out)
        return out.getvalue()

    def decision_xlsx(self, *lines: Sequence[Any], change: Callable[[Workbook], None] | None = None) -> bytes:
        return self.xlsx([DECISION_HEADER, *lines], change)


@pytest.fixture
def desk(tmp_path: Path, content: Path, process: Process) -> Desk:
    folder = tmp_path / "eingang"
    folder.mkdir()
    return Desk(folder, content, process)


def _told(items: Iterable[Item]) -> list[tuple[str, str, object, str]]:
    """Items without the name of their file, of which one content may have several."""
    return [
        (
            item.kind,
            item.external_id,
            {key: value for key, value in dict(item.body).items() if key != "sheet"},
            (item.problem or "").partition(": ")[2],
        )
        for item in items
        if not isinstance(item.body, bytes)
    ]


def _quoted(text: str, delimiter: str) -> str:
    needed = any(sign in text for sign in (delimiter, '"', "\n"))
    return '"' + text.replace('"', '""') + '"' if needed else text
