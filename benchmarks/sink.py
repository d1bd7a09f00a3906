"""A SOAP service of one call, in a process of its own and as fast as Python allows: it must not be what is measured.

python -m benchmarks.sink [S]     prints its port, answers every POST with a number (S seconds later), keeps connections
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count

from benchmarks.workload import ROOT

NAMESPACE = "urn:kiezbruecke:benchmark:sink:1.0"
WSDL = ROOT / "benchmarks" / "content" / "schemas" / "sink" / "1.0" / "service.wsdl"
BINDING = f"{{{NAMESPACE}}}SinkBinding"
ACTION = f"{NAMESPACE}:Deliver"
_ANSWER = (
    '<?xml version="1.0" encoding="UTF-8"?><e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body>'
    f'<s:Delivered xmlns:s="{NAMESPACE}"><s:Number>%d</s:Number></s:Delivered></e:Body></e:Envelope>'
)
_numbers = count(1)


class Sink(asyncio.Protocol):
    """One connection."""

    transport: asyncio.Transport
    seconds = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client is there."""
        assert isinstance(transport, asyncio.Transport)
        self.transport, self.buffer = transport, bytearray()

    def data_received(self, data: bytes) -> None:
        """Answer every whole request in what has come."""
        self.buffer += data
        while (end := self.buffer.find(b"\r\n\r\n")) >= 0:
            head = bytes(self.buffer[:end]).lower()
            length = int(head.partition(b"content-length:")[2].split(b"\r\n", 1)[0])
            if len(self.buffer) < end + 4 + length:
                return
            del self.buffer[: end + 4 + length]
            close = b"connection: close" in head
            if self.seconds:
                asyncio.get_running_loop().call_later(self.seconds, self._answer, close)
            else:
                self._answer(close)

    def _answer(self, close: bool) -> None:
        body = (_ANSWER % next(_numbers)).encode()
        word = b"close" if close else b"keep-alive"
        head = (
            b"HTTP/1.1 200 OK\r\nContent-Type: text/xml; charset=utf-8\r\nConnection: %s\r\nContent-Length: %d\r\n\r\n"
        )
        self.transport.write(head % (word, len(body)) + body)
        if close:
            self.transport.close()


@contextmanager
def running(seconds: float = 0.0) -> Iterator[int]:
    """A sink in its own process while the block lasts, answering after so many seconds; its port."""
    command = [sys.executable, "-m", "benchmarks.sink", str(seconds)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield int(process.stdout.readline())
        finally:
            process.terminate()


async def _serve(seconds: float) -> None:
    Sink.seconds = seconds
    server = await asyncio.get_running_loop().create_server(Sink, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve(float(sys.argv[1]) if len(sys.argv) > 1 else 0.0))
