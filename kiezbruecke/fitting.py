"""Whether the words of a route fit each other, its content and its connection: asked before it runs, and when it runs.

    refuse_unfit_words(place, …)       at every parse and in `route check`: rule, effect, process, options, `after`
    refuse_broken_mappings(route, …)   in `route check`; at a parse Airflow's verdicts do
    refuse_unfit_party(route, party)   where the connection is known: its connector, what it can do – and when it runs

A wrong word that looks healthy is found by nobody until money does not come. Each error names file, line and column,
and the word that was probably meant.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from kiezbruecke import plugins
from kiezbruecke.connections import without_environment
from kiezbruecke.connector import Connection, Manifest, check_settings, manifest_for, manifests
from kiezbruecke.content.parties import refuse_wrong_party
from kiezbruecke.content.processes import process_files, read_process
from kiezbruecke.content.routes import Route, RoutePlace, SendingRoute
from kiezbruecke.content.texts import texts_of
from kiezbruecke.effects import effect, rule_for
from kiezbruecke.errors import ConfigurationError
from kiezbruecke.mapping import load_mapping
from kiezbruecke.records import SEPA

DOCUMENTS = "documents"  # of a route's options: templates of its own


def refuse_unfit_words(place: RoutePlace, content: Path, names: Collection[str]) -> Route:
    """The route, if its words are known and fit each other; `names` are those of all routes. Reads no connection."""
    route = place.read()
    known = [file.stem for file in process_files(content)]
    _refuse_unknown("process", route.process, known, place.at("process"))
    for number, name in enumerate(route.after):
        _refuse_unknown("route", name, names, place.at("after", number))
    if isinstance(route, SendingRoute):
        _refuse_wrong_rule(route, place)
        _refuse_without_release(route, place)
        _refuse_wrong_channel(route, place, content)
        _refuse_unread_texts(route, place, content)
    _refuse_unknown_options(route, place, content)
    return route


def refuse_broken_mappings(route: Route, content: Path) -> None:
    """Every mapping that the route names must be able to work; raises ConfigurationError with its first finding."""
    for name in mappings_of(route):
        mapping = load_mapping(name, content)
        if mapping.direction == "outbound" and mapping.own:
            what = f"the mapping '{name}' reads records of its own, and a route gives it cases"
            raise ConfigurationError(what, where=mapping.file, expected="a mapping without 'source'")


def mappings_of(route: Route) -> tuple[str, ...]:
    """The mappings that a route names."""
    return (route.mapping,) if isinstance(route, SendingRoute) else route.mapping


def refuse_unfit_party(route: Route, party: Connection) -> None:
    """The connection must lead to something that the route can be about; raises ConfigurationError."""
    refuse_wrong_party(route, party)
    if isinstance(route, SendingRoute):
        _refuse_wrong_effect(route, manifest_for(party))


def refuse_unfit_settings(party: Connection) -> None:
    """What the form says must be whole, and its files there; raises ConfigurationError naming the field."""
    check_settings(without_environment(party))


def probably(given: str, known: Iterable[str]) -> str:
    """`did you mean 'commitment'?`, or nothing."""
    near = get_close_matches(given, list(known), 1)
    return f"did you mean '{near[0]}'?" if near else ""


# -- the words of a route ----------------------------------------------------------------------------------------


def _refuse_unknown(what: str, given: str, known: Collection[str], where: str) -> None:
    if given not in known:
        raise ConfigurationError(
            f"there is no {what} '{given}'",
            where=where,
            expected=", ".join(sorted(known)),
            helps=probably(given, known),
        )


def _refuse_wrong_rule(route: SendingRoute, place: RoutePlace) -> None:
    begins = {one.name: one.rule for one in plugins.effects().values() if one.rule}
    _refuse_unknown("effect", route.effect, plugins.effects().keys(), place.at("effect"))
    _refuse_unknown("due rule", route.due, sorted(begins.values()), place.at("due"))
    rule_for(route.effect, route.due, place.at("due"))


def _refuse_without_release(route: SendingRoute, place: RoutePlace) -> None:
    """Money leaves only with a second person."""
    if effect(route.effect).must_be_released and route.release != "four_eyes":
        raise ConfigurationError(
            f"{route.effect} moves money", where=place.at("release"), expected="release: four_eyes"
        )


def _refuse_wrong_channel(route: SendingRoute, place: RoutePlace, content: Path) -> None:
    """Orders are recorded with the channel of their process: a SEPA file is written where it says so, nowhere else."""
    if not effect(route.effect).confidential or route.mode == "off":
        return
    payments = read_process(content, route.process).payments
    standard = load_mapping(route.mapping, content).target.partition(" ")[0]
    if payments is not None and (standard == SEPA) is not (payments.channel == SEPA):
        raise ConfigurationError(
            f"the process {route.process} pays by '{payments.channel}', and {route.mapping} writes {standard}",
            where=place.at("mapping"),
            expected=f"payments: {{channel: {SEPA}}} with a mapping of {SEPA}, or neither (docs/how-to/sepa.md)",
        )


def _refuse_unread_texts(route: SendingRoute, place: RoutePlace, content: Path) -> None:
    """What people will read must be there and sound; before they read it, somebody of the district has."""
    if not effect(route.effect).tells or route.mode == "off":
        return
    texts = texts_of(content, route.process)
    if route.mode == "live":
        texts.refuse_unread(place.at("mode"))


def _refuse_unknown_options(route: Route, place: RoutePlace, content: Path) -> None:
    """What stands under `with` must be read by somebody: a mapping, the connector, or the documents."""
    if not route.options:
        return
    read = {*_read_by_mappings(route, content), (DOCUMENTS,), *((name,) for name in _options_of_connectors())}
    for path in _leaves(route.options):
        if not any(path[: len(one)] == one[: len(path)] for one in read):
            told, names = ".".join(path), sorted(".".join(one) for one in read if one)
            raise ConfigurationError(
                f"with: nobody reads '{told}'",
                where=place.at("with", *path),
                expected=", ".join(names),
                helps=probably(told, names),
            )


def _read_by_mappings(route: Route, content: Path) -> Iterator[tuple[str, ...]]:
    for name in mappings_of(route):
        for one in load_mapping(name, content).plan.reads:
            if one.path.root == "route":
                yield tuple(step.name for step in one.path.steps)


def _options_of_connectors() -> set[str]:
    """Which connector a route has to do with stands in its connection, which no file knows."""
    return {name for manifest in manifests().values() for name in manifest.options}


def _leaves(options: Mapping[str, Any], above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for name, value in options.items():
        if isinstance(value, dict) and value:
            yield from _leaves(value, (*above, name))
        else:
            yield *above, name


# -- its connection ----------------------------------------------------------------------------------------------


def _refuse_wrong_effect(route: SendingRoute, manifest: Manifest) -> None:
    """The rule and the destination must fit the effect, or a run could do what nobody meant."""
    where = f"route {route.name}"
    rule_for(route.effect, route.due, where)
    if effect(route.effect).in_list and not manifest.can.full_list:
        what, expected = f"{route.effect} is a line of a list", "a destination that always gets the whole list"
        raise ConfigurationError(what, where=where, expected=expected)
