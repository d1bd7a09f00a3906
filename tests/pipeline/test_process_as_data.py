"""A district and a Bürgerhaushalt, made by the command and a few words, on the whole way: no code, and no Kiezkasse."""

from __future__ import annotations

import io
import json
import re
import shutil
import subprocess
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
from sqlalchemy import select

from connectors.decidim._recorded import KEY, SECRET
from kiezbruecke.content.processes import read_process
from kiezbruecke.content.routes import route_places
from kiezbruecke.ledger import MessageState
from kiezbruecke.ledger import tables as t
from kiezbruecke.ledger.reading import read_process_cases
from kiezbruecke.plain_yaml import read_yaml
from kiezbruecke.records import Process
from kiezbruecke.sandbox import Running, start
from tests.cli.conftest import Call, call
from tests.pdf_words import pages_of
from tests.world import BUDGET_HEADER, DECISION_HEADER, World

__all__ = ["call"]
AREAS = "id;name;aliases\nMI01;Seeufer;Ufer\nMI02;Am Wasserturm;\n"
FILLED = {  # what a person writes where the command has left a TODO
    "organisation": "Bezirksamt Mitte",
    "institution": "Bezirksamt Mitte von Berlin",
    "key": "MI-0815",
}
SHIPPED = ("bhh-li-2026", "kf-li-2026", "sk-li-2026")


@dataclass(frozen=True)
class Placed:
    """A process in use: where its sheets are dropped, and what its routes are called."""

    process: Process
    inbox: Path
    prefix: str


@dataclass(frozen=True)
class Site:
    """A Decidim, asked for itself what it shows and whom it mailed."""

    running: Running

    def of_whom(self, what: str) -> list[str]:
        """Whose `answers` or `mails`, in their order."""
        return [one["proposal"] for one in self._state()[what]]

    def proposal(self, key: str) -> dict[str, Any]:
        """One proposal as it stands there."""
        return next(dict(one) for one in self._state()["proposals"] if one["id"] == key)

    def _state(self) -> dict[str, list[dict[str, Any]]]:
        with urlopen(f"{self.running.url}/_sandbox/state", timeout=5) as answer:
            found: dict[str, list[dict[str, Any]]] = json.load(answer)
        return found


@pytest.fixture
def new(odd_world: World, call: Call, tmp_path: Path) -> Placed:
    """The Stadtteilkasse of a second district, as `docs/how-to/ein-bezirk-in-zehn-minuten.md` makes one."""
    (tmp_path / "gebiete.csv").write_text(AREAS, "utf-8")
    _commit(odd_world.content)
    said = call(
        *("process", "new", "sk-mi-2026", "--from", "kk-tk-2026", "--district", "mi", "--bezirk", "Mitte"),
        *("--name", "Stadtteilkasse Mitte 2026", "--kind", "stadtteilkasse", "--year", "2026"),
        *("--areas", str(tmp_path / "gebiete.csv"), "--without", "meinberlin", "--without", "antworten"),
    )
    assert (said.code, said.err) == (0, "")
    return put_to_use(odd_world, "sk-mi-2026")


def test_a_district_touches_the_content_and_nothing_else(odd_world: World, new: Placed) -> None:
    """`git status` of a real repository, as a reviewer would look."""
    changed = _git(odd_world.content, "status", "--porcelain", "--untracked-files=all").split()[1::2]

    assert sorted(changed) == ["mappings/codelists/bezirksregionen-mi.csv", "mappings/processes/sk-mi-2026.yaml"]


def test_bookings_and_files_carry_the_districts_own_word(odd_world: World, new: Placed) -> None:
    """Whoever reads the accounts looks for the Stadtteilkasse; a Kiezkasse it has not."""
    decide(odd_world, new, "Ufer")

    assert_on_its_way(odd_world, "SK26-MI01-P0001")
    told = "\n".join(everything(odd_world))
    for words in ("Stadtteilkasse SK26-MI01-P0001-F1", "Stadtteilkasse Seeufer", "Stadtteilkassenvorschlag"):
        assert words in told
    assert not re.search("kiezkasse", told, re.IGNORECASE)


@pytest.mark.parametrize("name", SHIPPED)
def test_the_shipped_examples_go_the_whole_way_when_they_are_put_to_use(odd_world: World, name: str) -> None:
    """They are off, so nothing else would notice that one of them cannot run."""
    placed = put_to_use(odd_world, name)
    decide(odd_world, placed, "Kiez 3")
    mark = f"{placed.process.reference_prefix}-LI03-P0001"

    assert_on_its_way(odd_world, mark)
    told = "\n".join(everything(odd_world))
    assert f"{placed.process.label} {mark}-F1" in told
    assert not re.search("kiezkasse", told, re.IGNORECASE)


@pytest.fixture
def decidim(odd_world: World, tmp_path: Path) -> Iterator[Site]:
    """The platform of the Bürgerhaushalt, with one proposal more that nobody has answered."""
    running = start("connectors.decidim.sandbox:create", tmp_path / "decidim", options=["extra=1"])
    account = {"login": KEY, "password": SECRET, "extra": {}}
    odd_world.connections["decidim-li-bhh"] = {"conn_type": "kb_decidim", "host": running.url, **account}
    yield Site(running)
    running.stop()


def test_a_buergerhaushalt_comes_from_decidim(odd_world: World, decidim: Site) -> None:
    """Proposal there, decision here, file, booking and answer: under the number and the words of the platform."""
    placed = put_to_use(odd_world, "bhh-li-2026")
    turn_answers_on(odd_world, "bhh-li-2026")
    odd_world.run("bhh-li-decidim")
    known = read_process_cases(odd_world.ledger, "bhh-li-2026").cases
    wanted = next(one for one in known if one.proposal and one.proposal.external_id == "9/103")
    decide(odd_world, placed, "Kiez 3", wanted.reference)
    mark = f"BH26-LI03-{wanted.reference.partition('-')[2]}"
    assert_on_its_way(odd_world, mark)
    odd_world.run("bhh-li-antworten")

    shown = decidim.proposal("103")
    assert shown["state"] == "accepted"
    assert "<p>Dafür vorgesehen: 850,00 €</p>" in shown["answer"]["de"]
    assert {head.reference: head.state for head in odd_world.messages("decidim-li-bhh")} == {
        f"{mark}-A1": MessageState.CONFIRMED
    }
    assert wanted.proposal
    told = "\n".join(everything(odd_world))
    assert wanted.proposal.title in told
    assert wanted.proposal.url in told
    of_the_platform = "kiezkasse-2026"  # the recorded process's address is theirs
    assert not re.search("kiezkasse", told.replace(of_the_platform, ""), re.IGNORECASE)


def test_people_of_a_buergerhaushalt_get_one_mail_for_every_change_that_decidim_mails(
    odd_world: World, decidim: Site
) -> None:
    """Decidim mails a changed status. The same again is not even written; another sum is shown and mails nobody."""
    placed = put_to_use(odd_world, "bhh-li-2026")
    turn_answers_on(odd_world, "bhh-li-2026")
    home = ("bhh-li-beschluesse", "bhh-li-hkr", "bhh-li-hkr-rueckmeldungen", "bhh-li-decidim", "bhh-li-antworten")

    def after(*lines: tuple[str, ...]) -> tuple[list[str], list[str]]:
        """Whose answer was written, and who was mailed, since the beginning: after a sheet with these lines, if any."""
        if lines:
            drop_decisions(placed, *(decision(placed, "Kiez 3", *words) for words in lines))
        odd_world.run(*home)
        return decidim.of_whom("answers"), decidim.of_whom("mails")

    odd_world.run("bhh-li-decidim")
    decide(odd_world, placed, "Kiez 3", "2026-00103")
    assert after(("2026-01001", "", "Warteliste")) == (["103", "1001"], ["103", "1001"])
    assert after() == (["103", "1001"], ["103", "1001"])

    corrected = ("2026-00103", "900,-", "angenommen", "Zahlendreher")
    assert after(corrected) == (["103", "1001", "103"], ["103", "1001"])
    assert "<p>Dafür vorgesehen: 900,00 €</p>" in decidim.proposal("103")["answer"]["de"]
    assert "850,00" not in decidim.proposal("103")["answer"]["de"]
    assert decidim.proposal("103")["cost"] == 900.0

    moved_up = ("2026-01001", "400,-", "angenommen", "Geld wurde frei")
    assert after(moved_up) == (["103", "1001", "103", "1001"], ["103", "1001", "1001"])
    assert after() == (["103", "1001", "103", "1001"], ["103", "1001", "1001"])
    assert decidim.proposal("1001")["state"] == "accepted"
    assert odd_world.orders() == [
        ("BH26-LI03-00103-F1", "FESTLEGUNG", "850.00"),
        ("BH26-LI03-00103-F2", "FESTLEGUNG_AENDERUNG", "900.00"),
        ("BH26-LI03-01001-F1", "FESTLEGUNG", "400.00"),
    ]
    assert [point.reason for point in odd_world.points() if point.case_id] == []


@pytest.mark.parametrize("name", SHIPPED)
def test_the_shipped_examples_cost_nothing_and_lack_only_connections(root: Path, call: Call, name: str) -> None:
    """No route of them is in use, so none becomes a DAG; what they say is right all the same."""
    said = call("process", "check", name, "--json")
    [found] = said.json

    assert (said.code, found["off"], found["errors"], found["open"]) == (0, True, [], [])
    assert found["routes"]
    assert not {place.name for place in route_places(root)} & set(found["routes"])


def put_to_use(world: World, process_id: str) -> Placed:
    """Fill in what is open, take the line away that keeps it off, create its connections and folders."""
    file = world.content / f"mappings/processes/{process_id}.yaml"
    text = re.sub(r"^  mode: off.*\n", "", file.read_text("utf-8"), flags=re.MULTILINE).replace("dry_run", "live")
    for key, words in FILLED.items():
        text = re.sub(rf"(\b{key}: )TODO [^}}\n]*", rf"\g<1>{words}", text)
    file.write_text(text, "utf-8")
    routes = read_yaml(file)["routes"]
    inbox, district = world.state / f"eingang-{routes['district']}", f"-{routes['district']}"
    for name in ("beschluesse", "budgets", "antraege", "nachweise"):
        (inbox / name).mkdir(parents=True)
    own = json.loads(json.dumps(world.connections).replace("/eingang/", f"/{inbox.name}/"))
    world.connections |= {f"{name.removesuffix('-tk')}{district}": one for name, one in own.items()}
    world.connect()
    return Placed(read_process(world.content, process_id), inbox, routes["prefix"])


def turn_answers_on(world: World, process_id: str) -> None:
    """As the district does: by the route's name, and with every text read by somebody."""
    file = world.content / f"mappings/processes/{process_id}.yaml"
    live = '  changes:\n    antworten: {mode: live, pace: {per_hour: 1000, quiet: ""}}\n'
    file.write_text(file.read_text("utf-8").replace("  changes:\n", live), "utf-8")
    for text in (world.content / "mappings/texts" / read_yaml(file)["texts"]).glob("*.yaml"):
        if "same_as" not in (words := text.read_text("utf-8")):
            text.write_text(f'{words}reviewed: {{by: "A. Muster", on: 2026-03-01}}\n', "utf-8")


def decide(world: World, placed: Placed, area: str, reference: str = "P-1") -> None:
    """A budget and one decision, through its routes."""
    budget = f"{placed.process.id};2026;{area};2.600,00 €;5950;97113;freigegeben;01.01.2026;;SPK 1"
    (placed.inbox / "budgets" / "liste.csv").write_text(f"{BUDGET_HEADER}\n{budget}\n", "utf-8-sig")
    drop_decisions(placed, decision(placed, area, reference))
    routes = ("budgets", "beschluesse", "eakte", "hkr", "eakte-postfach", "hkr-rueckmeldungen", "hkr")
    world.run(*(f"{placed.prefix}-{short}" for short in routes))


def decision(
    placed: Placed, area: str, reference: str, amount: str = "850,-", outcome: str = "angenommen", why: str = ""
) -> str:
    """One line of a decision sheet; `why` makes it a correction."""
    said = f"{placed.process.id};{area};24.04.2026;{reference};Bank am See;{outcome};{amount}"
    return f"{said};12;3;1;;;Protokoll 1;SPK 1;{'ja' if why else ''};{why}"


def drop_decisions(placed: Placed, *lines: str) -> None:
    """A clerk puts a decision sheet into the folder."""
    (placed.inbox / "beschluesse" / "liste.csv").write_text("\n".join((DECISION_HEADER, *lines, "")), "utf-8-sig")


def assert_on_its_way(world: World, mark: str) -> None:
    """Filed and booked once, and nothing about a case waits for a person."""
    states = {head.reference: head.state for head in world.messages()}
    assert states == {f"{mark}-E1": MessageState.CONFIRMED, f"{mark}-F1": MessageState.CONFIRMED}
    assert world.orders() == [(f"{mark}-F1", "FESTLEGUNG", "850.00")]
    assert world.filed() == ["850.00"]
    assert [point.reason for point in world.points() if point.case_id] == []


def everything(world: World) -> Iterator[str]:
    """All texts that have left the house: XML, words of PDFs, names of files – as sent, and as the others hold it."""
    with world.ledger.read() as connection:
        for payload in connection.execute(select(t.batches.c.payload)).scalars():
            yield from _texts(payload)
    for running in (world.sandboxes["xta"], world.sandboxes["hkr"]):
        for file in sorted(running.state.rglob("*")):
            if file.is_file() and file.suffix != ".log":
                yield file.name
                yield from _texts(file.read_bytes())
    yield json.dumps([world.received("xta"), world.received("hkr")], ensure_ascii=False)


def _texts(body: bytes) -> Iterator[str]:
    if zipfile.is_zipfile(io.BytesIO(body)):
        with zipfile.ZipFile(io.BytesIO(body)) as packed:
            for name in packed.namelist():
                yield name
                yield from _texts(packed.read(name))
    elif body.startswith(b"%PDF"):
        yield from pages_of(body)
    else:
        yield body.decode("utf-8", "replace")


def _commit(content: Path) -> None:
    if shutil.which("git") is None:
        pytest.skip("git is not installed")
    _git(content, "init", "--quiet")
    _git(content, "add", "--all")
    _git(content, "-c", "user.name=Test", "-c", "user.email=test@example.org", "commit", "--quiet", "-m", "as shipped")


def _git(content: Path, *words: str) -> str:
    return subprocess.run(["git", *words], cwd=content, check=True, capture_output=True, text=True).stdout
