"""What Airflow shows people about a route: its name, its page, its steps. German, and never more than its file says."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from kiezbruecke.content.routes import CollectingRoute, Route

STEPS = {
    "collect": ("Einlesen", "Holt, was neu ist, und schreibt es ins Hauptbuch. Sendet nichts."),
    "prepare": ("Vorbereiten", "Baut die Nachrichten, die fällig sind, und legt sie ins Hauptbuch. Sendet nichts."),
    "deliver": (
        "Zustellen",
        "Sendet, was vorbereitet ist. Bleibt eine Antwort aus, wird gefragt; neu gesendet werden nur dieselben Bytes.",
    ),
    "reconcile": (
        "Abgleichen",
        "Fragt nach, was aus Gesendetem geworden ist, und vergleicht, wo das Gegenüber es kann.",
    ),
    "certify": ("Bescheinigen", "Fragt, ob die Zahlungen sachlich und rechnerisch richtig sind. Sendet nichts."),
    "order": ("Anordnen", "Fragt, ob die bescheinigten Zahlungen angeordnet werden. Der nächste Lauf sendet sie."),
    "answer": ("Punkt beantworten", "Fragt nach dem ältesten Punkt, der die Strecke aufhält. Sendet nichts."),
    "housekeeping": (
        "Fristen überwachen",
        "Überwacht Fristen und schließt Punkte, die sich von selbst erledigt haben.",
    ),
    "morning_post": (
        "Morgenpost",
        "Schreibt jeder Stelle einmal am Tag, was hinausging, was wartet und was zu tun ist.",
    ),
    "close_the_day": (
        "Summen vergleichen",
        "Vergleicht je Bezirksregion unsere Summen mit denen des HKR und scheitert, wenn sie verschieden sind.",
    ),
}
RESULT = "Das Ergebnis (XCom) sind nur Zahlen; die Inhalte stehen im Hauptbuch (`kiezbruecke status`)."
MODES = {"live": "sendet", "dry_run": "bereitet nur vor und sendet nichts", "off": "ausgeschaltet"}
SIMPLE = re.compile(r"(?P<minute>\d+|\*/\d+) (?P<hour>\d+|\*|\d+-\d+) \* \* (?P<days>\*|[0-7](-[0-7])?)")
WEEKDAYS = ("sonntags", "montags", "dienstags", "mittwochs", "donnerstags", "freitags", "samstags", "sonntags")


def step_page(step: str) -> str:
    """The page of one task, Markdown."""
    return f"{STEPS[step][1]}\n\n{RESULT}"


def summary(route: Route) -> str:
    """The route in one line: with whom it talks, and when."""
    where = f"liest {route.collect}" if isinstance(route, CollectingRoute) else f"an {route.destination}"
    return f"{route.name}: {where}, {starts(route)}"


def route_page(route: Route, files: Mapping[str, Path]) -> str:
    """What a route does, Markdown: a table for people; for those who want to know its files, by the names shown."""
    rows = "\n".join(f"| {name} | {value} |" for name, value in _rows(route))
    texts = [f"`{name}`:\n\n{_fenced(file.read_text('utf-8').rstrip())}\n" for name, file in files.items()]
    return "\n".join([f"{route.title or route.name}\n\n| | |\n|---|---|\n{rows}\n", *texts])


def starts(route: Route) -> str:
    """When the route starts, in words; a clock that is not simple as its cron line."""
    clock = _clock(route.schedule) if route.schedule else ""
    after = "nach " + ", ".join(route.after) if route.after else ""
    return " und ".join(filter(None, [clock, after])) or "nur von Hand"


def _rows(route: Route) -> list[tuple[str, str]]:
    if isinstance(route, CollectingRoute):
        party = [("Quelle", f"Verbindung `{route.collect}`")]
        folder, mappings = "inbound", route.mapping
    else:
        party = [
            ("Ziel", f"Verbindung `{route.destination}`"),
            ("Wirkung", f"`{route.effect}`, fällig nach Regel `{route.due}`, ab {route.start_from:%d.%m.%Y}"),
            ("Betriebsart", f"`{route.mode}` ({MODES[route.mode]}), Umgebung `{route.environment}`"),
        ]
        folder, mappings = "outbound", (route.mapping,)
    return [
        *party,
        ("Zuordnung", ", ".join(f"`mappings/{folder}/{name}/mapping.yaml`" for name in mappings)),
        ("Beginn", starts(route)),
        ("Verfahren", f"`{route.process}`"),
        ("Zuständig", route.owner.replace("|", "\\|")),
    ]


def _fenced(yaml: str) -> str:
    fence = "`" * max(3, 1 + max(map(len, re.findall("`+", yaml)), default=0))
    return f"{fence}yaml\n{yaml}\n{fence}"


def _clock(cron: str) -> str:
    simple = SIMPLE.fullmatch(" ".join(cron.split()))
    times = _times(simple["minute"], simple["hour"]) if simple else ""
    if not simple or not times:
        return f"nach der Uhr (`{cron}`)"
    days = " bis ".join(WEEKDAYS[int(day)] for day in simple["days"].split("-") if day != "*")
    return f"{days or 'täglich'} {times}"


def _times(minute: str, hour: str) -> str:
    """The times of a day; empty where no short German phrase says it exactly."""
    if minute.isdigit():
        return f"um {int(hour)}:{int(minute):02} Uhr" if hour.isdigit() else ""
    every, (first, _, last) = int(minute.removeprefix("*/")), hour.partition("-")
    if every < 2 or 60 % every or hour.isdigit():
        return ""
    return f"alle {every} Minuten" + (f" zwischen {int(first)} und {int(last) + 1} Uhr" if last else "")
