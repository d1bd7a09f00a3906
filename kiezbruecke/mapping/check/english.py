"""What a target expects, in English: the schemas' judges speak German, because the administration reads them.

A judge's sentence is known by its German form; what it names of the schema (a length, a pattern, words) is kept.
"""

from __future__ import annotations

import re

from kiezbruecke.mapping.values import Unusable

_SENTENCES = {
    "höchstens {} Zeichen": "at most {} characters",
    "mindestens {} Zeichen": "at least {} characters",
    "genau {} Zeichen": "exactly {} characters",
    "das Muster {}": "the pattern {}",
    "einer von: {}": "one of {}",
    "höchstens {} Nachkommastellen": "at most {} decimal places",
    "höchstens {} Stellen": "at most {} digits",
    "eine endliche Zahl mit höchstens 18 Stellen": "a finite number of at most 18 digits",
    "ein Vielfaches von {}": "a multiple of {}",
    "mindestens {}": "at least {}",
    "höchstens {}": "at most {}",
    "mehr als {}": "more than {}",
    "weniger als {}": "less than {}",
    "eine ganze Zahl": "a whole number",
    "eine Zahl": "a number",
    "eine kleinere Zahl": "a smaller number",
    "ein Tag wie {}": "a day such as {}",
    "ein Tag": "a day",
    "ein Zeitpunkt wie {}": "a moment such as {}",
    "ein Zeitpunkt": "a moment",
    "eine Zeit wie {}": "a moment such as {}",
    "eine Zeit mit Zeitzone": "a moment with its time zone",
    "1 oder 0": "1 or 0",
    "ein anderer Wert": "another value",
    "ein Wert": "a value",
    "eine Anschrift wie {}": "an address such as {}",
    "eine IBAN wie {}": "an IBAN such as {}",
    "eine Zahl wie {}": "a number such as {}",
    "ein Text mit „{}“": "a text with '{}'",
    "ja, x, nein oder leer": "ja, x, nein or nothing",
    "ein Betrag": "a sum",
    "ein Betrag wie {}": "a sum such as {}",
    "höchstens zwei Nachkommastellen": "at most two decimal places",
    "lesbarer Text": "readable text",
    "eine E-Mail-Adresse": "an e-mail address",
    "eine Adresse mit Schema, etwa {}": "an address with its scheme, such as {}",
    "eine UUID": "a UUID",
    "ein Text": "a text",
    "true oder false": "true or false",
    "beide oder keine": "both or none",
    "jeder Wert nur einmal": "each value once",
    "genau eine Form des Schemas": "exactly one form of the schema",
    "eine Form des Schemas": "a form of the schema",
    "eine Liste": "a list",
    "ein Objekt": "an object",
    "nichts": "nothing",
    "genau ein Wert (Schritt join oder first)": "exactly one value (step join or first)",
    "eine Zeile (Schritt collapse_space)": "one line (step collapse_space)",
    "Zeichen aus {} (Schritt sepa_text), oder encoding: utf-8": "characters of {} (step sepa_text), or encoding: utf-8",
}
_FORMS = [
    (re.compile(re.escape(german).replace(r"\{\}", "(.*)"), re.DOTALL), text)
    for german, text in _SENTENCES.items()
    if "{}" in german
]
_NAMES_A_VALUE = frozenset({"der Wert ist nicht erlaubt", "der Text hat nicht die verlangte Form"})
OTHERWISE = "what the schema allows there"
ANOTHER = _SENTENCES["ein anderer Wert"]


def in_english(unusable: Unusable) -> str:
    """What is expected instead; where a judge says nothing that is known here, that the schema decides."""
    german = unusable.expected
    if found := _said(german):
        return found
    parts = [_said(part) for part in german.split(" oder ")]  # several types of JSON
    if all(parts):
        return " or ".join(parts)
    return german if german and unusable.problem in _NAMES_A_VALUE else OTHERWISE


def _said(german: str) -> str:
    if german in _SENTENCES:
        return _SENTENCES[german]
    for form, text in _FORMS:
        if found := form.fullmatch(german):
            return text.format(*found.groups())
    return ""
