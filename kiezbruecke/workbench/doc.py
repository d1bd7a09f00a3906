"""The page for the department: one HTML file, in German, that can be read, printed and signed without any program.

It holds no script and loads nothing. Same mapping, same page: there is no date in it, but the mapping's digest.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from lxml import html
from lxml.html import builder as E  # noqa: N812 - lxml's own name for it

from kiezbruecke import printed
from kiezbruecke.mapping.language.definition import Rule, When
from kiezbruecke.mapping.loading import Mapping
from kiezbruecke.mapping.schema.models import root_model
from kiezbruecke.mapping.schema.sources import NodeFields
from kiezbruecke.mapping.schema.tree import Node
from kiezbruecke.workbench.examples import find_examples, read_roots
from kiezbruecke.workbench.german_words import source_words, step_words
from kiezbruecke.workbench.preview import PreviewRow, preview

_FIELDS = ("Nr.", "Ziel-Feld", "Woher", "Was damit geschieht", "Bedingung", "Pflicht", "Personenbezogen", "Hinweis")


@dataclass(frozen=True)
class _Place:
    """A rule with its number, its full target, what it stands under, and the schema's nodes on the way to it."""

    number: int
    rule: Rule
    target: str
    above: tuple[Rule, ...]
    nodes: tuple[Node, ...]
    told: str = ""  # what the schema of somebody else's record says of the source


@dataclass(frozen=True)
class MappingField:
    """One rule as the department reads it: the same words as on the printed page."""

    number: int
    target: str
    explained: str
    origin: str
    done: str
    condition: str
    duty: str
    personal: str
    note: str


def fields_of(mapping: Mapping) -> list[MappingField]:
    """Every rule of a mapping, in its order; what is not here is not sent."""
    return [_as_field(place) for place in _places(mapping)]


def page(mapping: Mapping, content: Path) -> str:
    """The whole page."""
    title = mapping.definition.title or mapping.name
    places = list(_places(mapping))
    return printed.page(
        f"{title} – Zuordnung {mapping.name}",
        E.H1(title),
        E.P(mapping.definition.note) if mapping.definition.note else "",
        _head(mapping),
        E.H2("Felder"),
        _fields(places),
        *_codelists(mapping, places),
        *_example(mapping, content),
    )


def _head(mapping: Mapping) -> html.HtmlElement:
    inbound = mapping.direction == "inbound"
    source = f"{', '.join(mapping.reads)} ({mapping.definition.source})" if inbound else _roots(mapping)
    purpose = "Liest Einträge einer Quelle" if inbound else "Schreibt Nachrichten für ein Ziel"
    rows = (
        ("Zweck", purpose),
        ("Zuordnung", f"{mapping.name}, Version {mapping.version}"),
        ("Ziel", mapping.target),
        ("Quelle", source),
        ("Prüfwert", mapping.digest[:16]),
    )
    return printed.pairs(rows)


def _roots(mapping: Mapping) -> str:
    own = f"{mapping.own} ({mapping.definition.source})"
    return ", ".join(own if root == mapping.own else source_words(root) or root for root in mapping.definition.roots)


def _places(mapping: Mapping) -> Iterator[_Place]:
    told = _told(mapping)
    for one in mapping.plan.rules:
        if not one.rule.rules:
            above = tuple(block.rule for block in one.above)
            nodes = _nodes(mapping.goal.root, (*above, one.rule))
            yield _Place(one.number, one.rule, one.target, above, nodes, told.get(id(one.rule), ""))


def _told(mapping: Mapping) -> dict[int, str]:
    """What the schema of an item or of a record of one's own says of the field that each rule takes its value from.

    By the rule's identity: those of a group stand at one place for all its uses.
    """
    fields, own = mapping.shape.item.fields, mapping.own
    if not own or not isinstance(fields, NodeFields):
        return {}
    found = (one for one in mapping.plan.reads if one.key == "from" and one.path.root == own)
    return {id(one.rule): fields.documentation(one.path.names.removeprefix(f"{own}.")) for one in found}


def _nodes(root: Node, rules: tuple[Rule, ...]) -> tuple[Node, ...]:
    """The nodes down to the target of the last rule, with the types that its blocks choose."""
    found = [root]
    for rule in rules:
        for step in rule.target.steps:
            below = found[-1].children.get(step.name)
            if below is None:
                return tuple(found)
            found.append(_numbered(below, step.number))
        found[-1] = (found[-1].typed(rule.type) if rule.type else None) or found[-1]
    return tuple(found)


def _numbered(node: Node, number: int) -> Node:
    """One of several: the third of at least two need not be there."""
    return replace(node, minimum=0) if node.maximum != 1 and number > max(node.minimum, 1) else node


def _fields(places: list[_Place]) -> html.HtmlElement:
    caption = "Jede Zeile ist eine Regel der Zuordnung. Was hier nicht steht, wird nicht übermittelt."
    return printed.table(caption, _FIELDS, [_field(place) for place in places])


def _field(place: _Place) -> list[html.HtmlElement]:
    rule = place.rule
    target = E.TH(E.CODE(place.target), scope="row")
    if text := place.nodes[-1].documentation:
        target.append(printed.small(text))
    return [
        E.TD(str(place.number)),
        target,
        _origin(place),
        E.TD("; ".join(_done(rule)) or "unverändert"),
        E.TD("; ".join(_conditions(place)) or "–"),
        E.TD(_duty(place)),
        _personal(rule),
        E.TD(rule.note or "–"),
    ]


def _as_field(place: _Place) -> MappingField:
    rule = place.rule
    return MappingField(
        place.number,
        place.target,
        place.nodes[-1].documentation or "",
        _plain(_origin(place)),
        "; ".join(_done(rule)) or "unverändert",
        "; ".join(_conditions(place)) or "–",
        _duty(place),
        _plain(_personal(rule)),
        rule.note or "–",
    )


def _plain(cell: html.HtmlElement) -> str:
    return " – ".join(text.strip() for text in cell.itertext() if text.strip())


def _origin(place: _Place) -> html.HtmlElement:
    rule = place.rule
    if rule.ends:
        return E.TD("–")
    if rule.source is None:
        constant = rule.code.value if rule.code else rule.const
        return E.TD(f"fester Wert „{constant}“")
    words = place.told or source_words(rule.source.text)
    cell = E.TD(words, E.BR(), E.CODE(rule.source.text)) if words else E.TD(E.CODE(rule.source.text))
    model, name = root_model(rule.source.root), rule.source.steps[0].name if rule.source.steps else ""
    if model is not None and name in model.model_fields and (text := model.model_fields[name].description):
        cell.append(E.SPAN(text, {"class": "small", "lang": "en"}))
    return cell


def _done(rule: Rule) -> Iterator[str]:
    if rule.ends:
        yield f"mehr als {rule.ends} Ebenen: der Vorgang wird zurückgestellt"
    for use in rule.steps:
        yield step_words(use.name, use.argument)
    if rule.codelist:
        column = f", Spalte {rule.column}" if rule.column else ""
        exact = "" if rule.fold else ", Groß- und Kleinschreibung genau"
        yield f"übersetzt nach der Codeliste {rule.codelist}{column}{exact}"
    if rule.code:
        yield f"als Code der Liste {rule.code.list}"
    if rule.default is not None:
        yield f"wenn leer: „{rule.default}“"
    if rule.nil:
        yield "wenn leer: ausdrücklich als leer gekennzeichnet"


def _conditions(place: _Place) -> Iterator[str]:
    for rule in (*place.above, place.rule):
        if rule.each is not None:
            least = f" (mindestens {rule.at_least}, sonst wird der Vorgang zurückgestellt)" if rule.at_least else ""
            yield f"je Eintrag von {rule.each.text}{least}"
        if rule.type:
            yield f"als „{rule.type}“"
        if rule.one_of:
            yield "genau einer der Fälle, sonst wird der Vorgang zurückgestellt"
        yield from map(_condition, rule.asked)
        if rule.otherwise:
            yield "in allen anderen Fällen"


def _condition(when: When) -> str:
    words = source_words(when.path.text)
    shown = f"{words} ({when.path.text})" if words else when.path.text
    if not when.texts:
        return f"nur wenn {'nicht ' if when.negated else ''}angegeben: {shown}"
    texts = " oder ".join(f"„{text}“" for text in when.texts)
    fold = " (Groß- und Kleinschreibung gleich)" if when.fold else ""
    return f"nur wenn {shown} {'nicht ' if when.negated else ''}{texts} ist{fold}"


def _duty(place: _Place) -> str:
    if place.rule.required:
        return "ja; ohne diesen Wert wird der Vorgang zurückgestellt"
    if place.nodes[-1].optional:
        return "nein"
    optional = any(node.optional for node in place.nodes[1:-1])
    return "laut Schema, wenn der Abschnitt da ist" if optional else "ja, laut Schema"


def _personal(rule: Rule) -> html.HtmlElement:
    if not rule.pii:
        return E.TD("nein")
    cell = E.TD(E.SPAN("ja", {"class": "personal"}))
    cell.append(
        printed.small(f"Rechtsgrundlage: {rule.legal_basis}" if rule.legal_basis else "Rechtsgrundlage: nicht genannt")
    )
    return cell


def _codelists(mapping: Mapping, places: list[_Place]) -> Iterator[html.HtmlElement]:
    lists = mapping.lists
    if lists.translations or lists.codes:
        yield E.H2("Codelisten")
    for lookup, translation in sorted(lists.translations.items()):
        name = f"{lookup.list}, Spalte {lookup.column}" if lookup.column else lookup.list
        rows = [[E.TH(given, scope="row"), E.TD(value or "(leer)")] for given, value in translation.entries.items()]
        yield printed.table(f"{name}: welcher Wert zu welchem wird", ("Wert der Quelle", "Wert im Ziel"), rows)
    used = {place.rule.code.list: place.rule.code.value for place in places if place.rule.code}
    for name, codes in sorted(lists.codes.items()):
        shown = {code: text for code, text in codes.codes.items() if used.get(name) in (None, code)}
        caption = f"{name} {codes.version}: {codes.uri}"
        if len(shown) < len(codes.codes):
            caption += f" (nur was verwendet wird, von {len(codes.codes)} Codes)"
        rows = [[E.TH(code, scope="row"), E.TD(text or "–")] for code, text in shown.items()]
        yield printed.table(caption, ("Code", "Bedeutung"), rows)


def _example(mapping: Mapping, content: Path) -> Iterator[html.HtmlElement]:
    """The smallest example: invented data, as the examples' rules demand."""
    found = {example.name: example for example in find_examples(mapping.name, content)}
    example = found.get("minimal") or next(iter(found.values()), None)
    if example is None:
        return
    rows = [row for row in preview(mapping, read_roots(mapping, content, example)) if row.value]
    yield E.H2("Beispiel")
    caption = f"Beispiel „{example.name}“ mit erfundenen Angaben: was die Regeln daraus machen."
    yield printed.table(caption, ("Ziel-Feld", "Wert", "Woher", "Nr."), [_example_row(row) for row in rows])


def _example_row(row: PreviewRow) -> list[html.HtmlElement]:
    origin = E.TD(row.source) if row.source == "Festwert" else E.TD(E.CODE(row.source))
    value = E.TD(row.value, " ", printed.small("(nicht geschrieben)")) if row.dropped else E.TD(row.value)
    return [E.TH(E.CODE(row.target), scope="row"), value, origin, E.TD(str(row.rule))]
