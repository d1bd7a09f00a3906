"""What a publication of open data consists of: lines become CSV, JSON, a Data Package and DCAT-AP.de metadata. Pure.

    lines + table file + the route's `with: publication`  ──▶  name.csv, name.json, datapackage.json, dcat.jsonld

Same lines, same bytes: the only day in them is that of the last change. Sources: RFC 4180, Frictionless Data Package
and Table Schema (specs.frictionlessdata.io), DCAT-AP.de 3.0 with its conventions (www.dcat-ap.de/def).
"""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from connectors.folder.table import Column, Table
from kiezbruecke.errors import ConfigurationError

PACKAGE, CATALOGUE = "datapackage.json", "dcat.jsonld"
_URI = r"^https?://\S+$"
_FORMS = {"money": "point", "date": "JJJJ-MM-TT"}  # what every program reads; CSV and JSON say the same
_TYPES = {"text": "string", "money": "number", "integer": "integer", "date": "date"}
_MEDIA = {"csv": "text/csv", "json": "application/json"}
_EU = "http://publications.europa.eu/resource/authority"
_CONTEXT = {
    "adms": "http://www.w3.org/ns/adms#",
    "dcat": "http://www.w3.org/ns/dcat#",
    "dcatap": "http://data.europa.eu/r5r/",
    "dcatde": "http://dcat-ap.de/def/dcatde/",
    "dcterms": "http://purl.org/dc/terms/",
    "foaf": "http://xmlns.com/foaf/0.1/",
    "spdx": "http://spdx.org/rdf/terms#",
    "vcard": "http://www.w3.org/2006/vcard/ns#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
}


class Contact(BaseModel):
    """An office that can be asked, never a person."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(min_length=1)
    email: str = Field(pattern=r"^[^@\s]+@[^@\s]+$")


class Publication(BaseModel):
    """What the route says under `with: publication`; every word of it is published."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: str = Field(min_length=1)
    description: str = Field(min_length=1)
    publisher: str = Field(min_length=1, description="Who has decided to publish (DCAT-AP.de, Konvention 36)")
    contact: Contact
    license: str = Field(pattern=_URI, description="Of the list http://dcat-ap.de/def/licenses/")
    attribution: str = Field("", description="The text that a licence with naming asks for (Konvention 35)")
    contributor_id: str = Field(pattern=_URI, description="Datenbereitsteller-ID (Konvention 12)")
    url: str = Field(pattern=_URI, description="Where the web shows what lies in the folder")
    keywords: tuple[str, ...] = ()
    theme: tuple[str, ...] = Field(min_length=1, description="Of the EU's list data-theme, e.g. GOVE")
    language: str = Field(min_length=1, description="Of the EU's list language, e.g. DEU")
    frequency: str = Field(min_length=1, description="Of the EU's list frequency, e.g. IRREG")
    availability: str = Field(min_length=1, description="Of the EU's list planned-availability, e.g. STABLE")
    geocoding: str = Field(pattern=_URI, description="What area it is about: politicalGeocoding")
    geocoding_level: str = Field(pattern=_URI, description="Which level of administration publishes")
    geocoding_text: str = Field("", description="The area in words, where the lists know no closer one")


def read_publication(options: Mapping[str, Any], where: str) -> Publication:
    """What the route says; raises ConfigurationError, which names everything that is missing in one line."""
    try:
        return Publication.model_validate(options.get("publication") or {}, strict=False)
    except ValidationError as error:
        found = error.errors(include_input=False, include_url=False)
        names = [".".join(str(part) for part in one["loc"]) for one in found]
        missing = [name for name, one in zip(names, found, strict=True) if one["type"] == "missing"]
        what = f"missing: {', '.join(missing)}" if missing else f"{names[0]}: {found[0]['msg']}"
        expected = "all facts of the publication under with: publication (docs/how-to/offene-daten.md)"
        raise ConfigurationError(
            f"the publication cannot be described, {what}", where=where, expected=expected
        ) from None


def refuse_unfit_table(table: Table, where: str) -> None:
    """Open data are for programs: an id, sums with a point, ISO days, nothing that a schema cannot say."""
    unfit = [column.key for column in table.columns if column.type not in _TYPES or not _is_plain(column)]
    if table.format != "csv" or not table.header or unfit or not any(one.key == "id" for one in table.columns):
        what = f": {', '.join(unfit)}" if unfit else ""
        expected = "CSV with a header and a column 'id'; money with format: point, dates with format: JJJJ-MM-TT"
        raise ConfigurationError(f"the table '{table.name}' cannot be published{what}", where=where, expected=expected)


@dataclass(frozen=True)
class Edition:
    """One state of the data: its name, the lines as they are stored, and the day of the last change."""

    name: str
    lines: Sequence[bytes]
    changed: date


def files_of(edition: Edition, table: Table, facts: Publication, year: int) -> dict[str, bytes]:
    """All files of a publication, by name; they are of one piece and name each other's digests."""
    body = table.header_line() + b"".join(edition.lines)
    rows = [_row(table, line) for line in edition.lines]
    data = {f"{edition.name}.csv": body, f"{edition.name}.json": _json(rows)}
    about = {
        PACKAGE: _json(_package(edition, table, facts, data)),
        CATALOGUE: _json(_dataset(edition, facts, data, year)),
    }
    return {**data, **about}


# -- the lines -----------------------------------------------------------------------------------------------------


def _row(table: Table, line: bytes) -> dict[str, Any]:
    [cells] = csv.reader([line.decode(table.encoding)], delimiter=table.delimiter)
    return {column.key: _value(column, cell) for column, cell in zip(table.columns, cells, strict=True)}


def _value(column: Column, cell: str) -> Any:
    """The same value as JSON has it; a text is the cell as it is, an empty cell nothing."""
    if not cell:
        return None
    match column.type:
        case "money":
            return float(cell)  # only written: its shortest form is the sum to the cent
        case "integer":
            return int(cell)
        case _:
            return cell


def _is_plain(column: Column) -> bool:
    return column.format == _FORMS.get(column.type)


# -- what they are -------------------------------------------------------------------------------------------------


def _package(edition: Edition, table: Table, facts: Publication, data: Mapping[str, bytes]) -> dict[str, Any]:
    """A Frictionless Data Package; its schema is the table file's."""
    schema = {"fields": [_field(column) for column in table.columns], "primaryKey": "id"}
    [(csv_name, csv_body), (json_name, json_body)] = data.items()
    return {
        "profile": "data-package",
        "name": edition.name,
        "title": facts.title,
        "description": facts.description,
        "homepage": _place(facts, edition),
        "version": edition.changed.isoformat(),
        "licenses": [{"path": facts.license}],
        "keywords": list(facts.keywords),
        "contributors": [{"title": facts.publisher, "role": "publisher"}],
        "resources": [
            {
                **_resource(f"{edition.name}-csv", csv_name, csv_body),
                "profile": "tabular-data-resource",
                "dialect": {"delimiter": table.delimiter, "lineTerminator": "\r\n", "header": True},
                "schema": schema,
            },
            {**_resource(f"{edition.name}-json", json_name, json_body), "schema": schema},
        ],
    }


def _resource(name: str, file: str, body: bytes) -> dict[str, Any]:
    ending = file.rpartition(".")[2]
    return {
        "name": name,
        "path": file,
        "format": ending,
        "mediatype": _MEDIA[ending],
        "encoding": "utf-8",
        "bytes": len(body),
        "hash": f"sha256:{_digest(body)}",
    }


def _field(column: Column) -> dict[str, Any]:
    limit = {"maxLength": column.limit} if column.limit else {}
    unique = {"unique": True} if column.key == "id" else {}
    return {
        "name": column.key,
        "type": _TYPES[column.type],
        "description": column.note,
        "constraints": {"required": column.required, **limit, **unique},
    }


def _dataset(edition: Edition, facts: Publication, data: Mapping[str, bytes], year: int) -> dict[str, Any]:
    """DCAT-AP.de 3.0 as JSON-LD: one dataset with a distribution per file."""
    place = _place(facts, edition)
    return {
        "@context": _CONTEXT,
        "@id": place,
        "@type": "dcat:Dataset",
        "dcterms:title": _german(facts.title),
        "dcterms:description": _german(facts.description),
        "dcterms:publisher": {"@type": "foaf:Agent", "foaf:name": facts.publisher},
        "dcatde:contributorID": _link(facts.contributor_id),
        "dcterms:identifier": edition.name,
        "dcterms:modified": _day(edition.changed),
        "dcterms:language": _link(f"{_EU}/language/{facts.language}"),
        "dcterms:accrualPeriodicity": _link(f"{_EU}/frequency/{facts.frequency}"),
        "dcterms:accessRights": _link(f"{_EU}/access-right/PUBLIC"),
        "dcatap:availability": _link(f"{_EU}/planned-availability/{facts.availability}"),
        "dcat:theme": [_link(f"{_EU}/data-theme/{one}") for one in facts.theme],
        "dcat:keyword": [_german(word) for word in facts.keywords],
        "dcat:contactPoint": {
            "@type": "vcard:Organization",
            "vcard:fn": facts.contact.name,
            "vcard:hasEmail": _link(f"mailto:{facts.contact.email}"),
        },
        "dcterms:spatial": _link(facts.geocoding),
        "dcatde:politicalGeocodingURI": _link(facts.geocoding),
        "dcatde:politicalGeocodingLevelURI": _link(facts.geocoding_level),
        **({"dcatde:geocodingDescription": _german(facts.geocoding_text)} if facts.geocoding_text else {}),
        "dcterms:temporal": {
            "@type": "dcterms:PeriodOfTime",
            "dcat:startDate": _day(date(year, 1, 1)),
            "dcat:endDate": _day(date(year, 12, 31)),
        },
        "dcat:distribution": [_distribution(edition, facts, name, body) for name, body in data.items()],
    }


def _distribution(edition: Edition, facts: Publication, name: str, body: bytes) -> dict[str, Any]:
    place, ending = f"{_place(facts, edition)}{name}", name.rpartition(".")[2]
    attribution = {"dcatde:licenseAttributionByText": _german(facts.attribution)} if facts.attribution else {}
    return {
        "@id": f"{place}#distribution",
        "@type": "dcat:Distribution",
        "dcterms:title": _german(f"{facts.title} ({ending.upper()})"),
        "dcat:accessURL": _link(place),
        "dcat:downloadURL": _link(place),  # Konvention 39: both, where there is only the file
        "dcterms:license": _link(facts.license),
        **attribution,
        "dcterms:format": _link(f"{_EU}/file-type/{ending.upper()}"),
        "dcat:mediaType": _link(f"https://www.iana.org/assignments/media-types/{_MEDIA[ending]}"),
        "dcterms:modified": _day(edition.changed),
        "dcatap:availability": _link(f"{_EU}/planned-availability/{facts.availability}"),
        "adms:status": _link("http://purl.org/adms/status/Completed"),
        "dcat:byteSize": {"@value": str(len(body)), "@type": "xsd:nonNegativeInteger"},
        "spdx:checksum": {
            "@type": "spdx:Checksum",
            "spdx:algorithm": _link("http://spdx.org/rdf/terms#checksumAlgorithm_sha256"),
            "spdx:checksumValue": {"@value": _digest(body), "@type": "xsd:hexBinary"},
        },
    }


def _place(facts: Publication, edition: Edition) -> str:
    return f"{facts.url.rstrip('/')}/{edition.name}/"


def _link(uri: str) -> dict[str, str]:
    return {"@id": uri}


def _german(text: str) -> dict[str, str]:
    return {"@value": text, "@language": "de"}


def _day(given: date) -> dict[str, str]:
    return {"@value": given.isoformat(), "@type": "xsd:date"}


def _json(body: Any) -> bytes:
    return f"{json.dumps(body, ensure_ascii=False, indent=2)}\n".encode()


def _digest(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()
