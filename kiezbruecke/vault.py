"""The vault's keys and what they do: seal bytes that hold account data, open them, and mark an account.

    mark    a secret that never changes ──HKDF──▶ HMAC key ──▶ the mark of (IBAN, holder): 64 hex digits
    1, 2 …  sealing secrets, the last one seals, all of them open ──HKDF──▶ AES-256-GCM keys

Records hold marks and never change, so a mark must outlive every sealing key: its secret is never rotated. Whoever has
it alone can try IBANs, and opens nothing. Sealed bytes name their key and are bound to the row they belong to, so bytes
that are moved into another row do not open.

The keys are lines of a file for nobody else (0600), or the password of a connection: `mark:<base64> 1:<base64> …`.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import re
import secrets
import stat
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from kiezbruecke.connector.protocols import Connection
from kiezbruecke.errors import ConfigurationError
from kiezbruecke.machine import read_text
from kiezbruecke.troubles import Cause

VARIABLE, FILE = "KIEZBRUECKE_VAULT", "vault.keys"  # the file's name, and the variable that names another
CONNECTION, CONNECTION_TYPE = "tresor", "kb_vault"
MAGIC = b"\x00kb-vault1\x00"  # what is sealed begins with it; nothing that we write in the clear does
MARK = "mark"
_SIZE, _NONCE = 32, 12
_ID = re.compile(r"[1-9][0-9]{0,3}")
_HELPS = "kiezbruecke vault key makes one"
_SHOWN = 4  # signs of an IBAN at each end that people may see


@dataclass(frozen=True)
class Keys:
    """The secrets, and where they came from; the newest seals. Nothing here is ever printed."""

    where: str
    mark: bytes = field(repr=False)
    sealing: Mapping[str, bytes] = field(repr=False)  # by id, in the order of their numbers

    @property
    def newest(self) -> str:
        """The id of the key that seals."""
        return list(self.sealing)[-1]

    def text(self) -> str:
        """The secrets as the file holds them."""
        lines = {MARK: self.mark, **self.sealing}
        return "".join(f"{name}:{base64.b64encode(secret).decode()}\n" for name, secret in lines.items())

    def with_another(self) -> Keys:
        """The same with a new key, which seals from now on."""
        return Keys(self.where, self.mark, {**self.sealing, str(int(self.newest) + 1): secrets.token_bytes(_SIZE)})


def new_keys(where: str) -> Keys:
    """Keys that nobody has had before."""
    return Keys(where, secrets.token_bytes(_SIZE), {"1": secrets.token_bytes(_SIZE)})


class Vault:
    """Seals and opens; asks for its keys when they are needed first. Raises ConfigurationError where there are none."""

    def __init__(self, keys: Callable[[], Keys]) -> None:
        self._read = keys

    @cached_property
    def keys(self) -> Keys:
        """The keys, read once."""
        return self._read()

    def mark(self, iban: str, holder: str) -> str:
        """The name of an account: the same for the same IBAN and holder, and nothing can be read from it."""
        said = f"{iban}\x1f{' '.join(unicodedata.normalize('NFC', holder).split())}"
        return hmac.new(self._marking, said.encode(), sha256).hexdigest()

    def seal(self, plain: bytes, about: str) -> bytes:
        """The bytes sealed with the newest key, for the row that `about` names: no other opens them."""
        name = self.keys.newest
        head, nonce = head_of(name), secrets.token_bytes(_NONCE)
        return head + nonce + self._sealing[name].encrypt(nonce, plain, head + about.encode())

    def open(self, stored: bytes, about: str) -> bytes:
        """What was sealed for this row; bytes that were never sealed as they are. Raises ConfigurationError."""
        if not stored.startswith(MAGIC):
            return stored
        name, head = key_of(stored), head_of(key_of(stored))
        if name not in self._sealing:
            raise ConfigurationError(
                f"the vault has no key '{name}'",
                where=self.keys.where,
                expected=", ".join(self._sealing),
                helps="put the lost key back; nothing was changed",
            )
        nonce, rest = stored[len(head) : len(head) + _NONCE], stored[len(head) + _NONCE :]
        try:
            return self._sealing[name].decrypt(nonce, rest, head + about.encode())
        except InvalidTag:
            raise ConfigurationError(
                f"what key '{name}' has sealed does not open",
                where=self.keys.where,
                expected="the key that sealed it, and bytes that nobody has changed",
                helps="put the right key back, or restore the row; nothing was changed",
            ) from None

    @cached_property
    def _marking(self) -> bytes:
        return _derived(self.keys.mark, b"kiezbruecke vault mark")

    @cached_property
    def _sealing(self) -> Mapping[str, AESGCM]:
        return {name: AESGCM(_derived(secret, b"kiezbruecke vault seal")) for name, secret in self.keys.sealing.items()}


class NoKeys(ConfigurationError):
    """Nobody has made keys yet, or they are lost."""

    def __init__(self, where: str, expected: str = "") -> None:
        super().__init__(
            "account data needs the vault's keys, and there are none", where=where, expected=expected, helps=_HELPS
        )


def _nothing() -> Keys:
    raise NoKeys("vault")


NO_VAULT = Vault(_nothing)  # of a ledger that nobody has given keys to


def head_of(key: str) -> bytes:
    """With what everything begins that a key has sealed."""
    return MAGIC + bytes([len(key)]) + key.encode()


def key_of(sealed: bytes) -> str:
    """The id of the key that has sealed these bytes."""
    size = sealed[len(MAGIC)] if len(sealed) > len(MAGIC) else 0
    return sealed[len(MAGIC) + 1 : len(MAGIC) + 1 + size].decode("ascii", "replace")


def masked(iban: str) -> str:
    """What people may see of an IBAN: `DE89…3000`."""
    return f"{iban[:_SHOWN]}…{iban[-_SHOWN:]}"


def find_keys(file: Path, connect: Callable[[str], Connection]) -> Keys:
    """The keys of the file, else of the connection `tresor`; raises ConfigurationError with one line."""
    if file.is_file():
        return read_keys(file)
    try:
        party = connect(CONNECTION)
    except ConfigurationError as error:
        if error.trouble is None or error.trouble.cause is not Cause.CONNECTION:
            raise  # there is one, and it cannot be read
        raise NoKeys(str(file), f"this file, or a connection '{CONNECTION}' of type {CONNECTION_TYPE}") from None
    return keys_of(party)


def keys_of(party: Connection) -> Keys:
    """The keys in a connection's password."""
    where = f"connection {party.id}"
    if party.type != CONNECTION_TYPE:
        raise ConfigurationError(f"'{party.type}' holds no keys", where=where, expected=f"type {CONNECTION_TYPE}")
    return _parsed(party.password, where)


def read_keys(file: Path) -> Keys:
    """The keys of a file that nobody else may read."""
    if file.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise ConfigurationError(
            "others may read the vault's keys", where=str(file), expected="a file of 0600", helps=f"chmod 600 {file}"
        )
    return _parsed(read_text(file, what="the key file"), str(file))


def _parsed(text: str, where: str) -> Keys:
    found: dict[str, bytes] = {}
    for number, word in enumerate(text.split(), start=1):
        name, _, coded = word.partition(":")
        secret = _secret(coded)
        if name in found or not (name == MARK or _ID.fullmatch(name)) or len(secret) != _SIZE:
            raise ConfigurationError(
                f"the {number}. word is no key",
                where=where,
                expected=f"{MARK}:… and 1:…, 2:… with {_SIZE} bytes in base64, each once",
                helps="nothing was changed",
            )
        found[name] = secret
    mark = found.pop(MARK, b"")
    if not mark or not found:
        missing = MARK if not mark else "a sealing key"
        raise ConfigurationError(f"{missing} is missing", where=where, expected=f"{MARK}:… and 1:…", helps=_HELPS)
    return Keys(where, mark, {name: found[name] for name in sorted(found, key=int)})


def _secret(coded: str) -> bytes:
    try:
        return base64.b64decode(coded, validate=True)
    except (binascii.Error, ValueError):
        return b""


def _derived(secret: bytes, purpose: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=_SIZE, salt=None, info=purpose).derive(secret)
