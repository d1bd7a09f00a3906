"""The same money by file: the engine with a budget system that takes files and answers in files. Folder and SFTP."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest
from sqlalchemy import Connection

from kiezbruecke import clock, release
from kiezbruecke.ledger import evidence
from kiezbruecke.ledger.accounts import payees
from kiezbruecke.records import OrderState
from kiezbruecke.release import ActKind
from kiezbruecke.sandbox import Running, start
from tests.money.conftest import ANSWERS, CERTIFIER, CLAIM, COLLECT, ORDERER, PAY, TODAY, Till
from tests.money.test_whole_way import DAYS, _euros
from tests.world import IBAN, World, application, line, odd_world, settlement

__all__ = ["odd_world"]

BOUND, PAID, BACK = "KK26-090416-P0001-F1", "KK26-090416-P0001-Z1", "KK26-090416-P0001-R1"


@dataclass
class FileTill(Till):
    """The moves of a district whose budget system takes files."""

    files: Running

    def round(self) -> None:
        """A morning; the budget system looks into its folder after each transfer."""
        self.world.run(*COLLECT, "kk-tk-hkr")
        self.taken()
        self.world.run(ANSWERS, PAY, CLAIM)
        self.taken()
        self.world.run(ANSWERS)

    def release(self, route: str = PAY) -> int:
        """Two people look and sign; the vault says whose the accounts are."""
        for kind, act, approver in (
            (ActKind.CERTIFY, release.certify, CERTIFIER),
            (ActKind.ORDER, release.order, ORDERER),
        ):
            view = release.show(self.world.house, route, kind, holders=_holders)
            done = act(self.world.house, route, view.shown, approver, "geprüft", holders=_holders)
        return done

    def taken(self) -> dict[str, dict[str, Any]]:
        """Every order that arrived, and what they said of it."""
        with urlopen(f"{self.files.url}/_sandbox/received", timeout=10) as answer:
            return {one["reference"]: one for one in json.load(answer)}

    def post(self, what: str) -> None:
        """Their payment run, or what the bank gives back."""
        with urlopen(Request(f"{self.files.url}/_sandbox/{what}", method="POST"), timeout=10):
            pass


def _holders(connection: Connection, marks: Collection[str]) -> dict[str, str]:
    return {mark: one.holder for mark, one in payees(connection, marks).items()}


@pytest.fixture
def open_till(odd_world: World, tmp_path: Path) -> Iterator[Callable[[str, str], FileTill]]:
    """A district on the first of June whose routes to the budget system go by file."""
    running = start("connectors.hkr_file.sandbox:create", tmp_path / "hkr-datei", options=(f"today={TODAY}",))
    clock.say(TODAY)

    def open_one(over: str, layout: str) -> FileTill:
        end = "" if layout == "fixed" else f"-{layout}"
        _connect(odd_world, running, over, f"kiezbruecke-{layout}")
        odd_world.route("kk-tk-hkr", mapping=f"commitment-hkr-file{end}")
        odd_world.route(PAY, mapping=f"payment-hkr-file{end}")
        odd_world.route(CLAIM, mapping=f"payment-hkr-file{end}")
        odd_world.route(ANSWERS, mapping="hkr-file-rueckmeldung")
        odd_world.give_keys()
        odd_world.drop(line("P-1"))
        odd_world.apply_for(application(days=DAYS))
        return FileTill(odd_world, running)

    yield open_one
    clock.say(None)
    running.kill()
    assert evidence.verify(odd_world.ledger).broken == ()


def _connect(world: World, running: Running, over: str, profile: str) -> None:
    base = f"{running.state}/files/" if over == "folder" else "/"
    extra = {
        "profile": profile,
        "path": f"{base}eingang",
        "taken": f"{base}uebernommen",
        "answers": f"{base}rueckmeldungen",
        "dienststelle": "BA-TK",
    }
    server = json.loads((running.state / "sftp.json").read_text("utf-8"))
    account = {"host": "127.0.0.1", "port": server["port"], "login": "hkr", "password": "hkr"}
    if over == "sftp":
        extra["host_key"] = server["host_key"]
    world.connections["hkr-tk"] = {"conn_type": "kb_hkr_file", **(account if over == "sftp" else {}), "extra": extra}
    world.connect()


@pytest.mark.parametrize(("over", "layout"), [("folder", "fixed"), ("sftp", "csv")])
def test_a_grant_is_paid_and_settled_by_file(open_till: Callable[[str, str], FileTill], over: str, layout: str) -> None:
    """850 granted, signed by two people, paid; 812.40 proven, 37.60 come back – all of it told by answer files."""
    till = open_till(over, layout)
    till.round()
    assert till.orders() == {PAID: OrderState.ORDERED}
    assert set(till.taken()) == {BOUND}

    assert till.release() == 1
    till.round()
    assert till.orders() == {PAID: OrderState.BOOKED}
    till.post("pay")
    till.round()
    assert till.orders() == {PAID: OrderState.PAID}
    assert till.balance() == _euros("1750", "0", "850", "0")

    till.world.settle(settlement(day="28.05.2026"))
    till.round()
    assert till.release(CLAIM) == 1
    till.round()
    till.post("pay")
    till.round()
    assert till.orders()[BACK] is OrderState.RECEIVED
    assert till.balance() == _euros("1787.60", "0", "850", "37.60")
    assert {one: (told["cents"], told["times"]) for one, told in till.taken().items()} == {
        BOUND: (85000, 1),
        PAID: (85000, 1),
        BACK: (3760, 1),
    }


def test_a_payment_that_comes_back_is_heard_from_a_file(open_till: Callable[[str, str], FileTill]) -> None:
    """Days later; nothing is paid again by itself."""
    till = open_till("folder", "fixed")
    till.round()
    till.release()
    till.round()
    till.post("pay")
    till.post(f"bounce/{PAID}")
    for _ in range(2):
        till.round()

    assert till.orders() == {PAID: OrderState.BOUNCED}
    assert till.balance() == _euros("1750", "850", "0", "0")


@pytest.mark.parametrize("fault", ["cut_in_write", "cut_before_rename", "cut_after_rename", "cut_after_marker"])
def test_a_line_that_is_cut_pays_nobody_twice(open_till: Callable[[str, str], FileTill], fault: str) -> None:
    """The engine asks the folder, and sends the same bytes again or not at all."""
    till = open_till("sftp", "fixed")
    till.round()
    till.release()
    till.files.arm(fault)
    for _ in range(3):
        with suppress(Exception):  # a run may fail; the next one must know better
            till.world.run(PAY)
    till.round()

    assert till.orders() == {PAID: OrderState.BOOKED}
    assert till.taken()[PAID]["times"] == 1


def test_the_account_stands_in_their_file_and_in_none_of_our_lists(open_till: Callable[[str, str], FileTill]) -> None:
    """The bytes that hold it are sealed at rest, and what the sandbox tells names nobody."""
    till = open_till("folder", "fixed")
    till.round()
    till.release()
    till.round()
    [file] = [
        one for one in (till.files.state / "files" / "uebernommen").glob("*.txt") if IBAN.encode() in one.read_bytes()
    ]

    assert b"erika" in file.read_bytes()
    assert b"bert" in file.read_bytes()
    assert IBAN not in json.dumps(till.taken())
    assert not [one for one in till.world.state.glob("*.sqlite*") if IBAN.encode() in one.read_bytes()]
