"""What people are told: which case, why, who, what is stopped by whom – and what heals leaves the list."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from kiezbruecke.ledger import begin_run, end_run
from kiezbruecke.ledger import tables as t
from kiezbruecke.person import account
from tests.world import World, line, wipe

Call = Any
WHO = ("--name", "SPK 1", "--reason", "Vermerk vom 4. Mai")


def test_every_line_names_its_case_and_its_message(call: Call, asked: World) -> None:
    """Twenty lines of one kind are of no use to anybody who does not know which is which."""
    (refused,) = [one for one in call("todo", "list", "--json").json if one["kind"] == "refused"]

    assert refused["reason"].startswith("P-2 (KK26-090416-P0002-F1): Das HKR hat die Nachricht abgewiesen")
    assert "P-2 (KK26-090416-P0002-F1): Das HKR" in call("todo", "list").out


def test_the_reason_is_shown_in_their_own_words(call: Call, asked: World) -> None:
    """Our list says that they refused; why is in their text, and whoever must act reads it."""
    (refused,) = [one for one in call("todo", "list", "--json").json if one["kind"] == "refused"]
    shown = call("todo", "show", str(refused["id"]))

    assert "Wortlaut der Antwort: „Bei der Buchung zurückgewiesen“" in shown.out
    assert call("todo", "show", str(refused["id"]), "--json").json["their_words"] == ["Bei der Buchung zurückgewiesen"]


def test_a_refusal_in_the_answer_to_the_call_keeps_its_reason(call: Call, world: World) -> None:
    """What they say at once comes in no letter."""
    world.drop(line("P-1"))
    world.sandboxes["hkr"].arm("reject_line")
    world.run()
    (point,) = [one for one in call("todo", "list", "--json").json if one["kind"] == "refused"]

    assert call("todo", "show", str(point["id"]), "--json").json["their_words"]


def test_a_receipt_of_nobody_says_what_it_names(call: Call, world: World) -> None:
    """An answer that belongs to nothing can be asked after only with its number."""
    world.drop(line("P-1"))
    world.sandboxes["hkr"].arm("unknown_ack")
    world.run()
    (point,) = [one for one in call("todo", "list", "--json").json if one["kind"] == "clearing"]

    assert "(FESTGELEGT, zu XX99-000000-00000-F1, dort " in point["reason"]


def test_the_list_can_be_narrowed_to_an_owner(call: Call, asked: World) -> None:
    """Each office its own."""
    owners = {one["owner"] for one in call("todo", "list", "--json").json}
    (first, *_) = sorted(owners)
    found = call("todo", "list", "--owner", first[:5].upper(), "--json").json

    assert {one["owner"] for one in found} >= {first}
    assert call("todo", "list", "--owner", "niemand", "--json").json == []
    assert "nichts für „niemand“" in call("todo", "list", "--owner", "niemand").out


@pytest.mark.parametrize("step", ["deliver", "prepare"])
def test_status_never_says_that_nobody_is_needed_while_a_route_fails(call: Call, world: World, step: str) -> None:
    """A later step that went well proves nothing about the one that did not."""
    for name, error in ((step, "KB-301 destination eakte-tk: not reached"), ("reconcile", ""), ("housekeeping", "")):
        end_run(world.ledger, begin_run(world.ledger, "lane", "kk-tk-eakte", name), {}, error)
    said = call("status")

    assert said.code == 1
    assert "Niemand wird gebraucht" not in said.out
    assert "kk-tk-eakte ist zuletzt gescheitert (Schritt: " in said.out
    assert "Wer handelt: " in said.out
    end_run(world.ledger, begin_run(world.ledger, "lane", "kk-tk-eakte", step), {})
    assert "Niemand wird gebraucht." in call("status").out


def test_status_names_who_looks_after_a_route(call: Call, asked: World) -> None:
    """In every line."""
    routes = call("status", "--json").json["routes"]

    assert all(one["owner"] for one in routes)


def test_a_paused_route_says_by_whom_and_why(call: Call, world: World) -> None:
    """Whoever comes back from a holiday finds it."""
    call("route", "pause", "kk-tk-eakte", *WHO)
    said = call("status")

    assert "kk-tk-eakte ist angehalten seit " in said.out
    assert (
        f"von SPK 1 (Anmeldung: {account()}): Vermerk vom 4. Mai. Es ist nichts geschehen."
        in call("run", "kk-tk-eakte").out
    )
    assert f", von SPK 1 (Anmeldung: {account()}): Vermerk vom 4. Mai" in said.out
    assert said.code == 0


def test_a_route_that_goes_on_while_its_destination_rests_says_so(call: Call, world: World) -> None:
    """It said that it went on, and nothing moved: what goes on is another command."""
    call("destination", "pause", "eakte-tk", *WHO)
    call("route", "pause", "kk-tk-eakte", *WHO)
    said = call("route", "pause", "kk-tk-eakte", *WHO, "--resume")
    status = call("status")
    call("destination", "resume", "eakte-tk", *WHO)

    for one in (said, status):
        assert "kk-tk-eakte ruht, denn eakte-tk ist angehalten" in one.out
        assert "kiezbruecke destination resume eakte-tk" in one.out
    assert "läuft weiter" not in said.out
    assert call("route", "pause", "kk-tk-eakte", *WHO, "--resume").out == "kk-tk-eakte: läuft weiter.\n"


def test_a_case_is_found_with_the_name_of_its_area(call: Call, world: World) -> None:
    """Every area has a P-1."""
    world.drop(line("P-1"), line("2026-00004", area="Grünau"))
    world.run("kk-tk-beschluesse")

    found = {one["reference"]: one["area_name"] for one in call("case", "find", "Bank am See", "--json").json}
    assert found == {"P-1": "Müggelheim", "2026-00004": "Grünau"}
    assert "Grünau" in call("case", "find", "Bank am See").out


def test_a_point_says_whether_a_route_or_the_process_put_it_there(call: Call, world: World) -> None:
    """`kk-tk-2026` is no route."""
    world.drop(line("P-1", "achthundert"), line("P-2", "", "angenommen"))
    world.run("kk-tk-beschluesse", "kk-tk-eakte")
    shown = {one["route"]: call("todo", "show", str(one["id"])).out for one in call("todo", "list", "--json").json}

    assert "Strecke" in shown["kk-tk-beschluesse"]
    assert "Verfahren" in shown["kk-tk-2026"]
    assert "Strecke" not in shown["kk-tk-2026"]


def test_a_paused_destination_gets_nothing_and_is_asked_nothing(call: Call, world: World) -> None:
    """All its routes rest, the others go on; afterwards everything that waited goes."""
    world.drop(line("P-1"))
    paused = call("destination", "pause", "eakte-tk", *WHO)
    world.run()
    during = (world.filed(), len(world.orders()), call("status").out)
    shown = call("destination", "show", "eakte-tk", "--json").json
    call("destination", "resume", "eakte-tk", *WHO)
    world.run()

    assert paused.code == 0
    assert during[:2] == ([], 1)
    assert "kk-tk-eakte ruht, denn eakte-tk ist angehalten" in during[2]
    assert "kk-tk-eakte-postfach ruht" in during[2]
    assert (shown["paused_by"], shown["paused_because"]) == ("SPK 1", "Vermerk vom 4. Mai")
    assert world.filed() == ["850.00"]


@pytest.mark.parametrize("part", ["P-1", "p-1", "bank am", "SEE", "p0001-f", "090416-P0001"])
def test_a_case_is_found_by_a_part_of_what_it_is_called(call: Call, asked: World, part: str) -> None:
    """Whoever calls knows half a title."""
    assert "P-1" in [one["reference"] for one in call("case", "find", part, "--json").json]


def test_umlauts_are_found_in_any_case(call: Call, world: World) -> None:
    """SQLite makes only ASCII letters small."""
    world.drop(line("P-1").replace("Bank am See", "ÖFFENTLICHE Grünfläche 100 %"))
    world.run("kk-tk-beschluesse")

    parts = ("öffentliche", "GRÜNF", "100 %", "%%", "__")
    assert [len(call("case", "find", part, "--json").json) for part in parts] == [1, 1, 1, 0, 0]
    assert call("case", "find", "x").code == 2


def test_a_line_that_a_later_sheet_says_right_leaves_the_list(call: Call, world: World) -> None:
    """Corrected is corrected: nobody settles by hand what a new sheet has settled."""
    world.drop(line("P-1", "achthundert"), line("2026-00004", "neunhundert"), line("P-2", "tausend"))
    world.run("kk-tk-beschluesse")
    before = len(world.points("set_aside"))
    world.drop(line("P-1"), line("2026-00004"), line("P-2", area="Grünau"), name="neu.csv")
    world.run("kk-tk-beschluesse", "kk-tk-beschluesse")

    assert before == 3
    assert [(one.answer, one.answered_by) for one in _closed(world)] == [("mended", "")] * 2


def test_a_copy_of_a_corrected_sheet_puts_nothing_back_on_the_list(world: World) -> None:
    """Somebody finds the old file again and drops it under another name."""
    faulty = (line("P-1", "achthundert"), line("2026-00004", "neunhundert"))
    world.drop(*faulty)
    world.run("kk-tk-beschluesse")
    world.drop(line("P-1"), line("2026-00004"), name="neu.csv")
    world.run("kk-tk-beschluesse")
    world.drop(*faulty, name="april (2).csv")
    world.run("kk-tk-beschluesse", "kk-tk-beschluesse")

    assert world.points("set_aside") == []


def test_a_file_that_could_not_be_read_leaves_the_list_with_its_successor(world: World) -> None:
    """Under the same name."""
    (world.inbox / "april.csv").write_bytes(b"")
    world.run("kk-tk-beschluesse")
    before = len(world.points("set_aside"))
    world.drop(line("P-1"), name="april.csv")
    world.run("kk-tk-beschluesse")

    assert (before, len(world.points("set_aside"))) == (1, 0)


def test_another_line_of_the_same_sheet_mends_nothing(world: World) -> None:
    """Two lines about one case in one sheet contradict each other."""
    world.drop(line("P-1", "achthundert"), line("P-1"))
    world.run("kk-tk-beschluesse")

    assert len(world.points("set_aside")) == 1


def test_a_refusal_leaves_the_list_when_nothing_is_granted_any_more(world: World) -> None:
    """Sending it anew would send nothing."""
    world.drop(line("P-1"))
    world.sandboxes["hkr"].arm("refuse_one")
    world.run()
    before = len(world.points("refused"))
    world.drop(line("P-1", "", "abgelehnt", why="Sitzung wiederholt"), name="neu.csv")
    world.run()

    assert (before, world.points("refused")) == (1, [])


def test_a_message_goes_once_more_with_the_same_bytes_where_it_is_not_there(call: Call, world: World) -> None:
    """The budget system lost it; its bytes and its id are the same, and it is no second one."""
    world.drop(line("P-1"))
    world.run("kk-tk-budgets", "kk-tk-beschluesse", "kk-tk-hkr")
    (before,) = world.messages("hkr-tk")
    wipe(world.sandboxes)
    said = call("message", "resend", before.reference, *WHO)
    world.run("kk-tk-hkr")
    (after,) = world.messages("hkr-tk")
    steps = call("message", "show", before.reference, "--json").json["steps"]

    assert said.code == 0, said.err
    assert (after.key, after.sha256, after.batch_id) == (before.key, before.sha256, before.batch_id)
    assert world.orders() == [(before.reference, "FESTLEGUNG", "850.00")]
    assert any(f"von SPK 1 (Anmeldung: {account()}): Vermerk vom 4. Mai" in step["note"] for step in steps)


def test_a_message_that_is_there_does_not_go_again(call: Call, world: World) -> None:
    """Asked first; refused with the reason, and the route is not said to have failed."""
    world.drop(line("P-1"))
    world.run("kk-tk-budgets", "kk-tk-beschluesse", "kk-tk-eakte")
    (head,) = world.messages("eakte-tk")
    said = call("message", "resend", head.reference, *WHO)

    assert said.code == 2
    assert "Das Ziel hat sie" in said.err
    assert "Es geht nichts hinaus" in said.err
    assert "gescheitert" not in call("status").out


@pytest.mark.parametrize(
    ("reference", "says"),
    [("KK26-090416-P0001-F1", "Sie ist bestätigt"), ("KK26-090416-P0002-F1", "nur über die Zu-tun-Liste")],
)
def test_a_message_with_a_last_word_does_not_go_again(call: Call, asked: World, reference: str, says: str) -> None:
    """What would a second one change?"""
    said = call("message", "resend", reference, *WHO)

    assert said.code == 2
    assert says in said.err


def _closed(world: World) -> list[Any]:
    a = t.attention.c
    with world.ledger.read() as connection:
        return list(connection.execute(select(a.answer, a.answered_by).where(a.closed_at.is_not(None))).all())
