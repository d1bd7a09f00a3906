"""Every command there is, called where she is everything: who may show what stands here, with the reason."""

from __future__ import annotations

import json
import shutil
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from connectors.meinberlin.client import MeinBerlin
from kiezbruecke.cli.main import app
from kiezbruecke.connector import Cursor, Item
from tests.canary.conftest import EVERYTHING, HER_WORDS, NAME, REFERENCE, SIGNED, THE_CLERK, Aviary, write_her_words
from tests.needles import files_of, hits, hits_in_file
from tests.world import ROOT, change_route
from tools.commands import commands

CALLS: dict[str, tuple[str, ...]] = {  # in this order: those that look, then those that change, then those that reset
    "status": (),
    "todo list": (),
    "todo show": ("{point}",),
    "case find": ("Piepm",),
    "case show": (REFERENCE,),
    "message list": (),
    "message show": ("{message}", "--payload", "{out}/payload.zip"),
    "message lineage": ("{message}",),
    "route list": (),
    "route check": (),
    "route runs": ("kk-tk-eakte",),
    "route preview": ("kk-tk-statusliste", "--out", "{out}/preview"),
    "release show": ("kk-tk-zahlungen",),
    "release list": ("kk-tk-zahlungen",),
    "destination show": ("eakte-tk",),
    "connection test": ("meinberlin-tk",),
    "reconcile": (
        *("--csv", "{out}/sums.csv", "--xlsx", "{out}/sums.xlsx"),
        *("--html", "{out}/sums.html", "--mail", "{out}/sums.txt"),
    ),
    "budget places": ("{out}/plan.csv", "--bereich", "39", "--titel-bezeichnung", "Sondermittel"),
    "case document": (REFERENCE, "bescheid", "--out", "{out}/papers"),
    "evaluate": ("kk-tk-2026", "--out", "{out}/auswertung"),
    "process list": (),
    "process check": ("kk-tk-2026",),
    "process new": ("kk-xy-2027",),
    "webhook key": (),
    "webhook serve": ("nirgends",),
    "recover show": (),
    "vault status": (),
    "ledger verify": (),
    "ledger anchor": ("--to", "{out}/anchors.json"),
    "sheet check": ("{root}/demo/budgets/budgetliste-2026.xlsx", "--route", "kk-tk-budgets"),
    "sheet new": ("--process", "kk-tk-2026", "--area", "Johannisthal", "-o", "{out}/new.xlsx"),
    "mapping check": ("--sarif", "{out}/found.sarif"),
    "mapping compile": ("case-xdomea-0401", "--explain"),
    "mapping diff": ("case-xdomea-0401", "{content}/mappings/outbound/changed", "--messages", "--values"),
    "mapping doc": ("case-xdomea-0401", "--out", "{out}/page.html"),
    "mapping editor": ("case-xdomea-0401",),
    "mapping preview": ("case-xdomea-0401", "--case", REFERENCE, "--route", "kk-tk-eakte"),
    "mapping test": ("case-statusliste", "--update"),
    "mapping lineage": ("case-xdomea-0401",),
    "mapping new": ("probe", "--target", "table status-list"),
    "mapping run": (
        *("meinberlin-proposal", "--in", "{samples}", "--out", "{out}/records.jsonl"),
        *("--given", "{content}/mappings/inbound/meinberlin-proposal/examples/full.input.json"),
        *("--refused", "{out}/refused.jsonl"),
    ),
    "mapping steps": (),
    "mapping try": ("case-statusliste", "--records", "3"),
    "mapping upgrade": ("commitment-hkr", "--to", "hkr 1.0 Anordnung", "--out", "other"),
    "codelist list": (),
    "codelist check": (),
    "codelist import": ("{root}/tests/mapping/data/farben_2.xml", "--name", "new"),
    "drift check": ("meinberlin-proposal", "--samples", "{samples}"),
    "drift accept": ("meinberlin-proposal", "--samples", "{samples}"),
    "drift wsdl": ("{root}/schemas/hkr/1.0/service.wsdl", "{root}/schemas/hkr/1.1/service.wsdl"),
    "schemas list": (),
    "schemas install": ("--from", "{out}"),
    "schemas add": ("{root}/tests/mapping/data/probe.xsd", "--standard", "probe", "--version", "1"),
    "new connector": ("probe", "--into", "{out}"),
    "sandbox list": (),
    "sandbox fault": ("hkr",),
    "sandbox start": ("nirgends",),
    "login": ("--url", "ftp://nirgends", "--user", "x"),
    "case account": (REFERENCE, *SIGNED[2:]),
    "release certify": ("kk-tk-zahlungen", "--shown", "nichts", *SIGNED[2:]),
    "release order": ("kk-tk-zahlungen", "--shown", "nichts", *SIGNED[2:]),
    "release hold-back": ("kk-tk-zahlungen", "KK26-090517-00001-Z1", *SIGNED[2:]),
    "run": ("kk-tk-beschluesse",),
    "sheet take": (
        "{root}/demo/budgets/budgetliste-2026.xlsx",
        "--route",
        "kk-tk-budgets",
        "--look",
        "0",
        "--name",
        "E",
    ),
    "todo decide": ("{point}", "erledigt", *SIGNED),
    "message resend": ("{message}", *SIGNED),
    "route pause": ("kk-tk-hkr", *SIGNED),
    "route baseline": ("kk-tk-hkr", *SIGNED),
    "destination pause": ("hkr-tk", *SIGNED),
    "destination resume": ("hkr-tk", *SIGNED),
    "vault key": (),
    "vault rotate": (),
    "recover begin": ("hkr-tk", *SIGNED),
    "recover run": ("hkr-tk",),
    "recover answer": ("hkr-tk", "liegt_vor", "--all", *SIGNED),
    "recover end": ("hkr-tk", *SIGNED),
    "recover dismiss": ("hkr-tk", *SIGNED),
    "destination reset": ("eakte-tk", "--yes", *SIGNED),
    "ledger accept": SIGNED,
    "ledger upgrade": (),
}
LOOKING = list(CALLS)[: list(CALLS).index("ledger anchor")]  # called once more when a clerk has signed something

_TITLE = "the title, for who looks for a case"
_SIGNED = "who has decided that, and why"
SHOWS: dict[str, tuple[tuple[str, ...], str]] = {  # exactly these say exactly this, and why they may
    "case find": (HER_WORDS, _TITLE),
    "case show": ((*HER_WORDS, THE_CLERK[0]), "the title; who has decided"),
    "todo list": ((*HER_WORDS, *THE_CLERK), "the file whose line is wrong; who says that a backup was restored"),
    "todo show": ((*HER_WORDS, *THE_CLERK), "the file whose line is wrong; who has decided, and why"),
    "status": (THE_CLERK, "who says that a backup was restored"),
    "mapping preview": (HER_WORDS, "the values of one case, for who asks for this very case"),
    "mapping diff": (HER_WORDS, "--values: the values, for who asks for them"),
    "destination pause": (THE_CLERK, _SIGNED),
    "recover show": (THE_CLERK, _SIGNED),
    "recover begin": (THE_CLERK, _SIGNED),
    "recover answer": (THE_CLERK, _SIGNED),
}
WRITES: dict[str, tuple[tuple[str, ...], str]] = {  # the same for the files that were asked for
    "mapping run": ((NAME, "Zwitscherfräulein", *HER_WORDS), "--out: the records, for who has the file of items"),
    "message show": (HER_WORDS, "--payload: the bytes that were sent"),
    "route preview": (HER_WORDS, "--out: the bytes that would be sent"),
}


@pytest.fixture
def known(aviary: Aviary, content: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Her words have gone the whole way; the content is a copy, for commands that write into it."""
    monkeypatch.setenv("KIEZBRUECKE_CONTENT", str(content))
    aviary.world.content = content
    change_route(content, "kk-tk-statusliste", mode="dry_run")
    changed = content / "mappings" / "outbound" / "changed"
    shutil.copytree(content / "mappings" / "outbound" / "case-xdomea-0401", changed)
    rules = changed / "mapping.yaml"
    rules.write_text(rules.read_text("utf-8").replace("from: case.title", "from: proposal.description_text"), "utf-8")
    write_her_words(aviary)
    heard = _heard(monkeypatch)
    aviary.go()
    out = tmp_path / "out"
    out.mkdir()
    (tmp_path / "samples.json").write_text(json.dumps(heard), "utf-8")
    message = next(one for one in aviary.world.messages("eakte-tk") if one.reference.endswith("00008-E1"))
    point = aviary.world.points("set_aside")[0].id
    return {
        "message": message.reference,
        "point": str(point),
        "out": str(out),
        "content": str(content),
        "root": str(ROOT),
        "samples": str(tmp_path / "samples.json"),
    }


def _heard(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """The platform's items as they come, for commands that are given samples."""
    fetch, heard = MeinBerlin.fetch, []

    def listen(client: MeinBerlin, cursor: Cursor) -> Iterator[Item]:
        for item in fetch(client, cursor):
            if item.kind == "proposal":
                heard.append({**item.body, **(item.rest.fetch() if item.rest else {})})
            yield item

    monkeypatch.setattr(MeinBerlin, "fetch", listen)
    return heard


def test_every_command_shows_her_only_where_it_may(aviary: Aviary, known: dict[str, str]) -> None:
    """Tables and JSON, what is said and what is complained about, the log, and the files that a command writes."""
    says: dict[str, set[str]] = defaultdict(set)
    writes: dict[str, set[str]] = defaultdict(set)
    complaints = ""
    seen: dict[Path, bytes] = {}
    for command in [*CALLS, *LOOKING]:
        words = [*command.split(), *(word.format(**known) for word in CALLS[command])]
        for call in (words, [*words, "--json"]):
            said, complained = aviary.call(*call)
            says[command] |= hits(said.encode(), EVERYTHING)
            complaints += complained
        writes[command] |= {word for file in _written(known, seen) for word in hits_in_file(file, EVERYTHING)}

    assert {command: words for command, words in says.items() if words} == _listed(SHOWS)
    assert {command: words for command, words in writes.items() if words} == _listed(WRITES)
    assert hits(complaints.encode(), EVERYTHING) == set()
    assert aviary.leaks() == {}


def _written(known: dict[str, str], seen: dict[Path, bytes]) -> Iterator[Path]:
    """The files that are new or other than before, in the content and where commands are told to write."""
    for file in (*files_of(Path(known["out"])), *files_of(Path(known["content"]))):
        if seen.get(file) != (body := file.read_bytes()):
            seen[file] = body
            yield file


def _listed(allowed: dict[str, tuple[tuple[str, ...], str]]) -> dict[str, set[str]]:
    return {command: set(words) for command, (words, _) in allowed.items()}


SPOILED = {
    "a sign that acts": ("--name", "Ute Amselmüller\x07", "--reason", "wegen der Grünschnäbel"),
    "too long": ("--name", "Ute Amselmüller", "--reason", "wegen der Grünschnäbel " * 50),
    "an unknown option": (*SIGNED, "--unknown"),
    "nobody of that name": SIGNED,
}


@pytest.mark.parametrize("spoiled", SPOILED.values(), ids=SPOILED)
def test_an_error_quotes_neither_who_signs_nor_why(aviary: Aviary, spoiled: tuple[str, ...]) -> None:
    """Every command that is signed with a name, as the commands themselves say."""
    signed = [command for command, options in _every().items() if {"--name", "--reason"} <= options]
    for command in signed:
        words = [word.format_map(defaultdict(lambda: "4711")) for word in CALLS[command]]
        words = [word if word.isdecimal() or word.startswith("-") else "nirgends" for word in words[: -len(SIGNED)]]
        _, complained = aviary.call(*command.split(), *words, *spoiled)

        assert complained.startswith("KB-") or command == "ledger accept", command  # it is about no name
        assert hits(complained.encode(), THE_CLERK) == set(), command
    assert {command for command, words in CALLS.items() if words[-len(SIGNED) :] == SIGNED} == set(signed)
    assert aviary.leaks() == {}


def _every() -> dict[str, set[str]]:
    """Every command there is, with its options."""
    tree = commands(typer.main.get_command(app))
    return {
        words.removeprefix("kiezbruecke "): {name for one in command.params for name in one.opts}
        for words, command in tree
    }


def test_no_command_is_forgotten() -> None:
    """A new command gets a call here, or nobody knows whom it shows."""
    assert CALLS.keys() == _every().keys(), "has no call here, or is no command any more"
