"""mein.berlin as a place for answers: one mail for every real change, and nothing of anybody else's is lost."""

from __future__ import annotations

import json
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import pytest
import requests

from connectors.meinberlin._recorded import recorded_state
from connectors.meinberlin.target import MeinBerlinTarget
from kiezbruecke.connector import CannotTell, Connection, Context, Found, Message, NotThere
from kiezbruecke.errors import NotSent, Rejected
from kiezbruecke.records import ReceiptOutcome
from kiezbruecke.sandbox.faults import Faults
from kiezbruecke.testing import Stand, check_target, sample_message
from kiezbruecke.testing.stand import Counterpart

from .conftest import FRIEDRICHSHAGEN, MODERATOR, PASSWORD, Place, process_of

BEFORE: dict[str, Any] = {"lines": []}
OURS = "<p>wird umgesetzt – bewilligt: 850,00 €</p>"


def answer(
    pk: int = 2,
    status: str = "ACCEPTED",
    *lines: str,
    before: dict[str, Any] | None = None,
    kind: str = "budgeting",
    year: int = 2026,
    **more: Any,
) -> Message:
    """A message as the mapping writes it."""
    body = {
        "external_id": str(pk),
        "reference": f"{year}-{pk:05d}",
        "page": f"https://mein.berlin.de/{kind}/{year}-{pk:05d}/",
        "status": status,
        "lines": list(lines or ("wird umgesetzt – bewilligt: 850,00 €",)),
        "remark": "Zeichen KK26-1-A1",
        "before": before or {"status": "REJECTED", "lines": []},
        **more,
    }
    payload = json.dumps(body, ensure_ascii=False).encode()
    sample = sample_message(pk, "status.write")
    return Message(**{**vars(sample), "key": uuid5(NAMESPACE_URL, payload.decode()), "payload": payload})


def row_of(url: str, pk: int) -> dict[str, Any]:
    """A proposal as the platform has it."""
    rows = requests.get(f"{url}/_sandbox/proposals", timeout=10).json()
    return next(dict(one) for one in rows if one["pk"] == pk)


def mails_of(url: str, pk: int) -> list[dict[str, Any]]:
    """The mails that a citizen got about a proposal."""
    return [mail for mail in requests.get(f"{url}/_sandbox/mails", timeout=10).json() if mail["pk"] == pk]


def _copies(counterpart: Counterpart, message: Message) -> int:
    """A mail is the effect."""
    body = json.loads(message.payload)
    mails = mails_of(counterpart.connection.host, int(body["external_id"]))
    return sum(mail["text"].endswith(f"<p>{body['lines'][-1]}</p>") for mail in mails)


def _numbered(number: int) -> Message:
    """One proposal after the other of those that have somebody to write to."""
    pk, status = TOLD[number]
    return answer(pk, "QUALIFIED", f"Warteliste {number}", before={"status": status, "lines": []})


TOLD = [
    (row["pk"], row["moderator_status"] or "")
    for row in recorded_state()["proposals"]
    if row["module"] == 1 and row["contact_email"]
]


_Promises = check_target(
    Stand("meinberlin", process_of(FRIEDRICHSHAGEN), account=(MODERATOR, PASSWORD)),
    message=_numbered,
    copies=_copies,
    lost=("moderate_lost", "moderate_elsewhere"),
    not_taken=("moderate_not_taken", "moderate_server_error"),
)


class TestTarget(_Promises):  # type: ignore[misc, valid-type]
    """What the engine relies on when it sends."""

    def test_silence_after_the_request_is_doubt_and_ends_with_the_patience(self, counterpart: Counterpart) -> None:
        """Here silence at first is certain: the target reads before it writes, and has not written yet."""
        with pytest.raises(AssertionError):
            super().test_silence_after_the_request_is_doubt_and_ends_with_the_patience(counterpart)


@pytest.fixture
def target(place: Place) -> MeinBerlinTarget:
    """A client with a moderator's account."""
    return open_target(place)


def open_target(place: Place, login: str = MODERATOR, **extra: Any) -> MeinBerlinTarget:
    """As the engine opens it."""
    connection = Connection("meinberlin-test", "kb_meinberlin", place.url, None, "", login, PASSWORD, extra)
    return MeinBerlinTarget(connection, Context(process_of(FRIEDRICHSHAGEN)))


def arm(place: Place, fault: str, times: int = 1) -> None:
    """Something goes wrong at the platform."""
    Faults(place.running.state / "faults.json", (fault,)).arm(fault, times)


def write(target: MeinBerlinTarget, message: Message) -> ReceiptOutcome:
    """Send it."""
    return target.send(message, None).outcome


def test_everything_of_others_survives(place: Place, target: MeinBerlinTarget) -> None:
    """The form is a full replacement: archive flag, tasks, note and the moderators' own words go back as they were."""
    theirs = "<p>Danke für Ihre Idee! &amp; viel Erfolg</p>\n<ul><li>Punkt</li></ul>"
    place.put(
        {"pk": 2, "is_archived": True, "completed_tasks": [1, 3], "remark": "Rückruf\nAz. 7", "feedback": theirs,
         "moderator_status": "CONSIDERATION", "contact_email": "a@example.org"}
    )  # fmt: skip
    write(target, answer(before={"status": "CONSIDERATION", "lines": []}))
    row = row_of(place.url, 2)

    assert (row["is_archived"], row["completed_tasks"]) == (True, [1, 3])
    assert row["remark"] == "Rückruf\nAz. 7\nKiezbrücke: Zeichen KK26-1-A1"
    assert (row["feedback"], row["moderator_status"]) == (theirs + OURS, "ACCEPTED")
    assert len(mails_of(place.url, 2)) == 1


def test_what_stands_there_already_is_not_written(place: Place, target: MeinBerlinTarget) -> None:
    """Every POST sets `modified`, and one with other entities mails: so none is sent."""
    write(target, answer())
    before = row_of(place.url, 2)
    again = write(open_target(place), answer())

    assert again is ReceiptOutcome.CONFIRMED
    assert row_of(place.url, 2) == before
    assert sum(one.startswith("POST /budgeting") for one in place.asked()[-6:]) == 1


def test_our_old_words_give_way_to_the_new_ones(place: Place, target: MeinBerlinTarget) -> None:
    """What a moderator wrote beside them stays, before and behind; the note keeps one line of ours."""
    write(target, answer(2, "QUALIFIED", "Warteliste", "Zeile 2", before={"status": "REJECTED", "lines": []}))
    stands = row_of(place.url, 2)["feedback"]
    place.put({"pk": 2, "feedback": f"<p>Vorher</p>\n{stands}\n<p>Nachher</p>"})
    before = {"status": "QUALIFIED", "lines": ["Warteliste", "Zeile 2"]}
    write(target, answer(2, "ACCEPTED", "bewilligt", before=before, remark="Zeichen A2"))
    row = row_of(place.url, 2)

    assert row["feedback"].replace("\n", "").startswith("<p>")
    assert "<p>Vorher</p>\n" in row["feedback"]
    assert row["feedback"].endswith("<p>bewilligt</p>\n<p>Nachher</p>")
    assert "Warteliste" not in row["feedback"]
    assert row["remark"].splitlines()[-1] == "Kiezbrücke: Zeichen A2"
    assert row["remark"].count("Kiezbrücke:") == 1


@pytest.mark.parametrize(
    "theirs",
    [
        {"moderator_status": "CONSIDERATION"},
        {"feedback": "<p>wird umgesetzt – bewilligt: 800,00 €</p>"},
        {"feedback": ""},
        {"feedback": "<p>Von der Moderation.</p><p>wird <strong>umgesetzt</strong> – bewilligt: 850,00 €</p>"},
    ],
    ids=["status", "sum", "removed", "bold"],
)
def test_a_moderators_edit_wins(place: Place, target: MeinBerlinTarget, theirs: dict[str, Any]) -> None:
    """Somebody has changed what we wrote: nothing is written, nobody gets a mail, a person is told."""
    first = answer(2, "QUALIFIED", "wird umgesetzt – bewilligt: 850,00 €", before={"status": "REJECTED", "lines": []})
    write(target, first)
    place.put({"pk": 2, "contact_email": "a@example.org", **theirs})
    row, mails = row_of(place.url, 2), mails_of(place.url, 2)
    said = json.loads(first.payload)
    with pytest.raises(Rejected) as refused:
        write(target, answer(2, "ACCEPTED", "anders", before={"status": said["status"], "lines": said["lines"]}))

    assert refused.value.receipt_code == "MODERATED"
    assert row_of(place.url, 2) == row
    assert mails_of(place.url, 2) == mails


def test_a_colleague_who_saved_the_form_unchanged_has_changed_nothing(place: Place, target: MeinBerlinTarget) -> None:
    """The platform's editor writes a break between paragraphs and an entity for a blank; the words are ours still."""
    write(target, answer(2, "QUALIFIED", "Zeile 1", "Zeile 2", before={"status": "REJECTED", "lines": []}))
    stands = row_of(place.url, 2)["feedback"].replace("</p><p>", "</p>\n<p>").replace("Zeile 2", "Zeile&nbsp;2")
    place.put({"pk": 2, "feedback": stands})
    write(target, answer(2, "ACCEPTED", "neu", before={"status": "QUALIFIED", "lines": ["Zeile 1", "Zeile 2"]}))

    assert row_of(place.url, 2)["feedback"].endswith("<p>neu</p>")
    assert "Zeile" not in row_of(place.url, 2)["feedback"]


@pytest.mark.parametrize(
    "line",
    [
        "Müller & Söhne < 500 € > 3",
        "🎉 مرحبا שלום",
        "&amp; ist kein Und, &lt;b&gt; kein Fett",
        "<script>alert(1)</script>",
        "x" * 2000,
        "„Zitat“ 'ein' \"anderes\"",
    ],
    ids=["entities", "emoji", "escaped", "tags", "long", "quotes"],
)
def test_odd_signs_stand_there_as_they_are_and_mail_once(place: Place, target: MeinBerlinTarget, line: str) -> None:
    """Text as it is stored: the platform compares bytes, and mails for an entity."""
    message = answer(2, "ACCEPTED", *[line] * 5)
    outcomes = [write(open_target(place), message) for _ in range(3)]

    assert set(outcomes) == {ReceiptOutcome.CONFIRMED}
    assert len(mails_of(place.url, 2)) == 1
    assert isinstance(target.look_up(message, None), Found)


def test_the_legacy_form_has_no_note(place: Place, target: MeinBerlinTarget) -> None:
    """Status and text are all that it knows."""
    write(target, answer(61, "ACCEPTED", kind="kiezkasse", year=2023, before={"status": "", "lines": []}))

    assert row_of(place.url, 61)["moderator_status"] == "ACCEPTED"
    assert row_of(place.url, 61)["remark"] == ""
    assert len(mails_of(place.url, 61)) == 1


@pytest.mark.parametrize(
    "fault",
    [
        "moderate_down",
        "moderate_unknown_field",
        "moderate_not_allowed",
        "moderate_session_gone",
        "moderate_token_old",
        "login_down",
        "login_locked",
        "login_back",
    ],
)
def test_what_fails_before_anything_is_stored_is_certain(place: Place, fault: str) -> None:
    """NotSent: it waits and goes again; nothing changed, nobody got a mail."""
    row = row_of(place.url, 2)
    arm(place, fault)
    with pytest.raises(NotSent):
        write(open_target(place), answer())

    assert row_of(place.url, 2) == row
    assert mails_of(place.url, 2) == []


def test_the_account_is_tried_once_in_a_run(place: Place) -> None:
    """Five wrong log-ins of anybody lock it."""
    target, before = open_target(place, login="falsch@example.org"), len(place.asked())
    for _ in range(3):
        with pytest.raises(NotSent):
            write(target, answer())
    asked = place.asked()[before:]

    assert sum(one == "POST /accounts/login/" for one in asked) == 1


@pytest.mark.parametrize(
    ("message", "code"),
    [
        (answer(99999), "GONE"),
        (answer(2, "BEWILLIGT"), "NOT_TAKEN"),
        (answer(2, page="https://mein.berlin.de/budgeting/2026-00003/"), "NOT_TAKEN"),
        (answer(2, year=1999), "GONE"),
        (answer(2, "ACCEPTED", *["x" * 2000] * 1500), "NOT_TAKEN"),
    ],
    ids=["deleted", "unknown status", "page of another", "wrong year", "too large"],
)
def test_what_can_never_be_taken_is_refused(place: Place, message: Message, code: str) -> None:
    """A person decides; nothing is written."""
    before = place.running.state.joinpath("platform.json").read_bytes()
    with pytest.raises(Rejected) as refused:
        write(open_target(place), message)

    assert refused.value.receipt_code == code
    assert place.running.state.joinpath("platform.json").read_bytes() == before


def test_an_answer_that_is_lost_is_found_again(place: Place, target: MeinBerlinTarget) -> None:
    """It was stored and mailed; what stands there is the proof, and nothing is written again."""
    arm(place, "moderate_lost")
    message = answer()
    with pytest.raises(Exception) as doubt:  # noqa: PT011 - whatever it is, it must not claim to know
        write(target, message)
    found = open_target(place).look_up(message, None)

    assert not isinstance(doubt.value, NotSent | Rejected)
    assert isinstance(found, Found)
    assert found.receipt.outcome is ReceiptOutcome.CONFIRMED
    assert len(mails_of(place.url, 2)) == 1


def test_what_was_changed_before_we_could_ask_is_not_written_over(place: Place) -> None:
    """The answer to our POST is lost, a colleague changes our words, then we ask: no second mail, theirs stay."""
    place.put({"pk": 2, "contact_email": "a@example.org"})
    arm(place, "moderate_lost")
    with pytest.raises(Exception):  # noqa: B017, PT011 - doubt
        write(open_target(place), answer())
    place.put({"pk": 2, "feedback": "<p>Von der Moderation.</p>"})
    asked = open_target(place).look_up(answer(), None)
    with pytest.raises(Rejected) as refused:
        write(open_target(place), answer())

    assert isinstance(asked, CannotTell)
    assert refused.value.receipt_code == "MODERATED"
    assert row_of(place.url, 2)["feedback"] == "<p>Von der Moderation.</p>"
    assert len(mails_of(place.url, 2)) == 1


def test_a_question_that_nobody_answers_tells_nothing(place: Place) -> None:
    """A form that cannot be read proves nothing about what stands in it."""
    arm(place, "moderate_down", 2)

    assert isinstance(open_target(place).look_up(answer(), None), CannotTell)
    assert isinstance(open_target(place, login="falsch@example.org").look_up(answer(), None), CannotTell)


def test_what_was_never_written_is_not_there(target: MeinBerlinTarget) -> None:
    """The form says something else."""
    assert isinstance(target.look_up(answer(), None), NotThere)


def test_the_first_save_of_two_at_once_wins(place: Place) -> None:
    """The platform answers 500 to the other and rolls it back; that is doubt, it is asked after, and goes again."""
    arm(place, "moderate_server_error")
    message = answer()
    with pytest.raises(Exception) as doubt:  # noqa: PT011 - as above
        write(open_target(place), message)
    asked = open_target(place).look_up(message, None)
    write(open_target(place), message)

    assert not isinstance(doubt.value, NotSent | Rejected)
    assert isinstance(asked, NotThere)
    assert len(mails_of(place.url, 2)) == 1


def test_what_a_colleague_saves_between_our_two_calls_is_lost_there(place: Place, target: MeinBerlinTarget) -> None:
    """The platform has no lock: this is its fault and stays one. It is told here so that nobody believes otherwise."""
    arm(place, "moderator_in_between")
    write(target, answer())

    assert row_of(place.url, 2)["is_archived"] is False
    assert row_of(place.url, 2)["moderator_status"] == "ACCEPTED"
