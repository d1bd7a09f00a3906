"""A folder on an SFTP server, and the connection to it: whose host key is not the one we know is not talked to.

asyncssh speaks; one event loop of our own per client, so that the caller needs none. Every step has a deadline.
Airflow's SFTP provider would do the same with the same library, but connectors know no Airflow: they run from the
command line and in tests as well (import-linter holds it). The fields of the connection have its names.
"""

from __future__ import annotations

import asyncio
import logging
import posixpath
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import asyncssh

from connectors.hkr_file.places import Place
from connectors.hkr_file.settings import Settings
from kiezbruecke.errors import ConfigurationError, NotSent
from kiezbruecke.troubles import Cause, Trouble, trouble_of

T = TypeVar("T")
asyncssh.set_log_level(logging.WARNING)  # at INFO it tells accounts and paths of every session


class Line:
    """A connection to one server; opened when it is first needed, and anew after it broke."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._runner: asyncio.Runner | None = None
        self._connection: asyncssh.SSHClientConnection | None = None
        self._client: asyncssh.SFTPClient | None = None
        self._key: asyncssh.SSHKey | None = None  # with a passphrase it costs a second to read: once is enough

    def call(self, ask: Callable[[asyncssh.SFTPClient], Awaitable[T]]) -> T:
        """Ask for something; raises NotSent where nobody could be asked, OSError for everything else."""
        if self._client is None:
            self._open()
        assert self._runner is not None
        assert self._client is not None
        try:
            return self._runner.run(self._within(ask(self._client)))
        except asyncssh.SFTPNoSuchFile:
            raise FileNotFoundError("not there") from None  # the server's words may hold a path
        except asyncssh.SFTPConnectionLost as error:
            self.close()
            raise ConnectionError(type(error).__name__) from None
        except asyncssh.SFTPError as error:
            raise OSError(f"SFTP error {error.code}") from None
        except (asyncssh.Error, TimeoutError, OSError) as error:
            self.close()
            raise ConnectionError(type(error).__name__) from None

    def close(self) -> None:
        """End the connection; twice is harmless."""
        runner, connection = self._runner, self._connection
        self._runner = self._connection = self._client = None
        if connection is not None:
            connection.abort()
        if runner is not None:
            runner.close()

    def _open(self) -> None:
        if self._settings.key_file and self._key is None:
            self._key = _own_key(self._settings)
        self._runner = asyncio.Runner()
        try:
            self._runner.run(self._connect())
        except BaseException as error:
            self.close()
            if isinstance(error, asyncssh.Error | OSError | TimeoutError):
                raise self._not_reached(error) from None
            raise

    async def _connect(self) -> None:
        given = self._settings
        async with asyncio.timeout(given.conn_timeout):
            self._connection = await asyncssh.connect(given.host, given.port, **_options(given, self._key))
            self._client = await self._connection.start_sftp_client()

    async def _within(self, answer: Awaitable[T]) -> T:
        async with asyncio.timeout(self._settings.deadline):
            return await answer

    def _not_reached(self, error: Exception) -> NotSent:
        where = f"{self._settings.where}, {self._settings.host}"
        match error:
            case asyncssh.HostKeyNotVerifiable():
                what = "the host key of the SFTP server is not the one that we know; nothing was sent"
                helps = "ask its operator for the new key over another way, and set host_key or known_hosts"
                return NotSent(what, where=where, helps=helps, trouble=Trouble(Cause.CONNECTION))
            case asyncssh.PermissionDenied():
                return NotSent("the SFTP server refuses the log-in", where=where, trouble=Trouble(Cause.PASSWORD))
            case TimeoutError():
                return NotSent("the SFTP server does not answer in time", where=where, trouble=Trouble(Cause.SILENT))
            case OSError():
                why = error.strerror or type(error).__name__
                trouble = trouble_of(error) or Trouble(Cause.UNREACHABLE)
                return NotSent("the SFTP server is not reached", where=where, helps=why, trouble=trouble)
            case _:
                trouble = Trouble(Cause.CONNECTION)
                return NotSent("no SFTP session came about", where=where, helps=type(error).__name__, trouble=trouble)


class RemoteFolder:
    """One folder of the server (Place)."""

    def __init__(self, line: Line, path: str) -> None:
        self._line, self._path = line, path

    def names(self) -> list[str]:
        """The names in it, sorted."""
        return sorted(set(map(str, self._line.call(lambda client: client.listdir(self._path)))) - {".", ".."})

    def read(self, name: str, most: int) -> bytes:
        """The first bytes of a file, whole or not at all."""

        async def read(client: asyncssh.SFTPClient) -> bytes:
            async with client.open(self.at(name), "rb") as handle:
                body = await handle.read(most)
                assert isinstance(body, bytes)  # opened as bytes
                return body

        return self._line.call(read)

    def write(self, name: str, body: bytes) -> None:
        """Write a file; an older one is replaced. Readers see it under this name while it grows: it ends with .part."""

        async def write(client: asyncssh.SFTPClient) -> None:
            async with client.open(self.at(name), "wb") as handle:
                await handle.write(body)
                await _sync(handle)

        self._line.call(write)

    def rename(self, name: str, new_name: str, to: Place | None = None) -> None:
        """SFTP's own rename, which a server refuses where the new name is taken (draft-ietf-secsh-filexfer-02, 6.5)."""
        assert to is None or isinstance(to, RemoteFolder)
        target = (to or self).at(new_name)
        self._line.call(lambda client: client.rename(self.at(name), target))

    def remove(self, name: str) -> None:
        """Take a file away."""
        try:
            self._line.call(lambda client: client.remove(self.at(name)))
        except FileNotFoundError:
            return

    def close(self) -> None:
        """End the connection."""
        self._line.close()

    def at(self, name: str) -> str:
        """The path of a file."""
        return posixpath.join(self._path, name)


async def _sync(handle: Any) -> None:
    """Ask the server to make the file durable, where it knows how; what arrived is read back in any case."""
    try:
        await handle.fsync()
    except asyncssh.SFTPOpUnsupported:
        return


def _options(given: Settings, key: asyncssh.SSHKey | None) -> dict[str, Any]:
    """Only what the connection says: no agent, no key or configuration of whoever runs this, no host that is new."""
    return {
        "config": None,
        "agent_path": None,
        "username": given.login,
        "password": given.password.get_secret_value() or None,
        "client_keys": [key] if key else None,
        "known_hosts": _known(given),
        "gss_auth": False,
        "connect_timeout": given.conn_timeout,
        "login_timeout": given.conn_timeout,
    }


def _known(given: Settings) -> asyncssh.SSHKnownHosts:
    if given.known_hosts:
        return asyncssh.read_known_hosts(given.known_hosts)
    return asyncssh.import_known_hosts(f"{_name(given)} {given.host_key.strip()}\n")


def _name(given: Settings) -> str:
    return given.host if given.port == 22 else f"[{given.host}]:{given.port}"


def _own_key(given: Settings) -> asyncssh.SSHKey:
    try:
        return asyncssh.read_private_key(given.key_file, given.private_key_passphrase.get_secret_value() or None)
    except (asyncssh.KeyImportError, asyncssh.KeyEncryptionError, OSError, ValueError):
        raise ConfigurationError(
            "extra.key_file cannot be read as a private key", where=given.where, expected="its file and its passphrase"
        ) from None
