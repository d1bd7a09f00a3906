"""What needs no network and no ledger: the mapping alone, and the chain from JSON bytes to XSD-valid bytes.

mapping   roots ─▶ bytes                                                   every way
chain     canonical JSON ─▶ pydantic ─▶ bytes ─▶ XSD                       ours also seals the lineage
inbound   the platform's JSON ─▶ inbound mapping ─▶ record ─▶ … the same   the peers: a function of one's own
record    the first half of that alone
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from lxml import etree

from benchmarks import workload
from benchmarks.clock import Contest, compete
from benchmarks.peers import by_hand
from benchmarks.ways import LXML, OURS, XSDATA, Job, NotTheSame, canonical, job
from kiezbruecke.connector import Item
from kiezbruecke.content.processes import read_process
from kiezbruecke.errors import RecordError
from kiezbruecke.mapping import load_mapping
from kiezbruecke.mapping.lineage import seal
from kiezbruecke.records import Proposal


@dataclass(frozen=True)
class Piece:
    """One record of the chains: its JSON in both forms, and what else its message reads."""

    number: int
    canonical: bytes
    platform: bytes
    roots: Mapping[str, Any]


Chain = Callable[[Piece], bytes]
Reader = Callable[[Piece], Proposal]
BY_HAND = "by hand"


def pieces(count: int) -> list[Piece]:
    """The first records of the workload."""
    return [
        Piece(i, workload.proposal_json(i), workload.platform_json(i), workload.case_roots(i)) for i in range(count)
    ]


def mapping_contest(name: str, count: int, rounds: int) -> Contest:
    """Every way to write the messages of a job."""
    one = job(name)
    records = [one.roots(number) for number in range(count // one.entries)]
    return compete(one.ways, records, rounds, per_record=one.entries)


def chain_contest(records: list[Piece], rounds: int) -> Contest:
    """JSON bytes of our own form to XSD-valid bytes."""
    return compete(chains(), records, rounds)


def inbound_contest(records: list[Piece], rounds: int) -> Contest:
    """The platform's JSON to XSD-valid bytes."""
    return compete(inbound_chains(), records, rounds)


def record_contest(records: list[Piece], rounds: int) -> Contest:
    """The platform's JSON to a record."""
    return compete(readers(), records, rounds)


def readers() -> dict[str, Reader]:
    """The way from the platform's JSON to a record: the inbound mapping, and a function for just these items."""
    return {OURS: _inbound(), BY_HAND: lambda piece: by_hand.proposal(piece.platform)}


def chains() -> dict[str, Chain]:
    """The chain by way."""
    one = job("xdomea")
    return {OURS: _ours(one, _decoded), **{name: _theirs(one, name, _decoded) for name in (LXML, XSDATA)}}


def inbound_chains() -> dict[str, Chain]:
    """The chain that begins at the platform, by way."""
    one = job("xdomea")
    read = readers()
    return {OURS: _ours(one, read[OURS]), **{name: _theirs(one, name, read[BY_HAND]) for name in (LXML, XSDATA)}}


def prove_chains(records: list[Piece]) -> None:
    """All ways give the same record, and both chains the same message; raises NotTheSame."""
    for piece in records:
        if len({read(piece).canonical() for read in readers().values()}) > 1:
            raise NotTheSame(f"record {piece.number}: the ways differ")
    for name, ways in (("chain", chains()), ("inbound chain", inbound_chains())):
        for piece in records:
            if len({canonical(chain(piece)) for chain in ways.values()}) > 1:
                raise NotTheSame(f"{name} {piece.number}: the ways differ")


def _decoded(piece: Piece) -> Proposal:
    return Proposal.model_validate_json(piece.canonical)


def _inbound() -> Reader:
    mapping = load_mapping("meinberlin-proposal", workload.ROOT)
    process = read_process(workload.ROOT, workload.PROCESS)

    def read(piece: Piece) -> Proposal:
        roots = {"envelope": {"source": "meinberlin-tk"}, "process": process, "route": {}}
        record = mapping.read(Item("proposal", str(piece.number + 1), piece.platform), roots)
        assert isinstance(record, Proposal)
        return record

    return read


def _ours(one: Job, read: Reader) -> Chain:
    errors: list[RecordError] = []

    def chain(piece: Piece) -> bytes:
        try:
            payload, trace = one.mapping.write_traced({**piece.roots, "proposal": read(piece)})
            seal(trace, payload)
        except RecordError as error:  # collected, so that one record stops no other
            errors.append(error)
            raise
        return payload

    return chain


def _theirs(one: Job, name: str, read: Reader) -> Chain:
    write, schema = one.ways[name], one.schemas["profile"]
    errors: list[str] = []

    def chain(piece: Piece) -> bytes:
        payload = write({**piece.roots, "proposal": read(piece)})
        if not schema.validate(etree.fromstring(payload)):
            errors.append(str(schema.error_log))
            raise ValueError(errors[-1])
        return payload

    return chain
