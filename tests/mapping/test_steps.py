"""Steps: what their examples promise, and what must hold for any value."""

from __future__ import annotations

import contextlib
import re
import time
import unicodedata
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from lxml import etree

from kiezbruecke.mapping.steps import STEPS, TOPICS, Argument, Step, StepExample
from kiezbruecke.mapping.values import Unusable, to_text
from kiezbruecke.workbench.reference import TOPIC_TITLES

STANDARDS = Path(__file__).parents[3] / "shared" / "standards"
CASES = [(step, example) for step in STEPS.values() for example in step.examples]
NAMED = pytest.mark.parametrize("step", STEPS.values(), ids=lambda step: step.name)
CENTS = st.decimals(min_value=0, max_value=Decimal("999999999.99"), places=2)
SIGNED_CENTS = st.decimals(min_value=Decimal("-999999999.99"), max_value=Decimal("999999999.99"), places=2)

# Texts that look like what steps read, with what people and attackers put into cells: lone surrogates, the long s,
# right-to-left, digits of other scripts, joined emoji, markup, separators.
PIECES = (
    "DE",
    "02",
    "1203",
    "12489",
    "Berlin",
    "Straße ",
    " 17. ",
    ", ",
    "\n",
    "-",
    "T10:00",
    "+14:00",
    "Z",
    "0001-01-01",
)
ODD = (
    "\ud800",
    "ſ",
    "\u202eתשרי",
    "٣",
    "²",
    "½",
    "👨\u200d👩",
    "<b>",
    "</",
    "<!DOCTYPE",
    "&amp",
    "\x00",
    "e\u0301",
    "1e9",
    "NaN",
)
TEXTS = st.one_of(
    st.text(st.characters(), max_size=40), st.lists(st.sampled_from(PIECES + ODD), max_size=9).map("".join)
)
HUGE = st.sampled_from((10**400, -(10**4200), 1e308, float("inf"), float("nan"), Decimal("1e-40"), Decimal("sNaN")))
SCALARS = st.one_of(
    TEXTS, st.none(), st.booleans(), st.integers(), st.floats(), st.decimals(), st.dates(), st.datetimes(), HUGE
)
MOMENTS = st.datetimes(timezones=st.timezones())
VALUES = st.one_of(SCALARS, MOMENTS, st.lists(SCALARS, max_size=3), st.dictionaries(st.text(), SCALARS, max_size=2))
STABLE = ("trim", "collapse_space", "lower", "iban", "uuid", "digits", "din91379", "sepa_text", "text")


@pytest.mark.parametrize(("step", "example"), CASES, ids=lambda part: getattr(part, "name", ""))
def test_a_step_does_what_its_example_says(step: Step, example: StepExample) -> None:
    """The examples are the reference page; they must be true."""
    if example.gives is Unusable:
        with pytest.raises(Unusable):
            step.apply(example.given, example.argument)
        return
    given = step.apply(example.given, example.argument)

    assert given == example.gives
    assert type(given) is type(example.gives)


@NAMED
def test_a_step_has_examples_a_sentence_and_a_topic(step: Step) -> None:
    """A step without them is undocumented."""
    assert len(step.examples) >= 3
    assert step.summary.endswith(".")
    assert step.topic in TOPICS


def test_every_topic_has_a_title() -> None:
    """Page and command line group by topic; a topic without a title would drop its steps from both."""
    assert tuple(TOPIC_TITLES) == TOPICS


@NAMED
def test_a_step_gives_the_kind_it_declares(step: Step) -> None:
    """The check before any message relies on `gives`."""
    kinds = {"text": "str", "decimal": "Decimal", "integer": "int", "moment": "datetime", "boolean": "bool"}
    given = {type(one.gives).__name__ for one in step.examples if one.gives not in (None, Unusable)}

    assert step.gives == "any" or given == {kinds.get(step.gives, step.gives)}


@pytest.mark.parametrize("step", [step for step in STEPS.values() if step.choices], ids=lambda step: step.name)
def test_a_closed_set_of_arguments_is_closed(step: Step) -> None:
    """Each choice works on some example, anything else is refused; the editor offers exactly these."""
    given = next(one.given for one in step.examples if one.argument == step.choices[0])

    for choice in step.choices:
        step.apply(given, choice)
    with pytest.raises(Unusable, match=re.escape(step.choices[-1])):
        step.apply(given, "etwas anderes")


def _argument(step: Step, draw: st.DataObject) -> Argument:
    if step.choices:
        return draw.draw(st.sampled_from(step.choices))
    if step.argument is int:
        return draw.draw(st.integers(0, 10**9))
    return draw.draw(TEXTS) if step.argument else None


@NAMED
@given(value=VALUES, data=st.data())
@settings(max_examples=25, deadline=None)
def test_any_value_is_used_or_refused_and_always_alike(step: Step, value: object, data: st.DataObject) -> None:
    """Whatever stands in a cell: a value or a refusal, never another exception; the same again, the same value."""
    argument = _argument(step, data)
    outcomes: list[object] = []
    for _ in range(2):
        try:
            outcomes.append(repr(step.apply(value, argument)))
        except Unusable as refused:
            outcomes.append(str(refused))

    assert outcomes[0] == outcomes[1]


@pytest.mark.parametrize("name", STABLE)
@given(value=TEXTS)
@example(value="DE02 1203 0000 0000 2020 51")
@example(value="{CA9D500C-3B1C-4F0E-9A9B-0C1B7F0D2E11}")
@example(value="Ju\u0308rgen & Łódź – 5 €")
@settings(max_examples=25, deadline=None)
def test_a_step_that_makes_tidy_is_done_after_once(name: str, value: str) -> None:
    """A mapping and its overlay may both tidy; the second time must change nothing."""
    with contextlib.suppress(Unusable):
        once = STEPS[name].apply(value)

        assert STEPS[name].apply(once) == once


LONG = {
    "blanks": " " * 100_000 + "x",
    "digits": "9" * 100_000,
    "groups": "1" + ".000" * 25_000,
    "letters": "a" * 100_000,
    "numbers": "1 " * 50_000,
    "marks": "a" + "\u0301" * 100_000,
    "sequences": "k\u035fh" * 33_000 + "я",
    "tags": "<b>" * 33_000,
    "brackets": "<" * 100_000,
    "lines": "a 1\n" * 25_000,
    "commas": ", " * 50_000 + "12489 Berlin",
    "hyphens": "a-" * 50_000,
    "a sum of blanks": "1" + " " * 100_000 + "x",
    "blanks that are none": "850" + "\u00a0\u200b" * 50_000 + "x",
}


@NAMED
def test_a_long_text_takes_no_long_time(step: Step) -> None:
    """One cell of 100 kB must not stop a run: no pattern goes back over what it has read."""
    argument = {int: 50_000, str: " "}.get(step.argument or object)
    seconds: dict[str, float] = {}
    for name, text in LONG.items():
        began = time.process_time()
        with contextlib.suppress(Unusable):
            step.apply(text, step.choices[0] if step.choices else argument)
        seconds[name] = time.process_time() - began

    assert {name: taken for name, taken in seconds.items() if taken > 1} == {}


@NAMED
@pytest.mark.parametrize(
    "value", ["Kanarienvogel 5 EUR", "Kanarienvogel \ud800я🎉", "DE89 Kanarienvogel", ["Kanarienvogel"]]
)
def test_a_refusal_never_shows_the_value(step: Step, value: object) -> None:
    """Values may be personal data, and refusals end up in lists and logs."""
    argument = {int: 4, str: "#"}.get(step.argument or object)
    problem = ""
    try:
        step.apply(value, step.choices[-1] if step.choices else argument)
    except Unusable as refused:
        problem = str(refused)

    assert "Kanarien" not in problem
    assert "я" not in problem


@pytest.mark.parametrize(
    "step", [step for step in STEPS.values() if not step.reads_nothing], ids=lambda step: step.name
)
@pytest.mark.parametrize("nothing", [None, "", "  ", []])
def test_nothing_stays_nothing(step: Step, nothing: object) -> None:
    """Empty text, null and an empty list are the same for every step."""
    assert step.apply(nothing, step.examples[0].argument) is None


def _german(value: Decimal) -> str:
    whole, cents = f"{value:,.2f}".split(".")
    return f"{whole.replace(',', '.')},{cents}"


@given(CENTS)
def test_money_written_in_german_is_read_to_the_cent(value: Decimal) -> None:
    """A cent lost here would be lost in the budget."""
    assert STEPS["german_money"].apply(f"{_german(value)} €") == value


@given(CENTS)
def test_money_read_twice_is_the_same(value: Decimal) -> None:
    """Reading is stable: what was read once can be read again."""
    once = STEPS["german_money"].apply(value)

    assert STEPS["german_money"].apply(once) == once


@given(st.text())
def test_money_is_read_or_refused_but_never_guessed_below_zero(text: str) -> None:
    """Whatever a cell holds: a sum, nothing or a refusal – no other exception, no negative sum."""
    try:
        value = STEPS["german_money"].apply(text)
    except Unusable:
        return
    assert value is None or value >= 0


@given(st.text(), st.integers(min_value=0, max_value=50))
def test_clip_leaves_no_accent_behind(text: str, length: int) -> None:
    """The rest never begins with an accent that belongs to the last letter kept."""
    kept = STEPS["clip"].function(text, length)

    assert text.startswith(kept)
    assert len(kept) <= length
    rest = text[len(kept) :]
    assert not kept or not rest or not unicodedata.combining(rest[0])


@given(st.text())
def test_html_never_breaks_the_reader(text: str) -> None:
    """Foreign HTML is text or nothing, whatever stands in it."""
    read = STEPS["html_to_text"].apply(text)

    assert read is None or isinstance(read, str)


@given(SIGNED_CENTS)
def test_cents_and_text_say_the_same_sum(value: Decimal) -> None:
    """Budget systems count cents, people read a comma; both come from one sum."""
    assert Decimal(STEPS["cents"].apply(value)) / 100 == value
    assert Decimal(STEPS["money_text"].apply(value).replace(",", ".")) == value
    assert STEPS["cents"].apply(to_text(value)) == STEPS["cents"].apply(value)


@given(st.decimals(allow_nan=True, allow_infinity=True))
def test_no_sum_is_rounded(value: Decimal) -> None:
    """Finer than a cent, infinite or too large: refused. Anything else is exact."""
    with contextlib.suppress(Unusable):
        assert Decimal(STEPS["cents"].apply(value)) / 100 == value


IBANS = [
    "DE02120300000000202051",
    "DE02500105170137075030",
    "DE02100500000054540402",
    "DE02300209000106531065",
    "DE02200505501015871393",
    "DE02100100100006820101",
    "DE02300606010002474689",
    "DE02600501010002034304",
    "DE02700202700010108669",
    "DE02701500000000594937",
    "DE89370400440532013000",
    "DE75512108001245126199",
    "AT611904300234573201",
    "NL91ABNA0417164300",
    "FR1420041010050500013M02606",
]


@pytest.mark.parametrize("iban", IBANS)
def test_a_right_iban_passes_and_a_typing_error_does_not(iban: str) -> None:
    """ISO 7064 finds every single wrong digit and every two neighbours that changed places."""
    assert STEPS["iban"].apply(iban) == iban
    for at in range(2, len(iban) - 1):
        wrong = iban[:at] + ("1" if iban[at] == "0" else "0") + iban[at + 1 :]
        swapped = iban[:at] + iban[at + 1] + iban[at] + iban[at + 2 :]
        for other in {wrong, swapped} - {iban}:
            with pytest.raises(Unusable):
                STEPS["iban"].apply(other)


@given(TEXTS)
def test_a_payment_text_holds_only_what_banks_take(text: str) -> None:
    """EPC217-08; a bank rejects the file, or worse: replaces what it does not know."""
    with contextlib.suppress(Unusable):
        assert re.fullmatch(r"[A-Za-z0-9/\-?:().,'+ ]*", STEPS["sepa_text"].apply(text) or "")


@pytest.mark.parametrize(
    ("line", "parts"),
    [
        ("Dörpfeldstraße 54, 12489 Berlin", ("Dörpfeldstraße", "54", "12489", "Berlin")),
        ("Straße des 17. Juni 135, 10623 Berlin", ("Straße des 17. Juni", "135", "10623", "Berlin")),
        ("Alt-Treptow 6a 12435 Berlin", ("Alt-Treptow", "6a", "12435", "Berlin")),
        ("Am Treptower Park 28 - 30\n12435 Berlin-Treptow", ("Am Treptower Park", "28-30", "12435", "Berlin-Treptow")),
        ("  Köpenicker  Allee 3/5,\r\n\r\nD-10318   Berlin ", ("Köpenicker Allee", "3/5", "10318", "Berlin")),
        ("Bölschestr. 7 B–9, DE-12587 Berlin", ("Bölschestr.", "7B–9", "12587", "Berlin")),
        ("Am Markt, 01067 Dresden", ("Am Markt", None, "01067", "Dresden")),
    ],
)
def test_an_address_is_cut_where_people_would(line: str, parts: tuple[str | None, ...]) -> None:
    """Payment files take structured addresses only (since 15.11.2026); forms hold one line."""
    names = STEPS["address_part"].choices

    assert tuple(STEPS["address_part"].apply(line, name) for name in names) == parts


@pytest.mark.parametrize(
    "line",
    [
        "12489 Berlin, Dörpfeldstraße 54",
        "Dörpfeldstraße 54, 12489 Berlin, Deutschland",
        "Dörpfeldstraße 54 Hinterhaus, 12489 Berlin",
        "Dörpfeldstraße 54, 3. OG, 12489 Berlin",
        "Straße 52, 12526 Berlin",
        "Am Park 28 30, 12526 Berlin",
        "Postfach 1234, 12414 Berlin",
        "c/o Kiezladen Dörpfeldstraße 54, 12489 Berlin",
        "Dörpfeldstraße 12489 Berlin 10115 Berlin",
        "Dörpfeldstraße 54, Berlin",
    ],
)
def test_an_address_that_could_be_read_twice_is_refused(line: str) -> None:
    """A letter to the wrong house is worse than a line that a person looks at."""
    with pytest.raises(Unusable):
        STEPS["address_part"].apply(line, "house_number")


@pytest.mark.official
def test_din_91379_is_the_norms_own_datatype_c() -> None:
    """The repertoire in the code is written by hand; the norm's schema says whether it is right."""
    file = STANDARDS / "din91379" / "2022-08" / "din-norm-91379-datatypes.xsd"
    if not file.is_file():
        pytest.skip(f"no {file}")
    tree = etree.parse(file)
    xs = {"xs": "http://www.w3.org/2001/XMLSchema"}
    pattern = tree.xpath("string(//xs:simpleType[@name='datatypeC']//xs:pattern/@value)", namespaces=xs)
    official = re.compile(pattern)
    marks = [chr(code) for code in range(0x300, 0x370)]
    letters = [chr(code) for code in range(0x41, 0x1F00) if unicodedata.name(chr(code), "").startswith("LATIN")]
    texts = [chr(code) for code in range(1, 0x10000)] + [letter + mark for letter in letters for mark in marks]
    texts += [letter + one + two for letter in "CLRSclrs" for one in "\u0325\u0328\u031b" for two in marks]
    texts += ["K\u035fH", "K\u035fh", "k\u035fh", "k\u035fH"]

    differing = [text for text in texts if _taken(text) != _normal(official, text)]

    assert differing == []


def _taken(text: str) -> bool:
    if not text.strip():
        return True
    try:
        return bool(STEPS["din91379"].apply(text))
    except Unusable:
        return False


def _normal(official: re.Pattern[str], text: str) -> bool:
    return not text.strip() or official.fullmatch(unicodedata.normalize("NFC", text)) is not None
