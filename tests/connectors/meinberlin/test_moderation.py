"""The sandbox's moderation form does what the platform did when it was recorded: what is kept, and when it mails."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
import requests

from connectors.meinberlin.form import FEEDBACK, REMARK, STATUS, TOKEN, find_form

from .conftest import MODERATOR, PASSWORD, Place
from .test_answers import mails_of, row_of
from .test_sandbox import recorded

PATH = "/budgeting/2026-00020/moderate/"


class Browser:
    """Somebody at the platform."""

    def __init__(self, url: str, login: str = MODERATOR) -> None:
        self.url, self.session = url, requests.Session()
        token = self._token(self.session.get(f"{url}/accounts/login/", timeout=10).text)
        form = {"login": login, "password": PASSWORD, TOKEN: token}
        self.session.post(
            f"{url}/accounts/login/", form, headers={"Referer": url}, allow_redirects=False, timeout=10
        ).raise_for_status()

    def open(self, path: str) -> requests.Response:
        return self.session.get(self.url + path, allow_redirects=False, timeout=10)

    def save(self, path: str, fields: Any, token: str | None = None) -> requests.Response:
        """Post the form with these fields."""
        held = self._token(self.open(path).text) if token is None else token
        pairs = [*(fields.items() if isinstance(fields, dict) else fields)]
        sent = [(name, held if name == TOKEN else value) for name, value in [(TOKEN, ""), *pairs] if value != "***"]
        return self.session.post(self.url + path, data=sent, allow_redirects=False, timeout=10)

    def _token(self, page: str) -> str:
        found = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page)
        return found[1] if found else ""


@pytest.fixture
def moderator(place: Place) -> Browser:
    """Logged in."""
    return Browser(place.url)


@pytest.fixture
def twenty(place: Place) -> None:
    """Proposal 20 as it was before the second recording."""
    place.put(
        {"pk": 20, "moderator_status": None, "feedback": "<p>Danke 🎉</p>", "remark": "", "is_archived": False,
         "contact_email": "a@example.org", "completed_tasks": []}
    )  # fmt: skip


def test_what_is_kept_and_mailed_is_what_was_seen(place: Place, moderator: Browser, twenty: None) -> None:
    """Four requests one after the other: raw text, the same again, no status, tags that are not allowed."""
    for name in ("r14_moderate_raw_text", "r15_moderate_raw_text_again", "r16_moderate_status_absent",
                 "r17_moderate_tags_dropped"):  # fmt: skip
        seen, mails = recorded(name), len(mails_of(place.url, 20))
        reply = moderator.save(PATH, seen["request"]["body"])
        row, after = row_of(place.url, 20), seen["seen_besides"]["database_after"]

        assert (reply.status_code, reply.headers["Location"]) == (302, "/budgeting/2026-00020/"), name
        assert (row["moderator_status"], row["feedback"]) == (after["status"], after["feedback"]), name
        assert (row["is_archived"], row["remark"]) == (after["archived"], after["remark"]), name
        assert len(mails_of(place.url, 20)) - mails == seen["seen_besides"]["new_mails"], name


def test_an_ended_session_is_a_redirect_too(place: Place, moderator: Browser, twenty: None) -> None:
    """302 as after a success, but elsewhere, and nothing is stored."""
    seen, before = recorded("r18_moderate_session_gone"), row_of(place.url, 20)
    requests_before = moderator.session.cookies.copy()
    moderator.open(PATH)
    moderator.session.cookies.set("sessionid", "ended")
    reply = moderator.save(PATH, seen["request"]["body"], token=requests_before.get("csrftoken") or "")

    assert (reply.status_code, reply.headers["Location"]) == (302, seen["response"]["headers"]["Location"])
    assert row_of(place.url, 20) == before


def test_what_is_left_out_becomes_empty(place: Place, moderator: Browser) -> None:
    """Status alone: archive flag, tasks, text and note are gone."""
    place.put({"pk": 6, "is_archived": True, "completed_tasks": [1], "feedback": "<p>x</p>", "remark": "Az. 1"})
    reply = moderator.save(
        "/budgeting/2026-00006/moderate/", recorded("67_moderate_post_status_only")["request"]["body"]
    )
    row = row_of(place.url, 6)

    assert reply.status_code == 302
    assert (row["moderator_status"], row["is_archived"], row["completed_tasks"]) == ("REJECTED", False, [])
    assert (row["feedback"], row["remark"]) == ("", "")


def test_the_same_again_is_no_mail_and_a_change_of_the_note_neither(place: Place, moderator: Browser) -> None:
    """Only status and text tell the citizen; every save sets `modified`."""
    path, body = "/budgeting/2026-00002/moderate/", recorded("61_moderate_post_ok")["request"]["body"]
    place.put({"pk": 2, "contact_email": "person01@example.org"})
    moderator.save(path, body)
    first = row_of(place.url, 2)["modified"]
    moderator.save(path, recorded("62_moderate_post_same")["request"]["body"])
    moderator.save(path, {**body, REMARK: "anders", "moderateable-is_archived": "on"})
    [mail] = mails_of(place.url, 2)
    seen = recorded("mail_after_moderation")

    assert mail["to"] == seen["to"]
    assert mail["status"] in seen["text"]
    assert row_of(place.url, 2)["modified"] != first
    assert row_of(place.url, 2)["is_archived"] is True


def test_nobody_with_an_address_no_mail(place: Place, moderator: Browser) -> None:
    """An empty contact address means that nobody is told."""
    place.put({"pk": 2, "contact_email": ""})
    moderator.save("/budgeting/2026-00002/moderate/", {STATUS: "ACCEPTED", FEEDBACK: "<p>neu</p>"})

    assert mails_of(place.url, 2) == []


def test_refusals_are_those_of_the_recording(place: Place, moderator: Browser) -> None:
    """No session, HTTP Basic, no right, unknown proposal, wrong year, invalid status, wrong token."""
    path = "/budgeting/2026-00002/moderate/"
    anonymous = requests.get(place.url + path, allow_redirects=False, timeout=10)
    basic = requests.get(place.url + path, auth=(MODERATOR, PASSWORD), allow_redirects=False, timeout=10)
    plain = Browser(place.url, "ohne-rechte@example.org").open(path)
    missing, year = moderator.open("/budgeting/2026-99999/moderate/"), moderator.open("/budgeting/1999-00002/moderate/")
    invalid = moderator.save(path, recorded("65_moderate_post_invalid")["request"]["body"])
    token = moderator.save(path, {STATUS: "ACCEPTED"}, token="wrong")
    names = ("57_moderate_form_anon", "58_moderate_form_basic", "74_moderate_form_plain", "72_moderate_missing",
             "65_moderate_post_invalid", "66_moderate_post_nocsrf")  # fmt: skip
    replies = (anonymous, basic, plain, missing, invalid, token)

    assert [one.status_code for one in replies] == [recorded(name)["response"]["status"] for name in names]
    assert anonymous.headers["Location"] == recorded("57_moderate_form_anon")["response"]["headers"]["Location"]
    assert "message--error" in invalid.text
    assert year.status_code == 404  # seen on 2026-11-29


@pytest.mark.parametrize("name", ["60_moderate_form_get", "70_kk_moderate_form_get"])
def test_the_recorded_form_is_read_whole(place: Place, moderator: Browser, name: str) -> None:
    """The platform's own page: the fields that we know are all that it has, and the sandbox has the same."""
    seen = recorded(name)
    url = seen["request"]["url"]
    form = find_form(seen["response"]["body"]["html_excerpt"], url)
    ours = find_form(moderator.open(url).text, url)

    assert form is not None
    assert ours is not None
    assert form.names == ours.names
    assert form.offers == ours.offers


def test_a_form_that_is_sent_back_as_it_was_read_changes_nothing(place: Place, moderator: Browser) -> None:
    """The round trip that was recorded: flag, tasks and note survive."""
    place.put(
        {"pk": 19, "is_archived": True, "completed_tasks": [1, 2, 3], "remark": "", "feedback": "<p>a &amp; b</p>"}
    )
    path, before = "/budgeting/2026-00019/moderate/", row_of(place.url, 19)
    form = find_form(moderator.open(path).text, path)
    assert form is not None
    moderator.save(path, [pair for pair in form.values if pair[0] != TOKEN])
    row = row_of(place.url, 19)
    sent = dict(json.loads(json.dumps(recorded("84_moderate_safe_roundtrip")["request"]["body"])))

    assert {**row, "modified": None, "moderated": True} == {**before, "modified": None, "moderated": True}
    assert set(sent) == form.names
    assert mails_of(place.url, 19) == []
