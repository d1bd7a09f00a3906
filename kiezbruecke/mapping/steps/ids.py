"""Steps for identifiers: account numbers, UUIDs, digits, digests."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from uuid import UUID

from kiezbruecke.mapping.steps.registry import StepExample, step
from kiezbruecke.mapping.values import Unusable, to_text
from kiezbruecke.mapping.wording import Instead, Why, Wording
from kiezbruecke.plaintext import one_line
from kiezbruecke.records.base import name_id

_BETWEEN = re.compile(r"[\s\-\u2010-\u2015\u2212]")  # blanks and hyphens, as people group long numbers
_HEX = "[0-9A-Fa-f]"
_HYPHENATED = f"{_HEX}{{8}}(?:-{_HEX}{{4}}){{3}}-{_HEX}{{12}}"
_UUID = re.compile(rf"(?:urn:uuid:)?(?P<plain>{_HYPHENATED}|{_HEX}{{32}})|\{{(?P<braced>{_HYPHENATED})\}}")
_DIGESTS = ("sha256", "sha512")


@step(
    StepExample("DE02 1203 0000 0000 2020 51", "DE02120300000000202051"),
    StepExample("de02120300000000202051", "DE02120300000000202051"),
    StepExample("DE02-1203-0000-0000-2020-51", "DE02120300000000202051"),
    StepExample("NL91 ABNA 0417 1643 00", "NL91ABNA0417164300"),
    StepExample("DE89370400440532013001", Unusable),
    StepExample("DE8937040044053201300", Unusable),
)
def iban(value: object) -> str:
    """Check an IBAN (country, length, check digits by ISO 13616, the country's own form) and write it without blanks.

    Blanks and hyphens of every kind and small letters do not matter. That the account exists, and whose it is, only the
    bank can say.
    """
    import schwifty  # noqa: PLC0415 - its import takes longer than the check of a mapping

    compact = _BETWEEN.sub("", one_line(to_text(value))).upper()
    try:
        return str(schwifty.IBAN(compact if compact.isascii() else "", validate_bban=True))
    except schwifty.exceptions.InvalidCountryCode:
        raise Unusable(Why.NO_IBAN_COUNTRY(), Instead.IBAN("DE02 1203 0000 0000 2020 51")) from None
    except schwifty.exceptions.InvalidLength:
        raise Unusable(Why.IBAN_LENGTH(len(compact)), _how_long(compact)) from None
    except schwifty.exceptions.InvalidChecksumDigits:
        raise Unusable(Why.IBAN_CHECK(), Instead.IBAN_ANEW()) from None
    except schwifty.exceptions.InvalidBBANChecksum:
        raise Unusable(Why.IBAN_ACCOUNT(), Instead.IBAN_ANEW()) from None
    except schwifty.exceptions.SchwiftyException:
        raise Unusable(Why.NO_IBAN(), Instead.IBAN("DE02 1203 0000 0000 2020 51")) from None


@step(
    StepExample("DEUTDEFF", "DEUTDEFF"),
    StepExample("deut de ff 500", "DEUTDEFF500"),
    StepExample("DEUT", Unusable),
)
def bic(value: object) -> str:
    """Check a BIC (form by ISO 9362) and write it without blanks. That there is such a bank is not looked up."""
    import schwifty  # noqa: PLC0415 - as above

    compact = _BETWEEN.sub("", one_line(to_text(value))).upper()
    try:
        return str(schwifty.BIC(compact if compact.isascii() else ""))
    except schwifty.exceptions.SchwiftyException:
        raise Unusable(Why.NO_BIC(), Instead.BIC()) from None


@step(
    StepExample("{CA9D500C-3B1C-4F0E-9A9B-0C1B7F0D2E11}", "ca9d500c-3b1c-4f0e-9a9b-0c1b7f0d2e11"),
    StepExample("urn:uuid:ca9d500c-3b1c-4f0e-9a9b-0c1b7f0d2e11", "ca9d500c-3b1c-4f0e-9a9b-0c1b7f0d2e11"),
    StepExample("ca9d500c3b1c4f0e9a9b0c1b7f0d2e11", "ca9d500c-3b1c-4f0e-9a9b-0c1b7f0d2e11"),
    StepExample("4711", Unusable),
)
def uuid(value: object) -> str:
    """Read a UUID, however it is written, and write it as RFC 9562 does: small letters, four hyphens."""
    found = _UUID.fullmatch(to_text(value).strip())
    if not found:
        raise Unusable(Why.NO_UUID(), Instead.HEX())
    return str(UUID(found["plain"] or found["braced"]))


@step(
    StepExample("SPK 12/26", "4c760250-54b9-51da-b98d-115d22133b41", "vorgang"),
    StepExample("SPK 12/26", "29ebac92-fb74-5cad-b42c-5eb964489761", "dokument"),
    StepExample(4711, "c6385a3f-b79d-5aec-a672-f3bfff10f03a", "vorgang"),
    StepExample("\ud800", Unusable, "vorgang"),
    argument=str,
)
def name_uuid(value: object, kind: str) -> str:
    """Make a UUID of a name: the same kind and name always give the same (version 5), so a repeat stays a repeat.

    For targets that want a UUID where the source has a number. The argument keeps kinds apart; it must never change.
    """
    name = to_text(value)
    _encoded(kind + name)
    return str(name_id("step", kind, name))


@step(
    StepExample("030 / 123-45", "03012345"),
    StepExample("Nr. 4711", "4711"),
    StepExample(4711, "4711"),
    StepExample("ohne Nummer", Unusable),
)
def digits(value: object) -> str:
    """Keep the digits alone, as text: zeros in front stay. Refuse where there is none."""
    kept = "".join(str(unicodedata.decimal(one)) for one in to_text(value) if one.isdecimal())
    if not kept:
        raise Unusable(Why.NO_DIGIT(), Instead.A_NUMBER())
    return kept


@step(
    StepExample("Fest", "246185958e84573633b09fcc51a971973e97dd0112b53dfd06d6d0a210b57fda", "sha256"),
    StepExample("", None, "sha256"),
    StepExample("\ud800", Unusable, "sha256"),
    StepExample("Fest", Unusable, "md5"),
    argument=str,
    choices=_DIGESTS,
)
def hash_(value: object, method: str) -> str:
    """Write the digest of the text's UTF-8 bytes in hexadecimal, small letters.

    A digest shows whether two texts are the same. It hides nobody: names and accounts can be guessed from it.
    """
    return hashlib.new(method, _encoded(to_text(value))).hexdigest()


def _how_long(compact: str) -> Wording:
    """How many characters the country's IBANs have."""
    import schwifty  # noqa: PLC0415 - as above

    return Instead.IBAN_LENGTH(schwifty.IBAN(compact, allow_invalid=True).spec.iban_length, compact[:2])


def _encoded(text: str) -> bytes:
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError:
        raise Unusable(Why.NO_CHARACTERS(), Instead.READABLE()) from None
