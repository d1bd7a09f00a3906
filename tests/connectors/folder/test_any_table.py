"""Any table: what lies in a folder is a file of content. Its lines are facts, or things that change."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from connectors.folder.source import FolderSource
from kiezbruecke.connector import Connection, Context, Handled, Item
from kiezbruecke.errors import ConfigurationError
from kiezbruecke.mapping import load_mapping
from kiezbruecke.mapping.schema.tables import read_table, source_tables
from kiezbruecke.records import Process, Proposal, ProposalStatus
from tests.connectors.folder.conftest import Desk, Position

TESTDATA = Path(__file__).parents[3] / "connectors" / "folder" / "testdata"
HEADER = "Nummer;Titel;Beschreibung;Bezirksregion;Beantragt (€);Eingegangen am"
DECIDIM, CONSUL, LIST = "TK-PROP-(####)-(##)-(#+)", "#+", "V-#"


def numbered(process: Process, *references: str) -> Process:
    return process.model_copy(update={"references": references})


@pytest.fixture
def place(tmp_path: Path, content: Path, process: Process) -> Callable[..., Desk]:
    """An inbox for a process that numbers as it is told."""

    def made(*references: str) -> Desk:
        folder = tmp_path / "eingang"
        folder.mkdir(exist_ok=True)
        return Desk(folder, content, numbered(process, *references) if references else process)

    return made


def proposals(desk: Desk, content: Path, process: Process, source: FolderSource, mapping: str) -> dict[str, Proposal]:
    """What the mapping makes of every line that could be read; its refusals go into the report."""
    read, found = load_mapping(mapping, content), {}
    roots: dict[str, Any] = {"process": process, "envelope": {"source": "liste"}}

    def problem(item: Item) -> str | None:
        if item.problem:
            return item.problem
        if faults := read.faults(item, roots):
            return "; ".join(fault.line() for fault in faults)
        record = read.read(item, roots)
        assert isinstance(record, Proposal)
        found[record.external_id] = record
        return None

    desk.run(source, problem)
    return found


@pytest.mark.parametrize(("file", "rows"), [("pb", 60), ("kk", 24)])
def test_both_exports_of_meinberlin_are_one_table(
    place: Callable[..., Desk], content: Path, process: Process, file: str, rows: int
) -> None:
    """Recorded from the software; the old module calls the sum otherwise."""
    desk = place()
    shutil.copy(TESTDATA / f"meinberlin-export-{file}.xlsx", desk.path)

    found = proposals(desk, content, process, desk.source("meinberlin-export"), "meinberlin-export-proposal")

    assert len(found) == rows
    assert all(one.point and one.created_at for one in found.values())
    assert sum(one.requested_amount is not None for one in found.values()) > rows - 3  # 0 is none
    assert "Notiz" not in desk.report()
    assert "unbekannt" not in desk.report()


def test_the_exports_traps_change_nothing_silently(place: Callable[..., Desk], content: Path, process: Process) -> None:
    """No sum is not 0, a label with a comma stays one text, and a text that was cut is told."""
    desk = place()
    shutil.copy(TESTDATA / "meinberlin-export-eigenheiten.xlsx", desk.path)

    found = proposals(desk, content, process, desk.source("meinberlin-export"), "meinberlin-export-proposal")

    assert found["2025-00481"].requested_amount is None
    assert found["2026-00484"].labels == ("barrierefrei, Kinder, Jugend, für alle",)
    assert found["2026-00482"].title == "🌳🌳 Bäume für den Kiez 🐝"
    told = "„Beschreibung“ ist so lang, wie eine Zelle sein kann, und vielleicht abgeschnitten; Zeile: 8"
    assert told in desk.report()


@pytest.mark.parametrize("ending", ["csv", "jsonl"])
def test_decidims_proposals_are_read_from_csv_and_json(
    place: Callable[..., Desk], content: Path, process: Process, ending: str
) -> None:
    """Flat or nested, the fields are the same; a state that an installation made up is refused until it is listed."""
    desk = place(DECIDIM)
    shutil.copy(TESTDATA / f"decidim-proposals.{ending}", desk.path)

    found = proposals(desk, content, process, desk.source("decidim-proposals"), "decidim-export-proposal")

    assert {number: one.status for number, one in found.items()} == {
        "101": ProposalStatus.ACCEPTED,
        "102": ProposalStatus.REJECTED,
        "103": ProposalStatus.UNDER_REVIEW,
        "104": ProposalStatus.WITHDRAWN,
    }
    assert found["101"].reference_number == "TK-PROP-2026-01-101"
    assert found["101"].description_text == "Wir beantragen 850 € für Material."
    assert "„state“: der Wert steht nicht in der Codeliste „decidim-state“" in desk.report()


def test_consuls_price_is_read_out_of_its_words(place: Callable[..., Desk], content: Path, process: Process) -> None:
    """An English thousand is no German one; it is refused, not read as one euro."""
    desk = place(CONSUL)
    shutil.copy(TESTDATA / "consul-investments.csv", desk.path)

    found = proposals(desk, content, process, desk.source("consul-investments"), "consul-investment")

    assert {number: one.requested_amount for number, one in found.items()} == {
        "12": Decimal("1234.00"),
        "13": None,
        "14": None,
    }
    assert [one.status for one in found.values()] == ["shortlisted", "submitted", "not_eligible"]
    assert found["12"].description_text == "Ein Straßenfest, für alle.\nMit Musik."
    assert (found["12"].created_at, found["13"].feedback_text) == (None, "")
    assert "5;15;nicht übernommen;„Durchführbarkeit“: der Betrag ist nicht eindeutig" in desk.report().replace('"', "")


def test_a_free_list_is_read_as_csv_and_json(place: Callable[..., Desk], content: Path, process: Process) -> None:
    desk = place(LIST)
    shutil.copy(TESTDATA / "vorschlagsliste.jsonl", desk.path)

    found = proposals(desk, content, process, desk.source("proposal-list"), "proposal-list")

    assert {number: one.requested_amount for number, one in found.items()} == {
        "V-1": Decimal("1000.00"),
        "V-2": Decimal("850.50"),
    }
    report = desk.report()
    assert "3;;nicht übernommen;" in report
    assert "Die Zeile nennt ein Feld zweimal." in report
    assert "5 Zeilen gelesen, 2 übernommen, 3 nicht übernommen" in report


def test_the_same_proposal_in_a_newer_list_is_the_same_proposal(
    place: Callable[..., Desk], content: Path, process: Process
) -> None:
    """Its id is its own; the id of a decision's line is content and row."""
    desk = place(LIST)
    desk.drop("a.csv", f"{HEADER}\nV-1;Bank;;;100;\nV-2;Fest;;;;\n".encode())
    (first, *_) = desk.run(desk.source("proposal-list"))
    desk.drop("b.csv", f"{HEADER}\nV-1;Bank am See;;;200;\n".encode())
    (again,) = desk.run(desk.source("proposal-list"))

    assert first.external_id == again.external_id == "V-1"
    read = load_mapping("proposal-list", content)
    made = [read.read(one, {"process": process, "envelope": {"source": "x"}}) for one in (first, again)]
    assert made[0].identity == made[1].identity
    assert desk.names("done") == ["a.csv", "a.csv.bericht.csv", "b.csv", "b.csv.bericht.csv"]


def test_a_newer_list_beside_an_older_one_waits_for_the_next_run(place: Callable[..., Desk]) -> None:
    """Two words about one thing in one run: nobody could say which one was stored last."""
    import os

    desk = place(LIST)
    old = desk.drop("zuerst.csv", f"{HEADER}\nV-1;Bank;;;100;\n".encode())
    new = desk.drop("danach.csv", f"{HEADER}\nV-1;Bank am See;;;200;\n".encode())
    os.utime(old, (1, 1))
    os.utime(new, (2, 2))
    source = desk.source("proposal-list")

    first, second = desk.run(source), desk.run(source)

    assert [[dict(item.body)["titel"] for item in run] for run in (first, second)] == [["Bank"], ["Bank am See"]]
    assert desk.fetch(source) == []


def test_a_list_that_comes_back_counts_again_and_says_so(place: Callable[..., Desk]) -> None:
    """Somebody has put the older list there once more: that is what they say now."""
    desk = place(LIST)
    older, newer = (f"{HEADER}\nV-1;{title};;;100;\n".encode() for title in ("Bank", "Bank am See"))
    for name, body in (("a.csv", older), ("b.csv", newer), ("wieder.csv", older)):
        desk.drop(name, body)
        items = desk.run(desk.source("proposal-list"))

    assert [dict(item.body)["titel"] for item in items] == ["Bank"]
    told = next(desk.done.glob("wieder*.bericht.csv")).read_text("utf-8-sig")
    assert "Der Inhalt gleicht „a.csv“; seine Zeilen gelten wieder." in told


def test_after_a_restored_backup_the_last_word_about_a_thing_is_handed_over(place: Callable[..., Desk]) -> None:
    desk = place(LIST)
    for name, title in (("a.csv", "Bank"), ("b.csv", "Bank am See")):
        desk.drop(name, f"{HEADER}\nV-1;{title};;;100;\nV-{len(title)};Fest;;;;\n".encode())
        desk.run(desk.source("proposal-list"))

    found = {item.external_id: dict(item.body)["titel"] for item in desk.source("proposal-list").archived()}
    assert found == {"V-1": "Bank am See", "V-4": "Fest", "V-11": "Fest"}


def test_what_another_reading_has_handed_over_moves_no_sheet(place: Callable[..., Desk]) -> None:
    """A number says nothing of its sheet. The sheet comes again, and is archived by the run that stores it."""
    desk = place(LIST)
    desk.drop("a.csv", f"{HEADER}\nV-1;Bank;;;100;\n".encode())
    (item,) = desk.fetch(desk.source("proposal-list"))

    desk.source("proposal-list").acknowledge([Handled(item)])

    assert desk.names() == ["a.csv"]
    desk.run(desk.source("proposal-list"))
    assert desk.names() == []


def test_one_number_twice_in_a_list_is_told(place: Callable[..., Desk]) -> None:
    """Two lines about one thing: nobody guesses which one is meant."""
    desk = place(LIST)
    desk.drop("a.csv", f"{HEADER}\nV-1;Bank;;;100;\nV-1;Fest;;;200;\n".encode())

    items = desk.run(desk.source("proposal-list"))

    assert [item.kind for item in items] == ["proposal", "sheet-problem"]
    assert "„Nummer“ steht schon in Zeile 2; erwartet: jede Nummer nur einmal." in desk.report()


def test_a_number_of_the_rooms_is_no_number_of_a_list(place: Callable[..., Desk]) -> None:
    """Every area has its own P-1; a proposal of this number would belong to none of their cases."""
    desk = place(LIST, "P-#")
    desk.drop("a.csv", f"{HEADER}\nP-1;Bank;;;100;\n".encode())

    (item,) = desk.run(desk.source("proposal-list"))

    assert item.problem is not None
    assert "vergibt nur die Beschlussliste" in item.problem
    assert item.problem.endswith("erwartet: eine Nummer wie V-1.")


def test_a_list_with_ids_names_no_number_that_it_would_refuse(place: Callable[..., Desk]) -> None:
    desk = place(LIST, "P-#")
    desk.drop("a.csv", f"{HEADER}\nV-0;Bank;;;100;\n".encode())

    (item,) = desk.run(desk.source("proposal-list"))

    assert item.problem is not None
    assert item.problem.endswith("richtig ist z. B. V-1.")


def test_the_numbers_that_a_clerk_is_shown_are_the_processs(place: Callable[..., Desk]) -> None:
    desk = place("BHH-#", "P-#")

    good, bad = desk.read(desk.decision("BHH-7"), desk.decision("2026-00001"))

    assert good.kind == "decision-line"
    assert bad.problem is not None
    assert "richtig ist z. B. BHH-1 oder P-1." in bad.problem


def test_a_header_is_known_by_any_of_its_names(place: Callable[..., Desk]) -> None:
    """And a problem calls it as the sheet does."""
    desk = place(LIST)
    header = ["number", "title", "description", "area", "amount", "received"]
    desk.drop("a.csv", desk.csv([header, ["V-1", "Bank", "", "", "100", ""]]))
    desk.drop("b.xlsx", desk.xlsx([header, ["V-2", "Fest", "", "", True, ""]]))

    items = {item.raw_ref: item for item in desk.fetch(desk.source("proposal-list"))}

    assert dict(items["a.csv#2"].body)["titel"] == "Bank"
    assert "„amount“ enthält einen Wahrheitswert" in str(items["b.xlsx#2"].problem)


def test_two_names_of_one_column_are_one_too_many(place: Callable[..., Desk]) -> None:
    desk = place(LIST)
    desk.drop("a.csv", f"{HEADER};title\nV-1;Bank;;;;;Fest\n".encode())

    (item,) = desk.fetch(desk.source("proposal-list"))

    assert "Die Spalte „Titel“ gibt es mehrmals." in str(item.problem)


def test_an_unknown_profile_is_told_with_the_known_ones(desk: Desk) -> None:
    """One line for operations; a list that is written is no source."""
    for wrong in ("decision-sheets", "status-list"):
        with pytest.raises(ConfigurationError, match=f"a folder with profile '{wrong}' is no source") as raised:
            desk.source(wrong)
        assert "budget-sheet or consul-investments or decidim-proposals or decision-sheet" in raised.value.line()


TABLE = """\
name: wunschzettel
item: wunsch
id: laufende_nummer
columns:
  - {name: Lfd. Nr., key: laufende_nummer, aliases: [nr], role: reference, required: true}
  - {name: Wunsch, key: wunsch, aliases: [inhalt/kurz], role: title, required: true}
"""
MAPPING = """\
name: wunsch
version: 1
direction: inbound
reads: [wunsch]
source: table wunschzettel
roots: [item, envelope, process]
target: record Proposal
rules:
  - {target: source, from: envelope.source}
  - {target: external_id, from: envelope.external_id}
  - {target: reference_number, from: item.laufende_nummer}
  - {target: process_id, from: process.id}
  - {target: title, from: item.wunsch}
"""


def test_a_table_that_nobody_has_heard_of_is_two_files(tmp_path: Path, process: Process) -> None:
    """No code: one file says which columns there are, one where each value goes."""
    content, inbox = tmp_path / "inhalt", tmp_path / "eingang"
    inbox.mkdir()
    for name, text in (("schemas/tables/wunschzettel", TABLE), ("mappings/inbound/wunsch/mapping", MAPPING)):
        file = content / f"{name}.yaml"
        file.parent.mkdir(parents=True)
        file.write_text(text, "utf-8")
    (inbox / "a.csv").write_text("Lfd. Nr.;Wunsch\nW-1;Bank\n", "utf-8")
    (inbox / "b.jsonl").write_text(json.dumps({"nr": "W-2", "inhalt": {"kurz": "Fest"}}) + "\n", "utf-8")
    settings = {"path": str(inbox), "profile": "wunschzettel", "settle_seconds": 0}
    connection, mine = Connection("wuensche", "kb_folder", extra=settings), numbered(process, "W-#")
    source = FolderSource(connection, Context(process=mine, content=content))

    items = list(source.fetch(Position()))
    source.acknowledge([Handled(item) for item in items])

    mapping = load_mapping("wunsch", content)
    records = [mapping.read(item, {"process": mine, "envelope": {"source": "wuensche"}}) for item in items]
    assert [(one.reference_number, one.title) for one in records if isinstance(one, Proposal)] == [
        ("W-1", "Bank"),
        ("W-2", "Fest"),
    ]
    done = (path.name for path in (inbox / "done").iterdir())
    assert sorted(name for name in done if "bericht" not in name) == ["a.csv", "b.jsonl"]


def test_no_code_knows_a_table_by_name(content: Path) -> None:
    """Whoever adds a table touches no code: then none may know those that are there."""
    names = "|".join(map(re.escape, sorted([*source_tables(content), "status-list"], key=len, reverse=True)))
    known = re.compile(rf"[\"'`](?:{names})[\"'`]")
    folders = ("kiezbruecke", "connectors/folder", "connectors/_tables")
    files = [file for folder in folders for ending in ("*.py", "*.yaml") for file in (content / folder).rglob(ending)]

    assert len(files) > 100
    assert [str(file) for file in files if known.search(file.read_text("utf-8"))] == []


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (("key: wunsch", "key: Wünsch"), "'Wünsch' is no key for rules"),
        (("role: title", "role: reference"), "two columns have the role 'reference'"),
        (("role: title", "role: title, secret: true"), "a secret column says what nobody may see"),
        (("[inhalt/kurz]", "[NR]"), "two columns may be called 'nr'"),
        (("id: laufende_nummer", "id: nummer"), "id: 'nummer' is no column with a value in every line"),
        (("role: title", "role: titel"), "'role' has the wrong form"),
    ],
)
def test_a_table_that_leaves_a_choice_is_refused_with_its_place(
    tmp_path: Path, change: tuple[str, str], why: str
) -> None:
    file = tmp_path / "schemas/tables/wunschzettel.yaml"
    file.parent.mkdir(parents=True)
    file.write_text(TABLE.replace(*change), "utf-8")

    with pytest.raises(ConfigurationError, match=re.escape(why)) as raised:
        read_table(tmp_path, "wunschzettel")

    assert "wunschzettel.yaml:" in raised.value.line()
