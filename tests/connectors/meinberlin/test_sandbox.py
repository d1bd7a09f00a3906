"""The sandbox answers like the recorded platform: same status, same structure, same values."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
import requests
from openpyxl import load_workbook

TESTDATA = resources.files("connectors.meinberlin").joinpath("testdata")

ANSWERS = [
    "01_projects_all",
    "04_project_detail",
    "08_pb_list_p1",
    "09_pb_list_p2",
    "11_pb_list_p4",
    "16_pb_page_beyond",
    "17_pb_page_size_100",
    "18_pb_filter_accepted",
    "19_pb_filter_invalid",
    "20_pb_search_name",
    "21_pb_search_ref",
    "22_pb_list_moderator",
    "23_pb_options",
    "24_kk_list_p1",
    "25_kk_list_p2",
    "26_pb2_running_list",
    "30_private_module_anon",
    "32_private_module_moderator",
    "33_bad_credentials",
    "34_draft_module_anon",
    "35_module_missing",
    "36_wrong_module_type",
    "38_pb_post_list",
    "39_pb_post_list_anon",
]
ADDRESS = re.compile(r"http://127\.0\.0\.1:\d+")


def recorded(name: str) -> dict[str, Any]:
    recording: dict[str, Any] = json.loads(TESTDATA.joinpath(f"{name}.json").read_text("utf-8"))
    return recording


def accounts(place: Any) -> dict[str | None, tuple[str, str] | None]:
    return {
        None: None,
        "api": (place.moderator, place.password),
        "bad": (place.moderator, "falsch"),
    }


def ask(place: Any, request: dict[str, Any]) -> requests.Response:
    return requests.request(
        request["method"],
        place.url + request["url"],
        headers=request["headers"],
        json=request.get("body"),
        auth=accounts(place)[request["auth"]],
        timeout=10,
    )


def ordered(body: Any, recording: dict[str, Any]) -> Any:
    """What was asked for without an order came in the order of that day."""
    if "results" in body and "ordering" not in recording["request"]["url"]:
        return {**body, "results": sorted(body["results"], key=lambda row: row["pk"])}
    return body


def sortable(answer: Any) -> str:
    return ADDRESS.sub("http://platform", json.dumps(answer, sort_keys=True, ensure_ascii=False))


@pytest.mark.parametrize("name", ANSWERS)
def test_an_answer_is_the_recorded_one(place: Any, name: str) -> None:
    """An integrator who develops against the sandbox must not be surprised by the platform."""
    recording = recorded(name)

    answer = ask(place, recording["request"])

    assert answer.status_code == recording["response"]["status"]
    assert answer.headers["Content-Type"] == recording["response"]["headers"]["Content-Type"]
    assert sortable(ordered(answer.json(), recording)) == sortable(ordered(recording["response"]["body"], recording))


@pytest.mark.parametrize(("name", "slug", "kind"), [
    ("79_export_pb_initiator", "kiezkasse-friedrichshagen-2026", "budgeting"),
    ("82_export_kk_initiator", "kiezkasse-altglienicke-2023", "kiezkasse"),
])  # fmt: skip
def test_an_export_is_the_recorded_one(place: Any, name: str, slug: str, kind: str) -> None:
    """Header and rows; what was written to three proposals after the lists were recorded may differ."""
    session = log_in(place, place.initiator)

    answer = session.get(f"{place.url}/dashboard/modules/{slug}/export/{kind}/ideas/", timeout=10)

    header, *rows = table(answer.content)
    expected_header, *expected_rows = table(TESTDATA.joinpath(f"{name}.xlsx").read_bytes())
    assert header == expected_header
    assert [row[:3] for row in rows] == [[row[0], row[1], row[2]] for row in expected_rows]
    names = ("Beschreibung", "Merkmale", "Kategorie", "Ortsbezeichnung", "Urheber")
    stable = [header.index(name) for name in names]
    for row, expected in zip(rows, expected_rows, strict=True):
        assert [row[cell] for cell in stable] == [expected[cell] for cell in stable]


def table(content: bytes) -> list[list[Any]]:
    lines = load_workbook(io.BytesIO(content)).worksheets[0].iter_rows(values_only=True)
    return [
        [ADDRESS.sub("http://platform", cell) if isinstance(cell, str) else cell for cell in line] for line in lines
    ]


def log_in(place: Any, login: str, password: str | None = None) -> requests.Session:
    session = requests.Session()
    address = f"{place.url}/accounts/login/"
    page = session.get(address, timeout=10).text
    found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
    assert found
    form = {"login": login, "password": password or place.password, "csrfmiddlewaretoken": found[1]}
    session.post(address, form, headers={"Referer": address}, allow_redirects=False, timeout=10)
    return session


def test_a_moderator_may_not_export(place: Any) -> None:
    """Recording 78: the right belongs to initiators."""
    path = "/dashboard/modules/kiezkasse-friedrichshagen-2026/export/budgeting/ideas/"

    answer = log_in(place, place.moderator).get(place.url + path, timeout=10)

    assert (answer.status_code, answer.headers["Content-Type"]) == (403, "text/html; charset=utf-8")


def test_basic_is_not_honoured_outside_the_api(place: Any) -> None:
    """Recording 77."""
    path = "/dashboard/modules/kiezkasse-friedrichshagen-2026/export/budgeting/ideas/"

    answer = requests.get(place.url + path, auth=(place.initiator, place.password), allow_redirects=False, timeout=10)

    assert answer.status_code == 302
    assert answer.headers["Location"] == f"/accounts/login/?next={path}"


def test_the_default_order_is_shuffled(place: Any) -> None:
    """dailyrandom: a client that does not order reads pages of nowhere."""
    address = f"{place.url}/api/modules/1/proposals/"

    shuffled = requests.get(address, timeout=10).json()["results"]

    ordered = requests.get(address, {"ordering": "created"}, timeout=10).json()["results"]
    assert [row["pk"] for row in shuffled] != [row["pk"] for row in ordered]


def test_pages_of_proposals_and_modules_are_html(place: Any) -> None:
    """Description and feedback stand on the detail page, the module's key on the module page."""
    detail = requests.get(f"{place.url}/budgeting/2026-00001/", timeout=10).text
    module = requests.get(f"{place.url}/projekte/module/kiezkasse-friedrichshagen-2026/", timeout=10).text
    nothing = requests.get(f"{place.url}/api/modules/1/proposals/1/", timeout=10)

    assert "Hüpfburg" in detail
    assert "/api/modules/1/proposals/" in module
    assert (nothing.status_code, nothing.headers["Content-Type"]) == (404, "text/html; charset=utf-8")


def test_a_list_asked_for_as_html_is_no_json(place: Any) -> None:
    """Recording 42: Accept decides."""
    answer = requests.get(f"{place.url}/api/modules/1/proposals/", headers={"Accept": "text/html"}, timeout=10)

    assert answer.headers["Content-Type"].startswith("text/html")


# --- recorded a second time (r01–r21)

HERE = Path(__file__).parent / "testdata"
FRIEDRICHSHAGEN = "/dashboard/modules/kiezkasse-friedrichshagen-2026/export"


def again(name: str) -> dict[str, Any]:
    recording: dict[str, Any] = json.loads(HERE.joinpath(f"{name}.json").read_text("utf-8"))
    return recording


def search(place: Any, number: str, module: int = 1) -> list[dict[str, Any]]:
    query = {"search": number, "is_archived": ""}
    found: list[dict[str, Any]] = requests.get(
        f"{place.url}/api/modules/{module}/proposals/", query, timeout=10
    ).json()["results"]
    return found


def test_the_number_has_the_year_of_utc_and_is_found_by_the_year_of_berlin(place: Any) -> None:
    """r04, r05: half an hour after midnight."""
    [key] = place.put({"module": 1, "name": "Neujahr", "created": "2026-01-01T00:30:00+01:00"})
    own, local = again("r04_ref_new_year_search_own"), again("r05_ref_new_year_search_local")

    assert [row["reference_number"] for row in search(place, f"2025-{key:05d}")] == own["response"]["body"]["results"]
    assert [row["reference_number"][:4] for row in search(place, f"2026-{key:05d}")] == [
        row["reference_number"][:4] for row in local["response"]["body"]["results"]
    ]


def test_a_huge_sum_is_shown_as_it_was_typed(place: Any) -> None:
    """r03: the legacy type has no maximum."""
    place.put({"pk": 61, "budget": 2147483647})
    [recorded_row] = again("r03_kk_budget_huge")["response"]["body"]["results"]
    query = {"search": "2023-00061"}
    [row] = requests.get(f"{place.url}/api/modules/2/kiezkasse-proposals/", query, timeout=10).json()["results"]

    badge = next(badge for badge in recorded_row["item_badges_for_list"] if badge[0] == "budget")
    assert badge in row["item_badges_for_list"]


def test_pages_repeat_and_omit_what_has_equal_times(place: Any) -> None:
    """r09, r10: the order has no second key."""
    place.put(*({"module": 3, "name": f"Import {number}"} for number in range(40)))
    address = f"{place.url}/api/modules/3/proposals/"
    recorded_keys = [row["pk"] for name in ("r09_equal_created_p1", "r10_equal_created_p2")
                     for row in again(name)["response"]["body"]["results"]]  # fmt: skip
    keys = []
    for number in range(1, 6):
        query = {"ordering": "created", "is_archived": "", "page_size": "10", "page": str(number)}
        keys += [row["pk"] for row in requests.get(address, query, timeout=10).json()["results"]]

    assert len(set(recorded_keys)) < len(recorded_keys)
    assert len(keys) == 45 > len(set(keys))


def test_an_address_that_is_not_confirmed_has_a_session_and_is_not_logged_in(place: Any) -> None:
    """r12, r13."""
    session = log_in(place, "unbestaetigt@example.org")
    answer = session.get(f"{place.url}{FRIEDRICHSHAGEN}/budgeting/ideas/", allow_redirects=False, timeout=10)
    recorded_answer = again("r13_export_unconfirmed")["response"]

    assert "sessionid" in session.cookies
    assert answer.status_code == recorded_answer["status"]
    assert answer.headers["Location"].startswith("/accounts/login/?next=")
    assert recorded_answer["headers"]["Location"].startswith("/accounts/login/?next=")


def test_five_wrong_log_ins_of_anybody_lock_the_account_and_no_other(begin: Callable[..., Any]) -> None:
    """The right password does not help then; HTTP Basic goes on."""
    place = begin()
    for _ in range(5):
        log_in(place, place.initiator, "geraten")
    locked, other = log_in(place, place.initiator), log_in(place, place.moderator)
    basic = requests.get(f"{place.url}/api/modules/4/proposals/", auth=(place.initiator, place.password), timeout=10)

    assert ("sessionid" in locked.cookies, "sessionid" in other.cookies, basic.status_code) == (False, True, 200)


def test_the_export_of_the_wrong_type_is_an_empty_workbook(place: Any) -> None:
    """200, and nothing below the header."""
    answer = log_in(place, place.initiator).get(f"{place.url}{FRIEDRICHSHAGEN}/kiezkasse/ideas/", timeout=10)

    assert (answer.status_code, len(table(answer.content))) == (200, 1)


@pytest.mark.parametrize(
    ("markup", "cell"),
    [
        ("<p>Erster Absatz.</p><p>Zweiter <strong>Absatz</strong> mit fett.</p>", "2025-00481"),
        ("<ul><li>Bank</li><li>Baum</li></ul><p>Summe 850&nbsp;€</p>", "2026-00482"),
        ("<p>a &lt; b und b &gt; c, also a&lt;c</p>", "2026-00483"),
        (f"<p>https://example.org/{'a' * 2200}</p>", "2026-00487"),
        (f"<p>{'Sehr lang ä. ' * 3000}</p>", "2026-00488"),
        ("<p>=1+1</p>", "2026-00489"),
    ],
)
def test_a_cell_is_what_the_platform_makes_of_a_text(place: Any, markup: str, cell: str) -> None:
    """r21: run together, cut, empty behind a long address."""
    place.put({"pk": 2, "description": markup})
    header, *rows = table((HERE / "export_pb_quirks.xlsx").read_bytes())
    expected = next(row[header.index("Beschreibung")] for row in rows if row[0] == cell)
    answer = log_in(place, place.initiator).get(f"{place.url}{FRIEDRICHSHAGEN}/budgeting/ideas/", timeout=10)
    own_header, *own_rows = table(answer.content)

    assert next(row for row in own_rows if row[0] == "2026-00002")[own_header.index("Beschreibung")] == expected
