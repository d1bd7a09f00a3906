"""A parrot between a client and its sandbox: it repeats every answer, and says her name in one place of it.

    client ─▶ parrot ─▶ sandbox        which places there are is read from the answers themselves:
                                       every element, attribute, key, cell, file name, header, and the status line

Of each kind of call the next answer is spoiled at its next place that has not been spoiled yet, until none is left.
"""

from __future__ import annotations

import base64
import io
import json
import re
import zipfile
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import Any, Self
from urllib.parse import quote, urlsplit
from xml.sax.saxutils import escape

from lxml import etree, html

Change = Callable[[], bytes]  # the body with one place spoiled
SOAP = {
    "http://schemas.xmlsoap.org/soap/envelope/": (
        '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><s:Fault><faultcode>s:{0}</faultcode>'
        "<faultstring>{0}</faultstring><faultactor>{0}</faultactor><detail><Fehler><Code>{0}</Code><Text>{0}</Text>"
        "</Fehler></detail></s:Fault></s:Body></s:Envelope>"
    ),
    "http://www.w3.org/2003/05/soap-envelope": (
        '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Body><s:Fault><s:Code><s:Value>s:{0}</s:Value>'
        "<s:Subcode><s:Value>{0}</s:Value></s:Subcode></s:Code><s:Reason><s:Text>{0}</s:Text></s:Reason><s:Role>{0}"
        "</s:Role><s:Detail><errorCode><code>{0}</code><name>{0}</name></errorCode></s:Detail></s:Fault></s:Body>"
        "</s:Envelope>"
    ),
}
STATUSES = (302, 400, 401, 404, 500, 503)
_HOP = {"connection", "content-length", "transfer-encoding", "date", "keep-alive"}


@dataclass
class Answer:
    """What the sandbox said."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes

    @property
    def media_type(self) -> str:
        return next((value for name, value in self.headers if name.lower() == "content-type"), "")


@dataclass
class Parrot:
    """Stands at `url` and repeats what `target` says; `her` is what it says in between."""

    target: str
    her: str
    fault: str = ""  # what the sandbox does wrong now: some answers have their places only then
    spoiled: defaultdict[str, set[str]] = field(default_factory=lambda: defaultdict(set))  # by kind of call
    seen: defaultdict[str, dict[str, str]] = field(default_factory=lambda: defaultdict(dict))  # with the fault
    lock: Lock = field(default_factory=Lock)

    def __enter__(self) -> Self:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def url(self) -> str:
        """Where the client finds it."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def left(self) -> list[tuple[str, str, str]]:
        """The places that are known and not spoiled yet: call, place, and the fault with which it was seen."""
        return [
            (call, place, fault)
            for call, places in self.seen.items()
            for place, fault in places.items()
            if place not in self.spoiled[call]
        ]

    def repeat(self, call: str, answer: Answer) -> tuple[Answer, str]:
        """The answer with her in its next place, and the reason phrase."""
        places = dict(self._places(call, answer))
        with self.lock:
            self.seen[call] = dict.fromkeys(places, self.fault) | self.seen[call]
            fresh = sorted(places.keys() - self.spoiled[call])
            if not fresh:
                return answer, ""
            self.spoiled[call].add(fresh[0])
        return places[fresh[0]]()

    def _places(self, call: str, answer: Answer) -> Iterator[tuple[str, Callable[[], tuple[Answer, str]]]]:
        for name, change in changes(answer.body, answer.media_type, self.her):
            yield name, lambda change=change: (Answer(answer.status, answer.headers, change()), "")
        yield "content type", lambda: (_with_headers(answer, self.her, _of_type), self.her)
        yield "headers", lambda: (_with_headers(answer, self.her, lambda name: not _of_type(name)), self.her)
        for status in self._statuses(call):
            yield f"status {status}", lambda status=status: (self._refusal(status, answer), self.her)

    def _statuses(self, call: str) -> tuple[int, ...]:
        """Two for each kind of call, in turn: what a status means is the same for all."""
        turn = list(self.seen).index(call) if call in self.seen else len(self.seen)
        return (STATUSES * 2)[turn * 2 % len(STATUSES) :][:2]

    def _refusal(self, status: int, answer: Answer) -> Answer:
        """Another status, with her in all that such an answer may hold, in the language that is spoken here."""
        headers = [
            ("Location", f"http://{quote(self.her)}.example/{quote(self.her)}"),
            ("Retry-After", _latin(self.her)),
        ]
        headers += [("WWW-Authenticate", _latin(f'Basic realm="{self.her}"')), ("Content-Type", answer.media_type)]
        if "json" in answer.media_type:
            return Answer(status, headers, json.dumps({"detail": self.her, self.her: [self.her]}).encode())
        namespace = next((one for one in SOAP if one.encode() in answer.body), "")
        text = SOAP[namespace] if namespace else "<html><head><title>{0}</title></head><body><h1>{0}</h1></body></html>"
        return Answer(status, headers, text.format(escape(self.her)).encode())


def _of_type(name: str) -> bool:
    return name.lower() == "content-type"


def _with_headers(answer: Answer, her: str, spoiled: Callable[[str], bool]) -> Answer:
    """Headers that say her name; her mail address makes a media type that is well formed."""
    said = {True: f"application/{her.rpartition('@')[0].rpartition(' ')[2]}; charset={her}; name={her}", False: her}
    headers = [(name, _latin(said[_of_type(name)] if spoiled(name) else value)) for name, value in answer.headers]
    return Answer(answer.status, headers, answer.body)


def _latin(text: str) -> str:
    return text.encode().decode("latin-1")  # how bytes of UTF-8 travel in headers


# --- the places of a body


def changes(body: bytes, media_type: str, her: str) -> Iterator[tuple[str, Change]]:
    """Every place of a body where a text stands, with the body that says her name there."""
    if body.startswith(b"PK"):
        yield from _in_zip(body, her)
    elif "json" in media_type:
        yield from _in_json(body, her)
    elif "html" in media_type:
        yield from _in_tree(body, her, html.fromstring, lambda root: html.tostring(root, encoding="utf-8"))
    elif body.lstrip()[:1] == b"<":
        yield from _in_tree(body, her, etree.fromstring, lambda root: etree.tostring(root, encoding="utf-8"))


def _in_tree(
    body: bytes, her: str, read: Callable[[bytes], Any], write: Callable[[Any], bytes]
) -> Iterator[tuple[str, Change]]:
    try:
        root = read(body)
    except (etree.LxmlError, ValueError):  # half of one
        return
    names = defaultdict(list)
    for number, node in enumerate(root.iter("*")):
        path = "/".join(etree.QName(one).localname for one in (*reversed(list(node.iterancestors())), node))
        names[path].append(number)
        for name in node.attrib:
            names[f"{path}@{name}"].append(number)
    for name, numbers in names.items():
        path, _, attribute = name.partition("@")
        first = list(root.iter("*"))[numbers[0]]
        packed = b"" if attribute else _unpacked(first.text or "")
        if packed.startswith(b"PK"):
            for inner, change in _in_zip(packed, her):
                yield (
                    f"{name} ▸ {inner}",
                    lambda change=change, n=numbers: _set(
                        body, read, write, n, "", base64.b64encode(change()).decode()
                    ),
                )
        yield name, lambda n=numbers, a=attribute: _set(body, read, write, n, a, her)


def _set(
    body: bytes,
    read: Callable[[bytes], Any],
    write: Callable[[Any], bytes],
    numbers: list[int],
    attribute: str,
    text: str,
) -> bytes:
    root = read(body)
    nodes = list(root.iter("*"))
    for number in numbers:
        if attribute:
            nodes[number].set(attribute, text)
        else:
            nodes[number].text = text
    return write(root)


def _unpacked(text: str) -> bytes:
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except ValueError:
        return b""


def _in_zip(body: bytes, her: str) -> Iterator[tuple[str, Change]]:
    try:
        with zipfile.ZipFile(io.BytesIO(body)) as packed:
            files = {name: packed.read(name) for name in packed.namelist()}
    except zipfile.BadZipFile:
        return
    for name, content in files.items():
        kind = re.sub(r"[0-9a-f-]{36}", "*", name)
        yield (
            f"name of {kind}",
            lambda name=name: _zip({(f"{her}.xml" if n == name else n): c for n, c in files.items()}),
        )
        yield (
            f"folder of {kind}",
            lambda name=name: _zip({(f"{her}/{n}" if n == name else n): c for n, c in files.items()}),
        )
        if name.endswith((".xml", ".rels")) and "/theme/" not in name:  # hundreds of colours
            for inner, change in changes(content, "", her):
                yield f"{kind} ▸ {inner}", lambda name=name, change=change: _zip({**files, name: change()})


def _zip(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in files.items():
            packed.writestr(name, content)
    return out.getvalue()


def _in_json(body: bytes, her: str) -> Iterator[tuple[str, Change]]:
    try:
        whole = json.loads(body)
    except ValueError:
        return
    for path in sorted(set(_paths(whole, ()))):
        yield "/".join(path), lambda path=path: json.dumps(_spoiled(whole, path, her)).encode()
        if path[-1] != "*":
            yield f"key {'/'.join(path)}", lambda path=path: json.dumps(_renamed(whole, path, her)).encode()


def _paths(node: Any, above: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    below = node.items() if isinstance(node, dict) else [("*", one) for one in node] if isinstance(node, list) else ()
    if above:
        yield above
    for name, one in below:
        yield from _paths(one, (*above, name))


def _spoiled(node: Any, path: tuple[str, ...], her: str) -> Any:
    if not path:
        return her
    if isinstance(node, list):
        return [_spoiled(one, path[1:], her) for one in node] if path[0] == "*" else node
    if isinstance(node, dict) and path[0] in node:
        return node | {path[0]: _spoiled(node[path[0]], path[1:], her)}
    return node


def _renamed(node: Any, path: tuple[str, ...], her: str) -> Any:
    if isinstance(node, list):
        return [_renamed(one, path[1:], her) for one in node] if path[0] == "*" else node
    if not isinstance(node, dict) or path[0] not in node:
        return node
    if len(path) == 1:
        return {her if name == path[0] else name: one for name, one in node.items()}
    return node | {path[0]: _renamed(node[path[0]], path[1:], her)}


# --- carrying


def _handler(parrot: Parrot) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._carry(b"")

        def do_POST(self) -> None:
            self._carry(self.rfile.read(int(self.headers.get("Content-Length", 0))))

        def log_message(self, *_: object) -> None:
            """Nothing: it would quote her."""

        def _carry(self, content: bytes) -> None:
            try:
                answer = _asked(parrot.target, self.command, self.path, dict(self.headers.items()), content)
            except (OSError, HTTPException):  # cut there, cut here
                self.close_connection = True
                return
            spoiled, reason = parrot.repeat(_kind(self.command, self.path, content), answer)
            self.send_response_only(spoiled.status, _latin(reason) if reason else None)
            for name, value in spoiled.headers:
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(spoiled.body)))
            self.end_headers()
            self.wfile.write(spoiled.body)

    return Handler


def _asked(target: str, method: str, path: str, headers: dict[str, str], content: bytes) -> Answer:
    """Written by steps: the tests listen to HTTPConnection.request, and this call is not the product's."""
    connection = HTTPConnection(urlsplit(target).netloc, timeout=10)
    try:
        connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
        for name, value in headers.items():
            connection.putheader(name, value)
        connection.endheaders(content)
        with connection.getresponse() as answer:
            kept = [(name, value) for name, value in answer.getheaders() if name.lower() not in _HOP]
            return Answer(answer.status, kept, answer.read())
    finally:
        connection.close()


def _kind(method: str, path: str, content: bytes) -> str:
    """A kind of call: SOAP's operation, or the address without its numbers."""
    if operation := re.search(rb"<(?:[\w-]+:)?Body[^>]*>\s*<(?:[\w-]+:)?(\w+)", content):
        return operation[1].decode()
    if action := re.search(rb"<(?:[\w-]+:)?Action[^>]*>([^<]*)", content):
        return action[1].decode().rpartition("/")[2]
    return f"{method} {re.sub(r'[0-9]+', '#', path.partition('?')[0])}"
