"""What is wrong with a call, in German: click says it in English, to clerks as well.

Its sentence is known by its form; what it names of the call stays. Who calls a command of the workbench is answered in
its language.
"""

from __future__ import annotations

import re

_MEANT = r"(?:\. Did you mean (.*)\?| \(Possible options?: (.*)\))"
_SENTENCES = tuple(
    (re.compile(form, re.DOTALL), german)
    for form, german in (
        (r"Missing (?:argument|option|parameter) '([^']+)'.*", "„{}“ fehlt"),
        (rf"No such command '([^']*)'{_MEANT}", "den Befehl „{}“ gibt es nicht; gemeint ist vielleicht {}"),
        (r"No such command '([^']*)'.*", "den Befehl „{}“ gibt es nicht"),
        (rf"No such option:? '?(-[^\s']*?)'?{_MEANT}", "„{}“ gibt es hier nicht; gemeint ist vielleicht {}"),
        (r"No such option:? '?(-[^\s']*)'?.*", "„{}“ gibt es hier nicht"),
        (r"Got unexpected extra argument(?:s|\(s\))? \((.*)\)", "zu viel angegeben: {}"),
        (r"Option '(-[^']*)' requires an argument", "„{}“ braucht einen Wert"),
        (r"(-\S*) option requires an argument", "„{}“ braucht einen Wert"),
        (r"Invalid value for '([^']*)': .*\binteger\b.*", "„{}“ muss eine ganze Zahl sein"),
        (r"Invalid value for '([^']*)': .*greater than or equal to (\S+)", "„{}“ muss mindestens {} sein"),
        (r"Invalid value for '([^']*)': .*", "„{}“ hat einen Wert, der nicht möglich ist"),
    )
)


def in_german(sentence: str) -> str:
    """The sentence in German; as it is where its form is not known."""
    for form, german in _SENTENCES:
        if found := form.fullmatch(sentence):
            return german.format(*filter(None, found.groups()))
    return sentence
