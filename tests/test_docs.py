"""What can be set, called or go wrong is written down."""

from __future__ import annotations

import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from importlib import import_module
from pathlib import Path

import pytest

from connectors.folder.source import FolderSource
from kiezbruecke.connector import Connection, Context, Handled, manifests
from kiezbruecke.content.processes import read_process
from kiezbruecke.content.routes import read_route
from kiezbruecke.errors import KiezbrueckeError
from kiezbruecke.mapping import check_mapping, load_mapping, mapping_names
from kiezbruecke.mapping.schema.tables import read_table
from kiezbruecke.records import Proposal
from kiezbruecke.testing.sources import Bookmark
from kiezbruecke.workbench.examples import run_examples
from tools import commands

ROOT = Path(__file__).resolve().parents[1]
OWN = {"connection", "address", "login", "password"}  # fields of the connection itself, never in its extra


def _errors(root: type[KiezbrueckeError] = KiezbrueckeError) -> Iterator[type[KiezbrueckeError]]:
    yield root
    for below in root.__subclasses__():
        yield from _errors(below)


ERRORS = [error for error in _errors() if error.__module__.startswith(("kiezbruecke.", "connectors."))]
_OF_THE_DEMO = (file.read_text("utf-8") for file in (ROOT / "demo").glob("*.py"))  # to import it would prepare Airflow
CODES = {error.code for error in ERRORS} | {code for text in _OF_THE_DEMO for code in re.findall(r'"(KB-\d{3})"', text)}


def test_every_error_has_a_code_of_its_own() -> None:
    """Operators search for it; a class that says nothing else shares no code with its parent."""
    codes = Counter(error.code for error in ERRORS if error.__module__ == "kiezbruecke.errors")

    assert max(codes.values()) == 1
    assert all(re.fullmatch(r"KB-\d{3}", code) for code in codes)


@pytest.mark.parametrize("code", sorted(CODES))
def test_every_code_has_a_help_page(code: str) -> None:
    """What is wrong, who acts, what helps."""
    page = (ROOT / "docs/reference/errors.md").read_text("utf-8")
    section = page.partition(f"## {code} ")[2].partition("\n## ")[0]

    assert [word for word in ("**Was ist los:**", "**Wer handelt:**", "**Was hilft:**") if word not in section] == []


def test_no_help_page_is_about_nothing() -> None:
    """A code that nobody raises would be looked for in vain."""
    page = (ROOT / "docs/reference/errors.md").read_text("utf-8")

    assert set(re.findall(r"^## (KB-\d{3})", page, re.MULTILINE)) == CODES


def test_the_page_of_commands_is_todays() -> None:
    """`python tools/commands.py` writes it from the commands themselves."""
    assert commands.PAGE.read_text("utf-8") == commands.page()


def test_every_command_and_option_says_what_it_does() -> None:
    """Help is the documentation that people have at hand."""
    found = list(commands.commands(commands.typer.main.get_command(commands.app)))
    silent = [words for words, command in found if not command.help]
    options = [
        f"{words} {one.opts[-1]}"
        for words, command in found
        for one in command.params
        if one.param_type_name == "option" and not getattr(one, "help", "") and one.name != "help"
    ]

    assert len(found) > 20
    assert silent == []
    assert options == []


@pytest.mark.parametrize("name", sorted(manifests()))
def test_every_setting_of_a_connector_is_in_its_readme(name: str) -> None:
    """What the form shows and what the settings take."""
    manifest = manifests()[name]
    module, _, cls = manifest.settings.partition(":")
    settings = set(getattr(import_module(module), cls).model_fields) - OWN
    readme = (ROOT / "connectors" / name / "README.md").read_text("utf-8")

    assert sorted(field for field in {*manifest.fields, *settings} if f"`{field}`" not in readme) == []


@pytest.mark.parametrize("name", sorted(name for name, one in manifests().items() if one.sandbox))
def test_every_fault_switch_is_written_down(name: str) -> None:
    """In the connector's README or beside the switch itself."""
    module = import_module(str(manifests()[name].sandbox).partition(":")[0])
    readme = (ROOT / "connectors" / name / "README.md").read_text("utf-8")
    source = Path(str(module.__file__)).read_text("utf-8")
    told = [fault for fault in module.FAULTS if f"`{fault}`" in readme or re.search(rf'"{fault}",  # \w', source)]

    assert sorted(set(module.FAULTS) - set(told)) == []


FOLDERS = ("docs", "mappings", "schemas", "demo", "benchmarks", "connectors")
PAGES = sorted([*ROOT.glob("*.md"), *(page for folder in FOLDERS for page in (ROOT / folder).rglob("*.md"))])
LINK = re.compile(r"\]\((?!https?:|mailto:)([^)\s#]*)(?:#([^)\s]+))?\)")


def _anchors(page: Path) -> set[str]:
    """The headings of a page, as a code host names them."""
    titles = re.findall(r"^#+ (.+)$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    """A reader without Python has nothing but these pages."""
    goals = [
        (link, anchor, (page.parent / link if link else page)) for link, anchor in LINK.findall(page.read_text("utf-8"))
    ]
    broken = [link for link, _, goal in goals if not goal.exists()]
    lost = [
        f"{link}#{anchor}"
        for link, anchor, goal in goals
        if anchor and goal.suffix == ".md" and goal.exists() and anchor not in _anchors(goal)
    ]

    assert [*broken, *lost] == []


MARKED = re.compile(r"^<!-- file: (\S+) -->\n```\w+\n(.*?)^```", re.DOTALL | re.MULTILINE)


@pytest.fixture
def shapes(tmp_path: Path) -> Path:
    """A content folder of the files on the page about shapes, as somebody makes it who copies them."""
    page = (ROOT / "docs/how-to/shapes.md").read_text("utf-8")
    for path, text in MARKED.findall(page):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        ending = "\r\n" if path.endswith(".txt") else "\n"  # the layout's line_end, which Markdown cannot show
        (tmp_path / path).write_bytes(text.replace("\n", ending).encode())
    return tmp_path


def test_the_files_on_the_page_of_shapes_work(shapes: Path) -> None:
    """Mappings, layouts, schemas and examples: checked and run like those that are shipped."""
    names = mapping_names(shapes)
    findings = [finding.line() for name in names for finding in check_mapping(name, shapes)]
    results = [result for name in names for result in run_examples(load_mapping(name, shapes), shapes)]
    missing = [result.problem for result in results if not result.passed]

    assert names == ["bescheid", "umfrage", "zahlung"]
    assert [line for line in findings if "KB-M18" not in line] == []
    assert missing == ["expected.json is missing; --update writes it"]
    assert read_table(shapes, "auszahlungen").header_line().startswith(b"Kennzeichen;")


def test_the_table_on_its_page_is_read_as_the_page_says(tmp_path: Path) -> None:
    """Table, mapping, process, route and files of the page about any table, as somebody makes them who copies them."""
    page = (ROOT / "docs/how-to/tables.md").read_text("utf-8")
    for path, text in MARKED.findall(page):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text, "utf-8")
    settings = {"path": str(tmp_path / "eingang"), "profile": "wunschzettel", "settle_seconds": 0}
    connection = Connection("wuensche-tk", "kb_folder", extra=settings)
    process = read_process(tmp_path, "wuensche-2026")
    source = FolderSource(connection, Context(process=process, content=tmp_path))
    items = list(source.fetch(Bookmark()))
    source.acknowledge([Handled(item, item.problem) for item in items])
    reports = "".join(file.read_text("utf-8-sig") for file in sorted((tmp_path / "eingang/done").glob("*.bericht.csv")))
    read = load_mapping("wunsch", tmp_path).read
    made = [read(one, {"process": process, "envelope": {"source": "w"}}) for one in items if not one.problem]

    assert [finding.line() for finding in check_mapping("wunsch", tmp_path) if finding.severity == "error"] == []
    assert read_route(tmp_path / "mappings/routes/wuensche.yaml").mapping == ("wunsch",)
    assert [(one.reference_number, one.requested_amount) for one in made if isinstance(one, Proposal)] == [
        ("W-1", Decimal("850.00")),
        ("W-2", Decimal("1000.00")),
        ("W-3", Decimal("420.50")),
    ]
    for shown in re.findall(r"`(\d+;[^`]*)`", page):
        assert shown in reports.replace('"', "")


def test_the_page_about_running_over_a_file_says_what_happens(tmp_path: Path) -> None:
    """Its file, its command, what is said and what is refused: to the letter."""
    page = (ROOT / "docs/how-to/run-over-a-file.md").read_text("utf-8")
    ((path, text),) = MARKED.findall(page)
    (tmp_path / path).write_text(text, "utf-8")
    ((words, says),) = re.findall(r"^\$ kiezbruecke (.*)\n((?:[^`$].*\n)*)", page, re.MULTILINE)
    (refused,) = re.findall(r"^<!-- output: refused.jsonl -->\n```json\n(.*?)^```", page, re.DOTALL | re.MULTILINE)
    command = [Path(sys.executable).with_name("kiezbruecke"), *words.split(), "--content", str(ROOT)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    assert (done.returncode, done.stdout, done.stderr) == (1, says, "")
    assert (tmp_path / "refused.jsonl").read_text("utf-8") == refused
    assert [one.name for one in (tmp_path / "nachrichten").iterdir()] == ["0000001.xml"]


def test_the_finding_on_the_page_of_shapes_is_the_one_that_check_gives(shapes: Path) -> None:
    """People compare it with their own screen."""
    file = shapes / "mappings/inbound/umfrage/mapping.yaml"
    file.write_text(file.read_text("utf-8").replace("item.nummer", "item.numer"), "utf-8")
    shown = re.findall(r"^error: (.*)$", (ROOT / "docs/how-to/shapes.md").read_text("utf-8"), re.MULTILINE)

    assert [finding.line() for finding in check_mapping("umfrage", shapes) if finding.severity == "error"] == shown
