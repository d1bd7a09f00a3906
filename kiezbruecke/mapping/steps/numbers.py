"""Steps that read and write numbers and sums of money. Nothing is rounded: what is finer than a cent is refused."""

from __future__ import annotations

import re
from decimal import Decimal

from kiezbruecke.mapping.steps.registry import StepExample, step
from kiezbruecke.mapping.values import Unusable, is_nothing, to_text
from kiezbruecke.mapping.wording import Instead, Why, Wording
from kiezbruecke.plaintext import clean, one_line

# Every part ends where the next can begin, and no text is longer than a sum: reading costs its length, whatever comes.
_LONGEST_SUM = 40
_WHOLE = r"0|[1-9][0-9]{0,2}(?P<group>[. ])[0-9]{3}(?:(?P=group)[0-9]{3}){0,3}|[1-9][0-9]{0,11}"
_MONEY = re.compile(rf"(?:(?:€|EUR) ?)?(?P<whole>{_WHOLE})(?:,(?P<cents>[0-9]{{1,2}})|,(?:--?|–|—))? ?(?:€|EUR|Euro)?")
_PLAIN = re.compile(r"(?:(?:€|EUR) ?)?(?P<whole>0|[1-9][0-9]{0,11})\.(?P<cents>[0-9]{2}) ?(?:€|EUR|Euro)?")
_UNGROUPED = str.maketrans("", "", ". ")
_ONLY_SIGNS_OF_A_SUM = re.compile(r"(?:[0-9 .,]|€|EUR|Euro)+")
_SUM = Instead.SUM_LIKE("1.000,00")
_NO_BUDGET = re.compile(r"(?:Kosten:\s*)?keine Angabe", re.IGNORECASE)
_INTEGER = re.compile(r"[+-]?[0-9]{1,18}")
_DEGREES = re.compile(r"[+-]?[0-9]{1,3}(?:\.[0-9]{1,20})?")
_TRUTHS = {"1": "true", "true": "true", "0": "false", "false": "false"}
_MOST_PLACES, _LARGEST_NUMBER = 12, Decimal(10) ** 15
_DECIMAL = re.compile(r"[+-]?(?:[0-9]{1,15}(?:\.[0-9]{0,10})?|\.[0-9]{1,10})")


@step(
    StepExample("1.000,00 €", Decimal("1000.00")),
    StepExample("850,-", Decimal("850.00")),
    StepExample("850", Decimal("850.00")),
    StepExample("1.000€", Decimal("1000.00")),
    StepExample("1000.00", Decimal("1000.00")),
    StepExample("1.234", Decimal("1234.00")),
    StepExample(812.4, Decimal("812.40")),
    StepExample("", None),
    StepExample("0.850", Unusable),
    StepExample("01.234", Unusable),
    StepExample("1 000.000,00", Unusable),
    StepExample("1,234.56", Unusable),
    StepExample("1.23.456", Unusable),
    StepExample("ca. 500", Unusable),
    StepExample("-5", Unusable),
    gives="decimal",
)
def german_money(value: object) -> Decimal | None:
    """Read a sum of money as people write it in German; a point before three digits groups thousands.

    A sum that means two things is refused: a first group of zeros, two kinds of grouping signs.
    """
    if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        return _not_negative(_cents_exact(Decimal(repr(value)) if isinstance(value, float) else Decimal(value)))
    given = one_line(to_text(value))
    if not given:
        return None
    found = _MONEY.fullmatch(given) or _PLAIN.fullmatch(given) if len(given) <= _LONGEST_SUM else None
    if not found:
        raise Unusable(_why_no_sum(given), _SUM)
    return Decimal(f"{found['whole'].translate(_UNGROUPED)}.{found['cents'] or '':0<2}")


@step(
    StepExample("1.000€", Decimal("1000.00")),
    StepExample("Kosten: keine Angabe", None),
    StepExample("0€", None),
    StepExample("etwa 5€", Unusable),
    gives="decimal",
)
def budget_badge(value: object) -> Decimal | None:
    """Read the budget badge of mein.berlin; `Kosten: keine Angabe` and 0 are nothing."""
    if isinstance(value, str) and _NO_BUDGET.fullmatch(one_line(value)):
        return None
    return german_money(value) or None


@step(
    StepExample("-850.5", Decimal("-850.5")),
    StepExample("1000.00", Decimal("1000.00")),
    StepExample(4.5, Decimal("4.5")),
    StepExample("1.234", Decimal("1.234")),
    StepExample("850,00", Unusable),
    StepExample("1E3", Unusable),
    gives="decimal",
)
def decimal(value: object) -> Decimal:
    """Read a number as machines write it (xs:decimal, JSON): a decimal point, a sign, no groups.

    What people write in German is read by `german_money`; the two are kept apart because 1.234 means two numbers.
    """
    if isinstance(value, Decimal | float | int) and not isinstance(value, bool):
        number = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
        if not number.is_finite():
            raise Unusable(Why.NOT_FINITE(), Instead.NUMBER_LIKE("1234.56"))
        return number
    given = clean(to_text(value))
    if isinstance(value, bool) or not _DECIMAL.fullmatch(given):
        raise Unusable(Why.NO_NUMBER(), Instead.NUMBER_LIKE("1234.56"))
    return Decimal(given)


@step(
    StepExample("13.49739856931511", 13.49739856931511),
    StepExample("-0.1", -0.1),
    StepExample(52.4583, 52.4583),
    StepExample("52,4583", Unusable),
    StepExample("200", Unusable),
    gives="any",
)
def degrees(value: object) -> float:
    """Read a geographic coordinate in degrees (WGS 84) as machines write it: a decimal point, no letters."""
    given = clean(str(value) if isinstance(value, float | int | Decimal) else to_text(value))
    if not _DEGREES.fullmatch(given) or abs(float(given)) > 180:
        raise Unusable(Why.NO_COORDINATE(), Instead.DEGREES())
    return float(given)


@step(
    StepExample(Decimal("850.00"), 85000),
    StepExample("-0.05", -5),
    StepExample(3, 300),
    StepExample("0.005", Unusable),
    StepExample("850,00", Unusable),
    takes="decimal",
    gives="integer",
)
def cents(value: object) -> int:
    """Write a sum as its whole number of cents, as budget systems count; a finer sum is refused, never rounded."""
    return int(to_text(_cents_exact(decimal(value))).replace(".", ""))


@step(
    StepExample(Decimal("850.5"), "850.50", 2),
    StepExample("3", "3.000", 3),
    StepExample("850.50", "850.5", 1),
    StepExample("-0.00", "0", 0),
    StepExample("0.005", Unusable, 2),
    StepExample("850,00", Unusable, 2),
    takes="decimal",
    argument=int,
)
def decimal_places(value: object, places: int) -> str:
    """Write a number with exactly so many decimal places (at most 12); what is finer is refused, never rounded."""
    number = decimal(value)
    if places > _MOST_PLACES:
        raise Unusable(Why.PLACES(), Instead.PLACES(_MOST_PLACES))
    if abs(number) >= _LARGEST_NUMBER:
        raise Unusable(Why.TOO_LARGE(), Instead.SMALLER())
    written = number.quantize(Decimal(1).scaleb(-places))
    if written != number:
        raise Unusable(Why.PLACES(), Instead.PLACES(places))
    return f"{abs(written) if written.is_zero() else written:f}"


@step(
    StepExample(Decimal("1850.5"), "1850,50"),
    StepExample("-5", "-5,00"),
    StepExample(Decimal("0.005"), Unusable),
    takes="decimal",
)
def money_text(value: object) -> str:
    """Write a sum as text for people: a comma, two places, no groups, no currency."""
    return to_text(_cents_exact(decimal(value))).replace(".", ",")


@step(
    StepExample("0", None),
    StepExample(Decimal("0.00"), None),
    StepExample("12", "12"),
    StepExample("keine", "keine"),
    takes="any",
    gives="any",
)
def nothing_if_zero(value: object) -> object:
    """Make nothing of zero."""
    try:
        return value if Decimal(to_text(value)) else None
    except ArithmeticError:
        return value


@step(
    StepExample(" 42 ", 42),
    StepExample(3.0, 3),
    StepExample("4,5", Unusable),
    StepExample("1.000", Unusable),
    gives="integer",
)
def integer(value: object) -> int:
    """Read a whole number."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    given = clean(to_text(value))
    if not _INTEGER.fullmatch(given):
        raise Unusable(Why.NO_NUMBER(), Instead.WHOLE_NUMBER())
    return int(given)


@step(
    StepExample("ja", True),
    StepExample("X", True),
    StepExample("nein", False),
    StepExample("", False),
    StepExample("vielleicht", Unusable),
    gives="boolean",
    reads_nothing=True,
)
def yes_no(value: object) -> bool:
    """Read a tick: ja, x, wahr, 1 – or nein, falsch, 0 and an empty cell."""
    if isinstance(value, bool):
        return value
    word = "" if is_nothing(value) else clean(to_text(value)).lower()
    if word in {"ja", "j", "x", "wahr", "true", "yes", "1", "✓"}:
        return True
    if word in {"", "nein", "n", "-", "falsch", "false", "no", "0"}:
        return False
    raise Unusable(Why.NEITHER(), Instead.YES_OR_NO())


@step(
    StepExample(True, "true"),
    StepExample("0", "false"),
    StepExample("true", "true"),
    StepExample("ja", Unusable),
    takes="boolean",
)
def true_false(value: object) -> str:
    """Write a truth as `true` or `false`, where a target does not take 1 and 0, which we write otherwise."""
    said = to_text(value).strip()
    if said not in _TRUTHS:
        raise Unusable(Why.NEITHER(), Instead.TRUE_OR_FALSE())
    return _TRUTHS[said]


def _why_no_sum(given: str) -> Wording:
    """Digits with other signs of a sum may be read in two ways (0.850: 85 cents or 850 euros)."""
    if len(given) <= _LONGEST_SUM and _ONLY_SIGNS_OF_A_SUM.fullmatch(given):
        return Why.UNCLEAR_SUM()
    return Why.NO_SUM()


def _cents_exact(value: Decimal) -> Decimal:
    """The sum with two places; raises Unusable for what is finer, infinite or larger than any budget."""
    return Decimal(to_text(value))


def _not_negative(value: Decimal) -> Decimal:
    if value < 0:
        raise Unusable(Why.NEGATIVE_SUM(), _SUM)
    return value
