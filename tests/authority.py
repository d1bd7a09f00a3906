"""A certificate authority made at test time, and a server behind TLS in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from itertools import count
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

_PEM = serialization.Encoding.PEM
_SERVER = """
import http.server, ssl, sys
certificate, key, authority, newest, status = sys.argv[1:]
class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.send_response(int(status)); self.send_header("Content-Length", "3"); self.end_headers()
        self.wfile.write(b"yes")
    do_GET = do_POST
    def log_message(self, *_): pass
class Server(http.server.ThreadingHTTPServer):
    def handle_error(self, *_): pass
    def finish_request(self, request, address):
        super().finish_request(context.wrap_socket(request, server_side=True), address)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(certificate, key)
if newest == "1.1":
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    context.minimum_version = ssl.TLSVersion.TLSv1
context.maximum_version = getattr(ssl.TLSVersion, "TLSv" + newest.replace(".", "_"))
if authority:
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(authority)
server = Server(("127.0.0.1", 0), Handler)
print(server.server_address[1], flush=True)
server.serve_forever()
"""


@dataclass
class Authority:
    """One that signs for servers and clients; `file` is its certificate."""

    folder: Path
    name: str = "Prüfstelle"
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._subject = _name(self.name)
        signed = (
            self._builder(self._subject, self._key, timedelta(days=30))
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .sign(self._key, hashes.SHA256())
        )
        self.file = self.folder / "ca.pem"
        self.file.write_bytes(signed.public_bytes(_PEM))

    def issue(
        self, host: str = "127.0.0.1", *, ends: timedelta = timedelta(days=30), name: str = "x"
    ) -> tuple[Path, Path]:
        """Certificate and key for a host (address or name)."""
        secret = ec.generate_private_key(ec.SECP256R1())
        signed = (
            self._builder(_name(name), secret, ends)
            .add_extension(x509.SubjectAlternativeName([_general(host)]), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        number = next(self._numbers)
        certificate, key = self.folder / f"{number}.pem", self.folder / f"{number}.key"
        certificate.write_bytes(signed.public_bytes(_PEM))
        plain = serialization.NoEncryption()
        key.write_bytes(secret.private_bytes(_PEM, serialization.PrivateFormat.PKCS8, plain))
        return certificate, key

    def _builder(
        self, subject: x509.Name, secret: ec.EllipticCurvePrivateKey, ends: timedelta
    ) -> x509.CertificateBuilder:
        now = datetime.now(UTC)
        number = x509.random_serial_number()
        begins = now - timedelta(days=400)
        return x509.CertificateBuilder(self._subject, subject, secret.public_key(), number, begins, now + ends)


@contextmanager
def tls_server(
    pair: tuple[Path, Path], *, clients: Path | None = None, newest: str = "1.3", status: int = 200
) -> Iterator[str]:
    """The address of a server with this certificate; with `clients` only for those whom that authority knows."""
    arguments = [str(pair[0]), str(pair[1]), str(clients or ""), newest, str(status)]
    with subprocess.Popen([sys.executable, "-c", _SERVER, *arguments], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield f"https://127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.kill()


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, text)])


def _general(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(host))
    except ValueError:
        return x509.DNSName(host)
