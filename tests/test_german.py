"""Every German text for people, once: the words of the glossary, no English, singular and plural, clean signs.

code ─▶ string literals that are German (placeholders as …) ┐
words, help of commands, Airflow's pages, manifests, routes ├─▶ the same few questions
templates of documents, pages for people ───────────────────┘
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import typer
from ruamel.yaml import YAML

from kiezbruecke import errors, german
from kiezbruecke.airflow import page
from kiezbruecke.cli.main import app
from kiezbruecke.content.routes import routes
from kiezbruecke.desk import words
from tools.commands import commands

ROOT = Path(__file__).resolve().parents[1]
FOR_PEOPLE = (
    "todo",
    "case",
    "message",
    "route",
    "destination",
    "ledger",
    "sandbox",
    "new",
    "run",
    "status",
    "reconcile",
)
PAGES = (
    "docs/how-to/fachverwaltung.md",
    "docs/how-to/zuwendungen.md",
    "docs/how-to/betrieb.md",
    "docs/reference/errors.md",
    "demo/README.md",
)
_GERMAN = re.compile(
    r"[äöüßÄÖÜ„“]|\b(?:der|die|das|den|dem|ein|eine|einen|nicht|ist|sind|wird|und|von|zu|kein|keine|mit|bitte|fehlt|auf|im)\b"
)
_CODE = re.compile(  # what is no prose: names of ours, options, addresses, quotations of a screen
    r"```.*?```|`[^`]*`|\*\*?[^*\n]*\*\*?|[\w./-]*kiezbruecke(?: [a-z]+)*|\x22…\x22|„[a-z_]+“|--[a-z-]+|\{[^{}]*\}|https?://\S+|\]\([^)]*\)|[\w./-]*[._/][\w./-]+",
    re.DOTALL,
)
IMITATIONS = ("_pages", "sandbox", "_sandbox_efile")  # what other systems say to programs, word for word
ENGLISH = (
    "expected|reader|refused|missing|unexpected|ledger|route|routes|sandbox|connector|mapping|message|receipt|the|is|are|of|"
    "not|must|cannot|there|has|with|this|file|line|case|sheet|error|failed|delivered|waiting|claimed|lane|fence|run|runs|"
    "pending|unknown|wrong|source|target|destination|connection|default|warning|timeout|retry|batch|clearing|to-do"
)
_ENGLISH = re.compile(rf"(?<![\w-])(?:{ENGLISH})(?![\w-])")
PLURALS = (
    "Zeilen|Fälle|Fällen|Punkte|Punkten|Nachrichten|Ereignisse|Vorschläge|Tabellen|Prozesse|Rückmeldungen|Beschlüsse|Tage|Tagen|"
    "Aufrufe|Minuten|Stunden|Sekunden|Strecken|Dateien|Listen|Spalten|Blätter|Versuche|Berichte|Anlagen|Aufträge"
)
_PLURAL = re.compile(rf"…\s+(?:{PLURALS})\b")
_BLANKS = re.compile(r"(?<=\S)  +(?=\S)")
_STRAIGHT = re.compile(r"""(?<![\w=\\(\[])['"](?=\S)|(?<=\w)['"](?![\w\])])""")


class Said(NamedTuple):
    """A text, and where it stands."""

    where: str
    text: str


@cache
def texts() -> tuple[Said, ...]:
    """All of them."""
    return (*_of_code(), *_of_words(), *_of_commands(), *_of_airflow(), *_of_content(), *_of_pages())


def test_they_are_all_found() -> None:
    """A collector that finds nothing finds no mistake either."""
    places = {said.where.partition(":")[0].split("/")[0] for said in texts()}

    assert len(texts()) > 600
    assert places >= {"kiezbruecke", "connectors", "demo", "words", "help", "airflow", "mappings", "docs"}


def test_the_glossary_has_words_to_look_for() -> None:
    """It is read from CONTEXT.md."""
    assert {"Ledger", "Route", "Sandkasten", "Konnektor", "Beschlussbogen"} <= set(forbidden())


def test_one_word_for_one_thing() -> None:
    """Whoever reads two words looks for two things."""
    assert _found(_question("glossary")) == []


@pytest.mark.parametrize(
    ("question", "mistake"),
    [
        ("glossary", "Die Route ist angehalten"),
        ("glossary", "steht im Ledger"),
        ("glossary", "Name des Konnektors"),
        ("english", "Der Punkt ist refused"),
        ("english", "gibt es hier nicht; expected keine"),
        ("plural", "… Zeilen gelesen"),
        ("plural", "wartet seit … Tagen"),
        ("blanks", "zwei  Leerzeichen"),
        ("straight", "die Codeliste 'ergebnis'"),
        ("straight", 'die Antwort "ja"'),
    ],
)
def test_each_question_finds_its_mistake(question: str, mistake: str) -> None:
    """A question that finds nothing proves nothing."""
    assert _question(question).search(_CODE.sub(" … ", mistake))


def test_no_english_in_a_german_sentence() -> None:
    """A clerk does not know what is expected."""
    assert _found(_question("english")) == []


def test_singular_and_plural_come_from_one_function() -> None:
    """`1 Zeilen` was read by everybody who looked."""
    assert _found(_question("plural")) == []


def test_a_german_error_says_nothing_english_around_it() -> None:
    """`…gibt es hier nicht; expected keine` – what a German error expects is said by one whose own words are German."""
    speak = {name for name, kind in vars(errors).items() if getattr(kind, "expected_word", "") == "expected"}
    wrong = [
        f"{name}:{call.lineno}"
        for name, tree in _trees()
        for call in ast.walk(tree)
        if isinstance(call, ast.Call) and ast.unparse(call.func) in speak and call.args
        if any(_is_german(text) for _, text in _literals(ast.Expression(call.args[0])))
        if any(word.arg == "expected" for word in call.keywords)
    ]

    assert wrong == []


def test_no_double_blanks() -> None:
    """They come from texts that are put together."""
    found = _found(_question("blanks"), prose=False)

    assert [one for one in found if "\\n" not in one] == []  # a text of several lines may have columns


def test_german_quotation_marks() -> None:
    """Straight ones are for programs."""
    assert _found(_question("straight")) == []


@pytest.mark.parametrize(("many", "told"), [(0, "0 Punkte"), (1, "1 Punkt"), (2, "2 Punkte")])
def test_one_is_not_many(many: int, told: str) -> None:
    """The one function."""
    assert german.count(many, "Punkt", "Punkte") == told


def test_what_a_run_did_is_said_in_both_numbers() -> None:
    """Each word once for one and once for several."""
    one, many = (words.told(dict.fromkeys(words.COUNTS, count)) for count in (1, 2))

    assert "1 neuer Vorschlag, 1 geänderter Vorschlag" in one
    assert "2 neue Vorschläge, 2 geänderte Vorschläge" in many


@cache
def forbidden() -> tuple[str, ...]:
    """The glossary's last column."""
    table = (ROOT / "CONTEXT.md").read_text("utf-8").split("## What people read")[1]
    rows = [line.split("|") for line in table.splitlines() if line.startswith("| **")]
    return tuple(word.strip() for row in rows for word in row[3].split(",") if word.strip())


def _question(name: str) -> re.Pattern[str]:
    known = {"english": _ENGLISH, "plural": _PLURAL, "straight": _STRAIGHT, "blanks": _BLANKS}
    if name in known:
        return known[name]
    return re.compile(rf"(?<![\w-])(?:{'|'.join(map(re.escape, forbidden()))})(?:s|n|en)?(?![\w-])")


def _found(wrong: re.Pattern[str], *, prose: bool = True) -> list[str]:
    hits = []
    for said in texts():
        text = _CODE.sub(" … ", said.text) if prose else said.text
        hits += [f"{said.where}: {match.group()!r} in {said.text[:100]!r}" for match in wrong.finditer(text)]
    return hits


# --- where they stand


def _of_code() -> Iterator[Said]:
    """What Python files say in German: literals, and f-strings with … for what is filled in."""
    for name, tree in _trees():
        for node, text in _literals(tree):
            if _is_german(text):
                yield Said(f"{name}:{node.lineno}", text)


def _trees() -> Iterator[tuple[str, ast.Module]]:
    for folder in ("kiezbruecke", "connectors", "demo"):
        for file in sorted((ROOT / folder).rglob("*.py")):
            if folder != "connectors" or file.stem not in IMITATIONS:
                yield str(file.relative_to(ROOT)), ast.parse(file.read_text("utf-8"))


def _is_german(text: str) -> bool:
    """Sentences and words; not a set of signs, nor an English text that quotes a German one."""
    own = re.sub(r"'[^']*'|Kiezbrücke", "", text)
    return bool(_GERMAN.search(own) and re.search(r"[a-zäöüß]{3}", own))


def _literals(tree: ast.AST) -> Iterator[tuple[ast.expr, str]]:
    docs = {id(one.value) for one in ast.walk(tree) if isinstance(one, ast.Expr)}
    inside = {
        id(part)
        for one in ast.walk(tree)
        if isinstance(one, ast.JoinedStr)
        for part in ast.walk(one)
        if part is not one
    }
    for node in ast.walk(tree):
        if id(node) in docs or (id(node) in inside and not isinstance(node, ast.JoinedStr)):
            continue
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node, node.value
        elif isinstance(node, ast.JoinedStr):
            yield node, "".join(str(one.value) if isinstance(one, ast.Constant) else "…" for one in node.values)


def _of_words() -> Iterator[Said]:
    for name, table in vars(words).items():
        if name.isupper() and isinstance(table, dict):
            for key, text in table.items():
                yield from (Said(f"words:{name}.{key}", one) for one in ((text,) if isinstance(text, str) else text))


def _of_commands() -> Iterator[Said]:
    for name, command in commands(typer.main.get_command(app)):
        if name.split()[1] in FOR_PEOPLE:
            yield Said(f"help:{name}", command.help or "")
            yield from (Said(f"help:{name} {one.name}", getattr(one, "help", "") or "") for one in command.params)


def _of_airflow() -> Iterator[Said]:
    for step in page.STEPS:
        yield Said(f"airflow:{step}", f"{page.STEPS[step][0]}. {page.step_page(step)}")
    for name, route in routes(ROOT).items():
        yield Said(f"airflow:{name}", page.summary(route).partition(": ")[2])
        yield Said(f"airflow:{name} page", page.route_page(route, {}))


def _of_content() -> Iterator[Said]:
    """Titles, labels, helps and notes of what is written in YAML; the words of the documents' templates."""
    for file in sorted([*ROOT.glob("mappings/**/*.yaml"), *ROOT.glob("connectors/*/connector.yaml")]):
        name = str(file.relative_to(ROOT))
        if "/examples/" not in name:
            yield from (Said(name, text) for text in _said(YAML(typ="safe").load(file.read_text("utf-8"))))
    for file in sorted(ROOT.glob("mappings/documents/**/*.typ")):
        for number, line in enumerate(file.read_text("utf-8").splitlines(), 1):
            if _GERMAN.search(line) and not line.lstrip().startswith(("//", "#import")):
                yield Said(f"{file.relative_to(ROOT)}:{number}", " ".join(re.findall(r"\[([^\[\]#]*)\]", line)))


def _said(body: Any) -> Iterator[str]:
    if isinstance(body, dict):
        for key, value in body.items():
            if key in ("title", "label", "help", "note") and isinstance(value, str) and _GERMAN.search(value):
                yield value
            else:
                yield from _said(value)
    elif isinstance(body, list):
        for one in body:
            yield from _said(one)


def _of_pages() -> Iterator[Said]:
    for name in PAGES:
        text = re.sub(r"```.*?```", "", (ROOT / name).read_text("utf-8"), flags=re.DOTALL)
        for number, line in enumerate(text.splitlines(), 1):
            if not line.startswith(("|---", "#")) and line.strip():
                yield Said(f"{name}:{number}", line.strip().removeprefix("* "))
