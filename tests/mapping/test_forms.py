"""Texts whose form is known beforehand, and free ones that a target with a form of its own will refuse some day."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from kiezbruecke.mapping import Finding, check_mapping
from kiezbruecke.mapping.check.arriving import Length
from kiezbruecke.mapping.steps import STEPS
from kiezbruecke.mapping.values import Unusable

DATA = Path(__file__).parent / "data"
HEAD = """\
name: out
version: 1
direction: outbound
roots: [case, decision, message, proposal, budget, applicant, route]
target: formen 1 Formen
rules:
"""
Findings = Callable[..., list[Finding]]


@pytest.fixture
def findings(content: Path, put: Callable[[str, str], Path]) -> Findings:
    """Checks rules for the schema of forms."""
    put("schemas/formen/1/profile.xsd", (DATA / "formen.xsd").read_text("utf-8"))
    put("mappings/codelists/wort.csv", "from;to\na;ja\nb;vielleicht\nc;manchmal\n")

    def of(rules: str, head: str = HEAD) -> list[Finding]:
        put("mappings/outbound/out/mapping.yaml", head + rules)
        return [one for one in check_mapping("out", content) if not one.message.startswith("no rule reads")]

    return of


@pytest.mark.parametrize(
    "rule",
    [
        "{target: Kurz, from: case.title, steps: [{hash: sha512}]}",
        "{target: Kurz, from: case.title, steps: [{name_uuid: vorgang}]}",
        "{target: Kurz, from: proposal.url, steps: [uuid]}",
        "{target: Kurz, from: route.key, steps: [{hash: sha256}]}",
        "{target: Land, from: case.title, steps: [iban]}",
        "{target: Kennung, from: case.title, steps: [{hash: sha256}]}",
        "{target: Land, from: proposal.created_at, steps: [{date_format: JJJJ}]}",
        "{target: Land, from: proposal.created_at, steps: [{time_format: 'hh:mm'}]}",
        "{target: Iban, from: applicant.address, steps: [{address_part: postcode}]}",
        "{target: Land, from: case.title, steps: [digits]}",
        "{target: Wort, from: case.title, steps: [digits]}",
        "{target: Acht, from: case.title, steps: [digits, {prefix: KK-}]}",
    ],
)
def test_what_a_step_writes_is_known_whatever_it_reads(findings: Findings, rule: str) -> None:
    """A digest has 128 letters of any text; every single record would be set aside."""
    found = findings(f"- {rule}\n")

    assert [(one.code, one.severity) for one in found] == [("KB-M14", "error")], [one.line() for one in found]


@pytest.mark.parametrize(
    ("steps", "helps"),
    [
        ("{clip: 35}, upper", "steps: [upper, {clip: 35}]"),
        ("{clip: 30}, lower", "steps: [lower, {clip: 35}]"),
        ("{clip: 35}, sepa_text", "steps: [sepa_text, {clip: 35}]"),
        ("{clip: 35}, {suffix: ' EUR'}", "steps: [{suffix: ' EUR'}, {clip: 35}]"),
    ],
)
def test_what_may_lengthen_after_clip_is_a_risk(findings: Findings, steps: str, helps: str) -> None:
    """ß becomes SS and ä ae, so a text of 35 letters may have 70 afterwards."""
    [found] = findings(f"- {{target: Kurz, from: case.title, steps: [{steps}]}}\n")

    assert (found.code, found.severity) == ("KB-M18", "warning")
    assert found.helps == f"clip last, after every step that may lengthen: {helps}"


@pytest.mark.parametrize(
    "rule",
    [
        "{target: Kurz, from: case.title, steps: [sepa_text, {clip: 35}]}",
        "{target: Kurz, from: case.title, steps: [upper, {clip: 35}, trim]}",
        "{target: Kurz, from: case.reference, steps: [upper, sepa_text]}",
        "{target: Kurz, from: case.title, steps: [sepa_text, {clip: 35}, upper]}",
        "{target: Iban, from: case.title, steps: [iban]}",
        "{target: Acht, from: case.title, steps: [digits]}",
        "{target: Acht, from: case.title, steps: [digits, {pad: 8}]}",
        "{target: Latein, from: case.title, steps: [digits, {clip: 20}]}",
        "{target: Acht, from: message.voucher}",
        "{target: Acht, from: decision.decided_on, steps: [{date_format: JJJJMMTT}]}",
        "{target: Acht, from: proposal.modified_at, steps: [{date_format: JJJJMMTT}]}",
        "{target: Kennung, from: case.id}",
        "{target: Kennung, from: message.reference, steps: [{name_uuid: vorgang}]}",
        "{target: Kennung, from: proposal.url, steps: [uuid]}",
        "{target: Land, from: route.country}",
        "{target: Land, from: message.effect, when: {path: message.effect, equals: DE}}",
        "{target: Etwas, from: case.title}",
        "{target: Alles, from: case.title}",
        "{target: Latein, from: case.title, steps: [din91379, {clip: 20}]}",
        "{target: Zeile, from: 'proposal.labels[1]', steps: [{clip: 35}]}",
    ],
)
def test_what_is_shaped_is_no_risk(findings: Findings, rule: str) -> None:
    """A check that cries wolf is not read."""
    assert [one.line() for one in findings(f"- {rule}\n")] == []


@pytest.mark.parametrize(
    ("rule", "shown"),
    [
        ("{target: Iban, from: case.reference}", "2026-00001"),
        ("{target: Land, from: case.title}", "Sommerfest am Wasser"),
        ("{target: Land, from: message.effect}", "file.create"),
        ("{target: Kennung, from: message.reference}", "KK26-090517-00001-F1"),
        ("{target: Acht, from: proposal.category}", "Sommerfest am Wasser"),
        ("{target: Acht, from: case.title, steps: [trim, {clip: 8}]}", "Sommerfe"),
        ("{target: Wort, from: case.title}", "Sommerfest am Wasser"),
        ("{target: Land, each: proposal.labels, as: one, from: one}", "Sommerfest am Wasser"),
    ],
)
def test_a_free_text_for_a_place_with_a_form_is_a_risk(findings: Findings, rule: str, shown: str) -> None:
    """Nobody knows a title beforehand, but it will hardly ever be an account number."""
    found = [one for one in findings(f"- {rule}\n") if one.code == "KB-M14"]

    assert [one.severity for one in found] == ["warning"]
    assert found[0].message.endswith(f"such as '{shown}'")
    assert found[0].expected.startswith(("the pattern ", "one of ja, nein"))


def test_what_a_condition_asks_for_is_what_arrives(findings: Findings) -> None:
    """Below `equals`, a source holds one text only, and that one can be tried."""
    [found] = findings("- {target: Land, from: message.effect, when: {path: message.effect, equals: deu}}\n")

    assert (found.code, found.severity) == ("KB-M22", "error")
    assert "'deu'" in found.message


def _written(name: str) -> list[tuple[str, str, str | None]]:
    """Texts before and after a step, as its examples show them."""
    pairs = [
        (one.given, one.gives, one.argument)
        for one in STEPS[name].examples
        if isinstance(one.given, str) and isinstance(one.gives, str)
    ]
    return [(given, gives, None if argument is None else str(argument)) for given, gives, argument in pairs]


WRITE_TEXT = sorted(name for name, step in STEPS.items() if step.gives == "text" and name != "join")


@pytest.mark.parametrize("name", WRITE_TEXT)
def test_the_length_after_every_step_is_known(name: str) -> None:
    """A step that nobody told the check about would hide texts that are too long."""
    bounds = [(Length(len(given)).after(name, argument), gives) for given, gives, argument in _written(name)]
    bounds = bounds or [(Length(40).after(name, None), "")]

    assert all(bound.most is not None and bound.most >= len(gives) for bound, gives in bounds)


@pytest.mark.parametrize("name", ["upper", "lower", "sepa_text"])
def test_no_letter_grows_beyond_what_is_reckoned_with(name: str) -> None:
    """Every letter and sign of the first plane, one by one."""
    most = Length(2).after(name, None).most
    longest = 0
    for code in (*range(0x20, 0xD800), *range(0xE000, 0xFFFE)):
        try:
            longest = max(longest, len(STEPS[name].apply(f"a{chr(code)}") or ""))
        except Unusable:
            continue

    assert most is not None
    assert 2 < longest <= most


@pytest.mark.parametrize(
    "rule",
    [
        "{target: Zeile, from: proposal.labels}",
        "{target: Zeile, each: proposal.labels, as: one, from: one, steps: [{clip: 35}]}",
        "{target: Zeile, each: case.documents, as: one, from: one.id, steps: [{clip: 35}]}",
    ],
)
def test_a_list_for_a_place_with_an_end_is_a_risk(findings: Findings, rule: str) -> None:
    """An eighth line sets the record aside, and no list of ours has an end."""
    [found] = findings(f"- {rule}\n")

    assert (found.code, found.severity) == ("KB-M11", "warning")
    assert "at most 7 times" in found.message


@pytest.mark.parametrize(
    ("argument", "said"),
    [
        ("{clip: -5}", "the argument of 'clip' is no number from 1; expected a number from 1"),
        ("{clip: 99999999999}", "the argument of 'clip' is too large"),
        (f"{{clip: {'9' * 5000}}}", "the argument of 'clip' is too large"),
        ("{pad: 99999999999}", "the argument of 'pad' is too large; expected at most 10000 digits"),
    ],
)
def test_a_number_that_no_step_wants_is_refused_with_the_limit(findings: Findings, argument: str, said: str) -> None:
    """`no number` said of -5 sends people looking for a letter."""
    [found] = findings(f"- {{target: Alles, from: case.title, steps: [{argument}]}}\n")

    assert found.code == "KB-M09"
    assert said in found.line()


def test_words_of_a_code_list_that_do_not_fit_are_one_finding(findings: Findings) -> None:
    """One wrong list is one mistake, however long it is."""
    [found] = findings("- {target: Wort, from: proposal.category, codelist: wort}\n")

    assert found.code == "KB-M10"
    assert found.message == "'manchmal', 'vielleicht' of the code list 'wort' do not fit 'Wort'"
    assert found.expected == "one of ja, nein"


def test_two_constants_of_a_choice_say_that_they_exclude_each_other(findings: Findings) -> None:
    """That the block is never written is true as well, but mending only that gives an invalid message."""
    found = findings("- {target: Wahl, rules: [{target: A, const: a}, {target: B, const: b}]}\n")

    assert sorted((one.code, one.severity) for one in found) == [("KB-M15", "warning"), ("KB-M17", "error")]


@pytest.mark.parametrize(
    "rule",
    [
        "{target: Gruppe/Summe/., from: decision.approved_amount}",
        "{target: Gruppe/Sume, from: decision.approved_amount}",
        "{target: Gruppe, rules: [{target: Summe, rules: [{target: ., from: decision.approved_amount}]}]}",
    ],
)
def test_a_misspelt_target_does_not_make_its_block_one_of_constants(findings: Findings, rule: str) -> None:
    """The rule does read something; only its target is wrong."""
    assert [one.code for one in findings(f"- {rule}\n")] == ["KB-M07"]


def test_a_number_that_is_too_large_is_no_gap(findings: Findings) -> None:
    """Filling the gap would mend nothing."""
    parts = "".join(f"{{target: {name}, from: case.title}}, " for name in ("'@art'", "Eins", "Zwei"))
    found = findings(f"- {{target: 'Gruppe/Teil[9]', rules: [{parts}]}}\n")

    assert [one.code for one in found] == ["KB-M11"]


@pytest.mark.parametrize(
    ("rules", "missing"),
    [
        (["- {target: Gruppe/Teil/Eins, from: case.title}"], "Gruppe/Teil/Zwei"),
        (["- target: Gruppe", "  rules: [{target: Teil/Eins, from: case.title}]"], "Teil/Zwei"),
        (["- target: Gruppe/Teil", "  rules: [{target: Eins, from: case.title}]"], "Zwei"),
        (["- target: Gruppe", "  rules: [{target: Teil, rules: [{target: Eins, from: case.title}]}]"], "Zwei"),
        (
            [
                "- {target: Gruppe/Teil, rules: [{target: Eins, from: case.title}]}",
                '- {target: "Gruppe/Teil[2]/Eins", from: case.title}',
            ],
            '"Gruppe/Teil[2]/Zwei"',
        ),
    ],
)
def test_the_rule_that_is_missing_can_be_pasted_where_the_finding_stands(
    findings: Findings, rules: list[str], missing: str
) -> None:
    """Into the block that stands there, or beside the rule that does."""
    found = [one.expected for one in findings("\n".join(rules)) if one.code == "KB-M12" and one.rule.endswith("/Zwei")]

    assert f"- {{target: {missing}, from: …}}" in found


@pytest.mark.parametrize(
    ("head", "line", "said", "severity"),
    [
        ("source: json", "6:9", "KB-M19 'source' speaks of a record of your own", "warning"),
        ("reads: [case]", "6:8", "KB-M19 'reads' speaks of items", "warning"),
        ("unused: [case.title]", "6:10", "KB-M19 'case.title' is named as unused, but a rule reads it", "warning"),
    ],
)
def test_a_key_without_effect_is_a_finding(findings: Findings, head: str, line: str, said: str, severity: str) -> None:
    """What is taken in silence is believed to do something."""
    [found] = findings("- {target: Alles, from: case.title}\n", HEAD.replace("rules:", f"{head}\nrules:"))

    assert found.severity == severity
    assert f":{line}: {said}" in found.line()


@pytest.mark.parametrize("root", ["item", "envelope"])
def test_an_outbound_mapping_has_no_item(findings: Findings, root: str) -> None:
    """Nobody hands one over, so every value read from it would be nothing."""
    [found] = findings("- {target: Alles, from: case.title}\n", HEAD.replace("[case", f"[{root}, case"))

    assert (found.code, found.severity, found.place.column) == ("KB-M08", "error", 9)


OVER = "name: oben\nversion: 1\ndirection: outbound\nextends: out\n"


def test_an_overlay_for_another_standard_is_one_finding(
    findings: Findings, content: Path, put: Callable[[str, str], Path]
) -> None:
    """Every rule of the base would be wrong, and none of them is: the overlay's target is."""
    put("schemas/tree/1.0/profile.xsd", (DATA / "tree.xsd").read_text("utf-8"))
    findings("- {target: Alles, from: case.title}\n- {target: Etwas, from: case.title}\n")
    put("mappings/outbound/oben/mapping.yaml", f"{OVER}target: tree 1.0 Leaf\n")
    [found] = check_mapping("oben", content)

    assert (found.code, str(found.place)) == ("KB-M05", "mappings/outbound/oben/mapping.yaml:5:9")


def test_a_rule_that_is_missing_in_an_overlay_is_shown_with_its_whole_path(
    findings: Findings, content: Path, put: Callable[[str, str], Path]
) -> None:
    """It is pasted at the top of the overlay, not into the base's block."""
    parts = ", ".join(f"{{target: {name}, from: case.title}}" for name in ("'@art'", "Eins"))
    findings(f"- {{target: Gruppe/Teil, rules: [{parts}]}}\n")
    put("mappings/outbound/oben/mapping.yaml", OVER)
    [found] = [one for one in check_mapping("oben", content) if one.code == "KB-M12"]

    assert found.expected == "- {target: Gruppe/Teil/Zwei, from: …}"


def test_an_overlay_may_read_what_its_base_leaves_out(
    findings: Findings, content: Path, put: Callable[[str, str], Path]
) -> None:
    """The base's header is not the overlay's to mend."""
    findings("- {target: Alles, from: case.reference}\n", HEAD.replace("rules:", "unused: [case.title]\nrules:"))
    put("mappings/outbound/oben/mapping.yaml", f"{OVER}rules:\n- {{target: Etwas, from: case.title}}\n")

    assert [one.line() for one in check_mapping("oben", content) if "unused" in one.message] == []


def test_what_is_wrong_with_a_condition_is_said_once(findings: Findings, content: Path) -> None:
    """That the place may stay empty under such a condition is only what follows."""
    file = content / "schemas/formen/1/profile.xsd"
    file.write_text(file.read_text("utf-8").replace('type="Alles" minOccurs="0"', 'type="Alles"'))
    rule = "- {target: Alles, from: case.title, when: {path: %s}}\n"
    never = findings(rule % "message.test, equals: ja")
    always = findings("- {target: Alles, from: case.title, when: case.title}\n")
    some = findings(rule % "message.effect, equals: a")

    assert [[one.code for one in found] for found in (never, always, some)] == [["KB-M16"], ["KB-M16"], ["KB-M13"]]


def test_a_prefix_that_leaves_no_room_is_one_finding(findings: Findings) -> None:
    """To clip behind it would leave nothing of the text."""
    prefix = "Das ist die lange Kategorie des Vorschlags"
    [found] = findings(f"- {{target: Kurz, from: case.title, steps: [{{prefix: '{prefix}'}}]}}\n")

    assert (found.code, found.severity) == ("KB-M14", "error")


def test_a_uuid_never_fits_a_place_that_is_too_short(findings: Findings) -> None:
    """Clipped, it would be another name, and all of them are too long."""
    [found] = findings("- {target: Kurz, from: case.id}\n")

    assert (found.code, found.severity) == ("KB-M18", "error")
    assert "clip:" not in found.helps


def test_what_an_overlay_drops_is_missing_where_it_drops_it(
    findings: Findings, content: Path, put: Callable[[str, str], Path]
) -> None:
    """The header is not where it is mended."""
    parts = ", ".join(f"{{target: {name}, from: case.title}}" for name in ("'@art'", "Eins", "Zwei"))
    findings(f"- {{target: Gruppe/Teil, rules: [{parts}]}}\n")
    put("mappings/outbound/oben/mapping.yaml", f"{OVER}rules:\n- {{target: Gruppe/Teil/Zwei, omit: true}}\n")
    [found] = [one for one in check_mapping("oben", content) if one.code == "KB-M12"]

    assert str(found.place) == "mappings/outbound/oben/mapping.yaml:6:12"
