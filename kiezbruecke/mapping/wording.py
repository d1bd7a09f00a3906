"""Why a value cannot be used, and what is expected instead: codes with parameters, each with two wordings.

The administration reads German, integrators English. A `Wording` is the German sentence and knows the English one, so
whoever has it says it in the language of the edge where it comes out. Parameters are words of a schema, a list or a
mapping – never the value itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from enum import Enum
from typing import Self


class Wording(str):
    """A sentence in German, with its code, its parameters and its English form."""

    __slots__ = ("code", "english", "parameters")

    code: str
    parameters: tuple[str, ...]
    english: str

    def __new__(cls, german: str, code: str = "", parameters: tuple[str, ...] = (), english: str = "") -> Self:
        """The sentence; one that is only a word (a code, a sum) reads the same in both languages."""
        made = super().__new__(cls, german)
        made.code, made.parameters, made.english = code, parameters, english or german
        return made

    def __reduce__(self) -> tuple[Callable[..., Wording], tuple[object, ...]]:
        return Wording, (str(self), self.code, self.parameters, self.english)


class _Sentence(Enum):
    """Both wordings of a code; `{}` takes its parameters."""

    @property
    def german(self) -> str:
        """The German form."""
        return str(self.value[0])

    @property
    def english(self) -> str:
        """The English form."""
        return str(self.value[1])

    def __call__(self, *parameters: object) -> Wording:
        """The sentence with its parameters, each as text or as a wording of its own."""
        given = tuple(one if isinstance(one, Wording) else Wording(str(one)) for one in parameters)
        english = self.english.format(*(one.english for one in given))
        return Wording(self.german.format(*given), self.name, given, english)


class Why(_Sentence):
    """What is wrong with a value."""

    MISSING = "die Pflichtangabe fehlt", "a mandatory value is missing"
    NO_BRANCH = "eine Pflichtangabe fehlt", "a mandatory value is missing"
    REQUIRED = "der Wert fehlt, ist hier aber Pflicht", "a value is missing that the rule calls required"
    TOO_MANY = (
        "es sind mehr Werte da, als die Nachricht aufnehmen kann",
        "more values than the target can hold",
    )
    SEVERAL = "es sind mehrere Werte da", "there are several values"
    SEVERAL_VALUES = "es liegen mehrere Werte vor", "there are several values"
    SEVERAL_BRANCHES = "mehrere Angaben, wo nur eine erlaubt ist", "several branches of a choice have a value"
    PRESCRIBED = "das Schema schreibt hier einen anderen Wert vor", "the schema prescribes another value"
    ABSTRACT = "der Typ ist abstrakt", "the type is abstract"
    NO_TEXT = "der Wert hat keine Textform", "a whole object has no text"
    NO_CASE = "keiner der vorgesehenen Fälle trifft zu, oder mehrere zugleich", "no case applies, or several at once"
    TWO_RULES = "zwei Regeln geben hier einen Wert", "two rules give a value here"
    TWO_TYPES = "zwei Regeln wählen hier verschiedene Typen", "two rules choose different types here"

    TOO_LONG = "der Text ist zu lang", "the text is too long"
    TOO_SHORT = "der Text ist zu kurz", "the text is too short"
    EMPTY_OR_SHORT = "der Text ist leer oder zu kurz", "the text is empty or too short"
    WRONG_LENGTH = "der Text hat die falsche Länge", "the text has the wrong length"
    WRONG_FORM = "der Text hat nicht die verlangte Form", "the text does not have the form that is asked for"
    NOT_ALLOWED = "der Wert ist nicht erlaubt", "the value is not allowed"
    WRONG_TYPE = "der Wert passt nicht zum Typ des Feldes", "the value does not fit the type of the place"
    NO_SUCH_FIELD = "der Wert passt nicht zum Feld", "the value does not fit the field"
    OTHER_TYPE = "der Wert hat nicht den verlangten Typ", "the value does not have the type that is asked for"
    UNJUDGEABLE = (
        "der Text lässt sich mit dem Muster des Feldes nicht prüfen",
        "its pattern cannot be tried",
    )
    NOT_XML = "der Text enthält Steuerzeichen, die XML nicht tragen kann", "the text holds what XML cannot carry"
    NOT_IN_XML = "der Text enthält Zeichen, die XML nicht tragen kann", "the text holds what XML cannot carry"
    NO_CHARACTERS = "der Text enthält Zeichen, die es nicht gibt", "the text holds characters that do not exist"
    CONTROL = "der Text enthält Steuerzeichen", "the text holds control characters"
    TWO_LINES = "der Text enthält einen Zeilenumbruch oder ein Steuerzeichen", "the text has more than one line"
    NOT_ENCODABLE = "das {}. Zeichen gibt es im Zeichensatz {} nicht", "character {} is not in {}"
    NO_SEPARATOR = "das Trennzeichen fehlt", "the separator is missing"
    NOT_ON_THE_LIST = "der Wert steht nicht in der Codeliste „{}“", "code list '{}' does not have the value"
    NO_CODE = "der Code steht nicht in der Codeliste „{}“", "code list '{}' does not have the code"
    NO_ARGUMENT = "der Schritt {} kennt sein Argument nicht", "step '{}' does not know its argument"

    TOO_SMALL = "die Zahl ist zu klein", "the number is too small"
    TOO_LARGE = "die Zahl ist zu groß", "the number is too large"
    OUT_OF_RANGE = "die Zahl ist zu groß oder zu klein", "the number is too large or too small"
    DIGITS = "die Zahl hat zu viele Stellen", "the number has too many digits"
    PLACES = "die Zahl hat zu viele Nachkommastellen", "the number has too many decimal places"
    OTHER_PLACES = "die Zahl hat nicht die verlangten Stellen", "the number is no multiple of what is asked for"
    NOT_WHOLE = "die Zahl ist keine ganze Zahl", "the number is not whole"
    NOT_FINITE = "die Zahl ist nicht endlich", "the number is not finite"
    NO_NUMBER = "die Zahl ist nicht lesbar", "the number cannot be read"
    ZEROS = "so viele Nullen trägt kein Feld", "no place holds so many zeros"
    NO_SUM = "der Betrag ist nicht lesbar", "the sum cannot be read"
    UNCLEAR_SUM = "der Betrag ist nicht eindeutig", "the sum can be read in two ways"
    NEGATIVE_SUM = "der Betrag ist negativ", "the sum is negative"
    FINER_THAN_A_CENT = "der Betrag ist feiner als ein Cent", "the sum is finer than a cent"
    NEITHER = "weder ja noch nein", "neither yes nor no"
    NO_COORDINATE = "die Koordinate ist nicht lesbar", "the coordinate cannot be read"

    NO_JSON = "die Zeile ist kein lesbares JSON", "the line is no JSON"
    NO_OBJECT = "ist kein JSON-Objekt", "it is no JSON object"
    KEY_TWICE = "ein Feld steht zweimal da", "a field stands twice"
    LONG_LINE = "die Zeile ist zu lang", "the line is too long"
    MORE_CELLS = "die Zeile hat mehr Zellen als die Kopfzeile", "the line has more cells than the header"
    UNKNOWN_CELL = (
        "die {}. Zelle hat keinen Wert, der bekannt ist (Formel, Fehler, Uhrzeit)",
        "cell {} has no value that is known (formula, error, time of day)",
    )

    NO_DAY = "das Datum ist nicht lesbar", "the day cannot be read"
    DAY_WITH_TIME = "das Datum trägt eine Uhrzeit", "the day has a time"
    UNSURE_DAY = (
        "die Uhrzeit liegt kurz vor Mitternacht, der Tag ist nicht sicher",
        "the time is just before midnight, so the day is not certain",
    )
    NO_MOMENT = "die Zeit ist nicht lesbar", "the moment cannot be read"
    NO_ZONE = "die Zeit trägt keine Zeitzone", "the moment has no time zone"
    NO_CALENDAR = "die Zeit liegt außerhalb des Kalenders", "the moment is outside of the calendar"

    NO_IBAN_COUNTRY = "das Land der IBAN ist keines mit IBANs", "the country has no IBANs"
    IBAN_LENGTH = "die IBAN hat {} Zeichen", "the IBAN has {} characters"
    IBAN_CHECK = "die Prüfziffern der IBAN stimmen nicht", "the check digits of the IBAN are wrong"
    IBAN_ACCOUNT = "die Kontonummer in der IBAN ist falsch", "the account number in the IBAN is wrong"
    NO_IBAN = "die IBAN hat nicht die Form einer IBAN", "the IBAN does not have the form of one"
    NO_BIC = "der BIC hat nicht die Form eines BIC", "the BIC does not have the form of one"
    NO_UUID = "die UUID ist nicht lesbar", "the UUID cannot be read"
    NOT_A_UUID = "die Kennung ist keine UUID", "the id is no UUID"
    NO_DIGIT = "der Text enthält keine Ziffer", "the text has no digit"
    NO_HTML = "das HTML ist nicht lesbar", "the HTML cannot be read"
    DEEP_HTML = "das HTML ist zu tief verschachtelt", "the HTML is nested too deeply"
    NO_TOWN = "in der Anschrift fehlen Postleitzahl oder Ort", "the address has no postcode or no town"
    UNCLEAR_ADDRESS = "die Anschrift lässt sich nicht eindeutig zerlegen", "the address can be split in several ways"
    NO_SEPA_TEXT = "vom Text bleibt in Zahlungsdateien nichts Lesbares", "nothing of it is left in a payment file"
    NO_LATIN9 = (
        "vom Text bleibt im Zeichensatz ISO-8859-15 nichts Lesbares",
        "nothing of it is left in ISO-8859-15",
    )
    LETTER = "ein Buchstabe, den die Norm nicht kennt", "a letter that DIN 91379 does not have"
    ACCENT = "ein Akzent, den die Norm an dieser Stelle nicht kennt", "an accent that DIN 91379 does not have there"
    DIGIT = "eine Ziffer, die die Norm nicht kennt", "a digit that DIN 91379 does not have"
    PUNCTUATION = "ein Satzzeichen, das die Norm nicht kennt", "punctuation that DIN 91379 does not have"
    SYMBOL = "ein Symbol, das die Norm nicht kennt (Emoji, Formelzeichen)", "a symbol that DIN 91379 does not have"
    BLANK = "ein Leerzeichen, das die Norm nicht kennt", "a blank that DIN 91379 does not have"
    CONTROL_CHARACTER = "ein Steuerzeichen", "a control character"
    MARKS = (
        "ein Buchstabe trägt mehr Zeichen über und unter sich, als eine Sprache kennt",
        "a letter has more marks than any language knows",
    )

    PARTNER_MISSING = "eine Angabe verlangt eine andere, die fehlt", "a value asks for another one that is missing"
    TOO_FEW = "es sind zu wenige Werte da", "there are too few values"
    TOO_DEEP = "die Angaben sind tiefer verschachtelt als vorgesehen", "the record is nested more deeply than foreseen"
    TWICE = "ein Wert steht doppelt", "a value stands twice"
    TOO_FEW_FIELDS = "es sind zu wenige Angaben da", "there are too few fields"
    TOO_MANY_FIELDS = "es sind zu viele Angaben da", "there are too many fields"
    NOT_ONE_FORM = (
        "die Angaben passen nicht zu genau einer der erlaubten Formen",
        "not exactly one form fits",
    )
    NO_FORM = "die Angaben passen zu keiner der erlaubten Formen", "no form fits"
    FORBIDDEN = "die Angaben sind so nicht erlaubt", "the schema forbids this"
    UNKNOWN_FIELD = "die Angabe kennt das Schema hier nicht", "the schema has no such field here"
    UNFIT = "die Angaben passen nicht zum Schema", "the schema does not take this"
    USELESS = "der Wert ist nicht brauchbar", "the value cannot be used"
    REFUSED = "{0} ({1})", "the schema refuses the whole message because of it ({1})"


class Instead(_Sentence):
    """What is expected instead of a value."""

    AT_MOST_CHARACTERS = "höchstens {} Zeichen", "at most {} characters"
    AT_LEAST_CHARACTERS = "mindestens {} Zeichen", "at least {} characters"
    CHARACTERS = "genau {} Zeichen", "exactly {} characters"
    PATTERN = "das Muster {}", "the pattern {}"
    ONE_OF = "einer von: {}", "one of {}"
    ONE_BRANCH = "eine von: {}", "one of {}"
    ONLY_ONE = "nur eine von: {}", "one of {}"
    ONE_CASE = "genau einer der Fälle: {}", "exactly one of the cases: {}"
    AT_MOST_ONE = "höchstens einer", "at most one"
    PLACES = "höchstens {} Nachkommastellen", "at most {} decimal places"
    DIGITS = "höchstens {} Stellen", "at most {} digits"
    FINITE = "eine endliche Zahl mit höchstens 18 Stellen", "a finite number of at most 18 digits"
    MULTIPLE = "ein Vielfaches von {}", "a multiple of {}"
    AT_LEAST = "mindestens {}", "at least {}"
    AT_MOST = "höchstens {}", "at most {}"
    LEVELS = "höchstens {} Ebenen", "at most {} levels"
    MORE_THAN = "mehr als {}", "more than {}"
    LESS_THAN = "weniger als {}", "less than {}"
    WHOLE_NUMBER = "eine ganze Zahl", "a whole number"
    NUMBER = "eine Zahl", "a number"
    SMALLER = "eine kleinere Zahl", "a smaller number"
    NUMBER_LIKE = "eine Zahl wie {}", "a number such as {}"
    DEGREES = "Grad wie 13.4974, höchstens 180", "degrees such as 13.4974, at most 180"
    SUM = "ein Betrag", "a sum"
    SUM_LIKE = "ein Betrag wie {}", "a sum such as {}"
    CENTS = "höchstens zwei Nachkommastellen", "at most two decimal places"
    DAY = "ein Tag", "a day"
    DAY_LIKE = "ein Tag wie {}", "a day such as {}"
    MOMENT = "ein Zeitpunkt", "a moment"
    MOMENT_LIKE = "ein Zeitpunkt wie {}", "a moment such as {}"
    TIME_LIKE = "eine Zeit wie {}", "a moment such as {}"
    TIME_WITH_ZONE = "eine Zeit mit Zeitzone", "a moment with its time zone"
    CALENDAR = "eine Zeit zwischen den Jahren 1 und 9999", "a moment between the years 1 and 9999"
    ONE_OR_ZERO = "1 oder 0", "1 or 0"
    TRUE_OR_FALSE = "true oder false", "true or false"
    TRUTH = "{} oder {}, true oder false, 1 oder 0", "{} or {}, true or false, 1 or 0"
    YES_OR_NO = "ja, x, nein oder leer", "ja, x, nein or nothing"
    ANOTHER = "ein anderer Wert", "another value"
    VALUE = "ein Wert", "a value"
    ONE_VALUE = "genau ein Wert (Schritt join oder first)", "exactly one value (step join or first)"
    A_FIELD = "ein Feld statt eines ganzen Objekts", "a field of it"
    DERIVED = "ein abgeleiteter Typ (type: …)", "a derived type (type: …)"
    EXCLUSIVE = "Bedingungen, die einander ausschließen", "conditions that exclude each other"
    READABLE = "lesbarer Text", "readable text"
    SHORTER = "ein kürzerer Text", "a shorter text"
    ONE_LINE = "eine Zeile (Schritt collapse_space)", "one line (step collapse_space)"
    ENCODABLE = (
        "Zeichen aus {} (Schritt sepa_text), oder encoding: utf-8",
        "characters of {} (step sepa_text), or encoding: utf-8",
    )
    QUOTED = 'Text mit Trennzeichen in "…"', 'text with separators in "…"'
    WITH_SEPARATOR = "ein Text mit „{}“", "a text with '{}'"
    ADDRESS = "eine Anschrift wie {}", "an address such as {}"
    IBAN = "eine IBAN wie {}", "an IBAN such as {}"
    IBAN_LENGTH = "{} Zeichen für {}", "{} characters for {}"
    IBAN_ANEW = "die IBAN noch einmal vom Kontoinhaber", "the IBAN once more from its holder"
    BIC = "8 oder 11 Zeichen wie DEUTDEFF, oder nichts", "8 or 11 characters such as DEUTDEFF, or nothing"
    HEX = "32 Hexadezimalziffern mit Bindestrichen", "32 hexadecimal digits with hyphens"
    A_NUMBER = "eine Nummer", "a text with digits"
    HTML = "ein Stück HTML oder Text", "a piece of HTML, or text"
    DIN_91379 = "lateinische Zeichen nach DIN 91379", "Latin characters of DIN 91379"
    LATIN = "lateinische Buchstaben oder Ziffern", "Latin letters or digits"
    MAIL = "eine E-Mail-Adresse", "an e-mail address"
    URI = "eine Adresse mit Schema, etwa {}", "an address with its scheme, such as {}"
    UUID = "eine UUID", "a UUID"
    TEXT = "ein Text", "a text"
    LIST = "eine Liste", "a list"
    OBJECT = "ein Objekt", "an object"
    NOTHING = "nichts", "nothing"
    BOTH = "beide oder keine", "both or none"
    EACH_ONCE = "jeder Wert nur einmal", "each value once"
    ONE_FORM = "genau eine Form des Schemas", "exactly one form of the schema"
    A_FORM = "eine Form des Schemas", "a form of the schema"
    THESE = "{}", "{}"
    NEAREST = "{} (am nächsten: {})", "{} (nearest: {})"


UNSAID = Wording("")  # where nobody knows what would help
OTHERWISE = "what the schema allows there"  # the same, said in English


def either(parts: Sequence[Wording]) -> Wording:
    """Several expectations, one of which is enough."""
    return Wording(" oder ".join(parts), "EITHER", tuple(parts), " or ".join(one.english for one in parts))


def some(words: Iterable[str], shown: int) -> str:
    """The first of many words, and that there are more."""
    texts = list(words)
    return ", ".join(texts[:shown]) + (", …" if len(texts) > shown else "")
