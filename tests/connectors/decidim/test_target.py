"""Answers: what is known after every kind of answer, and after none. The sandbox is asked what arrived."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import pytest

from connectors._line import NoAnswer
from connectors.decidim.target import DecidimTarget
from kiezbruecke.connector import CannotTell, Context, Found, Message, NotThere
from kiezbruecke.errors import ConfigurationError, NotSent, Rejected
from kiezbruecke.records import ReceiptOutcome
from kiezbruecke.testing import sample_message
from kiezbruecke.troubles import Cause

from .conftest import ACCOUNT, PROCESS, Site

LINES = ("Die Kiezkassenversammlung hat am 24.04.2026 für diesen Vorschlag gestimmt.", "bewilligt: 850,00 €")


def answer(key: str, status: str = "accepted", lines: tuple[str, ...] = LINES, **more: Any) -> Message:
    """A message as an outbound mapping writes it."""
    before = {"status": more.pop("status_before", ""), "lines": list(more.pop("lines_before", ()))}
    body = {
        "external_id": key,
        "reference": "2026-00102",
        "page": "",
        "status": status,
        "lines": list(lines),
        "before": before,
    }
    payload = json.dumps({**body, **more}, ensure_ascii=False).encode()
    name = uuid5(NAMESPACE_URL, payload.decode())
    return replace(sample_message(1, "status.write"), key=name, payload=payload, media_type="application/json")


def target(site: Site, *, login: str = ACCOUNT, **extra: Any) -> DecidimTarget:
    return DecidimTarget(site.connection(login=login, **extra), Context(PROCESS))


def open_one(site: Site, key: str = "500", **row: Any) -> str:
    """A proposal that nobody has answered; its external id."""
    site.change("proposals", {"id": key, "reference": None, "title": {"de": "Neu"}, "body": {"de": "x"}, **row})
    return f"9/{key}"


def shown(site: Site, key: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = next(one for one in site.state()["proposals"] if f"9/{one['id']}" == key)
    return found


@pytest.mark.parametrize("version", ["0.31", "0.32"], indirect=True)
def test_an_answer_is_written_read_back_and_mailed_once(site: Site) -> None:
    """The same message again finds it there and writes nothing: nobody is mailed twice."""
    key = open_one(site)
    first = target(site).send(answer(key), None)
    again = target(site).send(answer(key), None)

    assert (first.outcome, first.event) == (ReceiptOutcome.CONFIRMED, "geschrieben")
    assert (again.outcome, again.event) == (ReceiptOutcome.CONFIRMED, "steht dort schon")
    assert shown(site, key)["state"] == "accepted"
    assert shown(site, key)["answer"] == {"de": "".join(f"<p>{line}</p>" for line in LINES)}
    assert [one["proposal"] for one in site.state()["answers"]] == ["500"]
    assert len(site.state()["mails"]) == 1


@pytest.mark.parametrize("version", ["0.30"], indirect=True)
def test_an_older_decidim_is_refused_in_one_line_before_anything_is_sent(site: Site) -> None:
    """And the message waits: nothing about it is wrong."""
    with pytest.raises(ConfigurationError, match=r"0\.31 or newer"):
        target(site).reserve(answer("9/101"))
    with pytest.raises(NotSent, match=r"0\.31 or newer"):
        target(site).send(answer("9/101"), None)


def test_the_versions_own_schema_decides(site: Site) -> None:
    """Where the schema is shown to nobody, its version does."""
    site.running.arm("no_introspection")

    assert target(site).send(answer(open_one(site)), None).event == "geschrieben"


def test_without_credentials_nothing_is_tried(site: Site) -> None:
    """Anonymous mutations answer null, and no error."""
    with pytest.raises(ConfigurationError, match="API credentials"):
        target(site, login="").reserve(answer("9/101"))


def test_wrong_credentials_are_told_as_such(site: Site) -> None:
    with pytest.raises(NotSent) as caught:
        DecidimTarget(site.connection(login=ACCOUNT, password="falsch"), Context(PROCESS)).send(answer("9/101"), None)

    assert caught.value.trouble is not None
    assert caught.value.trouble.cause is Cause.PASSWORD
    assert "falsch" not in str(caught.value)


# -- compare, then set ---------------------------------------------------------------------------------------------


def test_words_of_others_stay_beside_ours(site: Site) -> None:
    """In front of ours, in their formatting, and in every other language."""
    theirs = "<p>Danke für <strong>den Vorschlag</strong>!</p>"
    key = open_one(site, answer={"de": theirs, "en": "<p>Thank you!</p>"}, machine={"answer": {"fr": "Merci"}})
    target(site).send(answer(key), None)
    said = answer(key, "rejected", ("Doch nicht.",), status_before="accepted", lines_before=LINES)
    target(site).send(said, None)

    assert shown(site, key)["answer"] == {"de": f"{theirs}<p>Doch nicht.</p>", "en": "<p>Thank you!</p>"}
    assert shown(site, key)["state"] == "rejected"


@pytest.mark.parametrize(
    "change",
    [
        {"state": "evaluating"},
        {"answer": {"de": "<p>Bewilligt sind nur 500 €.</p>"}},
        {"state": None, "answered_at": None, "answer": {}},
        {"withdrawn": True},
    ],
    ids=["status", "words", "taken back", "withdrawn"],
)
def test_what_others_changed_there_holds(site: Site, change: Mapping[str, Any]) -> None:
    """A moderator has the last word; a person on our side looks."""
    key = open_one(site)
    target(site).send(answer(key), None)
    site.change("proposals", {"id": "500", **change})
    before = shown(site, key)

    with pytest.raises(Rejected) as caught:
        target(site).send(answer(key, "rejected", ("Doch nicht.",), status_before="accepted", lines_before=LINES), None)

    assert caught.value.receipt_code == "MODERATED"
    assert shown(site, key) == before


def test_an_answer_that_somebody_has_prepared_is_not_overwritten(site: Site) -> None:
    """Its status is not published yet, so nobody can see which one it is."""
    key = open_one(
        site, state="rejected", answered_at="2026-05-01T10:00:00+02:00", answer={"de": "<p>Leider nein.</p>"}
    )

    with pytest.raises(Rejected, match="vorbereitet") as caught:
        target(site).send(answer(key), None)

    assert caught.value.receipt_code == "MODERATED"


def test_what_a_person_has_seen_there_gives_way(site: Site) -> None:
    """neu_senden brings what was collected as `before`, however it is formatted."""
    key = open_one(
        site,
        state="evaluating",
        state_published=True,
        answered_at="2026-05-01T10:00:00+02:00",
        answer={"de": "<ul><li>wird geprüft</li></ul>"},
    )
    target(site).send(answer(key, status_before="evaluating", lines_before=("– wird geprüft",)), None)

    assert shown(site, key)["answer"] == {"de": "".join(f"<p>{line}</p>" for line in LINES)}


def test_a_message_that_is_changed_between_reading_and_writing_is_not_called_done(site: Site) -> None:
    """The window between the two is theirs, too: what stands there in the end is read, not assumed."""
    key = open_one(site)
    target(site).send(answer(key), None)
    site.running.arm("moderated_meanwhile")
    later = answer(key, "rejected", ("Doch nicht.",), status_before="accepted", lines_before=LINES)
    receipt = target(site).send(later, None)

    assert receipt.event == "geschrieben"
    assert shown(site, key)["answer"] == {"de": "<p>Doch nicht.</p>"}


# -- published later -----------------------------------------------------------------------------------------------


def test_what_is_published_later_is_delivered_and_not_called_done(site: Site) -> None:
    """The component publishes answers by hand: nobody reads it yet, nobody was mailed."""
    site.change("components", {"id": "9", "publishes": False})
    key = open_one(site)
    receipt = target(site).send(answer(key), None)
    again = target(site).send(answer(key), None)
    found = target(site).look_up(answer(key), None)

    assert (receipt.outcome, receipt.event) == (ReceiptOutcome.DELIVERED, "geschrieben, noch nicht veröffentlicht")
    assert (again.outcome, again.event) == (ReceiptOutcome.DELIVERED, "steht dort schon, noch nicht veröffentlicht")
    assert isinstance(found, Found)
    assert len(site.state()["answers"]) == 1
    assert site.state()["mails"] == []


def test_our_own_unpublished_words_can_be_replaced(site: Site) -> None:
    """They stand as we had written them, so nobody else has been there."""
    site.change("components", {"id": "9", "publishes": False})
    key = open_one(site)
    target(site).send(answer(key), None)
    later = answer(key, "rejected", ("Doch nicht.",), status_before="accepted", lines_before=LINES)

    assert target(site).send(later, None).outcome is ReceiptOutcome.DELIVERED
    assert shown(site, key)["state"] == "rejected"


def test_a_status_that_nobody_can_see_is_not_guessed(site: Site) -> None:
    """The same words with another status: asked afterwards, nobody can tell."""
    site.change("components", {"id": "9", "publishes": False})
    key = open_one(site)
    target(site).send(answer(key, "evaluating"), None)
    later = answer(key, "accepted", status_before="evaluating", lines_before=LINES)
    before = target(site).look_up(later, None)
    receipt = target(site).send(later, None)

    assert isinstance(before, CannotTell)
    assert receipt.outcome is ReceiptOutcome.DELIVERED
    assert shown(site, key)["state"] == "accepted"


# -- what the platform does not take -------------------------------------------------------------------------------


@pytest.mark.parametrize("version", ["0.31", "0.32"], indirect=True)
def test_where_answers_are_switched_off_nothing_is_called_done(site: Site) -> None:
    """0.31 answers null and no error, 0.32 an error: read back, and refused in one line."""
    site.change("components", {"id": "9", "answering": False})
    key = open_one(site)

    with pytest.raises(Rejected, match="ausgeschaltet") as caught:
        target(site).send(answer(key), None)

    assert caught.value.receipt_code == "NOT_ALLOWED"
    assert shown(site, key)["state"] is None


@pytest.mark.parametrize("version", ["0.31", "0.32"], indirect=True)
def test_an_account_that_may_not_answer_is_refused(site: Site) -> None:
    with pytest.raises(Rejected, match="Konto darf"):
        target(site, login="kb-leser").send(answer(open_one(site)), None)


@pytest.mark.parametrize("version", ["0.31", "0.32"], indirect=True)
@pytest.mark.parametrize("row", [{"hidden": True}, {"published": False}], ids=["hidden", "unpublished"])
def test_a_proposal_that_is_not_shown_is_refused(site: Site, row: Mapping[str, Any]) -> None:
    """0.31 gives null, 0.32 an error as well; neither is an answer that got lost."""
    key = open_one(site, **row)

    with pytest.raises(Rejected) as caught:
        target(site).send(answer(key), None)

    assert caught.value.receipt_code == "NOT_THERE"
    assert site.state()["answers"] == []


def test_a_project_takes_no_answer(site: Site) -> None:
    with pytest.raises(Rejected, match="Projekt") as caught:
        target(site).send(answer("12/41"), None)

    assert caught.value.receipt_code == "NOT_THERE"


def test_a_component_that_asks_for_costs_gets_them(site: Site) -> None:
    """The granted sum, and two texts that the connection gives."""
    site.change("components", {"id": "9", "costs": True})
    key = open_one(site)
    target(site).send(answer(key, cost=850.5), None)

    row = shown(site, key)
    assert (row["cost"], row["cost_report"]) == (850.5, {"de": "Bewilligte Summe"})
    assert row["execution_period"] == {"de": "Haushaltsjahr 2026"}


def test_a_missing_sum_is_refused_in_one_line(site: Site) -> None:
    site.change("components", {"id": "9", "costs": True})

    with pytest.raises(Rejected, match="nennt keine Summe") as caught:
        target(site).send(answer(open_one(site)), None)

    assert caught.value.receipt_code == "COST"


@pytest.mark.parametrize(
    ("message", "words"),
    [
        (answer("9/500", "bewilligt"), "den Status „bewilligt“ gibt es in der Komponente 9 nicht"),
        (answer("9/500", "rejected", ()), "eine Ablehnung braucht zum Beispiel einen Text"),
        (answer("2026-00500"), "keiner von Decidim"),
    ],
    ids=["status", "text", "key"],
)
def test_what_the_form_does_not_take_is_refused_in_our_words(site: Site, message: Message, words: str) -> None:
    open_one(site)

    with pytest.raises(Rejected, match=words) as caught:
        target(site).send(message, None)

    assert caught.value.receipt_code == "NOT_TAKEN"
    assert site.state()["mails"] == []


def test_a_custom_status_is_written_like_any_other(site: Site) -> None:
    key = open_one(site)

    assert target(site).send(answer(key, "bewilligt_gekuerzt"), None).outcome is ReceiptOutcome.CONFIRMED
    assert shown(site, key)["state"] == "bewilligt_gekuerzt"


@pytest.mark.parametrize(
    "line",
    ["Zu 100 % & mehr als <b>sonst</b>", "Kiezfest 🎉👨‍👩‍👧", "حديقة للجميع: 850 €", "ä" * 2000, "eins\tzwei  drei"],
    ids=["signs", "emoji", "right to left", "long", "blanks"],
)
def test_every_text_is_found_again(site: Site, line: str) -> None:
    """What is not found again would be written again."""
    message = answer(open_one(site), lines=(line, *LINES) * (5 if len(line) > 999 else 1))

    assert target(site).send(message, None).event == "geschrieben"
    assert target(site).send(message, None).event == "steht dort schon"
    assert len(site.state()["answers"]) == 1


# -- doubt ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", ["commit_then_lose", "truncated_answer"])
def test_an_answer_lost_after_the_mutation_is_looked_up_and_then_nothing(site: Site, fault: str) -> None:
    key, sender = open_one(site), target(site)
    site.running.arm(fault)
    with pytest.raises((OSError, NoAnswer)):
        sender.send(answer(key), None)
    found = sender.look_up(answer(key), None)
    again = sender.send(answer(key), None)

    assert isinstance(found, Found)
    assert again.event == "steht dort schon"
    assert len(site.state()["answers"]) == len(site.state()["mails"]) == 1


def test_an_answer_lost_before_the_mutation_is_not_there(site: Site) -> None:
    key, sender = open_one(site), target(site)
    site.running.arm("lose_before_commit")
    with pytest.raises((OSError, NoAnswer)):
        sender.send(answer(key), None)

    assert isinstance(sender.look_up(answer(key), None), NotThere)
    assert site.state()["answers"] == []


def test_look_up_says_nothing_where_others_have_been(site: Site) -> None:
    """Ours may have stood there in between."""
    key = open_one(site, state="evaluating", state_published=True, answered_at="2026-05-01T10:00:00+02:00")

    assert isinstance(target(site).look_up(answer(key), None), CannotTell)


def test_look_up_says_nothing_of_what_is_hidden(site: Site) -> None:
    assert isinstance(target(site).look_up(answer(open_one(site, hidden=True)), None), CannotTell)


@pytest.mark.parametrize("version", ["0.31", "0.32"], indirect=True)
def test_a_token_that_has_run_out_is_renewed_before_anything_is_sent(site: Site) -> None:
    """The reading before the mutation notices it."""
    first, second = open_one(site), open_one(site, "501")
    sender = target(site)
    sender.send(answer(first), None)
    site.running.arm("token_expired")
    receipt = sender.send(answer(second), None)

    assert receipt.event == "geschrieben"
    assert site.asked().count("Answer") >= 2
    assert [one["proposal"] for one in site.state()["answers"]] == ["500", "501"]


@pytest.mark.parametrize("version", ["0.31", "0.32"], indirect=True)
def test_a_token_that_runs_out_right_before_the_mutation_is_no_refusal(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing was written, and nothing is wrong with the account: it waits for the next run."""
    key, sender = open_one(site), target(site)
    before_the_mutation(sender, monkeypatch, lambda: site.running.arm("token_expired"))

    with pytest.raises(NotSent, match="the token had run out"):
        sender.send(answer(key), None)
    assert sender.send(answer(key), None).event == "geschrieben"


def test_a_mutation_that_is_turned_away_is_doubt(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """401 to what was sent: whoever says so may have been asked behind the deed."""
    key, sender = open_one(site), target(site)
    before_the_mutation(sender, monkeypatch, lambda: site.running.arm("token_refused"))

    with pytest.raises(NoAnswer) as caught:
        sender.send(answer(key), None)

    assert not isinstance(caught.value, NotSent | Rejected)
    assert isinstance(sender.look_up(answer(key), None), NotThere)


def test_what_cannot_be_read_back_is_doubt(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """It was hidden behind our mutation: a refusal would be a lie, the answer is there."""
    key, sender = open_one(site), target(site)
    real = sender._api.change

    def change(document: str, **variables: Any) -> Any:
        reply = real(document, **variables)
        site.change("proposals", {"id": "500", "hidden": True})
        return reply

    monkeypatch.setattr(sender._api, "change", change)
    with pytest.raises(NoAnswer):
        sender.send(answer(key), None)

    assert shown(site, key)["state"] == "accepted"


def test_a_call_that_comes_too_early_waits_as_long_as_it_is_asked_to(site: Site) -> None:
    """429 comes before anything is done."""
    site.running.arm("too_many", 2)

    assert target(site).send(answer(open_one(site)), None).event == "geschrieben"
    assert len(site.state()["answers"]) == 1


def test_more_distance_than_a_run_has_patience_for_lets_the_message_wait(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    key, sender = open_one(site), target(site)
    before_the_mutation(sender, monkeypatch, lambda: site.running.arm("far_too_many"))

    with pytest.raises(NotSent) as caught:
        sender.send(answer(key), None)

    assert caught.value.trouble is not None
    assert caught.value.trouble.cause is Cause.BUSY
    assert site.state()["answers"] == []


def before_the_mutation(sender: DecidimTarget, monkeypatch: pytest.MonkeyPatch, act: Callable[[], None]) -> None:
    """Something happens between the last reading and the mutation; the client is the real one."""
    real = sender._api.change

    def change(document: str, **variables: Any) -> Any:
        act()
        monkeypatch.undo()
        return real(document, **variables)

    monkeypatch.setattr(sender._api, "change", change)
