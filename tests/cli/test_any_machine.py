"""Every command on odd machines: it does its work, or says in one line why not – never KB-000, never a traceback.

The parent has imported everything; each call is a fork of it that makes its machine odd and then runs `main`. On each
machine a third of the commands is called, each command on a third of the machines, every day others: tests/sample.py.
"""

from __future__ import annotations

import codecs
import io
import json
import os
import pkgutil
import re
import resource
import shutil
import signal
import sqlite3
import sys
import tempfile
import traceback
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path

import pytest

import connectors
import kiezbruecke
from kiezbruecke.cli import main
from kiezbruecke.ledger import upgrade
from tests import sample
from tests.crash_points import fork
from tests.world import BUDGET_HEADER, budget
from tools import commands

NAME = "--name", "IT-Betrieb", "--reason", "Probe"
_SIGNS = "--shown", "nichts", "--reason", "Probe"
CALLS = {  # one call of every command; what it writes stands in {out}
    "run": ("run", "kk-tk-budgets"),
    "status": ("status",),
    "reconcile": ("reconcile", "--csv", "{out}/sums.csv", "--xlsx", "{out}/sums.xlsx", "--html", "{out}/sums.html"),
    "budget places": ("budget", "places", "{out}/plan.csv", "--bereich", "39", "--titel-bezeichnung", "Sondermittel"),
    "evaluate": ("evaluate", "kk-tk-2026", "--out", "{out}/auswertung"),
    "todo list": ("todo", "list"),
    "todo show": ("todo", "show", "1"),
    "todo decide": ("todo", "decide", "1", "gesehen", *NAME),
    "case show": ("case", "show", "KK26-090517-00001"),
    "case document": ("case", "document", "KK26-090517-00001", "bescheid", "--out", "{out}/papiere"),
    "case account": ("case", "account", "KK26-090517-00001", "--reason", "Probe"),
    "case find": ("case", "find", "Bank"),
    "message list": ("message", "list"),
    "message show": ("message", "show", "KK26-090517-00001-F1"),
    "message lineage": ("message", "lineage", "KK26-090517-00001-F1"),
    "message resend": ("message", "resend", "KK26-090517-00001-F1", *NAME),
    "process new": (
        *("process", "new", "kk-tk-2030", "--from", "kk-tk-2026", "--district", "tk"),
        *("--name", "Kiezkassen 2030", "--year", "2030"),
    ),
    "process list": ("process", "list"),
    "process check": ("process", "check", "kk-tk-2026"),
    "route list": ("route", "list"),
    "route check": ("route", "check"),
    "route runs": ("route", "runs", "kk-tk-hkr"),
    "route pause": ("route", "pause", "kk-tk-hkr", *NAME),
    "route preview": ("route", "preview", "kk-tk-hkr", "--out", "{out}/preview"),
    "route baseline": ("route", "baseline", "kk-tk-hkr", *NAME),
    "login": ("login", "--url", "ftp://nirgends", "--user", "x"),
    "release show": ("release", "show", "kk-tk-zahlungen"),
    "release list": ("release", "list", "kk-tk-zahlungen"),
    "release certify": ("release", "certify", "kk-tk-zahlungen", *_SIGNS),
    "release order": ("release", "order", "kk-tk-zahlungen", *_SIGNS),
    "release hold-back": ("release", "hold-back", "kk-tk-zahlungen", "KK26-090517-00001-Z1", "--reason", "Probe"),
    "destination show": ("destination", "show", "hkr-tk"),
    "destination pause": ("destination", "pause", "hkr-tk", *NAME),
    "destination resume": ("destination", "resume", "hkr-tk", *NAME),
    "connection test": ("connection", "test", "hkr-tk"),
    "recover show": ("recover", "show"),
    "recover begin": ("recover", "begin", "hkr-tk", *NAME),
    "recover run": ("recover", "run", "hkr-tk"),
    "recover answer": ("recover", "answer", "hkr-tk", "liegt_vor", "--all", *NAME),
    "recover end": ("recover", "end", "hkr-tk", *NAME),
    "recover dismiss": ("recover", "dismiss", "hkr-tk", *NAME),
    "destination reset": ("destination", "reset", "hkr-tk", *NAME, "--yes"),
    "sheet new": ("sheet", "new", "--process", "kk-tk-2026", "--area", "Müggelheim", "-o", "{out}/neu.xlsx"),
    "sheet check": ("sheet", "check", "{out}/budget.csv", "--route", "kk-tk-budgets"),
    "sheet take": ("sheet", "take", "{out}/budget.csv", "--route", "kk-tk-budgets", "--look", "0", "--name", "Erika"),
    "vault key": ("vault", "key", "-o", "{out}/keys"),
    "vault status": ("vault", "status"),
    "vault rotate": ("vault", "rotate"),
    "ledger verify": ("ledger", "verify"),
    "ledger anchor": ("ledger", "anchor", "--to", "{out}/anker.json"),
    "ledger accept": ("ledger", "accept", *NAME),
    "ledger upgrade": ("ledger", "upgrade"),
    "mapping check": ("mapping", "check", "commitment-hkr", "--sarif", "{out}/found.sarif"),
    "mapping compile": ("mapping", "compile", "commitment-hkr"),
    "mapping diff": ("mapping", "diff", "commitment-hkr", "case-statusliste"),
    "mapping doc": ("mapping", "doc", "commitment-hkr", "--out", "{out}/page.html"),
    "mapping editor": ("mapping", "editor", "commitment-hkr"),
    "mapping preview": ("mapping", "preview", "commitment-hkr"),
    "mapping test": ("mapping", "test", "case-statusliste", "--update"),
    "mapping lineage": ("mapping", "lineage", "commitment-hkr"),
    "mapping new": ("mapping", "new", "probe", "--target", "table status-list"),
    "mapping run": (
        *("mapping", "run", "payment-pain", "--in", "{out}/zahlung.json"),
        *("--out", "{out}/messages", "--refused", "{out}/refused.jsonl"),
    ),
    "mapping steps": ("mapping", "steps"),
    "mapping try": ("mapping", "try", "case-statusliste", "--records", "3"),
    "mapping upgrade": ("mapping", "upgrade", "commitment-hkr", "--to", "hkr 1.0 Anordnung", "--out", "andere"),
    "codelist list": ("codelist", "list"),
    "codelist check": ("codelist", "check"),
    "codelist import": ("codelist", "import", "{out}/liste.xml", "--name", "neue"),
    "drift check": ("drift", "check"),
    "drift accept": ("drift", "accept", "commitment-hkr"),
    "drift wsdl": ("drift", "wsdl", "{out}/a.wsdl", "{out}/b.wsdl"),
    "schemas list": ("schemas", "list"),
    "schemas install": ("schemas", "install", "--from", "{out}"),
    "schemas add": ("schemas", "add", "{out}/probe.xsd", "--standard", "probe", "--version", "1"),
    "new connector": ("new", "connector", "probe", "--into", "{out}"),
    "webhook key": ("webhook", "key"),
    "webhook serve": ("webhook", "serve", "ideen-tk"),
    "sandbox list": ("sandbox", "list"),
    "sandbox start": ("sandbox", "start", "nirgends"),
    "sandbox fault": ("sandbox", "fault", "hkr", "timeout"),
}
SHARE = 3  # one command in so many on each machine
NO_COMMANDS = r"kiezbruecke\.(airflow|testing)|.*__main__"
IMPORTED_IN_FUNCTIONS = (
    "jsonschema.validators",
    "lxml.html",
    "rich.markdown",
    "shapely.geometry",
    "shapely.validation",
)
_XSD = """<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"><xs:element name="A" type="xs:string"/></xs:schema>"""


@dataclass
class Place:
    """Where a call happens; `odd` runs in the child, before the command."""

    content: Path
    state: Path
    out: Path
    ledger: str = ""
    odd: Callable[[], None] = lambda: None
    environment: dict[str, str] = field(default_factory=dict)
    charset: str = "utf-8"


@dataclass(frozen=True)
class Ended:
    """What a call said, and its exit code."""

    code: int
    out: str
    err: str


def _limit_files() -> None:
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


def _nobody() -> None:
    """Whoever this is may not read the interpreter's own files: what a command loads late is loaded before."""
    for charset in ("utf-8-sig", "latin-1", "ascii", "idna"):
        codecs.lookup(charset)
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)


def _to(device: str) -> Callable[[], None]:
    return lambda: os.dup2(os.open(device, os.O_WRONLY), 1) and None


def _reader_gone() -> None:
    reads, writes = os.pipe()
    os.close(reads)
    os.dup2(writes, 1)


def ascii_terminal(place: Place) -> None:
    place.charset = "ascii"


def latin_terminal(place: Place) -> None:
    place.charset = "latin-1"


def narrow_terminal(place: Place) -> None:
    place.environment |= {"COLUMNS": "1", "LINES": "1", "FORCE_COLOR": "1"}


def reader_that_has_gone(place: Place) -> None:
    place.odd = _reader_gone


def full_output(place: Place) -> None:
    place.odd = _to("/dev/full")


def closed_output(place: Place) -> None:
    place.odd = lambda: os.close(1)


def full_disk(place: Place) -> None:
    place.odd = _limit_files


def content_is_a_file(place: Place) -> None:
    place.content = place.out / "probe.xsd"


def content_is_nowhere(place: Place) -> None:
    place.content = place.out / "nirgends"


def odd_folder_name(place: Place) -> None:
    odd = Path(os.fsdecode(os.fsencode(place.content.parent / "Straße mit\n[b] Zeile ") + b"\xff"))
    place.content = place.content.rename(odd)


def state_is_a_file(place: Place) -> None:
    shutil.rmtree(place.state)
    place.state.write_text("kein Ordner", "utf-8")


def state_is_nowhere(place: Place) -> None:
    shutil.rmtree(place.state)


def ledger_is_no_database(place: Place) -> None:
    (place.state / "ledger.sqlite3").write_text("Das ist keine Datenbank.\n" * 400, "utf-8")


def ledger_is_a_folder(place: Place) -> None:
    (place.state / "ledger.sqlite3").unlink()
    (place.state / "ledger.sqlite3").mkdir()


def ledger_of_a_newer_version(place: Place) -> None:
    with sqlite3.connect(place.state / "ledger.sqlite3") as found:
        found.execute("UPDATE alembic_version SET version_num = '9999'")
    found.close()


def database_that_nobody_runs(place: Place) -> None:
    place.ledger = "postgresql://kb:geheim@127.0.0.1:1/ledger"


def database_with_no_driver(place: Place) -> None:
    place.ledger = "postgresql+asyncpg://127.0.0.1:x/ledger"


def not_allowed(place: Place) -> None:
    for folder in (place.content / "mappings" / "codelists", place.content / "mappings" / "routes", place.out):
        folder.chmod(0)
    place.odd = _nobody


def read_only(place: Place) -> None:
    place.odd = _nobody


def _everywhere(place: Place, name: str, make: Callable[[Path], object]) -> None:
    for folder in ("routes", "routes/kiezkasse", "processes", "codelists"):
        make(place.content / "mappings" / folder / f"{name}.yaml")
    for folder in ("inbound", "outbound"):
        (place.content / "mappings" / folder / name).mkdir()
        make(place.content / "mappings" / folder / name / "mapping.yaml")
    (place.content / "schemas" / name / "1").mkdir(parents=True)
    make(place.content / "schemas" / name / "1" / "manifest.yaml")
    for file in ("liste.xml", "a.wsdl", "b.wsdl", "probe.xsd"):
        (place.out / file).unlink(missing_ok=True)
        make(place.out / file)


def broken_links(place: Place) -> None:
    _everywhere(place, "kaputt", lambda file: file.symlink_to("nirgends"))


def links_to_themselves(place: Place) -> None:
    _everywhere(place, "kreis", lambda file: file.symlink_to(file))


def folders_called_like_files(place: Place) -> None:
    _everywhere(place, "ordner", lambda file: file.mkdir())


def pipes_called_like_files(place: Place) -> None:
    _everywhere(place, "rohr", os.mkfifo)


def _with_bytes(name: str, body: bytes) -> Callable[[Place], None]:
    def odd(place: Place) -> None:
        _everywhere(place, name, lambda file: file.write_bytes(body))

    odd.__name__ = f"files_with_{name}"
    return odd


def files_of_latin_letters(place: Place) -> None:
    for file in (place.content / "mappings").rglob("*.yaml"):
        file.write_bytes(file.read_bytes() + "# Müggelheim\n".encode("latin-1"))


READING = (  # one command for each kind of file that people write
    "run", "status", "route list", "mapping check", "mapping test", "mapping new", "codelist list", "codelist check",
    "codelist import", "drift check", "drift wsdl", "schemas list", "schemas add",
)  # fmt: skip
MACHINES: list[Callable[[Place], None]] = [  # every command is called on these
    ascii_terminal, latin_terminal, narrow_terminal, reader_that_has_gone, full_output, closed_output, full_disk,
    content_is_a_file, content_is_nowhere, odd_folder_name, state_is_a_file, state_is_nowhere, ledger_is_no_database,
    ledger_is_a_folder, ledger_of_a_newer_version, database_that_nobody_runs, database_with_no_driver, not_allowed,
    read_only,
]  # fmt: skip
FILES: list[Callable[[Place], None]] = [  # those that read what people write, on these
    broken_links, links_to_themselves, folders_called_like_files, pipes_called_like_files,
    files_of_latin_letters,
    _with_bytes("latin", "name: Müggelheim\n".encode("latin-1")),
    _with_bytes("marke", b"\xef\xbb\xbfname: x\nversion: 1\n"),
    _with_bytes("utf16", "name: x\n".encode("utf-16")),
    _with_bytes("tabs", b"name:\n\t- x\n"),
    _with_bytes("doppelt", b"name: x\nname: y\ncodes: {a: b, a: c}\n"),
    _with_bytes("anker", b"a: &a [1]\nb: [*a, *a]\ncodes: *a\n? [1, 2]\n: 3\n"),
    _with_bytes("tiefe", b"[" * 50_000),
    _with_bytes("tag", b"name: !!python/object:os.system x\ncodes: !!set {a, b}\nuri: !!binary eA==\n"),
    _with_bytes("null", b"name: \x00\n"),
    _with_bytes("leer", b""),
    _with_bytes("liste", b"- 1\n- {codes: 3}\n"),
    _with_bytes("jaja", b"name: yes\nversion: 1e999\ncodes: {1: 2}\nareas: 0x1F\nroutes: 2026-13-45\n"),
    _with_bytes("xml", b"<a xmlns:b='u'><b:c/></a>"),
]  # fmt: skip


@pytest.fixture(scope="module")
def everything_imported() -> None:
    """Whatever a command imports late, in this process, whichever tests ran before (`_nobody` says why)."""
    for package in (kiezbruecke, connectors):
        for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not re.match(NO_COMMANDS, found.name):
                import_module(found.name)
    for name in IMPORTED_IN_FUNCTIONS:
        import_module(name)


@pytest.fixture(scope="module")
def fresh(everything_imported: None) -> Iterator[Path]:
    """A house that nothing odd has happened to; where everybody may look."""
    folder = Path(tempfile.mkdtemp(prefix="kb-"))
    folder.chmod(0o755)
    root = Path(__file__).resolve().parents[2]
    for name in ("mappings", "schemas"):
        shutil.copytree(root / name, folder / "house" / name, ignore=shutil.ignore_patterns("editor"))
    (folder / "state").mkdir()
    (folder / "out").mkdir()
    (folder / "out" / "probe.xsd").write_text(_XSD, "utf-8")
    shutil.copyfile(root / "tests/mapping/data/farben_2.xml", folder / "out" / "liste.xml")
    shutil.copyfile(root / "mappings/outbound/payment-pain/examples/full.input.json", folder / "out" / "zahlung.json")
    for name in ("a.wsdl", "b.wsdl"):
        shutil.copyfile(root / "schemas/hkr/1.0/service.wsdl", folder / "out" / name)
    _connect(folder)
    upgrade(f"sqlite:///{folder / 'state' / 'ledger.sqlite3'}")
    yield folder
    shutil.rmtree(folder)


def _connect(folder: Path) -> None:
    """A folder with a sheet of budgets, so that a run has something to read and to report."""
    inbox = folder / "out" / "eingang"
    inbox.mkdir()
    for place in (inbox, folder / "out"):
        (place / "budget.csv").write_text(f"{BUDGET_HEADER}\n{budget()}\n", "utf-8")


@pytest.fixture
def place(fresh: Path) -> Iterator[Place]:
    """A copy of it, for one machine."""
    folder = Path(tempfile.mkdtemp(prefix="kb-"))
    folder.chmod(0o755)
    shutil.copytree(fresh, folder, dirs_exist_ok=True)
    extra = {"path": str(folder / "out" / "eingang"), "profile": "budget-sheet", "settle_seconds": 0}
    known = {"budgets-tk": {"conn_type": "kb_folder", "extra": extra}}
    (folder / "state" / "connections.json").write_text(json.dumps(known), "utf-8")
    yield Place(folder / "house", folder / "state", folder / "out")
    shutil.rmtree(folder)


def test_every_command_is_called_on_odd_machines() -> None:
    """A new command joins the list, or nobody knows what it says on a full disk."""
    known = {words for words, _ in commands.commands(commands.typer.main.get_command(commands.app))}

    assert {f"kiezbruecke {words}" for words in CALLS} == known


def test_within_a_few_days_every_command_is_called_on_every_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """And on some machine every day."""
    called: dict[str, set[str]] = defaultdict(set)
    for day in ("2026-12-31", "2027-01-01", "2027-01-02"):
        monkeypatch.setenv(sample.DOOR, day)
        today = {machine.__name__: _sampled(machine) for machine in [*MACHINES, *FILES]}
        assert set(CALLS) == {name for machine in MACHINES for name in today[machine.__name__]}
        for machine, names in today.items():
            called[machine] |= {*names}

    assert called == {machine.__name__: {*(READING if machine in FILES else CALLS)} for machine in [*MACHINES, *FILES]}


@pytest.mark.parametrize("machine", [*MACHINES, *FILES], ids=lambda machine: machine.__name__)
def test_no_machine_makes_a_command_end_in_an_unexpected_error(
    machine: Callable[[Place], None], place: Place, tmp_path: Path
) -> None:
    """F.4: the documented exit codes, one clear line, nothing half written."""
    machine(place)

    wrong = []
    for name in _sampled(machine):
        ended = _call(CALLS[name], place, tmp_path)
        if why := _wrong(ended, narrow=machine is narrow_terminal):
            wrong.append(f"{name}: {why} [{ended.code}] {ended.err[-900:]}")
    assert wrong == []
    assert list(place.out.rglob("*.part")) == []


def test_nothing_half_stays_where_the_disk_is_full(place: Place, tmp_path: Path) -> None:
    """Not even an empty folder of a mapping, which every later command would stumble over."""
    full_disk(place)
    before = _files(place)

    for name in _sampled(full_disk):
        _call(CALLS[name], place, tmp_path)
    assert _files(place) - before == set()


def test_a_full_disk_is_named_with_the_file_that_did_not_fit(place: Place, tmp_path: Path) -> None:
    full_disk(place)

    ended = _call(CALLS["mapping doc"], place, tmp_path)
    helps = "raise the limit of this account (ulimit -f), then call again"
    assert ended.err == f"KB-600 {place.out}/page.html: file too large; {helps}\n"


def test_json_is_whole_on_a_terminal_without_umlauts(place: Place, tmp_path: Path) -> None:
    """A spelled-out name would be another name."""
    ascii_terminal(place)

    ended = _call(("codelist", "list", "--json"), place, tmp_path)
    assert ended.out.isascii()
    assert r"\u00" in _call(("mapping", "steps", "--json"), place, tmp_path).out


def _sampled(machine: Callable[[Place], None]) -> list[str]:
    """The commands that are called on a machine today."""
    names = list(READING if machine in FILES else CALLS)
    if sample.is_whole():
        return names
    return names[(sample.turn() + [*MACHINES, *FILES].index(machine)) % SHARE :: SHARE]


def _files(place: Place) -> set[Path]:
    """All but the database's own."""
    found = {one for folder in (place.content, place.out, place.state) for one in folder.rglob("*")}
    return {one for one in found if "sqlite3" not in one.name}


def _wrong(ended: Ended, *, narrow: bool) -> str:
    if ended.code not in (0, 1, 2):
        return "no documented exit code"
    for bad in ("KB-000", "Traceback", "Exception ignored", "Warning"):
        if bad in ended.err or bad in ended.out:
            return bad
    lines = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", ended.err).splitlines()
    if narrow:
        lines = lines[-1:]  # a spinner has turned above
    if ended.code == 2 and not (len(lines) == 1 and re.match(r"KB-\d{3} .", lines[0])):
        return "not one line with a code"
    return ""


def _call(words: tuple[str, ...], place: Place, folder: Path) -> Ended:
    out, err = folder / "out.txt", folder / "err.txt"
    with out.open("wb") as told, err.open("wb") as complained, (folder / "relay").open("wb"):
        reads, writes = os.pipe()  # a pipe: what is said must not meet the limit of files
        complains, tells = os.pipe()
        child = fork()
        if child == 0:
            os.dup2(writes, 1)
            os.dup2(tells, 2)
            _become(words, place)
        os.close(writes)
        os.close(tells)
        for source, goal in ((reads, told), (complains, complained)):
            _drain(source, goal)
        _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    return Ended(code, out.read_text(place.charset, "replace"), err.read_text("utf-8", "replace"))


def _drain(source: int, goal: io.BufferedWriter) -> None:
    while part := os.read(source, 65536):
        goal.write(part)
    os.close(source)


def _become(words: tuple[str, ...], place: Place) -> None:
    """In the child: never returns."""
    code = 99
    try:
        signal.alarm(20)
        os.environ.pop("KIEZBRUECKE_OFFICIAL", None)
        os.environ |= {
            "KIEZBRUECKE_CONTENT": str(place.content),
            "KIEZBRUECKE_STATE": str(place.state),
            **({"KIEZBRUECKE_LEDGER_URL": place.ledger} if place.ledger else {}),
            **place.environment,
        }
        os.chdir("/")
        place.odd()
        sys.argv = ["kiezbruecke", *(word.replace("{out}", str(place.out)) for word in words)]
        sys.stderr = open(2, "w", encoding="utf-8", closefd=False, buffering=1)  # noqa: SIM115
        try:
            sys.stdout = open(1, "w", encoding=place.charset, closefd=False)  # noqa: SIM115
        except OSError:
            sys.stdout = None  # type: ignore[assignment] - as the interpreter does where it is closed
        main()
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else 98
        try:
            if sys.stdout is not None:
                sys.stdout.flush()
        except OSError:
            code = 120  # what the interpreter makes of it
    except BaseException:  # noqa: BLE001 - the parent reads it
        traceback.print_exc()
    finally:
        os._exit(code)
