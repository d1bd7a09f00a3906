"""The line below the SOAP connectors: what a call's end says about whether it arrived."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from base64 import b64decode
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from connectors import _soap
from kiezbruecke.errors import ConfigurationError, NotSent

WSDL = Path(__file__).parents[2] / "schemas/xta/2.1.1/profile.wsdl"
BINDING = "{http://xoev.de/transport/xta/211}managementHttpsBinding"
EMPTY = f'<e:Envelope xmlns:e="{_soap.SOAP_12}"><e:Header/><e:Body>%s</e:Body></e:Envelope>'
SOAP_KIND = "application/soap+xml; charset=utf-8"

Reply = Callable[[socket.socket, bytes], None]


class OneShot:
    """A server for one connection that answers with raw bytes, as no honest HTTP server could."""

    def __init__(self, reply: Reply) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}/"
        self.heard = b""
        self._reply = reply
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        connection, _ = self._listener.accept()
        with connection:
            while b"</soap-env:Envelope>" not in self.heard:
                if not (more := connection.recv(65536)):
                    return
                self.heard += more
            self._reply(connection, self.heard)

    def close(self) -> None:
        self._listener.close()
        self._thread.join(5)


@pytest.fixture
def serve() -> Iterator[Callable[[Reply], OneShot]]:
    servers: list[OneShot] = []

    def begin(reply: Reply) -> OneShot:
        servers.append(OneShot(reply))
        return servers[-1]

    yield begin
    for server in servers:
        server.close()


def _http(body: bytes, kind: str = SOAP_KIND, status: str = "200 OK", length: bool = True) -> Reply:
    head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nConnection: close\r\n"
    head += f"Content-Length: {len(body)}\r\n" if length else ""
    return lambda connection, _: connection.sendall(head.encode() + b"\r\n" + body)


def _port(url: str, **wire: float) -> _soap.Port:
    return _at(url, _soap.Wire(**{"deadline": 10, **wire}))  # type: ignore[arg-type]


def _at(url: str, wire: _soap.Wire) -> _soap.Port:
    return _soap.Port(WSDL, BINDING, url, _soap.Line(wire))


def _envelope(inside: str = "") -> bytes:
    return (EMPTY % inside).encode()


def test_an_empty_body_is_a_yes(serve: Callable[[Reply], OneShot]) -> None:
    assert _port(serve(_http(_envelope())).url).call("checkAccountActive").body is None


def test_a_refused_connection_is_certain() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        url = f"http://127.0.0.1:{free.getsockname()[1]}/"

    with pytest.raises(NotSent):
        _port(url).call("checkAccountActive")


def test_a_name_that_nobody_has_is_certain() -> None:
    with pytest.raises(NotSent):
        _port("http://xta.invalid/").call("checkAccountActive")


def test_a_failed_handshake_is_certain() -> None:
    """The other side speaks no TLS: not one byte of the request has left."""
    listener = socket.create_server(("127.0.0.1", 0))

    def refuse() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.recv(1024)
            connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    thread = threading.Thread(target=refuse, daemon=True)
    thread.start()
    with pytest.raises(NotSent):
        _port(f"https://127.0.0.1:{listener.getsockname()[1]}/").call("checkAccountActive")
    thread.join(5)
    listener.close()


def test_a_handshake_that_never_ends_meets_the_deadline() -> None:
    """The socket that TLS wraps is watched, too."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"https://127.0.0.1:{silent.getsockname()[1]}/"
        begun = time.monotonic()
        with pytest.raises(NotSent):
            _port(url, deadline=0.5).call("checkAccountActive")

    assert time.monotonic() - begun < 5


@pytest.mark.parametrize(
    ("reply", "why"),
    [
        (_http(b"<html><form>Anmeldung</form></html>", "text/html"), "text/html"),
        (_http(b"<html/>"), "no SOAP envelope"),
        (_http(_envelope()[:-20]), "not a whole XML"),
        (_http(_envelope()[:-20], length=False), "not a whole XML"),
        (_http(b""), "empty"),
        (_http(b"", status="202 Accepted"), "empty answer .HTTP 202"),
        (_http(b"busy", "text/plain", "503 Busy"), "503"),
        (_http(_envelope(), status="500 Oops"), "500"),
        (_http(b"", status="302 Found\r\nLocation: http://127.0.0.1:1/"), "302"),
        (_http(b'<!DOCTYPE a [<!ENTITY b "c">]>' + _envelope("&b;")), "not a whole XML"),
        (_http(b'<!DOCTYPE a SYSTEM "file:///etc/passwd">' + _envelope()), "not a whole XML"),
        (_http(b"--p\r\n\r\n" + _envelope(), 'multipart/related; boundary="p"'), "not whole"),
        (
            _http(
                b"--p\r\n\r\n"
                + _envelope('<x xmlns:i="http://www.w3.org/2004/08/xop/include"><i:Include href="cid:1"/></x>')
                + b"\r\n--p--",
                'multipart/related; boundary="p"',
            ),
            "the part it names",
        ),
    ],
)
def test_what_only_looks_like_an_answer_is_doubt(serve: Callable[[Reply], OneShot], reply: Reply, why: str) -> None:
    with pytest.raises(_soap.NoAnswer, match=why):
        _port(serve(reply).url).call("checkAccountActive")


def test_a_fault_counts_whatever_the_status_is(serve: Callable[[Reply], OneShot]) -> None:
    detail = '<e:Detail><x:PermissionDeniedException xmlns:x="urn:x"><x:errorCode><code>9011</code>'
    detail += "<name>Account ist gesperrt.</name></x:errorCode></x:PermissionDeniedException></e:Detail>"
    fault = "<e:Fault><e:Code><e:Value>e:Sender</e:Value></e:Code><e:Reason><e:Text>gesperrt</e:Text></e:Reason>"

    with pytest.raises(_soap.Fault) as raised:
        _port(serve(_http(_envelope(f"{fault}{detail}</e:Fault>"))).url).call("checkAccountActive")

    error = raised.value
    assert (error.code, error.name, error.role) == ("9011", "Account ist gesperrt.", "Sender")
    assert (error.kind, error.text) == ("PermissionDeniedException", "gesperrt")


@pytest.mark.parametrize(
    ("role", "status", "permanent"),
    [
        ("Sender", "500 Internal Server Error", "SOAP Sender"),  # CXF, where a policy wants MTOM
        ("Receiver", "415 Unsupported Media Type", "HTTP 415"),
        ("Receiver", "500 Internal Server Error", ""),
    ],
)
def test_a_refusal_without_a_code_is_known_as_one(
    serve: Callable[[Reply], OneShot], role: str, status: str, permanent: str
) -> None:
    """The same bytes will be refused again: nobody must be told for ever that nobody knows."""
    fault = f"<e:Fault><e:Code><e:Value>e:{role}</e:Value></e:Code><e:Reason><e:Text>MTOM</e:Text></e:Reason></e:Fault>"
    with pytest.raises(_soap.Fault) as raised:
        _port(serve(_http(_envelope(fault), status=status)).url).call("checkAccountActive")

    assert raised.value.permanent == permanent
    assert raised.value.trouble is not None


def test_a_stack_trace_before_the_exception_is_passed_over(serve: Callable[[Reply], OneShot]) -> None:
    """Vendors put their own entries into the detail, some with a `code` of their own."""
    trace = '<v:trace xmlns:v="urn:vendor"><v:code>E77</v:code>java.lang.IllegalStateException</v:trace>'
    detail = f'<e:Detail>{trace}<x:MessageSchemaViolationException xmlns:x="urn:x"><x:errorCode><code>9050</code>'
    detail += f"<name>n</name></x:errorCode>{trace}</x:MessageSchemaViolationException></e:Detail>"
    fault = f"<e:Fault><e:Code><e:Value>e:Sender</e:Value></e:Code>{detail}</e:Fault>"

    with pytest.raises(_soap.Fault) as raised:
        _port(serve(_http(_envelope(fault), status="500 Oops")).url).call("checkAccountActive")

    assert str(raised.value) == "MessageSchemaViolationException 9050"


@pytest.mark.parametrize("preamble", [b"", b"\r\n", b"This is a multi-part message.\r\n", b"a: --p\r\n\r\nb\r\n"])
def test_a_preamble_before_the_first_part_is_passed_over(serve: Callable[[Reply], OneShot], preamble: bytes) -> None:
    """MIME allows one (RFC 2046, 5.1.1)."""
    root = b"Content-Type: application/xop+xml\r\nContent-ID: <0>\r\n\r\n" + _envelope()
    reply = _http(preamble + b"--p\r\n" + root + b"\r\n--p--\r\n", 'multipart/related; boundary="p"; start="<0>"')

    assert _port(serve(reply).url).call("checkAccountActive").body is None


@pytest.mark.parametrize(
    ("kind", "declared", "encoding"),
    [
        ("text/xml; charset=iso-8859-1", "", "latin-1"),
        ("text/xml; charset=utf-8", '<?xml version="1.0" encoding="ISO-8859-1"?>', "utf-8"),
        ("text/xml; charset=iso-8859-1", "", "utf-8-sig"),
        ("text/xml", '<?xml version="1.0" encoding="ISO-8859-1"?>', "latin-1"),
        ('application/soap+xml; charset="UTF-16"', "", "utf-16"),
    ],
    ids=["header only", "header against declaration", "mark against header", "declaration only", "UTF-16"],
)
def test_the_charset_of_the_header_counts(kind: str, declared: str, encoding: str) -> None:
    """RFC 7303, section 3: byte order mark, then Content-Type, then the document's own declaration."""
    content = f"{declared}{EMPTY % '<a>Müggelheim</a>'}".encode(encoding)

    assert _soap.read_envelope(kind, content).findtext(".//a") == "Müggelheim"


@pytest.mark.parametrize("name", ["klingon", "utf-7", "idna", "shift_jis", "utf-32", "unicode_escape", "\xe4"])
def test_a_charset_that_is_not_read_here_is_no_answer(name: str) -> None:
    with pytest.raises(_soap.NoAnswer, match="charset"):
        _soap.read_envelope(f"text/xml; charset={name}", _envelope())


@pytest.mark.parametrize("before", [b"\r\n", b" \n\t", b""])
def test_blanks_before_an_answer_are_passed_over(before: bytes) -> None:
    """A gateway's line break must not keep a box from ever being read."""
    content = before + b'<?xml version="1.0" encoding="UTF-8"?>' + _envelope("<a>b</a>")

    assert _soap.read_envelope(SOAP_KIND, content).findtext(".//a") == "b"


@pytest.mark.parametrize("charset", ["us-ascii", "utf-8", "utf-16"])
def test_bytes_that_are_not_in_their_charset_are_no_answer(charset: str) -> None:
    """Never read as something else without a word."""
    with pytest.raises(_soap.NoAnswer, match="not a whole XML"):
        _soap.read_envelope(f"text/xml; charset={charset}", _envelope("<a>M\xfcggel</a>").replace(b"\xc3\xbc", b"\xfc"))


@pytest.mark.parametrize(
    ("encoding", "sent"),
    [
        ("quoted-printable", b"M=C3=BCggel=\r\nheim =3D"),
        ("Base64", b"TcO8Z2dlbGhlaW0gPQ=="),
        ("8bit", "Müggelheim =".encode()),
        ("binary", "Müggelheim =".encode()),
    ],
)
def test_a_part_is_decoded_as_it_says(encoding: str, sent: bytes) -> None:
    """Gateways re-encode parts of the type text/* (RFC 2045, section 6)."""
    include = '<x xmlns:i="http://www.w3.org/2004/08/xop/include"><i:Include href="cid:1"/></x>'
    parts = [
        b"Content-Type: application/xop+xml; charset=UTF-8\r\nContent-ID: <0>\r\n\r\n" + _envelope(include),
        b"Content-Type: text/xml\r\nContent-Transfer-Encoding: %b\r\nContent-ID: <1>\r\n\r\n%b"
        % (encoding.encode(), sent),
    ]
    body = b"".join(b"--p\r\n%b\r\n" % part for part in parts) + b"--p--\r\n"

    envelope = _soap.read_envelope('multipart/related; boundary="p"; start="<0>"', body)

    assert b64decode(envelope.findtext(".//x") or "").decode() == "Müggelheim ="


def test_a_part_in_an_encoding_that_nobody_knows_is_no_answer() -> None:
    """The encoded bytes must not be taken for the content: the message would be acknowledged and lost."""
    part = b"Content-ID: <0>\r\nContent-Transfer-Encoding: x-uuencode\r\n\r\n" + _envelope()

    with pytest.raises(_soap.NoAnswer, match="cannot be decoded"):
        _soap.read_envelope('multipart/related; boundary="p"', b"--p\r\n" + part + b"\r\n--p--\r\n")


def test_a_connection_that_breaks_after_the_request_is_doubt(serve: Callable[[Reply], OneShot]) -> None:
    with pytest.raises(_soap.CALL_FAILED) as raised:
        _port(serve(lambda connection, _: connection.close()).url).call("checkAccountActive")

    assert not isinstance(raised.value, NotSent)


@pytest.mark.parametrize("after", [b"", b"HTTP/1.1 200 OK\r\nContent-Type: application/soap+xml\r\n\r\n<a>"])
def test_drops_of_an_answer_meet_the_deadline(serve: Callable[[Reply], OneShot], after: bytes) -> None:
    """Also while the HTTP headers drip: every single read is in time, the whole is not."""

    def drip(connection: socket.socket, _: bytes) -> None:
        connection.sendall(after)
        for _ in range(100):
            try:
                connection.sendall(b" " if after else b"H")
            except OSError:
                return
            time.sleep(0.05)

    begun = time.monotonic()
    with pytest.raises(_soap.DeadlineExceeded):
        _port(serve(drip).url, deadline=0.5, read_timeout=2).call("checkAccountActive")

    assert time.monotonic() - begun < 3


def test_an_endless_answer_is_cut(serve: Callable[[Reply], OneShot]) -> None:
    def flood(connection: socket.socket, _: bytes) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/soap+xml\r\n\r\n")
        try:
            while True:
                connection.sendall(b" " * 65536)
        except OSError:
            return

    with pytest.raises(_soap.NoAnswer, match="more than 100000 bytes"):
        _port(serve(flood).url, max_answer_bytes=100_000).call("checkAccountActive")


def test_a_prebuilt_body_leaves_byte_for_byte(serve: Callable[[Reply], OneShot]) -> None:
    """Line ends, prefixes and the order of attributes are part of what was released."""
    server = serve(_http(_envelope()))
    body = b'<?xml version="1.0"?>\n<k:a  xmlns:k="urn:k" b="2"   a="1">\r\n\t<k:b></k:b></k:a>'

    _port(server.url).post_body("checkAccountActive", body)

    assert body.partition(b"?>\n")[2] in server.heard
    assert b'action="http://www.xta.de/XTA/CheckAccountActive"' in server.heard
    assert b"<wsa:Action" in server.heard


def test_addressing_can_be_left_out(serve: Callable[[Reply], OneShot]) -> None:
    server = serve(_http(_envelope()))

    _port(server.url).post_body("checkAccountActive", b"<a/>", addressing=False)

    assert b"<wsa:" not in server.heard


def test_the_environment_changes_nothing(serve: Callable[[Reply], OneShot], monkeypatch: pytest.MonkeyPatch) -> None:
    """Proxies and CA bundles of the environment would override the connection's own."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere")

    assert _port(serve(_http(_envelope())).url).call("checkAccountActive").body is None


def test_a_client_certificate_that_is_not_there_is_certain() -> None:
    wire = _soap.Wire(client_cert="/nowhere.pem", client_key="/nowhere.key")

    with pytest.raises(NotSent):
        _at("https://127.0.0.1:1/", wire).call("checkAccountActive")


@pytest.fixture
def tls(self_signed: tuple[Path, Path]) -> Iterator[tuple[str, Path, Path]]:
    """A TLS server with a certificate of its own making, for itself and for its clients: url, certificate, key."""
    certificate, key = self_signed
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(certificate))
    context.load_cert_chain(certificate, key)
    context.verify_mode = ssl.CERT_REQUIRED
    listener = socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=_serve_tls, args=(listener, context), daemon=True)
    thread.start()
    yield f"https://127.0.0.1:{listener.getsockname()[1]}/", certificate, key
    listener.close()
    thread.join(5)


def _serve_tls(listener: socket.socket, context: ssl.SSLContext) -> None:
    connection, _ = listener.accept()
    connection.settimeout(5)
    with suppress(OSError), context.wrap_socket(connection, server_side=True) as secure:
        heard = b""
        while b"</soap-env:Envelope>" not in heard:
            heard += secure.recv(65536)
        _http(_envelope())(secure, heard)


def test_a_certificate_that_nobody_vouches_for_is_refused_before_the_request(tls: tuple[str, Path, Path]) -> None:
    with pytest.raises(NotSent):
        _port(tls[0]).call("checkAccountActive")


def test_mutual_tls_works(tls: tuple[str, Path, Path]) -> None:
    url, certificate, key = tls
    wire = _soap.Wire(str(certificate), str(certificate), str(key), deadline=10)

    assert _at(url, wire).call("checkAccountActive").body is None


def test_without_a_client_certificate_nothing_is_promised(tls: tuple[str, Path, Path]) -> None:
    """TLS 1.3 refuses it only after the handshake, when the request may be on its way: that is doubt."""
    url, certificate, _ = tls
    wire = _soap.Wire(str(certificate), deadline=10)

    with pytest.raises(_soap.CALL_FAILED) as raised:
        _at(url, wire).call("checkAccountActive")

    assert not isinstance(raised.value, NotSent)


def test_a_missing_wsdl_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="the WSDL is missing"):
        _soap.Port(tmp_path / "no.wsdl", BINDING, "http://127.0.0.1:1/", _soap.Line(_soap.Wire()))


INCLUDE = '<x xmlns:i="http://www.w3.org/2004/08/xop/include"><i:Include href="cid:1"/></x>'


def _mtom(*heads: bytes, content: bytes = b"abc", kind: str = 'multipart/related; boundary="p"; start="<0>"') -> str:
    """An MTOM answer whose parts have these headers; what is in the place of its include."""
    root = b"--p\r\nContent-Type: application/xop+xml\r\nContent-ID: <0>\r\n\r\n" + _envelope(INCLUDE)
    parts = b"".join(b"\r\n--p\r\n" + head + b"\r\n\r\n" + content for head in heads)
    found = _soap.read_envelope(kind, root + parts + b"\r\n--p--\r\n").findtext(".//x") or ""
    return b64decode(found).decode()


@pytest.mark.parametrize(
    ("encoding", "sent"),
    [
        (b"base64", b"TcO8Z2dl!GhlaW0="),
        (b"base64", b"TcO8Z2dlb"),
        (b"quoted-printable", b"M=XYggelheim"),
        (b"quoted-printable", b"100 = hundert"),
        (b"uuencode", b"abc"),
    ],
)
def test_a_part_that_is_not_what_it_says_is_no_answer(encoding: bytes, sent: bytes) -> None:
    """Half decoded it would be stored, acknowledged and gone."""
    with pytest.raises(_soap.NoAnswer, match="cannot be decoded"):
        _mtom(b"Content-ID: <1>\r\nContent-Transfer-Encoding: " + encoding, content=sent)


def test_two_parts_with_the_same_id_are_no_answer() -> None:
    """Nobody knows which of them is meant."""
    with pytest.raises(_soap.NoAnswer, match="same Content-ID"):
        _mtom(b"Content-ID: <1>", b"Content-ID: <1>")


@pytest.mark.parametrize(
    "head",
    [
        b"Content-ID: <1>\r\nContent-Disposition: attachment; filename=Best\xe4tigung.zip",
        b"content-id:<1>",
        b"Content-ID:\r\n <1>",
        b"Content-ID: <1>\r\nContent-Transfer-Encoding: 7BIT ",
    ],
)
def test_headers_of_a_part_are_read_however_they_are_written(head: bytes) -> None:
    assert _mtom(head) == "abc"


@pytest.mark.parametrize(
    "kind",
    ["multipart/related; boundary*=utf-8''p", "multipart/related;;; =;", "multipart/related; boundary=\xe4"],
)
def test_a_content_type_that_nobody_understands_is_no_answer(kind: str) -> None:
    with pytest.raises(_soap.NoAnswer):
        _mtom(b"Content-ID: <1>", kind=kind)


QUOTED = "Kanari Zwitscherfrau, +49 30 5550815"


@pytest.mark.parametrize("where", ["code", "name", "kind", "role", "text", "type"])
def test_no_word_of_a_stranger_stands_in_an_error(where: str) -> None:
    """Servers quote what they were sent; our line goes into logs and into Airflow."""
    if where == "type":
        with pytest.raises(_soap.NoAnswer) as raised:
            _soap.read_envelope(f"text/x-{QUOTED.lower()}", _envelope())
        error: Exception = raised.value
    else:
        error = _soap.Fault(**{"code": "", "name": "", "text": "", "kind": "", "role": "", where: QUOTED})

    assert not any(part in _soap.describe(error).lower() for part in ("kanari", "zwitscher", "5550815"))


@pytest.mark.parametrize(
    ("relation", "answers"),
    [
        ("", True),
        ("<w:RelatesTo>@</w:RelatesTo>", True),
        ('<w:RelatesTo RelationshipType="urn:other">urn:uuid:9</w:RelatesTo>', True),
        ("<w:RelatesTo>urn:uuid:9</w:RelatesTo>", False),
    ],
)
def test_an_answer_to_another_request_is_no_answer(
    serve: Callable[[Reply], OneShot], relation: str, answers: bool
) -> None:
    """Crossed on the way, it proves nothing about what was asked."""

    def reply(connection: socket.socket, heard: bytes) -> None:
        asked = heard.partition(b":MessageID>")[2].partition(b"<")[0].decode()
        header = f'<e:Header xmlns:w="{_soap.WSA}">{relation.replace("@", asked)}</e:Header>'
        _http(_envelope().replace(b"<e:Header/>", header.encode()))(connection, heard)

    port = _port(serve(reply).url)
    if answers:
        assert port.call("checkAccountActive").body is None
    else:
        with pytest.raises(_soap.NoAnswer, match="another request"):
            port.call("checkAccountActive")
