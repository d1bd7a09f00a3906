"""Writes the types of schemas/hkr/1.0/service.wsdl from profile.xsd: one contract, one source.

Our SOAP line loads nothing but the WSDL itself, so the schema stands inside it, without its documentation.
"""

from __future__ import annotations

import re
from pathlib import Path

FOLDER = Path(__file__).parent.parent / "schemas" / "hkr" / "1.0"

_PROLOG = re.compile(r"^<\?xml[^>]*\?>\s*")
_COMMENT = re.compile(r"^[ \t]*<!--.*?-->[ \t]*\n", re.DOTALL | re.MULTILINE)
_ANNOTATION = re.compile(r"^[ \t]*<xs:annotation>.*?</xs:annotation>[ \t]*\n", re.DOTALL | re.MULTILINE)
_EMPTIED = re.compile(r"(<xs:(\w+)\b[^>]*[^/])>\s*</xs:\2>")
_BLANK = re.compile(r"\n[ \t]*\n+")
_TYPES = re.compile(r"<wsdl:types>.*</wsdl:types>", re.DOTALL)


def bare_schema(profile: str) -> str:
    """The schema without prolog, comments and documentation."""
    text = _ANNOTATION.sub("", _COMMENT.sub("", _PROLOG.sub("", profile)))
    return _BLANK.sub("\n", _EMPTIED.sub(r"\1/>", text)).strip()


def service(wsdl: str, profile: str) -> str:
    """The WSDL with the profile's schema as its types."""
    schema = "\n".join(f"    {line}" for line in bare_schema(profile).splitlines())
    return _TYPES.sub(lambda _: f"<wsdl:types>\n{schema}\n  </wsdl:types>", wsdl)


if __name__ == "__main__":
    file = FOLDER / "service.wsdl"
    file.write_text(
        service(file.read_text("utf-8"), (FOLDER / "profile.xsd").read_text("utf-8")), "utf-8", newline="\n"
    )
