"""Open data in a folder: files of one piece that are switched whole, and say of themselves what they are."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import re
import subprocess
from collections.abc import Callable, Iterator
from copy import deepcopy
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

import pytest
from ruamel.yaml import YAML

from connectors import _files as files
from connectors.folder.open_data import OpenDataTarget
from kiezbruecke.connector import (
    Batch,
    BatchHead,
    BatchTarget,
    CannotTell,
    Connection,
    Context,
    Found,
    Message,
    NotThere,
    manifest_for,
)
from kiezbruecke.content.routes import SendingRoute, find_route
from kiezbruecke.errors import AlreadyUsed, ConfigurationError, NotSent, Rejected
from kiezbruecke.records import Process

SPACE = UUID("6b1f2f0a-8f56-5d0c-9d0e-6b7a1c5e2026")
AT = datetime(2026, 5, 4, 22, 30, tzinfo=UTC)  # half past midnight of the fifth in Berlin
NAME = "kk-tk-2026"
DISTRICT = {
    "title": "Kiezkassen Treptow-Köpenick 2026: bewilligte Projekte",
    "publisher": "Bezirksamt Treptow-Köpenick von Berlin",
    "contact": {"name": "Sozialraumorientierte Planungskoordination", "email": "spk@ba-tk.example"},
    "contributor_id": "http://dcat-ap.de/def/contributors/TEST",
    "url": "https://ba-tk.example/offene-daten/",
}


def head(number: int = 1, *, test: bool = False) -> BatchHead:
    return BatchHead(f"KB26-offene-daten-tk-{number:06d}", "offene-daten-tk", AT, 2026, test=test)


def message(case: str, granted: str = "850.00", title: str = "Bank", number: int = 1) -> Message:
    identity = uuid5(SPACE, case)
    line = [str(identity), NAME, "09", "2026", "090416", "Müggelheim", title, "", granted]
    out = io.StringIO(newline="")
    csv.writer(out, lineterminator="\r\n").writerow([*line, "2026-04-24", "granted", "beschlossen", "2026-05-05"])
    return Message(
        key=uuid5(SPACE, f"{case}/{number}"),
        destination="offene-daten-tk",
        generation=1,
        case_id=identity,
        effect="open.list",
        number=number,
        reference=f"KK26-{case}",
        payload=out.getvalue().encode(),
        file_name="",
        media_type="text/csv",
        created_at=AT - timedelta(days=2 - number),
        test=False,
    )


FIRST, SECOND = message("a"), message("b", "1200.05", 'Fest, mit "Musik"')


@pytest.fixture
def place(tmp_path: Path) -> Path:
    folder = tmp_path / "offen"
    folder.mkdir()
    return folder


@pytest.fixture
def facts(content: Path) -> dict[str, Any]:
    """What the shipped route says, with what a district adds."""
    route = find_route(content, "kk-tk-offene-daten")
    assert isinstance(route, SendingRoute)
    return {**route.options["publication"], **deepcopy(DISTRICT)}


@pytest.fixture
def open_target(place: Path, content: Path, process: Process, facts: dict[str, Any]) -> Callable[[], OpenDataTarget]:
    def opened() -> OpenDataTarget:
        party = Connection("offene-daten-tk", "kb_folder", extra={"path": str(place), "profile": "offene-daten"})
        return OpenDataTarget(party, Context(process, {"publication": facts}, content))

    return opened


@pytest.fixture
def target(open_target: Callable[[], OpenDataTarget]) -> OpenDataTarget:
    return open_target()


def batch_of(target: OpenDataTarget, *messages: Message, number: int = 1, test: bool = False) -> Batch:
    first = head(number, test=test)
    return Batch(first, *target.compose(first, messages, []))


@pytest.fixture
def shown(target: OpenDataTarget, place: Path) -> Path:
    """The set of two lines, as a web server shows it."""
    target.send(batch_of(target, FIRST, SECOND), [FIRST, SECOND])
    return place / NAME


def lying(place: Path) -> set[str]:
    return {entry.name for entry in place.iterdir()}


# --- what lies there


def test_a_publication_is_four_files_under_one_address(shown: Path, place: Path) -> None:
    """The set has a name of its own; the address stays."""
    version = f"{NAME}-KB26-offene-daten-tk-000001"

    assert lying(place) == {NAME, f"{NAME}.ok", version}
    assert shown.readlink() == Path(version)
    assert {file.name for file in shown.iterdir()} == {
        f"{NAME}.csv", f"{NAME}.json", "datapackage.json", "dcat.jsonld"
    }  # fmt: skip


def test_the_mark_says_which_set_holds(shown: Path, place: Path) -> None:
    """As `sha256sum -c` reads it, in the folder where it lies."""
    subprocess.run(["sha256sum", "-c", "--strict", f"{NAME}.ok"], cwd=place, check=True, capture_output=True)

    assert len((place / f"{NAME}.ok").read_text().splitlines()) == len(list(shown.iterdir()))


def test_the_csv_is_as_rfc_4180_says(shown: Path) -> None:
    """CR LF, commas, quotes only where needed; no byte order mark; its lines are the messages' own bytes."""
    body = (shown / f"{NAME}.csv").read_bytes()
    header, *lines = body.split(b"\r\n")[:-1]

    assert body.endswith(b"\r\n")
    assert header.startswith(b"id,verfahren,bezirk,haushaltsjahr,")
    assert {line + b"\r\n" for line in lines} == {FIRST.payload, SECOND.payload}


def test_json_says_what_the_csv_says(shown: Path) -> None:
    """Row by row, field by field; sums as numbers, nothing for an empty cell."""
    table = list(csv.DictReader(io.StringIO((shown / f"{NAME}.csv").read_text("utf-8"))))
    rows = json.loads((shown / f"{NAME}.json").read_text("utf-8"), parse_float=Decimal)

    assert [_as_cells(row) for row in rows] == table
    assert {type(row["bewilligt"]) for row in rows} == {Decimal}
    assert {row["beantragt"] for row in rows} == {None}


def _as_cells(row: dict[str, Any]) -> dict[str, str]:
    return {
        key: "" if value is None else f"{value:.2f}" if isinstance(value, Decimal) else str(value)
        for key, value in row.items()
    }


# --- the schema, judged by the words of the standard


def _judged(rows: list[dict[str, Any]], schema: dict[str, Any]) -> Iterator[str]:
    """What is wrong with rows by a Table Schema (specs.frictionlessdata.io/table-schema), written for this test."""
    fields = {field["name"]: field for field in schema["fields"]}
    for row in rows:
        if list(row) != list(fields):
            yield f"other fields: {list(row)}"
        for name, value in row.items():
            yield from _wrong(fields[name], value)
    for name in [schema["primaryKey"], *(name for name, one in fields.items() if one["constraints"].get("unique"))]:
        if len({row[name] for row in rows}) != len(rows):
            yield f"{name} stands twice"


def _wrong(field: dict[str, Any], value: Any) -> Iterator[str]:
    constraints = field["constraints"]
    if value is None:
        if constraints["required"]:
            yield f"{field['name']} is missing"
        return
    fits = {
        "string": lambda: isinstance(value, str),
        "number": lambda: isinstance(value, int | float),
        "integer": lambda: type(value) is int,
        "date": lambda: bool(re.fullmatch(r"\d{4}-\d\d-\d\d", value)) and bool(date.fromisoformat(value)),
    }
    if not fits[field["type"]]():
        yield f"{field['name']} is no {field['type']}"
    if len(str(value)) > constraints.get("maxLength", 10**6):
        yield f"{field['name']} is too long"


def test_the_schema_fits_the_data(shown: Path) -> None:
    """And would refuse what does not fit: the judge can fail."""
    package = json.loads((shown / "datapackage.json").read_text("utf-8"))
    schema = package["resources"][0]["schema"]
    rows = json.loads((shown / f"{NAME}.json").read_text("utf-8"))
    broken = [{**rows[0], "bewilligt": "850,00", "beschlossen_am": "24.04.2026", "titel": None}, rows[0]]

    assert list(_judged(rows, schema)) == []
    assert sorted(_judged(broken, schema)) == sorted(
        [
            "bewilligt is no number",
            "beschlossen_am is no date",
            "titel is missing",
            "id stands twice",
            "id stands twice",
        ]
    )
    assert all(field["description"] for field in schema["fields"])


def test_the_package_names_its_files_with_their_digests(shown: Path) -> None:
    """So whoever has fetched one of today and one of yesterday can tell."""
    package = json.loads((shown / "datapackage.json").read_text("utf-8"))

    for resource in package["resources"]:
        body = (shown / resource["path"]).read_bytes()
        assert resource["bytes"] == len(body)
        assert resource["hash"] == f"sha256:{hashlib.sha256(body).hexdigest()}"
        assert re.fullmatch(r"[a-z0-9._-]+", resource["name"])
    assert re.fullmatch(r"[a-z0-9._-]+", package["name"])
    assert package["resources"][0]["dialect"]["delimiter"] == ","


# --- the metadata, by the list of the standard

# DCAT-AP.de 3.0, „Übersicht der Klassen und Eigenschaften“ (GovDataOfficial/DCAT-AP.de, Releases/DCAT-AP.de V3.0,
# spec/03_overview_table.md): what is „Verpflichtend“ …
MANDATORY = {
    "dcat:Dataset": ("dcterms:title", "dcterms:description", "dcterms:publisher"),
    "dcat:Distribution": ("dcat:accessURL", "dcterms:license"),
    "foaf:Agent": ("foaf:name",),
    "spdx:Checksum": ("spdx:algorithm", "spdx:checksumValue"),
}
# … what is „Empfohlen“ …
RECOMMENDED = {
    "dcat:Dataset": (
        "dcat:keyword",
        "dcatde:politicalGeocodingLevelURI",
        "dcatde:politicalGeocodingURI",
        "dcat:theme",
        "dcat:contactPoint",
        "dcatap:availability",
        "dcterms:spatial",
        "dcterms:temporal",
        "dcat:distribution",
    ),
    "dcat:Distribution": ("dcterms:title", "dcterms:modified", "dcterms:format", "dcatap:availability"),
    "dcterms:PeriodOfTime": ("dcat:startDate", "dcat:endDate"),
}
# … and what the Konventionenhandbuch asks for of GovData's suppliers: 1 (e-mail or URL), 12, 22, 30, 32, 36, 39.
CONVENTIONS = {
    "dcat:Dataset": ("dcatde:contributorID",),
    "dcat:Distribution": ("dcat:downloadURL", "adms:status"),
    "vcard:Organization": ("vcard:hasEmail",),
}


def _nodes(body: Any) -> Iterator[dict[str, Any]]:
    if isinstance(body, dict):
        if "@type" in body and "@value" not in body:
            yield body
        for key, value in body.items():
            if key != "@context":
                yield from _nodes(value)
    elif isinstance(body, list):
        for one in body:
            yield from _nodes(one)


def _links(body: Any) -> Iterator[str]:
    if isinstance(body, dict):
        if "@id" in body:
            yield body["@id"]
        for key, value in body.items():
            if key != "@context":
                yield from _links(value)
    elif isinstance(body, list):
        for one in body:
            yield from _links(one)


def test_the_metadata_hold_what_dcat_ap_de_asks_for(shown: Path) -> None:
    """Every class with its duties, its recommendations and the conventions; every prefix is explained."""
    dataset = json.loads((shown / "dcat.jsonld").read_text("utf-8"))
    nodes = list(_nodes(dataset))
    text = json.dumps({key: value for key, value in dataset.items() if key != "@context"})

    for asked in (MANDATORY, RECOMMENDED, CONVENTIONS):
        for kind, properties in asked.items():
            found = [node for node in nodes if node["@type"] == kind]
            assert found, kind
            assert [name for node in found for name in properties if not node.get(name)] == []
    assert set(re.findall(r'"([a-z]+):[A-Za-z]+"', text)) == set(dataset["@context"])
    assert [uri for uri in _links(dataset) if not re.fullmatch(r"(https?://|mailto:)\S+", uri)] == []


def test_the_metadata_speak_of_the_files_that_lie_there(shown: Path) -> None:
    """A distribution per file of data, its size and digest; the licence is of the list, the theme GOVE, the year's."""
    dataset = json.loads((shown / "dcat.jsonld").read_text("utf-8"))
    distributions = dataset["dcat:distribution"]

    assert dataset["dcterms:temporal"]["dcat:startDate"]["@value"] == "2026-01-01"
    assert dataset["dcat:theme"] == [{"@id": "http://publications.europa.eu/resource/authority/data-theme/GOVE"}]
    assert len(distributions) == 2
    for one in distributions:
        address = one["dcat:downloadURL"]["@id"]
        body = (shown / address.rpartition("/")[2]).read_bytes()
        assert address.startswith(f"https://ba-tk.example/offene-daten/{NAME}/")
        assert one["dcat:accessURL"] == one["dcat:downloadURL"]
        assert one["dcat:byteSize"]["@value"] == str(len(body))
        assert one["spdx:checksum"]["spdx:checksumValue"]["@value"] == hashlib.sha256(body).hexdigest()
        assert one["dcterms:license"]["@id"].startswith("http://dcat-ap.de/def/licenses/")


def test_the_only_day_is_that_of_the_last_change(target: OpenDataTarget) -> None:
    """In Berlin. No clock: composed at another time and as another batch, the files are the same."""
    first, later = head(1), BatchHead("KB26-x-000002", "offene-daten-tk", AT + timedelta(days=90), 2026)
    one, other = (target.compose(given, [FIRST], [SECOND])[1] for given in (first, later))
    changed = target.compose(first, [message("a", number=3)], [SECOND])[1]

    assert one == other
    assert b'"dcterms:modified": {\n    "@value": "2026-05-04"' in one
    assert b'"dcterms:modified": {\n    "@value": "2026-05-06"' in changed


def test_composing_is_pure(target: OpenDataTarget) -> None:
    """The order in which the ledger hands over messages is no part of the data; a newer line replaces an older."""
    assert target.compose(head(), [FIRST, SECOND], []) == target.compose(head(), [SECOND], [FIRST])
    assert b"850.00" not in target.compose(head(), [message("a", "700.00", number=2)], [FIRST])[1]


# --- what is missing is said


@pytest.mark.parametrize("missing", [*DISTRICT, "license", "language", "geocoding"])
def test_a_fact_that_is_missing_is_one_clear_line(
    open_target: Callable[[], OpenDataTarget], facts: dict[str, Any], missing: str
) -> None:
    """Before anything is written."""
    del facts[missing]

    with pytest.raises(ConfigurationError, match=rf"missing: {missing}; expected all facts") as caught:
        open_target()
    assert "\n" not in caught.value.line()


@pytest.mark.parametrize(
    ("fact", "value"),
    [("license", "dl-de-zero"), ("url", "ftp://x"), ("contributor_id", "BERLIN"), ("titel", "x"), ("theme", [])],
)
def test_a_fact_that_cannot_be_published_is_refused(
    open_target: Callable[[], OpenDataTarget], facts: dict[str, Any], fact: str, value: Any
) -> None:
    facts[fact] = value

    with pytest.raises(ConfigurationError, match=f"the publication cannot be described, {fact}"):
        open_target()


def test_everything_that_is_missing_is_said_at_once(
    open_target: Callable[[], OpenDataTarget], facts: dict[str, Any]
) -> None:
    """Not one by one."""
    facts.clear()

    with pytest.raises(ConfigurationError, match="missing: title, description, publisher, contact, license"):
        open_target()


def test_a_table_that_programs_cannot_read_is_refused(
    open_target: Callable[[], OpenDataTarget], content: Path, tmp_path: Path, process: Process, facts: dict[str, Any]
) -> None:
    """Commas in sums would be said in the CSV and could not be said in the JSON."""
    tables = tmp_path / "schemas/tables"
    tables.mkdir(parents=True)
    text = (content / "schemas/tables/offene-daten.yaml").read_text("utf-8").replace(", format: point", "")
    (tables / "offene-daten.yaml").write_text(text, "utf-8")
    party = Connection("x", "kb_folder", extra={"path": str(tmp_path), "profile": "offene-daten"})

    with pytest.raises(ConfigurationError, match="cannot be published: beantragt, bewilligt; expected CSV"):
        OpenDataTarget(party, Context(process, {"publication": facts}, tmp_path))


# --- once, and whole


def test_sending_twice_changes_nothing(target: OpenDataTarget, place: Path) -> None:
    """The same receipts, the same files."""
    batch = batch_of(target, FIRST)
    first = target.send(batch, [FIRST])
    before = [(entry.name, entry.lstat().st_mtime_ns) for entry in (place / batch.file_name[:-4]).iterdir()]

    assert target.send(batch, [FIRST]) == first
    assert [(entry.name, entry.lstat().st_mtime_ns) for entry in (place / batch.file_name[:-4]).iterdir()] == before


def test_asking_finds_what_is_shown(target: OpenDataTarget, place: Path) -> None:
    """Not there, there and not shown, shown, or someone else's."""
    batch = batch_of(target, FIRST)
    assert target.look_up(batch, [FIRST]) == {FIRST.key: NotThere()}
    receipts = target.send(batch, [FIRST])
    assert target.look_up(batch, [FIRST]) == {FIRST.key: Found(receipts[FIRST.key])}
    (place / NAME).unlink()
    assert target.look_up(batch, [FIRST]) == {FIRST.key: NotThere()}
    target.send(batch, [FIRST])
    (place / NAME / f"{NAME}.csv").write_bytes(b"other")
    assert isinstance(target.look_up(batch, [FIRST])[FIRST.key], CannotTell)


def test_the_next_publication_replaces_the_last(target: OpenDataTarget, shown: Path, place: Path) -> None:
    """What was put right does not stay under an old address; other people's things stay."""
    (place / "liesmich.txt").write_text("von der Webredaktion", "utf-8")
    (place / f"{NAME}-alt").mkdir()
    changed = message("a", "700.00", number=2)
    batch = batch_of(target, changed, number=2)
    target.send(batch, [changed])

    assert lying(place) == {NAME, f"{NAME}.ok", f"{NAME}-KB26-offene-daten-tk-000002", "liesmich.txt", f"{NAME}-alt"}
    assert b"850.00" not in (shown / f"{NAME}.csv").read_bytes()


@pytest.mark.parametrize("number", [1, 2])
def test_an_older_publication_never_replaces_a_newer_one(
    target: OpenDataTarget, shown: Path, place: Path, number: int
) -> None:
    """A ledger from a backup begins to count where it was: what was put right since would come back."""
    newest, older = batch_of(target, FIRST, number=3), batch_of(target, SECOND, number=number)
    target.send(newest, [FIRST])
    before = lying(place)

    with pytest.raises(AlreadyUsed, match="a newer publication is shown"):
        target.send(older, [SECOND])
    assert lying(place) == before
    assert target.look_up(older, [SECOND]) == {SECOND.key: NotThere()}


def test_after_a_recovery_numbers_begin_behind(target: OpenDataTarget, shown: Path) -> None:
    """`i2` stands in the carrier's id."""
    first = BatchHead("KB26-offene-daten-i2-000001", "offene-daten-tk", AT, 2026)
    batch = Batch(first, *target.compose(first, [FIRST], []))
    target.send(batch, [FIRST])

    assert shown.readlink() == Path(batch.file_name[:-4])


def test_the_page_names_all_that_a_district_must_say(
    open_target: Callable[[], OpenDataTarget], facts: dict[str, Any]
) -> None:
    """Whoever copies the block of docs/how-to/offene-daten.md publishes."""
    page = (Path(__file__).parents[3] / "docs/how-to/offene-daten.md").read_text("utf-8")
    block = YAML(typ="safe", pure=True).load(page.partition("```yaml\n")[2].partition("```")[0])
    said = block["routes"]["changes"]["offene-daten"]["with"]["publication"]
    for key in DISTRICT:
        del facts[key]
    facts |= said

    assert open_target()
    assert set(DISTRICT) <= set(said)


def test_other_processes_in_the_same_folder_stay(target: OpenDataTarget, shown: Path, place: Path) -> None:
    """Each has its own address, its mark, its sets; a test as well."""
    other = place / "kk-tk-2026-b-KB26-offene-daten-tk-000001"
    other.mkdir()
    batch = batch_of(target, FIRST, number=2, test=True)
    target.send(batch, [FIRST])

    assert other.is_dir()
    assert (place / f"TEST-{NAME}").is_symlink()
    assert shown.readlink().name.endswith("000001")


def test_what_somebody_put_in_the_place_of_the_address_is_not_replaced(target: OpenDataTarget, place: Path) -> None:
    """A folder of the web team; it is doubt, and a person sees it."""
    (place / NAME).mkdir()
    (place / NAME / "index.html").write_text("x", "utf-8")

    with pytest.raises(OSError, match=r"(?i)directory"):
        target.send(batch_of(target, FIRST), [FIRST])
    assert (place / NAME / "index.html").read_text("utf-8") == "x"


def test_another_content_under_the_sets_name_is_never_overwritten(target: OpenDataTarget, place: Path) -> None:
    batch = batch_of(target, FIRST)
    (place / batch.file_name[:-4]).mkdir()

    with pytest.raises(Rejected, match="another content"):
        target.send(batch, [FIRST])


def test_a_share_that_is_not_mounted_is_not_made(target: OpenDataTarget, place: Path) -> None:
    place.rmdir()

    with pytest.raises(NotSent, match="the folder is missing"):
        target.send(batch_of(target, FIRST), [FIRST])
    assert not place.exists()


def test_a_full_disk_leaves_the_old_set(
    target: OpenDataTarget, shown: Path, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Certain that nothing is there, so it is tried again."""
    before = lying(place)

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(files.os, "fsync", full)
        with pytest.raises(NotSent, match="No space left"):
            target.send(batch_of(target, FIRST, number=2), [FIRST])
    assert lying(place) == before
    assert (shown / f"{NAME}.csv").read_bytes().count(b"\r\n") == 3


def test_readers_of_the_folder_may_read_the_set(target: OpenDataTarget, place: Path) -> None:
    """This process keeps what it writes for itself; a publication is for the web server."""
    place.chmod(0o755)
    before = os.umask(0o077)
    try:
        target.send(batch_of(target, FIRST), [FIRST])
    finally:
        os.umask(before)

    assert (place / NAME).stat().st_mode & 0o777 == 0o755
    assert {file.stat().st_mode & 0o777 for file in (place / NAME).iterdir()} == {0o644}


class Killed(BaseException):
    """The process ends here."""


def test_killed_at_every_step_a_reader_sees_one_whole_set(
    open_target: Callable[[], OpenDataTarget], place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the address and by the mark: the old files or the new ones, never both; another try completes it."""
    target = open_target()
    old, new = batch_of(target, FIRST, SECOND), batch_of(target, message("a", "700.00", number=2), number=2)
    for number in range(1, 80):
        subprocess.run(["rm", "-rf", str(place)], check=True)
        place.mkdir()
        target.send(old, [FIRST])
        sets = {tuple(sorted(_read(place / NAME).items())): "old"}
        with monkeypatch.context() as patch:
            _crash_at(number, patch)
            try:
                target.send(new, [FIRST])
                killed = False
            except Killed:
                killed = True
        seen = _read(place / NAME)
        assert _digests(seen) == _marked(place) or tuple(sorted(seen.items())) in sets
        assert _is_of_one_piece(seen)
        subprocess.run(["sha256sum", "-c", "--strict", f"{NAME}.ok"], cwd=place, check=True, capture_output=True)

        target.send(new, [FIRST])
        assert isinstance(target.look_up(new, [FIRST])[FIRST.key], Found)
        assert _digests(_read(place / NAME)) == _marked(place)
        assert {name for name in lying(place) if not name.startswith(".")} == {NAME, f"{NAME}.ok", new.file_name[:-4]}
        if not killed:
            assert number > 20
            return
    pytest.fail("sending has more steps than this test kills")


def _read(shown: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in shown.iterdir()}


def _digests(seen: dict[str, bytes]) -> dict[str, str]:
    return {name: hashlib.sha256(body).hexdigest() for name, body in seen.items()}


def _marked(place: Path) -> dict[str, str]:
    lines = (line.split("  ") for line in (place / f"{NAME}.ok").read_text().splitlines())
    return {name.rpartition("/")[2]: digest for digest, name in lines}


def _is_of_one_piece(seen: dict[str, bytes]) -> bool:
    """The package names the digests of both files of data."""
    resources = json.loads(seen["datapackage.json"])["resources"]
    return all(one["hash"] == f"sha256:{_digests(seen)[one['path']]}" for one in resources)


def _crash_at(number: int, patch: pytest.MonkeyPatch) -> None:
    count = 0

    def wrap(real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            nonlocal count
            count += 1
            if count == number:
                raise Killed
            result = real(*args, **kwargs)
            count += 1
            if count == number:
                raise Killed
            return result

        return call

    for name in ("mkdir", "rename", "replace", "fsync", "symlink"):
        patch.setattr(os, name, wrap(getattr(os, name)))


# --- what the connector says of itself


def test_the_manifest_is_true(target: OpenDataTarget) -> None:
    """A list that is always whole; nothing but open data goes there."""
    party = Connection("x", "kb_folder", extra={"path": ".", "profile": "offene-daten"})
    manifest = manifest_for(party)

    assert isinstance(target, BatchTarget)
    assert manifest.effects == ("open.list",)
    assert (manifest.can.full_list, manifest.can.batch, manifest.can.dedupes) == (True, True, True)
    assert "publication" in manifest.options
