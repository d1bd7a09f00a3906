"""A mail server in a process of its own, for tests: what it takes lies in a folder; it knows nothing of our client.

python -m tests.smtp_server FOLDER PORT_FILE [CERT]     with CERT (PEM, with its key) it offers STARTTLS and AUTH PLAIN

Switches are files in FOLDER: `refuse` refuses every recipient, `refuse-data` the letter, `hang-up` ends the session
when the letter was taken, before it says so. The log-in that it knows is `kiezbruecke` with the password `geheim`.
"""

from __future__ import annotations

import asyncio
import base64
import json
import ssl
import sys
from contextlib import suppress
from pathlib import Path

LOGIN = base64.b64encode(b"\0kiezbruecke\0geheim").decode()


class Session:
    """One client's session (RFC 5321, as far as a test needs it)."""

    def __init__(self, folder: Path, cert: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.folder, self.cert, self.reader, self.writer = folder, cert, reader, writer
        self.secure, self.login, self.to = False, False, list[str]()

    def has(self, switch: str) -> bool:
        return (self.folder / switch).exists()

    async def say(self, line: str) -> None:
        self.writer.write(f"{line}\r\n".encode())
        await self.writer.drain()

    async def run(self) -> None:
        await self.say("220 post.test ESMTP")
        while line := (await self.reader.readline()).decode().strip():
            verb = line.upper().split()[0]
            if verb == "QUIT":
                await self.say("221 bye")
                return
            if verb == "DATA":
                if not await self.data():
                    return
                continue
            await self.answer(verb, line)

    async def answer(self, verb: str, line: str) -> None:
        if verb == "EHLO":
            offers = [] if not self.cert else ["AUTH PLAIN"] if self.secure else ["STARTTLS"]
            for offer in ("post.test", *offers):
                await self.say(f"250-{offer}")
            await self.say("250 8BITMIME")
        elif verb == "STARTTLS" and self.cert:
            await self.say("220 go ahead")
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(self.cert)
            await self.writer.start_tls(context)
            self.secure = True
        elif verb == "AUTH":
            self.login = line.rpartition(" ")[2] == LOGIN
            await self.say("235 welcome" if self.login else "535 who are you")
        elif verb == "MAIL":
            self.to = []
            await self.say("250 ok" if self.login or not self.cert else "530 log in first")
        elif verb == "RCPT":
            self.to.append(line.partition(":")[2].strip("<> "))
            await self.say("550 not here" if self.has("refuse") else "250 ok")
        else:
            await self.say("250 ok")

    async def data(self) -> bool:
        await self.say("354 go ahead")
        lines = []
        while (line := await self.reader.readline()) != b".\r\n":
            lines.append(line[1:] if line.startswith(b"..") else line)
        if self.has("refuse-data"):
            await self.say("552 too big")
            return True
        number = len(list(self.folder.glob("*.eml")))
        (self.folder / f"{number}.json").write_text(json.dumps({"to": self.to, "secure": self.secure}))
        (self.folder / f"{number}.eml").write_bytes(b"".join(lines))
        if self.has("hang-up"):
            return False
        await self.say("250 taken")
        return True


async def serve(folder: Path, port_file: Path, cert: str) -> None:
    """Listen on the loopback until the process ends."""

    async def session(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, ssl.SSLError):
            await Session(folder, cert, reader, writer).run()
        writer.close()

    server = await asyncio.start_server(session, "127.0.0.1", 0)
    part = port_file.with_suffix(".part")
    part.write_text(str(server.sockets[0].getsockname()[1]))
    part.rename(port_file)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3] if len(sys.argv) > 3 else ""))
