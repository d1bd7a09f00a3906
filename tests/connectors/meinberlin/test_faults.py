"""Answers that are no answers: each raises, names endpoint and field, and yields nothing."""

from __future__ import annotations

import json
import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from importlib import resources
from typing import Any

import pytest

from connectors.meinberlin import listing
from connectors.meinberlin.settings import Settings
from kiezbruecke.connector import Connection
from kiezbruecke.errors import ConfigurationError, KiezbrueckeError, SourceError

LIST = json.loads(
    resources.files("connectors.meinberlin").joinpath("testdata/17_pb_page_size_100.json").read_text("utf-8")
)["response"]["body"]
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("truncated_body", "cut or no JSON"),
        ("html_instead_of_json", "answered 200 with text/html"),
        ("wrong_content_type", "answered 200 with text/plain"),
        ("server_error", "answered 503"),
        ("too_many_requests", "answered 429"),
        ("reset", "no whole answer"),
        ("field_renamed", "field 'moderator_status' is missing"),
        ("field_retyped", "field 'comment_count' has another type"),
        ("budget_badge_missing", "no badge 'budget'"),
    ],
)
def test_a_broken_answer_is_a_source_error(place: Any, fault: str, words: str) -> None:
    """It names the endpoint, so that IT operations need not search."""
    place.running.arm(fault)

    with pytest.raises(SourceError, match=words) as caught:
        place.items()

    assert "GET /api/modules/1/proposals/" in str(caught.value)


def test_a_redirect_elsewhere_is_a_wrong_host(place: Any) -> None:
    """Passwords do not follow."""
    place.running.arm("foreign_redirect")

    with pytest.raises(ConfigurationError, match=r"stands at https://anderswo\.example.*set host"):
        place.items()


def test_an_account_that_is_refused_stops_the_run(place: Any) -> None:
    """A password that ran out over night."""
    place.running.arm("wrong_credentials")

    with pytest.raises(ConfigurationError, match="refuses login and password"):
        place.items(login=place.moderator)


def test_a_dripping_answer_ends_at_the_deadline(place: Any) -> None:
    """One byte every 50 ms outlives every read timeout."""
    place.running.arm("slow_drip")
    begun = time.monotonic()

    with pytest.raises(SourceError, match=r"within 0\.5 s"):
        place.items(deadline=0.5, read_timeout=5)

    assert time.monotonic() - begun < 3


def test_a_dripping_head_ends_at_the_deadline() -> None:
    """Not even the status line came."""
    with (
        raw_server(lambda connection: drip(connection, HEAD)) as address,
        pytest.raises(SourceError, match=r"within 0\.3 s"),
    ):
        read(address, deadline=0.3)


def drip(connection: socket.socket, content: bytes) -> None:
    for byte in content:
        connection.sendall(bytes([byte]))
        time.sleep(0.05)


def test_a_body_cut_without_content_length_is_found() -> None:
    """HTTP raises nothing here; the document does."""
    body = json.dumps(LIST).encode()[:-40]

    with (
        raw_server(answer(HEAD + b"\r\n" + body)) as address,
        pytest.raises(SourceError, match="cut or no JSON"),
    ):
        read(address)


def test_a_body_shorter_than_promised_is_found() -> None:
    """Content-Length promised more, and what came happens to be JSON."""
    content = HEAD + b"Content-Length: 9999999\r\n\r\n" + json.dumps(LIST).encode()

    with raw_server(answer(content)) as address, pytest.raises(SourceError, match="no whole answer"):
        read(address)


def test_a_whole_document_with_fewer_rows_than_counted_is_found() -> None:
    """A proxy that caches an old page: whole JSON, wrong number."""
    short = {**LIST, "results": LIST["results"][:-1]}

    with raw_server(answer(whole(short))) as address, pytest.raises(SourceError, match="changed in each"):
        read(address, passes=2)


@pytest.mark.parametrize("rows", [LIST["results"][:1], LIST["results"] * 100], ids=["pages", "proposals"])
def test_a_list_without_end_ends(rows: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch) -> None:
    """Seen: a count of a thousand million and always another page; ten thousand pages later it still read on."""
    monkeypatch.setattr(listing, "PAGES", 20)
    endless = {**LIST, "count": 10**9, "next": "https://name.example/?page=2", "results": rows}

    with raw_server(answer(whole(endless))) as address, pytest.raises(SourceError, match="does not end"):
        read(address)


def every(**fields: Any) -> dict[str, Any]:
    """The list with other fields in all its entries."""
    return {"results": [{**row, **fields} for row in LIST["results"]]}


def one(**fields: Any) -> dict[str, Any]:
    """The list with other fields in its second entry."""
    first, second, *rest = LIST["results"]
    return {"results": [first, {**second, **fields}, *rest]}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"count": None}, "field 'count'"),
        ({"count": "60"}, "field 'count'"),
        ({"results": {}}, "field 'results'"),
        ({"results": [7], "count": 1}, "entry of 'results'"),
        ({"results": [7, 7]}, "entry of 'results'"),
        ({"next": 2}, "field 'next'"),
        (every(pk="57"), "field 'pk'"),
        (every(pk=True), "field 'pk'"),
        (every(modified=1), "field 'modified'"),
        (every(is_archived=0), "field 'is_archived'"),
        (every(item_badges_for_list=["budget"]), "item_badges_for_list"),
    ],
)
def test_a_field_of_another_kind_is_named(change: dict[str, Any], words: str) -> None:
    """A changed API must never become an empty field."""
    with (
        raw_server(answer(whole({**LIST, **change}))) as address,
        pytest.raises(SourceError, match=words) as caught,
    ):
        read(address)

    assert "Seniorenclub" not in str(caught.value)


@pytest.mark.parametrize(
    "field",
    sorted(
        LIST["results"][0].keys() - {"additional_item_badges_for_list_count", "session_token_voted", "vote_allowed"}
    ),
)
def test_every_field_that_is_read_must_be_there(field: str) -> None:
    """The message names it."""
    rows = [{key: value for key, value in row.items() if key != field} for row in LIST["results"]]

    with (
        raw_server(answer(whole({**LIST, "results": rows}))) as address,
        pytest.raises(SourceError, match=f"field '{field}' is missing"),
    ):
        read(address)


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"name": None}, "name"),
        ({"comment_count": "7"}, "comment_count"),
        ({"item_badges_for_list": []}, "item_badges_for_list"),
    ],
)
def test_one_odd_entry_stops_no_other(fields: dict[str, Any], field: str) -> None:
    """It is there with its key, so that its proposal is not gone, and a sentence says where to look."""
    second = LIST["results"][1]
    with raw_server(answer(whole({**LIST, **one(**fields)}))) as address:
        items = read(address)

    (odd,) = [item for item in items if item.kind == "proposal-problem"]
    assert len(items) == LIST["count"] == len({item.external_id for item in items})
    assert odd.external_id == str(second["pk"])
    assert odd.problem.startswith(f"Vorschlag {second['reference_number']} ist nicht lesbar: ")
    assert f"„{field}“" in odd.problem
    assert second["name"] not in odd.problem


@pytest.mark.parametrize(
    ("field", "known"), [("name", True), ("point", True), ("pk", False)], ids=["a text", "an object", "its own key"]
)
def test_an_entry_with_a_field_twice_stops_no_other(field: str, *, known: bool) -> None:
    """Of two values nobody knows which is meant; the last one would have won."""
    second = LIST["results"][1]
    text = json.dumps(second)
    doubled = f'{text[:-1]}, "{field}": {json.dumps(second[field])}}}'
    body = json.dumps(LIST).replace(text, doubled).encode()
    with raw_server(answer(HEAD + f"Content-Length: {len(body)}\r\n\r\n".encode() + body)) as address:
        items = read(address)

    (odd,) = [item for item in items if item.kind == "proposal-problem"]
    assert len(items) == LIST["count"]
    assert (odd.external_id == str(second["pk"])) is known
    assert f"das Feld „{field}“ steht zweimal da" in odd.problem


@pytest.mark.parametrize(
    ("entry", "key", "name"),
    [
        ({**LIST["results"][1], "pk": "57"}, LIST["results"][1]["reference_number"], "Vorschlag 2026-"),
        ({**LIST["results"][1], "reference_number": 4}, str(LIST["results"][1]["pk"]), "Vorschlag mit dem Schlüssel"),
        ({"reference_number": "Erika Kanarienvogel"}, "modul-1-seite-1-eintrag-2", "Ein Vorschlag ist"),
        (None, "modul-1-seite-1-eintrag-2", "Ein Vorschlag ist"),
    ],
)
def test_an_odd_entry_goes_by_what_is_known_of_it(entry: Any, key: str, name: str) -> None:
    """Key, else reference number, else its place; never what somebody wrote."""
    first, _, *rest = LIST["results"]
    with raw_server(answer(whole({**LIST, "results": [first, entry, *rest]}))) as address:
        (odd,) = [item for item in read(address) if item.kind == "proposal-problem"]

    assert odd.external_id == key
    assert odd.problem.startswith(name)


def test_a_lone_odd_entry_on_the_last_page_stops_no_other(place: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fifty-one entries in pages of 25."""
    from connectors.meinberlin import listing

    def flawed(entry: Any, module_type: str) -> Any:
        return listing_flaw if entry["pk"] == last else None

    for row in place.items()[51:]:
        place.delete(int(row.external_id))
    last = max(int(item.external_id) for item in place.items())
    listing_flaw = listing.find_flaw(None, "budgeting")
    monkeypatch.setattr(listing, "find_flaw", flawed)
    place.running.arm("page_capped", 99)
    items = place.items()

    assert [item.external_id for item in items if item.kind == "proposal-problem"] == [str(last)]
    assert len(items) == 51


@pytest.mark.parametrize(
    "point",
    [
        {"type": "Feature", "properties": {}, "geometry": {"type": "Point", "coordinates": []}},
        {"type": "Feature", "properties": {}, "geometry": {"type": "Point", "coordinates": ["13.6", "52.4"]}},
        {"type": "Feature", "properties": {}, "geometry": {"type": "Polygon", "coordinates": [[[13.6, 52.4]]]}},
        '{"type": "Point", "coordinates": [13.6, 52.4]}',
        "13.6,52.4",
        [13.6, 52.4],
        7,
    ],
    ids=["empty", "texts", "polygon", "JSON text", "text", "list", "number"],
)
def test_a_place_that_is_none_is_left_out(point: Any, caplog: pytest.LogCaptureFixture) -> None:
    """The proposal comes all the same, and one line says how many have no place."""
    with raw_server(answer(whole({**LIST, **one(point=point)}))) as address, caplog.at_level(logging.WARNING):
        items = read(address)

    assert [item.kind for item in items] == ["proposal"] * LIST["count"]
    assert next(item for item in items if item.external_id == str(LIST["results"][1]["pk"])).body["point"] is None
    assert [record.getMessage() for record in caplog.records if "place" in record.getMessage()] == [
        "connection meinberlin-test: the place of 1 proposal(s) has another form than before; they come without a place"
    ]


@pytest.mark.parametrize("content", [b"[1,", b"null", b"NaN", b'{"count": NaN}', b"\xff\xfe{}", b"[" * 100_000, b""])
def test_a_body_that_is_no_list_is_refused(content: bytes) -> None:
    """Whatever comes, an error of ours comes out."""
    with (
        raw_server(answer(HEAD + b"Connection: close\r\n\r\n" + content)) as address,
        pytest.raises(SourceError),
    ):
        read(address)


def test_nobody_there_is_a_source_error() -> None:
    """A platform in maintenance is tried again."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{unused.getsockname()[1]}"

    with pytest.raises(SourceError, match="no whole answer"):
        read(address)


def read(address: str, **extra: Any) -> list[Any]:
    from connectors.meinberlin.client import MeinBerlin
    from kiezbruecke.connector import Context
    from kiezbruecke.records import Module, Process

    process = Process(
        id="kk", name="KK", reference_prefix="KK26", bezirk_id="09", fiscal_year=2026,
        modules=(Module(id=1, type="budgeting"),),
    )  # fmt: skip
    connection = Connection(id="meinberlin-test", type="kb_meinberlin", host=address, extra=extra)
    return list(MeinBerlin(connection, Context(process)).fetch(None))  # type: ignore[arg-type]


def whole(body: Any) -> bytes:
    content = json.dumps(body).encode()
    return HEAD + f"Content-Length: {len(content)}\r\n\r\n".encode() + content


def answer(content: bytes) -> Callable[[socket.socket], None]:
    return lambda connection: connection.sendall(content)


@contextmanager
def raw_server(handle: Callable[[socket.socket], None]) -> Iterator[str]:
    """A server below HTTP: it says exactly these bytes and hangs up."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(5)
        thread = threading.Thread(target=_serve, args=(listener, handle), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


def _serve(listener: socket.socket, handle: Callable[[socket.socket], None]) -> None:
    try:
        while True:
            connection, _ = listener.accept()
            with connection:
                _read_request(connection)
                handle(connection)
                _hang_up(connection)
    except OSError:
        return


def _read_request(connection: socket.socket) -> None:
    """All of it: whoever hangs up on what is unread resets the connection."""
    read = b""
    while b"\r\n\r\n" not in read and (more := connection.recv(65536)):
        read += more


def _hang_up(connection: socket.socket) -> None:
    with suppress(OSError):  # some have hung up by themselves
        connection.settimeout(2)
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(65536):
            pass


@pytest.mark.parametrize(
    ("connection", "origin"),
    [
        ({"host": "https://mein.berlin.de"}, "https://mein.berlin.de"),
        ({"host": "https://mein.berlin.de/"}, "https://mein.berlin.de"),
        ({"host": "mein.berlin.de"}, "https://mein.berlin.de"),
        ({"host": "127.0.0.1", "port": 8003, "schema": "http"}, "http://127.0.0.1:8003"),
        ({"host": "http://127.0.0.1:8003"}, "http://127.0.0.1:8003"),
    ],
)
def test_the_address_may_be_given_in_two_ways(connection: dict[str, Any], origin: str) -> None:
    """Whole, or in the parts of Airflow's form."""
    assert Settings.from_connection(Connection(id="x", type="kb_meinberlin", **connection)).address == origin


@pytest.mark.parametrize(
    ("connection", "words"),
    [
        ({}, "host is empty"),
        ({"host": "ftp://mein.berlin.de"}, "no address"),
        ({"host": "https://mein.berlin.de/api/modules/1/"}, "no address"),
        ({"host": "https://a:b@mein.berlin.de"}, "holds a login"),
        ({"host": "http://mein.berlin.de", "login": "x", "password": "y"}, "must not travel over http"),
        ({"host": "mein.berlin.de", "extra": {"page_size": 0}}, "page_size"),
        ({"host": "mein.berlin.de", "extra": {"pagesize": 5}}, "pagesize"),
        ({"host": "mein.berlin.de", "extra": {"origin": "x"}}, "origin"),
    ],
)
def test_a_wrong_setting_is_named(connection: dict[str, Any], words: str) -> None:
    """And no secret with it."""
    with pytest.raises(KiezbrueckeError, match=words) as caught:
        Settings.from_connection(Connection(id="x", type="kb_meinberlin", **connection))

    assert isinstance(caught.value, ConfigurationError)
