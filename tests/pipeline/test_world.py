"""The whole way with real sandboxes: what the clerks decided is what the e-file and the budget system hold, once."""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import sqlite3
import zipfile
from collections import Counter
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from datetime import date
from decimal import Decimal
from pathlib import Path
from threading import Event
from typing import Any
from uuid import UUID

import pytest
from lxml import etree

from demo.expected import verdict
from kiezbruecke import attention, pipeline
from kiezbruecke.cases.join import join
from kiezbruecke.content.processes import read_process
from kiezbruecke.desk.sums import sums
from kiezbruecke.errors import ConfigurationError
from kiezbruecke.ledger import MessageState, claims, drafts
from kiezbruecke.ledger import tables as t
from kiezbruecke.ledger.drafts import add_baseline
from kiezbruecke.ledger.evidence import verify
from kiezbruecke.ledger.pauses import set_paused
from kiezbruecke.ledger.reading import find_case, read_process_cases
from kiezbruecke.ledger.reset import reset_destination
from kiezbruecke.ledger.todo import Point
from kiezbruecke.records.identity import case_id
from kiezbruecke.records.references import is_paper
from tests.builders import by
from tests.world import ROOT, SEND, World, budget, line

EXPECTED: dict[str, Any] = json.loads((ROOT / "demo/expected.json").read_text("utf-8"))
PLACES = [
    Path(place)
    for place in (os.environ.get("KIEZBRUECKE_OFFICIAL"), ROOT.parent / "shared/standards", ROOT / "var/schemas")
    if place
]
OFFICIAL = next((place for place in PLACES if (place / "xdomea/4.0.0").is_dir()), None)


# --- the demo's data


def test_the_e_file_holds_exactly_the_accepted_cases(demo: Any) -> None:
    """Once each, to the cent: `expected.json` was reckoned from the story, not with this software."""
    expected = sorted((str(_case(one)), one["amount"]) for one in EXPECTED["accepted"])

    assert sorted((one["object_uuid"], one["amount"]) for one in demo.world.received("xta")) == expected
    assert all(one["imported"] and not one["duplicate_of"] for one in demo.world.received("xta"))


def test_the_budget_system_holds_exactly_the_accepted_cases(demo: Any) -> None:
    """One Festlegung per accepted case, received once."""
    expected = Counter((one["area"], _middle(one["reference"]), one["amount"]) for one in EXPECTED["accepted"])
    orders = demo.world.received("hkr")
    taken = Counter((one["Unterkonto"], one["Fremdkennzeichen"].split("-")[2], one["Betrag"]) for one in orders)

    assert taken == expected
    assert {(one["Art"], one["received"], one["accepted"], one["answers"]) for one in orders} == {
        ("FESTLEGUNG", 1, 1, "FESTGELEGT")
    }


def test_the_demonstration_looks_into_the_sandboxes_itself(demo: Any, tmp_path: Path) -> None:
    """`make demo` must not believe the ledger alone: a lost message, a second one and a wrong sum are told."""
    ours = demo.world.ledger, ROOT, "kk-tk-2026"
    sandboxes = shutil.copytree(demo.world.sandboxes["xta"].state.parent, tmp_path / "sandbox")
    untouched = verdict(*ours, sandboxes).differences
    lost, twice, *_ = sorted(sandboxes.glob("xta/*/*.zip"))
    shutil.copytree(twice.parent, sandboxes / "xta" / "again")
    lost.unlink()
    with closing(sqlite3.connect(sandboxes / "hkr" / "books.sqlite3")) as books, books:
        books.execute("update commitments set cents = cents + 1 where reference = 'KK26-090416-00001-F1'")

    told = [line for line in verdict(*ours, sandboxes).differences if line not in untouched]

    unpaid = [line for line in untouched if re.search("ausgezahlt|zurückgekommen|erstattet", line)]
    assert (untouched, len(unpaid)) == (unpaid, 2 * (7 + 1 + 1))  # nobody releases here: what was not paid is told, too
    assert len(told) == 3
    assert "in der E-Akte nichts, erwartet" in told[0] + told[1]
    assert " € und " in told[0] + told[1]
    assert told[2] == "2026-00001 (090416): in den Büchern des HKR 850,01 €, erwartet 850,00 €"


def test_what_contradicts_is_set_aside_with_its_reason(demo: Any) -> None:
    """Each with an owner, and looked at again in every run."""
    process = read_process(ROOT, "kk-tk-2026")
    standings = join(process, read_process_cases(demo.world.ledger, process.id))
    aside = [(one.case.reference, why.reason) for one in standings for why in one.disagreements]

    assert sorted(aside) == sorted((one["reference"], one["reason_kind"]) for one in EXPECTED["set_aside"])
    assert [point.owner for point in demo.world.points()] == ["spk-tk"] * len(EXPECTED["set_aside"])


def test_both_sides_sums_are_equal(demo: Any) -> None:
    """Theirs come from HoleSalden, not from adding up our own receipts."""
    rows = {one.area: (one.ours, one.theirs) for one in sums(demo.world.house, "kk-tk-2026")}
    expected = {area: Decimal(amount) for area, amount in EXPECTED["sums"].items()}

    assert {area: both for area, both in rows.items() if both != (0, 0)} == {
        area: (euros, euros) for area, euros in expected.items()
    }


def test_a_second_round_sends_nothing(demo: Any) -> None:
    """Running twice sends once."""
    busy = {"new", "updated", "receipts", "gone", "prepared", "delivered", "set_aside", "in_doubt"}

    assert (len(demo.world.received("xta")), len(demo.world.received("hkr"))) == demo.after_first
    assert not [counts for counts in demo.second if any(counts.get(word) for word in busy)]


def test_everything_is_confirmed_and_nothing_is_left(demo: Any) -> None:
    """The answers came home."""
    states = Counter(head.state for head in demo.world.messages() if head.destination != "statusliste-tk")

    assert states == {MessageState.CONFIRMED: 2 * len(EXPECTED["accepted"])}
    assert not any(pipeline.outstanding(demo.world.house).values())


def test_the_evidence_holds(demo: Any) -> None:
    """Every chain adds up."""
    assert verify(demo.world.ledger).broken == ()


def test_the_status_list_names_every_case_once(demo: Any) -> None:
    """Also papers and what waits; unknown numbers stand there as `wird geklärt`."""
    lines = demo.world.status_list().splitlines()[1:]
    cases = read_process_cases(demo.world.ledger, "kk-tk-2026").cases

    assert len(lines) == len({tuple(one.split(";")[:2]) for one in lines}) == len(cases)


def test_the_status_list_is_written_only_when_something_changed(demo: Any) -> None:
    """A second list would make people look for the difference."""
    assert len(list((demo.world.state / "ausgang").glob("*.csv"))) == 1


@pytest.mark.official
@pytest.mark.parametrize("validator", ["lxml", "xmlschema"])
def test_every_message_is_officially_valid(demo: Any, validator: str) -> None:
    """Asked of two validators, because one may be lenient where the other is not."""
    if OFFICIAL is None:
        pytest.skip(f"no official schemas of xdomea 4.0.0 in {' or '.join(map(str, PLACES))}")
    documents = [_message(file) for file in (demo.world.sandboxes["xta"].state).glob("urn:*/*.zip")]
    check = _lxml(OFFICIAL) if validator == "lxml" else _xmlschema(OFFICIAL)

    assert len(documents) == len(EXPECTED["accepted"])
    assert [problem for document in documents for problem in check(document)] == []


# --- what happens later


def test_a_corrected_sum_changes_the_commitment(world: World) -> None:
    """The new total travels; the e-file's part becomes a point on the list."""
    _decided(world, line("P-1"), line("P-2", "1.000,00 €"))
    world.drop(line("P-1", "700,00 €", "angenommen (gekürzt)", why="Protokoll berichtigt"), name="korrektur.csv")
    world.run()

    assert world.orders()[-1] == ("KK26-090416-P0001-F2", "FESTLEGUNG_AENDERUNG", "700.00")
    assert [point.kind for point in world.points()] == ["follow_up"]
    assert len(world.filed()) == 2
    assert _ours(world) == _theirs(world) == Decimal(1700)


def test_a_decision_taken_back_frees_the_money(world: World) -> None:
    """Only their AUFGEHOBEN makes it free again."""
    _decided(world, line("P-1"), line("P-2", "1.000,00 €"))
    world.drop(line("P-1", "", "abgelehnt", why="Antrag zurückgenommen"), name="korrektur.csv")
    world.run()
    committed = {one.area: one.committed for one in sums(world.house, "kk-tk-2026")}

    assert world.orders()[-1][1] == "FESTLEGUNG_AUFHEBUNG"
    assert committed["090416"] == _ours(world) == _theirs(world) == Decimal(1000)
    assert "nicht mehr angenommen" in world.points("follow_up")[0].reason


def test_a_settled_follow_up_stays_settled(world: World) -> None:
    """The clerk has mended the file by hand."""
    _decided(world, line("P-1"))
    world.drop(line("P-1", "", "abgelehnt", why="Antrag zurückgenommen"), name="korrektur.csv")
    world.run()
    attention.decide(world.ledger, world.points("follow_up")[0], "erledigt", person=by("SPK 1"), reason="Vermerk")
    world.run()

    assert world.points() == []


def test_a_frozen_budget_holds_what_is_not_sent(world: World) -> None:
    """And lets be what is."""
    _decided(world, line("P-1"))
    world.drop_budget(budget(status="gesperrt", why="Haushaltssperre"), name="sperre.csv")
    world.drop(line("P-2", "100,00 €"), name="mai.csv")
    world.run()

    assert [reference for reference, _, _ in world.orders()] == ["KK26-090416-P0001-F1"]
    assert len(world.filed()) == 1
    assert any("nicht freigegeben" in point.reason for point in world.points())


def test_an_area_over_budget_waits_whole_and_heals(world: World) -> None:
    """A budget sheet with a reason is the way out."""
    world.drop(line("P-1", "2.000,00 €"), line("P-2", "1.000,00 €"))
    world.run()
    held = world.orders(), world.filed()
    world.drop_budget(budget("3.000,00 €", why="Aufstockung"), name="mehr.csv")
    world.run()

    assert held == ([], [])
    assert world.filed() == ["1000.00", "2000.00"]
    assert world.points() == []


def test_a_refused_commitment_goes_anew_when_a_person_says_so(world: World) -> None:
    """Under a new number; the refused one stays refused."""
    world.drop(line("P-1"))
    world.sandboxes["hkr"].arm("refuse_one")
    world.run()
    refused = world.points("refused")[0]
    world.run()
    quiet = world.orders()
    attention.decide(world.ledger, refused, "neu_senden", person=by("SPK 1"), reason="Titel war gesperrt")
    world.run()

    assert len(quiet) == 1
    assert [reference for reference, _, _ in world.orders()] == ["KK26-090416-P0001-F1", "KK26-090416-P0001-F2"]
    assert _ours(world) == _theirs(world) == Decimal(850)


@pytest.mark.parametrize(
    ("sandbox", "fault"),
    [(sandbox, fault) for sandbox in ("xta", "hkr") for fault in ("commit_then_lose", "lose_before_commit")],
)
def test_a_lost_answer_ends_in_one_copy(world: World, sandbox: str, fault: str) -> None:
    """Nobody knew; the destination was asked, or the same bytes went again with the same id."""
    world.drop(line("P-1"))
    world.run("kk-tk-budgets", "kk-tk-beschluesse")
    world.sandboxes[sandbox].arm(fault)
    for route in (*SEND, *SEND):
        _run_until_unreachable(world, route)

    assert world.filed() == ["850.00"]
    assert world.orders() == [("KK26-090416-P0001-F1", "FESTLEGUNG", "850.00")]
    assert [point.kind for point in world.points()] == []


@pytest.mark.parametrize(
    ("fault", "kind"),
    [("mixed_import", "contradiction"), ("other_process", "clearing"), ("odd_charset", "set_aside")],
)
def test_an_answer_that_does_not_say_one_thing_about_one_message_confirms_nothing(
    world: World, fault: str, kind: str
) -> None:
    """The e-file imported the message and not its object; it answered with another's ids; nobody can read it."""
    world.sandboxes["xta"].arm(fault)
    world.drop(line("P-1"), line("P-2", "100,-"))
    world.run("kk-tk-budgets", "kk-tk-beschluesse", "kk-tk-eakte", "kk-tk-eakte-postfach", "kk-tk-eakte-postfach")

    states = sorted(head.state for head in world.messages("eakte-tk"))
    assert states == [MessageState.CONFIRMED, MessageState.DELIVERED]
    [point] = [point for point in world.points() if point.kind != "warning"]
    assert point.kind == kind


def test_a_reset_destination_gets_everything_again(world: World) -> None:
    """Only after a person has said so."""
    _decided(world, line("P-1"))
    reset_destination(world.ledger, "eakte-tk", person=by("Betrieb 1"), reason="neu aufgebaut")
    world.run("kk-tk-eakte")

    assert [head.generation for head in world.messages("eakte-tk")] == [1, 2]


# --- modes


def test_a_dry_run_stores_previews_and_sends_nothing(odd_world: World) -> None:
    """The integrator looks at the bytes before anything leaves."""
    odd_world.route("kk-tk-eakte", mode="dry_run")
    odd_world.drop(line("P-1"))
    odd_world.run("kk-tk-budgets", "kk-tk-beschluesse")
    counts = odd_world.run("kk-tk-eakte", "kk-tk-eakte")

    assert [one["previewed"] for one in counts] == [1, 1]
    assert _previews(odd_world) == 1
    assert odd_world.filed() == []
    assert odd_world.messages() == []


def test_after_a_dry_run_the_live_route_sends(odd_world: World) -> None:
    """A preview has no identity, so nothing stands in the way."""
    odd_world.route("kk-tk-eakte", mode="dry_run")
    odd_world.drop(line("P-1"))
    odd_world.run("kk-tk-budgets", "kk-tk-beschluesse", "kk-tk-eakte")
    odd_world.route("kk-tk-eakte", mode="live")
    odd_world.run("kk-tk-eakte")

    assert odd_world.filed() == ["850.00"]


def test_a_route_that_is_off_does_nothing(odd_world: World) -> None:
    """Not even a preview."""
    odd_world.route("kk-tk-eakte", mode="off")
    odd_world.drop(line("P-1"))

    assert odd_world.run("kk-tk-budgets", "kk-tk-beschluesse", "kk-tk-eakte")[-1] == {}


def test_a_test_route_refuses_a_production_destination(odd_world: World) -> None:
    """A destination is production unless its connection says otherwise."""
    odd_world.route("kk-tk-eakte", environment="test")
    odd_world.drop(line("P-1"))
    odd_world.run("kk-tk-budgets", "kk-tk-beschluesse")

    with pytest.raises(ConfigurationError, match="a test route may not send to a production destination"):
        odd_world.run("kk-tk-eakte")
    assert odd_world.messages() == []


def test_a_test_says_so_in_the_message_and_around_it(odd_world: World) -> None:
    """XTA's TestMsg and xdomea's @test."""
    odd_world.route("kk-tk-eakte", environment="test")
    odd_world.connect(eakte_tk={"environment": "test"})
    odd_world.drop(line("P-1"))
    odd_world.run("kk-tk-budgets", "kk-tk-beschluesse", "kk-tk-eakte", "kk-tk-eakte")
    (taken,) = odd_world.received("xta")
    (file,) = odd_world.sandboxes["xta"].state.glob("urn:*/*.zip")

    assert taken["test"] is True
    assert _message(file).get("test")


def test_a_paused_route_waits(world: World) -> None:
    """And goes on where it stopped."""
    world.drop(line("P-1"))
    set_paused(world.ledger, "kk-tk-eakte", value=True, person=by("Betrieb 1"), reason="Wartung")
    world.run()
    waited = world.filed()
    set_paused(world.ledger, "kk-tk-eakte", value=False, person=by("Betrieb 1"), reason="fertig")
    world.run("kk-tk-eakte")

    assert waited == []
    assert world.filed() == ["850.00"]
    assert len(world.orders()) == 1


def test_a_broken_route_file_stops_nobody_else(odd_world: World) -> None:
    """One clear line for that one."""
    odd_world.route("kk-tk-hkr", dew="commitment")
    odd_world.drop(line("P-1"))
    odd_world.run("kk-tk-budgets", "kk-tk-beschluesse", "kk-tk-eakte")
    pipeline.housekeeping(odd_world.house)

    assert odd_world.filed() == ["850.00"]
    with pytest.raises(ConfigurationError, match=r"kk-tk-2026\.yaml:\d+:\d+: dew: "):
        odd_world.run("kk-tk-hkr")


def test_what_was_decided_before_the_go_live_line_is_not_sent(odd_world: World) -> None:
    """It was typed by hand."""
    odd_world.route("kk-tk-eakte", start_from=date(2026, 4, 25))
    odd_world.drop(line("P-1"))
    odd_world.run()

    assert odd_world.filed() == []
    assert len(odd_world.orders()) == 1


def test_a_baseline_case_is_not_sent(world: World) -> None:
    """A clerk has named it."""
    world.drop(line("P-1"), line("P-2"))
    world.run("kk-tk-budgets", "kk-tk-beschluesse")
    (first,) = find_case(world.ledger, "P-1")
    add_baseline(world.ledger, "hkr-tk|commitment|kk-tk-2026", [first.id], person=by("SPK 1"), reason="Altfall")
    world.run(*SEND)

    assert [reference for reference, _, _ in world.orders()] == ["KK26-090416-P0002-F1"]
    assert len(world.filed()) == 2


# --- bad input, bad luck


def test_a_sheet_with_a_wrong_header_fails_alone(world: World) -> None:
    """One line says which column is missing; the other sheet goes on."""
    wrong = "Verfahren;Region;Tag;Nr;Ergebnis"
    world.drop("kk-tk-2026;Müggelheim;24.04.2026;P-9;angenommen", header=wrong, name="a.csv")
    world.drop(line("P-1"), name="b.csv")
    world.run()

    assert world.filed() == ["850.00"]
    assert (world.inbox / "failed" / "a.csv").exists()
    assert [point.reason for point in world.points() if "a.csv" in point.reason]


def test_a_bad_line_is_set_aside_and_the_others_go_on(world: World) -> None:
    """The report beside the sheet names row and reason."""
    world.drop(line("P-1"), line("P-2", "achthundert"), line("P-3", "10,00 €", "vielleicht"), line("P-4", "20,00 €"))
    world.run()
    report = (world.inbox / "done" / "april.csv.bericht.csv").read_text("utf-8-sig")

    assert world.filed() == ["20.00", "850.00"]
    assert len(world.points("set_aside")) == 2
    assert "achthundert" not in " ".join(point.reason for point in world.points())
    assert report.count("P-") >= 2


def test_a_dead_destination_loses_nothing(world: World) -> None:
    """The route says so and tries again by itself; the others go on."""
    world.drop(line("P-1"))
    world.run("kk-tk-budgets", "kk-tk-beschluesse")
    alive = world.connections["eakte-tk"]["host"]
    world.connections["eakte-tk"]["host"] = "http://127.0.0.1:9"
    world.connect()
    refused = _run_until_unreachable(world, "kk-tk-eakte")
    world.run("kk-tk-hkr")
    world.connections["eakte-tk"]["host"] = alive
    world.connect()
    world.run("kk-tk-eakte")

    assert "destination eakte-tk" in refused
    assert len(world.orders()) == 1
    assert world.filed() == ["850.00"]


def test_an_older_run_that_wakes_up_sends_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two tries of one task can run at once after a scheduler's death."""
    world.drop(line("P-1"))
    world.run("kk-tk-budgets", "kk-tk-beschluesse")
    pipeline.prepare(world.house, "kk-tk-eakte")
    begin = claims.begin_sending

    def overtaken(*given: Any) -> list[UUID]:
        monkeypatch.setattr(claims, "begin_sending", begin)
        pipeline.deliver(world.house, "kk-tk-eakte")  # the newer run comes in between
        return begin(*given)

    monkeypatch.setattr(claims, "begin_sending", overtaken)
    counts = pipeline.deliver(world.house, "kk-tk-eakte")

    assert counts["overtaken"] == 1
    assert world.filed() == ["850.00"]


def test_an_overtaken_run_leaves_the_lane_to_the_newer_one(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """It went on with `deliver`, took the lane back, and the newer run ended in the middle of its sending."""
    world.drop(line("P-1"))
    world.run("kk-tk-budgets", "kk-tk-beschluesse")
    add, begin = drafts.add_messages, claims.begin_sending
    sending, older_ended = Event(), Event()

    def newer_comes(*given: Any) -> list[Point]:
        monkeypatch.setattr(drafts, "add_messages", add)
        newer.append(pool.submit(pipeline.run, world.house, "kk-tk-eakte"))
        assert sending.wait(30)
        return add(*given)

    def wait_for_the_older(*given: Any) -> list[UUID]:
        sending.set()
        assert older_ended.wait(30)
        return begin(*given)

    monkeypatch.setattr(drafts, "add_messages", newer_comes)
    monkeypatch.setattr(claims, "begin_sending", wait_for_the_older)
    newer: list[Future[pipeline.Counts]] = []
    with ThreadPoolExecutor(1) as pool:
        older = pipeline.run(world.house, "kk-tk-eakte")
        older_ended.set()
        counts = newer[0].result()

    assert older == {"overtaken": 1}
    assert (counts["delivered"], counts.get("overtaken")) == (1, None)
    assert world.filed() == ["850.00"]


# --- small tools


def _decided(world: World, *lines: str) -> None:
    world.drop(*lines)
    world.run()
    assert len(world.orders()) == len(lines)


def _run_until_unreachable(world: World, route: str) -> str:
    from kiezbruecke.errors import NotSent

    try:
        pipeline.run(world.house, route)
    except NotSent as error:
        return error.line()
    return ""


def _ours(world: World) -> Decimal:
    return sum((one.ours for one in sums(world.house, "kk-tk-2026")), Decimal())


def _theirs(world: World) -> Decimal:
    return sum((one.theirs or Decimal() for one in sums(world.house, "kk-tk-2026")), Decimal())


def _previews(world: World) -> int:
    with world.ledger.read() as connection:
        return len(connection.execute(t.previews.select()).all())


def _case(one: dict[str, str]) -> UUID:
    return case_id("kk-tk-2026", one["reference"], one["area"] if is_paper(one["reference"]) else "")


def _middle(reference: str) -> str:
    return f"P{int(reference[2:]):04d}" if is_paper(reference) else reference.partition("-")[2]


def _message(file: Path) -> etree._Element:
    with zipfile.ZipFile(io.BytesIO(file.read_bytes())) as packed:
        (name,) = [name for name in packed.namelist() if name.endswith(".xml")]
        return etree.fromstring(packed.read(name))


def _lxml(official: Path) -> Any:
    from kiezbruecke.standards import store

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KIEZBRUECKE_OFFICIAL", str(official))
        checker = store.validator(ROOT, "xdomea", "4.0.0", official=True)
    assert checker is not None
    return lambda document: checker.problems(etree.ElementTree(document))


def _xmlschema(official: Path) -> Any:
    import xmlschema

    folder = official / "xdomea/4.0.0"
    schema = xmlschema.XMLSchema(
        folder / "xdomea-Nachrichten-AbgabeDurchfuehren.xsd",
        allow="local",
        uri_mapper=lambda uri: str(folder / uri.rpartition("/")[2]) if "//xoev.de/" in uri else uri,
    )
    return lambda document: list(schema.iter_errors(document))
