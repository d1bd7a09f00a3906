"""Records of one's own in outbound mappings: any schema in, any schema out, and every path is judged before a run."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Callable, Iterator
from contextlib import suppress
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from kiezbruecke.errors import RecordError
from kiezbruecke.mapping import Mapping, check_mapping, load_mapping
from kiezbruecke.mapping.compile import Declined
from kiezbruecke.mapping.interpret.xml import XmlWriter
from kiezbruecke.mapping.language.definition import ItemSource
from kiezbruecke.mapping.schema.sources import fraction, named_root
from kiezbruecke.standards.store import NotValid
from tests.own_sources import DATA, INVOICE, MAPPINGS, ORDER, PLACES, delivery, furnish

Put = Callable[[str, str], Path]


@pytest.fixture
def own(content: Path) -> Path:
    """A content root with schemas that nobody has seen and three mappings upon them."""
    return furnish(content)


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same for properties, which take one root for all their examples."""
    return furnish(tmp_path_factory.mktemp("own"))


def _texts(message: bytes, path: str) -> list[str]:
    root = etree.fromstring(message)
    return [str(one) for one in root.xpath(path, namespaces={"b": "urn:beispiel:beleg"})]


@pytest.mark.parametrize("name", MAPPINGS)
def test_a_correct_mapping_of_ones_own_records_is_silent(own: Path, name: str) -> None:
    """Whoever has to look through findings that mean nothing looks through none."""
    assert check_mapping(name, own) == []


@pytest.mark.parametrize(
    ("name", "record"), [("rechnung", INVOICE), ("lieferung", delivery()), ("bestellung", ORDER)], ids=MAPPINGS
)
def test_a_record_becomes_a_valid_message(own: Path, name: str, record: Any) -> None:
    """JSON, XML and the line of a sheet: the same target, judged by the XSD itself."""
    mapping = load_mapping(name, own)

    message = mapping.write(mapping.roots_of(record))

    assert etree.XMLSchema(file=DATA / "beleg.xsd").validate(etree.fromstring(message))
    assert _texts(message, "b:Kunde/b:Name/text()") == ["Verein Beispiel"]


def test_lists_in_lists_arrive_in_their_order(own: Path) -> None:
    """Three levels: batches, lines, taxes."""
    mapping = load_mapping("rechnung", own)

    message = mapping.write(mapping.roots_of(INVOICE))

    assert _texts(message, "b:Paket/@name") == ["vorn", "hinten"]
    assert _texts(message, "b:Paket[1]/b:Posten/b:Artikel/text()") == ["Holz", "Leim"]
    assert _texts(message, "b:Paket[1]/b:Posten[1]/b:Steuer/text()") == ["19", "7"]
    assert _texts(message, "b:Paket[1]/b:Posten[2]/b:Steuer/text()") == []


GRID = {
    "type": "object",
    "required": ["rows"],
    "properties": {
        "rows": {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "array",
                "minItems": 1,
                "items": {
                    "type": "object",
                    "required": ["name", "count"],
                    "properties": {
                        "name": {"type": "string", "minLength": 1, "maxLength": 70},
                        "count": {"type": "integer", "minimum": 0},
                    },
                },
            },
        }
    },
}
GRID_RULES = """\
name: raster
version: 1
direction: outbound
source: json grid
roots: [grid]
target: beleg 1 Beleg
rules:
  - {target: Nummer, const: "1"}
  - {target: Datum, const: 2026-04-24}
  - {target: Summe, const: "1"}
  - {target: Summe/@waehrung, const: EUR}
  - {target: Bezahlt, const: "true"}
  - {target: Kunde/Name, const: niemand}
  - {target: Hinweis, from: grid.rows.name}
  - target: Paket
    each: grid.rows
    as: row
    rules:
      - {target: "@name", const: Reihe}
      - target: Posten
        each: row
        as: cell
        rules:
          - {target: Artikel, from: cell.name}
          - {target: Menge, from: cell.count}
          - {target: Preis, from: row.index}
"""


def test_a_list_of_lists_is_gone_through_twice(own: Path, put: Put) -> None:
    """JSON may have one; its members are lists, and what is in those is known."""
    put("schemas/json/grid.schema.json", json.dumps(GRID))
    file = put("mappings/outbound/raster/mapping.yaml", GRID_RULES)
    mapping = load_mapping("raster", own)
    cells = [[{"name": "a", "count": 1}, {"name": "b", "count": 2}], [{"name": "c", "count": 3}]]
    roots = mapping.roots_of({"rows": cells})

    message = mapping.compiled.write(roots)

    assert check_mapping("raster", own) == []
    assert message == XmlWriter(mapping.goal.prefixes, mapping.file).write(mapping.draft(roots))
    assert [_texts(message, f"b:Paket[{n}]/b:Posten/b:Artikel/text()") for n in (1, 2)] == [["a", "b"], ["c"]]
    assert _texts(message, "b:Hinweis/text()") == ["a", "b", "c"]
    file.write_text(GRID_RULES.replace("cell.name", "cell.nam").replace("each: row", 'each: "grid.rows[1]"'), "utf-8")
    assert ["did you mean 'name'?" in one.line() for one in check_mapping("raster", own)] == [True]


def test_an_envelope_counts_the_records(own: Path) -> None:
    """It is all that is known of a record beside itself."""
    mapping = load_mapping("bestellung", own)

    message = mapping.write(mapping.roots_of(ORDER, number=7))

    assert _texts(message, "b:Hinweis/text()") == ["Zeile 7"]


@pytest.mark.parametrize("name", ["rechnung", "lieferung"])
def test_what_cannot_be_read_is_refused_in_one_line(own: Path, name: str) -> None:
    """Bytes come from files that somebody else has written."""
    with pytest.raises(RecordError) as refused:
        load_mapping(name, own).roots_of(b"{<")

    assert "\n" not in refused.value.line()


@pytest.mark.parametrize(
    ("given", "written"),
    [("850.5", "850.50"), ("850.50", "850.50"), ("1.125", "1.125"), ("0.0001", "0.0001"), ("1E+3", "1000.00")],
)
def test_a_fraction_is_written_as_it_was_read(own: Path, given: str, written: str) -> None:
    """Sums have cents, quantities may be finer; none is rounded."""
    mapping = load_mapping("rechnung", own)
    record = copy.deepcopy(INVOICE) | {"total": fraction(Decimal(given))}

    assert _texts(mapping.write(mapping.roots_of(record)), "b:Summe/text()") == [written]


def test_a_number_that_no_float_holds_is_never_changed_in_silence(own: Path) -> None:
    """It is set aside: what went out would be another number."""
    mapping = load_mapping("rechnung", own)
    body = b'{"number": "1", "total": 0.12345678901234567890123}'

    with pytest.raises(RecordError):
        mapping.write(INVOICE | mapping.roots_of(body))


# What is wrong, in which mapping, what stands there instead, and what check says of it.
MISTAKES = [
    ("rechnung", "from: invoice.number", "from: invoice.numbr", "KB-M08", "did you mean 'number'?"),
    ("rechnung", "from: invoice.number", "from: invoce.number", "KB-M08", "did you mean 'invoice'?"),
    ("rechnung", "from: invoice.buyer.name", "from: invoice.buyer.nam", "KB-M08", "did you mean 'name'?"),
    ("rechnung", "from: invoice.buyer.name", "from: invoice.buyer", "KB-M14", "a whole buyer"),
    ("rechnung", "from: invoice.buyer.name", "from: invoice.name", "KB-M08", "no field 'name'"),
    ("rechnung", "from: line.article", "from: line.artikel", "KB-M08", "did you mean 'article'?"),
    ("rechnung", "from: line.taxes.rate", "from: line.taxes.rates", "KB-M08", "did you mean 'rate'?"),
    ("rechnung", "each: batch.lines", "each: batch.line", "KB-M08", "did you mean 'lines'?"),
    ("rechnung", "each: invoice.batches", "each: invoice.buyer", "KB-M14", "is no list"),
    ("rechnung", "as: line", "as: position", "KB-M08", "the rules below read 'line'"),
    ("rechnung", "from: invoice.issued", "from: invoice.number", "KB-M14", "text does not fit 'Datum'"),
    ("rechnung", "from: invoice.issued", "from: invoice.sent_at", "KB-M14", "moment does not fit 'Datum'"),
    ("rechnung", "from: invoice.total", "from: invoice.issued", "KB-M14", "date does not fit 'Summe'"),
    ("rechnung", "from: invoice.total", "from: invoice.paid", "KB-M14", "boolean does not fit 'Summe'"),
    ("rechnung", "from: invoice.paid", "from: invoice.reminders", "KB-M14", "integer does not fit 'Bezahlt'"),
    ("rechnung", "from: invoice.reminders", "from: invoice.total", "KB-M14", "decimal does not fit 'Mahnungen'"),
    ("rechnung", "from: invoice.currency", "from: invoice.buyer.address.country", "KB-M22", "'DE', 'CH', 'AT'"),
    ("rechnung", "from: batch.label", "from: batch.lines.article", "KB-M11", "many values for 'Paket/@name'"),
    ("rechnung", "from: invoice.buyer.name", "from: invoice.notes", "KB-M11", "many values for 'Kunde/Name'"),
    ("rechnung", "from: invoice.buyer.name", "from: invoice.buyer.address.city", "KB-M13", "may be empty"),
    ("rechnung", "from: invoice.issued", "from: invoice.issued, steps: [german_money]", "KB-M09", "cannot read"),
    ("rechnung", "when: invoice.buyer.address", "when: invoice.buyer.adress", "KB-M08", "did you mean 'address'?"),
    ("rechnung", "when: invoice.buyer.address", "when: invoice.buyer.name", "KB-M16", "is always present"),
    (
        "rechnung",
        "when: invoice.buyer.address",
        "when: {path: invoice.currency, equals: USD}",
        "KB-M16",
        "is never 'USD'",
    ),
    (
        "rechnung",
        "when: invoice.buyer.address",
        "when: {path: invoice.issued, equals: 24.04.2026}",
        "KB-M16",
        "is never '24.04.2026'",
    ),
    (
        "rechnung",
        "when: invoice.buyer.address",
        "when: {path: invoice.paid, equals: vielleicht}",
        "KB-M16",
        "is never 'vielleicht'",
    ),
    ("rechnung", "    when: invoice.buyer.address\n", "", "KB-M13", "'invoice.buyer.address.street' may be empty"),
    (
        "rechnung",
        "when: invoice.buyer.address",
        "when: {path: invoice.buyer.address, missing: true}",
        "KB-M13",
        "'invoice.buyer.address.street' may be empty",
    ),
    ("rechnung", "  - {target: Nummer, from: invoice.number}\n", "", "KB-M12", "'Nummer'"),
    ("rechnung", "source: json invoice", "source: json invoce", "KB-M08", "did you mean 'invoice'?"),
    ("rechnung", "source: json invoice", "source: jsn invoice", "KB-M03", "source"),
    ("rechnung", "source: json invoice\n", "", "KB-M08", "source: json <name> makes 'invoice' a record of your own"),
    ("rechnung", "roots: [invoice]", "roots: [invoice, case]", "KB-M08", "'case' is not there beside 'invoice'"),
    ("rechnung", "roots: [invoice]", "roots: [invoice, bill]", "KB-M08", "'bill' is not there beside 'invoice'"),
    ("rechnung", "roots: [invoice]", "roots: [invoice]\nreads: [x]", "KB-M19", "'reads' speaks of items"),
    ("rechnung", "from: line.quantity", 'from: "line.taxes[1].rate"', "KB-M13", "may be empty"),
    ("rechnung", "from: invoice.number", 'from: "invoice.number[2]"', "KB-M08", "is no list"),
    ("lieferung", "from: lieferung.@nr", "from: lieferung.@nummer", "KB-M08", "no field '@nummer'"),
    ("lieferung", "from: lieferung.Tag", "from: lieferung.tag", "KB-M08", "did you mean 'Tag'?"),
    ("lieferung", "from: lieferung.Tag", "from: lieferung.Wert", "KB-M14", "decimal does not fit 'Datum'"),
    ("lieferung", "from: ware.@menge", "from: ware.@mange", "KB-M08", "did you mean '@menge'?"),
    ("lieferung", "from: lieferung.Bezahlt", "from: lieferung.Empfaenger", "KB-M14", "text does not fit 'Bezahlt'"),
    ("lieferung", ", steps: [{clip: 20}]", "", "KB-M18", "longer ones than 20 are set aside"),
    ("lieferung", "Lieferung\nroots", "Liferung\nroots", "KB-M08", "did you mean 'Lieferung'?"),
    ("bestellung", "from: zeile.nummer", "from: zeile.numer", "KB-M08", "did you mean 'nummer'?"),
    ("bestellung", "from: zeile.am, steps: [german_date]", "from: zeile.am", "KB-M14", "text does not fit 'Datum'"),
    ("bestellung", "source: table bestellungen", "source: table bestellung", "KB-M08", "did you mean 'bestellungen'?"),
]


@pytest.mark.parametrize(("name", "right", "wrong", "code", "said"), MISTAKES)
def test_check_finds_the_mistake(own: Path, name: str, right: str, wrong: str, code: str, said: str) -> None:
    """Each was put in on purpose; before a run somebody is told, with the line."""
    file = own / PLACES[f"{name}.yaml"]
    text = file.read_text("utf-8")
    assert text.count(right) == 1
    file.write_text(text.replace(right, wrong), "utf-8")

    found = [finding for finding in check_mapping(name, own) if finding.code == code]

    assert any(said in finding.line() for finding in found), [finding.line() for finding in found]
    assert all(finding.place.line > 0 for finding in found)


def _without(*path: str | int) -> Callable[[dict[str, Any]], None]:
    def change(record: dict[str, Any]) -> None:
        place: Any = record
        for name in path[:-1]:
            place = place[name]
        del place[path[-1]]

    return change


def _with(value: Any, *path: str | int) -> Callable[[dict[str, Any]], None]:
    def change(record: dict[str, Any]) -> None:
        place: Any = record
        for name in path[:-1]:
            place = place[name]
        place[path[-1]] = value

    return change


# Twenty ways to break an invoice, and the source that the refusal names.
BROKEN = [
    (_without("number"), "invoice.number"),
    (_with("x" * 21, "number"), "invoice.number"),
    (_with("24.04.2026", "issued"), "invoice.issued"),
    (_without("issued"), "invoice.issued"),
    (_with("gestern", "sent_at"), "invoice.sent_at"),
    (_with("USD", "currency"), "invoice.currency"),
    (_without("currency"), "invoice.currency"),
    (_with("zwölf", "total"), "invoice.total"),
    (_with(None, "total"), "invoice.total"),
    (_with("vielleicht", "paid"), "invoice.paid"),
    (_with(-1, "reminders"), "invoice.reminders"),
    (_without("buyer"), "invoice.buyer.name"),
    (_with(" ", "buyer", "name"), "invoice.buyer.name"),
    (_without("buyer", "address", "country"), "invoice.buyer.address.country"),
    (_with("XX", "buyer", "address", "country"), "invoice.buyer.address.country"),
    (_with("x" * 141, "notes", 1), "invoice.notes"),
    (_without("batches", 0, "label"), "batch.label"),
    (_without("batches", 1, "lines", 0, "article"), "line.article"),
    (_with(-1, "batches", 0, "lines", 1, "quantity"), "line.quantity"),
    (_with("teuer", "batches", 0, "lines", 0, "price"), "line.price"),
]


def test_of_two_hundred_records_the_twenty_bad_ones_are_refused_with_their_source(own: Path) -> None:
    """The other 180 become valid messages."""
    mapping, schema = load_mapping("rechnung", own), etree.XMLSchema(file=DATA / "beleg.xsd")
    places = random.Random(7).sample(range(200), len(BROKEN))
    named: dict[int, str] = {}
    valid = 0
    for number in range(200):
        record = copy.deepcopy(INVOICE) | {"number": f"R-{number:04}"}
        if number in places:
            BROKEN[places.index(number)][0](record)
        try:
            valid += schema.validate(etree.fromstring(mapping.write(mapping.roots_of(record))))
        except RecordError as error:
            named[number] = error.what.partition("(Quelle: ")[2].partition(")")[0]

    assert valid == 180
    assert named == {place: source for place, (_, source) in zip(places, BROKEN, strict=True)}


# What may stand anywhere in a record that nobody has checked.
_ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 10**6),
    st.decimals(-10, 10**6, places=2),
    st.floats(0, 100, allow_nan=False),
    st.sampled_from(["", " ", "EUR", "DE", "2026-04-24", "Bänke & <Tische>", "x" * 80, "850.50", "true"]),
    st.just([]),
    st.just({}),
    st.lists(st.sampled_from(["eins", "", None, {"rate": 7}, {"rate": None}, [{"rate": 19}]]), max_size=3),
)


def _paths(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, part in pairs:
        yield (*path, name)
        yield from _paths(part, (*path, name))


ANYWHERE = sorted(_paths(INVOICE), key=str)


def _alike(mapping: Mapping, roots: dict[str, Any]) -> None:
    """What the generated code writes is what the interpreter writes; where it declines, nothing is claimed."""
    with suppress(Declined, NotValid):
        straight = mapping._judged(mapping.compiled.write(roots))
        assert straight == XmlWriter(mapping.goal.prefixes, mapping.file).write(mapping.draft(roots))


@given(st.lists(st.tuples(st.sampled_from(ANYWHERE), _ODD), max_size=4))
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_an_object_is_written_straight_as_it_is_interpreted(
    workshop: Path, changes: list[tuple[tuple[Any, ...], Any]]
) -> None:
    """Plain objects take the fast way, whatever stands in them."""
    record = copy.deepcopy(INVOICE)
    for path, value in changes:
        with suppress(KeyError, IndexError, TypeError):
            _with(value, *path)(record)
    mapping = load_mapping("rechnung", workshop)

    _alike(mapping, mapping.roots_of(record))


@given(
    st.sampled_from(["L-1", "", "x" * 25]),
    st.sampled_from(["2026-04-24", "24.04.2026", ""]),
    st.sampled_from(["Verein", " ", "Bänke &amp; Tische", "<!-- nichts -->Ver<!-- x -->ein"]),
    st.sampled_from(["2", "-2", "zwei", ""]),
)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_an_element_is_written_straight_as_it_is_interpreted(
    workshop: Path, nr: str, tag: str, an: str, menge: str
) -> None:
    """XML is read by the same reader both times, and the texts of its elements are the same."""
    mapping = load_mapping("lieferung", workshop)

    _alike(mapping, mapping.roots_of(delivery(nr=nr, tag=tag, an=an, menge=menge)))


@given(st.dictionaries(st.sampled_from(sorted(ORDER)), st.sampled_from(["", "ja", "3", "1.000 €", "24.4.26", "x & y"])))
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_line_is_written_straight_as_it_is_interpreted(workshop: Path, changes: dict[str, str]) -> None:
    """A sheet's cells are texts, under the names of its header."""
    mapping = load_mapping("bestellung", workshop)

    _alike(mapping, mapping.roots_of({**ORDER, **changes}))


def test_a_sound_record_takes_the_fast_way(own: Path) -> None:
    """Lists in lists as well: what always declines would be right and slow."""
    for name, record in (("rechnung", INVOICE), ("lieferung", delivery()), ("bestellung", ORDER)):
        mapping = load_mapping(name, own)

        assert mapping.compiled.write(mapping.roots_of(record)) == mapping.write(mapping.roots_of(record))


def test_a_changed_source_schema_is_another_mapping(own: Path) -> None:
    """Its digest stands in every message: what was judged under another schema is not the same."""
    before = load_mapping("rechnung", own).digest
    file = own / PLACES["invoice.schema.json"]
    file.write_text(file.read_text("utf-8").replace('"reminders": {', '"mahnungen": {'), "utf-8")

    assert any(
        "invoice.reminders" in one.line() or "'reminders'" in one.line() for one in check_mapping("rechnung", own)
    )
    file.write_text(file.read_text("utf-8").replace('"mahnungen": {', '"reminders":  {'), "utf-8")
    assert load_mapping("rechnung", own).digest != before


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("json invoice", "invoice"),
        ("json purchase-order", "purchase_order"),
        ("json case", "item"),
        ("json", "item"),
        ("xml", "item"),
        ("table proposal", "item"),
        ("ubl 2.1 Invoice", "invoice"),
        ("hkr 1.0 HoleRueckmeldungenAntwort/Rueckmeldung", "rueckmeldung"),
        ("table 2026-liste", "item"),
    ],
)
def test_a_record_is_called_as_its_schema_unless_that_name_is_ours(source: str, name: str) -> None:
    """`case.title` must never mean two things."""
    assert named_root(ItemSource.parse(source)) == name


def test_any_name_that_is_none_of_ours_may_be_the_record(own: Path) -> None:
    """The schema's name is only what `mapping new` proposes."""
    file = own / PLACES["rechnung.yaml"]
    text = file.read_text("utf-8").replace("invoice.", "item.").replace("[invoice]", "[item]")
    file.write_text(text, "utf-8")

    mapping = load_mapping("rechnung", own)

    assert check_mapping("rechnung", own) == []
    assert mapping.write(mapping.roots_of(INVOICE)).count(b"Posten>") == 6


def test_an_open_source_is_known_by_its_examples(own: Path, put: Put) -> None:
    """`source: json` without a name: any path is right that some example holds."""
    file = own / PLACES["rechnung.yaml"]
    file.write_text(file.read_text("utf-8").replace("source: json invoice", "source: json"), "utf-8")
    put("mappings/outbound/rechnung/examples/eins/input.yaml", "invoice: {number: R-1, issued: 2026-04-24}\n")

    found = [finding.line() for finding in check_mapping("rechnung", own)]

    assert any("KB-M21 no example holds 'invoice.total'" in line for line in found)
    assert not any("no example holds 'invoice.number'" in line for line in found)
