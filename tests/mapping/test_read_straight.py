"""Records by generated code: what it reads is what the interpreter reads, and what that refuses it declines."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree
from pydantic import BaseModel, TypeAdapter

from kiezbruecke.errors import RecordError
from kiezbruecke.mapping import Mapping, load_mapping, mapping_names
from kiezbruecke.mapping.compile import CompiledRecord, Declined, Uncompilable, compile_record
from kiezbruecke.mapping.compile.records import straight_record
from kiezbruecke.mapping.compile.taking import BOUND, taking
from kiezbruecke.mapping.interpret.record import make_record
from kiezbruecke.mapping.loading import bound_anew, find_goal, read_mapping_file
from kiezbruecke.mapping.schema.models import record_tree
from kiezbruecke.mapping.values import Unusable, is_nothing, to_text
from kiezbruecke.records import RECORDS, Counts, Point, Receipt, Record, Votes
from kiezbruecke.workbench.examples import find_examples, read_roots

ROOT = Path(__file__).resolve().parents[2]
INBOUND = [name for name in mapping_names(ROOT) if (ROOT / "mappings/inbound" / name).is_dir()]
READ_FROM_XML = ("hkr-rueckmeldung", "xdomea-0402", "xdomea-0403")


def _compiled(mapping: Mapping) -> CompiledRecord:
    return compile_record(mapping.definition, mapping.plan, mapping.goal, mapping.lists)


def _interpreted(mapping: Mapping, scope: dict[str, Any]) -> Record | None:
    assert mapping.goal.model is not None
    try:
        return make_record(mapping.goal.model, mapping.draft(scope), mapping.file)
    except RecordError:
        return None


def _same(mapping: Mapping, compiled: CompiledRecord, scope: dict[str, Any]) -> bool:
    """Whether generated code reads what the interpreter reads; True, too, where it leaves that to it."""
    try:
        read = compiled.read(scope)
    except Declined:
        return True
    oracle = _interpreted(mapping, scope)
    return read == oracle and oracle is not None and read.canonical() == oracle.canonical()


@pytest.mark.parametrize("name", INBOUND)
def test_every_example_is_read_straight_to_the_same_record(name: str) -> None:
    """A compiled form that always declines would be right and useless."""
    mapping = load_mapping(name, ROOT)
    compiled = _compiled(mapping)
    for example in find_examples(name, ROOT):
        roots = read_roots(mapping, ROOT, example)
        scope = dict(mapping.scope(roots["item"], roots))
        oracle = _interpreted(mapping, scope)
        if oracle is None:
            with pytest.raises(Declined):
                compiled.read(scope)
        else:
            read = compiled.read(scope)
            assert (read, list(vars(read))) == (oracle, list(vars(oracle))), example.name
            assert read.model_fields_set == oracle.model_fields_set
            assert pickle.loads(pickle.dumps(read)) == oracle.model_copy()
            assert mapping.read(roots["item"], roots) == oracle


ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-5, 10**7),
    st.decimals(-10, 10**6, places=3),
    st.floats(allow_nan=False),
    st.text(max_size=6),
    st.sampled_from(
        ["", " ", "\u00a0", "850,00 €", "24.04.2026", "2026-05-04T10:00:00+02:00", "true", "ja", "x" * 5000]
    ),
    st.lists(st.one_of(st.text(max_size=3), st.none(), st.integers()), max_size=3),
    st.dictionaries(
        st.sampled_from(["id", "area", "lon", "lat"]), st.one_of(st.text(max_size=3), st.floats(0, 90)), max_size=3
    ),
)


@pytest.mark.parametrize("name", sorted({*INBOUND} - {"xdomea-0402", "xdomea-0403"}))
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_odd_items_are_read_the_same_or_left_to_the_interpreter(name: str, data: st.DataObject) -> None:
    """Any value at any place that a rule reads; nothing that the interpreter refuses becomes a record."""
    mapping = load_mapping(name, ROOT)
    compiled = straight_record(mapping.definition, mapping.plan, mapping.goal, mapping.lists, mapping.digest)
    example = data.draw(st.sampled_from(find_examples(name, ROOT)))
    roots = read_roots(mapping, ROOT, example)
    scope = dict(mapping.scope(roots["item"], roots))
    item = dict(scope["item"])
    keys = sorted({*item, *(rule.source.steps[0].name for rule in _read(mapping) if rule.source.steps)})
    for key in data.draw(st.lists(st.sampled_from(keys), min_size=1, max_size=3)):
        item[key] = data.draw(ODD)

    assert _same(mapping, compiled, {**scope, "item": item})


TEXTS = ["", " ", "\u00a0", "0", "true", "850.00", "24.04.2026", "e\u0301", "x" * 5000]


def _damage(at: etree._Element, way: str, text: str) -> None:
    """One thing that a partner may do to an element."""
    above = at.getparent()
    if way == "text":
        at.text = text
    elif way == "cdata":
        at.text = etree.CDATA(text)
    elif way in {"comment", "instruction", "child"}:
        made = {"comment": etree.Comment("c"), "instruction": etree.PI("p"), "child": etree.Element("code")}[way]
        made.tail = text
        at.insert(0, made)
    elif way == "attribute":
        at.set("{urn:other}code", text)
    elif way == "namespace":
        at.tag = f"{{urn:other}}{etree.QName(at).localname}"
    elif above is not None and way == "missing":
        above.remove(at)
    elif above is not None:
        above.append(deepcopy(at))


@pytest.mark.parametrize("name", READ_FROM_XML)
@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_odd_xml_is_read_the_same_or_left_to_the_interpreter(name: str, data: st.DataObject) -> None:
    """Missing, empty, several, mixed: whatever a partner's element is, generated code does not know better."""
    mapping = load_mapping(name, ROOT)
    compiled = straight_record(mapping.definition, mapping.plan, mapping.goal, mapping.lists, mapping.digest)
    roots = read_roots(mapping, ROOT, data.draw(st.sampled_from(find_examples(name, ROOT))))
    item = mapping.scope(roots["item"], roots)["item"]
    root = deepcopy(item) if etree.iselement(item) else _element("{urn:x}Rueckmeldung", item)
    ways = ["text", "cdata", "comment", "instruction", "child", "attribute", "namespace", "missing", "twice"]
    for _ in range(data.draw(st.integers(0, 3))):
        elements = [one for one in root.iter() if isinstance(one.tag, str)]
        _damage(data.draw(st.sampled_from(elements)), *data.draw(st.tuples(*map(st.sampled_from, (ways, TEXTS)))))

    assert _same(mapping, compiled, dict(mapping.scope(etree.tostring(root), roots)))


def _element(name: str, value: Any) -> etree._Element:
    """An object as XML: a list is several elements of one name."""
    found = etree.Element(name, {"n": "x", "{urn:other}n": "y"})
    if not isinstance(value, dict):
        found.text = None if value is None else str(value)
        return found
    for key, below in value.items():
        found.append(etree.Comment("c"))
        found.extend(_element(key, one) for one in (below if isinstance(below, list) else [below]))
    return found


FIELDS = [
    (model, name)
    for model in (*RECORDS.values(), Counts, Point, Votes)
    for name, node in record_tree(model, "").children.items()
    if node.leaf is not None
]
SAID = st.one_of(
    st.text(st.sampled_from("aZ\u00e4\u00df\u0301\u0323\u20ac \t\x1c\x85\u00a0\u2028\ud800"), max_size=8),
    st.sampled_from(["e" + "\u0301" * 31, "accepted", "module", "2026-02-03", "1", "true", "0.5", "x" * 300]),
    st.builds("{}.{:02}".format, st.integers(-2, 10**10), st.integers(0, 99)),
)
VALUES = st.one_of(
    SAID,
    SAID.map(lambda text: [text, "Fest"]),
    st.booleans(),
    st.integers(-2, 2100),
    st.floats(),
    st.dates(),
    st.decimals(places=2),
    st.decimals(),
    st.datetimes(timezones=st.sampled_from([UTC, ZoneInfo("Europe/Berlin")])),
)


@settings(max_examples=1500, deadline=None)
@given(st.sampled_from(FIELDS), VALUES)
def test_what_is_taken_at_once_is_what_pydantic_makes_of_it(of: tuple[type[BaseModel], str], value: Any) -> None:
    """Each field of each record, with values that are just right and such that only look so."""
    model, name = of
    node, field = record_tree(model, "").children[name], model.model_fields[name]
    if is_nothing(value):
        return
    said, take = taking(model, node, moments=isinstance(value, datetime))
    try:
        taken = eval(said.format(value="value", take="take"), {**BOUND, "value": value, "take": take})
    except (Declined, Unusable, ArithmeticError, TypeError, ValueError):
        return
    given = [value] if node.repeats and not isinstance(value, list) else value
    if node.leaf is not None and node.leaf.kind == "text":
        given = [to_text(one) for one in given if not is_nothing(one)] if node.repeats else to_text(given)
    oracle = TypeAdapter(Annotated[field.annotation, field], config=model.model_config).validate_python(given)
    assert (taken, type(taken), str(taken)) == (oracle, type(oracle), str(oracle))


def _read(mapping: Mapping) -> list[Any]:
    return [rule for rule in mapping.definition.rules if rule.source and rule.source.root == "item"]


RULES = [
    "{target: description_text, from: item.a}",
    "{target: description_text, from: item.b, when: item.c}",
    "{target: description_text, from: item.a, required: true}",
    "{target: description_text, from: item.a, default: ohne}",
    "{target: description_text, const: fest, when: {path: item.b, equals: x}}",
    "{target: description_text, from: item.a.b}",
    "{target: labels, from: item.list}",
    '{target: labels, from: item.a, steps: [{split: ","}]}',
    "{target: category, from: item.list, steps: [first]}",
    "{target: category, from: item.Nr.1}",
    "{target: requested_amount, from: item.n, steps: [german_money]}",
    "{target: requested_amount, from: item.n}",
    "{target: point/lon, from: item.n} | {target: point/lat, const: '52.5'}",
    "{target: counts/pro, from: item.n}",
    "{target: counts/contra, const: '1'}",
    "{target: counts/votes, const: '1', when: item.c}",
    "{target: counts/comments, from: item.n, default: '3'}",
    "{target: counts, when: item.c, rules: [{target: pro, const: '7'}]}",
    "{target: point, when: item.c, rules: [{target: lon, from: item.n}, {target: lat, const: '52.5'}]}",
    "{target: created_at, from: item.at, steps: [timestamp]}",
    "{target: modified_at, from: item.at, steps: [start_of_day]}",
    "{target: source_status, from: item.at, steps: [timestamp]}",
    "{target: own_contribution, from: item.c, steps: [yes_no]}",
    "{target: archived, from: item.c}",
    "{target: url, const: u, when: {path: item.a, missing: true}}",
    "{target: url, const: u, when: {path: item.a, not_equals: [x, neu]}}",
    "{target: url, const: u, when: {path: item.b, equals: [x, neu]}}",
    "{target: status, from: item.a, codelist: worte}",
    "{target: status, from: item.a, codelist: worte, default: submitted}",
    "{target: url, from: envelope.source}",
    "{target: url, from: 'item.list[2]'}",
    "{target: feedback_text, from: item.@n}",
    "{target: source_status_label, from: item.a.@n}",
]
FIRM = (
    "{target: source, const: s}",
    "{target: external_id, from: envelope.external_id}",
    "{target: process_id, from: process.id}",
    "{target: reference_number, const: '1'}",
    "{target: title, const: Bank}",
)
SMALL = st.one_of(
    st.sampled_from([None, "", " ", "x", "a,b", "neu", "1.5", "850,00", Decimal("1.5"), True, False]),
    st.integers(0, 3),
    st.lists(st.sampled_from(["", "x", "y"]), max_size=2),
    st.just({"b": "x"}),
)
MOMENTS = st.one_of(
    st.sampled_from(
        ["2026-02-03T10:00:00.123456+02:00", "0001-01-01T00:00:00+02:00", "2026-02-03T10:00:00", "3.2.2026"]
    ),
    st.datetimes(timezones=st.sampled_from([UTC, ZoneInfo("Europe/Berlin"), timezone(timedelta(hours=-3.5)), None])),
)
ITEMS = st.builds(
    lambda some, at: {**some, **at},
    st.dictionaries(st.sampled_from(["a", "b", "c", "n", "list", "Nr.1", "Nr", "a.b"]), SMALL),
    st.fixed_dictionaries({}, optional={"at": MOMENTS}),
)


@pytest.fixture
def workshop(content: Path, put: Callable[[str, str], Path]) -> Callable[[list[str]], Mapping]:
    """Makes a mapping of rules; two that speak of one place are no error while they are drawn."""
    put("mappings/codelists/worte.csv", "from;to\nneu;submitted\nx;accepted\n")
    head = "name: in\nversion: 1\ndirection: inbound\nreads: [x]\nsource: json\nroots: [item, envelope, process]\n"

    def make(rules: list[str]) -> Mapping:
        lines = [line for rule in rules for line in rule.split(" | ")]
        text = head + "target: record Proposal\nrules:\n" + "".join(f"  - {line}\n" for line in [*FIRM, *lines])
        put("mappings/inbound/in/mapping.yaml", text)
        return _loaded(content)

    return make


TEXT = "{target: code, from: one}"  # of a member that has no id then
MEMBER = [
    "{target: id, from: one.id, required: true}",
    "{target: outcome, const: noted}",
    "{target: outcome, from: one.a, codelist: worte, default: refused}",
    "{target: code, from: one.a}",
    "{target: code, from: one.index}",
    TEXT,
    "{target: code, from: one.a.b}",
    "{target: code, from: item.b}",
    "{target: complaint, from: 'one.list[2]'}",
    "{target: complaint, const: c, when: one.b}",
    "{target: complaint, from: one.@n, when: item.c}",
]
IDS = st.sampled_from(["0b0c5d0e-0000-5000-8000-000000000003", "0b0c5d0e-0000-5000-8000-000000000004", "", "x"])
MEMBERS = st.one_of(
    SMALL,
    st.builds(
        lambda known, some: {**some, "id": known}, IDS, st.dictionaries(st.sampled_from(["a", "b", "list"]), SMALL)
    ),
)


@pytest.fixture
def receipts(content: Path, put: Callable[[str, str], Path]) -> Callable[..., Mapping]:
    """Makes a mapping to a receipt with its parts."""
    put("mappings/codelists/worte.csv", "from;to\nneu;refused\nx;noted\n")
    head = "name: in\nversion: 1\ndirection: inbound\nreads: [x]\nsource: json\nroots: [item]\ntarget: record Receipt\n"

    def make(rules: list[str], each: str, when: str, name: str = "one") -> Mapping:
        parts = f"each: {each}, as: one, {when} rules: [{', '.join(rules)}]".replace("one", name)
        firm = "  - {target: outcome, const: noted}\n  - {target: event, from: item.b, default: e}\n"
        put("mappings/inbound/in/mapping.yaml", f"{head}rules:\n  - {{target: parts, {parts}}}\n{firm}")
        return _loaded(content)

    return make


WHOLE = st.fixed_dictionaries({}, optional={"b": SMALL, "c": SMALL})
WHEN = ["", "when: one.b,", "when: item.c,", "when: {path: one.a, missing: true},"]


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.lists(st.sampled_from(MEMBER), unique=True, min_size=1, max_size=5),
    st.sampled_from(["item.o", "item.o.list", "'item.o[1]'", "item"]),
    st.sampled_from(WHEN),
    st.sampled_from(["one", "item"]),
    st.lists(st.builds(lambda o, some: {**some, "o": o}, st.lists(MEMBERS, max_size=3), WHOLE), max_size=6),
)
def test_the_records_of_an_each_are_what_the_interpreter_makes_of_it(
    receipts: Callable[..., Mapping],
    rules: list[str],
    each: str,
    when: str,
    name: str,
    items: list[dict[str, Any]],
) -> None:
    """Members that are objects, elements, texts or nothing; conditions, defaults and paths outside of the member."""
    mapping = receipts(rules, each, when, name)
    compiled = _compiled(mapping)
    scopes = [{"item": form} for item in items for form in (item, _element("item", item))]

    assert [scope for scope in scopes if not _same(mapping, compiled, scope)] == []


@pytest.mark.parametrize("when", WHEN)
@pytest.mark.parametrize("rule", [rule for rule in MEMBER[3:] if rule != TEXT])
def test_each_rule_of_a_member_has_a_straight_way(receipts: Callable[..., Mapping], rule: str, when: str) -> None:
    """Records of two members, from an object and from XML."""
    mapping = receipts([*MEMBER[:2], rule], "item.o", when)
    some = {"a": {"b": "x"} if "a.b" in rule else "" if "missing" in when else "neu", "list": ["x", "y"], "b": "x"}
    item = {"b": "x", "c": "x", "o": [{"id": f"0b0c5d0e-0000-5000-8000-00000000000{n}", **some} for n in (3, 4)]}
    for form in (item, _element("item", item)):
        read = _compiled(mapping).read({"item": form})
        assert read == _interpreted(mapping, {"item": form})
        assert isinstance(read, Receipt)
        assert "missing" in when or len(read.parts) == 2


def test_a_list_of_single_values_by_each_is_left_to_the_interpreter(
    workshop: Callable[[list[str]], Mapping],
) -> None:
    """Only records are gathered."""
    with pytest.raises(Uncompilable, match="single values"):
        _compiled(workshop(["{target: labels, each: item.list, as: one, from: one}"]))


def _loaded(content: Path) -> Mapping:
    definition = read_mapping_file("in", content)
    return bound_anew(definition, find_goal(definition, content), content)


@settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.sampled_from(RULES), unique=True, max_size=8), st.lists(ITEMS, min_size=1, max_size=6))
def test_what_is_read_straight_is_what_the_interpreter_reads(
    workshop: Callable[[list[str]], Mapping], rules: list[str], items: list[dict[str, Any]]
) -> None:
    """Any rules, any item: conditions, defaults, constants, names with points, records within the record."""
    mapping = workshop(rules)
    compiled = _compiled(mapping)
    roots = {"envelope": {"source": "s", "external_id": "1"}, "process": {"id": "kk"}}

    forms = [form for item in items for form in (item, _element("item", item))]

    assert [form for form in forms if not _same(mapping, compiled, {**roots, "item": form})] == []


@pytest.mark.parametrize("rule", RULES)
def test_each_rule_alone_has_a_straight_way(workshop: Callable[[list[str]], Mapping], rule: str) -> None:
    """Or the comparison would compare nothing."""
    mapping = workshop([rule])
    item = {
        "a": "neu",
        "b": "x",
        "c": True,
        "n": 1,
        "list": ["x", "y"],
        "Nr.1": "eins",
        "at": "2026-02-03T10:00:00.1+02:00",
    }
    if ".a.b" in rule:
        item["a"] = {"b": "x"}
    if "point" in rule:
        item["n"] = Decimal("13.5")
    if "german_money" in rule:
        item["n"] = "850,00"
    scope = {"envelope": {"source": "s", "external_id": "1"}, "process": {"id": "kk"}}
    for form in (item, _element("item", item)):
        oracle = _interpreted(mapping, {**scope, "item": form})
        if oracle or form is item:
            assert _compiled(mapping).read({**scope, "item": form}) == oracle


def test_a_rule_that_says_more_than_the_code_knows_is_left_to_the_interpreter(
    workshop: Callable[[list[str]], Mapping],
) -> None:
    """A key that the language learns later must not be left out silently."""
    mapping = workshop(["{target: category, from: item.a}"])
    rule = replace(mapping.definition.rules[-1], at_least=1)
    odd = bound_anew(replace(mapping.definition, rules=(rule,)), mapping.goal, mapping.content)

    with pytest.raises(Uncompilable, match="at_least"):
        _compiled(odd)
