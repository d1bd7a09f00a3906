"""SEPA files of a size that no Kiezkasse has: a million payments out, a hundred thousand entries in.

    python -m benchmarks.bank pain 1000000      pain.001 as a stream into a file, every payment with its own IBAN
    python -m benchmarks.bank camt 100000       camt.053 through the source, both readings, until it is acknowledged

Each says seconds (wall and CPU) and the most memory the process ever had, imports included. Run one per process.
"""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from itertools import islice
from pathlib import Path

from connectors.bank.pain001 import Block, Debtor, write
from connectors.bank.payment import Payment
from kiezbruecke.connector import BatchHead

ACCOUNT = "DE02100500000054540402"
DAY = date(2026, 11, 25)
HEAD = BatchHead("KK26-S-0001", "bank-tk", datetime(2026, 11, 25, 6, 30, tzinfo=UTC), 2026)
MOST_CENTS = 500_000
CHUNK = 500


def pain(count: int, folder: Path) -> None:
    """The count and the sum are known beforehand; the payments come one by one."""
    total = sum(_cents(number) for number in range(count))
    with (folder / "pain.xml").open("wb") as out:
        write(out, HEAD, Debtor("Bezirksamt", ACCOUNT), [Block(DAY, count, total, _payments(count))])
    print(f"{(folder / 'pain.xml').stat().st_size / 1e6:.0f} MB")


def camt(count: int, folder: Path) -> None:
    """Through a folder; the memory of the process that writes the statement is not ours."""
    from connectors.bank.source import BankSource  # noqa: PLC0415 - the writer of pain.001 needs none of it
    from kiezbruecke.connector import Connection, Context, Handled  # noqa: PLC0415
    from kiezbruecke.content import find_content  # noqa: PLC0415
    from kiezbruecke.records import Process  # noqa: PLC0415

    process = Process(id="kk", name="Probe", reference_prefix="KK26", bezirk_id="09", fiscal_year=2026)
    extra = {"debtor_name": "Bezirksamt", "debtor_iban": ACCOUNT, "path": str(folder), "settle_seconds": 0}
    for name in ("in", "out"):
        (folder / name).mkdir()
    _write_statement(folder / "in" / "camt.xml", count)
    source = BankSource(Connection("bank-tk", "kb_bank", extra=extra), Context(process, content=find_content()))
    read = 0
    items = source.fetch(_Bookmark())
    while chunk := [Handled(item) for item in islice(items, CHUNK)]:
        source.acknowledge(chunk)
        read += len(chunk)
    print(f"{read} items, {len(list((folder / 'in' / 'done').iterdir()))} file done")


class _Bookmark:
    value = ""

    def advance(self, value: str) -> None:
        self.value = value


def _payments(count: int) -> Iterator[Payment]:
    for number in range(count):
        yield Payment(_reference(number), DAY, _cents(number), "Jürgen Groß & Söhne e. V.", iban(number), "Kiezkasse")


def _reference(number: int) -> str:
    return f"KK26-090517-{number:07d}-Z1"


def _cents(number: int) -> int:
    return 100 + number * 7 % MOST_CENTS


def iban(number: int) -> str:
    """A valid German IBAN of a bank that exists; no account of anybody is meant."""
    account = f"12030000{number:010d}"
    return f"DE{98 - int(account + '131400') % 97:02d}{account}"


def _write_statement(file: Path, count: int) -> None:
    from connectors.bank import reports  # noqa: PLC0415 - the sandbox's pen

    rows = (
        {
            "number": number,
            "day": DAY.isoformat(),
            "cents": _cents(number),
            "sign": -1,
            "block": "S-1",
            "reference": _reference(number),
            "reason": "",
        }
        for number in range(count)
    )
    total = sum(_cents(number) for number in range(count))
    whole = reports.statement("T1", DAY, total, []).replace(b"<NbOfNtries>0<", f"<NbOfNtries>{count}<".encode())
    before, after = whole.split(b"</Stmt>")
    closed = f">{total // 100}.{total % 100:02d}</Amt><CdtDbtInd>CRDT</CdtDbtInd><Dt>".encode()
    first, _, rest = before.rpartition(closed)
    with file.open("wb") as out:
        out.write(first + b">0.00</Amt><CdtDbtInd>CRDT</CdtDbtInd><Dt>" + rest)
        out.writelines(reports.entry(row).encode() for row in rows)
        out.write(b"</Stmt>" + after)


WAYS: dict[str, Callable[[int, Path], None]] = {"pain": pain, "camt": camt}


def main() -> None:
    """One way, once."""
    way, count = WAYS[sys.argv[1]], int(sys.argv[2])
    with tempfile.TemporaryDirectory() as folder:
        wall, cpu = time.perf_counter(), time.process_time()
        way(count, Path(folder))
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{sys.argv[1]} {count}: {wall:.1f} s, {cpu:.1f} s CPU, {memory:.0f} MB at most")


if __name__ == "__main__":
    main()
