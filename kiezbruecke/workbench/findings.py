"""What each finding means, with one example: for the reference page and for code hosts."""

from __future__ import annotations

from dataclasses import dataclass

from kiezbruecke.mapping.language.findings import CODES

HEAD = """\
# Findings of `mapping check`

*For integrators. Written by `tools/generate.py`; do not edit.*

Each finding is one line: `file:line:column: code message; expected …; what helps`. An **error** keeps the mapping
from being loaded; a **warning** says that some records will be set aside, or that something changes nothing.
`--strict` lets warnings count as errors; `accept: {KB-M18: "why"}` on a rule says that its warning is meant.

"""


@dataclass(frozen=True, slots=True)
class Help:
    """What is wrong in one or two sentences, one line of a mapping that shows it, and whether it is an error."""

    text: str
    example: str
    severity: str = "error"


HELP = {
    "KB-M01": Help(
        "The file is no YAML in UTF-8 that holds data alone. Anchors, aliases, tags, deep nesting and files "
        "above 500 kB are refused. Inside of `{…}`, a path with `[2]` or `@` stands in quotes; so does a text with "
        "a colon and a blank, with a blank and `#`, or one that begins with `*`, `%` or `@`. Tabs do not indent.",
        "note: Ort: Köpenick",
    ),
    "KB-M02": Help(
        "A key that the language does not know, or one that stands twice.", "- {target: A, form: case.title}"
    ),
    "KB-M03": Help(
        "A value has another form than its key wants, or keys that do not go together: `as` is a name that paths "
        "can begin with; a constant is written as it stands, so `{{ … }}` and `${…}` in it are refused.",
        "- {target: A, required: yes}",
    ),
    "KB-M04": Help("Name and direction are those of the folders that the file lies in.", "name: another-name"),
    "KB-M05": Help(
        "The base is not there, has another direction or target, or goes round in a circle; or `omit` drops "
        "what the base does not have; or an `otherwise` of the base has lost what it answers.",
        "extends: decision-shet",
    ),
    "KB-M06": Help("There is no such record, table, standard or root element.", "target: xdomea 4.0.0 Abgabe.0401"),
    "KB-M07": Help(
        "The target has no such path. Where the name stands elsewhere, that path is named.", "- {target: Titel, …}"
    ),
    "KB-M08": Help(
        "The source has no such field, or the root is not declared under `roots`, or is there for the other "
        "direction only: `item` and `envelope` when something is read, `case`, `decision` and the like when it is "
        "written. Beside a record of one's own there is only `envelope`.",
        "from: case.titel",
    ),
    "KB-M09": Help(
        "There is no such step, its argument does not fit, or it cannot read what arrives. Steps are tried "
        "with sample values.",
        "steps: [{clip: many}]",
    ),
    "KB-M10": Help(
        "There is no such code list, column or code, or its words do not fit the target.", "codelist: ergebniss"
    ),
    "KB-M11": Help(
        "More values than the place holds: two rules, a list, a number above the maximum. A warning where a list "
        "may be longer than a target that repeats so many times.",
        "- {target: 'Titel[2]', …}",
    ),
    "KB-M12": Help("The schema wants a value here, and no rule gives one.", "(a rule is missing)"),
    "KB-M13": Help(
        "A mandatory place whose source may be empty, or that is only written under a condition: such records"
        " are set aside.",
        "- {target: Pflicht, from: proposal.title}",
        "warning",
    ),
    "KB-M14": Help(
        "Kind, form or fixed value do not fit: a day in a number, a sum with cents where none are allowed, "
        "a constant against the pattern. "
        "Where only some are at risk it is a warning: a free text for a place with a pattern or a list of words.",
        "- {target: Tag, from: decision.approved_amount}",
    ),
    "KB-M15": Help(
        "A block of constants alone is never written: a constant keeps no optional parent alive.",
        "rules: [{target: Name, const: A}]",
        "warning",
    ),
    "KB-M16": Help(
        "A condition that always holds (warning), or that never does (error); two texts of one condition that `fold` "
        "makes the same.",
        "when: {path: message.test, equals: ja}",
    ),
    "KB-M17": Help(
        "The schema allows one branch of a choice, and nothing keeps the rules of several apart.",
        "- {target: Mail, …}  - {target: Telefon, …}",
    ),
    "KB-M18": Help(
        "A text that may be longer than the target holds: longer ones set their record aside. `clip` decides "
        "otherwise, as the last step: `upper`, `sepa_text`, `prefix` and others lengthen.",
        "- {target: Kurz, from: case.title}",
        "warning",
    ),
    "KB-M19": Help(
        "Something that changes nothing: a root nobody reads, a default behind what is never empty, a member "
        "of `each` that is not used, `source` where every root is ours, a field under `unused` that a rule reads, a "
        "group that no block uses.",
        "- {target: A, from: case.id, default: keine}",
        "warning",
    ),
    "KB-M20": Help(
        "A mandatory field of a typed source, or one that is marked in our records, is read by no rule. Name "
        "it under `unused:` if that is meant. Where as many rules are missing or wrong, they are told alone.",
        "roots: [decision]  (and no rule reads decision.approved_amount)",
        "warning",
    ),
    "KB-M21": Help(
        "The source is open (`source: json`), and neither an example of the mapping nor an answer that `drift accept` "
        "has looked at holds this path: it would give nothing, for ever. Give an example the value. Of a field that is "
        'rare the rule says so: `accept: {KB-M21: "only with an appeal"}`; this is the one error that can be accepted. '
        "A mapping without examples has no such findings, and a route never stops for one: only `check` asks examples.",
        "from: item.Bertag",
    ),
    "KB-M22": Help(
        "Values that can arrive but have no partner in the code list, or are not allowed by the target. An "
        "error where none fits, and where two words of the list that differ in case or blanks only have different "
        "partners, unless the rule says `fold: false`.",
        "- {target: Stand, from: budget.status, codelist: halb}",
        "warning",
    ),
    "KB-M23": Help(
        "Numbered targets with a gap. They are written one after the other, so the number means nothing.",
        "- {target: 'Feld[3]', …}",
        "warning",
    ),
    "KB-M24": Help(
        "The examples are played through, beside other mistakes too. A value of theirs does not fit, though its "
        "kind does: a free text in an IBAN's place, a text that a step cannot read, a word that a code list does not "
        "have. Nothing else finds such mistakes before records arrive: without an example that holds the value, "
        "`check` is silent. `try` invents more. The finding stands at the rule, or where the example cannot be read, "
        "at 'source' if no line of the example is known. Examples that expect an error are left out.",
        "- {target: Konto/IBAN, from: case.reference}",
    ),
    "KB-M25": Help(
        "Several rules or blocks stand under conditions, one for each case, and the source knows a word that none of "
        "them is for: nothing is written then. Only known words are told, those of an enumeration and yes or no.",
        "- {target: Ja, const: ja, when: {path: decision.outcome, equals: approved}}  (and Nein for rejected alone)",
        "warning",
    ),
    "KB-M26": Help(
        "`use` names a group that is not there; or a group uses itself, and no list (`each`) or no `depth` ends that; "
        "or groups in groups make more rules than a mapping may have.",
        "- {target: Anschrift, from: case.applicant, as: person, use: anschrfit}",
    ),
}


def findings_page() -> str:
    """The reference page, in Markdown."""
    return HEAD + "\n".join(_section(code) for code in CODES)


def _section(code: str) -> str:
    found = HELP[code]
    return f"## {code} {CODES[code]}\n\n*{found.severity}* – {found.text}\n\n```text\n{found.example}\n```\n"
