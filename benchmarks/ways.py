"""All ways to write a message side by side, and the proof that they do the same work.

job("xdomea" | "pain"): ways by name, entries per message, roots by number
prove(job, …): the same canonical XML, valid by our profile, and by the official schema where it lies beside us
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from lxml import etree

from benchmarks import workload
from benchmarks.peers import by_jinja, by_lxml, by_xsdata, values
from kiezbruecke.mapping import Mapping as Compiled
from kiezbruecke.mapping import load_mapping
from kiezbruecke.mapping.interpret.xml import XmlWriter

Roots = Mapping[str, Any]
Write = Callable[[Roots], bytes]
OURS, INTERPRETED, LXML, XSDATA, JINJA = "ours", "interpreter", "lxml", "xsdata", "jinja2"
_STANDARDS = workload.ROOT.parent / "shared" / "standards"


@dataclass(frozen=True)
class Job:
    """One kind of message: how each way writes it, how many records one message holds, and its schemas."""

    name: str
    mapping: Compiled
    ways: Mapping[str, Write]
    roots: Callable[[int], Roots]
    entries: int
    schemas: Mapping[str, etree.XMLSchema]
    xsdata_writer: str


class NotTheSame(AssertionError):
    """Two ways differ, or one of them is not valid: nothing may be measured."""


@cache
def job(name: str) -> Job:
    """The job `xdomea` or `pain`."""
    return _xdomea() if name == "xdomea" else _pain()


def prove(one: Job, numbers: Iterable[int]) -> int:
    """How many records were compared; raises NotTheSame."""
    count = 0
    for number in numbers:
        roots = one.roots(number)
        written = {name: write(roots) for name, write in one.ways.items()}
        expected = canonical(written[OURS])
        for name, payload in written.items():
            if canonical(payload) != expected:
                raise NotTheSame(f"{one.name} {number}: {name} writes something else than we do")
            _valid(one, number, name, payload)
        count += 1
    return count


def canonical(payload: bytes) -> str:
    """Canonical XML 2.0 with rewritten prefixes: a prefix is taste."""
    return str(etree.canonicalize(etree.fromstring(payload), rewrite_prefixes=True))


def _valid(one: Job, number: int, name: str, payload: bytes) -> None:
    root = etree.fromstring(payload)
    for title, schema in one.schemas.items():
        if not schema.validate(root):
            raise NotTheSame(f"{one.name} {number}: {name} is not valid by the {title}: {schema.error_log.last_error}")


def _xdomea() -> Job:
    mapping = load_mapping("case-xdomea-0401", workload.ROOT)
    writer, xsdata = by_xsdata.fastest(by_xsdata.abgabe, {"xdomea": values.XDOMEA}, workload.case_roots(0))
    ways = {LXML: by_lxml.xdomea, XSDATA: xsdata, JINJA: by_jinja.writer_of("xdomea")}
    schemas = {"profile": etree.XMLSchema(etree.parse(workload.ROOT / "schemas" / "xdomea" / "4.0.0" / "profile.xsd"))}
    return Job("xdomea", mapping, {**_ours(mapping), **ways}, workload.case_roots, 1, schemas, writer)


def _pain() -> Job:
    mapping = load_mapping("payment-batch", workload.CONTENT)
    writer, xsdata = by_xsdata.fastest(by_xsdata.pain, {None: values.PAIN}, workload.payment_roots(0))
    ways = {LXML: by_lxml.payments, XSDATA: xsdata, JINJA: by_jinja.writer_of("pain")}
    files = {
        "profile": workload.CONTENT / "schemas" / "pain.001" / "001.09" / "profile.xsd",
        "official schema": _STANDARDS / "iso20022" / "pain.001.001.09.xsd",
    }
    schemas = {title: etree.XMLSchema(etree.parse(file)) for title, file in files.items() if file.is_file()}
    return Job("pain", mapping, {**_ours(mapping), **ways}, workload.payment_roots, workload.BLOCK, schemas, writer)


def _ours(mapping: Compiled) -> dict[str, Write]:
    writer = XmlWriter(mapping.goal.prefixes, mapping.file)
    return {OURS: mapping.compiled.write, INTERPRETED: lambda roots: writer.write(mapping.draft(roots))}
