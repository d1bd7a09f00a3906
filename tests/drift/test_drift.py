"""What breaks a mapping and what does not, on our own mappings and recordings."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from kiezbruecke import pipeline
from kiezbruecke.connector import Connection, Item, Manifest
from kiezbruecke.content.processes import read_process
from kiezbruecke.content.routes import CollectingRoute, find_route
from kiezbruecke.drift import breaking, look_at_answers, look_at_mapping, read_fingerprint, render
from kiezbruecke.drift.answers import Field, learn
from kiezbruecke.drift.changes import Change
from kiezbruecke.drift.fingerprint import Fingerprint, built_on, take
from kiezbruecke.drift.services import Service, compare_services, read_service
from kiezbruecke.errors import ConfigurationError
from kiezbruecke.ledger import tables
from kiezbruecke.ledger.runs import begin_run, end_run
from kiezbruecke.mapping import Mapping, load_mapping, mapping_names
from kiezbruecke.stages import collecting as collecting_stage
from kiezbruecke.stages.work import Collecting, Counts
from tests.cli.conftest import Call, call
from tests.stages.test_collecting import Box
from tests.world import World, line, make_world, odd_world, processes

__all__ = ["call", "make_world", "odd_world", "processes"]

ROOT = Path(__file__).resolve().parents[2]
XDOMEA = "case-xdomea-0401"
HEAD = "Schriftgutobjekt/Vorgang/AllgemeineMetadaten"


def edit(content: Path, path: str, old: str, new: str) -> None:
    """Change one file of the copy; the text must stand there."""
    file = content / path
    text = file.read_text("utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), "utf-8")


def changes(content: Path, name: str) -> list[Change]:
    """What `drift check` says of one mapping's files."""
    mapping = load_mapping(name, content)
    accepted = read_fingerprint(mapping, content)
    assert accepted is not None
    return look_at_mapping(mapping, content, accepted)


def proposals(**renamed: str) -> list[dict[str, Any]]:
    """The recorded proposals as the connector hands them over, with fields renamed."""
    from connectors.meinberlin.proposal import proposal_body

    process = read_process(ROOT, "kk-tk-2026")
    module = next(one for one in process.modules if one.type == "budgeting")
    recorded = json.loads((ROOT / "connectors/meinberlin/testdata/17_pb_page_size_100.json").read_text("utf-8"))
    rows = recorded["response"]["body"]["results"]
    bodies = [proposal_body(row, module, "https://mein.berlin.de") for row in rows]
    return [{renamed.get(key, key): value for key, value in body.items()} for body in bodies]


def seen(items: list[dict[str, Any]]) -> list[Change]:
    """What a run would say of these proposals."""
    mapping = load_mapping("meinberlin-proposal", ROOT)
    accepted = read_fingerprint(mapping, ROOT)
    assert accepted is not None
    return look_at_answers(mapping, accepted, items)


# --- what is accepted


@pytest.mark.parametrize("name", mapping_names(ROOT))
def test_what_is_accepted_is_what_is_there(name: str) -> None:
    """Like a golden example: whoever changes a schema or a list accepts what becomes of the mappings."""
    mapping = load_mapping(name, ROOT)
    accepted = read_fingerprint(mapping, ROOT)

    assert accepted is not None
    assert accepted.built_on == built_on(mapping, ROOT)
    assert render(accepted) == (ROOT / "mappings" / mapping.direction / name / "fingerprint.yaml").read_text("utf-8")


def test_accepting_twice_writes_the_same(call: Call, content: Path) -> None:
    """The file is for git."""
    file = content / "mappings/inbound/xdomea-0402/fingerprint.yaml"
    before = file.read_text("utf-8")
    said = call("drift", "accept", "xdomea-0402", "--content", str(content))

    assert said.code == 0
    assert file.read_text("utf-8") == before


# --- schemas


def test_a_change_elsewhere_in_the_schema_is_no_drift(content: Path) -> None:
    """Documentation, and elements that no rule fills."""
    edit(content, "schemas/xdomea/4.0.0/profile.xsd", "<xs:schema", "<!-- revised --><xs:schema")

    assert changes(content, XDOMEA) == []


@pytest.mark.parametrize(
    ("old", "new", "severity", "words"),
    [
        ("maxLength=30", "maxLength=60", "compatible", "maxLength"),
        ("maxLength=30", "maxLength=10", "breaking", "maxLength"),
        ("values=a,b", "values=a,b,c", "compatible", "values more: c"),
        ("values=a,b", "values=a", "breaking", "values gone: b"),
        ("mandatory=0", "mandatory=1", "breaking", "became mandatory"),
        ("mandatory=1", "mandatory=0", "compatible", "no longer mandatory"),
        ("kind=text", "kind=date", "breaking", "text became date"),
        ("kind=date", "kind=text", "compatible", "date became text"),
        ("fixed=", "fixed=x", "breaking", "fixed to 'x'"),
        ("pattern=[a-z]", "pattern=[a-y]", "breaking", "pattern"),
        ("minInclusive=1", "minInclusive=0", "compatible", "minInclusive"),
        ("maximum=", "maximum=1", "compatible", "once instead of without end"),
    ],
)
def test_narrower_breaks_and_wider_does_not(old: str, new: str, severity: str, words: str) -> None:
    """For a place that a rule fills from a source."""
    from kiezbruecke.drift.places import PlaceUse
    from kiezbruecke.drift.schemas import compare_places

    before, after = {"A": _place(old)}, {"A": _place(new)}
    (change,) = compare_places(before, after, {"A": PlaceUse(texts=None)})

    assert (change.severity, words in change.reason) == (severity, True)


@pytest.mark.parametrize(("only_text", "severity"), [(True, "compatible"), (False, "breaking")])
def test_a_number_that_becomes_a_text_breaks_where_that_is_written_otherwise(only_text: bool, severity: str) -> None:
    """In XML both are 850.00; in JSON it becomes "850.00", which whoever reads it does not take for a sum."""
    from kiezbruecke.drift.places import PlaceUse, SchemaPlace
    from kiezbruecke.drift.schemas import compare_places

    old, new = {"A": SchemaPlace(kind="decimal")}, {"A": SchemaPlace(kind="text")}
    (change,) = compare_places(old, new, {"A": PlaceUse(texts=None)}, only_text=only_text)

    assert (change.severity, change.reason) == (severity, "decimal became text")


def test_a_sum_of_a_json_schema_that_becomes_a_text_breaks(content: Path) -> None:
    """The target says which of the two it is."""
    schema = content / "schemas/json/summen.schema.json"
    schema.parent.mkdir(parents=True, exist_ok=True)
    schema.write_text('{"type": "object", "properties": {"summe": {"type": "number"}}}', "utf-8")
    folder = content / "mappings/outbound/summen"
    folder.mkdir()
    (folder / "mapping.yaml").write_text(
        "name: summen\nversion: 1\ndirection: outbound\nroots: [route]\ntarget: json summen\nrules:\n"
        "- {target: summe, from: route.summe}\n",
        "utf-8",
    )
    accepted = take(load_mapping("summen", content), content)
    edit(content, "schemas/json/summen.schema.json", "number", "string")

    found = look_at_mapping(load_mapping("summen", content), content, accepted)

    assert [one.line() for one in breaking(found)] == ["breaking: target summe: decimal became text"]


def _place(text: str) -> Any:
    from kiezbruecke.drift.places import SchemaPlace

    key, _, value = text.partition("=")
    match key:
        case "values":
            return SchemaPlace(values=tuple(value.split(",")))
        case "mandatory":
            return SchemaPlace(minimum=int(value), mandatory=value == "1")
        case "kind":
            return SchemaPlace(kind=value)
        case "fixed":
            return SchemaPlace(fixed=value or None)
        case "maximum":
            return SchemaPlace(maximum=int(value) if value else None)
    return SchemaPlace(facets={key: value})


def test_a_value_that_no_rule_writes_may_go() -> None:
    """A constant and a code list say which texts can stand there."""
    from kiezbruecke.drift.places import PlaceUse, SchemaPlace
    from kiezbruecke.drift.schemas import compare_places

    old, new = {"A": SchemaPlace(values=("a", "b"))}, {"A": SchemaPlace(values=("a",))}

    assert breaking(compare_places(old, new, {"A": PlaceUse(texts=frozenset({"a"}))})) == []
    assert breaking(compare_places(old, new, {"A": PlaceUse(texts=frozenset({"b"}))})) != []


def test_an_element_that_is_gone_breaks_the_mapping_that_fills_it() -> None:
    """On the real tree of our profile: what was accepted there and is not there now."""
    from kiezbruecke.drift.places import find_places, used_places
    from kiezbruecke.drift.schemas import compare_places

    mapping = load_mapping(XDOMEA, ROOT)
    used = used_places(mapping)
    places = find_places(mapping.goal.root, used)
    less = {path: place for path, place in places.items() if not path.startswith(f"{HEAD}/Betreff")}

    (gone,) = compare_places(places, less, used)
    (new,) = compare_places(less, places, used)

    assert (gone.severity, gone.path, gone.reason) == ("breaking", f"{HEAD}/Betreff", "is gone")
    assert (new.severity, new.reason) == ("compatible", "is new and mandatory, and a rule fills it")


def test_a_new_mandatory_element_beside_the_rules_breaks(content: Path) -> None:
    """The schema's author adds a duty that no rule knows – unless its value is fixed, and writes itself."""
    from kiezbruecke.drift.places import find_places, used_places
    from kiezbruecke.drift.schemas import compare_places

    mapping = load_mapping(XDOMEA, ROOT)
    places = find_places(mapping.goal.root, used_places(mapping))
    less = {path: place for path, place in places.items() if path not in ("@standard", f"{HEAD}/Betreff")}
    found = {one.path: one.severity for one in compare_places(less, places, {})}

    assert found[f"{HEAD}/Betreff"] == "breaking"
    assert found["@standard"] == "compatible"


# --- services


HKR = "schemas/hkr/1.0/service.wsdl"


@pytest.mark.parametrize(
    ("old", "new", "severity", "words"),
    [
        ('soapAction="', 'soapAction="urn:other:', "breaking", "soapAction"),
        ('name="HoechstAnzahl"', 'name="Hoechstanzahl"', "breaking", "is "),
        (
            'name="HoechstAnzahl" type="xs:positiveInteger"',
            'name="HoechstAnzahl" type="xs:string"',
            "breaking",
            "positiveInteger became string",
        ),
        ("<wsdl:definitions", "<!-- new --><wsdl:definitions", "", ""),
    ],
)
def test_a_service_that_changes(tmp_path: Path, old: str, new: str, severity: str, words: str) -> None:
    """Operations, actions and the elements of messages; a comment is nothing."""
    text = (ROOT / HKR).read_text("utf-8")
    assert old in text
    (tmp_path / "s.wsdl").write_text(text.replace(old, new, 1), "utf-8")
    found = list(compare_services(read_service(ROOT / HKR), read_service(tmp_path / "s.wsdl")))

    assert bool(breaking(found)) == bool(severity)
    assert [change for change in breaking(found) if words not in change.reason] == []


def test_two_wsdl_files_are_compared_without_a_mapping(call: Call, tmp_path: Path) -> None:
    """The operator of a transport sends a new one; no mapping's target is described by it."""
    text = (ROOT / HKR).read_text("utf-8")
    (tmp_path / "s.wsdl").write_text(text.replace('name="HoechstAnzahl"', 'name="Hoechstanzahl"', 1), "utf-8")
    said = call("drift", "wsdl", str(ROOT / HKR), str(tmp_path / "s.wsdl"))

    assert said.code == 1
    assert "breaking: service HoleRueckmeldungen/input/HoleRueckmeldungen/HoechstAnzahl: is gone" in said.out


TYPES = """<wsdl:definitions xmlns:wsdl="http://schemas.xmlsoap.org/wsdl/" xmlns:xs="http://www.w3.org/2001/XMLSchema">
<wsdl:types><xs:schema><xs:element name="Ask" type="T0"/>{types}</xs:schema></wsdl:types>
<wsdl:message name="m"><wsdl:part element="Ask"/></wsdl:message>
<wsdl:portType><wsdl:operation name="ask"><wsdl:input message="m"/></wsdl:operation></wsdl:portType>
</wsdl:definitions>"""


def written(file: Path, types: str) -> Service:
    """A service whose one message is of type T0."""
    file.write_text(TYPES.format(types=types), "utf-8")
    return read_service(file)


@pytest.mark.parametrize("way", ["types", "references", "bases"])
def test_types_that_use_each_other_twice_do_not_multiply(tmp_path: Path, way: str) -> None:
    """Twenty such types are a million places, and reading them never came to an end."""
    shapes = {
        "types": '<xs:complexType name="T{0}"><xs:sequence><xs:element name="A" type="T{1}"/>'
        '<xs:element name="B" type="T{1}"/></xs:sequence></xs:complexType>',
        "references": '<xs:element name="E{0}"><xs:complexType><xs:sequence><xs:element ref="E{1}"/><xs:choice>'
        '<xs:element name="B"><xs:complexType><xs:sequence><xs:element ref="E{1}"/></xs:sequence></xs:complexType>'
        "</xs:element></xs:choice></xs:sequence></xs:complexType></xs:element>",
        "bases": '<xs:complexType name="T{0}"><xs:complexContent><xs:extension base="T{1}"><xs:sequence>'
        '<xs:element name="A{0}" type="T{1}"/><xs:element name="B{0}" type="T{1}"/>'
        "</xs:sequence></xs:extension></xs:complexContent></xs:complexType>",
    }
    types = "".join(shapes[way].format(number, number + 1) for number in range(20))
    if way == "references":
        types += '<xs:complexType name="T0"><xs:sequence><xs:element ref="E0"/></xs:sequence></xs:complexType>'
    last = (
        '<xs:complexType name="T20"><xs:sequence><xs:element name="Last" type="xs:{0}"/></xs:sequence></xs:complexType>'
    )
    last += '<xs:element name="E20" type="T20"/>'
    old = written(tmp_path / "old.wsdl", types + last.format("string"))
    new = written(tmp_path / "new.wsdl", types + last.format("int"))

    assert len(old.places) < 2000
    assert {change.reason for change in compare_services(old, new)} == {"string became int"}


def test_types_that_extend_each_other_come_to_an_end(tmp_path: Path) -> None:
    """No schema may, but the file comes from outside."""
    extension = (
        '<xs:complexType name="T{}"><xs:complexContent><xs:extension base="T{}"/></xs:complexContent></xs:complexType>'
    )
    service = written(tmp_path / "s.wsdl", extension.format(0, 1) + extension.format(1, 0))

    assert list(service.places) == ["ask/input/Ask"]


def test_blanks_around_a_number_mean_nothing(tmp_path: Path) -> None:
    """An attribute's value is trimmed before it is read (XSD 1.0 part 2, 4.3.6)."""
    element = (
        '<xs:complexType name="T0"><xs:sequence><xs:element name="A" minOccurs="{}" maxOccurs="{}"/>'
        "</xs:sequence></xs:complexType>"
    )
    place = written(tmp_path / "s.wsdl", element.format(" 0", " unbounded ")).places["ask/input/Ask/A"]

    assert (place.minimum, place.maximum) == (0, None)
    with pytest.raises(ConfigurationError, match="maxOccurs is no number"):
        written(tmp_path / "s.wsdl", element.format("0", "many"))


# --- code lists


def test_a_value_that_a_list_loses_breaks_and_one_more_does_not(content: Path) -> None:
    """A value without a partner sets its item aside."""
    edit(content, "mappings/codelists/meinberlin-status.csv", "ACCEPTED;accepted", "TAKEN;accepted")
    found = changes(content, "meinberlin-proposal")

    assert [one.line() for one in breaking(found)] == ["breaking: list meinberlin-status.csv: values gone: ACCEPTED"]


def test_another_partner_breaks(content: Path) -> None:
    """The same word means something else: nobody would see it."""
    edit(content, "mappings/codelists/meinberlin-status.csv", "ACCEPTED;accepted", "ACCEPTED;rejected")

    assert [one.reason for one in breaking(changes(content, "meinberlin-proposal"))] == ["other partners: ACCEPTED"]


def test_a_code_that_no_rule_writes_may_go(content: Path) -> None:
    """case-xdomea-0401 writes 001 of this list, and nothing from a source."""
    edit(content, "mappings/codelists/xdomea-medium.yaml", '  "003": Papier\n', "")
    found = changes(content, XDOMEA)

    assert breaking(found) == []
    assert [one.path for one in found] == ["xdomea-medium.yaml"]


# --- answers


def test_a_recording_as_it_was_is_no_drift() -> None:
    """Recorded in November 2026; the fingerprint was learnt from hand-written examples."""
    assert breaking(seen(proposals())) == []


def test_a_renamed_field_that_a_rule_reads_breaks() -> None:
    """An empty status would pass for 'submitted'."""
    found = seen(proposals(moderator_status="status"))

    assert [one.line() for one in breaking(found)] == ["breaking: source moderator_status: is gone from every answer"]
    assert "compatible: source status: is new" in [one.line() for one in found]


def test_a_field_of_another_kind_breaks_only_where_it_is_read() -> None:
    """comment_count is read, pk is not."""
    items = [{**one, "comment_count": "3", "pk": "7"} for one in proposals()]
    found = {one.path: one.severity for one in seen(items)}

    assert (found["comment_count"], found["pk"]) == ("breaking", "compatible")


def test_an_empty_list_and_a_missing_parent_prove_nothing() -> None:
    """What could not hold a field has not lost it."""
    mapping = load_mapping("meinberlin-proposal", ROOT)
    accepted = read_fingerprint(mapping, ROOT)
    assert accepted is not None

    assert breaking(look_at_answers(mapping, accepted, [{**one, "point": None} for one in proposals()])) == []


def test_no_value_and_no_personal_name_is_kept() -> None:
    """Keys can be data: ids, addresses, names of people."""
    body = {
        "1f0c3a52-9d5c-4c5e-8f0e-2f6f5f3f0a11": {"name": "Änne Müßig"},
        "aenne@example.org": 1,
        "Änne Müßig": 2,
        "2026-00061": 3,
        "title": "Bank",
    }

    assert learn([body], [("title",)]) == {
        "*": Field(("number", "object"), empty=False),
        "*/name": Field(("text",), always=False),
        "title": Field(("text",), always=True),
    }


@pytest.mark.parametrize(
    "name",
    ["Erika", "Mustermann.Erika", "erika.mustermann", "Erika Mustermann", "Mustermann-Schulze", "ärger", "030:123", ""],
)
def test_a_name_that_may_be_a_person_is_kept_only_where_a_rule_reads_it(name: str) -> None:
    """The file lies in git and is reviewed by many; votes by name are a source's choice, not ours."""
    body = {"votes": {name: {"count": 1}}}

    assert list(learn([body], [("votes",)])) == ["votes", "votes/*", "votes/*/count"]
    assert list(learn([body], [("votes", name)])) == ["votes", f"votes/{name}", f"votes/{name}/count"]


@pytest.mark.parametrize("name", ["asked_amount", "_links", "detailUrl", "line2"])
def test_a_plain_identifier_is_kept_though_no_rule_reads_it(name: str) -> None:
    """What is new in an answer is worth a line."""
    assert list(learn([{name: 1}], [])) == [name]


# --- in a run


def test_drift_stops_the_route_that_says_so_and_no_other(odd_world: World) -> None:
    """Before anything is stored; a person reads which field, and the rest of the district goes on."""
    odd_world.route("kk-tk-meinberlin", drift="stop")
    items = [Item("proposal", str(one["pk"]), one) for one in proposals(moderator_status="status")]
    work = collecting(odd_world, items)

    with pytest.raises(ConfigurationError, match="'meinberlin-proposal': source moderator_status is gone"):
        pipeline.collect_items(work, Counts())
    odd_world.drop(line("P-1"))
    odd_world.run()

    assert work.source.heard == []  # type: ignore[attr-defined]
    assert odd_world.orders() != []


@pytest.mark.parametrize("changed", [0, 99, 150, 199])
def test_of_a_changed_answer_nothing_is_stored(odd_world: World, changed: int) -> None:
    """A hundred items were, before the change was seen among the next hundred; the message said that none was."""
    odd_world.route("kk-tk-meinberlin", drift="stop")
    row = proposals()[0]
    rows = [{**row, "pk": 1000 + number, "reference_number": f"2026-{number:05}"} for number in range(201)]
    rows[changed]["comment_count"] = "3"
    work = collecting(odd_world, [Item("proposal", str(one["pk"]), one) for one in rows])

    with pytest.raises(ConfigurationError, match=r"comment_count .*nothing of these answers was stored"):
        pipeline.collect_items(work, Counts())

    assert work.source.heard == []  # type: ignore[attr-defined]
    with odd_world.ledger.read() as connection:
        assert connection.execute(select(func.count()).select_from(tables.records)).scalar_one() == 0


def test_drift_warns_where_the_route_says_nothing(odd_world: World, caplog: pytest.LogCaptureFixture) -> None:
    """The run goes on, and says so without a value."""
    items = [Item("proposal", str(one["pk"]), one) for one in proposals(moderator_status="status")]
    counts = Counts()
    pipeline.collect_items(collecting(odd_world, items), counts)

    assert counts["drift"] == 1
    assert "kk-tk-meinberlin: drift: meinberlin-proposal: breaking: source moderator_status" in caplog.text


@pytest.mark.parametrize(("given", "looks"), [({"moderator_status": "status"}, 2), ({}, 1)])
def test_the_verdict_on_an_answer_holds_while_it_stays_as_it_is(
    odd_world: World, monkeypatch: pytest.MonkeyPatch, given: dict[str, str], looks: int
) -> None:
    """What drifted warns in every run; what was sound and is the same is not looked at again."""
    asked: list[int] = []

    def look(mapping: Mapping, accepted: Fingerprint, bodies: list[object]) -> Sequence[Change]:
        asked.extend([len(bodies)] if bodies else [])
        return look_at_answers(mapping, accepted, bodies)

    monkeypatch.setattr(collecting_stage, "look_at_answers", look)
    told = []
    for _ in range(2):
        items = [Item("proposal", str(one["pk"]), one) for one in proposals(**given)]
        work, counts = collecting(odd_world, items), Counts()
        pipeline.collect_items(work, counts)
        end_run(odd_world.ledger, work.run, counts)
        told.append(counts.get("drift", 0))

    assert told == ([1, 1] if given else [0, 0])
    assert len(asked) == looks


def test_a_list_that_broke_stops_a_sending_route(odd_world: World) -> None:
    """Known when the mapping loads, before a message is written."""
    odd_world.route("kk-tk-hkr", drift="stop")
    edit(odd_world.content, "mappings/codelists/hkr-art.csv", "commitment.cancel;", "commitment.revoke;")
    odd_world.drop(line("P-1"))
    odd_world.run("kk-tk-budgets", "kk-tk-beschluesse")

    with pytest.raises(ConfigurationError, match=r"list hkr-art.csv values gone: commitment.cancel"):
        odd_world.run("kk-tk-hkr")

    assert odd_world.messages() == []


def collecting(world: World, items: list[Item]) -> Collecting:
    """The route from mein.berlin with a box for a source."""
    route = find_route(world.content, "kk-tk-meinberlin")
    assert isinstance(route, CollectingRoute)
    run = begin_run(world.ledger, "meinberlin-tk|collect|kk-tk-2026", route.name, "collect")
    process = read_process(world.content, route.process)
    work = Collecting(world.content, route, process, world.ledger, Connection("meinberlin-tk", "kb_meinberlin"), run)
    work.manifest = Manifest.model_construct(listing="new")
    work.source = Box(items)
    return work
